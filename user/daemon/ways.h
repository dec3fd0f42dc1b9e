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
	/* Links that a backend's way leads by, or led since all were looked
	 * at: a change of one backend costs no look at the others. */
	bool leads[LINKS_MAX];
	bool is_old;		/* backends have gone since */
	unsigned int changes;	/* of ways, and of who needs which */
};

/* From now on a reconcile asks here for what is new to it. */
void ways_begin(struct ways *w);

/* All anew, of what is in the tables, as links, routes or neighbours have
 * changed. */
void ways_fill(struct ways *w);

/* Backends have gone: by the next ways_check(), links may lead nowhere. */
void ways_gone(struct ways *w);
/* Every second or so. True: links that led to backends do not any more. */
bool ways_check(struct ways *w);

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
