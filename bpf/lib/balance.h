/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the XDP programs do, a function each: classify() tells strangers from
 * packets of ours, balance() decides where one of ours goes and sends it, and
 * what few packets need has programs of its own: answer_reply(), open_flow(),
 * send_opened(), nat_send_icmp() and so on. Each returns why the packet leaves;
 * from one to the next it is go_on(), see go_on.h.
 */
#ifndef FAIRLEAD_BPF_BALANCE_H
#define FAIRLEAD_BPF_BALANCE_H

#include "answer.h"
#include "filters.h"
#include "go_on.h"
#include "ingress.h"
#include "nat.h"
#include "own.h"
#include "send.h"
#include "tunnel_error.h"

/* What nobody wants may be an error about a tunnel's packet. */
static __always_inline bool may_be_tunnel_error(struct xdp_md *ctx,
						const struct frame *f,
						const bool v6)
{
	return is_size_error(f, v6) && ingress_is_ours(ctx->ingress_ifindex, f);
}

/* why: what it is counted as if not. */
static __always_inline enum reason or_tunnel_error(struct xdp_md *ctx,
						   struct scratch *s,
						   enum reason why,
						   const bool v6)
{
	s->why = why;
	return v6 ? go_on(ctx, XDP_PROGRAM_xdp_error6) :
		    go_on(ctx, XDP_PROGRAM_xdp_error4);
}

/* Is it for an address of ours, in which case another program has it? */
static __always_inline enum reason classify_dst(struct xdp_md *ctx,
						struct frame *f,
						const bool v6)
{
	enum reason why = parse_dst(f, v6);
	struct scratch *s;
	__u8 class;

	if (why != REASON_NONE)
		return why;
	class = vip_class(&f->pkt->lookup);
	if (!class && !may_be_tunnel_error(ctx, f, v6))
		return REASON_NOT_OURS;
	if (class && filter_is_hosts(f, class, v6))
		return class & VIP_NODE ? REASON_HOST_PORT : REASON_NO_CONN;
	if (class && !ingress_is_ours(ctx->ingress_ifindex, f))
		return REASON_OTHER_MAC;
	s = map_only(scratch);
	if (!s)
		return REASON_INTERNAL;
	s->class = class;
	s->is_remembered = false;
	pkt_keep(&s->pkt, f->pkt);
	if (!class)
		return or_tunnel_error(ctx, s, REASON_NOT_OURS, v6);
	return v6 ? go_on(ctx, XDP_PROGRAM_xdp6) : go_on(ctx, XDP_PROGRAM_xdp4);
}

/* The first program that a frame comes to. */
static __always_inline enum reason classify(struct xdp_md *ctx,
					    struct frame *f)
{
	enum reason why;
	__be16 proto;

	why = parse_eth(f, ctx->data, ctx->data_end, &proto);
	if (why != REASON_NONE)
		return why;
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return classify_dst(ctx, f, false);
	case bpf_htons(ETH_P_IPV6):
		return classify_dst(ctx, f, true);
	default:
		return REASON_NOT_IP;
	}
}

/* No service is at p's port. */
static __always_inline enum reason unserved(const struct scratch *s,
					    const struct service *vip)
{
	const struct pkt *p = &s->pkt;

	if (!vip)
		return REASON_NO_CONN;
	if (vip->flags & SERVICE_HOST)
		return REASON_HOST_PORT;
	if (p->is_error)
		return REASON_ICMP_UNRELATED;
	if (is_from_own(s))
		return REASON_OWN_SOURCE;
	switch (p->flow.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return REASON_NO_SERVICE;
	default:
		return REASON_PROTOCOL;
	}
}

/* A packet, or an error about one, of a NAT connection. */
static __always_inline enum reason balance_known(struct xdp_md *ctx,
						 struct frame *f,
						 struct scratch *s,
						 const bool v6)
{
	if (!f->pkt->is_error)
		return frame_again_l4(f, ctx->data, ctx->data_end, f->pkt, v6) ?
			       nat_send(ctx, f, s, v6) : REASON_INTERNAL;
	return v6 ? go_on(ctx, XDP_PROGRAM_xdp_icmp6) :
		    go_on(ctx, XDP_PROGRAM_xdp_icmp4);
}

