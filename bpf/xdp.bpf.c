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
		if (p->ifindex != ctx->ingress_ifindex)
			return bpf_redirect(p->ifindex, 0);
		return XDP_TX;
	case VERDICT_REPLY:
		return XDP_TX;
	default:
		return XDP_DROP;
	}
}

SEC("xdp")
int fl_xdp(struct xdp_md *ctx)
{
	struct frame f = {};
	enum reason why = classify(ctx, &f);

	return finish(ctx, &f.pkt, why);
}

/* v6 is a constant in both, so each is a program of one family. */
#define BOTH_FAMILIES(name, stage)					\
	SEC("xdp") int fl_##name##4(struct xdp_md *ctx)			\
	{								\
		struct frame f = {};					\
		enum reason why = stage(ctx, &f, false);		\
									\
		return finish(ctx, &f.pkt, why);			\
	}								\
	SEC("xdp") int fl_##name##6(struct xdp_md *ctx)			\
	{								\
		struct frame f = {};					\
		enum reason why = stage(ctx, &f, true);			\
									\
		return finish(ctx, &f.pkt, why);			\
	}

BOTH_FAMILIES(xdp, balance)
BOTH_FAMILIES(xdp_answer, answer_reply)
BOTH_FAMILIES(xdp_icmp, nat_send_icmp)
BOTH_FAMILIES(xdp_error, take_tunnel_error)
BOTH_FAMILIES(xdp_send, send_opened)

SEC("xdp")
int fl_xdp_open(struct xdp_md *ctx)
{
	struct pkt p = {};
	enum reason why = open_flow(ctx, &p);

	return finish(ctx, &p, why);
}

SEC("xdp")
int fl_xdp_fragment(struct xdp_md *ctx)
{
	struct pkt p = {};

	return finish(ctx, &p, remember_fragment(ctx));
}

char _license[] SEC("license") = "Dual BSD/GPL";
