// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The backend's side of tunnels: takes off what encap.h puts on (IPIP in any
 * pair of families, GUE variant 1, GRE, Geneve) and hands the inner packet to
 * the host, which owns the service's address. What is no tunnel packet, is for
 * another port or for another host passes untouched.
 *
 * What a packet costs
 *   no tunnel's	no look-up: its headers alone
 *   a tunnel's		1 look-up in a hash map, of the few addresses where
 *			these end; to one of them 1 helper, to move the head
 * By tc bpf_skb_pull_data() besides, for each packet.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "lib/decap.h"

/* Outer IPv6, UDP, Geneve with all its options, inner IPv6. */
#define HEADERS_MAX (ETH_HLEN + 40 + 8 + 8 + 63 * 4 + 40)

#define TCX_NEXT (-1)
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV4_FLAG (1ull << 7)	/* 6.3 */
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV6_FLAG (1ull << 8)

SEC("xdp")
int fl_decap_xdp(struct xdp_md *ctx)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	struct ethhdr eth, *new;
	struct tunnel t;
	__be16 proto;
	__u32 delta;

	if (parse_eth(&f, ctx->data, ctx->data_end, &proto) != REASON_NONE)
		return XDP_PASS;
	t = tunnel_find(&f, proto);
	/* tags would have to move as well; a VLAN's own interface has none */
	if (!t.inner || p.l2_len != ETH_HLEN)
		return XDP_PASS;
	if (!tunnel_mark(&f, &t, &delta))
		return XDP_DROP;
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
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	struct tunnel t;
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	__be16 proto;
	__u32 delta;

	bpf_skb_pull_data(skb, skb->len < HEADERS_MAX ? skb->len : HEADERS_MAX);
	if (parse_eth(&f, skb->data, skb->data_end, &proto) != REASON_NONE)
		return TCX_NEXT;
	t = tunnel_find(&f, proto);
	if (!t.inner || p.l2_len != ETH_HLEN)
		return TCX_NEXT;
	if (!tunnel_mark(&f, &t, &delta))
		return TC_ACT_SHOT;
	if (delta)		/* a device may have summed up the packet */
		bpf_csum_update(skb, delta);
	if (t.inner != proto)
		flags |= t.inner == bpf_htons(ETH_P_IP) ?
				 BPF_F_ADJ_ROOM_DECAP_L3_IPV4_FLAG :
				 BPF_F_ADJ_ROOM_DECAP_L3_IPV6_FLAG;
	return bpf_skb_adjust_room(skb, -(int)t.len, BPF_ADJ_ROOM_MAC, flags) ?
		       TC_ACT_SHOT : TCX_NEXT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