/* Is it of what goes to another node in a tunnel? Then s says so. */
static __always_inline bool balance_tunnelled(struct scratch *s)
{
	__u32 known;

	if (!s->old.position)
		return false;
	known = tunnel_of_known(&s->pkt.lookup, s, true);
	s->pkt.backend = known & (CONN_BACKENDS_MAX - 1);
	known >>= CONN_BACKEND_BITS;
	s->forward = known & ~CONN_TUNNEL_DIALLED;
	s->kind = known & CONN_TUNNEL_DIALLED ? KIND_NODE_PORT : KIND_LB_VIP;
	return known;
}

/* Steps 2 to 4 for a packet (or ICMP error) whose flow is known. */
static __always_inline enum reason balance_flow(struct xdp_md *ctx,
						struct frame *f,
						struct scratch *s,
						const bool v6)
{
	struct pkt *p = f->pkt;
	const struct service *svc;
	struct conn_ref r = {};
	__u64 src_sum;
	__u32 id;

	src_sum = hash_src(hash_key, &p->flow.src);
	p->hash = flow_hash_of(hash_key, p->dst_sum, src_sum, &p->flow);
	s->nat.to.proto = p->flow.proto;
	s->nat.is_again = false;
	s->old.position = 0;
	if ((s->class & VIP_REPLIES && nat_of_reply(p, &s->nat)) ||
	    (s->class & VIP_CONNS && nat_of_client(p, s)))
		return s->nat.is_again ? go_on(ctx, XDP_PROGRAM_xdp_again) :
					 balance_known(ctx, f, s, v6);
	if (balance_tunnelled(s))
		return v6 ? go_on(ctx, XDP_PROGRAM_xdp_send6) :
			    go_on(ctx, XDP_PROGRAM_xdp_send4);
	svc = service_find(&p->lookup);
	if (!svc || svc->flags & SERVICE_VIP)
		return unserved(s, svc);
	if (is_own(&p->flow.src, src_sum, s->class))
		return REASON_OWN_SOURCE;
	if (svc->sources && !sources_admit(&p->lookup, svc->sources))
		return REASON_SOURCE;
	if (svc->forward == FORWARD_NAT && p->is_error)
		return REASON_ICMP_UNRELATED;
	if (svc->forward != FORWARD_NAT) {
		id = service_pick(&p->lookup, svc, &r);
		if (id != SERVICE_ADMIT)
			return direct_send(ctx, f, svc->forward, KIND_EDGE, id,
					   &s->out, v6);
		s->old.position = r.head && !p->is_error ? r.position : 0;
		s->old.word = r.word;
	}
	return go_on(ctx, XDP_PROGRAM_xdp_open);
}

/* What the host itself may be waiting for is left to it, if it owns dst. */
__global int host_or(const struct pkt *p, int why)
{
	const struct service *vip;
	__u32 entry;

	if (!p)
		return why;
	entry = service_otherwise(&p->lookup);
	vip = entry ? bpf_map_lookup_elem(&services, &entry) : NULL;
	if (!vip)
		return REASON_NO_CONN;
	return vip->flags & SERVICE_HOST ? REASON_HOST_PORT : why;
}

