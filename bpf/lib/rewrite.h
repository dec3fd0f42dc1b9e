/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Struct pkt back to bytes, for XDP: plain stores, checksums by difference. */
#ifndef FAIRLEAD_BPF_REWRITE_H
#define FAIRLEAD_BPF_REWRITE_H

#include "csum.h"
#include "parse.h"

static __always_inline __u8 pkt_hops(const struct frame *f, const bool v6)
{
	return v6 ? ((struct ipv6hdr *)f->l3)->hop_limit :
		    ((struct iphdr *)f->l3)->ttl;
}

/* One hop less; the caller has seen that there are two. */
static __always_inline void rewrite_hops(const struct frame *f, const bool v6)
{
	struct ipv6hdr *ip6 = f->l3;
	struct iphdr *ip4 = f->l3;
	__u32 check;

	if (v6) {
		ip6->hop_limit--;
		return;
	}
	ip4->ttl--;
	/* its word is 0x0100 less, so the sum's complement is that much more */
	check = ip4->check + bpf_htons(0x0100);
	ip4->check = check + (check >= 0xffff);
}

static __always_inline void rewrite_ports(const struct frame *f, __u32 ports,
					  __u64 delta)
{
	__u32 old = *(__u32 *)f->l4;
	struct sctp_header *sctp = f->l4;
	struct tcphdr *tcp = f->l4;
	struct udphdr *udp = f->l4;

	delta += csum_delta(old, ports);
	*(__u32 *)f->l4 = ports;
	switch (f->pkt->flow.proto) {
	case IPPROTO_TCP:
		if (pkt_has(f, tcp, sizeof(*tcp)))
			tcp->check = csum_apply(tcp->check, delta);
		break;
	case IPPROTO_UDP:	/* 0: the sender made none (RFC 768) */
		if (udp->check)
			udp->check = csum_apply(udp->check, delta) ?: 0xffff;
		break;
	case IPPROTO_SCTP:
		if (old != ports && pkt_has(f, sctp, sizeof(*sctp)))
			sctp->check ^= crc32c_change(
				old ^ ports,
				f->pkt->l3_len - f->pkt->l4_off - 4);
		break;
	}
}

static __always_inline __u32 ports_word(__be16 sport, __be16 dport)
{
	struct ports ports = { sport, dport };

	return *(__u32 *)&ports;
}

/* Give f the addresses and ports of to; a later fragment has no ports. */
static __always_inline void rewrite_flow(const struct frame *f,
					 const struct flow *to, const bool v6)
{
	struct ipv6hdr *ip6 = f->l3;
	struct iphdr *ip4 = f->l3;
	__u64 delta;

	delta = csum_delta_addr(&f->pkt->flow.src, &to->src, v6) +
		csum_delta_addr(&f->pkt->flow.dst, &to->dst, v6);
	if (f->l4)
		rewrite_ports(f, ports_word(to->sport, to->dport), delta);
	if (v6) {
		__builtin_memcpy(&ip6->saddr, &to->src, sizeof(to->src));
		__builtin_memcpy(&ip6->daddr, &to->dst, sizeof(to->dst));
	} else {
		ip4->check = csum_apply(ip4->check, delta);
		ip4->saddr = to->src.word[3];
		ip4->daddr = to->dst.word[3];
	}
}

#endif
