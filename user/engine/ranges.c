// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Buddies: see ranges.h. Blocks are counted in units of RANGE_MIN slots. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

static size_t map_words(__u32 units, int order)
{
	return (units >> order) / 64 + 1;
}

/* The order of a size, or -1: not a power of two or too small. */
static int order_of(__u32 count)
{
	if (count < RANGE_MIN || count & (count - 1))
		return -1;
	return __builtin_ctz(count / RANGE_MIN);
}

static bool block_is_free(const struct ranges *r, int order, __u32 block)
{
	return r->map[order][block / 64] >> (block % 64) & 1;
}

static void block_add(struct ranges *r, int order, __u32 block)
{
	r->map[order][block / 64] |= 1ull << (block % 64);
	r->nr_free[order]++;
	if (block / 64 < r->hint[order])
		r->hint[order] = block / 64;
}

static void block_del(struct ranges *r, int order, __u32 block)
{
	r->map[order][block / 64] &= ~(1ull << (block % 64));
	r->nr_free[order]--;
}

/* The lowest: order has one. */
static __u32 block_first(struct ranges *r, int order)
{
	__u32 word = r->hint[order];

	while (!r->map[order][word])
		word++;
	r->hint[order] = word;
	return word * 64 + __builtin_ctzll(r->map[order][word]);
}

/* Give a block back, and join it to its buddy for as long as that is free. */
static void block_join(struct ranges *r, int order, __u32 block)
{
	while (order + 1 < RANGE_ORDERS &&
	       (block | 1) < r->units >> order &&
	       block_is_free(r, order, block ^ 1)) {
		block_del(r, order, block ^ 1);
		block >>= 1;
		order++;
	}
	block_add(r, order, block);
}

/* The units from r->units up to the new end, in aligned blocks. */
static void add_units(struct ranges *r, __u32 units)
{
	__u32 at = r->units;
	int order;

	r->units = units;
	while (at < units) {
		order = at ? __builtin_ctz(at) : RANGE_ORDERS - 1;
		while (1ull << order > units - at)
			order--;
		block_join(r, order, at >> order);
		at += 1u << order;
	}
}

int ranges_grow(struct ranges *r, __u32 size)
{
	__u32 units = size / RANGE_MIN;

	if (units <= r->units)
		return 0;
	for (int order = 0; order < RANGE_ORDERS; order++) {
		size_t had = r->map[order] ? map_words(r->units, order) : 0;
		size_t words = map_words(units, order);
		__u64 *map = realloc(r->map[order], words * sizeof(*map));

		if (!map)
			return -ENOMEM;
		if (words > had)
			memset(map + had, 0, (words - had) * sizeof(*map));
		r->map[order] = map;
	}
	add_units(r, units);
	return 0;
}

void ranges_clear(struct ranges *r)
{
	for (int order = 0; order < RANGE_ORDERS; order++)
		free(r->map[order]);
	*r = (struct ranges){};
}

/* Of a block of order from, keep the part that is block of order to. */
static void block_split(struct ranges *r, int from, int to, __u32 block)
{
	for (int order = to; order < from; order++)
		block_add(r, order, block >> (order - to) ^ 1);
}

int ranges_alloc(struct ranges *r, __u32 count, __u32 *ret_base)
{
	int order = order_of(count), from;
	__u32 block;

	if (order < 0)
		return -EINVAL;
	for (from = order; from < RANGE_ORDERS; from++)
		if (r->nr_free[from])
			break;
	if (from == RANGE_ORDERS)
		return -ENOSPC;

	block = block_first(r, from);
	block_del(r, from, block);
	block <<= from - order;
	block_split(r, from, order, block);
	r->used += count;
	*ret_base = block * count;
	return 0;
}

void ranges_free(struct ranges *r, __u32 base, __u32 count)
{
	block_join(r, order_of(count), base / count);
	r->used -= count;
}

int ranges_reserve(struct ranges *r, __u32 base, __u32 count)
{
	int order = order_of(count);
	__u32 block;

	if (order < 0 || base % count ||
	    (__u64)base + count > (__u64)r->units * RANGE_MIN)
		return -EINVAL;
	block = base / count;
	for (int from = order; from < RANGE_ORDERS; from++) {
		if (block >> (from - order) >= r->units >> from)
			break;
		if (!block_is_free(r, from, block >> (from - order)))
			continue;
		block_del(r, from, block >> (from - order));
		block_split(r, from, order, block);
		r->used += count;
		return 0;
	}
	return -EBUSY;
}
