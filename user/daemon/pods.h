/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The interfaces of pods, and that our programs are attached to them, for as
 * long as services of a node are served.
 */
#ifndef FAIRLEAD_PODS_H
#define FAIRLEAD_PODS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"
#include "parts.h"
#include "refusal.h"

struct pods {
	const struct parts *parts;
	bool are_here;
	__u32 *ifindexes;	/* sorted; owned */
	size_t count;
	size_t next;		/* of these: pods_check() goes on there */
	struct refusal refusal;	/* of one that is not attached */
	struct refusal found;	/* since pods_check() began with the first */
};

void pods_clear(struct pods *p);

/*
 * Attach to all that m says are pods' interfaces, before its services are in
 * force. Those that cannot be had are left out; p->refusal says one, and it is
 * logged when it is news.
 */
void pods_begin(struct pods *p, const struct model *m);
/* m is in force. Without services of a node, nor connections of any that there
 * were, nothing stays attached. */
void pods_settle(struct pods *p, const struct model *m);

/* Is it one that our programs are attached to, if they can be? */
bool pods_are_at(const struct pods *p, __u32 ifindex);

/* Are our programs attached to it? */
bool pods_has(const struct pods *p, const char *interface);

/* Interfaces may have come or gone. */
void pods_follow(struct pods *p);
/* Every second or so: a part of them is looked at, and what others took away is
 * made again. */
void pods_check(struct pods *p);

#endif
