/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The services of models that follow one another. A set is made from the one
 * before and never written afterwards. Both know what differs between them, so
 * that who has the older one in force need not look at the rest: at ten
 * thousand services, a change of one costs a copy of as many pointers.
 */
#ifndef FAIRLEAD_SERVICE_SET_H
#define FAIRLEAD_SERVICE_SET_H

#include "model.h"

/* was NULL: it came; is NULL: it went. */
struct service_change {
	struct model_service *was, *is;
};

struct service_set {
	struct model_service **list;	/* sorted by name */
	size_t count;
	size_t nr_node;			/* of them, services of a node */
	unsigned int users;
	/* Of those that are in use, or were and could not be forgotten. */
	struct service_set *previous, *next;
	struct service_change *changes;	/* to next; sorted by name */
	size_t nr_changes;
};

/* Without services; the caller is its user. NULL: out of memory. */
struct service_set *service_set_new(void);
struct service_set *service_set_hold(struct service_set *s);
void service_set_free(struct service_set *s);	/* a user less; NULL is fine */

/*
 * s, which nothing was made from yet, without went[] and with came[]: names are
 * each once among came, and what is left of s has none of them. The arrays are
 * sorted meanwhile. came's users are the set's from now on. The caller is a
 * user of *ret. -ENOMEM: nothing was changed.
 */
int service_set_next(struct service_set *s, struct model_service **came,
		     size_t nr_came, struct model_service **went,
		     size_t nr_went, struct service_set **ret);

/* What differs; false: is was not made from was, so nobody knows. Either may
 * be NULL. */
bool service_set_changes(const struct service_set *was,
			 const struct service_set *is,
			 const struct service_change **ret, size_t *ret_count);

#endif