/* Steps 2 to 4 for a packet to an address of ours. */
static __always_inline enum reason balance_ours(struct xdp_md *ctx,
						struct frame *f,
						struct scratch *s,
						const bool v6)
{
	const __u8 icmp = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const struct bytes in = { ctx, HOOK_XDP };
	struct pkt *p = f->pkt;
	enum reason why = parse_rest(&in, f, v6);

	if (why != REASON_NONE)
		return host_or(p, why);
	if (p->fragment == FRAGMENT_FIRST && !s->is_remembered)
		return go_on(ctx, XDP_PROGRAM_xdp_fragment);
	if (p->fragment == FRAGMENT_LATER && (v6 || p->flow.proto != icmp) &&
	    !fragment_recall(p)) {
		why = host_or(p, REASON_FRAGMENT_EARLY);
		return why == REASON_FRAGMENT_EARLY ?
			       fragment_keep(ctx, 0, FRAME_EARLY) : why;
	}
	if (p->flow.proto == icmp) {
		why = p->fragment ? REASON_UNANSWERED : icmp_flow(&in, f, v6);
		if (why == REASON_ECHO && is_from_own(s))
			why = REASON_OWN_SOURCE;
		if (why != REASON_NONE)
			return host_or(p, why);
	}
	/* Verifier: each way to here had its own, and would be followed to the
	 * end; who needs it finds it again */
	f->l4 = NULL;
	why = balance_flow(ctx, f, s, v6);
	return why == REASON_ICMP_UNRELATED ? host_or(p, why) : why;
}

/* To an address of ours, but of nothing that is there? */
static __always_inline bool is_unknown(enum reason why)
{
	return why == REASON_NO_CONN || why == REASON_HOST_PORT ||
	       why == REASON_ICMP_UNRELATED;
}

/* The answer is another program's to make, if why asks for one. */
static __always_inline enum reason or_answer(struct xdp_md *ctx,
					     struct scratch *s,
					     enum reason why, const bool v6)
{
	if (reason_verdict(why) != VERDICT_REPLY)
		return why;
	s->why = why;
	return v6 ? go_on(ctx, XDP_PROGRAM_xdp_answer6) :
		    go_on(ctx, XDP_PROGRAM_xdp_answer4);
}

/* A packet to an address of ours, after classify(). */
static __always_inline enum reason balance(struct xdp_md *ctx,
					   struct scratch *s, const bool v6)
{
	struct frame f = {};
	enum reason why;

