/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose packets are judged, and when. A workload's packets are met at the
 * host's end of its interface:
 *
 *	from it	police_from(): is it who it says, within its limits? Then to
 *		services as any pod's; and what the packet has become is judged
 *		before it goes on: police_packet() of a stranger,
 *		police_nat() of what is to be translated
 *	to it	police_to(), police_packet(): judged as it is, and then turned
 *		back into what it was for its client, if it answers one
 *
 * scratch.is_due says that the packet has yet to be judged; until it has been,
 * finish_judged() lets nothing out. police_judge() is asked about what is not
 * known, see peers.h, judge.h and policy.h.
 *
 * Never judged: what the host itself sends, what a workload says to itself or
 * to its host, ARP, and what neighbours on a link say (RFC 4861).
 */
#ifndef FAIRLEAD_BPF_POLICE_H
#define FAIRLEAD_BPF_POLICE_H

#include "judge.h"
#include "node.h"
#include "peers.h"
#include "police_icmp.h"
#include "policy.h"
#include "spoof.h"
#include "workload.h"

/*
 * Who is behind this interface, and what is he held to? NULL: nobody who is
 * known. The epoch is read before all else, so that no verdict by what was in
 * force before passes for one of it.
 */
static __always_inline const struct workload *
police_begin(struct __sk_buff *skb, struct scratch *s,
	     enum policy_direction direction)
{
	const struct runtime *rt = map_only(runtime);
	struct police *l = &s->police;
	const struct workload *w;

	s->pkt.backend = 0;	/* finish() counts, whatever becomes of it */
	s->pkt.frame_len = skb->len > 0xffff ? 0xffff : skb->len;
	s->origin = ORIGIN_POD;
	l->epoch = rt ? READ_ONCE(rt->policy_epoch) : 0;
	l->ifindex = skb->ifindex;
	l->index = workload_of(skb->ifindex);
	l->epoch = policy_stamp(l->epoch, l->index);
	l->direction = direction;
	l->is_nat = false;
	l->is_real = false;
	l->target = 0;
	w = workload_at(l->index);
	if (!w || w->ifindex != skb->ifindex) {
		l->flags = l->index || !rt || rt->policing == POLICE_ALL ?
				   WORKLOAD_CLOSED : 0;
		l->targets = 0;
		l->index = 0;
		s->is_due = l->flags;
		return NULL;
	}
	l->flags = READ_ONCE(w->flags);
	l->targets = READ_ONCE(*(const __u64 *)&w->target);
	s->is_due = l->targets || w->conns_per_s ||
		    l->flags & (WORKLOAD_CLOSED | WORKLOAD_FULL |
				WORKLOAD_COUNTED);
	return w;
}

/* Is it held to anything that has words for what is neither IP nor ARP? */
static __always_inline enum reason police_no_ip(struct scratch *s)
{
	const struct police *l = &s->police;

	s->is_due = false;
	if (l->flags & WORKLOAD_CLOSED)
		return REASON_CLOSED;
	return l->targets ? REASON_POLICY : REASON_NOT_OURS;
}

static __always_inline enum reason police_limits(struct __sk_buff *skb,
						 struct scratch *s,
						 const struct workload *w)
{
	__u32 packets = skb->gso_segs;

	if (!w->packets_per_s && !w->bytes_per_s)
		return REASON_NONE;
	return workload_may_send(s->police.index, packets ? packets : 1,
				 skb->len) ?
		       REASON_NONE :
		       police_drop(s, POLICY_LIMITED, REASON_WORKLOAD_LIMIT);
}

/* Of what is known of a packet, for an event, before it has been parsed. */
static __always_inline void police_note(struct scratch *s, const struct pkt *p,
					__u8 proto)
{
	struct flow *flow = &s->police.flow;

	flow->src = p->flow.src;
	flow->dst = p->flow.dst;
	flow->sport = flow->dport = 0;
	flow->proto = proto;
	flow->kind = FLOW_PACKET;
	flow->pad[0] = flow->pad[1] = 0;
}

/* REASON_NONE: w may send f, as far as its source and its amount go. Of who is
 * not known, the latter is not. */
