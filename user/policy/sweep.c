// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Takes out what no set that is in force names any more, once packets are gone
 * that might: whatever is there, of a daemon before us as well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* Keys that are to go: nothing may be deleted while they are listed. */
struct sweep {
	const struct policy_compiled *now;
	struct numbers peer_classes, port_classes;	/* in use */
	const struct numbers *classes;	/* those of the map; NULL: targets */
	LIST(struct mask_key) masks;
	LIST(__u32) targets;
	LIST(struct hit_key) hits;
};

static int note_target(void *arg, const void *key, const void *value)
{
	struct sweep *w = arg;
	__u32 id, *to;

	memcpy(&id, key, sizeof(id));
	if (image_target(&w->now->image, id))
		return 0;
	to = list_add(&w->targets);
	if (!to)
		return -ENOMEM;
	*to = id;
	return 0;
}

static int note_mask(void *arg, const void *key, const void *value)
{
	struct sweep *w = arg;
	struct mask_key k, *to;

	memcpy(&k, key, sizeof(k));
	if (image_target(&w->now->image, k.target) &&
	    numbers_has(w->classes, k.class))
		return 0;
	to = list_add(&w->masks);
	if (!to)
		return -ENOMEM;
	*to = k;
	return 0;
}

static int note_hit(void *arg, const void *key, const void *value)
{
	struct sweep *w = arg;
	struct hit_key k, *to;

	memcpy(&k, key, sizeof(k));
	if (!k.target || image_target(&w->now->image, k.target))
		return 0;
	to = list_add(&w->hits);
	if (!to)
		return -ENOMEM;
	*to = k;
	return 0;
}

static int find_used(struct sweep *w)
{
	const __u16 *classes = w->now->image.port_classes;
	int ret = 0;

	for (size_t i = 0; i < w->now->classes.count && !ret; i++)
		ret = numbers_add(&w->peer_classes, w->now->classes.at[i].id);
	for (__u32 i = 0; i < PORT_CLASSES && !ret; i++)
		if (!(i & 0xffff) || classes[i] != classes[i - 1])
			ret = numbers_add(&w->port_classes,
					  port_class_key(i >> 16, classes[i]));
	numbers_sort(&w->peer_classes);
	numbers_sort(&w->port_classes);
	return ret;
}

/* Deletes what is listed. */
static int sweep_masks(struct policy_state *s, struct sweep *w,
		       enum table_id id, const struct numbers *classes)
{
	int ret;

	w->masks.count = 0;
	w->classes = classes;
	ret = s->t->entries_each(s->t, id, note_mask, w);
	for (size_t i = 0; i < w->masks.count; i++)
		s->t->entry_del(s->t, id, &w->masks.at[i]);
	return ret;
}

static int sweep_targets(struct policy_state *s, struct sweep *w)
{
	int ret = s->t->entries_each(s->t, TABLE_targets, note_target, w);

	ret = ret ?: s->t->entries_each(s->t, TABLE_policy_hits, note_hit, w);
	for (size_t i = 0; i < w->targets.count; i++)
		s->t->entry_del(s->t, TABLE_targets, &w->targets.at[i]);
	for (size_t i = 0; i < w->hits.count; i++)
		s->t->entry_del(s->t, TABLE_policy_hits, &w->hits.at[i]);
	return ret;
}

static int sweep(struct policy_state *s)
{
	struct sweep w = { .now = s->now };
	int ret = find_used(&w);

	ret = ret ?: sweep_masks(s, &w, TABLE_peer_masks, &w.peer_classes);
	ret = ret ?: sweep_masks(s, &w, TABLE_port_masks, &w.port_classes);
	ret = ret ?: sweep_targets(s, &w);
	free(w.peer_classes.list.at);
	free(w.port_classes.list.at);
	free(w.masks.at);
	free(w.targets.at);
	free(w.hits.at);
	return ret;
}

bool policy_tick(struct policy_state *s, __u32 now_s)
{
	places_tick(s, now_s);
	if (!s->sweep_is_due || !s->now || s->is_unsure ||
	    now_s - s->changed_s < GRACE_S)
		return s->sweep_is_due || s->retired.count;
	if (sweep(s))
		return true;
	s->sweep_is_due = false;
	s->pair_ids.list.count = 0;
	memset(s->port_ids, 0, sizeof(s->port_ids));
	port_ids_note(s, s->now->image.port_classes);
	policy_compiled_free(s->before);
	s->before = NULL;
	return s->retired.count;
}
