// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The backend's side of tunnels: takes off what encap.h puts on (IPIP in any
 * pair of families, GUE variant 1, GRE, Geneve) and hands the inner packet to
 * the host, which owns the service's address. What is no tunnel packet, or is
 * for another port, passes untouched.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "lib/encap.h"
#include "lib/parse.h"

#define TCX_NEXT (-1)
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV4_FLAG (1ull << 7)	/* 6.3 */
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV6_FLAG (1ull << 8)

/* Host order; see fairlead_config for how it is filled. */
const volatile __u16 decap_gue_port = 6080;
const volatile __u16 decap_geneve_port = 6081;

/* An outer header found: how much to take off and what is inside. */
struct tunnel {
	__u32 len;
	__be16 inner;		/* ETH_P_*; 0: not a tunnel */
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
				       struct tunnel *t)
{
	const struct udphdr *udp = at;
	const struct geneve *geneve = at + sizeof(*udp);
	__u32 len;

	if (!pkt_has(f, udp, sizeof(*udp)))
		return;
	if (udp->dest == bpf_htons(decap_gue_port)) {
		t->len += sizeof(*udp);
		t->inner = inner_of_version(f, udp + 1);
		return;
	}
	if (udp->dest != bpf_htons(decap_geneve_port) ||
	    !pkt_has(f, geneve, sizeof(*geneve)) || geneve->options >> 6)
		return;
	len = sizeof(*geneve) + (geneve->options & 0x3f) * 4;
	t->len += sizeof(*udp) + len;
	t->inner = geneve->proto;
}

static __always_inline void tunnel_of(const struct frame *f, const void *at,
				      __u8 proto, struct tunnel *t)
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
		tunnel_udp(f, at, t);
		break;
	case IPPROTO_GRE:
		if (!pkt_has(f, gre, sizeof(*gre)) || gre->flags)
			break;
		t->len += sizeof(*gre);
		t->inner = gre->proto;
		break;
	}
	if (t->inner != bpf_htons(ETH_P_IP) && t->inner != bpf_htons(ETH_P_IPV6))
		t->inner = 0;
}

/* t->len: from l3 to the inner packet. */
static __always_inline struct tunnel tunnel_find(const struct frame *f,
						 __be16 proto)
{
	struct ipv6hdr *ip6 = f->l3;
	struct iphdr *ip4 = f->l3;
	struct tunnel t = {};

	if (proto == bpf_htons(ETH_P_IP)) {
		if (!pkt_has(f, ip4, sizeof(*ip4)) || ip4->ihl != 5 ||
		    ip4->frag_off & bpf_htons(IP_MF | IP_OFFSET))
			return t;
		t.len = sizeof(*ip4);
		tunnel_of(f, ip4 + 1, ip4->protocol, &t);
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		if (!pkt_has(f, ip6, sizeof(*ip6)))
			return t;
		t.len = sizeof(*ip6);
		tunnel_of(f, ip6 + 1, ip6->nexthdr, &t);
	}
	return t;
}

SEC("xdp")
int fl_decap_xdp(struct xdp_md *ctx)
{
	struct frame f = {};
	struct ethhdr eth, *new;
	struct tunnel t;
	__be16 proto;

	if (parse_eth(&f, ctx->data, ctx->data_end, &proto) != REASON_NONE)
		return XDP_PASS;
	t = tunnel_find(&f, proto);
	/* tags would have to move as well; a VLAN's own interface has none */
	if (!t.inner || f.pkt.l2_len != ETH_HLEN)
		return XDP_PASS;
	new = f.data;
	if (!pkt_has(&f, new, sizeof(*new)))
		return XDP_PASS;
	eth = *new;
	eth.h_proto = t.inner;
	if (bpf_xdp_adjust_head(ctx, t.len))
		return XDP_DROP;
	f.end = (void *)(long)ctx->data_end;
	new = (void *)(long)ctx->data;
	if (!pkt_has(&f, new, sizeof(*new)))
		return XDP_DROP;
	*new = eth;
	return XDP_PASS;
}

/* Other families inside than outside need a kernel that can say so (6.3). */
SEC("tc")
int fl_decap_tc(struct __sk_buff *skb)
{
	struct frame f = {};
	struct tunnel t;
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	__be16 proto;

	bpf_skb_pull_data(skb, ETH_HLEN + 40 + 40);
	if (parse_eth(&f, skb->data, skb->data_end, &proto) != REASON_NONE)
		return TCX_NEXT;
	t = tunnel_find(&f, proto);
	if (!t.inner || f.pkt.l2_len != ETH_HLEN)
		return TCX_NEXT;
	if (t.inner != proto)
		flags |= t.inner == bpf_htons(ETH_P_IP) ?
				 BPF_F_ADJ_ROOM_DECAP_L3_IPV4_FLAG :
				 BPF_F_ADJ_ROOM_DECAP_L3_IPV6_FLAG;
	return bpf_skb_adjust_room(skb, -(int)t.len, BPF_ADJ_ROOM_MAC, flags) ?
		       TC_ACT_SHOT : TCX_NEXT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
