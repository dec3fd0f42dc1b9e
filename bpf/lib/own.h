/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Does a packet say that it comes from us? One from a VIP to a VIP, forged,
 * goes to a backend and its answer back to the next one for ever. What the
 * host itself sends to a VIP never comes in by an uplink, but by way of a
 * router that sends it back, whom nobody should rely on.
 */
#ifndef FAIRLEAD_BPF_OWN_H
#define FAIRLEAD_BPF_OWN_H

#include "ingress.h"
#include "service.h"

/* Its bit is set: is it so? Off the fast path. */
__global int own_has(const struct addr *a)
{
	__u64 word;

	if (!a)
		return false;
	word = own_word(hash_src(hash_key, a));
	for (int probe = 0; probe < WORD_PROBES; probe++) {
		__u32 idx = (word_bucket_of(word, OWN_BUCKETS) + probe) &
			    (OWN_BUCKETS - 1);
		const struct word_bucket *b = bpf_map_lookup_elem(&own, &idx);

		if (b && bucket_has(b, word))
			return true;
	}
	return false;
}

__global int own_has_prefix(const struct addr *a)
{
	struct prefix_key key = { .len = 128 };

	if (!a)
		return false;
	key.addr = *a;
	return bpf_map_lookup_elem(&prefixes, &key) != NULL;
}

/* sum: its hash_src(); class: of where the packet goes, see vip_class(). */
static __always_inline bool is_own(const struct addr *a, __u64 sum, __u8 class)
{
	const struct own_filter *filter = map_only(own_filter);
	__u32 bit = own_bit(sum);

	if (!filter)
		return false;
	if (filter->bits[bit / 64] >> (bit & 63) & 1 && own_has(a))
		return true;
	return class & VIP_PREFIXES && own_has_prefix(a);
}

static __always_inline bool is_from_own(const struct scratch *s)
{
	const struct addr *src = &s->pkt.flow.src;

	return is_own(src, hash_src(hash_key, src), s->class);
}

#endif
