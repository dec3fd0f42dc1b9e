/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model in force and the one that waits to be. What was loaded but could
 * not be put in force stays pending: what stands in its way may go.
 */
#ifndef FAIRLEAD_APPLYING_H
#define FAIRLEAD_APPLYING_H

#include <stdbool.h>

#include "parts.h"
#include "refusal.h"
#include "uplinks.h"
#include "ways.h"

struct applying {
	const struct parts *parts;
	struct uplinks *uplinks;
	struct ways *ways;
	struct model *model;	/* in force; owned */
	struct model *pending;	/* owned, or NULL */
	struct refusal refusal;	/* of what is pending, or of an uplink */
	bool is_early;		/* what is pending can be applied in a moment */
};

/* Free the models. */
void applying_clear(struct applying *a);

/* m, which is owned from now on, in place of what is pending. */
void applying_set(struct applying *a, struct model *m);

/* Put what is pending in force: tables, ways to backends, and only then the
 * uplinks. a->refusal says why not; applying_try() logs it when it is news,
 * applying_do() leaves that to the caller. */
int applying_do(struct applying *a);
void applying_try(struct applying *a);

/* Links, routes or neighbours have changed: what is pending may be possible
 * now, uplinks may have moved, ways are found anew. */
void applying_follow(struct applying *a);

#endif