	if (!frame_again(&f, ctx->data, ctx->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	why = balance_ours(ctx, &f, s, v6);
	if (why == REASON_FORWARDED)	/* most: nothing else is asked */
		return why;
	if (!is_unknown(why))
		return or_answer(ctx, s, why, v6);
	ask_older(ctx);
	return may_be_tunnel_error(ctx, &f, v6) ?
		       or_tunnel_error(ctx, s, why, v6) : why;
}

/* Out of the interface ifindex, as pkt.ifindex. */
static __always_inline __u32 way_back(__u32 ifindex)
{
	__u32 idx = link_of_ingress(ifindex, 0);
	const struct link *link = bpf_map_lookup_elem(&links, &idx);

	return idx && link && link->ifindex == ifindex ?
		       egress_ifindex(link) : ifindex;
}

/* The answer that s->why stands for. */
static __always_inline enum reason answer_reply(struct xdp_md *ctx,
						struct scratch *s,
						const bool v6)
{
	s->pkt.ifindex = way_back(ctx->ingress_ifindex);
	return v6 ? answer6(ctx, &s->pkt, s->why) :
		    answer4(ctx, &s->pkt, s->why);
}

/* An ICMP error that is counted as s->why, if it is not about a tunnel. */
static __always_inline enum reason take_tunnel_error(struct xdp_md *ctx,
						     struct scratch *s,
						     const bool v6)
{
	return tunnel_error(ctx, &s->pkt, s->why, v6);
}

/* An ICMP error about the NAT connection in s->nat. */
static __always_inline enum reason nat_send_icmp(struct xdp_md *ctx,
						 struct scratch *s,
						 const bool v6)
{
	struct frame f = {};

	if (!frame_again_l4(&f, ctx->data, ctx->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	return or_answer(ctx, s, nat_send_error(ctx, &f, s, v6), v6);
}

/* Replies leave by the interface and VLAN that p came in by. 0: they cannot. A
 * link has one tag at most. */
static __always_inline __u32 link_to_client(const struct pkt *p, __u32 ifindex)
{
	if (p->l2_len > ETH_HLEN + sizeof(struct vlan_tag))
		return 0;
	return link_of_ingress(ifindex, p->vlan_id);
}

/* Where does the flow of s->pkt go, which conns does not know? */
static __always_inline enum reason open_for(struct xdp_md *ctx,
					    struct scratch *s)
{
	struct pkt *p = &s->pkt;
	const struct service *svc = service_find(&p->lookup);
	const struct runtime *rt = map_only(runtime);

	if (!svc)	/* it was there a moment ago */
		return REASON_NO_CONN;
	if (!rt)
		return REASON_INTERNAL;
	/* of a node's, decide() knows whether it is to be dropped instead */
	if (!svc->slot_count && !svc->local_count &&
	    !(svc->flags & SERVICE_EMPTY_DROPS))
		return REASON_NO_BACKEND;
	s->forward = svc->tunnel ? svc->tunnel : svc->forward;
	s->kind = svc->kind;
	if (s->forward == FORWARD_NAT) {
		p->from.link = link_to_client(p, ctx->ingress_ifindex);
		return nat_open(p, svc, decide_origin(rt, ORIGIN_ELSEWHERE,
						      &p->flow.src));
	}
	p->backend = service_admit(&p->lookup, svc);
	return p->backend ? REASON_NONE : REASON_NO_BACKEND;
}

/* A client that begins anew where its last connection ended: it has its
 * translation, but it may not be admitted any more. Then all stays as it was:
 * the end, or the packet, may be forged. */
static __always_inline enum reason open_again(struct scratch *s)
{
	const struct lookup *look = &s->pkt.lookup;
	const struct service *svc = service_find(look);

	s->forward = FORWARD_NAT;
	if (!svc || svc->flags & SERVICE_VIP)	/* it outlived its service */
		return unserved(s, svc);
	if (svc->sources && !sources_admit(look, svc->sources))
		return REASON_SOURCE;
	nat_begin_anew(s);
	return REASON_NONE;
}

/* On to who sends the packet, unless why says why not. Reads nothing of it, so
 * that one program does for both families. */
static __always_inline enum reason send_or(struct xdp_md *ctx,
					   struct scratch *s, enum reason why)
{
	const bool is_v6 = !addr_is_mapped(&s->pkt.flow.dst);

	if (why != REASON_NONE)
		return is_v6 ? or_answer(ctx, s, why, true) :
			       or_answer(ctx, s, why, false);
	return is_v6 ? go_on(ctx, XDP_PROGRAM_xdp_send6) :
		       go_on(ctx, XDP_PROGRAM_xdp_send4);
}

static __always_inline enum reason open_flow(struct xdp_md *ctx,
					     struct scratch *s)
{
	return send_or(ctx, s, open_for(ctx, s));
}

/* As open_flow(), but for what the proxy before us began. */
static __always_inline enum reason open_or_ask(struct xdp_md *ctx,
					       struct scratch *s)
{
	ask_takeover(ctx, &s->pkt);
	return open_flow(ctx, s);
}

/* The packet goes where open_flow() said. */
static __always_inline enum reason send_opened(struct xdp_md *ctx,
					       struct scratch *s,
					       const bool v6)
{
	struct frame f = {};
	enum reason why;

	if (!frame_again_l4(&f, ctx->data, ctx->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	why = s->forward == FORWARD_NAT ?
		      nat_send(ctx, &f, s, v6) :
		      direct_send(ctx, &f, s->forward, s->kind, s->pkt.backend,
				  &s->out, v6);
	return or_answer(ctx, s, why, v6);
}

/* A first fragment's ports, and back to who balances it. */
static __always_inline enum reason remember_fragment(struct xdp_md *ctx,
						     struct scratch *s)
{
	fragment_remember(&s->pkt);
	s->is_remembered = true;
	return addr_is_mapped(&s->pkt.flow.dst) ?
		       go_on(ctx, XDP_PROGRAM_xdp4) :
		       go_on(ctx, XDP_PROGRAM_xdp6);
}

#endif
