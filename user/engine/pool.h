/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which numbers can be given away: ids of services, entries of tables. 0 is
 * none. Knows nothing of what they stand for.
 */
#ifndef FAIRLEAD_POOL_H
#define FAIRLEAD_POOL_H

#include <stdbool.h>

#include <linux/types.h>

/* Numbers 1 to size - 1 that can be given away, the lowest first at first.
 * Zeroed it is valid and empty. */
struct pool {
	__u32 *free;		/* owned; free() it to be done */
	__u32 nr_free;
	__u32 size;
};

__u32 pool_take(struct pool *p);	/* 0: none */
void pool_give(struct pool *p, __u32 number);

/* Anew: what is_used() says no to, of 1 to size - 1. -ENOMEM: as it was. */
int pool_fill(struct pool *p, __u32 size,
	      bool (*is_used)(const void *arg, __u32 number), const void *arg);

/* New numbers are given away after those that were free already. -ENOMEM: as
 * it was. */
int pool_grow(struct pool *p, __u32 size);

#endif
