/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is behind an interface, what is his, and what he may send and begin (of
 * limits, user/ counts the open connections). All of it is of the workload
 * alone; what policies say of him is policy.h's.
 */
#ifndef FAIRLEAD_BPF_WORKLOAD_H
#define FAIRLEAD_BPF_WORKLOAD_H

#include <fairlead/policy.h>

#include "addr.h"
#include "ingress.h"
#include "limit.h"
#include "lookup.h"
#include "maps.h"
#include "parse.h"

/* What a workload and an interface are, found by the latter; 0: none is. */
__global __u32 workload_of(__u32 ifindex)
{
	const __u64 word = workload_word(ifindex, 0);
	const struct word_bucket *b;
	__u32 idx, index;

	for (int probe = 0; probe < WORD_PROBES; probe++) {
		idx = (word_bucket_of(word, WORKLOAD_BUCKETS) + probe) &
		      (WORKLOAD_BUCKETS - 1);
		b = bpf_map_lookup_elem(&workload_cells, &idx);
		index = b ? bucket_find(b, word, 32) : 0;
		if (index)
			return index;
	}
	return 0;
}

static __always_inline const struct workload *workload_at(__u32 index)
{
	return index ? bpf_map_lookup_elem(&workloads, &index) : NULL;
}

/* Zero, which is where it has none, it has not. */
static __always_inline bool workload_has(const struct workload *w,
					 const struct addr *a)
{
	return !addr_is_zero(a) &&
	       (addr_eq(&w->addr[0], a) || addr_eq(&w->addr[1], a) ||
		addr_eq(&w->addr[2], a) || addr_eq(&w->addr[3], a));
}

static __always_inline bool workload_has_mac(const struct workload *w,
					     const struct pkt *p)
{
	/* flags and mac are one word, as are the sender's and a link of 0 */
	__u64 mac = READ_ONCE(*(const __u64 *)&w->flags) >> 16;

	_Static_assert(offsetof(struct workload, flags) % 8 == 0 &&
		       offsetof(struct workload, mac) ==
		       offsetof(struct workload, flags) + 2, "a word");
	return !mac || mac == *(const __u64 *)&p->from;
}

/* Of a workload that is closed, they may not be known yet. */
static __always_inline bool workload_has_no_addrs(const struct workload *w)
{
	return w->flags & WORKLOAD_CLOSED && addr_is_zero(&w->addr[0]);
}

/* So much of a bucket that fills at a rate of per_s, as limit_take(); what is
 * more than a second's worth passes if the bucket is full. */
static __always_inline bool workload_take(__u64 *due, __u64 amount,
					  __u64 per_s)
{
	__u64 now = limit_now(), was, from, cost;

	if (!per_s)
		return true;
	cost = amount * LIMIT_SECOND / per_s;
	for (int i = 0; i < LIMIT_ATTEMPTS; i++) {
		was = READ_ONCE(*due);
		from = was > now ? was : now;
		if (from + (cost < LIMIT_SECOND ? cost : LIMIT_SECOND) >
		    now + LIMIT_SECOND)
			return false;
		if (__sync_val_compare_and_swap(due, was, from + cost) == was)
			return true;
	}
	return false;
}

/* Packets and bytes that a workload sends. */
__global int workload_may_send(__u32 index, __u32 packets, __u32 bytes)
{
	struct workload_limit *limit;
	const struct workload *w = workload_at(index);

	limit = bpf_map_lookup_elem(&workload_limits, &index);
	return w && limit &&
	       workload_take(&limit->packets, packets, w->packets_per_s) &&
	       workload_take(&limit->bytes, bytes, w->bytes_per_s);
}

/* And connections that it begins. */
__global int workload_may_begin(__u32 index)
{
	struct workload_limit *limit;
	const struct workload *w = workload_at(index);

	if (!w)
		return true;
	if (w->flags & WORKLOAD_FULL)
		return false;
	if (!w->conns_per_s)
		return true;
	limit = bpf_map_lookup_elem(&workload_limits, &index);
	return limit && workload_take(&limit->conns, 1, w->conns_per_s);
}

#endif