static __always_inline enum reason police_source(struct __sk_buff *skb,
						 struct scratch *s,
						 const struct workload *w,
						 struct frame *f,
						 const bool v6)
{
	if (w && w->flags & WORKLOAD_SPOOFS)
		return police_limits(skb, s, w);
	police_note(s, f->pkt, first_proto(f, v6));
	if (source_is_spoofed(skb, w, f, v6))
		return police_drop(s, POLICY_SPOOFED, REASON_SPOOFED);
	return w ? police_limits(skb, s, w) : REASON_NONE;
}

/* On to who judges strangers, which s->pkt is one of. */
static __always_inline enum reason police_go_judge(struct __sk_buff *skb,
						   const bool v6)
{
	return v6 ? go_on_tc(skb, TC_PROGRAM_tc_police6) :
		    go_on_tc(skb, TC_PROGRAM_tc_police4);
}

/* What a program of tc's found to be nobody's has yet to be judged? */
static __always_inline enum reason police_rest(struct __sk_buff *skb,
					       struct scratch *s,
					       enum reason why)
{
	if (!s->is_due || reason_verdict(why) != VERDICT_PASS)
		return why;
	return s->police.is_v6 ? police_go_judge(skb, true) :
				 police_go_judge(skb, false);
}

static __always_inline enum reason police_from_ip(struct __sk_buff *skb,
						  struct scratch *s,
						  const struct workload *w,
						  struct frame *f,
						  const bool v6)
{
	enum reason why;

	if ((w || s->is_due) && parse_dst(f, v6) != REASON_NONE)
		return REASON_BAD_ADDR;
	why = w || s->is_due ? police_source(skb, s, w, f, v6) : REASON_NONE;
	if (why != REASON_NONE)
		return why;
	s->police.is_v6 = v6;
	why = node_classify_dst(skb, f, ORIGIN_POD, v6);
	if (!s->is_due || reason_verdict(why) != VERDICT_PASS)
		return why;
	pkt_keep(&s->pkt, f->pkt);
	return police_go_judge(skb, v6);
}

/* What is not IP: bridges learn by its MAC as well where frames are to go. */
static __always_inline enum reason police_from_other(struct __sk_buff *skb,
						     struct scratch *s,
						     const struct workload *w,
						     const struct frame *f,
						     __be16 proto)
{
	const bool is_arp = proto == bpf_htons(ETH_P_ARP);
	enum reason why = REASON_NONE;

	__builtin_memset(&s->police.flow, 0, sizeof(struct flow));
	if ((w ? !(w->flags & WORKLOAD_SPOOFS) : s->is_due) &&
	    ((w && !workload_has_mac(w, f->pkt)) ||
	     (is_arp && !arp_is_right(skb, w, f->pkt->l2_len))))
		why = police_drop(s, POLICY_SPOOFED, REASON_SPOOFED);
	if (w && why == REASON_NONE)
		why = police_limits(skb, s, w);
	if (!is_arp && why == REASON_NONE)
		return police_no_ip(s);
	s->is_due = false;
	return why == REASON_NONE ? REASON_NOT_OURS : why;
}

/* The first program of what a pod sends where workloads are policed. */
static __always_inline enum reason police_from(struct __sk_buff *skb,
					       struct scratch *s)
{
	const struct workload *w = police_begin(skb, s, POLICY_OUT);
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	__be16 proto = 0;

	if (skb_parse_eth(skb, &f, &proto) != REASON_NONE)
		proto = 0;
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return police_from_ip(skb, s, w, &f, false);
	case bpf_htons(ETH_P_IPV6):
		return police_from_ip(skb, s, w, &f, true);
	default:
		return police_from_other(skb, s, w, &f, proto);
	}
}

static __always_inline enum reason police_to_ip(struct __sk_buff *skb,
						struct scratch *s,
						struct frame *f,
						const bool v6)
{
	if (parse_dst(f, v6) != REASON_NONE)
		return REASON_BAD_ADDR;
	s->police.is_v6 = v6;
	pkt_keep(&s->pkt, f->pkt);
	return police_go_judge(skb, v6);
}

/*
 * Is it the host that sends f, of ethertype proto? What came in by no interface
 * it does, and by the one where it talks to itself. But Linux cuts IPv6 packets
 * in parts that are said to have come from nowhere (ip6_frag_next), after it
 * had put them together for a firewall: those are by their source.
 */
