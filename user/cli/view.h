/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the listing commands look at: a copy of the pinned tables, and who is
 * in them. A copy, as state_load() mends what it reads, and what looks wrong
 * here may be a daemon's change that is half done. Connections alone are not
 * copied: there are too many.
 */
#ifndef FAIRLEAD_VIEW_H
#define FAIRLEAD_VIEW_H

#include <jansson.h>

#include "kernel/dp.h"
#include "options.h"
#include "engine/reconcile.h"
#include "model/tables.h"

struct view {
	struct dp *dp;
	struct view_copy *copy;
	struct tables *tables;	/* copy's; conns() gives the live ones */
	struct state *state;
	struct state_service *services; /* sorted by name; owned */
	size_t nr_services;
	struct backend_stats *stats; /* [tables->nr_backends]; owned */
	json_t *health;		/* what the daemon's checks say; NULL: not known */
};

/* Logs; -ENOENT, logged too, when nothing is loaded. */
int view_open(const struct options *o, struct view *ret);

/* The same, but what is not loaded is not complained of. */
int view_try(const struct options *o, struct view *ret);
void view_close(struct view *v);	/* a zeroed one is fine */

/* NULL, logged with the nearest name: none. */
const struct state_service *view_service(const struct view *v,
					 const char *name);

/* Of the service that has the id; or had it, and connections to it live. NULL:
 * there is none. */
const char *view_service_name(const struct view *v, __u32 id);

#endif
