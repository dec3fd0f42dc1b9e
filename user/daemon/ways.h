/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How to reach each backend: next hops from the host's routes into the
 * backends' entries, and which backends are on this host itself.
 */
#ifndef FAIRLEAD_WAYS_H
#define FAIRLEAD_WAYS_H

#include "parts.h"
#include "uplinks.h"

struct ways {
	const struct parts *parts;
	struct uplinks *uplinks;
};

/* From now on a reconcile asks here for what is new to it. */
void ways_begin(struct ways *w);

/* All anew, of what is in the tables, as links, routes or neighbours have
 * changed. */
void ways_fill(struct ways *w);

/* On a node, which interfaces besides uplinks and pods' lead to backends. */
void ways_settle_others(struct ways *w);

/* Whether backends on this host have NAT, and so need programs on uplinks:
 * known when the services are in the tables. */
void ways_settle_local(struct ways *w);

/* What m will need of uplinks, before it is in the tables; in_force, which is
 * there already (NULL: nothing is), has been looked at. */
enum dp_need ways_need(const struct ways *w, const struct model *m,
		       const struct model *in_force);

#endif