static __always_inline bool police_is_hosts(struct __sk_buff *skb,
					    struct frame *f, __be16 proto)
{
	if (skb->ingress_ifindex)
		return skb->ingress_ifindex == LOOPBACK_IFINDEX;
	if (proto != bpf_htons(ETH_P_IPV6) ||
	    parse_dst(f, true) != REASON_NONE ||
	    !is_ip6_ext(first_proto(f, true)))
		return true;
	return policy_peer(&f->pkt->flow.src) & PEER_HOST;
}

static __always_inline enum reason police_to_free(struct __sk_buff *skb,
						  struct scratch *s)
{
	s->is_due = false;
	return node_leave(skb, ORIGIN_ELSEWHERE);
}

/* The same of what is sent to a pod: but for what it sends itself, back by the
 * interface that it came by, and for the host's. */
static __always_inline enum reason police_to(struct __sk_buff *skb,
					     struct scratch *s)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	__be16 proto = 0;
	enum reason why;

	police_begin(skb, s, POLICY_IN);
	if (!s->is_due || (skb->ingress_ifindex &&
			   skb->ingress_ifindex == skb->ifindex))
		return police_to_free(skb, s);
	why = skb_parse_eth(skb, &f, &proto);
	if (police_is_hosts(skb, &f, why == REASON_NONE ? proto : 0))
		return police_to_free(skb, s);
	if (why != REASON_NONE)
		return police_no_ip(s);
	switch (proto) {
	case bpf_htons(ETH_P_IP):
		return police_to_ip(skb, s, &f, false);
	case bpf_htons(ETH_P_IPV6):
		return police_to_ip(skb, s, &f, true);
	case bpf_htons(ETH_P_ARP):
		s->is_due = false;
		return REASON_NOT_OURS;
	default:
		return police_no_ip(s);
	}
}

/* What was judged goes on. */
static __always_inline enum reason police_pass(struct __sk_buff *skb,
					       struct scratch *s)
{
	s->is_due = false;
	if (s->police.direction == POLICY_IN)
		return node_leave(skb, ORIGIN_ELSEWHERE);
	if (!s->police.is_nat)
		return REASON_NOT_OURS;
	return s->police.is_v6 ? node_known(skb, s, true) :
				 node_known(skb, s, false);
}

/* Nothing of L4, which services may have been asked with. */
static __always_inline void pkt_forget(struct pkt *p)
{
	p->flow.sport = p->flow.dport = 0;
	p->opens = p->closes = p->tcp_flags = 0;
	p->is_error = p->offers = 0;
	p->fragment = FRAGMENT_NONE;
	p->fragment_id = 0;
	p->number = 0;
	p->wrong_at = 0;
}

/* Later ones as their first; who comes before it waits, if it is the workload's
 * own, which comes in by this interface again. */
static __always_inline enum reason police_fragment(struct __sk_buff *skb,
						   struct scratch *s)
{
	struct pkt *p = &s->pkt;

	p->dst_sum = hash_dst(hash_key, &p->flow.dst);
	if (p->fragment == FRAGMENT_FIRST)
		fragment_remember(p);
	else if (!fragment_recall(p))
		return s->police.direction == POLICY_OUT ? node_keep(skb, s) :
							   REASON_FRAGMENT_LOST;
	return REASON_NONE;
}

/* Does f ask to be sent on from where it is judged, or hide what it is behind
 * more headers than are walked through? Then nothing is known of it. */
static __always_inline bool police_is_hidden(const struct bytes *in,
					     const struct frame *f,
					     const bool v6)
{
	return parse_routes(in, f, v6) != REASON_NONE ||
	       (v6 && is_ip6_ext(f->pkt->flow.proto) &&
		f->pkt->fragment != FRAGMENT_LATER);
}

/* All of f, which no service is asked about. */
static __always_inline enum reason police_parse(struct __sk_buff *skb,
						struct frame *f,
						const bool v6)
{
	const struct bytes in = { skb, HOOK_TC };
	enum reason why = v6 ? parse_ip6(&in, f) : parse_ip4(f);

	if (why == REASON_NONE)
		why = skb_lengths(skb, f->pkt);
	if (why == REASON_NONE && police_is_hidden(&in, f, v6))
		why = REASON_BAD_HEADER;
	if (why == REASON_NONE)
		why = parse_l4(&in, f, v6);
	return why == REASON_PROTOCOL ? REASON_NONE : why;
}

