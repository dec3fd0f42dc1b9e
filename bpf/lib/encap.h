/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer headers of tunnels: IP, then what the kind of tunnel puts between
 * (nothing, UDP, GRE, UDP and Geneve). The sender's entropy goes into the UDP
 * source port, the IPv6 flow label and, where the node has a range for it, the
 * source address, so that receivers spread flows over queues.
 */
#ifndef FAIRLEAD_BPF_ENCAP_H
#define FAIRLEAD_BPF_ENCAP_H

#include "csum.h"
#include "egress.h"
#include "parse.h"

struct geneve {
	__u8 options;
	__u8 flags;
	__be16 proto;
	__be32 vni;		/* high 24 bits */
};

struct gre {
	__be16 flags;
	__be16 proto;
};

/* Bytes between the outer IP header and the inner one. */
static __always_inline __u32 encap_len(enum forward forward)
{
	switch (forward) {
	case FORWARD_GUE:
		return sizeof(struct udphdr);
	case FORWARD_GRE:
		return sizeof(struct gre);
	case FORWARD_GENEVE:
		return sizeof(struct udphdr) + sizeof(struct geneve);
	default:
		return 0;
	}
}

static __always_inline __u8 encap_proto(enum forward forward, const bool v6)
{
	switch (forward) {
	case FORWARD_GUE:
	case FORWARD_GENEVE:
		return IPPROTO_UDP;
	case FORWARD_GRE:
		return IPPROTO_GRE;
	default:
		return v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	}
}

struct outer {
	const struct addr *dst;
	const struct addr *src;	/* with has_src; else our end of the tunnel */
	__u32 entropy;
	__u16 len;		/* of what follows the outer IP header */
	__u8 proto;
	__u8 tos;
	bool has_src;
};

/* e->src, our end of the tunnel: configured, with bits of entropy, or the
 * link's. False: neither is known. */
static __always_inline bool outer_src(struct egress *e, const struct outer *o,
				      const bool v6)
{
	const struct runtime *rt = map_only(runtime);
	__u32 bits, idx = e->link;
	const struct link *link = bpf_map_lookup_elem(&links, &idx);

	if (!rt || !link)
		return false;
	if (o->has_src) {
		e->src = *o->src;
		return true;
	}
	if (!(v6 ? rt->tunnel6.word[0] : rt->tunnel4.word[3])) {
		e->src = v6 ? link->addr6 : link->addr4;
		return e->src.word[v6 ? 0 : 3];
	}
	bits = v6 ? rt->tunnel6_bits : rt->tunnel4_bits;
	e->src = v6 ? rt->tunnel6 : rt->tunnel4;
	e->src.word[3] |= bpf_htonl(o->entropy &
				    (__u32)((1ull << (bits & 63)) - 1));
	return true;
}

static __always_inline void outer4(struct iphdr *ip, const struct addr *src,
				   const struct outer *o)
{
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = o->tos;
	ip->tot_len = bpf_htons(sizeof(*ip) + o->len);
	ip->id = 0;
	ip->frag_off = bpf_htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = o->proto;
	ip->check = 0;
	ip->saddr = src->word[3];
	ip->daddr = o->dst->word[3];
	ip->check = ~csum_fold(csum_ip4(ip));
}

static __always_inline void outer6(struct ipv6hdr *ip, const struct addr *src,
				   const struct outer *o)
{
	*(__be32 *)ip = bpf_htonl(6u << 28 | (__u32)o->tos << 20 |
				  (o->entropy & 0xfffff));
	ip->payload_len = bpf_htons(o->len);
	ip->nexthdr = o->proto;
	ip->hop_limit = 64;
	__builtin_memcpy(&ip->saddr, src, sizeof(*src));
	__builtin_memcpy(&ip->daddr, o->dst, sizeof(*o->dst));
}

/* No checksum: RFC 6935 and 6936 allow it for tunnels over IPv6 as well. */
static __always_inline void outer_udp(struct udphdr *udp, __u16 len,
				      __u16 port, __u32 entropy)
{
	udp->source = bpf_htons(0xc000 | (entropy & 0x3fff));
	udp->dest = bpf_htons(port);
	udp->len = bpf_htons(len);
	udp->check = 0;
}

/* What stands between IP headers, at at. False: no room, which cannot be. */
static __always_inline bool encap_middle(struct frame *f, void *at,
					 enum forward forward,
					 const struct outer *o, __be16 inner)
{
	const struct runtime *rt = map_only(runtime);
	struct geneve *geneve = at + sizeof(struct udphdr);
	struct gre *gre = at;

	if (!rt)
		return false;
	switch (forward) {
	case FORWARD_GUE:
		if (!pkt_has(f, at, sizeof(struct udphdr)))
			return false;
		outer_udp(at, o->len, rt->gue_port, o->entropy);
		return true;
	case FORWARD_GENEVE:
		if (!pkt_has(f, at, sizeof(struct udphdr) + sizeof(*geneve)))
			return false;
		outer_udp(at, o->len, rt->geneve_port, o->entropy);
		*geneve = (struct geneve){
			.proto = inner,
			.vni = bpf_htonl(rt->geneve_vni << 8),
		};
		return true;
	case FORWARD_GRE:
		if (!pkt_has(f, gre, sizeof(*gre)))
			return false;
		*gre = (struct gre){ .proto = inner };
		return true;
	default:
		return true;
	}
}

/* Wrap f into the tunnel; v6: of the outer header. inner: ETH_P_ of f. */
static __always_inline enum reason encap(struct xdp_md *ctx, struct frame *f,
					 struct egress *e,
					 enum forward forward, struct outer *o,
					 __be16 inner, const bool v6)
{
	const __u32 ip_len = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 middle = encap_len(forward);

	o->len = f->pkt->l3_len + middle;
	o->proto = encap_proto(forward, inner == bpf_htons(ETH_P_IPV6));
	if (!outer_src(e, o, v6))
		return REASON_NO_SOURCE;
	if (!egress_push(ctx, f, e, ip_len + middle,
			 v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)) ||
	    !pkt_has(f, f->l3, ip_len))
		return REASON_INTERNAL;
	if (v6)
		outer6(f->l3, &e->src, o);
	else
		outer4(f->l3, &e->src, o);
	if (!encap_middle(f, f->l3 + ip_len, forward, o, inner))
		return REASON_INTERNAL;
	return REASON_FORWARDED;
}

#endif
