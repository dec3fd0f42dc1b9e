// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What becomes of a packet that fl_pod_in, fl_uplink_in or fl_uplink_out found
 * to be for a service, or an answer to what we sent in our own name: a program
 * each for what a packet needs of it, see node.h.
 *
 * What a packet costs, beside the programs that it passes
 *   known			1 search of conns (2 array reads), backend; past the
 *				stack: its link
 *   new			service table, slot, backend, a record and a cell
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/finish_tc.h"
#include "lib/node.h"

/* decide: an expression of skb and s. */
#define PROGRAM(name, decide)						\
	SEC("tc") int fl_##name(struct __sk_buff *skb)			\
	{								\
		struct scratch *s = map_only(scratch);			\
									\
		return s ? finish(s, decide) : TC_ACT_SHOT;		\
	}

/* As FAIRLEAD_TC_PROGRAMS has them. */
PROGRAM(tc4, node_balance(skb, s, false))
PROGRAM(tc6, node_balance(skb, s, true))
PROGRAM(tc_return4, node_return(skb, s, false))
PROGRAM(tc_return6, node_return(skb, s, true))
PROGRAM(tc_open, node_open(skb, s))
PROGRAM(tc_again, node_again(skb, s))
PROGRAM(tc_anew, node_anew(skb, s))
PROGRAM(tc_send4, node_send(skb, s, false))
PROGRAM(tc_send6, node_send(skb, s, true))
PROGRAM(tc_icmp4, node_send_icmp(skb, s, false))
PROGRAM(tc_icmp6, node_send_icmp(skb, s, true))
PROGRAM(tc_answer4, node_answer(skb, s, false))
PROGRAM(tc_answer6, node_answer(skb, s, true))

char _license[] SEC("license") = "Dual BSD/GPL";
