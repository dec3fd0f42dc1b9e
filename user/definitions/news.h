/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What services came and went since the last model was made: the next one
 * takes no more time than that. It grows while definitions have mistakes.
 */
#ifndef FAIRLEAD_NEWS_H
#define FAIRLEAD_NEWS_H

#include "model/service_set.h"

struct news {			/* starts zeroed */
	struct model_service **came, **went;	/* owned */
	size_t nr_came, nr_went, came_room, went_room;
};

/* s is held until a model has it, or nobody else does. -ENOMEM. */
int news_came(struct news *n, struct model_service *s);
/* Before whoever had it lets go of s. -ENOMEM. */
int news_went(struct news *n, const struct model_service *s);

/* The set after *set, in its place; the same if there is nothing new. -ENOMEM:
 * nothing was changed. */
int news_take(struct news *n, struct service_set **set);
void news_clear(struct news *n);

#endif
