/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between bpf/ and user/: every type that crosses the boundary,
 * in a map that one side writes and the other reads, is defined here alone.
 *
 * What user/ writes are arrays in memory that both sides share (mmap): a
 * change becomes visible by one aligned 8-byte store, so no packet ever sees
 * half of it. Fields off the wire stay in network order and say so in their
 * type. Padding is explicit: a zeroed key is a canonical key. Sizes are
 * asserted: a change needs a new FAIRLEAD_ABI.
 */
#ifndef FAIRLEAD_TYPES_H
#define FAIRLEAD_TYPES_H

#include <asm/byteorder.h>

#include <linux/types.h>

/* Names the pin directory, /sys/fs/bpf/fairlead/<abi>. */
#define FAIRLEAD_ABI 2

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct addr {
	__be32 word[4];
};

enum flow_kind {
	FLOW_PACKET,	/* the five-tuple of a packet, either direction */
	FLOW_FRAGMENT,	/* src, dst; sport and dport hold the id; IPv4: proto,
			 * IPv6: IPPROTO_FRAGMENT */
	FLOW_AFFINITY,	/* src; dst holds a service's id: a client of it */
	FLOW_PEERS,	/* who talks to whom, whichever way a packet goes: see
			 * peers_flow() in policy.h */
};

/* In struct flow's proto: one without ports (FLOW_PEERS). It is in sport then,
 * and in dport what else tells one flow of it from others: of an echo, its id. */
#define FLOW_PROTO_OTHER 255

/* What a table of connections is asked with. */
struct flow {
	struct addr src;
	struct addr dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 kind;		/* enum flow_kind */
	__u8 pad[2];
};

enum forward {
	FORWARD_NAT,	/* new destination, and source */
	FORWARD_L2,	/* new destination MAC alone */
	FORWARD_IPIP,	/* IP in IP, any families (RFC 2003, 2473, 4213) */
	FORWARD_GUE,	/* IP in UDP (GUE variant 1: no header of its own) */
	FORWARD_GRE,	/* IP in GRE (RFC 2784) */
	FORWARD_GENEVE,	/* IP in Geneve (RFC 8926), no inner Ethernet */
};

enum algorithm {
	ALGORITHM_MAGLEV,
	ALGORITHM_RANDOM,
	ALGORITHM_ROUND_ROBIN,
};

/* What an entry of services is to its service: what decide.h goes by. */
enum service_kind {
	KIND_EDGE,		/* a VIP of a balancer before the cluster */
	KIND_CLUSTER_IP,
	KIND_NODE_PORT,
	KIND_LB_VIP,		/* status.loadBalancer.ingress */
	KIND_EXTERNAL_IP,
};

enum service_flag {
	SERVICE_VIP	  = 1 << 0, /* stands for an address: no port serves */
	SERVICE_HOST	  = 1 << 1, /* the host's own address: reject nothing */
	SERVICE_AFFINITY  = 1 << 2, /* clients stick, see affinity_s */
	SERVICE_STATELESS = 1 << 3, /* UDP: the slot's backend, nothing kept */
	SERVICE_TRACKED	  = 1 << 4, /* every slot is as good as tracked */
	/* an entry's own, from its definition */
	SERVICE_POLICY_LOCAL = 1 << 5, /* its traffic policy is Local */
	SERVICE_EMPTY_DROPS = 1 << 6, /* an empty local set: drop, not reject */
	SERVICE_MASQUERADE = 1 << 7, /* always from an address of the node's */
	SERVICE_NO_SOCKET = 1 << 8, /* of packets alone: no pod's socket */
	/* with SERVICE_VIP */
	SERVICE_NODE	  = 1 << 9, /* what has no service here is looked for at
				     * node_addr() */
};

#define SERVICE_FRONT_FLAGS (SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS | \
			     SERVICE_MASQUERADE | SERVICE_NO_SOCKET)

/*
 * Node ports are at many addresses, which come and go: they have one entry
 * each, at an address of their family that no packet goes to.
 */
static inline __attribute__((always_inline, unused)) struct addr
node_addr(_Bool is4)
{
	return (struct addr){ .word[2] = is4 ? __constant_htonl(0xffff) : 0 };
}

/*
 * One front end of a service: an address, a protocol and a range of ports;
 * or, with SERVICE_VIP and proto 0, the address itself. A service, which is
 * its id, has one or more of them: they share all but what says otherwise.
 * Never changed once a cell names it: a change is a new entry and a new cell.
 * Entry 0 is never used.
 */
