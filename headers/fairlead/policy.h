/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policy as both sides know it: who a workload is, what a target class
 * allows, how one packet's verdict is found.
 *
 * Rules are bits. Everything that an address can be to any rule is its peer
 * class (peers, or peer_prefixes for who is no workload); everything that a
 * port can be, its port class. A workload has a target class for each
 * direction. For a target,
 *
 *	rules = (peer_any | peer_pod, of a pod | peer_masks[target, peer class])
 *		& (port_any | port_masks[target, protocol, port class])
 *
 * are those that match a new connection, in the order in which they count: the
 * lowest bit decides, see policy_verdict(). What it costs depends neither on
 * the number of policies nor on that of workloads.
 *
 * The tables are written by user/ in an order that is safe for traffic: masks
 * before who names them, a workload's two targets by one store, then
 * runtime.policy_epoch, upon which each live connection is judged once more.
 * Targets and classes are never changed while they are named, but for masks of
 * classes that no address has yet.
 */
#ifndef FAIRLEAD_POLICY_H
#define FAIRLEAD_POLICY_H

#include <stdbool.h>

#include <fairlead/types.h>

#define POLICY_INLINE static inline __attribute__((always_inline, unused))

#define POLICY_WORDS 16
#define POLICY_RULES_MAX (64 * POLICY_WORDS)	/* of a target */

enum policy_direction {
	POLICY_IN,		/* to the workload: ingress */
	POLICY_OUT,		/* from it: egress */
	NR_POLICY_DIRECTIONS,
};

struct rule_mask {
	__u64 word[POLICY_WORDS];
};

/*
 * What a workload is held to in one direction: bits in the order Admin tier by
 * priority, NetworkPolicies, Baseline tier; what no bit matches is allowed.
 * Isolation by NetworkPolicies is a rule as well, which denies all and is the
 * last of theirs. A bit neither in deny nor in pass allows.
 */
struct target {
	struct rule_mask peer_any;	/* rules for every address, */
	struct rule_mask peer_pod;	/* for every pod's, */
	struct rule_mask port_any;	/* for every port and protocol */
	struct rule_mask deny;
	struct rule_mask pass;		/* go on at bit `network` */
	struct rule_mask audit;		/* not in force: a denial by one of them
					 * is reported and the packet passes */
	__u16 words;			/* used; the others are 0 */
	__u16 network;			/* the first bit of NetworkPolicies */
	__u32 pad;
};

/* Class 0: nothing tells the address from others. */
#define PEER_CLASS_MASK 0x0fffffffu

enum peer_flag {
	PEER_POD  = 1u << 31,	/* a workload's own address, but for those in
				 * the host's network */
	PEER_HOST = 1u << 30,	/* an address of this host: never blocked for
				 * who is on it */
};

/* Of peer_masks, with a peer class; and of port_masks, with port_class_key(). */
struct mask_key {
	__u32 target;
	__u32 class;
};

/* Protocols that have ports, as port_classes has them: an array of 65 536
 * classes each, by port in host order. 0: nothing tells the port from others.*/
enum policy_proto { POLICY_TCP, POLICY_UDP, POLICY_SCTP, NR_POLICY_PROTOS };

#define PORT_CLASSES (NR_POLICY_PROTOS * 65536)

/* The one entry of the map port_classes. */
struct port_classes {
	__u16 class[PORT_CLASSES];
};

/* Index in port_classes; -1: a protocol without ports, which the rules without
 * ports alone match. */
POLICY_INLINE int policy_port_index(__u8 proto, __u16 port)
{
	switch (proto) {
	case 6:			/* IPPROTO_TCP */
		return POLICY_TCP << 16 | port;
	case 17:		/* _UDP */
		return POLICY_UDP << 16 | port;
	case 132:		/* _SCTP */
		return POLICY_SCTP << 16 | port;
	default:
		return -1;
	}
}

/* In struct mask_key of port_masks: enum policy_proto and a port class. */
POLICY_INLINE __u32 port_class_key(__u32 proto, __u32 class)
{
	return proto << 16 | class;
}

#define WORKLOAD_ADDRS 4

