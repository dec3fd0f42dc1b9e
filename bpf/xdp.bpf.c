// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fl_xdp: balances what comes in on an uplink.
 *
 * What a packet costs (look-ups; an array read is an address computation):
 *   stranger                1 array read (vip_filter)
 *   tunnel, l2, settled     2 cache lines of the service table, slot, backend,
 *                           link: 6 array reads, nothing in conns
 *   the same, tracked       1 search of conns more (2 array reads)
 *   nat, either direction   vip_filter, 1 search of conns, its peer (replies)
 *                           or backend and address (client), link
 *   nat, new                1 search, service table, slot, backend, then 2
 *                           inserts, of a few stores each
 *   a service with sources  1 look-up in a trie of the kernel more
 * No hash map of the kernel, no FIB look-up while next hops are known, no
 * clock but jiffies.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/answer.h"
#include "lib/count.h"
#include "lib/egress.h"
#include "lib/encap.h"
#include "lib/fragment.h"
#include "lib/icmp.h"
#include "lib/maps.h"
#include "lib/nat.h"
#include "lib/parse.h"
#include "lib/rewrite.h"
#include "lib/service.h"

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
	return fragment_cut(ctx, &f->pkt);
}

/* Addresses, ports, hops: f becomes what n says. */
static __always_inline bool nat_rewrite(struct xdp_md *ctx, struct frame *f,
					const struct nat *n, const bool v6)
{
	if (!n->is_local)
		rewrite_hops(f, v6);
	if (!f->pkt.is_error) {
		rewrite_flow(f, &n->to, v6);
		return true;
	}
	if (!(v6 ? icmp_translate6(ctx, &f->pkt, &n->to) :
		   icmp_translate4(ctx, &f->pkt, &n->to)))
		return false;
	f->data = (void *)(long)ctx->data;
	f->end = (void *)(long)ctx->data_end;
	return true;
}

/* Translate f and send it on. */
static __always_inline enum reason nat_send(struct xdp_md *ctx,
					    struct frame *f,
					    struct scratch *s, const bool v6)
{
	const struct nat *n = &s->nat;
	struct egress *e = &s->out;
	struct pkt *p = &f->pkt;

	if (!n->is_local) {
		if (pkt_hops(f, v6) <= 1)
			return REASON_HOPS_EXCEEDED;
		egress_find(ctx, f, &n->hop, &n->to.dst, e);
		p->mtu_left = e->mtu;
		if (p->l3_len > e->mtu)
			return too_big(ctx, f, v6);
	}
	if (!nat_rewrite(ctx, f, n, v6))
		return REASON_INTERNAL;
	if (n->is_local)
		return REASON_LOCAL;
	if (!egress_push(ctx, f, e, 0, ether_type(v6)))
		return REASON_INTERNAL;
	if (!e->ifindex)
		return REASON_VIA_STACK;
	return p->is_error ? REASON_ICMP_FORWARDED :
	       n->is_reply ? REASON_RETURNED : REASON_FORWARDED;
}

/* To a new Ethernet address, nothing else. */
static __always_inline enum reason l2_send(struct xdp_md *ctx,
					   struct frame *f,
					   const struct egress *e,
					   const bool v6)
{
	f->pkt.mtu_left = e->mtu;
	if (!e->ifindex)
		return REASON_NO_NEXT_HOP;
	if (f->pkt.l3_len > e->mtu)
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
					       const bool v6)
{
	struct pkt *p = &f->pkt;
	const bool outer_v6 = !addr_is_mapped(&b->addr);
	__u32 extra = encap_len(forward) + (outer_v6 ? 40 : 20);
	struct outer o = {
		.dst = &b->addr,
		.entropy = p->hash >> 8,
		.tos = pkt_tos(f, v6),
	};
	enum reason why;

	p->mtu_left = e->mtu - extra;
	if (v6 && p->mtu_left < 1280)
		p->mtu_left = 1280;
	if (p->l3_len + extra > e->mtu)
		return too_big(ctx, f, v6);
	rewrite_hops(f, v6);
	why = outer_v6 ? encap(ctx, f, e, forward, &o, ether_type(v6), true) :
			 encap(ctx, f, e, forward, &o, ether_type(v6), false);
	return why == REASON_FORWARDED && !e->ifindex ? REASON_VIA_STACK :
							    why;
}

/* To the backend that service_pick() chose, in a mode that needs no NAT. */
static __always_inline enum reason direct_send(struct xdp_md *ctx,
					       struct frame *f,
					       const struct service *svc,
					       __u32 id, struct egress *e,
					       const bool v6)
{
	const struct backend *b = backend_find(id);
	struct pkt *p = &f->pkt;
	enum reason why;

	if (!b)
		return REASON_NO_BACKEND;
	p->backend = id;
	if (b->flags & BACKEND_LOCAL)
		return REASON_LOCAL;
	if (pkt_hops(f, v6) <= 1)
		return REASON_HOPS_EXCEEDED;
	egress_find(ctx, f, &b->hop, &b->addr, e);
	why = svc->forward == FORWARD_L2 ?
		      l2_send(ctx, f, e, v6) :
		      tunnel_send(ctx, f, e, b, svc->forward, v6);
	return why == REASON_FORWARDED && p->is_error ? REASON_ICMP_FORWARDED :
							why;
}

