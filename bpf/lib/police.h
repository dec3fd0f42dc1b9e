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
 * known, see peers.h, and policy.h.
 *
 * Never judged: what the host itself sends, what a workload says to itself or
 * to its host, ARP, and what neighbours on a link say (RFC 4861).
 */
#ifndef FAIRLEAD_BPF_POLICE_H
#define FAIRLEAD_BPF_POLICE_H

#include "node.h"
#include "peers.h"
#include "policy.h"

/* What a workload and an interface are, found by the latter; 0: none is. */
__global __u32 workload_of(__u32 ifindex)
{
	const __u64 word = workload_word(ifindex, 0);
	const struct word_bucket *b;
	__u32 idx, index;

	for (int probe = 0; probe < WORD_PROBES; probe++) {
		idx = (word_bucket_of(word, WORKLOAD_BUCKETS) + probe) &
		      (WORKLOAD_BUCKETS - 1);
		b = bpf_map_lookup_elem(&workload_cells, &idx);
		index = b ? bucket_find(b, word, 32) : 0;
		if (index)
			return index;
	}
	return 0;
}

static __always_inline const struct workload *workload_at(__u32 index)
{
	return index ? bpf_map_lookup_elem(&workloads, &index) : NULL;
}

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

/* A packet that is dropped for what is not a rule's; flow as far as known. */
static __always_inline enum reason police_drop(struct scratch *s, __u32 rule,
					       enum reason why)
{
	s->police.target = 0;
	policy_report(&s->police, rule, s->police.direction,
		      POLICY_EVENT_DENIED);
	return why;
}

/* Zero, which is where it has none, it has not. */
static __always_inline bool workload_has(const struct workload *w,
					 const struct addr *a)
{
	return !addr_is_zero(a) &&
	       (addr_eq(&w->addr[0], a) || addr_eq(&w->addr[1], a) ||
		addr_eq(&w->addr[2], a) || addr_eq(&w->addr[3], a));
}

static __always_inline bool workload_has_mac(const struct workload *w,
					     const struct pkt *p)
{
	/* flags and mac are one word, as are the sender's and a link of 0 */
	__u64 mac = READ_ONCE(*(const __u64 *)&w->flags) >> 16;

	_Static_assert(offsetof(struct workload, flags) % 8 == 0 &&
		       offsetof(struct workload, mac) ==
		       offsetof(struct workload, flags) + 2, "a word");
	return !mac || mac == *(const __u64 *)&p->from;
}

/* Of a workload that is closed, they may not be known yet. */
static __always_inline bool workload_has_no_addrs(const struct workload *w)
{
	return w->flags & WORKLOAD_CLOSED && addr_is_zero(&w->addr[0]);
}

/* ff02::/16, which no router sends on. */
static __always_inline bool addr_is_of_link(const struct addr *a)
{
	return (a->word[0] & bpf_htonl(0xffff0000)) == bpf_htonl(0xff020000);
}

/* A client of DHCP has no address yet (RFC 2131, 4.1). */
static __always_inline bool source_is_dhcp(const struct frame *f)
{
	const struct iphdr *ip = f->l3;
	const struct ports *l4 = f->l3 + sizeof(*ip);

	return !ip->saddr && ip->daddr == bpf_htonl(0xffffffff) &&
	       ip->protocol == IPPROTO_UDP && ip->ihl == 5 &&
	       !(ip->frag_off & bpf_htons(IP_OFFSET)) &&
	       pkt_has(f, l4, sizeof(*l4)) && l4->dst == bpf_htons(67);
}

