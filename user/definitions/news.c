// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See news.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "news.h"

static int add(struct model_service ***list, size_t *count, size_t *room,
	       struct model_service *s)
{
	if (!list_room(list, *count + 1, room, sizeof(s)))
		return -ENOMEM;
	(*list)[(*count)++] = s;
	return 0;
}

int news_came(struct news *n, struct model_service *s)
{
	int err = add(&n->came, &n->nr_came, &n->came_room, s);

	if (!err)
		model_service_hold(s);
	return err;
}

/* What no model has is among those that came, and found there later. */
int news_went(struct news *n, const struct model_service *s)
{
	return s->is_in_set ? add(&n->went, &n->nr_went, &n->went_room,
				  (struct model_service *)s) : 0;
}

/* Whom nobody else has any more went before a model had it. */
static void drop_gone(struct news *n)
{
	size_t count = 0;

	for (size_t i = 0; i < n->nr_came; i++) {
		if (n->came[i]->users == 1)
			model_service_free(n->came[i]);
		else
			n->came[count++] = n->came[i];
	}
	n->nr_came = count;
}

int news_take(struct news *n, struct service_set **set)
{
	struct service_set *next;
	int err;

	drop_gone(n);
	if (!n->nr_came && !n->nr_went)
		return 0;
	err = service_set_next(*set, n->came, n->nr_came, n->went, n->nr_went,
			       &next);
	if (err)
		return err;
	service_set_free(*set);
	*set = next;
	n->nr_came = 0;	/* they are the set's */
	news_clear(n);
	return 0;
}

void news_clear(struct news *n)
{
	for (size_t i = 0; i < n->nr_came; i++)
		model_service_free(n->came[i]);
	free(n->came);
	free(n->went);
	*n = (struct news){};
}