struct service {
	struct addr addr;	/* the front end's own, as are its ports */
	__u16 port_first;	/* host order; 0 to 65535: every port */
	__u16 port_last;
	__u8 proto;		/* IPPROTO_*, 0 with SERVICE_VIP */
	__u8 forward;		/* enum forward */
	__u8 algorithm;		/* enum algorithm */
	__u8 kind;		/* enum service_kind; the front end's own */
	__u16 flags;		/* enum service_flag */
	__u8 prefix_len;	/* bits of addr; below 128: see prefixes */
	__u8 idle_life;		/* of idle_s and affinity_s: conn_life_from() */
	__u8 affinity_life;
	__u8 tunnel;		/* of a node's, the front end's own: enum
				 * forward in which packets from outside go on
				 * to other nodes, who answer the client; else
				 * FORWARD_NAT */
	__u8 pad[2];
	__u32 id;		/* stays through changes; index in turns */
	__u32 slot_base;	/* index in slots */
	__u32 slot_count;	/* 0: no usable backend; a power of two, unless
				 * slots_are_dense() */
	__u32 local_base;	/* SET_LOCAL, of dense slots alone: the first */
	__u32 local_count;	/* of them, or behind, see service_slots() */
	__u32 affinity_s;
	__u32 idle_s;		/* an entry of conns unseen for so long is dead */
	__u32 sources;		/* a list in the map sources; 0: all may come;
				 * the front end's own */
};

/*
 * The way to a service: SERVICE_CELLS cells make a bucket, one cache line; a
 * bucket without an empty cell goes on in the next, SERVICE_PROBES at most.
 */
#define SERVICE_CELLS 8
#define SERVICE_PROBES 4

struct service_cell {
	__u32 tag;		/* high half of service_hash() */
	__u32 service;		/* index in services; 0: empty */
} __attribute__((aligned(8)));

/* A cell that was used and is free: a search goes on past it. */
#define SERVICE_CELL_GONE 0xffffffffu

/*
 * Who owns a slot of a service's table, and who did before. previous == 0:
 * settled, every flow of the slot is the backend's. Otherwise tracked: a flow
 * that conns does not know is older than the tracking and is previous's.
 * Always read and written as one 8-byte word.
 */
struct slot {
	__u32 backend;		/* index in backends; 0: none */
	__u32 previous;
} __attribute__((aligned(8)));

enum backend_state {
	BACKEND_FREE,		/* nobody: the entry may be given away */
	BACKEND_ACTIVE,
	BACKEND_DRAIN,		/* keeps its flows, gets no new ones */
	BACKEND_LEAVING,	/* not defined any more; as drained */
	BACKEND_DOWN,		/* failed: its flows go elsewhere */
	BACKEND_GONE,		/* as leaving, but its flows go elsewhere */
};

enum backend_flag {
	BACKEND_LOCAL	  = 1 << 0, /* its address is this host's */
	BACKEND_SET_STATE = 1 << 1, /* state set by hand, not by definition */
	BACKEND_SET_WEIGHT = 1 << 2, /* weight likewise */
	/* by definition, which the backends of an edge service have not: */
	BACKEND_IN_LOCAL  = 1 << 3, /* in SET_LOCAL of its service */
	BACKEND_NOT_IN_CLUSTER = 1 << 4, /* not in SET_CLUSTER */
};

#define BACKEND_SET_FLAGS (BACKEND_IN_LOCAL | BACKEND_NOT_IN_CLUSTER)

/* Where a frame goes. One 8-byte word, so never seen half changed. */
struct nexthop {
	__u8 mac[6];
	__u16 link;		/* index in links; 0: ask the kernel's FIB */
} __attribute__((aligned(8)));

/* In nexthop.link: to this host itself, as if it had come in by that link. */
#define LINK_TO_HOST 0x8000u

/* A backend of one service. Entry 0 is never used. */
struct backend {
	struct addr addr;
	struct nexthop hop;
	__u32 generation;	/* grows each time the entry is given away */
	__u32 service;		/* struct service, id */
	__be16 port;		/* 0: the port that the client asked for */
	__u8 state;		/* enum backend_state */
	__u8 flags;		/* enum backend_flag */
	__u16 weight;		/* in force */
	__u16 weight_defined;	/* what the definition says */
	__u8 state_defined;	/* enum backend_state, likewise */
	__u8 state_set;		/* by hand, with BACKEND_SET_STATE */
	__u8 state_health;	/* what checks say: DRAIN, DOWN; 0: nothing */
	__u8 pad;
	__u32 changed_s;	/* CLOCK_MONOTONIC, last change of state */
	__u16 mtu;		/* of IP packets on the way to it: the smaller
				 * of the two below; 0: the link's */
	__u16 route_mtu;	/* what the route says; 0: nothing */
	__u16 path_mtu;		/* learned from ICMP errors; 0: nothing is */
	__u16 pad2;
	__u32 path_mtu_s;	/* CLOCK_MONOTONIC, when it was learned */
	__u32 pad3;
};

