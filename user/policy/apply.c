// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From one set to the next: compiles, has it planned, writes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define SALTS 8

void epoch_store(struct policy_state *s)
{
	struct runtime *r = s->t->runtime;

	__atomic_store_n(&r->policy_epoch, r->policy_epoch + 1 ?: 1,
			 __ATOMIC_RELEASE);
}

static void policing_store(struct policy_state *s, enum policing policing)
{
	__atomic_store_n(&s->t->runtime->policing, policing, __ATOMIC_RELEASE);
}

void port_ids_note(struct policy_state *s, const __u16 *classes)
{
	for (__u32 i = 0; i < PORT_CLASSES; i++)
		s->port_ids[classes[i] / 8] |= 1 << (classes[i] & 7);
}

/* Are there rows of to's targets and classes in the tables that say something
 * else than to? Another version's, or a chance of one in many millions. */
static bool masks_contradict(const struct masks *was, const struct masks *is,
			     const struct policy_compiled *to)
{
	for (size_t i = 0; i < was->list.count; i++) {
		const struct mask_row *r = &was->list.at[i];
		const struct rule_mask *mask;
		size_t count;

		if (!image_target(&to->image, r->key.target))
			continue;
		masks_of(is, r->key.class, &count);
		mask = masks_find(is, r->key.class, r->key.target);
		if (count && (!mask || memcmp(mask, &r->mask, sizeof(*mask))))
			return true;
	}
	return false;
}

static bool contradicts(const struct image *was,
			const struct policy_compiled *to)
{
	for (size_t i = 0; i < was->targets.count; i++) {
		const struct target_row *r = &was->targets.at[i];
		const struct target *is = image_target(&to->image, r->id);

		if (is && memcmp(is, &r->target, sizeof(*is)))
			return true;
	}
	return masks_contradict(&was->peer_masks, &to->image.peer_masks, to) ||
	       masks_contradict(&was->port_masks, &to->image.port_masks, to);
}

/* What the tables name, in use or not, stands for no pair before a sweep. */
static int note_ids(struct policy_state *s, const struct image *loaded)
{
	const struct masks *peers = &loaded->peer_masks,
			   *ports = &loaded->port_masks;
	int ret = 0;

	for (size_t i = 0; i < peers->list.count && !ret; i++)
		if (!i || peers->list.at[i].key.class !=
			  peers->list.at[i - 1].key.class)
			ret = numbers_add(&s->pair_ids,
					  peers->list.at[i].key.class);
	for (size_t i = 0; i < ports->list.count; i++) {
		__u16 id = ports->list.at[i].key.class;

		s->port_ids[id / 8] |= 1 << (id & 7);
	}
	port_ids_note(s, loaded->port_classes);
	return ret;
}

/* What is to be compared with: what the tables hold, if nobody knows. */
static int image_now(struct policy_state *s, struct image *loaded,
		     const struct image **ret)
{
	int err;

	if (!s->is_unsure) {
		*ret = &s->now->image;
		return 0;
	}
	*ret = loaded;
	err = image_load(loaded, s->t);
	return err ?: note_ids(s, loaded);
}

static int compile_to(struct change *c, struct policy_set *set,
		      const struct image *was, struct closing *closing,
		      char *text)
{
	struct policy_state *s = c->s;
	const struct compile_of of = { set, s->host, s->nr_host, POLICY_HERE };
	struct compile_from from = { .was = s->now, .image = was,
				     .port_ids = s->port_ids };
	int ret;

	if (s->now)
		from.salt = s->now->salt;
	for (int i = 0;; i++, from.salt++) {
		ret = compile(&of, &from, closing, &c->to, text);
		if (ret || !s->is_unsure || i == SALTS ||
		    !contradicts(was, c->to))
			return ret;
		policy_compiled_free(c->to);
		c->to = NULL;
		from.was = NULL;
	}
}

static int compile_and_plan(struct change *c, struct policy_set *set,
			    const struct image *was, struct closing *closing,
			    char *text)
{
	int ret = compile_to(c, set, was, closing, text);

	if (ret)
		return ret;
	port_ids_note(c->s, c->to->image.port_classes);
	return plan(c, was, text);
}

/* What there is and what is to be, at once, may be too much for tables that
 * hold either: then less is to be. */