enum workload_flag {
	WORKLOAD_CLOSED = 1 << 0, /* its policy is not known yet: nothing but
				   * its own node, ARP and neighbours */
	WORKLOAD_SPOOFS = 1 << 1, /* may send from any address */
	WORKLOAD_FULL = 1 << 2,	/* has as many connections as it may */
	WORKLOAD_COUNTED = 1 << 3, /* its connections are recorded, whatever
				    * it is allowed */
	WORKLOAD_REGISTERED = 1 << 4, /* who made its interface said whose it
				       * is: user space's own */
};

/*
 * A container on this host, behind the interface that workload_cells names it
 * by. Entry 0 is never used.
 */
struct workload {
	struct addr addr[WORKLOAD_ADDRS]; /* all that it may send from, and
					   * link-local ones; zero: none */
	struct {
		__u32 in, out;	/* targets; 0: not isolated. One store */
	} target __attribute__((aligned(8)));
	__u32 ifindex;
	__u32 id;		/* of its name, for who reports: workload_infos */
	__u16 flags;		/* enum workload_flag */
	__u8 mac[6];		/* frames come from there alone; zero: any */
	__u32 adopt_until_s;	/* CLOCK_MONOTONIC: until then, what is under
				 * way unrecorded may have begun at either end,
				 * where its ports do not tell */
	__u32 packets_per_s;	/* limits of what it sends; 0: none */
	__u32 conns_per_s;	/* new ones that it begins */
	__u32 pad;
	__u64 bytes_per_s;
	__u64 pad2[2];
};

#define WORKLOAD_BITS 12
#define WORKLOADS_MAX (1 << WORKLOAD_BITS)
#define WORKLOAD_BUCKETS 2048	/* of words: struct word_bucket */

/* Of the set workload_cells: the interface is that of workload number index.
 * Its bucket is word_bucket_of(): interfaces have numbers in a row, so the
 * lowest bits of these are as good as any hash. */
POLICY_INLINE __u64 workload_word(__u32 ifindex, __u32 index)
{
	return (__u64)ifindex << 32 | index;
}

/*
 * What a verdict leaves in a flow's record: when it was given, and whose it is.
 * Of what is sent to a group, or goes through one workload to another, both
 * have the record, and neither may answer for the other. Never 0.
 */
POLICY_INLINE __u32 policy_stamp(__u32 epoch, __u32 index)
{
	return epoch << WORKLOAD_BITS | index;
}

/* Who is policed. */
enum policing {
	POLICE_NOBODY,
	POLICE_WORKLOADS,	/* those in workload_cells */
	POLICE_ALL,		/* and an interface of a pod that has no cell
				 * is as WORKLOAD_CLOSED */
};

/* What events tell of, in runtime.policy_events. */
enum policy_events {
	POLICY_EVENTS_NONE,
	POLICY_EVENTS_DENIED,	/* what is, or would be but for an audit */
	POLICY_EVENTS_ALL,	/* each verdict */
};

/* Name and namespace of a workload, by its index: user/ for itself. */
struct workload_info {
	char name[256];		/* "namespace/name"; ends in NUL */
};

/* What a workload has used of its limits: when its bucket will be full again
 * had it been taken from at the full rate, in seconds * 2^32. */
struct workload_limit {
	__u64 packets;
	__u64 bytes;
	__u64 conns;
};

/* Entries at most; memory is as much as is used. */
#define POLICY_PEERS_MAX 65536
#define POLICY_PREFIXES_MAX 16384
#define POLICY_TARGETS_MAX 16384
#define POLICY_MASKS_MAX 262144		/* of each of the two maps */
#define POLICY_HITS_MAX 65536
#define POLICY_EVENTS_BYTES (1 << 18)

/* What decided: a bit of a target, or one of these. */
enum policy_rule {
	POLICY_NO_RULE = 0xffff,  /* no bit matched */
	POLICY_UNKNOWN = 0xfffe,  /* the workload is closed */
	POLICY_SPOOFED = 0xfffd,  /* not from an address of its own */
	POLICY_LIMITED = 0xfffc,  /* more than its limits allow */
};

/* Of the map policy_hits: new connections, and those judged again, that a rule
 * decided about; of the rules above, packets. */
struct hit_key {
	__u32 target;		/* 0 with the rules above but NO_RULE */
	__u16 rule;		/* enum policy_rule */
	__u8 denied;
	__u8 direction;		/* enum policy_direction */
};

