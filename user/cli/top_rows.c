// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See top_rows.h. */
#include <stdlib.h>
#include <string.h>

#include "top_rows.h"

const char *top_order_name(enum top_order order)
{
	static const char *const names[NR_TOP_ORDERS] = {
		[TOP_BY_PACKETS] = "packets", [TOP_BY_BITS] = "bits",
		[TOP_BY_NEW] = "new connections", [TOP_BY_NAME] = "name",
	};

	return names[order];
}

static int by_name(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;

	return strcmp(a->service, b->service) ?:
	       strcmp(a->endpoint, b->endpoint);
}

static int by_number(__u64 a, __u64 b, const void *x, const void *y)
{
	return a != b ? (a < b ? 1 : -1) : by_name(x, y);
}

static int by_packets(const void *x, const void *y)
{
	return by_number(((const struct top_row *)x)->packets_s,
			 ((const struct top_row *)y)->packets_s, x, y);
}

static int by_bits(const void *x, const void *y)
{
	return by_number(((const struct top_row *)x)->bits_s,
			 ((const struct top_row *)y)->bits_s, x, y);
}

static int by_new(const void *x, const void *y)
{
	return by_number(((const struct top_row *)x)->new_s,
			 ((const struct top_row *)y)->new_s, x, y);
}

void top_sort(struct top_row *rows, size_t nr, enum top_order order)
{
	static int (*const compare[NR_TOP_ORDERS])(const void *,
						   const void *) = {
		[TOP_BY_PACKETS] = by_packets, [TOP_BY_BITS] = by_bits,
		[TOP_BY_NEW] = by_new, [TOP_BY_NAME] = by_name,
	};

	if (nr)
		qsort(rows, nr, sizeof(*rows), compare[order]);
}

static __u64 rate(__u64 is, __u64 was, __u64 ms)
{
	return is < was ? 0 : (is - was) * 1000 / ms;
}

void top_rates(struct top_row *rows, size_t nr, struct top_row *was,
	       size_t nr_was, __u64 ms)
{
	const struct top_row *before;

	top_sort(was, nr_was, TOP_BY_NAME);
	for (size_t i = 0; i < nr && ms; i++) {
		struct top_row *r = &rows[i];

		before = nr_was ? bsearch(r, was, nr_was, sizeof(*was),
					  by_name) : NULL;
		if (!before)
			continue;
		r->packets_s = rate(r->packets, before->packets, ms);
		r->bits_s = 8 * rate(r->bytes, before->bytes, ms);
		r->new_s = rate(r->connections, before->connections, ms);
	}
}

bool top_is_down(const struct top_row *r)
{
	return strcmp(r->state, "active") || !r->weight;
}
