// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * In front of fl_pod_in and fl_pod_out: BPF_PROG_TEST_RUN repeats on one
 * buffer, which these two leave as it is, so each repetition begins by making
 * the packet the next flow's. What that costs is measured by going on to a
 * program that does nothing.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "policy_bench.h"

#define TCX_NEXT (-1)
#define TCX_DROP 2

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct policy_bench);
} policy_bench SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NR_POLICY_BENCH);
	__type(key, __u32);
	__type(value, __u32);
} policy_bench_to SEC(".maps");

static const __u32 zero;

/* As in bench.bpf.c, an atomic operation waits until what was stored is where a
 * larger load finds it. */
static __always_inline void packet_next(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct policy_bench *b;
	__be16 *port = data + ETH_HLEN + sizeof(struct iphdr);
	__u32 flow;

	b = bpf_map_lookup_elem(&policy_bench, &zero);
	if (!b)
		return;
	if (b->v6)
		port = data + ETH_HLEN + sizeof(struct ipv6hdr);
	flow = b->next * b->step & b->mask;
	if ((void *)(port + 2) <= end)
		*port = bpf_htons(POLICY_FLOWS | flow);
	__sync_fetch_and_add(&b->next, 1);
}

#define PROGRAM(name, to)						\
	SEC("tc") int bench_##name(struct __sk_buff *skb)		\
	{								\
		packet_next(skb);					\
		bpf_tail_call_static(skb, &policy_bench_to, to);	\
		return TCX_DROP;					\
	}

PROGRAM(empty, POLICY_BENCH_NOTHING)
PROGRAM(in, POLICY_BENCH_IN)
PROGRAM(out, POLICY_BENCH_OUT)

SEC("tc") int bench_nothing(struct __sk_buff *skb)
{
	return TCX_NEXT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