static __always_inline bool addr_is_link_local6(const struct addr *a)
{
	return (a->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* May w send from there? */
static __always_inline bool source_is_right(const struct workload *w,
					    const struct frame *f,
					    const bool v6)
{
	const struct addr *src = &f->pkt->flow.src;

	if (!v6)
		return workload_has(w, src) || source_is_dhcp(f);
	if (addr_is_zero(src))	/* who looks whether he may have an address */
		return addr_is_of_link(&f->pkt->flow.dst);
	if (workload_has(w, src))
		return !addr_is_mapped(src);
	return addr_is_link_local6(src) && !(policy_peer(src) & PEER_HOST);
}

/* ARP for IPv4 over Ethernet (RFC 826). (<linux/if_arp.h> wants libc's.) */
struct arp_packet {
	__be16 link;
	__be16 protocol;
	__u8 mac_len;
	__u8 ip_len;
	__be16 operation;
	__u8 sender_mac[6];
	__be32 sender_ip;
	__u8 target_mac[6];
	__be32 target_ip;
} __attribute__((packed));

/* May w, if it is known, say of an address that it has it? Link-local ones are
 * not told to us. What is the host's, gateways among it, nobody else has. */
static __always_inline bool workload_may_claim(const struct workload *w,
					       const struct addr *a)
{
	if (w && workload_has(w, a))
		return true;
	if (policy_peer(a) & PEER_HOST)
		return false;
	return addr_is_link_local6(a) || !w || workload_has_no_addrs(w);
}

/* Does w say of no address but its own that it has it? Of none at all, who looks
 * whether one is free (RFC 5227, 2.1). */
__global int arp_is_right(struct __sk_buff *skb, const struct workload *w,
			  __u32 at)
{
	struct arp_packet a;
	struct addr sender;

	if (bpf_skb_load_bytes(skb, at, &a, sizeof(a)) ||
	    a.protocol != bpf_htons(ETH_P_IP) || a.ip_len != 4 ||
	    a.mac_len != 6)
		return false;
	sender = addr_from4(a.sender_ip);
	if (w && mac_number(w->mac) &&
	    mac_number(w->mac) != mac_number(a.sender_mac))
		return false;
	return !a.sender_ip || workload_may_claim(w, &sender);
}

/* What an advertisement begins with (RFC 4861, 4.4). */
struct neighbour {
	struct icmp_header icmp;
	struct addr target;
};

/*
 * The same in IPv6, of whom the header at at has proto behind it: does w speak
 * for no neighbour but itself, and for no router? Who asks for an address from
 * none says that he is about to have it. Behind more headers than are walked
 * through, nobody has anything to say.
 */
__global int neighbour_is_right(struct __sk_buff *skb, const struct workload *w,
				__u32 at, __u32 proto)
{
	struct ip6_walk walk = {
		.at = at + sizeof(struct ipv6hdr),
		.proto = proto,
	};
	const struct bytes in = { skb, HOOK_TC };
	struct neighbour n = {};
	struct addr src;

	if (ip6_walk(&in, &walk) != REASON_NONE ||
	    bpf_skb_load_bytes(skb, at + offsetof(struct ipv6hdr, saddr), &src,
			       sizeof(src)))
		return false;
	if (walk.proto != IPPROTO_ICMPV6 || walk.fragment == FRAGMENT_LATER)
		return !is_ip6_ext(walk.proto);
	if (bpf_skb_load_bytes(skb, walk.at, &n.icmp, sizeof(n.icmp)))
		return false;
	if (n.icmp.type == NDISC_ROUTER_ADVERTISEMENT ||
	    n.icmp.type == NDISC_REDIRECT)
		return false;
	if (n.icmp.type != NDISC_NEIGHBOUR_ADVERTISEMENT &&
	    (n.icmp.type != NDISC_NEIGHBOUR_SOLICITATION ||
	     !addr_is_zero(&src)))
		return true;
	return !bpf_skb_load_bytes(skb, walk.at, &n, sizeof(n)) &&
	       workload_may_claim(w, &n.target);
}

/* So much of a bucket that fills at a rate of per_s, as limit_take(); what is
 * more than a second's worth passes if the bucket is full. */
static __always_inline bool workload_take(__u64 *due, __u64 amount,
					  __u64 per_s)
{
	__u64 now = limit_now(), was, from, cost;

	if (!per_s)
		return true;
	cost = amount * LIMIT_SECOND / per_s;
	for (int i = 0; i < LIMIT_ATTEMPTS; i++) {
		was = READ_ONCE(*due);
		from = was > now ? was : now;
		if (from + (cost < LIMIT_SECOND ? cost : LIMIT_SECOND) >
		    now + LIMIT_SECOND)
			return false;
		if (__sync_val_compare_and_swap(due, was, from + cost) == was)
			return true;
	}
	return false;
}

/* Packets and bytes that a workload sends. */
__global int workload_may_send(__u32 index, __u32 packets, __u32 bytes)
{
	struct workload_limit *limit;
	const struct workload *w = workload_at(index);

	limit = bpf_map_lookup_elem(&workload_limits, &index);
	return w && limit &&
	       workload_take(&limit->packets, packets, w->packets_per_s) &&
	       workload_take(&limit->bytes, bytes, w->bytes_per_s);
}

/* And connections that it begins. */
__global int workload_may_begin(__u32 index)
{
	struct workload_limit *limit;
	const struct workload *w = workload_at(index);

	if (!w)
		return true;
	if (w->flags & WORKLOAD_FULL)
		return false;
	if (!w->conns_per_s)
		return true;
	limit = bpf_map_lookup_elem(&workload_limits, &index);
	return limit && workload_take(&limit->conns, 1, w->conns_per_s);
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

static __always_inline bool source_is_spoofed(struct __sk_buff *skb,
					      const struct workload *w,
					      const struct frame *f,
					      const bool v6)
{
	const __u8 proto = first_proto(f, v6);

	if (w && (!workload_has_mac(w, f->pkt) ||
		  (!workload_has_no_addrs(w) && !source_is_right(w, f, v6))))
		return true;
	return v6 && (proto == IPPROTO_ICMPV6 || is_ip6_ext(proto)) &&
	       !neighbour_is_right(skb, w, f->pkt->l2_len, proto);
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

/* What neighbours say to one another: discovery, and, which it does not work
 * without where switches listen, who is in which of its groups (RFC 4861; RFC
 * 3810, 5: never sent on). No router has seen it. */
static __always_inline bool police_is_neighbours(const struct frame *f,
						 __u8 type)
{
	const struct ipv6hdr *ip = f->l3;

	if (type >= NDISC_ROUTER_SOLICITATION && type <= NDISC_REDIRECT)
		return ip->hop_limit == 255;
	return icmp_is_neighbours(type, true) && ip->hop_limit == 1 &&
	       addr_is_of_link(&f->pkt->flow.dst);
}

/* Is f to be sent on, to another link? As far as its MAC says: that of a bridge
 * is not known. Nothing that neighbours say is. */
static __always_inline bool police_is_routed(const struct __sk_buff *skb,
					     const struct police *l,
					     const struct frame *f)
{
	const struct addr *dst = &f->pkt->flow.dst;

	return l->direction == POLICY_OUT && skb->pkt_type == PACKET_HOST &&
	       !addr_is_of_link(dst) && !addr_is_link_local6(dst) &&
	       !(policy_peer(dst) & PEER_HOST);
}

static __always_inline bool icmp_is_echo(__u8 type, const bool v6)
{
	return v6 ? type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY :
		    type == ICMP_ECHO || type == ICMP_ECHOREPLY;
}

/* That a packet was too large, its sender has to know whichever router says
 * so. */
static __always_inline bool icmp_is_size(__u8 type, __u8 code, const bool v6)
{
	return v6 ? type == ICMPV6_PKT_TOOBIG :
		    type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED;
}

/* The flow that an error at p is about, in p->flow; p->is_error, if it is one of
 * whom the error goes to. An echo's has its id for ports. */
static __always_inline void police_quoted(struct __sk_buff *skb,
					  struct police *l, struct pkt *p,
					  const bool v6)
{
	__u32 at = p->l2_len + p->l4_off + 8;
	__be16 id = 0;

	if (parse_quoted_tc(skb, p, v6) != REASON_NONE ||
	    !addr_eq(&p->flow.dst, &l->outer_dst)) {
		p->is_error = false;
		p->flow.src = l->outer_src;
		p->flow.dst = l->outer_dst;
		p->flow.proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		p->flow.sport = p->flow.dport = 0;
		return;
	}
	if (proto_has_ports(p->flow.proto))
		return;
	if (p->flow.proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		bpf_skb_load_bytes(skb, at + p->quoted_len + 4, &id,
				   sizeof(id));
	p->flow.sport = p->flow.dport = id;
}

/* ICMP. False: it is not judged. */
static __always_inline bool police_icmp(struct __sk_buff *skb,
					struct police *l, struct frame *f,
					const bool v6)
{
	const struct icmp_header *icmp = f->l4;
	struct pkt *p = f->pkt;
	__u8 type, code;

	/* Verifier: it reads the protocol anew, and does not know that what has
	 * this one was found to be long enough */
	if (!icmp || !pkt_has(f, icmp, sizeof(*icmp)))
		return true;
	type = icmp->type;
	code = icmp->code;
	if (v6 && !p->fragment && police_is_neighbours(f, type) &&
	    !police_is_routed(skb, l, f))
		return false;
	if (icmp_is_echo(type, v6)) {
		p->flow.sport = *(const __be16 *)&icmp->info;
		p->flow.dport = p->flow.sport;
		p->opens = type == (v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO);
		return true;
	}
	l->is_lone = true;
	if (!icmp_is_error(type, v6) || p->fragment)
		return true;
	police_quoted(skb, l, p, v6);
	l->is_size = p->is_error && icmp_is_size(type, code, v6);
	return true;
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

/* The other end of l's flow: its address. */
static __always_inline const struct addr *police_peer(const struct police *l)
{
	return l->direction == POLICY_OUT ? &l->flow.dst : &l->flow.src;
}

/* As if the flow ran so: does the workload's own policy allow it? */
static __always_inline bool police_allows(struct police *l, bool is_reply,
					  __u32 peer)
{
	__be16 port = is_reply ? l->flow.sport : l->flow.dport;
	__u32 target;

	l->is_reply = is_reply;
	target = peers_slot(l) ? (__u32)l->targets : l->targets >> 32;
	l->target = 0;
	l->rule = l->audited = POLICY_NO_RULE;
	return !target ||
	       policy_allows(l, target, peer,
			     policy_port_index(l->flow.proto,
					       bpf_ntohs(port)));
}

/* Does a packet of l's protocol say whether it begins something? Of others,
 * datagrams say, any may. */
static __always_inline bool police_says(const struct police *l)
{
	return l->flow.proto == IPPROTO_TCP || l->flow.proto == IPPROTO_SCTP;
}

/* What is under way, and older than the policy, may have begun at either end. */
static __always_inline bool police_adopts(const struct police *l)
{
	const struct workload *w = workload_at(l->index);

	return w && w->adopt_until_s && police_says(l) && !l->opens &&
	       !l->is_known &&
	       !l->is_lone &&
	       (__s32)(READ_ONCE(w->adopt_until_s) - now_s()) > 0;
}

/* Linux takes a client's port from 32768 on, IANA's begin at 49152. */
static __always_inline bool port_is_clients(__be16 port)
{
	return port & bpf_htons(0x8000);
}

/* What is adopted began at the end whose port is a client's. False: both are, or
 * neither, and l is as it was. */
static __always_inline bool police_guesses(struct police *l)
{
	const bool is_clients = port_is_clients(l->flow.sport);
	const bool is_servers = port_is_clients(l->flow.dport);

	if (is_clients == is_servers)
		return false;
	l->is_reply = is_servers;
	return true;
}

/* Self, and who is on its host. A source may be forged: what the host sends was
 * known by where it came from, and so is what comes back to who sent it, but
 * for what NAT knows the client of. */
static __always_inline bool police_is_free(const struct police *l, __u32 peer)
{
	const struct workload *w = workload_at(l->index);

	if (l->direction == POLICY_OUT && peer & PEER_HOST)
		return true;
	return (l->direction == POLICY_OUT || l->is_real) && w &&
	       workload_has(w, police_peer(l));
}

/*
 * A datagram that seems to answer what this workload was never asked about, or
 * refused: the other end uses the same ports, and was recorded as the client,
 * for no better reason than that it spoke first. May the workload, or who
 * speaks to it, do so himself?
 */
static __always_inline bool police_allows_itself(struct police *l, __u32 peer)
{
	bool allowed;

	if (!l->is_known || !l->is_unasked || !l->is_reply || police_says(l))
		return false;
	allowed = police_allows(l, false, peer);
	if (!allowed)	/* it is refused for what it seems to be */
		police_allows(l, true, peer);
	return allowed;
}

/* l's flow is neither known nor free. Is it allowed? */
__global int police_decides(struct police *l)
{
	enum policy_direction direction;
	bool allowed, is_either, was_reply;
	__u32 peer, flags, rule;

	if (!l)
		return false;
	peer = policy_peer(police_peer(l));
	if (police_is_free(l, peer))
		return true;
	is_either = police_adopts(l) && !police_guesses(l);
	was_reply = l->is_known && l->is_reply;
	allowed = police_allows(l, l->is_reply, peer) ||
		  police_allows_itself(l, peer);
	if (!allowed && is_either) {
		allowed = police_allows(l, true, peer);
		if (!allowed)	/* it is refused for what it seems to be */
			police_allows(l, false, peer);
	}
	direction = peers_slot(l) ? POLICY_IN : POLICY_OUT;
	l->is_reply |= was_reply;	/* as it is recorded */
	rule = l->rule;
	flags = (allowed ? 0 : POLICY_EVENT_DENIED) |
		(l->is_known ? POLICY_EVENT_LIVE : 0);
	policy_report(l, rule, direction, flags);
	if (allowed && l->audited != POLICY_NO_RULE)
		policy_report(l, l->audited, direction,
			      flags | POLICY_EVENT_AUDIT);
	return allowed;
}

/* Nothing but the host. */
static __always_inline enum reason police_closed(struct scratch *s)
{
	const struct police *l = &s->police;

	return l->direction == POLICY_OUT &&
			       policy_peer(&l->flow.dst) & PEER_HOST ?
		       REASON_NONE :
		       police_drop(s, POLICY_UNKNOWN, REASON_CLOSED);
}

/* A flow to the workload from an address of ours is known by the real one; or
 * by it, an error about one. */
static __always_inline bool police_knows_real(const struct pkt *p,
					      struct police *l)
{
	const struct runtime *rt = map_only(runtime);
	const struct addr *src = &l->flow.src;
	const __u8 class = rt && rt->has_prefixes ? VIP_PREFIXES : 0;
	int state;

	if (l->direction != POLICY_IN || l->is_known ||
	    !is_own(src, hash_src(hash_key, src), class) || !peers_real(l))
		return false;
	l->is_real = true;
	state = peers_find(p, l);
	l->is_known = state == PEERS_STALE;
	return state == PEERS_KNOWN;
}

/* An error about nothing that is known is as any other packet between those
 * whose addresses it has. */
static __always_inline void police_outer(struct scratch *s)
{
	struct police *l = &s->police;

	l->flow.src = l->outer_src;
	l->flow.dst = l->outer_dst;
	l->flow.sport = l->flow.dport = 0;
	l->flow.proto = l->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	l->is_reply = false;
}

/* Does the workload begin a connection? What is under way, and not known any
 * more, is none. */
static __always_inline bool police_begins(const struct police *l)
{
	return !l->is_known && !peers_slot(l) &&
	       (l->opens || !police_says(l));
}

/* An error about a size that need not be about anything known: a router's. */
static __always_inline bool police_is_size(const struct police *l)
{
	return l->is_size && (l->direction == POLICY_IN ||
			      l->flags & WORKLOAD_SPOOFS);
}

/* REASON_NONE: the packet in s, of a flow that is not known to be allowed,
 * goes on. */
static __always_inline enum reason police_verdict(struct scratch *s)
{
	struct police *l = &s->police;

	if (l->flags & WORKLOAD_CLOSED)
		return police_closed(s);
	if (police_knows_real(&s->pkt, l) || police_is_size(l))
		return REASON_NONE;
	if (s->pkt.is_error)
		police_outer(s);
	if (!police_decides(l))
		return REASON_POLICY;
	if (l->is_lone)
		return REASON_NONE;
	if (police_begins(l) && !workload_may_begin(l->index))
		return police_drop(s, POLICY_LIMITED, REASON_WORKLOAD_LIMIT);
	peers_record(&s->pkt, l);
	return REASON_NONE;
}

static __always_inline enum reason police_judge(struct __sk_buff *skb,
						struct scratch *s)
{
	enum reason why = police_verdict(s);

	return why == REASON_NONE ? police_pass(skb, s) : why;
}

#endif