/* An error by who is no router: is what it is about none of his own? */
static __always_inline bool police_meddles(const struct pkt *p,
					   const struct police *l)
{
	const struct workload *w;

	if (!p->is_error || l->direction == POLICY_IN ||
	    l->flags & (WORKLOAD_SPOOFS | WORKLOAD_CLOSED))
		return false;
	w = workload_at(l->index);
	return w && !workload_has(w, &l->flow.src) &&
	       !addr_is_link_local6(&l->flow.src);
}

/* The packet's flow is s->pkt's: is it known, or what is it? */
static __always_inline enum reason police_flow(struct __sk_buff *skb,
					       struct scratch *s)
{
	struct police *l = &s->police;
	struct pkt *p = &s->pkt;
	int state;

	/* of what has no numbers, an answer makes it live, as UDP's does */
	if (!proto_has_ports(l->flow.proto)) {
		p->offers = true;
		p->number = 1;
	}
	l->opens = p->opens;
	if (police_meddles(p, l))
		return police_drop(s, POLICY_SPOOFED, REASON_SPOOFED);
	state = l->flags & WORKLOAD_CLOSED ? PEERS_NEW : peers_find(p, l);
	if (state == PEERS_KNOWN)
		return police_pass(skb, s);
	l->is_known = state == PEERS_STALE;
	if (state == PEERS_NEW && !l->opens)
		ask_older_police(skb);
	return go_on_tc(skb, TC_PROGRAM_tc_judge);
}

/* A packet that no service has, or that is to a workload. */
static __always_inline enum reason police_packet(struct __sk_buff *skb,
						 struct scratch *s,
						 const bool v6)
{
	const __u8 icmp = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	struct police *l = &s->police;
	struct pkt *p = &s->pkt;
	struct frame f = {};
	enum reason why;

	if (!frame_again(&f, skb->data, skb->data_end, p, v6))
		return REASON_INTERNAL;
	pkt_forget(p);
	if (parse_dst(&f, v6) != REASON_NONE ||
	    (v6 && addr_is_mapped(&p->flow.src)))
		return REASON_BAD_ADDR;
	l->outer_src = p->flow.src;
	l->outer_dst = p->flow.dst;
	l->is_lone = l->is_size = false;
	why = police_parse(skb, &f, v6);
	if (why != REASON_NONE)
		return why;
	if (p->flow.proto == icmp && !police_icmp(skb, l, &f, v6))
		return police_pass(skb, s);
	if (p->fragment)
		why = police_fragment(skb, s);
	if (why != REASON_NONE)
		return why;
	police_note(s, p, p->flow.proto);
	l->flow.sport = p->flow.sport;
	l->flow.dport = p->flow.dport;
	return police_flow(skb, s);
}

/* A packet from a workload, or an error about one, that becomes what s->nat
 * says: as it is between the two, but with the client's own address. */
static __always_inline enum reason police_nat(struct __sk_buff *skb,
					      struct scratch *s)
{
	struct police *l = &s->police;
	const struct nat *n = &s->nat;
	struct pkt *p = &s->pkt;
	__u8 icmp[2] = {};

	police_note(s, p, n->to.proto);
	l->flow.dst = n->to.dst;
	l->flow.sport = n->is_reply ? p->flow.sport : n->to.sport;
	l->flow.dport = n->is_reply ? p->flow.dport : n->to.dport;
	l->outer_src = l->flow.src;
	l->outer_dst = l->flow.dst;
	l->is_nat = true;
	l->is_lone = p->is_error;
	l->is_size = false;
	if (p->is_error &&
	    !bpf_skb_load_bytes(skb, p->l2_len + p->l4_off, icmp,
				sizeof(icmp)))
		l->is_size = l->is_v6 ? icmp_is_size(icmp[0], icmp[1], true) :
					icmp_is_size(icmp[0], icmp[1], false);
	return police_flow(skb, s);
}

static __always_inline enum reason police_judge(struct __sk_buff *skb,
						struct scratch *s)
{
	enum reason why = police_verdict(s);

	return why == REASON_NONE ? police_pass(skb, s) : why;
}

#endif
