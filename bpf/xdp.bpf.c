// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What comes in on an uplink. fl_xdp sends strangers on their way; a packet of
 * ours goes to the program of its family (fl_xdp4, fl_xdp6), and from there to
 * others only if it is an answer's turn, an ICMP error about a NAT connection,
 * or the first packet of what is to be recorded: a NAT connection, one that is
 * tracked, a fragmented packet.
 *
 * What a packet costs (look-ups; an array read is an address computation):
 *   stranger                1 array read (vip_filter)
 *   tunnel, l2, settled     2 cache lines of the service table, slot, backend,
 *                           link: 6 array reads, nothing in conns
 *   the same, tracked       1 search of conns more (2 array reads)
 *   nat, client             vip_filter, 1 search of conns, backend, address,
 *                           link
 *   nat, backend            vip_filter, a cell of replies, its record in conns,
 *                           link
 *   nat, new                1 search, service table, slot, backend, then a
 *                           record and a cell, of a few stores each
 *   a service with sources  1 look-up in a trie of the kernel more
 *   each other program      1 jump, and 1 array read (scratch)
 * No hash map of the kernel, no FIB look-up while next hops are known, no
 * clock but jiffies.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/balance.h"
#include "lib/count.h"

/* The one way out: every packet is counted once, under its reason. */
static __always_inline int finish(struct xdp_md *ctx, const struct pkt *p,
				  __u32 why)
{
	count(p, why);
	switch (reason_verdict(why)) {
	case VERDICT_PASS:
		return XDP_PASS;
	case VERDICT_FORWARD:
	case VERDICT_REPLY:
		if (p->ifindex != ctx->ingress_ifindex)
			return bpf_redirect(p->ifindex & ~PKT_REDIRECTED, 0);
		return XDP_TX;
	default:
		return XDP_DROP;
	}
}

/* What is known of a stranger is not worth the stores to scratch. */
SEC("xdp")
int fl_xdp(struct xdp_md *ctx)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	enum reason why = classify(ctx, &f);

	return finish(ctx, &p, why);
}

/* decide: an expression of ctx and s. leave: finish(), or more than that. */
#define PROGRAM(name, leave, decide)					\
	SEC("xdp") int name(struct xdp_md *ctx)				\
	{								\
		struct scratch *s = map_only(scratch);			\
									\
		return s ? leave(ctx, &s->pkt, decide) : XDP_DROP;	\
	}

/* As FAIRLEAD_XDP_PROGRAMS has them; each is of one family if that is a
 * constant. */
#define PROGRAMS(prefix, leave)						\
	PROGRAM(prefix##xdp4, leave, balance(ctx, s, false))		\
	PROGRAM(prefix##xdp6, leave, balance(ctx, s, true))		\
	PROGRAM(prefix##xdp_answer4, leave, answer_reply(ctx, s, false)) \
	PROGRAM(prefix##xdp_answer6, leave, answer_reply(ctx, s, true))	\
	PROGRAM(prefix##xdp_icmp4, leave, nat_send_icmp(ctx, s, false))	\
	PROGRAM(prefix##xdp_icmp6, leave, nat_send_icmp(ctx, s, true))	\
	PROGRAM(prefix##xdp_error4, leave, take_tunnel_error(ctx, s, false)) \
	PROGRAM(prefix##xdp_error6, leave, take_tunnel_error(ctx, s, true)) \
	PROGRAM(prefix##xdp_open, leave, open_flow(ctx, s))		\
	PROGRAM(prefix##xdp_again, leave, send_or(ctx, s, open_again(s)))		\
	PROGRAM(prefix##xdp_send4, leave, send_opened(ctx, s, false))	\
	PROGRAM(prefix##xdp_send6, leave, send_opened(ctx, s, true))	\
	PROGRAM(prefix##xdp_fragment, leave, remember_fragment(ctx, s))

PROGRAMS(fl_, finish)

char _license[] SEC("license") = "Dual BSD/GPL";
