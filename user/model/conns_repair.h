/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a process leaves that is killed while it takes a record out or puts one
 * in: a lock, perhaps a cell that names nobody. A BPF program cannot die half-
 * way, and holds a lock for a microsecond: who is locked at two looks, long
 * enough apart, with the same record, is locked by the dead.
 */
#ifndef FAIRLEAD_CONNS_REPAIR_H
#define FAIRLEAD_CONNS_REPAIR_H

#include "model/conns.h"

#define CONNS_LOCKED_MAX 64		/* looked after at a time */

/* What was locked at a look. */
struct conns_locked {
	struct conn_entry list[CONNS_LOCKED_MAX];
	size_t count;
};

/* Add what is locked in some buckets, CONNS_WINDOW at most. Ends a walk. */
void conns_locked_find(struct tables *t, __u32 first, __u32 count,
		       struct conns_locked *ret);

/* Unlock what was locked at both looks. Returns how many that were. */
size_t conns_locked_free(struct tables *t, const struct conns_locked *before,
			 const struct conns_locked *now);

/*
 * For who starts: all that is locked, and cells that name no record that names
 * them back. wait: until every program that runs has ended. -ENOMEM.
 */
struct conns_repaired {
	size_t locks, cells;
};
int conns_repair(struct tables *t, void (*wait)(void),
		 struct conns_repaired *ret);

#endif
