/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What those have in common that measure known connections. */
#ifndef FAIRLEAD_BENCH_CONFIRM_H
#define FAIRLEAD_BENCH_CONFIRM_H

#include <stdbool.h>

#include "model/conns.h"

/* As if every client had been answered. False: the table cannot be had. */
static inline bool conns_confirm(struct tables *t)
{
	struct conn_bucket *b = t->conns(t, 0, t->conn_buckets);

	if (!b)
		return false;
	for (__u32 i = 0; i < t->conn_buckets * CONN_WAYS; i++) {
		__u32 *head = &b[i / CONN_WAYS].head[i % CONN_WAYS];

		if (*head)
			*head = (*head & ~CONN_STATE_MASK) | CONN_LIVE;
	}
	return true;
}

#endif
