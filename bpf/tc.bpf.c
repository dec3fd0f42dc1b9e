// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What becomes of a packet that fl_pod_in, fl_uplink_in or fl_uplink_out found
 * to be for a service, or an answer to what we sent in our own name: a program
 * each for what a packet needs of it, see node.h.
 *
 * What a packet costs, beside its first program (uplink.bpf.c): arrays that it
 * reads, those behind an arrow when the one before has come, each a cache miss
 * where there are many connections and backends. Besides, each program reads
 * scratch, which is the CPU's own.
 *   known, client	conns (heads and record at once) -> backends, nat_addrs
 *   known, answer	replies -> conns; nothing of the backend
 *   new		2 buckets of conns; cells -> services -> slots ->
 *			backends; own_filter, nat_addrs; then a record and a
 *			cell, of a few stores each
 *   no service's	2 buckets of conns, up to 5 of cells, each -> services;
 *			own_filter
 *   with sources	and 1 look-up in a trie of the kernel
 *   past the stack	and links
 * And 1 jump if it is known, 2 if it is new. Who counts reads counters, and
 * backend_stats, which nothing waits for.
 * Helpers, of what is translated: for IPv4 6, for IPv6 4, which checksums left
 * to the device and shared bytes ask for; past the stack 2 more, and for the
 * hop limit of what is neither the host's own nor for it 3 and 2. No hash map
 * of the kernel, no FIB look-up, no clock but jiffies.
 *
 * Of a workload that is policed, besides: workload_cells -> workloads, and
 *   known		2 buckets of conns at most: heads and record at once; 2
 *			jumps. An address of ours that it comes from: 2 more of
 *			replies, or conns, and 1 jump
 *   new		and 1 jump; peers (hash; of no workload: and a trie),
 *			targets, peer_masks, port_masks (a hash each),
 *			port_classes, policy_hits (hash); then a record
 *   not isolated	nothing; 1 jump
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/finish_tc.h"
#include "lib/node.h"
#include "lib/police.h"

/* decide: an expression of skb and s. */
#define PROGRAM(name, decide)						\
	SEC("tc") int fl_##name(struct __sk_buff *skb)			\
	{								\
		struct scratch *s = map_only(scratch);			\
									\
		return s ? finish_judged(s, decide) : TC_ACT_SHOT;	\
	}

/* As FAIRLEAD_TC_PROGRAMS has them. */
PROGRAM(tc4, police_rest(skb, s, node_balance(skb, s, false)))
PROGRAM(tc6, police_rest(skb, s, node_balance(skb, s, true)))
PROGRAM(tc_return4, node_return(skb, s, false))
PROGRAM(tc_return6, node_return(skb, s, true))
PROGRAM(tc_open, police_rest(skb, s, node_open_or_ask(skb, s)))
PROGRAM(tc_again, police_rest(skb, s, node_again(skb, s)))
PROGRAM(tc_anew, police_rest(skb, s, node_anew(skb, s)))
PROGRAM(tc_send4, node_send(skb, s, false))
PROGRAM(tc_send6, node_send(skb, s, true))
PROGRAM(tc_decap4, node_decap(skb, s, false))
PROGRAM(tc_decap6, node_decap(skb, s, true))
PROGRAM(tc_icmp4, node_send_icmp(skb, s, false))
PROGRAM(tc_icmp6, node_send_icmp(skb, s, true))
PROGRAM(tc_answer4, node_answer(skb, s, false))
PROGRAM(tc_answer6, node_answer(skb, s, true))
PROGRAM(tc_police_in, police_from(skb, s))
PROGRAM(tc_police_out, police_to(skb, s))
PROGRAM(tc_police4, police_packet(skb, s, false))
PROGRAM(tc_police6, police_packet(skb, s, true))
PROGRAM(tc_police_nat, police_nat(skb, s))
PROGRAM(tc_police_flow, police_flow(skb, s))
PROGRAM(tc_judge, police_judge(skb, s))

char _license[] SEC("license") = "Dual BSD/GPL";
