/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one way out of XDP programs. */
#ifndef FAIRLEAD_BPF_FINISH_XDP_H
#define FAIRLEAD_BPF_FINISH_XDP_H

#include "count.h"

/* Every packet is counted once, under its reason. */
static __always_inline int finish_xdp(struct xdp_md *ctx,
				      const struct pkt *p, __u32 why)
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

#endif
