/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet whose backend, or translation, is known leaves in the way of its
 * service: by NAT, to another MAC address (l2), or in a tunnel. XDP only.
 */
#ifndef FAIRLEAD_BPF_SEND_H
#define FAIRLEAD_BPF_SEND_H

#include "egress.h"
#include "encap.h"
#include "fragment.h"
#include "icmp.h"
#include "rewrite.h"
#include "scratch.h"
#include "service.h"

static __always_inline __be16 ether_type(const bool v6)
{
	return v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
}

/* No more than mtu_left bytes would have fitted. */
static __always_inline enum reason too_big(struct xdp_md *ctx,
					   const struct frame *f,
					   const bool v6)
{
	const struct iphdr *ip = f->l3;

	if (v6 || ip->frag_off & bpf_htons(IP_DF))
		return REASON_TOO_BIG;
	return fragment_cut(ctx, f->pkt);
}

/* Untouched to fl_uplink_in: XDP reaches no pod, and who keeps its address goes
 * through the host's stack, as the answer does. It counts there. */
static __always_inline enum reason hand_on(struct pkt *p)
{
	p->backend = 0;
	return REASON_HANDED_ON;
}

/* The way that s->nat names. Not REASON_NONE: f cannot go it. */
static __always_inline enum reason nat_way(struct xdp_md *ctx,
					   struct frame *f, struct scratch *s,
					   const bool v6)
{
	const struct nat *n = &s->nat;
	struct egress *e = &s->out;

	if (n->is_local)
		return REASON_NONE;
	if (pkt_hops(f, v6) <= 1)
		return REASON_HOPS_EXCEEDED;
	if (!n->has_source && !n->is_reply)
		return hand_on(f->pkt);
	if (!egress_find(&n->hop, e))
		return link_is_not_xdps(n->hop.link) ? hand_on(f->pkt) :
						       REASON_NO_NEXT_HOP;
	egress_narrow(e, n->mtu, v6 ? IP6_MTU_MIN : 0);
	f->pkt->mtu_left = e->mtu;
	if (f->pkt->l3_len > e->mtu)
		return too_big(ctx, f, v6);
	rewrite_hops(f, v6);
	return REASON_NONE;
}

/* Off it goes, translated: REASON_NONE, or why it leaves in another way. */
static __always_inline enum reason nat_push(struct xdp_md *ctx,
					    struct frame *f, struct scratch *s,
					    const bool v6)
{
	if (s->nat.is_local)
		return REASON_LOCAL;
	if (!egress_push(ctx, f, &s->out, 0, ether_type(v6)))
		return REASON_INTERNAL;
	return REASON_NONE;
}

/* Give f the addresses and ports of s->nat and send it on. */
static __always_inline enum reason nat_send(struct xdp_md *ctx,
					    struct frame *f,
					    struct scratch *s, const bool v6)
{
	enum reason why = nat_way(ctx, f, s, v6);

	if (why != REASON_NONE)
		return why;
	rewrite_flow(f, &s->nat.to, v6);
	why = nat_push(ctx, f, s, v6);
	if (why != REASON_NONE)
		return why;
	return s->nat.is_reply ? REASON_RETURNED : REASON_FORWARDED;
}

/* The same for an ICMP error about a flow that becomes s->nat.to. */
static __always_inline enum reason nat_send_error(struct xdp_md *ctx,
						  struct frame *f,
						  struct scratch *s,
						  const bool v6)
{
	enum reason why = nat_way(ctx, f, s, v6);

	if (why != REASON_NONE)
		return why;
	if (!(v6 ? icmp_translate6(ctx, f->pkt, &s->nat.to) :
		   icmp_translate4(ctx, f->pkt, &s->nat.to)))
		return REASON_INTERNAL;
	f->data = (void *)(long)ctx->data;
	f->end = (void *)(long)ctx->data_end;
	why = nat_push(ctx, f, s, v6);
	return why == REASON_NONE ? REASON_ICMP_FORWARDED : why;
}

/* To a new Ethernet address, nothing else. */
static __always_inline enum reason l2_send(struct xdp_md *ctx,
					   struct frame *f,
					   struct egress *e,
					   const struct backend *b,
					   const bool v6)
{
	egress_narrow(e, b->mtu, v6 ? IP6_MTU_MIN : 0);
	f->pkt->mtu_left = e->mtu;
	if (f->pkt->l3_len > e->mtu)
		return too_big(ctx, f, v6);
	rewrite_hops(f, v6);
	return egress_push(ctx, f, e, 0, ether_type(v6)) ? REASON_FORWARDED :
							REASON_INTERNAL;
}

static __always_inline __u8 pkt_tos(const struct frame *f, const bool v6)
{
	return v6 ? bpf_ntohl(*(__be32 *)f->l3) >> 20 :
		    ((struct iphdr *)f->l3)->tos;
}

/* As it is, inside another packet. */
static __always_inline enum reason tunnel_send(struct xdp_md *ctx,
					       struct frame *f,
					       struct egress *e,
					       const struct backend *b,
					       enum forward forward,
					       enum service_kind kind,
					       const bool v6)
{
	struct pkt *p = f->pkt;
	const bool outer_v6 = !addr_is_mapped(&b->addr);
	__u32 extra = encap_len(forward) + (outer_v6 ? 40 : 20);
	struct outer o = {
		.dst = &b->addr,
		.entropy = p->hash >> 8,
		.tos = pkt_tos(f, v6),
		.src = &p->flow.dst,
		.has_src = kind == KIND_NODE_PORT,
	};

	egress_narrow(e, b->mtu, v6 ? IP6_MTU_MIN + extra : 0);
	p->mtu_left = e->mtu - extra;
	if (v6 && p->mtu_left < IP6_MTU_MIN)
		p->mtu_left = IP6_MTU_MIN;
	if (p->l3_len + extra > e->mtu)
		return too_big(ctx, f, v6);
	rewrite_hops(f, v6);
	return outer_v6 ?
		       encap(ctx, f, e, forward, &o, ether_type(v6), true) :
		       encap(ctx, f, e, forward, &o, ether_type(v6), false);
}

/* To the backend that service_pick() chose, in a mode that needs no NAT. A
 * node's endpoints that XDP does not reach are the tc program's. */
static __always_inline enum reason direct_send(struct xdp_md *ctx,
					       struct frame *f,
					       enum forward forward,
					       enum service_kind kind,
					       __u32 id, struct egress *e,
					       const bool v6)
{
	const struct backend *b = backend_find(id);
	struct pkt *p = f->pkt;
	enum reason why;

	if (!b)
		return REASON_NO_BACKEND;
	p->backend = id;
	if (b->flags & BACKEND_LOCAL)
		return kind == KIND_EDGE ? REASON_LOCAL : hand_on(p);
	if (pkt_hops(f, v6) <= 1)
		return REASON_HOPS_EXCEEDED;
	if (!egress_find(&b->hop, e))
		return kind != KIND_EDGE && link_is_not_xdps(b->hop.link) ?
			       hand_on(p) : REASON_NO_NEXT_HOP;
	why = forward == FORWARD_L2 ?
		      l2_send(ctx, f, e, b, v6) :
		      tunnel_send(ctx, f, e, b, forward, kind, v6);
	if (why != REASON_FORWARDED)
		return why;
	return p->is_error ? REASON_ICMP_FORWARDED :
	       p->unrecorded ? REASON_UNRECORDED : REASON_FORWARDED;
}

#endif
