/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors about the outer packets of our tunnels: a router on the way to a
 * backend says that they are too big. They are for an address that no service
 * has, so they are met as strangers, or as what no flow is known of. User
 * space gets a copy, judges whether it is about a packet of ours, and learns
 * (user/engine/path_mtu.c); the host gets the packet itself, untouched.
 *
 * What is forged costs a copy, of which there are only so many a second.
 */
#ifndef FAIRLEAD_BPF_TUNNEL_ERROR_H
#define FAIRLEAD_BPF_TUNNEL_ERROR_H

#include "fragment.h"
#include "limit.h"
#include "parse.h"
#include "scratch.h"

#define TUNNEL_ERRORS_PER_S 100
#define TUNNEL_ERRORS_NETWORK_PER_S 20

/* Does somebody complain about the size of a packet? */
static __always_inline bool is_size_error(const struct frame *f, const bool v6)
{
	const __u32 len = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const struct icmp_header *icmp = f->l3 + len;
	const struct ipv6hdr *ip6 = f->l3;
	const struct iphdr *ip4 = f->l3;

	if (!pkt_has(f, f->l3, len + 8))
		return false;
	if (v6)
		return ip6->nexthdr == IPPROTO_ICMPV6 &&
		       icmp->type == ICMPV6_PKT_TOOBIG;
	return ip4->protocol == IPPROTO_ICMP && ip4->ihl == 5 &&
	       !(ip4->frag_off & bpf_htons(IP_MF | IP_OFFSET)) &&
	       icmp->type == ICMP_DEST_UNREACH &&
	       icmp->code == ICMP_FRAG_NEEDED;
}

/* Could our tunnels' packets have this source? */
static __always_inline bool is_tunnel_source(const struct addr *a,
					     const bool v6)
{
	const struct runtime *rt = map_only(runtime);
	const struct addr *from = !rt ? NULL : v6 ? &rt->tunnel6 : &rt->tunnel4;
	__u32 bits, mask;

	if (!from)
		return false;
	if (!(v6 ? from->word[0] : from->word[3]))
		return true;	/* a link's own address: user space knows */
	bits = v6 ? rt->tunnel6_bits : rt->tunnel4_bits;
	mask = bpf_htonl((__u32)((1ull << (bits & 63)) - 1));
	return a->word[0] == from->word[0] && a->word[1] == from->word[1] &&
	       a->word[2] == from->word[2] &&
	       !((a->word[3] ^ from->word[3]) & ~mask);
}

/* A protocol that our tunnels have, and if it is UDP, a port; at: of what
 * follows the quoted IP header. */
static __always_inline bool is_tunnel_proto(struct xdp_md *ctx, __u8 proto,
					    __u32 at)
{
	const struct runtime *rt = map_only(runtime);
	struct ports ports;

	switch (proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		return true;
	case IPPROTO_UDP:
		return rt && !bpf_xdp_load_bytes(ctx, at, &ports,
						 sizeof(ports)) &&
		       (ports.dst == bpf_htons(rt->gue_port) ||
			ports.dst == bpf_htons(rt->geneve_port));
	default:
		return false;
	}
}

/* Is the packet that the error at p quotes a tunnel's, from where the error
 * came to? */
static __always_inline bool quotes_tunnel(struct xdp_md *ctx,
					  const struct pkt *p, const bool v6)
{
	__u32 at = p->l2_len + 8 + (v6 ? sizeof(struct ipv6hdr) :
					 sizeof(struct iphdr));
	struct scratch *s = map_only(scratch);
	struct addr src;

	if (!s)
		return false;
	if (v6) {
		if (bpf_xdp_load_bytes(ctx, at, &s->ip6, sizeof(s->ip6)))
			return false;
		src = addr_from6(&s->ip6.saddr);
		return addr_eq(&src, &p->flow.dst) &&
		       is_tunnel_proto(ctx, s->ip6.nexthdr,
				       at + sizeof(s->ip6));
	}
	if (bpf_xdp_load_bytes(ctx, at, &s->ip4, sizeof(s->ip4)))
		return false;
	src = addr_from4(s->ip4.saddr);
	return s->ip4.ihl == 5 && addr_eq(&src, &p->flow.dst) &&
	       is_tunnel_proto(ctx, s->ip4.protocol, at + sizeof(s->ip4));
}

/* What becomes of an error for which otherwise would be counted. */
static __always_inline int tunnel_error(struct xdp_md *ctx,
					const struct pkt *p, int otherwise,
					const bool v6)
{
	if (!is_tunnel_source(&p->flow.dst, v6) || !quotes_tunnel(ctx, p, v6) ||
	    !limit_take(limit_bucket(&p->flow.src),
			TUNNEL_ERRORS_NETWORK_PER_S) ||
	    !limit_take(LIMIT_BUCKETS + LIMIT_TUNNEL_ERRORS,
			TUNNEL_ERRORS_PER_S) ||
	    fragment_keep(ctx, 0, FRAME_ERROR) != REASON_TUNNEL_ERROR)
		return otherwise;
	return REASON_TUNNEL_ERROR;
}

#endif
