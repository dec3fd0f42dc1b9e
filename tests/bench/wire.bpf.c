// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The two ends of a wire with a balancer between: wire_send makes packets of
 * many flows out of live frames (BPF_F_TEST_XDP_LIVE_FRAMES), wire_count
 * counts what arrives and ends it, wire_echo sends it back. Frames are used
 * again with what others wrote into them, so all of a packet is written each
 * time.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire);
} wire SEC(".maps");

static const __u32 zero;

SEC("xdp")
int wire_send(struct xdp_md *ctx)
{
	__u32 *to = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct wire *w = bpf_map_lookup_elem(&wire, &zero);
	const struct wire_packet *p;

	if (!w || to + WIRE_WORDS > end)
		return XDP_DROP;
	p = &w->packets[w->sent++ % WIRE_FLOWS];
#pragma clang loop unroll(full)
	for (int i = 0; i < WIRE_WORDS; i++)
		to[i] = p->word[i];
	return XDP_TX;
}

/* UDP as it was sent or in a tunnel; ARP and the like have to pass. */
static __always_inline bool count(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct wire *w = bpf_map_lookup_elem(&wire, &zero);

	if (!w || (void *)(ip + 1) > end)
		return false;
	if (eth->h_proto != bpf_htons(ETH_P_IP) ||
	    (ip->protocol != IPPROTO_UDP && ip->protocol != IPPROTO_IPIP))
		return false;
	w->received++;
	return true;
}

/* In tc, where every packet has a socket buffer, whoever has sent it: XDP would
 * cost those that a stack has sent a copy, and the others nothing. */
SEC("tc")
int wire_count(struct __sk_buff *skb)
{
	return count((void *)(long)skb->data, (void *)(long)skb->data_end) ?
		       TC_ACT_SHOT : TC_ACT_OK;
}

/* A server that says what it hears: addresses and ports change places, which
 * no checksum notices. */
SEC("tc")
int wire_echo(struct __sk_buff *skb)
{
	struct ethhdr *eth = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__be32 address;
	__be16 port;
	__u8 mac[ETH_ALEN];

	if ((void *)(udp + 1) > (void *)(long)skb->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP)
		return TC_ACT_OK;
	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
	address = ip->daddr;
	ip->daddr = ip->saddr;
	ip->saddr = address;
	port = udp->dest;
	udp->dest = udp->source;
	udp->source = port;
	return bpf_redirect(skb->ifindex, 0);
}

/* So that a veth takes what XDP sends into its peer. */
SEC("xdp")
int wire_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
