// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See others.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "enforcing.h"
#include "others.h"

static int compare(const struct model_workload *a,
		   const struct model_workload *b)
{
	int sign = strcmp(a->namespace, b->namespace);

	return sign ? sign : strcmp(a->name, b->name);
}

/* What was known of a workload goes on being so, until it turns out not to. */
static void inherit(struct placed *to, const struct placed *from)
{
	const struct model_workload *is = to->workload, *was = from->workload;

	to->ifindex = from->ifindex;
	to->has_lost = from->has_lost;
	to->has_moved = from->has_moved || is->nr_addrs != was->nr_addrs ||
			(is->nr_addrs && memcmp(is->addrs, was->addrs,
						is->nr_addrs *
						sizeof(*is->addrs)));
}

/* Both are in order of names. */
void others_replace(struct enforcing *p, struct others *o)
{
	size_t j = 0;

	for (size_t i = 0; i < p->nr_placed; i++) {
		const struct placed *old = &p->placed[i];

		while (j < o->count &&
		       compare(o->list[j].workload, old->workload) < 0)
			j++;
		if (j < o->count &&
		    !compare(o->list[j].workload, old->workload))
			inherit(&o->list[j], old);
		else if (old->ifindex)
			o->left[o->nr_left++] = old->ifindex;
	}
	free(p->placed);
	p->placed = take_ptr(o->list);
	p->nr_placed = o->count;
}

void others_take_away_left(struct enforcing *p, const struct others *o)
{
	for (size_t i = 0; i < o->nr_left; i++)
		if (!placed_at(p, o->left[i]) && !registered_at(&p->registry, o->left[i]))
			placed_take_away(p, o->left[i]);
}

bool others_of(const struct enforcing *p, const struct policy_set *s,
	       struct others *ret)
{
	size_t count = s ? s->nr_workloads : 0;
	struct policy_usage usage;

	policy_usage(p->state, &usage);
	ret->list = calloc(count + 1, sizeof(*ret->list));
	ret->left = calloc(p->nr_placed + usage.workloads + 1,
			   sizeof(*ret->left));
	if (!ret->list || !ret->left)
		return false;
	for (size_t i = 0; i < count; i++)
		if (s->workloads[i]->is_here &&
		    !s->workloads[i]->is_host_network)
			ret->list[ret->count++].workload = s->workloads[i];
	return true;
}

/* NULL: not among them. */
static struct placed *others_find(const struct others *o,
				  const struct policy_place *at)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_workload *w = o->list[middle].workload;
		int order = strcmp(w->namespace, at->namespace);

		order = order ? order : strcmp(w->name, at->name);
		if (!order)
			return &o->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct adopting {
	struct enforcing *p;
	struct others *others;
};

/* Where those are who were not registered, files and addresses say. */
static int adopt(void *arg, const struct policy_place *at)
{
	const struct adopting *a = arg;
	struct others *o = a->others;
	struct placed *to = others_find(o, at);

	if (to && !to->ifindex) {
		to->ifindex = at->ifindex;
		to->has_moved = true;
	} else {
		o->left[o->nr_left++] = at->ifindex;
	}
	if (!(at->entry->flags & WORKLOAD_REGISTERED) ||
	    registered_find(&a->p->registry, at->namespace, at->name))
		return 0;
	return registered_add(&a->p->registry, at->namespace, at->name, at->ifindex,
			      at->entry->mac) ? 0 : -ENOMEM;
}

void others_adopt(struct enforcing *p, struct others *o)
{
	struct adopting a = { p, o };

	if (!p->has_adopted && policy_places(p->state, adopt, &a))
		log_warning(0, "no memory for who was registered before");
	p->has_adopted = true;
}

void others_clear(struct others *o)
{
	free(o->list);
	free(o->left);
}
