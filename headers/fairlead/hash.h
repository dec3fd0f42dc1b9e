/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hashes, once for both sides: bpf/ looks up what user/ has placed.
 *
 * NH of UMAC (RFC 4418, 5.2.1: sum of (m + k)(m' + k') over pairs of 32-bit
 * words, universal under a secret key: two inputs chosen without knowing the
 * key meet with a chance of 2^-32), then a full-avalanche mix, as NH's own
 * low bits are weak. An address costs two multiplications, and the parts of a
 * flow add up, so that the later hashes start from the earlier sums.
 */
#ifndef FAIRLEAD_HASH_H
#define FAIRLEAD_HASH_H

#include <fairlead/types.h>

#define HASH_INLINE static inline __attribute__((always_inline, unused))

/* One pair of words; i is the position of its two key words. */
HASH_INLINE __u64 hash_pair(const __u32 *key, int i, __u32 a, __u32 b)
{
	return (__u64)(__u32)(a + key[i]) * (__u32)(b + key[i + 1]);
}

/* splitmix64's finaliser: a permutation of the 64-bit numbers. */
HASH_INLINE __u64 hash_mix(__u64 h)
{
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
	return h ^ (h >> 31);
}

HASH_INLINE __u64 hash_addr(const __u32 *key, int i, const struct addr *a)
{
	return hash_pair(key, i, a->word[0], a->word[1]) +
	       hash_pair(key, i + 2, a->word[2], a->word[3]);
}

/* The highest bits of an NH sum times an odd number, which all of its bits have
 * a part in: enough for a filter, and half of what hash_mix() costs. */
HASH_INLINE __u32 hash_top(__u64 sum, int bits)
{
	return sum * 0xbf58476d1ce4e5b9ull >> (64 - bits);
}

/* What vip_filter is asked with: the address that a packet goes to. */
HASH_INLINE __u64 hash_dst(const __u32 *key, const struct addr *dst)
{
	return hash_addr(key, 0, dst);
}

/* Where in vip_filter an address is, from hash_dst(). */
HASH_INLINE __u32 vip_filter_index(__u64 dst_sum)
{
	return hash_top(dst_sum, VIP_FILTER_LOG2);
}

/* Of (address, port, protocol); the bucket is in the low half. */
HASH_INLINE __u64 service_hash(const __u32 *key, __u64 dst_sum, __be16 port,
			       __u8 proto)
{
	return hash_mix(dst_sum + hash_pair(key, 4, port, proto));
}

/* Of the address that a packet comes from. */
HASH_INLINE __u64 hash_src(const __u32 *key, const struct addr *src)
{
	return hash_addr(key, 6, src);
}

/* Of a client, whichever front end of a service it dials: which slot is its.
 * No id in it, which other nodes of a group do not share. */
HASH_INLINE __u64 client_hash(const __u32 *key, const struct addr *src)
{
	return hash_mix(hash_src(key, src));
}

/* What conns knows a client of a service by, whichever front end it dialled;
 * src may be ret's own. Field by field: as a whole it would be on the stack. */
HASH_INLINE void affinity_flow(const struct addr *src,
			       const struct service *svc, struct flow *ret)
{
	ret->src = *src;
	ret->dst.word[0] = ret->dst.word[1] = ret->dst.word[2] = 0;
	ret->dst.word[3] = svc->id;
	ret->sport = ret->dport = 0;
	ret->proto = svc->proto;
	ret->kind = FLOW_AFFINITY;
	ret->pad[0] = ret->pad[1] = 0;
}

/* Of a whole flow, every field, from the sums of its addresses. The slot is in
 * the high half; where in conns it may be says conn.h. */
HASH_INLINE __u64 flow_hash_of(const __u32 *key, __u64 dst_sum, __u64 src_sum,
			       const struct flow *f)
{
	return hash_mix(dst_sum + src_sum +
			hash_pair(key, 10, (__u32)f->sport << 16 | f->dport,
				  (__u32)f->kind << 8 | f->proto));
}

HASH_INLINE __u64 flow_hash(const __u32 *key, __u64 dst_sum,
			    const struct flow *f)
{
	return flow_hash_of(key, dst_sum, hash_src(key, &f->src), f);
}

/* A table of count slots, by the high half: growing it splits each slot. */
HASH_INLINE __u32 slot_index(__u64 hash, __u32 count)
{
	return (hash >> 32) * count >> 32;
}

/* The first 6 bytes at mac, as one number for the two words below. */
HASH_INLINE __u64 mac_number(const __u8 *mac)
{
	return mac[0] | mac[1] << 8 | mac[2] << 16 | (__u64)mac[3] << 24 |
	       (__u64)mac[4] << 32 | (__u64)mac[5] << 40;
}

/*
 * Of the set ingress: frames in this VLAN (host order, or INGRESS_ANY_VLAN)
 * to this MAC address, that come in by this interface, are for us. No secret
 * key, as all that is put in is this host's own.
 */
HASH_INLINE __u64 ingress_mac_word(__u32 ifindex, __u64 mac, __u16 vlan)
{
	__u64 word = (mac | (__u64)vlan << 48) ^
		     ifindex * 0x9e3779b97f4a7c15ull;

	return (word ^ word >> 32) * 0xbf58476d1ce4e5b9ull | 1;
}

/* Of the set ingress: the link that has this interface and VLAN (host order,
 * 0: untagged) is number link. */
HASH_INLINE __u64 ingress_link_word(__u32 ifindex, __u16 vlan, __u16 link)
{
	return hash_mix((__u64)ifindex << 32 | vlan) << 16 | link;
}

/* Of an address of our own, from hash_src(): its bit in own_filter, and its
 * word in own. */
HASH_INLINE __u32 own_bit(__u64 sum)
{
	return hash_top(sum, OWN_BITS_LOG2);
}

HASH_INLINE __u64 own_word(__u64 sum)
{
	return hash_mix(sum) | 1;
}

/* Where in a set of this many (a power of two) buckets a word belongs. */
HASH_INLINE __u32 word_bucket_of(__u64 word, __u32 buckets)
{
	return word >> 32 & (buckets - 1);
}

#endif
