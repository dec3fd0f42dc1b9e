/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a frame came in: is it for this host at all, and by which link did it
 * come. A switch that floods and a card in promiscuous mode show us frames
 * of others, and to balance those would be to serve them twice.
 */
#ifndef FAIRLEAD_BPF_INGRESS_H
#define FAIRLEAD_BPF_INGRESS_H

#include "conn.h"
#include "maps.h"
#include "parse.h"

static __always_inline bool bucket_has(const struct word_bucket *b, __u64 word)
{
	return b->word[0] == word || b->word[1] == word ||
	       b->word[2] == word || b->word[3] == word ||
	       b->word[4] == word || b->word[5] == word ||
	       b->word[6] == word || b->word[7] == word;
}

/* 0 to WORD_PROBES - 1 buckets behind the one that word belongs to. */
static __always_inline const struct word_bucket *ingress_bucket(__u64 word,
								__u32 probe)
{
	__u32 idx = (word_bucket_of(word, INGRESS_BUCKETS) + probe) &
		    (INGRESS_BUCKETS - 1);

	return bpf_map_lookup_elem(&ingress, &idx);
}

/* Of an address that is not the interface's own: another one that it takes,
 * in all VLANs or (a VLAN's own, a virtual router's) in this one. */
__global int ingress_takes(__u32 ifindex, __u64 mac, __u32 vlan)
{
	const __u64 any = ingress_mac_word(ifindex, mac, INGRESS_ANY_VLAN);
	const __u64 one = ingress_mac_word(ifindex, mac, vlan);
	const struct word_bucket *b;

	for (int probe = 0; probe < WORD_PROBES; probe++) {
		b = ingress_bucket(any, probe);
		if (b && bucket_has(b, any))
			return true;
		b = ingress_bucket(one, probe);
		if (b && bucket_has(b, one))
			return true;
	}
	return false;
}

static __always_inline __u16 pkt_vlan(const struct pkt *p)
{
	return bpf_ntohs(p->vlan_id) & 0x0fff;
}

/* Is f addressed to us? An interface that user/ does not know takes nothing. */
static __always_inline bool ingress_is_ours(__u32 ifindex,
					    const struct frame *f)
{
	/* the header is 14 bytes, so there are 8 to read */
	__u64 mac = *(const __u64 *)f->data & ~0ull >> 16;
	__u64 word = ingress_mac_word(ifindex, mac, INGRESS_ANY_VLAN);
	const struct word_bucket *b = ingress_bucket(word, 0);

	return (b && b->word[0] == word) ||
	       ingress_takes(ifindex, mac, pkt_vlan(f->pkt));
}

/* The one that is word but for its lowest bits, so many of them; 0: none. */
static __always_inline __u64 bucket_find(const struct word_bucket *b,
					 __u64 word, const int bits)
{
#pragma unroll
	for (int i = 0; i < WORD_WAYS; i++) {
		__u64 found = READ_ONCE(b->word[i]);

		if ((found ^ word) >> bits == 0)
			return found;
	}
	return 0;
}

/* The link that p came in by; 0: none that we know. vlan: as pkt.vlan_id. */
__global __u32 link_of_ingress(__u32 ifindex, __u32 vlan)
{
	const __u16 number = bpf_ntohs(vlan) & 0x0fff;
	const __u64 word = ingress_link_word(ifindex, number, 0);
	const struct word_bucket *b;
	__u16 link;

	for (int probe = 0; probe < WORD_PROBES; probe++) {
		b = ingress_bucket(word, probe);
		link = b ? bucket_find(b, word, 16) : 0;
		if (link)
			return link;
	}
	return 0;
}

#endif
