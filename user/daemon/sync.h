/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When what is wanted was asked for and when it was in force: what health
 * checks and metrics say of it. Times of CLOCK_MONOTONIC are milliseconds,
 * those of CLOCK_REALTIME are microseconds; 0: never.
 */
#ifndef FAIRLEAD_SYNC_H
#define FAIRLEAD_SYNC_H

#include <stdbool.h>

#include "kubernetes/object.h"
#include "loading.h"

#define HISTOGRAM_BOUNDS_MAX 96

struct histogram {
	double bounds[HISTOGRAM_BOUNDS_MAX];	/* upper ones, in order */
	size_t nr_bounds;
	__u64 counts[HISTOGRAM_BOUNDS_MAX + 1];	/* not cumulated; the last:
						 * above all bounds */
	__u64 count;
	double sum;
};

void histogram_add(struct histogram *h, double value);

struct sync {
	const struct loading *loading;
	__s64 since_us;		/* this process is there */
	__u64 waits_since_ms;	/* the oldest change that is not in force */
	__s64 queued_us, updated_us;	/* last change; last time in force */
	__u64 tries_failed;
	struct histogram durations;	/* seconds, of putting it in force */
	struct histogram latencies;	/* seconds, since endpoints changed */
	__u64 changes_done[NR_KUBE_KINDS];	/* of kube_news, in force */
};

void sync_init(struct sync *s, const struct loading *loading);

/* Something else is wanted now. */
void sync_queued(struct sync *s);
/* It was tried for so long, and is in force or not. */
void sync_tried(struct sync *s, double seconds, bool is_in_force);
/* Is something wanted that is not in force? Every second or so. */
void sync_look(struct sync *s, bool waits);

__s64 sync_now_us(void);

#endif
