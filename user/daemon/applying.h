/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model in force and the one that waits to be. What was loaded but could
 * not be put in force stays pending: what stands in its way may go.
 */
#ifndef FAIRLEAD_APPLYING_H
#define FAIRLEAD_APPLYING_H

#include <stdbool.h>

#include "parts.h"
#include "pods.h"
#include "checking.h"
#include "enforcing.h"
#include "refusal.h"
#include "sockets.h"
#include "sync.h"
#include "uplinks.h"
#include "ways.h"

struct applying {
	const struct parts *parts;
	struct uplinks *uplinks;
	struct ways *ways;
	struct pods *pods;
	struct enforcing *enforcing;
	struct sync *sync;
	struct sockets *sockets;
	struct checking *checking;
	struct model *model;	/* in force; owned */
	struct model *pending;	/* owned, or NULL */
	struct refusal refusal;	/* of what is pending */
	struct refusal pins;	/* they are gone */
	unsigned int pins_wait;	/* calls of applying_check() to the next try */
	bool is_early;		/* what is pending can be applied in a moment */
	bool is_blocked;	/* what is pending may be possible later */
};

/* Free the models. */
void applying_clear(struct applying *a);

/* m, which is owned from now on, in place of what is pending. */
void applying_set(struct applying *a, struct model *m);

/*
 * Put what is pending in force, all of it or nothing: what is new is attached,
 * then the tables are written, then what is old is detached. a->refusal says
 * why not; applying_try() logs it when it is news, applying_do() leaves that to
 * the caller.
 */
int applying_do(struct applying *a);
void applying_try(struct applying *a);

/* Links, routes or neighbours have changed: what is pending may be possible
 * now, uplinks may have moved, ways are found anew. */
void applying_follow(struct applying *a);

/* Every second or so: what others took away, attachments and pins, is made
 * again; what is pending gets another try. */
void applying_check(struct applying *a);

#endif
