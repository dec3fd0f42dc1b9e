/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From one table of connections into a larger one, while programs look into
 * both: into the larger one first, and if it does not know a flow, into the
 * old one. So a record that has gone over is the one that counts from that
 * moment on, and whoever opens a flow in the old table has it taken along by
 * the next pass. Nothing is taken out of the old table: its records keep their
 * NAT ports from being given away there.
 */
#ifndef FAIRLEAD_CONNS_MOVE_H
#define FAIRLEAD_CONNS_MOVE_H

#include "model/conns.h"

struct conns_move {
	struct tables to;		/* first; both maps in one piece */
	struct conn_bucket *conns;
	struct reply_bucket *replies;
	const struct conn_bucket *from;
	__u32 from_buckets;
	__u32 (*seen)[CONN_WAYS];	/* heads of from, when last looked at */
	__u64 moved, lost;		/* records; lost: there was no room */
};

/* Memory of to's maps and of the old one, mapped whole, stays the caller's.
 * -ENOMEM. */
int conns_move_begin(struct conns_move *m, const struct tables *to);
void conns_move_end(struct conns_move *m);

/* What has come or changed since the last pass. Returns how much that was. */
__u64 conns_move_pass(struct conns_move *m, __u32 now_s);

#endif
