/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How often we do what a stranger can make us do: answers to him (RFC 4443,
 * 2.4 f), errors handed to user space. A rate for each network that packets
 * come from, and one for all of them together. Buckets are found by a hash
 * under the secret key, so nobody can aim at another network's.
 *
 * A bucket is one word: when it will be full again, had it been taken from at
 * the full rate (the generic cell rate algorithm, ITU-T I.371). A second's
 * worth may be taken at once. No lock: a compare-and-swap.
 */
#ifndef FAIRLEAD_BPF_LIMIT_H
#define FAIRLEAD_BPF_LIMIT_H

#include "conn.h"
#include "maps.h"

#define LIMIT_BUCKETS 4096	/* power of two */
#define LIMIT_ATTEMPTS 4	/* CPUs that take from a bucket at once */
#define LIMIT_SECOND (1ull << 32)

/* What each rate in total has a bucket of its own for, behind the networks'. */
enum limit_total { LIMIT_ANSWERS, LIMIT_TUNNEL_ERRORS, NR_LIMIT_TOTALS };

/* By bpf/. Not pinned: new programs begin with full buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIMIT_BUCKETS + NR_LIMIT_TOTALS);
	__type(key, __u32);
	__type(value, __u64);
} limits __weak SEC(".maps");

/* In seconds * 2^32, from jiffies: no helper call. */
static __always_inline __u64 limit_now(void)
{
	return (bpf_jiffies64() - cfg.jiffies_start) * cfg.hz_reciprocal;
}

/* One from this bucket, which fills at a rate of per_s; 0: no limit. */
static __always_inline bool limit_take(__u32 bucket, __u32 per_s)
{
	__u64 *due = bpf_map_lookup_elem(&limits, &bucket);
	__u64 now = limit_now(), was, from;

	if (!per_s)
		return true;
	if (!due)
		return false;
	for (int i = 0; i < LIMIT_ATTEMPTS; i++) {
		was = READ_ONCE(*due);
		from = was > now ? was : now;
		from += LIMIT_SECOND / per_s;
		if (from > now + LIMIT_SECOND)
			return false;
		if (__sync_val_compare_and_swap(due, was, from) == was)
			return true;
	}
	return false;
}

/* The bucket of what an address is in: a /24 of IPv4, a /64 of IPv6. */
static __always_inline __u32 limit_bucket(const struct addr *a)
{
	const __u32 *key = hash_key;
	__u64 sum;

	if (addr_is_mapped(a))
		sum = hash_pair(key, 12, a->word[3] & bpf_htonl(~0xffu), 4);
	else
		sum = hash_pair(key, 12, a->word[0], a->word[1]) +
		      hash_pair(key, 14, 6, 6);
	return hash_mix(sum) & (LIMIT_BUCKETS - 1);
}

/* May src's network have one more answer? */
__global int limit_answers(const struct addr *src)
{
	const struct runtime *rt = map_only(runtime);

	return src && rt &&
	       limit_take(limit_bucket(src), rt->answers_network_per_s) &&
	       limit_take(LIMIT_BUCKETS + LIMIT_ANSWERS, rt->answers_per_s);
}

#endif
