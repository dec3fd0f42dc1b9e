/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tunnels from the receiver's side: is a packet one of those that encap.h
 * makes, what is inside, and what its outer congestion mark means for that.
 */
#ifndef FAIRLEAD_BPF_TUNNEL_H
#define FAIRLEAD_BPF_TUNNEL_H

#include "encap.h"
#include "parse.h"

/* An outer header found: how much to take off and what is inside. */
struct tunnel {
	__u32 len;
	__be16 inner;		/* ETH_P_*; 0: not a tunnel */
	__u8 ecn;		/* of the outer header */
};

/* GUE variant 1 has no header: the inner IP version tells (4 is 01 00). */
static __always_inline __be16 inner_of_version(const struct frame *f,
					       const void *at)
{
	if (!pkt_has(f, at, 1))
		return 0;
	switch (*(const __u8 *)at >> 4) {
	case 4:
		return bpf_htons(ETH_P_IP);
	case 6:
		return bpf_htons(ETH_P_IPV6);
	default:
		return 0;
	}
}

static __always_inline void tunnel_udp(const struct frame *f, const void *at,
				       struct tunnel *t, __u16 gue_port,
				       __u16 geneve_port)
{
	const struct udphdr *udp = at;
	const struct geneve *geneve = at + sizeof(*udp);
	__u32 len;

	if (!pkt_has(f, udp, sizeof(*udp)))
		return;
	if (udp->dest == bpf_htons(gue_port)) {
		t->len += sizeof(*udp);
		t->inner = inner_of_version(f, udp + 1);
		return;
	}
	if (udp->dest != bpf_htons(geneve_port) ||
	    !pkt_has(f, geneve, sizeof(*geneve)) || geneve->options >> 6)
		return;
	len = sizeof(*geneve) + (geneve->options & 0x3f) * 4;
	t->len += sizeof(*udp) + len;
	t->inner = geneve->proto;
}

/* What follows an outer IP header, at at. Ports: host order. */
static __always_inline void tunnel_of(const struct frame *f, const void *at,
				      __u8 proto, struct tunnel *t,
				      __u16 gue_port, __u16 geneve_port)
{
	const struct gre *gre = at;

	switch (proto) {
	case IPPROTO_IPIP:
		t->inner = bpf_htons(ETH_P_IP);
		break;
	case IPPROTO_IPV6:
		t->inner = bpf_htons(ETH_P_IPV6);
		break;
	case IPPROTO_UDP:
		tunnel_udp(f, at, t, gue_port, geneve_port);
		break;
	case IPPROTO_GRE:
		if (!pkt_has(f, gre, sizeof(*gre)) || gre->flags)
			break;
		t->len += sizeof(*gre);
		t->inner = gre->proto;
		break;
	}
	if (t->inner != bpf_htons(ETH_P_IP) &&
	    t->inner != bpf_htons(ETH_P_IPV6))
		t->inner = 0;
}

/* Is an IP header of the announced version inside? */
static __always_inline bool inner_is_there(const struct frame *f,
					   const struct tunnel *t)
{
	const __u8 *inner = f->l3 + t->len;

	if (t->inner == bpf_htons(ETH_P_IP))
		return pkt_has(f, inner, sizeof(struct iphdr)) &&
		       inner[0] >> 4 == 4;
	return pkt_has(f, inner, sizeof(struct ipv6hdr)) && inner[0] >> 4 == 6;
}

static __always_inline void tunnel_parse4(const struct frame *f,
					  struct tunnel *t, __u16 gue_port,
					  __u16 geneve_port)
{
	const struct iphdr *ip = f->l3;

	if (!pkt_has(f, ip, sizeof(*ip)) || ip->ihl != 5 ||
	    ip->frag_off & bpf_htons(IP_MF | IP_OFFSET))
		return;
	t->len = sizeof(*ip);
	t->ecn = ip->tos & 3;
	tunnel_of(f, ip + 1, ip->protocol, t, gue_port, geneve_port);
}

static __always_inline void tunnel_parse6(const struct frame *f,
					  struct tunnel *t, __u16 gue_port,
					  __u16 geneve_port)
{
	const struct ipv6hdr *ip = f->l3;

	if (!pkt_has(f, ip, sizeof(*ip)))
		return;
	t->len = sizeof(*ip);
	t->ecn = ((const __u8 *)ip)[1] >> 4 & 3;
	tunnel_of(f, ip + 1, ip->nexthdr, t, gue_port, geneve_port);
}

enum ecn { ECN_NOT_ECT, ECN_ECT1, ECN_ECT0, ECN_CE };

/* RFC 6040, 4.2, figure 4. -1: a mark on a packet whose ends would not
 * understand it; it stands for a loss. */
static __always_inline int ecn_inside(__u32 outer, __u32 inner)
{
	if (outer == ECN_CE)
		return inner == ECN_NOT_ECT ? -1 : ECN_CE;
	if (outer == ECN_ECT1 && inner == ECN_ECT0)
		return ECN_ECT1;
	return inner;
}

/*
 * The inner header takes over the outer one's mark. False: drop the packet.
 * *delta is what that adds to a sum over the whole packet; an IPv4 header's
 * own checksum takes it back out.
 */
static __always_inline bool tunnel_mark(const struct frame *f,
					const struct tunnel *t, __u32 *delta)
{
	const bool v6 = t->inner == bpf_htons(ETH_P_IPV6);
	struct iphdr *ip = f->l3 + t->len;
	const int shift = v6 ? 4 : 0;
	__u8 *second = (__u8 *)ip + 1;
	__u16 old, new;
	int ecn;

	*delta = 0;
	if (!pkt_has(f, ip, sizeof(*ip)))
		return false;
	old = *(__u16 *)ip;
	ecn = ecn_inside(t->ecn, *second >> shift & 3);
	if (ecn < 0)
		return false;
	*second = (*second & ~(3 << shift)) | ecn << shift;
	new = *(__u16 *)ip;
	if (v6)
		*delta = csum_fold(csum_delta(old, new));
	else if (new != old)
		ip->check = csum_apply(ip->check, csum_delta(old, new));
	return true;
}

#endif
