// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See offers.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "offers.h"

/* One time of offers_make(). */
struct making {
	struct offers *offers;
	const char *path;
	LIST(struct part *) parts;
	LIST(struct offered) services;
};

static int compare(const void *a, const void *b)
{
	return offer_compare(*(const struct offer *const *)a,
			     *(const struct offer *const *)b);
}

static bool is_same(const struct kube_object *a, const struct kube_object *b)
{
	return a->kind == b->kind && a->digest == b->digest &&
	       !strcmp(a->namespace, b->namespace) && !strcmp(a->name, b->name);
}

/* The one that was there before, if it is what object is; else a new one.
 * object is taken over. NULL: no memory. */
static struct part *part_for(struct making *m, struct kube_object *object)
{
	struct part **at = m->offers->parts.at, *p;

	for (size_t i = 0; object && i < m->offers->parts.count; i++) {
		if (!at[i] || !is_same(at[i]->objects[0], object))
			continue;
		p = at[i];
		at[i] = NULL;
		kube_object_free(object);
		return p;
	}
	return part_of_object(m->path, object);
}

static int add(struct making *m, struct kube_object *object)
{
	struct part **to = list_add(&m->parts);

	if (!to) {
		kube_object_free(object);
		return -ENOMEM;
	}
	*to = part_for(m, object);
	if (*to)
		return 0;
	m->parts.count--;
	return -ENOMEM;
}

static struct offered *service_of(struct making *m, const struct offer *o)
{
	struct offered *to = list_add(&m->services), *was;

	if (!to)
		return NULL;
	strcpy(to->namespace, o->namespace);
	strcpy(to->service, o->service);
	for (size_t i = 0; i < m->offers->services.count; i++) {
		was = &m->offers->services.at[i];
		if (!strcmp(was->namespace, o->namespace) &&
		    !strcmp(was->service, o->service))
			memcpy(to->at, was->at, sizeof(to->at));
	}
	return to;
}

/* Where there is nothing of a family, nothing is said, but for what is wrong,
 * which is said once. */
static bool has_slice(const struct offer *o, bool is4)
{
	return *o->mistake ? is4 : !addr_is_zero(&o->own[is4]);
}

static int add_slices(struct making *m, const struct offer *o,
		      const struct addr at[2])
{
	int err = 0;

	for (int is4 = 1; is4 >= 0 && !err; is4--)
		if (has_slice(o, is4))
			err = add(m, offer_slice(o, is4, at));
	return err;
}

static bool any_right(const struct offer *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!*list[i]->mistake)
			return true;
	return false;
}

/* list: all of one service. */
static int add_service(struct making *m, const struct offer *const *list,
		       size_t nr)
{
	struct offered *s = service_of(m, list[0]);
	int err;

	if (!s)
		return -ENOMEM;
	offer_addresses(list, nr, s->at);
	err = any_right(list, nr) ? add(m, offer_service(list, nr, s->at)) : 0;
	for (size_t i = 0; i < nr && !err; i++)
		err = add_slices(m, list[i], s->at);
	return err;
}

static int add_all(struct making *m, const struct offer *const *list, size_t nr)
{
	size_t end;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i = end) {
		for (end = i + 1; end < nr; end++)
			if (!offer_is_of_same(list[i], list[end]))
				break;
		err = add_service(m, list + i, end - i);
	}
	return err;
}

/* What is left of before is gone. */
static void replace(struct making *m, struct source *s)
{
	struct offers *o = m->offers;

	for (size_t i = 0; i < o->parts.count; i++)
		if (o->parts.at[i])
			source_bury(s, o->parts.at[i]);
	free(o->parts.at);
	free(o->services.at);
	memcpy(&o->parts, &m->parts, sizeof(o->parts));
	memcpy(&o->services, &m->services, sizeof(o->services));
}

int offers_make(struct offers *o, struct source *s, const char *path,
		const struct offer **list, size_t nr)
{
	struct making m = { .offers = o, .path = path };
	int err;

	if (nr)
		qsort(list, nr, sizeof(*list), compare);
	err = add_all(&m, list, nr);
	replace(&m, s);
	return err;
}

void offers_clear(struct offers *o)
{
	for (size_t i = 0; i < o->parts.count; i++)
		part_free(o->parts.at[i]);
	free(o->parts.at);
	free(o->services.at);
	*o = (struct offers){};
}

__u64 offers_digest(const struct offers *o)
{
	__u64 sum = 0;

	for (size_t i = 0; i < o->parts.count; i++)
		sum += o->parts.at[i]->objects[0]->digest;
	return sum;
}