/*
 * An interface that frames leave by, and the addresses that we have there. It
 * has more entries than one where what leaves by it has several sources. Entry
 * 0 is never used.
 */
struct link {
	__u32 ifindex;		/* the one that sends: a VLAN's parent; 0: XDP
				 * must not, tc can, by user_ifindex */
	__u16 mtu;		/* of the IP packet */
	__be16 vlan_proto;	/* ETH_P_8021Q, ETH_P_8021AD; 0: untagged */
	__be16 vlan_id;
	__u8 mac[6];
	struct addr addr4;	/* source of tunnels and of NAT; 0: unknown */
	struct addr addr6;
	__u32 user_ifindex;	/* as people name it: the VLAN's own */
	__u8 nat4, nat6;	/* index of addr4, addr6 in nat_addrs, where NAT
				 * out of here comes from; 0: any of them */
	__u8 source_of;		/* 4, 6: an entry beside the interface's own,
				 * for packets of this family from addr4 or
				 * addr6 */
	__u8 flags;		/* enum link_flag */
	__u8 pad[8];
};

enum link_flag {
	/* What came in by ifindex leaves by it through bpf_redirect(): a veth
	 * does not wake its peer for XDP_TX unless that has a program as well
	 * (veth_xdp_flush() in drivers/net/veth.c). */
	LINK_REDIRECTS = 1 << 0,
	/* Packets there have no Ethernet header (tun, WireGuard, IP in IP): the
	 * kernel knows which way they go. */
	LINK_L3 = 1 << 1,
};

struct service_bucket {
	struct service_cell cell[SERVICE_CELLS];
};

/*
 * A set of words, none of them 0: WORD_WAYS to a bucket, one cache line. A
 * word that found its bucket full is in the next one, WORD_PROBES at most, so
 * that a word is put in and taken out by one store and nothing else moves.
 */
#define WORD_WAYS 8
#define WORD_PROBES 2

struct word_bucket {
	__u64 word[WORD_WAYS];
} __attribute__((aligned(64)));

/*
 * What user/ knows of the interfaces that packets come in by, as a set of
 * words: ingress_mac_word() of each MAC address that frames to this host may
 * have there, and ingress_link_word() of each link.
 */
#define INGRESS_BUCKETS 4096

/* In place of a VLAN's number: a MAC address that is good in all of them. */
#define INGRESS_ANY_VLAN 0xffffu

/*
 * Addresses of our own: the host's, VIPs, those that NAT uses. No packet from
 * one of them comes in rightly. Two sets of the same, as most packets need but
 * a look at the first: a bit for each own_bit(), which others may share; and
 * own_word(), which says whose it is. CIDR VIPs are in prefixes alone. Fifty
 * thousand find room, but for a chance of 1 in 5 000.
 */
#define OWN_BITS_LOG2 18
#define OWN_BITS (1 << OWN_BITS_LOG2)
#define OWN_BUCKETS (1 << 15)

struct own_filter {
	__u64 bits[OWN_BITS / 64];
};

/* Bits of a byte of vip_filter: what may be at an address. */
enum vip_class {
	VIP_SERVICE = 1 << 0,	/* a service, or a VIP that rejects */
	VIP_CONNS   = 1 << 1,	/* NAT: clients' flows are in conns */
	VIP_REPLIES = 1 << 2,	/* an address of NAT: backends' are */
	VIP_NODE    = 1 << 3,	/* node ports; the rest is the host's */
	VIP_PREFIXES = 1 << 7,	/* never in the filter: vip_class() says with it
				 * that there are CIDR VIPs at all */
};

#define VIP_FILTER_LOG2 18
#define VIP_FILTER_SIZE (1 << VIP_FILTER_LOG2)

struct vip_filter {
	__u8 class[VIP_FILTER_SIZE];
};

/*
 * A bit for each port that a service has or had, or that NAT may give away or
 * might: what comes to another one of a node's is the host's. Overlays, SSH and
 * kubelet are known by one read.
 */
struct port_filter {
	__u64 bits[65536 / 64];
};

/*
 * A bit for each own_bit() of a backend's address, which others may share: no
 * answer comes from elsewhere.
 */
struct backend_filter {
	__u64 bits[OWN_BITS / 64];
};

/* What user/ alone needs of a service, by struct service's id. */
#define SERVICE_NAME_MAX 160

struct service_info {
	char name[SERVICE_NAME_MAX];	/* ends in NUL */
	__u32 changed_s;	/* CLOCK_MONOTONIC, last change of its slots */
	__u32 tracked;		/* how many of its slots are tracked */
	__u64 pad;
};