/* No service is at p's port. */
static __always_inline enum reason unserved(const struct pkt *p,
					    const struct service *vip)
{
	if (!vip)
		return REASON_NO_CONN;
	if (vip->flags & SERVICE_HOST)
		return REASON_HOST_PORT;
	if (p->is_error)
		return REASON_ICMP_UNRELATED;
	switch (p->flow.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return REASON_NO_SERVICE;
	default:
		return REASON_PROTOCOL;
	}
}

/* A translation for p's flow, which conns does not know, or only an ended
 * connection of it (old). */
static __always_inline enum reason nat_new(struct pkt *p,
					   const struct service *svc,
					   struct conn_ref *old,
					   __u32 ifindex)
{
	__u32 id, back;

	if (p->is_error)
		return REASON_ICMP_UNRELATED;
	id = service_choose(p, svc);
	if (!id)
		return REASON_NO_BACKEND;
	if (old->head)
		nat_drop(old->position);
	back = nat_reserve(p, id);
	if (!back)
		return REASON_NO_PORT;
	return nat_open(p, id, svc->idle_life, back,
			link_of_ingress(ifindex, p->vlan_id));
}

/* Steps 2 to 4 for a packet (or ICMP error) whose flow is known. */
static __always_inline enum reason balance_flow(struct xdp_md *ctx,
						struct frame *f, __u8 class,
						const bool v6)
{
	struct scratch *s = map_only(scratch);
	struct pkt *p = &f->pkt;
	const struct service *svc;
	struct conn_ref r = {};
	enum reason why;

	if (!s)
		return REASON_INTERNAL;
	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
	s->nat.to.proto = p->flow.proto;
	if (class & VIP_CONNS) {
		r = conn_find(&p->flow, p->hash);
		if (r.head && r.conn->flags & (CONN_NAT | CONN_REPLY) &&
		    nat_established(&r, p, &s->nat))
			return nat_send(ctx, f, s, v6);
	}
	svc = service_find(p);
	if (!svc || svc->flags & SERVICE_VIP)
		return unserved(p, svc);
	if (svc->sources && !sources_admit(p, svc->sources))
		return REASON_SOURCE;
	if (svc->forward != FORWARD_NAT)
		return direct_send(ctx, f, svc, service_pick(p, svc), &s->out,
				   v6);

	why = nat_new(p, svc, &r, ctx->ingress_ifindex);
	return why == REASON_NONE ? nat_send(ctx, f, s, v6) : why;
}

/* What the host itself may be waiting for is left to it, if it owns dst. */
__global int host_or(const struct pkt *p, int why)
{
	const struct service *vip;
	__u32 entry;

	if (!p)
		return why;
	entry = service_otherwise(p);
	vip = entry ? bpf_map_lookup_elem(&services, &entry) : NULL;
	if (!vip)
		return REASON_NO_CONN;
	return vip->flags & SERVICE_HOST ? REASON_HOST_PORT : why;
}

/* Steps 2 to 4 for a packet to an address of ours. */
static __always_inline enum reason balance_ours(struct xdp_md *ctx,
						struct frame *f, __u8 class,
						const bool v6)
{
	struct pkt *p = &f->pkt;
	enum reason why = parse_rest(f, v6);

	if (why != REASON_NONE)
		return host_or(p, why);
	if (p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	if (p->flow.proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		why = p->fragment ? REASON_UNANSWERED : icmp_flow(f, v6);
		if (why != REASON_NONE)
			return host_or(p, why);
	} else if (p->fragment == FRAGMENT_LATER && !fragment_recall(p)) {
		why = host_or(p, REASON_FRAGMENT_EARLY);
		return why == REASON_FRAGMENT_EARLY ? fragment_keep(ctx, 0) : why;
	}
	why = balance_flow(ctx, f, class, v6);
	return why == REASON_ICMP_UNRELATED ? host_or(p, why) : why;
}

/* v6 is a constant in both calls, so each gets a program of its own. */
static __always_inline enum reason balance(struct xdp_md *ctx,
					   struct frame *f, const bool v6)
{
	enum reason why = parse_dst(f, v6);
	struct pkt *p = &f->pkt;
	__u8 class;

	if (why != REASON_NONE)
		return why;
	class = vip_class(p);
	if (!class)
		return REASON_NOT_OURS;

	why = balance_ours(ctx, f, class, v6);
	if (reason_verdict(why) == VERDICT_REPLY)
		why = v6 ? answer6(ctx, p, why) : answer4(ctx, p, why);
	return why;
}

static __always_inline enum reason balance_frame(struct xdp_md *ctx,
						 struct frame *f)
{
	enum reason why;
	__be16 proto;

	why = parse_eth(f, ctx->data, ctx->data_end, &proto);
	if (why != REASON_NONE)
		return why;
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return balance(ctx, f, false);
	case bpf_htons(ETH_P_IPV6):
		return balance(ctx, f, true);
	default:
		return REASON_NOT_IP;
	}
}

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
	enum reason why = balance_frame(ctx, &f);

	return finish(ctx, &f.pkt, why);
}

char _license[] SEC("license") = "Dual BSD/GPL";
