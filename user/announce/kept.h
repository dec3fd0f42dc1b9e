/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a daemon leaves to the next one, and to `withdraw` and `cleanup`, in the
 * file announce.json of the run directory: where its routes are, and since when
 * the node is drained.
 */
#ifndef FAIRLEAD_KEPT_H
#define FAIRLEAD_KEPT_H

#include "routes.h"

struct announce_kept {
	struct routes_place place;	/* table 0: no routes are left */
	bool is_drained;
	__u64 drained_ms;		/* CLOCK_MONOTONIC */
};

/* From dir; without a file, or a whole one, as if nothing was kept. */
void announce_kept_load(const char *dir, struct announce_kept *ret);

/* In one step. -errno. */
int announce_kept_save(const char *dir, const struct announce_kept *k);

/*
 * Without a daemon: all routes are deleted that one left, by what it kept in
 * dir, or where routes are by default. Counts in *ret_count, also on failure.
 */
int announce_withdraw(const char *dir, size_t *ret_count);

#endif
