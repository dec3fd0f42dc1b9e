// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Both ends of scripts/bench pktgen, attached by pktgen_ways.sh. The cable
 * makes frames, as from a card's driver, out of pktgen's socket buffers: those
 * are shared with pktgen while they are on their way, so that who wants to
 * write into one has to copy it, and generic XDP of Linux 6.1 panics. The sink
 * counts what a balancer sent there, UDP as it is or in a tunnel, and ends it;
 * all else, such as ARP, has to pass. pktgen.py reads the count.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define CABLE_END 100	/* the index of its other end, as pktgen_ways.sh says */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} received SEC(".maps");

static __always_inline int protocol(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if ((void *)(ip + 1) > end)
		return -1;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return ip->protocol;
	if (eth->h_proto != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end)
		return -1;
	return ip6->nexthdr;
}

static __always_inline bool count(void *data, void *end)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&received, &zero);

	switch (protocol(data, end)) {
	case IPPROTO_UDP:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		if (n)
			++*n;
		return true;
	default:
		return false;
	}
}

SEC("xdp")
int cable(struct xdp_md *ctx)
{
	return bpf_redirect(CABLE_END, 0);
}

/* In tc: XDP would cost packets that a stack has sent a copy, others
 * nothing. */
SEC("tc")
int sink_tc(struct __sk_buff *skb)
{
	return count((void *)(long)skb->data, (void *)(long)skb->data_end) ?
		       TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
