/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one way out of tc programs. What passes untouched is not counted: it is
 * all that pods and the host say, and none of it is for us. */
#ifndef FAIRLEAD_BPF_FINISH_TC_H
#define FAIRLEAD_BPF_FINISH_TC_H

#include <linux/pkt_cls.h>

#include "count.h"
#include "scratch.h"
#include "skb.h"

/* s->pkt.ifindex: the interface that it leaves by; 0: as the stack will have
 * it, after the programs of others. */
static __always_inline int finish(const struct scratch *s, __u32 why)
{
	const enum verdict verdict = reason_verdict(why);

	if (verdict == VERDICT_PASS)
		return TCX_NEXT;
	count(&s->pkt, why);
	if (verdict == VERDICT_DROP)
		return TC_ACT_SHOT;
	if (!s->pkt.ifindex)
		return TCX_NEXT;
	if (!s->out.has_frame && !s->to_host)
		return bpf_redirect_neigh(s->pkt.ifindex, NULL, 0, 0);
	return bpf_redirect(s->pkt.ifindex, s->to_host ? BPF_F_INGRESS : 0);
}

/* The same of what may have to be judged: it goes nowhere until it has been. */
static __always_inline int finish_judged(struct scratch *s, __u32 why)
{
	const enum verdict verdict = reason_verdict(why);

	if (s->is_due && (verdict == VERDICT_PASS ||
			  verdict == VERDICT_FORWARD))
		why = REASON_INTERNAL;
	s->is_due = false;
	return finish(s, why);
}

#endif