/* Of the ring buffer events, while runtime.policy_events: a verdict. */
struct policy_event {
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	struct flow flow;	/* as the packet is at the workload, but with
				 * the client's real address */
	__u32 workload;		/* index in workloads; 0: none is known */
	__u32 ifindex;
	__u32 target;
	__u16 rule;		/* enum policy_rule */
	__u8 direction;		/* enum policy_direction */
	__u8 flags;		/* enum policy_event_flag */
};

enum policy_event_flag {
	POLICY_EVENT_DENIED = 1 << 0,
	POLICY_EVENT_AUDIT = 1 << 1,	/* denied, had the policy been in force */
	POLICY_EVENT_LIVE = 1 << 2,	/* a connection that was allowed before */
};

/* Seconds that a record of them lasts unseen: TCP as long as a NAT may not
 * forget it (RFC 5382, 5), UDP likewise (RFC 4787, 4.3). As conn_life_from(). */
enum peers_life {
	PEERS_LIFE_STREAM = 11 << 2,	/* 8192 s: TCP, SCTP */
	PEERS_LIFE_DATAGRAM = 6 << 2 | 1, /* 320 s */
	PEERS_LIFE_ECHO = 4 << 2,	/* 64 s: ICMP */
};

/* Is the source of a flow the larger of its two ends, in an order that is the
 * same for both directions? */
POLICY_INLINE bool peers_turned(const struct flow *f)
{
	for (int i = 0; i < 4; i++)
		if (f->src.word[i] != f->dst.word[i])
			return f->src.word[i] > f->dst.word[i];
	return f->sport > f->dport;
}

/*
 * What conns knows those by who talk to one another in f: its two ends, the
 * lower first, so that both directions have one record. Of protocols without
 * ports, f's are to be the same: see FLOW_PROTO_OTHER. True: f's source is the
 * second in it.
 */
POLICY_INLINE bool peers_flow(const struct flow *f, struct flow *ret)
{
	const bool has_ports = policy_port_index(f->proto, 0) >= 0;
	const bool turned = peers_turned(f);

	ret->src = turned ? f->dst : f->src;
	ret->dst = turned ? f->src : f->dst;
	ret->proto = has_ports ? f->proto : FLOW_PROTO_OTHER;
	ret->sport = !has_ports ? f->proto : turned ? f->dport : f->sport;
	ret->dport = !has_ports ? f->dport : turned ? f->sport : f->dport;
	ret->kind = FLOW_PEERS;
	ret->pad[0] = ret->pad[1] = 0;
	return turned;
}

/* Number of the lowest bit; w is not 0. clang 14 has no such instruction for
 * BPF, and dies of __builtin_ctzll(). */
POLICY_INLINE __u32 lowest_rule(__u64 w)
{
	w &= -w;
	return !!(w & 0xffffffff00000000ull) << 5 |
	       !!(w & 0xffff0000ffff0000ull) << 4 |
	       !!(w & 0xff00ff00ff00ff00ull) << 3 |
	       !!(w & 0xf0f0f0f0f0f0f0f0ull) << 2 |
	       !!(w & 0xccccccccccccccccull) << 1 |
	       !!(w & 0xaaaaaaaaaaaaaaaaull);
}

/* Of a set of rules that match, the lowest from bit first on, leaving out those
 * in skip; POLICY_NO_RULE: none. */
POLICY_INLINE __u32 policy_first(const struct rule_mask *rules,
				 const struct rule_mask *skip, __u32 words,
				 __u32 first)
{
	for (__u32 i = 0; i < POLICY_WORDS && i < words; i++) {
		__u64 w = rules->word[i] & ~skip->word[i];

		if (i < first / 64)
			continue;
		if (i == first / 64)
			w &= ~0ull << (first & 63);
		if (w)
			return i * 64 + lowest_rule(w);
	}
	return POLICY_NO_RULE;
}

_Static_assert(sizeof(struct rule_mask) == 128, "pinned ABI");
_Static_assert(sizeof(struct target) == 776, "pinned ABI");
_Static_assert(sizeof(struct workload) == 128, "pinned ABI");
_Static_assert(sizeof(struct hit_key) == 8, "pinned ABI");
_Static_assert(sizeof(struct policy_event) == 64, "pinned ABI");

#endif
