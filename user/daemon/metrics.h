/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What Prometheus is told, as text (exposition format 0.0.4): kube-proxy's
 * metrics by their names, those that mean something here, and our own. A
 * number that status does not know either is not made up for this.
 */
#ifndef FAIRLEAD_METRICS_H
#define FAIRLEAD_METRICS_H

#include <stdio.h>

#include "announcing.h"
#include "applying.h"
#include "model/conns.h"
#include "parts.h"
#include "source/api.h"
#include "source/containers.h"
#include "sync.h"

struct metrics {
	const struct parts *parts;
	const struct applying *applying;
	const struct loading *loading;
	const struct sync *sync;
	const struct enforcing *enforcing;
	const struct announcing *announcing;
	const struct checking *checking;
	const struct api *api;	/* NULL: none is followed */
	const struct containers *containers;	/* likewise */
	struct conns_usage usage;	/* reading it takes a while */
	__u64 usage_ms;		/* when it was read; 0: never */
};

/* Of the table of connections, a few seconds old at most; NULL: it cannot be
 * read. */
const struct conns_usage *metrics_usage(struct metrics *m);

/* The caller's; NULL: no memory. */
char *metrics_text(struct metrics *m, size_t *ret_len);

#endif
