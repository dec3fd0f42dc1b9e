/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What policies denied lately, with the names of who decided: they are found
 * when it happens, as what an id stood for is soon forgotten. So many are kept,
 * and so many a second looked at, as somebody who is denied can ask as often as
 * he likes.
 */
#ifndef FAIRLEAD_VERDICTS_H
#define FAIRLEAD_VERDICTS_H

#include <jansson.h>

#include "base/loop.h"
#include "enforcing.h"

#define VERDICTS_KEPT 1024
#define VERDICTS_PER_S 2000

struct verdicts {
	const struct parts *parts;
	const struct enforcing *enforcing;
	json_t *kept[VERDICTS_KEPT];	/* owned; by number, modulo */
	__u64 next;		/* number of the next one; from 1 on */
	__u64 missed;		/* seconds in which there were more */
	struct event *source;
	unsigned int this_second;
};

/* Follow them from now on; l outlives v. -errno, logged. */
int verdicts_start(struct verdicts *v, struct loop *l);
void verdicts_stop(struct verdicts *v);	/* what was kept is freed */

/* Every second: more are listened to. */
void verdicts_check(struct verdicts *v);

/* Those from number first on that are kept: {"verdicts": [...], "next": N}. */
json_t *verdicts_json(const struct verdicts *v, __u64 first);

#endif
