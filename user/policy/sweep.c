// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Takes out what no set that is in force names any more, once packets are gone
 * that might: whatever is there, of a daemon before us as well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* Keys that are to go: nothing may be deleted while they are listed. */
struct sweep {
	const struct policy_state *s;
	struct numbers used_targets, peer_classes, port_classes;
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
	if (numbers_has(&w->used_targets, id))
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
	if (numbers_has(&w->used_targets, k.target) &&
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
	if (!k.target || numbers_has(&w->used_targets, k.target))
		return 0;
	to = list_add(&w->hits);
	if (!to)
		return -ENOMEM;
	*to = k;
	return 0;
}

static int use_targets(struct sweep *w, const struct image *m)
{
	const struct policy_state *s = w->s;
	int ret = 0;

	for (size_t i = 0; i < m->targets.count && !ret; i++)
		ret = numbers_add(&w->used_targets, m->targets.at[i].id);
	for (size_t i = 0; i < s->places.count && !ret; i++) {
		const struct workload *e =
			&s->t->workloads[s->places.at[i].index];

		ret = numbers_add(&w->used_targets, e->target.in) ?:
		      numbers_add(&w->used_targets, e->target.out);
	}
	return ret;
}

static int use_values(struct sweep *w, const struct image *m)
{
	const __u16 *classes = m->port_classes;
	int ret = 0;

	for (size_t i = 0; i < m->peers.count && !ret; i++)
		ret = numbers_add(&w->peer_classes,
				  m->peers.at[i].value & PEER_CLASS_MASK);
	for (size_t i = 0; i < m->prefixes.count && !ret; i++)
		ret = numbers_add(&w->peer_classes,
				  m->prefixes.at[i].value & PEER_CLASS_MASK);
	for (__u32 i = 0; i < PORT_CLASSES && !ret; i++)
		if (!(i & 0xffff) || classes[i] != classes[i - 1])
			ret = numbers_add(&w->port_classes,
					  port_class_key(i >> 16, classes[i]));
	return ret;
}

/* Classes of pods that are gone as well, as there may be one again. */
static int use_classes(struct sweep *w, const struct policy_compiled *now)
{
	int ret = 0;

	for (size_t i = 0; i < now->classes.count && !ret; i++)
		ret = numbers_add(&w->peer_classes, now->classes.at[i].id);
	return ret;
}

/* What the set in force names, and, if a change ended half way, the tables. */
static int find_used(struct sweep *w)
{
	const struct policy_compiled *now = w->s->now;
	struct image loaded;
	int ret = image_init(&loaded);

	if (!ret && w->s->is_unsure)
		ret = image_load(&loaded, w->s->t);
	ret = ret ?: use_targets(w, &now->image);
	ret = ret ?: use_classes(w, now);
	ret = ret ?: use_values(w, &now->image);
	ret = ret ?: use_values(w, &loaded);
	image_free(&loaded);
	numbers_sort(&w->used_targets);
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

int sweep(struct policy_state *s)
{
	struct sweep w = { .s = s };
	int ret = find_used(&w);

	ret = ret ?: sweep_masks(s, &w, TABLE_peer_masks, &w.peer_classes);
	ret = ret ?: sweep_masks(s, &w, TABLE_port_masks, &w.port_classes);
	ret = ret ?: sweep_targets(s, &w);
	free(w.used_targets.list.at);
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
	s->last_pair = 0;
	memset(s->port_ids, 0, sizeof(s->port_ids));
	port_ids_note(s, s->now->image.port_classes);
	policy_compiled_free(s->before);
	s->before = NULL;
	return s->retired.count;
}
