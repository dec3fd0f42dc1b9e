/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lies outside of the stack while a packet is worked on. XDP and tc
 * programs do not interrupt one another on a CPU, so one place for each CPU is
 * enough; programs that can be interrupted (cgroup hooks) must not use it.
 */
#ifndef FAIRLEAD_BPF_SCRATCH_H
#define FAIRLEAD_BPF_SCRATCH_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include <fairlead/decide.h>
#include <fairlead/policy.h>

#include "maps.h"
#include "parse.h"

/* What NAT makes of a packet: addresses and ports, and the way there. */
struct nat {
	struct flow to;
	struct nexthop hop;
	__u16 mtu;		/* of the way, if it is less than the link's */
	bool is_reply;
	bool has_source;	/* from, or to, an address of ours */
	bool is_local;		/* the backend is on this host */
	bool is_again;		/* begins where one of the same client ended */
};

/* Where it leaves, and with which Ethernet header. */
struct egress {
	__u32 ifindex;		/* as pkt.ifindex */
	__u16 mtu;
	__u16 link;		/* index in links; 0: unknown */
	__be16 vlan_proto;
	__be16 vlan_id;
	union {
		struct {
			__u8 to[6];
			__u8 from[6];
		};
		__u32 macs[3];	/* both, as a frame begins with them */
	};
	struct addr src;	/* tunnels: our end */
	bool has_frame;		/* tc: it has an Ethernet header there; else
				 * the kernel finds the way out */
};

#define QUOTE_MIN 28		/* of what we complain about */
#define QUOTE_MAX 128		/* multiple of 4 */

/* What is known of a packet that is to be judged by a workload's policy. */
struct police {
	struct flow flow;	/* as it is between the workload and its peer;
				 * of an ICMP error the one that it is about */
	struct flow key;	/* peers_flow() of that, */
	__u64 hash;		/* and its flow_hash() */
	struct addr outer_src;	/* as the packet has them: of an error */
	struct addr outer_dst;
	__u64 targets;		/* struct workload's, as one word */
	__u32 index;		/* in workloads; 0: who is not known */
	__u32 ifindex;
	__u32 epoch;
	__u32 position;		/* of the flow's record in conns; 0: none */
	__u32 word;		/* its head */
	__u32 target;		/* that it was judged by; 0: by none */
	__u32 rule;		/* that decided, enum policy_rule */
	__u32 audited;		/* that would have, and denied it */
	__u16 flags;		/* enum workload_flag */
	__u8 direction;		/* of the packet: enum policy_direction */
	bool is_v6;
	bool is_nat;		/* struct nat says what becomes of it */
	bool is_turned;		/* its source is the second in key */
	bool is_reply;		/* its source is the server */
	bool is_known;		/* it is recorded, but has to be judged again */
	bool is_unasked;	/* by the workload that is asked, for the first
				 * time */
	bool is_lone;		/* it is of nothing that can be recorded */
	bool is_size;		/* an error about a size */
	bool opens;		/* it begins a connection */
	bool is_real;		/* its source is who NAT did it for */
	struct rule_mask rules;	/* that match it */
	struct rule_mask nothing; /* no rule */
};

/* What would be too much for the stack (512 bytes with all that is called),
 * and what one program leaves for the next one that a packet is given to. */
struct scratch {
	struct pkt pkt;
	enum reason why;	/* what there is to answer */
	__u8 origin;		/* enum origin, of whom the hook is for */
	bool is_leaving;	/* this host, on a node: its last hook */
	bool to_host;		/* it goes on as if it had come in there */
	__u8 class;		/* enum vip_class: what may be at its address */
	bool is_due;		/* it has yet to be judged: see police.h. False
				 * whenever a packet comes to its first program */
	struct nat nat;
	struct egress out;
	struct {		/* in conns, and void: to be dropped; or what
				 * nat.is_again is of */
		__u32 position;	/* 0: nothing */
		__u32 word;
	} old;
	__u8 forward;		/* enum forward, of a flow that was opened */
	__u8 kind;		/* enum service_kind, likewise */
	struct addr endpoint;	/* ORIGIN_TUNNEL: which one was chosen */
	struct decision decision; /* about a new NAT connection */
	bool is_remembered;	/* a first fragment's ports are in conns */
	struct flow reply;	/* a new connection's, other direction */
	struct flow key;	/* of what else is recorded */
	__u32 nat_addr;		/* index in nat_addrs; 0: the client's own */
	struct {		/* whose port could be taken over */
		__u32 position;
		__u32 word;
		__u32 worth;	/* how gladly; 0: nobody's */
		__u32 tag;	/* of its cell */
		__be16 port;
	} taken;
	__u32 no_port[16];	/* see nat_halvings() */
	union {
		__u8 quote[QUOTE_MAX];
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
	struct police police;
};

/* By bpf/, on its own CPU, for one packet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch __weak SEC(".maps");

#endif
