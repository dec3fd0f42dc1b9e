/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checksums, updated rather than recomputed (RFC 1624, eqn. 3); SCTP's too. */
#ifndef FAIRLEAD_BPF_CSUM_H
#define FAIRLEAD_BPF_CSUM_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "addr.h"
#include "maps.h"

/* Of a sum below 2^40: of 256 words at most. */
static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What changes a checksum's sum when a 32-bit word becomes another. */
static __always_inline __u64 csum_delta(__u32 from, __u32 to)
{
	return (__u64)(__u32)~from + to;
}

/* The same for four words. */
static __always_inline __u64 csum_delta4(const __u32 *from, const __u32 *to)
{
	return csum_delta(from[0], to[0]) + csum_delta(from[1], to[1]) +
	       csum_delta(from[2], to[2]) + csum_delta(from[3], to[3]);
}

/* The same for an address; IPv4's is the last word. */
static __always_inline __u64 csum_delta_addr(const struct addr *from,
					     const struct addr *to,
					     const bool v6)
{
	return v6 ? csum_delta4(from->word, to->word) :
		    csum_delta(from->word[3], to->word[3]);
}

/* The sum of an IPv4 header without options. */
static __always_inline __u64 csum_ip4(const struct iphdr *ip)
{
	const __u32 *word = (const __u32 *)ip;

	return (__u64)word[0] + word[1] + word[2] + word[3] + word[4];
}

#define IP4_HEADER_MAX 60

/* Is the IPv4 header at word as it was sent? So many bytes can be read there,
 * whatever its length. */
static __always_inline bool csum_is_right_ip4(const __u32 *word)
{
	const __u32 words = *(const __u8 *)word & 15;
	__u64 sum = 0;

	for (int i = 0; i < IP4_HEADER_MAX / 4; i++)
		sum += (__u32)i < words ? word[i] : 0;
	return csum_fold(sum) == 0xffff;
}

/* check, after a change of delta. */
static __always_inline __u16 csum_apply(__u16 check, __u64 delta)
{
	return ~csum_fold(delta + (__u16)~check);
}

#define CRC32C_POLY 0x82f63b78u

/* a * b in GF(2)[x] modulo CRC32c's polynomial, bits reflected. Verifier:
 * global, as it would go through it for every power below. */
__global __u32 crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int i = 0; i < 32; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = b >> 1 ^ (CRC32C_POLY & -(b & 1));
	}
	return product;
}

#define CRC32C_POWERS 16

/* x^(8 * 2^i), 2^i bytes, as crc32c_multiply() takes it. */
static const __u32 crc32c_powers[CRC32C_POWERS] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c,
	0x18b8ea18, 0x510ac59a, 0xb82be955, 0xb8fdb1e7,
	0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a,
	0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
};

/*
 * How SCTP's checksum (RFC 9260, appendix A) changes when its first 4 bytes,
 * the ports, change by XOR with diff and len bytes come after them: the CRC is
 * linear, so it is diff's own CRC moved on by len bytes, which takes one
 * multiplication for each bit of len.
 */
__global __u32 crc32c_change(__u32 diff, __u32 len)
{
	__u32 power;

	len += 4;		/* diff itself */
	for (__u32 i = 0; i < CRC32C_POWERS; i++) {
		power = crc32c_powers[i];
		if (len & 1)
			diff = crc32c_multiply(diff, power);
		len >>= 1;
	}
	return diff;
}

#endif
