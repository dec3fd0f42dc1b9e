/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tc programs of a node do. A packet for a service is translated at
 * the first hook that it meets, and one that answers it translated back at the
 * last one, so that routing, rp_filter and the rules of others see addresses
 * that belong where they come from:
 *
 *	client keeps its address	through the host's stack, both ways: to
 *					the backend's address from the first
 *					hook on, and back from it in
 *					node_return()
 *	one of ours in its place	past the stack, both ways: whoever gets
 *					a packet from itself takes it for a
 *					martian. It leaves where the way is
 *					known to lead
 *
 * Each of these returns why the packet leaves; as in balance.h, from one
 * program to the next it is go_on_tc().
 */
#ifndef FAIRLEAD_BPF_NODE_H
#define FAIRLEAD_BPF_NODE_H

#include <linux/if_packet.h>

#include "answer.h"
#include "balance.h"
#include "fragment.h"
#include "go_on.h"
#include "nat.h"
#include "rewrite_skb.h"
#include "skb.h"
#include "tunnel.h"

#define LOOPBACK_IFINDEX 1	/* in every network namespace */

/* Where replies to the sender of p leave: into the pod, by the uplink or, if
 * the host itself sends, to it. */
static __always_inline void node_from(struct __sk_buff *skb, struct pkt *p,
				      enum origin origin)
{
	__u32 vlan = p->vlan_id;
	__u32 link;

	if (skb->vlan_present)
		vlan = bpf_htons(skb->vlan_tci);
	link = skb_tags(skb, p) < 2 ? link_of_ingress(skb->ifindex, vlan) : 0;
	p->from.link = link;
	if (link && origin == ORIGIN_NODE)
		p->from.link = link | LINK_TO_HOST;
}

/*
 * Is the frame for this host? The kernel knows an interface's own address; that
 * of a macvlan or a virtual router is in ingress. A pod's interface may be a
 * bridge's port, and the bridge have any address, but for a group's.
 */
static __always_inline bool node_is_addressed(struct __sk_buff *skb,
					      const struct frame *f,
					      enum origin origin)
{
	if (skb->pkt_type == PACKET_HOST || origin == ORIGIN_NODE ||
	    !f->pkt->l2_len)
		return true;
	if (origin == ORIGIN_POD)
		return skb->pkt_type == PACKET_OTHERHOST;
	return ingress_is_ours(skb->ifindex, f);
}

/* Might it be a tunnel of another node's, to one of our endpoints? f is as
 * parse_dst() left it. The port of a tunnel over UDP is looked at later. */
static __always_inline bool node_may_be_tunnel(const struct frame *f,
					       const bool v6)
{
	const struct backend_filter *filter = map_only(backend_filter);
	const struct runtime *rt = map_only(runtime);
	__u8 proto = first_proto(f, v6);
	__u32 bit;

	if (!rt || !rt->has_tunnels || !filter ||
	    f->pkt->l2_len != ETH_HLEN)
		return false;
	if (proto != IPPROTO_UDP && proto != IPPROTO_GRE &&
	    proto != (v6 ? IPPROTO_IPV6 : IPPROTO_IPIP))
		return false;
	bit = own_bit(hash_src(hash_key, &f->pkt->flow.dst));
	return filter->bits[bit / 64] >> (bit & 63) & 1;
}

/* As node_classify(), of what is in no tunnel. */
static __always_inline enum reason node_classify_bare(struct __sk_buff *skb,
						      struct frame *f,
						      enum origin origin,
						      const bool v6)
{
	struct scratch *s;
	__u8 class = vip_class(&f->pkt->lookup);

	if (!class || filter_is_hosts(f, class, v6))
		return REASON_NOT_OURS;
	if (!node_is_addressed(skb, f, origin))
		return REASON_OTHER_MAC;
	s = map_only(scratch);
	if (!s)
		return REASON_INTERNAL;
	s->class = class;
	s->origin = origin;
	s->is_leaving = false;
	pkt_keep(&s->pkt, f->pkt);
	node_from(skb, &s->pkt, origin);
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc6) :
		    go_on_tc(skb, TC_PROGRAM_tc4);
}