/* Which definitions are in force: index 0 of the map applied. */
struct applied {
	__u64 generation;	/* grows by one with each change put in force */
	__u8 sha256[32];	/* of the definitions */
	__s64 since_s;		/* CLOCK_REALTIME */
	__u32 hash_key[16];	/* the one that the tables are made with */
};

/* Of one backend, on one CPU. */
struct backend_stats {
	__u64 packets;
	__u64 bytes;
	__u64 connections;
};

/* Of one reason, on one CPU. */
struct counter {
	__u64 packets;
	__u64 bytes;
};

/* Of the table of connections, on one CPU. */
struct conn_stats {
	__u64 evicted;		/* half-open and closing ones that others have
				 * taken the place of, or the NAT port */
};

/* A CIDR VIP: the services of every address in it are those of base. */
struct prefix_key {
	__u32 len;		/* bits, IPv4's plus 96 */
	struct addr addr;
};

struct prefix {
	struct addr base;
	__u32 class;		/* enum vip_class */
	__u32 pad;
};

/*
 * Who may use a service: the longest prefix of its list that a client is in
 * says. A list never changes once a service names it. It has an entry of
 * SOURCE_LIST_BITS, for clients that no prefix has; number 0 is never used.
 */
struct source_key {
	__u32 len;		/* SOURCE_LIST_BITS, and the prefix's */
	__u32 list;
	struct addr addr;
};

#define SOURCE_LIST_BITS 32

enum source_flag {
	SOURCE_ALLOW  = 1 << 0,	/* else denied */
	SOURCE_OTHERS = 1 << 1,	/* of clients that no prefix has: not ::/0 */
};

/*
 * What a socket asked for, and what it got in place of that: kept with the
 * socket (BPF_MAP_TYPE_SK_STORAGE), so that it is there for as long as that.
 */
struct socket_peer {
	struct addr vip;
	struct addr addr;	/* the backend's, when it was chosen */
	__be16 vport;
	__be16 port;
	__u32 backend;		/* as struct conn's; 0: nothing was asked for */
};

/* Of a socket that names a place with each datagram: the last of them. */
#define SOCKET_FLOWS 8

struct socket_flows {
	struct socket_peer peer[SOCKET_FLOWS];
	__u32 next;		/* which is replaced, modulo SOCKET_FLOWS */
	__u32 pad;
};

/* The addresses of a pod whose sockets are served; all zero: unknown. */
struct socket_pod {
	struct addr addr4;
	struct addr addr6;
};

#define SOCKET_PODS_MAX 4096

/* Connected UDP sockets that user/ can find again, of those the last. */
#define UDP_PEERS_MAX 16384

/* Prefixes of all lists. */
#define SOURCES_MAX 65536

/* And what each list begins with; twice, as old lists outlive their change. */
#define SOURCE_ENTRIES_MAX (4 * SOURCES_MAX)

/* What user/ is to do with a frame. */
enum frame_kind {
	FRAME_EARLY,		/* a fragment: through fl_xdp again, when its
				 * first one has been here */
	FRAME_CUT,		/* IPv4: the same in pieces that fit mtu */
	FRAME_ERROR,		/* an ICMP error about a tunnel's packet: learn
				 * from it, the host has the frame itself */
	/* of a tc program: not through fl_xdp, but out of its interface, with
	 * MARK_AGAIN */
	FRAME_EARLY_TC,
	FRAME_CUT_TC,
};

/* The mark of what is put out of an interface to come in by it once more. */
#define MARK_AGAIN 0x6661696cu

struct early_fragment {
	__u32 ifindex;
	__u32 len;		/* bytes of frame that follow */
	__u32 mtu;		/* FRAME_CUT: most bytes of an IP packet */
	__u32 kind;		/* enum frame_kind */
};

#define EARLY_FRAGMENT_MAX 2048

_Static_assert(sizeof(struct flow) == 40, "pinned ABI");
_Static_assert(sizeof(struct service) == 64, "pinned ABI");
_Static_assert(sizeof(struct source_key) == 24, "pinned ABI");
_Static_assert(sizeof(struct service_cell) == 8, "pinned ABI");
_Static_assert(sizeof(struct word_bucket) == 64, "pinned ABI");
_Static_assert(sizeof(struct slot) == 8, "pinned ABI");
_Static_assert(sizeof(struct nexthop) == 8, "pinned ABI");
_Static_assert(sizeof(struct backend) == 64, "pinned ABI");
_Static_assert(sizeof(struct link) == 64, "pinned ABI");
_Static_assert(sizeof(struct service_info) == 176, "pinned ABI");
_Static_assert(sizeof(struct socket_peer) == 40, "pinned ABI");
_Static_assert(sizeof(struct socket_flows) == 328, "pinned ABI");

#endif
