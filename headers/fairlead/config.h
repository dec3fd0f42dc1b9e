/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs know from the day they are loaded: const volatile in
 * bpf/, so that the verifier prunes by it; filled by user/kernel/dp.c before
 * load. What changes while they run is in struct runtime.
 */
#ifndef FAIRLEAD_CONFIG_H
#define FAIRLEAD_CONFIG_H

#include <fairlead/types.h>

struct fairlead_config {
	__u32 hash_key[16];	/* secret; nodes that share it hash alike */
	__u64 hz_reciprocal;	/* 2^32 / jiffies per second */
	__u64 jiffies_start;	/* jiffies64 when CLOCK_MONOTONIC was 0 */
	__u32 cell_buckets;	/* power of two: buckets in service_cells */
	__u32 conn_buckets;	/* in conns, */
	__u32 reply_buckets;	/* and in replies */
};

#define NAT_ADDRS_MAX 127	/* of each family */
#define NAT_SOURCE_NONE 255	/* in place of an index: none is known yet */

/* One entry, at index 0 of the map runtime; written by user/ at any time. */
struct runtime {
	struct addr tunnel4;	/* source of tunnels; zero: the link's own */
	struct addr tunnel6;
	__u32 tunnel4_bits;	/* low ones, which the flow's hash fills */
	__u32 tunnel6_bits;	/* 32 at most */
	__u16 nat_port_first;	/* host order, both included */
	__u16 nat_port_last;
	__u16 nat_addrs4;	/* how many of nat_addrs new connections are */
	__u16 nat_addrs6;	/* spread over: see nat_pick4, nat_pick6 */
	__u16 gue_port;		/* host order */
	__u16 geneve_port;
	__u32 geneve_vni;
	__u8 has_prefixes;	/* a CIDR VIP exists: look into prefixes */
	__u8 has_local;		/* NAT to a backend on this host: translate what
				 * it answers, see fl_uplink_out */
	__u8 pods_by_interface;	/* whoever fl_pod_in sees is a pod of this node;
				 * else those in pods4 and pods6 */
	__u8 pods4_len;		/* bits of struct addr; 0: nothing tells them */
	__u8 pods6_len;
	__u8 has_node;		/* services of a node: see fl_uplink_out */
	__u8 policing;		/* enum policing: whose packets are judged */
	__u8 policy_events;	/* enum policy_events: which are told of */
	__u8 has_tunnels;	/* other nodes may send what is a pod's here in
				 * tunnels: see struct service's tunnel */
	__u8 pad[7];
	struct addr pods4;
	struct addr pods6;
	struct addr node4;	/* the node's own; zero: not known */
	struct addr node6;
	__u64 host_netns;	/* cookie of the network namespace whose sockets
				 * are the node's own; 0: they are not served */
	__u32 syn_s;		/* life of an entry that saw no answer yet */
	__u32 half_closed_s;	/* ... and after the FIN of one side, at most */
	__u32 closing_s;	/* ... and after that of both, or RST */
	__u32 fragment_s;	/* ... of a fragmented packet's ports */
	__u32 answers_per_s;	/* ICMP errors and resets that we make; 0: no */
	__u32 answers_network_per_s; /* limit. To a /24 or a /64, likewise */
	__u32 policy_epoch;	/* grows with each change of policies, classes
				 * and workloads, after it; never 0 while
				 * anybody is policed */
	__u8 nat_pick4[NAT_ADDRS_MAX + 1];	/* indexes in nat_addrs: IPv4
						 * is in [1...], IPv6 behind;
						 * over and over, so none says
						 * nothing */
	__u8 nat_pick6[NAT_ADDRS_MAX + 1];
};

#define DECAP_ADDRS_MAX 1024	/* ends of tunnels on a backend host */
#define LINKS_MAX 4096

#endif
