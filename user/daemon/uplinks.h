/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The interfaces that clients and backends are reached by: which they are,
 * and that our programs are attached to them and to no others. Others are put
 * in their place in two steps, prepare and commit, with an undo in between.
 */
#ifndef FAIRLEAD_UPLINKS_H
#define FAIRLEAD_UPLINKS_H

#include <stdbool.h>
#include <stddef.h>

#include <net/if.h>

#include "model/model.h"
#include "parts.h"
#include "refusal.h"

struct uplink_set {
	__u32 ifindexes[MODEL_UPLINKS_MAX];
	size_t count;
	char missing[IF_NAMESIZE];	/* one that should be there; "": none */
};

struct uplinks {
	const struct parts *parts;
	struct uplink_set set;		/* in force */
	bool is_node;			/* services of a node are in force */
	bool is_loopback_told;		/* then: that it is not to be had */
	struct uplink_set others; /* then: more that backends are behind */
	struct refusal refusal;		/* one is missing, down, or not
					 * attached */
};

/* Room for every hook of as many uplinks as there can be, old and new. */
#define UPLINK_POINTS_MAX (2 * NR_DP_HOOKS * MODEL_UPLINKS_MAX)

struct uplink_points {
	struct {
		enum dp_hook hook;
		__u32 ifindex;
	} at[UPLINK_POINTS_MAX];
	size_t count;
};

/* From one set to another, not decided yet. */
struct uplink_change {
	struct uplink_set set;
	enum dp_need needs;		/* as far as these */
	struct uplink_points attached, detached;
};

/*
 * What wanted's uplinks are now; nothing is attached yet. in_force: the model
 * before it: an interface that one names may be missing for a while, any other
 * missing one is -ENODEV. NULL, at the start: one has to be there.
 */
int uplinks_find(const struct uplinks *u, const struct model *wanted,
		 const struct model *in_force, struct uplink_set *ret,
		 struct refusal *why);

/*
 * Attach to those of c->set what is not attached yet, what c->needs asks for
 * included. On failure everything is attached as it was. -EEXIST: something of
 * others stands in the way that is worth no second try before it goes.
 */
int uplinks_prepare(struct uplinks *u, struct uplink_change *c,
		    struct refusal *why);
void uplinks_undo(struct uplinks *u, const struct uplink_change *c);
/* c->set is in force, and nothing is attached elsewhere. */
void uplinks_commit(struct uplinks *u, const struct uplink_change *c);

/*
 * Attach to u->set what should be there and is not: as it is needed now, or as
 * somebody else took it away. u->refusal says what cannot be. Log what is news.
 */
void uplinks_attach(struct uplinks *u);
void uplinks_check(struct uplinks *u);

bool uplinks_has(const struct uplinks *u, __u32 ifindex);

/* A link is an uplink's if the interface or the VLAN's parent is one. */
bool uplinks_has_link(const struct uplinks *u, const struct link *l);

/* What backends on this host need for NAT, from now on or no longer. */
void uplinks_local_begin(struct uplinks *u);
void uplinks_local_end(struct uplinks *u);

/* Likewise what services of a node need. */
void uplinks_set_node(struct uplinks *u, bool is_node);

/* On a node: the interfaces that are neither uplinks nor pods', and yet
 * backends are reached by them, as overlays are. They are tc's alone. */
void uplinks_set_others(struct uplinks *u, const struct uplink_set *set);

#endif