static __always_inline enum reason node_classify_dst(struct __sk_buff *skb,
						     struct frame *f,
						     enum origin origin,
						     const bool v6)
{
	if (parse_dst(f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	if (origin == ORIGIN_ELSEWHERE && node_may_be_tunnel(f, v6))
		return v6 ? go_on_tc(skb, TC_PROGRAM_tc_decap6) :
			    go_on_tc(skb, TC_PROGRAM_tc_decap4);
	return node_classify_bare(skb, f, origin, v6);
}

/* The first program of what leaves for a pod, or by an uplink; ORIGIN_NODE: and
 * is the host's own, so that it may be a client's. */
static __always_inline enum reason node_leave_dst(struct __sk_buff *skb,
						  struct frame *f,
						  enum origin origin,
						  const bool v6)
{
	struct scratch *s = map_only(scratch);

	if (!s || parse_dst(f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	if (origin == ORIGIN_NODE && addr_is_loopback(&f->pkt->flow.dst))
		return REASON_NOT_OURS;
	s->class = origin == ORIGIN_NODE ? vip_class(&f->pkt->lookup) : 0;
	if (!s->class && filter_is_no_answer(f, v6))
		return REASON_NOT_OURS;
	s->origin = origin;
	s->is_leaving = true;
	pkt_keep(&s->pkt, f->pkt);
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc_return6) :
		    go_on_tc(skb, TC_PROGRAM_tc_return4);
}

/* The first program of a packet that leaves, or that may be for a service or an
 * answer to what we sent in our own name. */
static __always_inline enum reason node_first(struct __sk_buff *skb,
					      enum origin origin,
					      const bool is_leaving,
					      const bool has_frame)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	__be16 proto;

	if ((has_frame ? skb_parse_eth(skb, &f, &proto) :
			 skb_parse_l3(skb, &f, &proto)) != REASON_NONE)
		return REASON_NOT_OURS;
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return is_leaving ? node_leave_dst(skb, &f, origin, false) :
				    node_classify_dst(skb, &f, origin, false);
	case bpf_htons(ETH_P_IPV6):
		return is_leaving ? node_leave_dst(skb, &f, origin, true) :
				    node_classify_dst(skb, &f, origin, true);
	default:
		return REASON_NOT_OURS;
	}
}

static __always_inline enum reason node_leave(struct __sk_buff *skb,
					      enum origin origin)
{
	return node_first(skb, origin, true, true);
}

static __always_inline enum reason node_leave_l3(struct __sk_buff *skb,
						 enum origin origin)
{
	return node_first(skb, origin, true, false);
}

static __always_inline enum reason node_classify(struct __sk_buff *skb,
						 enum origin origin)
{
	return node_first(skb, origin, false, true);
}

static __always_inline enum reason node_classify_l3(struct __sk_buff *skb,
						    enum origin origin)
{
	return node_first(skb, origin, false, false);
}

/* No service is at p's port. The host sends from addresses of its own. */
static __always_inline enum reason node_unserved(const struct scratch *s,
						 const struct service *vip)
{
	enum reason why = unserved(s, vip);

	if (why == REASON_OWN_SOURCE && s->origin == ORIGIN_NODE)
		return REASON_NO_SERVICE;
	return why;
}

/* On to who translates it; before that, if it is due, to who judges it. */
static __always_inline enum reason node_known(struct __sk_buff *skb,
					      const struct scratch *s,
					      const bool v6)
{
	if (s->is_due)
		return go_on_tc(skb, TC_PROGRAM_tc_police_nat);
	if (s->pkt.is_error)
		return v6 ? go_on_tc(skb, TC_PROGRAM_tc_icmp6) :
			    go_on_tc(skb, TC_PROGRAM_tc_icmp4);
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc_send6) :
		    go_on_tc(skb, TC_PROGRAM_tc_send4);
}

