// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See registered.h. */
#include <stdlib.h>
#include <string.h>

#include "registered.h"

static void clear(struct registered *r)
{
	free(r->namespace);
	free(r->name);
}

struct registered *registered_find(const struct registry *all,
				   const char *namespace, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->list[i].namespace, namespace) &&
		    !strcmp(all->list[i].name, name))
			return &all->list[i];
	return NULL;
}

struct registered *registered_at(const struct registry *all, __u32 ifindex)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].ifindex == ifindex)
			return &all->list[i];
	return NULL;
}

struct registered *registered_add(struct registry *all, const char *namespace,
				  const char *name, __u32 ifindex,
				  const __u8 *mac)
{
	struct registered *list, r = {
		.namespace = strdup(namespace),
		.name = strdup(name),
		.ifindex = ifindex,
	};

	if (mac)
		memcpy(r.mac, mac, sizeof(r.mac));
	list = realloc(all->list, (all->count + 1) * sizeof(*list));
	if (list)
		all->list = list;
	if (!list || !r.namespace || !r.name) {
		clear(&r);
		return NULL;
	}
	list[all->count] = r;
	return &list[all->count++];
}

void registered_drop(struct registry *all, struct registered *r)
{
	clear(r);
	*r = all->list[--all->count];
}

void registry_clear(struct registry *all)
{
	for (size_t i = 0; i < all->count; i++)
		clear(&all->list[i]);
	free(all->list);
}
