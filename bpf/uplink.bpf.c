// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fl_uplink_out: a backend on the balancer itself answers through the stack,
 * which knows nothing of the service. On the way out its packets, and ICMP
 * errors about those that it got, become the service's. All else passes
 * untouched and is not counted.
 *
 * What a packet costs
 *   no such backend         1 array read (runtime)
 *   the host's own          1 search of replies (2 array reads)
 *   of a backend here       its record in conns
 *
 * Nothing is pulled: the stack keeps the headers of what it makes in one
 * piece, and what others made is nobody's answer here.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "lib/count.h"
#include "lib/fragment.h"
#include "lib/icmp.h"
#include "lib/maps.h"
#include "lib/nat.h"
#include "lib/parse.h"
#include "lib/rewrite_skb.h"

#define TCX_NEXT (-1)	/* clsact: TC_ACT_UNSPEC, the next filter */

__global int icmp_translate4_out(struct __sk_buff *skb, const struct pkt *p,
				 const struct flow *to)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, false);
}

__global int icmp_translate6_out(struct __sk_buff *skb, const struct pkt *p,
				 const struct flow *to)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, true);
}

/* A packet that the device is to cut in pieces may be too long for its own
 * length field, and part of it is out of direct reach: skb->len counts. */
static __always_inline enum reason out_parse(struct __sk_buff *skb,
					     struct frame *f, const bool v6)
{
	const struct bytes in = { skb, HOOK_TC };
	enum reason why = parse_dst(f, v6);
	__u32 len = skb->len;

	if (why == REASON_NONE)
		why = v6 ? parse_ip6(&in, f) : parse_ip4(f);
	if (why != REASON_NONE)
		return why;
	if (v6 && f->pkt->wrong_at)
		return REASON_ROUTED;
	f->pkt->frame_len = len > 0xffff ? 0xffff : len;
	f->pkt->l3_len = f->pkt->frame_len - f->pkt->l2_len;
	why = parse_l4(&in, f, v6);
	if (why != REASON_NONE ||
	    f->pkt->flow.proto != (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return why;
	return f->pkt->fragment ? REASON_NOT_OURS : icmp_flow(&in, f, v6);
}

/* Is it a reply to what fl_xdp gave to a backend here? Then scratch says
 * what it becomes. */
__global int out_find(struct pkt *p)
{
	struct scratch *s = map_only(scratch);

	if (!p || !s)
		return false;
	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
	s->nat.to.proto = p->flow.proto;
	return nat_of_reply(p, &s->nat) &&
	       addr_eq(&s->nat.to.dst, &p->flow.dst);
}

static __always_inline enum reason out_translate(struct __sk_buff *skb,
						 struct frame *f,
						 struct scratch *s,
						 const bool v6)
{
	const struct flow *to = &s->nat.to;
	struct pkt *p = f->pkt;

	if (out_parse(skb, f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	p->dst_sum = hash_dst(hash_key, &p->flow.dst);
	if ((p->fragment == FRAGMENT_LATER && !fragment_recall(p)) ||
	    !out_find(p))
		return REASON_NOT_OURS;
	if (p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	if (!p->is_error)
		return skb_rewrite_flow(skb, f, to, v6) ? REASON_RETURNED :
							  REASON_INTERNAL;
	return (v6 ? icmp_translate6_out(skb, p, to) :
		     icmp_translate4_out(skb, p, to)) ? REASON_ICMP_FORWARDED :
							REASON_INTERNAL;
}

static __always_inline enum reason out_frame(struct __sk_buff *skb,
					     struct frame *f,
					     struct scratch *s)
{
	__be16 proto;

	if (parse_eth(f, skb->data, skb->data_end, &proto) != REASON_NONE)
		return REASON_NOT_OURS;
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return out_translate(skb, f, s, false);
	case bpf_htons(ETH_P_IPV6):
		return out_translate(skb, f, s, true);
	default:
		return REASON_NOT_OURS;
	}
}

static __always_inline int finish(const struct pkt *p, __u32 why)
{
	if (why == REASON_NOT_OURS)
		return TCX_NEXT;
	count(p, why);
	return reason_verdict(why) == VERDICT_FORWARD ? TCX_NEXT : TC_ACT_SHOT;
}

SEC("tc")
int fl_uplink_out(struct __sk_buff *skb)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);
	struct frame f = {};

	if (!rt || !rt->has_local || !s)
		return TCX_NEXT;
	s->pkt = (struct pkt){};
	f.pkt = &s->pkt;
	return finish(&s->pkt, out_frame(skb, &f, s));
}

char _license[] SEC("license") = "Dual BSD/GPL";