/* A packet (or ICMP error) whose flow is known. */
static __always_inline enum reason node_flow(struct __sk_buff *skb,
					     struct scratch *s, const bool v6)
{
	struct pkt *p = &s->pkt;
	const struct service *svc;

	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
	s->nat.to.proto = p->flow.proto;
	s->nat.is_again = false;
	s->old.position = 0;
	if ((s->class & VIP_REPLIES && nat_of_reply(p, &s->nat)) ||
	    (s->class & VIP_CONNS && nat_of_client(p, s)))
		return s->nat.is_again ? go_on_tc(skb, TC_PROGRAM_tc_again) :
					 node_known(skb, s, v6);
	svc = service_find(&p->lookup);
	if (s->origin == ORIGIN_TUNNEL && (!svc || !svc->tunnel))
		return REASON_STRAY_TUNNEL;
	if (!svc || svc->flags & SERVICE_VIP)
		return node_unserved(s, svc);
	if (!service_is_node(svc) || (s->origin == ORIGIN_NODE &&
				      service_is_hosts(svc, &p->lookup)))
		return REASON_NOT_OURS;
	if (s->origin != ORIGIN_NODE && is_from_own(s))
		return REASON_OWN_SOURCE;
	if (svc->sources && !sources_admit(&p->lookup, svc->sources))
		return REASON_SOURCE;
	if (p->is_error)
		return REASON_ICMP_UNRELATED;
	return go_on_tc(skb, TC_PROGRAM_tc_open);
}

/* Until its first one has been here. The host sends its own in order, and there
 * is no way back to where it did; nor to an interface without frames. */
static __always_inline enum reason node_keep(struct __sk_buff *skb,
					     const struct scratch *s)
{
	return s->origin == ORIGIN_NODE || !s->pkt.l2_len ||
			       s->pkt.is_tunnelled ?
		       REASON_FRAGMENT_LOST :
		       fragment_keep_tc(skb, 0, FRAME_EARLY_TC);
}

/* What user space held, or cut, it puts out of the interface: it comes in by it
 * once more, as what the mark would tell others is not theirs to know. */
static __always_inline bool node_comes_again(struct __sk_buff *skb)
{
	if (skb->mark != MARK_AGAIN)
		return false;
	skb->mark = 0;
	return true;
}

static __always_inline enum reason node_ours(struct __sk_buff *skb,
					     struct frame *f,
					     struct scratch *s, const bool v6)
{
	const __u8 icmp = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const struct bytes in = { skb, HOOK_TC };
	struct pkt *p = f->pkt;
	enum reason why = skb_parse_rest(skb, f, v6);

	if (why == REASON_NONE && p->fragment == FRAGMENT_LATER &&
	    (v6 || p->flow.proto != icmp) && !fragment_recall(p)) {
		why = host_or(p, REASON_FRAGMENT_EARLY);
		return why == REASON_FRAGMENT_EARLY ? node_keep(skb, s) : why;
	}
	if (why == REASON_NONE && p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	if (why == REASON_NONE && p->flow.proto == icmp)
		why = p->fragment ? REASON_UNANSWERED : icmp_flow(&in, f, v6);
	if (why == REASON_ECHO && s->origin != ORIGIN_NODE &&
	    is_from_own(s))
		why = REASON_OWN_SOURCE;
	if (why != REASON_NONE)
		return host_or(p, why);
	/* Verifier: as in balance_ours() */
	f->l4 = NULL;
	why = node_flow(skb, s, v6);
	return why == REASON_ICMP_UNRELATED ? host_or(p, why) : why;
}

static __always_inline enum reason node_or_answer(struct __sk_buff *skb,
						  struct scratch *s,
						  enum reason why,
						  const bool v6)
{
	if (reason_verdict(why) != VERDICT_REPLY)
		return why;
	s->why = why;
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc_answer6) :
		    go_on_tc(skb, TC_PROGRAM_tc_answer4);
}

