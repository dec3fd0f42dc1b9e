/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP of those who are policed: what neighbours say is not judged, an echo is
 * known by its id, and an error by what it is about.
 */
#ifndef FAIRLEAD_BPF_POLICE_ICMP_H
#define FAIRLEAD_BPF_POLICE_ICMP_H

#include <linux/if_packet.h>

#include "filters.h"
#include "icmp.h"
#include "policy.h"
#include "skb.h"

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

#endif