static int begin_to(struct change *c, struct policy_set *set,
		    const struct image *was, char *text)
{
	struct closing closing = {};
	int ret;

	while ((ret = compile_and_plan(c, set, was, &closing, text)) ==
		       -E2BIG &&
	       c->is_too_much && closing_add(&closing, c->to, text)) {
		policy_compiled_free(c->to);
		c->to = NULL;
		c->is_too_much = false;
		c->writes.count = c->masks.count = 0;
		c->result = (struct policy_result){};
	}
	free(closing.names.at);
	return ret;
}

static int begin(struct change *c, struct policy_set *set, char *text)
{
	struct image loaded;
	const struct image *was;
	int ret = image_init(&loaded);

	if (ret)
		return ret;
	strcpy(text, "the tables cannot be read");
	ret = image_now(c->s, &loaded, &was);
	ret = ret ?: begin_to(c, set, was, text);
	image_free(&loaded);
	return ret;
}

int change_begin(struct policy_state *s, struct policy_set *set, __u32 now_s,
		 struct change *ret, char text[static POLICY_TEXT_MAX])
{
	int err;

	*ret = (struct change){ .s = s, .now_s = now_s };
	*text = '\0';
	err = delta_begin(s, set, ret);
	if (err == -EAGAIN)
		err = begin(ret, set, text);
	if (!err)
		return 0;
	if (!*text)
		strcpy(text, "out of memory");
	change_end(ret);
	return err;
}

static int refused(int err, const char *what, char *text)
{
	if (err == -E2BIG || err == -ENOSPC)
		snprintf(text, POLICY_TEXT_MAX, "the table %s is full", what);
	else if (err)
		snprintf(text, POLICY_TEXT_MAX, "the table %s: %s", what,
			 strerror(-err));
	return err;
}

static int entry_set(struct tables *t, enum table_id id, const void *key,
		     const void *value, char *text)
{
	return refused(t->entry_set(t, id, key, value), table_rows[id].name,
		       text);
}

static int entry_del(struct tables *t, enum table_id id, const void *key,
		     char *text)
{
	int err = t->entry_del(t, id, key);

	return err == -ENOENT ? 0 : refused(err, table_rows[id].name, text);
}

static int row_set(struct change *c, enum table_id id, const struct write *w,
		   char *text)
{
	const struct mask_row *r = &c->masks.at[w->row];

	return entry_set(c->s->t, id, &r->key, &r->mask, text);
}

/* Ports and places: one at a time; true: it was the last. */
static bool store_port(struct tables *t, struct write *w)
{
	if (w->count)
		__atomic_store_n(&t->port_classes[w->first], w->value,
				 __ATOMIC_RELEASE);
	if (w->count <= 1)
		return true;
	w->first++;
	w->count--;
	return false;
}

static bool store_place(struct change *c, struct write *w)
{
	struct policy_state *s = c->s;

	if (w->count && place_store(s, c->to, &s->places.at[w->first],
				    c->now_s)) {
		c->result.workloads++;
		c->result.writes++;
	}
	if (w->count <= 1)
		return true;
	w->first++;
	w->count--;
	return false;
}

static int write_one(struct change *c, struct write *w, bool *ret_last,
		     char *text)
{
	struct tables *t = c->s->t;
	const struct target_row *row;

	switch (w->kind) {
	case WRITE_TARGET:
		row = &c->to->image.targets.at[w->row];
		return entry_set(t, TABLE_targets, &row->id, &row->target,
				 text);
	case WRITE_PEER_MASK:
		return row_set(c, TABLE_peer_masks, w, text);
	case WRITE_PORT_MASK:
		return row_set(c, TABLE_port_masks, w, text);
	case WRITE_PREFIX:
		return entry_set(t, TABLE_peer_prefixes, &w->prefix, &w->value,
				 text);
	case WRITE_PEER:
		return entry_set(t, TABLE_peers, &w->addr, &w->value, text);
	case WRITE_PORTS:
		*ret_last = store_port(t, w);
		return 0;
	case WRITE_PLACES:
		*ret_last = store_place(c, w);
		return 0;
	case WRITE_EPOCH:
		epoch_store(c->s);
		return 0;
	case WRITE_SETTLE:
		if (t->settle)
			t->settle(t);
		return 0;
	case DELETE_PREFIX:
		return entry_del(t, TABLE_peer_prefixes, &w->prefix, text);
	case DELETE_PEER:
		return entry_del(t, TABLE_peers, &w->addr, text);
	}
	return 0;
}

