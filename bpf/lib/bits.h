/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Comparisons without branches. */
#ifndef FAIRLEAD_BPF_BITS_H
#define FAIRLEAD_BPF_BITS_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* 1 << i if a == b, without a branch: the verifier, and the CPU's predictor,
 * see one way through a search instead of one for each place. */
static __always_inline __u32 match_bit(__u32 a, __u32 b, int i)
{
	return (__u32)(((__u64)(a ^ b) - 1) >> 63) << i;
}

/* The lowest bit of an 8-bit mask that is not 0 (de Bruijn's sequence 0x17). */
static __always_inline __u32 lowest_bit(__u32 mask)
{
	__u32 bit = mask & -mask;

	return 0x56374210u >> ((bit * 0x17 >> 5 & 7) * 4) & 7;
}

/* The larger, of numbers below 2^31. */
static __always_inline __u32 max31(__u32 a, __u32 b)
{
	__u32 mask = (__s32)(a - b) >> 31;

	asm volatile("" : "+r"(mask));	/* clang 19 makes branches of it */
	return a ^ ((a ^ b) & mask);
}

/* How many bits of a 16-bit mask are set. */
static __always_inline __u32 count_bits(__u32 mask)
{
	mask -= mask >> 1 & 0x5555;
	mask = (mask & 0x3333) + (mask >> 2 & 0x3333);
	mask = (mask + (mask >> 4)) & 0x0f0f;
	return (mask + (mask >> 8)) & 31;
}

#endif
