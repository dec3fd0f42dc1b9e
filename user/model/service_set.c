// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See service_set.h. The sets that are in use are a chain, the oldest first,
 * and the chain is one user of each service that is in any of them: a set that
 * goes lets go of those that no other one has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "service_set.h"

struct service_set *service_set_new(void)
{
	struct service_set *s = calloc(1, sizeof(*s));

	if (s)
		s->users = 1;
	return s;
}

struct service_set *service_set_hold(struct service_set *s)
{
	s->users++;
	return s;
}

static const char *name_of(const struct service_change *c)
{
	return (c->was ?: c->is)->name;
}

static int compare_names(const void *a, const void *b)
{
	const struct model_service *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Of two sorted lists one of changes; how many they are. */
static size_t pair(struct model_service **went, size_t nr_went,
		   struct model_service **came, size_t nr_came,
		   struct service_change *ret)
{
	size_t i = 0, j = 0, count = 0;

	while (i < nr_went || j < nr_came) {
		int order = i == nr_went ? 1 : j == nr_came ? -1 :
			    strcmp(went[i]->name, came[j]->name);

		ret[count++] = (struct service_change){
			.was = order <= 0 ? went[i++] : NULL,
			.is = order >= 0 ? came[j++] : NULL,
		};
	}
	return count;
}

/* Where name is in s, or belongs; it is not before `from`. */
static size_t find(const struct service_set *s, size_t from, const char *name)
{
	size_t low = from, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->list[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What lies between two changes is copied without a look at it. */
static void fill(struct service_set *to, const struct service_set *s)
{
	const struct service_change *c = s->changes, *end = c + s->nr_changes;
	size_t from = 0, at;

	for (; c < end; c++) {
		at = find(s, from, name_of(c));
		if (at > from)
			memcpy(to->list + to->count, s->list + from,
			       (at - from) * sizeof(*s->list));
		to->count += at - from;
		from = at + (c->was != NULL);
		if (!c->is)
			continue;
		c->is->is_in_set = true;
		to->list[to->count++] = c->is;
	}
	if (s->count > from)
		memcpy(to->list + to->count, s->list + from,
		       (s->count - from) * sizeof(*s->list));
	to->count += s->count - from;
}

static bool is_node(const struct model_service *s)
{
	return s && s->nr_fronts && s->fronts[0].kind != KIND_EDGE;
}

int service_set_next(struct service_set *s, struct model_service **came,
		     size_t nr_came, struct model_service **went,
		     size_t nr_went, struct service_set **ret)
{
	struct service_set *to = service_set_new();
	struct service_change *changes = calloc(nr_came + nr_went + 1,
						sizeof(*changes));

	if (to)
		to->list = malloc((s->count + nr_came + 1) * sizeof(*to->list));
	if (!to || !to->list || !changes) {
		free(to);
		free(changes);
		return -ENOMEM;
	}
	if (nr_came)
		qsort(came, nr_came, sizeof(*came), compare_names);
	if (nr_went)
		qsort(went, nr_went, sizeof(*went), compare_names);
	s->changes = changes;
	s->nr_changes = pair(went, nr_went, came, nr_came, changes);
	s->next = to;
	to->previous = s;
	fill(to, s);
	to->nr_node = s->nr_node;
	for (size_t i = 0; i < s->nr_changes; i++)
		to->nr_node += is_node(changes[i].is) - is_node(changes[i].was);
	*ret = to;
	return 0;
}

bool service_set_changes(const struct service_set *was,
			 const struct service_set *is,
			 const struct service_change **ret, size_t *ret_count)
{
	*ret_count = 0;
	if (!was || !is)
		return false;
	if (was == is)
		return true;
	if (was->next != is)
		return false;
	*ret = was->changes;
	*ret_count = was->nr_changes;
	return true;
}

/* Two steps become one: changes of a, then those of b. What only the set in
 * between had is freed. */
static size_t join(const struct service_set *a, const struct service_set *b,
		   struct service_change *ret)
{
	size_t i = 0, j = 0, count = 0;

	while (i < a->nr_changes || j < b->nr_changes) {
		int order = i == a->nr_changes ? 1 : j == b->nr_changes ? -1 :
			    strcmp(name_of(&a->changes[i]),
				   name_of(&b->changes[j]));
		struct service_change c = {
			.was = order <= 0 ? a->changes[i].was :
					    b->changes[j].was,
			.is = order < 0 ? a->changes[i].is : b->changes[j].is,
		};

		if (!order)
			model_service_free(b->changes[j].was);
		i += order <= 0;
		j += order >= 0;
		if (c.was || c.is)
			ret[count++] = c;
	}
	return count;
}

/* s, which nobody uses, is between two others. Without memory it stays. */
static bool bridge(struct service_set *s)
{
	struct service_set *a = s->previous;
	struct service_change *changes;

	changes = calloc(a->nr_changes + s->nr_changes + 1, sizeof(*changes));
	if (!changes)
		return false;
	a->nr_changes = join(a, s, changes);
	free(a->changes);
	a->changes = changes;
	a->next = s->next;
	s->next->previous = a;
	return true;
}

/* The oldest goes, with what the next one has not. */
static void drop_first(struct service_set *s)
{
	for (size_t i = 0; i < s->nr_changes; i++)
		model_service_free(s->changes[i].was);
	s->next->previous = NULL;
}

/* The newest goes, with what the one before has not. */
static void drop_last(struct service_set *s)
{
	struct service_set *a = s->previous;

	for (size_t i = 0; i < a->nr_changes; i++)
		model_service_free(a->changes[i].is);
	free(a->changes);
	a->changes = NULL;
	a->nr_changes = 0;
	a->next = NULL;
}

/* False: it has to stay for now. */
static bool drop(struct service_set *s)
{
	if (s->previous && s->next)
		return bridge(s);
	if (s->next)
		drop_first(s);
	else if (s->previous)
		drop_last(s);
	else
		for (size_t i = 0; i < s->count; i++)
			model_service_free(s->list[i]);
	return true;
}

static struct service_set *unused(struct service_set *s)
{
	return s && !s->users ? s : NULL;
}

void service_set_free(struct service_set *s)
{
	struct service_set *other;

	if (!s || --s->users)
		return;
	other = unused(s->previous) ?: unused(s->next);
	if (!drop(s))
		return;
	free(s->changes);
	free(s->list);
	free(s);
	/* one that had to stay when its last user went */
	if (other) {
		other->users = 1;
		service_set_free(other);
	}
}