int change_step(struct change *c, char text[static POLICY_TEXT_MAX])
{
	enum write_kind kind;
	bool is_last = true;
	int ret;

	if (c->at == c->writes.count)
		return 0;
	kind = c->writes.at[c->at].kind;
	/* Until the last one is done, nobody knows what the tables hold. */
	c->s->is_unsure = true;
	ret = write_one(c, &c->writes.at[c->at], &is_last, text);
	if (ret < 0)
		return ret;
	c->result.writes += kind != WRITE_PLACES && kind != WRITE_SETTLE;
	c->at += is_last;
	return 1;
}

static void take_over(struct change *c)
{
	struct policy_state *s = c->s;

	s->is_unsure = false;
	if (c->to == s->now)
		return;
	policy_compiled_free(s->before);
	s->before = s->now;
	s->now = c->to;
}

void change_end(struct change *c)
{
	struct policy_state *s = c->s;

	if (c->to && c->to != s->now) {
		s->sweep_is_due = true;
		s->changed_s = c->now_s;
	}
	if (c->to && c->at == c->writes.count)
		take_over(c);
	else if (c->to != s->now)
		policy_compiled_free(c->to);
	free(c->writes.at);
	free(c->masks.at);
}

static int change_once(struct policy_state *s, struct policy_set *set,
		       __u32 now_s, struct policy_result *result, char *text)
{
	struct change c;
	int ret = change_begin(s, set, now_s, &c, text);

	if (ret)
		return ret;
	do
		ret = change_step(&c, text);
	while (ret > 0);
	if (result)
		*result = c.result;
	change_end(&c);
	return ret;
}

/* A table may be full of what is not named any more: after another sweep, once
 * more. */
static int change_to(struct policy_state *s, struct policy_set *set,
		     __u32 now_s, struct policy_result *result, char *text)
{
	int ret = change_once(s, set, now_s, result, text);

	if (!s->is_unsure || !s->now || (ret != -E2BIG && ret != -ENOSPC))
		return ret;
	if (s->t->settle)
		s->t->settle(s->t);
	return sweep(s) ? ret : change_once(s, set, now_s, result, text);
}

/* What was half written is undone, to the set that was in force: its entries
 * are there still, or had room before. */
static void go_back(struct policy_state *s, struct policy_set *was,
		    __u32 now_s)
{
	char ignored[POLICY_TEXT_MAX];

	if (was && s->is_unsure)
		change_to(s, was, now_s, NULL, ignored);
}

static enum policing policing_of(const struct policy_set *set)
{
	return !set ? POLICE_NOBODY :
	       set->knows_all ? POLICE_ALL : POLICE_WORKLOADS;
}

int policy_apply(struct policy_state *s, struct policy_set *set, __u32 now_s,
		 struct policy_result *ret, char text[static POLICY_TEXT_MAX])
{
	struct policy_set *wanted = set ? policy_set_hold(set) :
					  policy_set_new();
	struct policy_set *was = s->now ? policy_set_hold(s->now->set) : NULL;
	int err = -ENOMEM;

	strcpy(text, "out of memory");
	if (!set)
		policing_store(s, POLICE_NOBODY);
	if (wanted)
		err = change_to(s, wanted, now_s, ret, text);
	if (!err)
		policing_store(s, policing_of(set));
	else
		go_back(s, was, now_s);
	policy_set_free(was);
	policy_set_free(wanted);
	return err;
}

int policy_set_host(struct policy_state *s, const struct addr *addrs,
		    size_t count, __u32 now_s,
		    char text[static POLICY_TEXT_MAX])
{
	struct addr *copy = malloc((count + 1) * sizeof(*copy));
	struct addr *old = s->host;
	size_t nr_old = s->nr_host;
	int ret = 0;

	strcpy(text, "out of memory");
	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, addrs, count * sizeof(*copy));
	s->host = copy;
	s->nr_host = count;
	if (s->now)
		ret = change_to(s, s->now->set, now_s, NULL, text);
	if (ret) {
		s->host = old;
		s->nr_host = nr_old;
		old = copy;
		go_back(s, s->now->set, now_s);
	}
	free(old);
	return ret;
}

int policy_new(struct tables *t, __u32 now_s, struct policy_state **ret)
{
	struct policy_state *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->t = t;
	s->is_unsure = true;
	err = places_load(s, now_s);
	if (err)
		policy_free(s);
	else
		*ret = s;
	return err;
}

void policy_free(struct policy_state *s)
{
	if (!s)
		return;
	policy_compiled_free(s->now);
	policy_compiled_free(s->before);
	places_free(s);
	free(s->pair_ids.list.at);
	free(s->host);
	free(s);
}
