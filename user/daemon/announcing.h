/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps the routes that announce this node's addresses in step with what is in
 * force: joins announce/ with the tables, the host and the loop. When the
 * daemon ends its routes stay, as traffic goes on; the next one takes them
 * over.
 */
#ifndef FAIRLEAD_ANNOUNCING_H
#define FAIRLEAD_ANNOUNCING_H

#include <jansson.h>
#include <stdio.h>

#include "announce/announce.h"
#include "announce/kept.h"
#include "applying.h"
#include "base/loop.h"
#include "checking.h"
#include "loading.h"
#include "parts.h"
#include "refusal.h"
#include "uplinks.h"

struct announcing {
	const struct parts *parts;
	const struct applying *applying;
	const struct uplinks *uplinks;
	const struct checking *checking;
	const char *run_dir;	/* NULL: nothing is kept */
	struct announce_kept kept;
	struct announcer announcer;
	struct routes *routes;	/* NULL: none were ever wanted */
	struct event *news;
	struct loop *loop;	/* NULL: not yet, or no more */
	/* What the kernel has, by announce_route_compare(); owned. */
	struct announce_route *have;
	size_t nr_have;
	bool is_old;		/* that has to be read anew */
	bool is_withdrawn;	/* until "undrain", or the daemon's end */
	bool is_adopted;	/* what was there before us is known */
	struct refusal refusal;	/* at the last look; "": none */
};

/* Routes are kept in step from now on. The directory outlives it. */
void announcing_start(struct announcing *a, struct loop *l,
		      const char *run_dir);
void announcing_stop(struct announcing *a);	/* routes stay */

/* Something may be another: what is in force, an uplink, the time. */
void announcing_check(struct announcing *a);
/* Every 10 s or so: what the kernel has is read, told of or not. */
void announcing_refresh(struct announcing *a);

/* {"ok": true, "table", "addresses": [...]}; a request {"action": "drain"},
 * "undrain" or "withdraw". */
json_t *announcing_list(const struct announcing *a);
json_t *announcing_act(struct announcing *a, const json_t *request);

/* For `status`; null: nothing is to be announced, and nothing drained. */
json_t *announcing_status(const struct announcing *a);

/* Calls fn for each address, "192.0.2.1/32", and whether it is announced. */
void announcing_each(const struct announcing *a,
		     void (*fn)(void *arg, const char *prefix, bool is_so),
		     void *arg);

#endif
