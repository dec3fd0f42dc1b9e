/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The workloads of another set of policies take the place of those that are
 * placed; and what was placed by a daemon before us is adopted. Of enforcing.h.
 */
#ifndef FAIRLEAD_OTHERS_H
#define FAIRLEAD_OTHERS_H

#include <stdbool.h>
#include <stddef.h>

#include "placed.h"

/* Those that are here, and interfaces of some that are not any more. */
struct others {
	struct placed *list;	/* owned, but for what p takes */
	size_t count;
	__u32 *left;		/* owned */
	size_t nr_left;
};

/* Those of s that are here; s NULL: none. False: no memory. */
bool others_of(const struct enforcing *p, const struct policy_set *s,
	       struct others *ret);
void others_clear(struct others *o);

/* What a daemon before us has placed, of which much may have changed. */
void others_adopt(struct enforcing *p, struct others *o);

/* In place of those before. */
void others_replace(struct enforcing *p, struct others *o);

/* Last of all: whoever came may have been given one of these, and is not
 * without its policy for a moment. */
void others_take_away_left(struct enforcing *p, const struct others *o);

#endif