/* A packet that node_classify() found to be ours. */
static __always_inline enum reason node_balance(struct __sk_buff *skb,
						struct scratch *s,
						const bool v6)
{
	struct frame f = {};
	enum reason why;

	if (!frame_again(&f, skb->data, skb->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	why = node_ours(skb, &f, s, v6);
	if (is_unknown(why))
		ask_older_tc(skb);
	/* what came in a tunnel is nobody's else */
	if (s->origin == ORIGIN_TUNNEL && reason_verdict(why) == VERDICT_PASS)
		return REASON_STRAY_TUNNEL;
	return node_or_answer(skb, s, why, v6);
}

/* Where does the flow of s->pkt go, which conns does not know? */
static __always_inline enum reason node_open_for(struct scratch *s)
{
	struct pkt *p = &s->pkt;
	const struct service *svc = service_find(&p->lookup);
	const struct runtime *rt = map_only(runtime);

	if (!svc)	/* it was there a moment ago */
		return REASON_NO_CONN;
	if (!rt)
		return REASON_INTERNAL;
	return nat_open(p, svc, decide_origin(rt, s->origin, &p->flow.src));
}

static __always_inline enum reason node_send_or(struct __sk_buff *skb,
						struct scratch *s,
						enum reason why)
{
	const bool is_v6 = !addr_is_mapped(&s->pkt.flow.dst);

	if (why != REASON_NONE)
		return is_v6 ? node_or_answer(skb, s, why, true) :
			       node_or_answer(skb, s, why, false);
	return is_v6 ? node_known(skb, s, true) : node_known(skb, s, false);
}

static __always_inline enum reason node_open(struct __sk_buff *skb,
					     struct scratch *s)
{
	return node_send_or(skb, s, node_open_for(s));
}

/* As node_open(), but for what the proxy before us began. */
static __always_inline enum reason node_open_or_ask(struct __sk_buff *skb,
						    struct scratch *s)
{
	ask_takeover_tc(skb, &s->pkt);
	return node_open(skb, s);
}

static __always_inline enum reason node_again(struct __sk_buff *skb,
					      struct scratch *s)
{
	return node_send_or(skb, s, open_again(s));
}

/* Whatever program it is that the packet came to first. */
static __always_inline enum reason node_anew(struct __sk_buff *skb,
					     struct scratch *s)
{
	if (!s->pkt.l2_len)
		return s->is_leaving ? node_leave_l3(skb, s->origin) :
				       node_classify_l3(skb, s->origin);
	return s->is_leaving ? node_leave(skb, s->origin) :
			       node_classify(skb, s->origin);
}

/* Is it the stack that brings s->pkt on its way? */
static __always_inline bool node_by_stack(const struct scratch *s)
{
	return !s->nat.has_source;
}

/* An answer goes this way at the last hook alone. What the host sends has been
 * routed already: it is on its way to the host itself, or to nowhere. */
static __always_inline enum reason node_stack_way(struct __sk_buff *skb,
						  const struct scratch *s)
{
	if (s->nat.is_reply)
		return s->is_leaving ? REASON_NONE : REASON_NOT_OURS;
	return s->origin != ORIGIN_NODE || skb->ifindex == LOOPBACK_IFINDEX ?
		       REASON_NONE : REASON_NO_NEXT_HOP;
}

/* Does the host itself ask, its own backend, but has sent it elsewhere? */
static __always_inline bool node_turns_round(struct __sk_buff *skb,
					     const struct scratch *s)
{
	return s->origin == ORIGIN_NODE && s->nat.is_local &&
	       skb->ifindex != LOOPBACK_IFINDEX;
}

/* In where the host talks to itself: the one interface that believes packets to
 * come from there. */
static __always_inline enum reason node_turn_round(struct frame *f,
						   struct scratch *s)
{
	s->to_host = s->out.has_frame = true;
	__builtin_memset(s->out.macs, 0, sizeof(s->out.macs));
	f->pkt->ifindex = LOOPBACK_IFINDEX;
	return REASON_NONE;
}

/* As egress_find(), by interfaces that XDP does not send by as well. */
static __always_inline bool node_egress(const struct nexthop *hop,
					struct egress *e, bool *to_host)
{
	__u32 idx = hop->link & ~LINK_TO_HOST;
	const struct link *link;

	*to_host = hop->link & LINK_TO_HOST;
	link = idx ? bpf_map_lookup_elem(&links, &idx) : NULL;
	if (!link || !link->user_ifindex)
		return false;
	e->ifindex = link->user_ifindex;
	e->mtu = link->mtu;
	e->has_frame = !(link->flags & LINK_L3);
	__builtin_memcpy(e->to, *to_host ? link->mac : hop->mac, 6);
	__builtin_memcpy(e->from, link->mac, 6);
	return true;
}

/* Is the packet neither the host's own nor for it? */
static __always_inline bool node_is_router(const struct scratch *s)
{
	return !s->to_host && s->origin != ORIGIN_NODE;
}

/* What no router may cut is its sender's to make smaller, and so is what is
 * many packets, each too large: those are seldom sent without DF. */
static __always_inline enum reason node_too_big(struct __sk_buff *skb,
						const struct frame *f,
						const struct scratch *s,
						const bool v6)
{
	const struct iphdr *ip = f->l3;

	if (v6 || ip->frag_off & bpf_htons(IP_DF) || skb->gso_size ||
	    s->origin == ORIGIN_NODE || !s->pkt.l2_len)
		return REASON_TOO_BIG;
	return fragment_cut_tc(skb, f->pkt);
}

/* The way that s->nat names. Not REASON_NONE: the packet cannot go it. */
static __always_inline enum reason node_way(struct __sk_buff *skb,
					    struct frame *f, struct scratch *s,
					    const bool v6)
{
	const struct nat *n = &s->nat;
	struct egress *e = &s->out;

	f->pkt->ifindex = 0;
	if (node_turns_round(skb, s))
		return node_turn_round(f, s);
	if (node_by_stack(s))
		return node_stack_way(skb, s);
	if (!node_egress(&n->hop, e, &s->to_host))
		return REASON_NO_NEXT_HOP;
	f->pkt->ifindex = e->ifindex;
	if (s->to_host)
		return REASON_NONE;
	if (node_is_router(s) && pkt_hops(f, v6) <= 1)
		return REASON_HOPS_EXCEEDED;
	egress_narrow(e, n->mtu, v6 ? IP6_MTU_MIN : 0);
	f->pkt->mtu_left = e->mtu;
	return skb_wire_len(skb, f) > e->mtu ? node_too_big(skb, f, s, v6) :
					       REASON_NONE;
}

/* Verifier: the hop limit is read again, where f's pointers are void. */
static __always_inline bool skb_fewer_hops(struct __sk_buff *skb,
					   const struct pkt *p, const bool v6)
{
	__u32 at = p->l2_len + (v6 ? offsetof(struct ipv6hdr, hop_limit) :
				     offsetof(struct iphdr, ttl));
	__u32 check = p->l2_len + offsetof(struct iphdr, check);
	__u8 hops;

	if (bpf_skb_load_bytes(skb, at, &hops, sizeof(hops)))
		return false;
	hops--;
	if (bpf_skb_store_bytes(skb, at, &hops, sizeof(hops),
				v6 ? BPF_F_RECOMPUTE_CSUM : 0))
		return false;
	/* the high byte of a word in network order is one less */
	return v6 || !bpf_l3_csum_replace(skb, check, bpf_htons(0x0100), 0, 2);
}

/* The Ethernet header of where it leaves, if packets have one there: what is
 * left of one that it came with, the kernel takes off. */
static __always_inline bool node_frame(struct __sk_buff *skb,
				       const struct scratch *s, const bool v6)
{
	const struct egress *e = &s->out;
	struct ethhdr eth;

	if (!e->has_frame)
		return skb_untag(skb, &s->pkt);
	__builtin_memcpy(eth.h_dest, e->to, 6);
	__builtin_memcpy(eth.h_source, e->from, 6);
	if (s->pkt.l2_len)
		return !bpf_skb_store_bytes(skb, 0, &eth, 2 * ETH_ALEN, 0) &&
		       skb_untag(skb, &s->pkt);
	eth.h_proto = ether_type(v6);
	return !bpf_skb_change_head(skb, sizeof(eth), 0) &&
	       !bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0);
}

/* On its way, if that is not the stack's. */
static __always_inline bool node_push(struct __sk_buff *skb, struct scratch *s,
				      const bool v6)
{
	if (!s->pkt.ifindex)
		return true;
	return (!node_is_router(s) || skb_fewer_hops(skb, &s->pkt, v6)) &&
	       node_frame(skb, s, v6);
}

static __always_inline enum reason node_translate(struct __sk_buff *skb,
						  struct frame *f,
						  struct scratch *s,
						  const bool v6)
{
	enum reason why = node_way(skb, f, s, v6);

	if (why != REASON_NONE)
		return why;
	if (!skb_rewrite_flow(skb, f, &s->nat.to, v6) || !node_push(skb, s, v6))
		return REASON_INTERNAL;
	return s->nat.is_reply ? REASON_RETURNED : REASON_FORWARDED;
}

static __always_inline enum reason node_translate_error(struct __sk_buff *skb,
							struct frame *f,
							struct scratch *s,
							const bool v6)
{
	enum reason why = node_way(skb, f, s, v6);

	if (why != REASON_NONE)
		return why;
	if (!(v6 ? icmp_translate6_tc(skb, f->pkt, &s->nat.to) :
		   icmp_translate4_tc(skb, f->pkt, &s->nat.to)) ||
	    !node_push(skb, s, v6))
		return REASON_INTERNAL;
	return REASON_ICMP_FORWARDED;
}

/* The packet becomes what s->nat says. */
static __always_inline enum reason node_send(struct __sk_buff *skb,
					     struct scratch *s, const bool v6)
{
	struct frame f = {};

	if (!frame_again_l4(&f, skb->data, skb->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	return node_or_answer(skb, s, node_translate(skb, &f, s, v6), v6);
}

/* Likewise an ICMP error about its connection. */
static __always_inline enum reason node_send_icmp(struct __sk_buff *skb,
						  struct scratch *s,
						  const bool v6)
{
	struct frame f = {};

	if (!frame_again_l4(&f, skb->data, skb->data_end, &s->pkt, v6))
		return REASON_INTERNAL;
	return node_or_answer(skb, s, node_translate_error(skb, &f, s, v6), v6);
}

/* Is p an answer of a backend that saw its client's own address? Then s->nat
 * says what it becomes. */
static __always_inline bool node_find_return(struct pkt *p, struct nat *n)
{
	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
	n->to.proto = p->flow.proto;
	return nat_of_reply(p, n) && !n->has_source;
}

/* It answers nobody. What the host itself sends to an address of ours is asked
 * about as a client's is, from what node_leave() knew of it on. */
static __always_inline enum reason node_no_return(struct __sk_buff *skb,
						  struct scratch *s,
						  const bool v6)
{
	struct frame f = {};

	if (!s->class) {
		ask_older_tc(skb);
		return REASON_NOT_OURS;
	}
	s->is_leaving = false;
	s->pkt.is_error = false;
	if (!frame_again(&f, skb->data, skb->data_end, &s->pkt, v6) ||
	    parse_dst(&f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	node_from(skb, &s->pkt, ORIGIN_NODE);
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc6) :
		    go_on_tc(skb, TC_PROGRAM_tc4);
}

/* A packet that leaves the host: if it answers a client, as a last thing it
 * comes from the service. Strangers' fragments are not remembered. */
static __always_inline enum reason node_return(struct __sk_buff *skb,
					       struct scratch *s,
					       const bool v6)
{
	const __u8 icmp = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const struct bytes in = { skb, HOOK_TC };
	struct pkt *p = &s->pkt;
	struct frame f = {};

	if (!frame_again(&f, skb->data, skb->data_end, p, v6) ||
	    skb_parse_rest(skb, &f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	p->dst_sum = hash_dst(hash_key, &p->flow.dst);
	if ((p->flow.proto == icmp &&
	     (p->fragment || icmp_flow(&in, &f, v6) != REASON_NONE)) ||
	    (p->fragment == FRAGMENT_LATER && !fragment_recall(p)) ||
	    !node_find_return(p, &s->nat))
		return node_no_return(skb, s, v6);
	if (p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	return node_known(skb, s, v6);
}

/* The answer that s->why stands for goes where the packet came from. */
static __always_inline enum reason node_answer(struct __sk_buff *skb,
					       struct scratch *s,
					       const bool v6)
{
	s->to_host = s->origin == ORIGIN_NODE;
	/* not to the node that has sent it here in a tunnel */
	s->out.has_frame = s->pkt.l2_len && s->origin != ORIGIN_TUNNEL;
	s->pkt.ifindex = skb->ifindex;
	return v6 ? answer6_tc(skb, &s->pkt, s->why) :
		    answer4_tc(skb, &s->pkt, s->why);
}

/* Whom is the packet in the tunnel t for? */
static __always_inline bool node_inner_dst(const struct frame *f,
					   const struct tunnel *t,
					   struct addr *ret, const bool v6)
{
	const void *inner = f->l3 + t->len;
	const struct ipv6hdr *ip6 = inner;
	const struct iphdr *ip4 = inner;

	if (v6) {
		if (!pkt_has(f, ip6, sizeof(*ip6)))
			return false;
		*ret = addr_from6(&ip6->daddr);
		return true;
	}
	if (!pkt_has(f, ip4, sizeof(*ip4)))
		return false;
	*ret = addr_from4(ip4->daddr);
	return true;
}

static __always_inline bool addr_is(const struct addr *a, const struct addr *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/*
 * Does another node send f, to one of our endpoints, in the tunnel t? It is for
 * an address of ours, or for a node port at one of its own: then that is where
 * the tunnel comes from. s->endpoint and s->pkt's is_tunnelled are set.
 */
static __always_inline bool node_find_tunnel(struct frame *f,
					     struct scratch *s,
					     struct tunnel *t, const bool v6)
{
	const struct runtime *rt = map_only(runtime);
	const __be16 family = v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	struct pkt *p = f->pkt;

	if (!rt)
		return false;
	if (v6)
		tunnel_parse6(f, t, rt->gue_port, rt->geneve_port);
	else
		tunnel_parse4(f, t, rt->gue_port, rt->geneve_port);
	if (t->inner != family || !inner_is_there(f, t) ||
	    !node_inner_dst(f, t, &s->pkt.flow.dst, v6))
		return false;
	s->endpoint = p->flow.dst;
	s->pkt.is_tunnelled = addr_is(&s->pkt.flow.dst, &p->flow.src);
	return s->pkt.is_tunnelled || vip_class(&s->pkt.lookup);
}

/* Of what was in a tunnel: as if it had come in here. */
static __always_inline enum reason node_inner(struct __sk_buff *skb,
					      struct scratch *s, const bool v6)
{
	const __u8 is_tunnelled = s->pkt.is_tunnelled;
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	__be16 proto;

	if (skb_parse_eth(skb, &f, &proto) != REASON_NONE ||
	    parse_dst(&f, v6) != REASON_NONE)
		return REASON_BAD_HEADER;
	s->class = vip_class(&p.lookup) | VIP_CONNS;
	s->origin = ORIGIN_TUNNEL;
	s->is_leaving = false;
	pkt_keep(&s->pkt, &p);
	s->pkt.is_tunnelled = is_tunnelled;
	node_from(skb, &s->pkt, ORIGIN_TUNNEL);
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc6) :
		    go_on_tc(skb, TC_PROGRAM_tc4);
}

/* A packet that may be in a tunnel, see node_may_be_tunnel(). */
static __always_inline enum reason node_decap(struct __sk_buff *skb,
					      struct scratch *s, const bool v6)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	struct tunnel t = {};
	__be16 proto;
	__u32 delta;

	if (skb_parse_eth(skb, &f, &proto) != REASON_NONE ||
	    parse_dst(&f, v6) != REASON_NONE)
		return REASON_NOT_OURS;
	if (!node_is_addressed(skb, &f, ORIGIN_ELSEWHERE) ||
	    !node_find_tunnel(&f, s, &t, v6))
		return node_classify_bare(skb, &f, ORIGIN_ELSEWHERE, v6);
	if (!tunnel_mark(&f, &t, &delta))
		return REASON_BAD_HEADER;
	if (delta)		/* a device may have summed up the packet */
		bpf_csum_update(skb, delta);
	if (bpf_skb_adjust_room(skb, -(int)t.len, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO))
		return REASON_INTERNAL;
	return node_inner(skb, s, v6);
}

#endif
