// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Buddies: see ranges.h. A block of order n has 2^n slots. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

static size_t map_words(__u32 size, int order)
{
	return (size >> order) / 64 + 1;
}

/* The least order whose blocks have count slots. */
static int order_of(__u32 count)
{
	return count < 2 ? 0 : 32 - __builtin_clz(count - 1);
}

__u32 ranges_block(__u32 count)
{
	return 1u << order_of(count);
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
	       (block | 1) < r->size >> order &&
	       block_is_free(r, order, block ^ 1)) {
		block_del(r, order, block ^ 1);
		block >>= 1;
		order++;
	}
	block_add(r, order, block);
}

/* The largest block that begins at at and does not go beyond end. */
static int order_at(__u32 at, __u32 end)
{
	int order = at ? __builtin_ctz(at) : RANGE_ORDERS - 1;

	while (1ull << order > end - at)
		order--;
	return order;
}

/* From at to end, in blocks as large as can be. */
static void join_all(struct ranges *r, __u32 at, __u32 end)
{
	for (int order; at < end; at += 1u << order) {
		order = order_at(at, end);
		block_join(r, order, at >> order);
	}
}

int ranges_grow(struct ranges *r, __u32 size)
{
	__u32 had_size = r->size;

	if (size <= had_size)
		return 0;
	for (int order = 0; order < RANGE_ORDERS; order++) {
		size_t had = r->map[order] ? map_words(had_size, order) : 0;
		size_t words = map_words(size, order);
		/* calloc: of a large map, what is never set takes no memory */
		__u64 *map = calloc(words, sizeof(*map));

		if (!map)
			return -ENOMEM;
		if (had)
			memcpy(map, r->map[order], had * sizeof(*map));
		free(r->map[order]);
		r->map[order] = map;
	}
	r->size = size;
	join_all(r, had_size, size);
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

	for (from = order; from < RANGE_ORDERS; from++)
		if (r->nr_free[from])
			break;
	if (from >= RANGE_ORDERS)
		return -ENOSPC;

	block = block_first(r, from);
	block_del(r, from, block);
	block <<= from - order;
	block_split(r, from, order, block);
	r->used += count;
	*ret_base = block << order;
	join_all(r, *ret_base + count, *ret_base + (1u << order));
	return 0;
}

void ranges_free(struct ranges *r, __u32 base, __u32 count)
{
	join_all(r, base, base + count);
	r->used -= count;
}

/* The block of order, out of whatever free one it is a part of. */
static bool block_take(struct ranges *r, int order, __u32 block)
{
	for (int from = order; from < RANGE_ORDERS; from++) {
		if (block >> (from - order) >= r->size >> from)
			break;
		if (!block_is_free(r, from, block >> (from - order)))
			continue;
		block_del(r, from, block >> (from - order));
		block_split(r, from, order, block);
		return true;
	}
	return false;
}

int ranges_reserve(struct ranges *r, __u32 base, __u32 count)
{
	__u32 at = base, end = base + count;

	if (!count || (__u64)base + count > r->size ||
	    base % ranges_block(count))
		return -EINVAL;
	for (int order; at < end; at += 1u << order) {
		order = order_at(at, end);
		if (block_take(r, order, at >> order))
			continue;
		join_all(r, base, at);
		return -EBUSY;
	}
	r->used += count;
	return 0;
}
