/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The interfaces that clients and backends are reached by: which they are,
 * and that our programs are attached to them and to no others.
 */
#ifndef FAIRLEAD_UPLINKS_H
#define FAIRLEAD_UPLINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"
#include "parts.h"
#include "refusal.h"

struct uplink_set {
	__u32 ifindexes[MODEL_UPLINKS_MAX];
	size_t count;
};

struct uplinks {
	const struct parts *parts;
	struct uplink_set set;		/* in force */
};

/*
 * What wanted's uplinks are now; nothing is attached yet. in_force: the model
 * before it, or NULL: an interface that one names may be missing for a while,
 * any other missing one is -ENODEV.
 */
int uplinks_find(const struct uplinks *u, const struct model *wanted,
		 const struct model *in_force, struct uplink_set *ret,
		 struct refusal *why);

/* These are the uplinks from now on; attached by uplinks_attach(). */
void uplinks_set(struct uplinks *u, const struct uplink_set *set);

/* Attach to those in u->set, and only when that worked detach from all
 * others. */
int uplinks_attach(struct uplinks *u, struct refusal *why);

bool uplinks_has(const struct uplinks *u, __u32 ifindex);

/* A link is an uplink's if the interface or the VLAN's parent is one. */
bool uplinks_has_link(const struct uplinks *u, const struct link *l);

/* What backends on this host need for NAT, from now on or no longer. An
 * uplink that cannot have it is logged. */
void uplinks_local_begin(struct uplinks *u);
void uplinks_local_end(struct uplinks *u);

#endif
