/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which ranges of the slots are free: a buddy allocator, a bitmap for each
 * power of two. A range of any other count begins where the next power of two
 * would, and what that has too much goes on as free blocks.
 */
#ifndef FAIRLEAD_RANGES_H
#define FAIRLEAD_RANGES_H

#include <linux/types.h>

#define RANGE_ORDERS 32

struct ranges {
	__u32 size;		/* slots */
	__u32 used;		/* slots given away */
	__u64 *map[RANGE_ORDERS];	/* a bit set: that block is free */
	__u32 hint[RANGE_ORDERS];	/* no bit is set in words before */
	__u32 nr_free[RANGE_ORDERS];
};

/* Zeroed ranges are valid and empty. size: slots. -ENOMEM changes nothing. */
int ranges_grow(struct ranges *r, __u32 size);
void ranges_clear(struct ranges *r);

/* What is taken for count, for a moment at least: a power of two. */
__u32 ranges_block(__u32 count);

/* count: not 0. -ENOSPC: no block of ranges_block(count) is free. */
int ranges_alloc(struct ranges *r, __u32 count, __u32 *ret_base);
void ranges_free(struct ranges *r, __u32 base, __u32 count);

/* Take a given range. -EINVAL: no such range, -EBUSY: not free. */
int ranges_reserve(struct ranges *r, __u32 base, __u32 count);

#endif
