/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each backend carried between two looks at it. Pure. */
#ifndef FAIRLEAD_TOP_ROWS_H
#define FAIRLEAD_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define TOP_SERVICE_MAX 256
#define TOP_ENDPOINT_MAX 64

struct top_row {
	char service[TOP_SERVICE_MAX];
	char endpoint[TOP_ENDPOINT_MAX];
	const char *state;	/* static */
	__u64 weight;
	__u64 packets, bytes, connections;	/* ever */
	__u64 packets_s, bits_s, new_s;		/* a second, between the two */
};

enum top_order { TOP_BY_PACKETS, TOP_BY_BITS, TOP_BY_NEW, TOP_BY_NAME,
		 NR_TOP_ORDERS };
const char *top_order_name(enum top_order order);

/*
 * Fill in what is a second's of each of rows, by what was of the same backend
 * `ms` before. Where a counter is less than it was, it began anew, and its rate
 * is 0, as that of what was not there. was is sorted by name.
 */
void top_rates(struct top_row *rows, size_t nr, struct top_row *was,
	       size_t nr_was, __u64 ms);

/* The most first; by name: as the alphabet has it. Equal ones by name. */
void top_sort(struct top_row *rows, size_t nr, enum top_order order);

/* Does it give nothing to its backend that is new? */
bool top_is_down(const struct top_row *r);

#endif
