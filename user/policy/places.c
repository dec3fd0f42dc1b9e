// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is behind which interface. An entry of workloads is filled before a cell
 * names it; what of it changes by more than one store is another entry, which
 * the same cell names from then on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/words.h"
#include "state.h"

#define PLACE_NAME_MAX sizeof(struct workload_info)

static __u32 index_take(struct policy_state *s)
{
	for (__u32 i = 1; i < WORKLOADS_MAX; i++)
		if (!s->used_indexes[i]) {
			s->used_indexes[i] = true;
			return i;
		}
	return 0;
}

/* Packets may be under way that look at it. Without memory it is lost until a
 * restart. */
static void index_retire(struct policy_state *s, __u32 index, __u32 now_s)
{
	struct retired_place *r = list_add(&s->retired);

	if (r)
		*r = (struct retired_place){ .index = index, .since_s = now_s };
}

void places_tick(struct policy_state *s, __u32 now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->retired.count; i++) {
		struct retired_place r = s->retired.at[i];

		if (now_s - r.since_s < GRACE_S)
			s->retired.at[kept++] = r;
		else
			s->used_indexes[r.index] = false;
	}
	s->retired.count = kept;
}

static const char *namespace_of(const struct place *p, char ret[PLACE_NAME_MAX])
{
	memcpy(ret, p->name, p->namespace_len);
	ret[p->namespace_len] = '\0';
	return ret;
}

const struct model_workload *place_workload(const struct policy_compiled *c,
					    const struct place *p)
{
	char namespace[PLACE_NAME_MAX];
	const struct model_workload *w;

	if (!c)
		return NULL;
	w = policy_set_workload(c->set, namespace_of(p, namespace),
				p->name + p->namespace_len + 1);
	return w && w->is_here ? w : NULL;
}

static __u32 target_id(const struct policy_compiled *c, const struct group *g,
		       enum policy_direction d)
{
	return g->target[d] == NONE ? 0 : c->targets.at[g->target[d]].id;
}

bool place_targets(const struct policy_compiled *c, const struct place *p,
		   struct place_targets *ret)
{
	const struct model_workload *w = place_workload(c, p);
	struct content b = {};
	__u32 group = NONE;

	*ret = (struct place_targets){};
	if (!w)
		return false;
	if (w->is_host_network)
		return true;
	group = group_of(c, w, &b);
	content_free(&b);
	if (group == NONE)
		return false;
	ret->in = target_id(c, &c->groups.at[group], POLICY_IN);
	ret->out = target_id(c, &c->groups.at[group], POLICY_OUT);
	return true;
}

/* What no store of one word changes. */
static void fill(struct workload *e, const struct place *p,
		 const struct policy_compiled *c)
{
	const struct model_workload *w = place_workload(c, p);

	e->ifindex = p->ifindex;
	memcpy(e->mac, p->mac, sizeof(e->mac));
	if (p->is_registered)
		e->flags |= WORKLOAD_REGISTERED;
	if (!w)
		return;
	for (size_t i = 0; i < w->nr_addrs && i < WORKLOAD_ADDRS; i++)
		if (policy_has_address(c, w, &w->addrs[i]))
			e->addr[i] = w->addrs[i];
	e->packets_per_s = w->packets_per_s;
	e->conns_per_s = w->conns_per_s;
	e->bytes_per_s = (w->bits_per_s + 7) / 8;
	if (w->may_spoof || w->is_host_network)
		e->flags |= WORKLOAD_SPOOFS;
	if (w->conns_open)
		e->flags |= WORKLOAD_COUNTED;
}

/* Isolated in a direction that it was not: what is under way goes on. */
static __u32 adopt_until(const struct workload *was, const struct workload *is,
			 const struct place *p, __u32 now_s)
{
	const bool was_open = !(was->flags & WORKLOAD_CLOSED);

	if ((was_open || p->has_run) &&
	    ((is->target.in && !was->target.in) ||
	     (is->target.out && !was->target.out)))
		return now_s + ADOPT_S;
	return was->adopt_until_s;
}

static struct workload entry_of(const struct policy_compiled *c,
				const struct place *p,
				const struct workload *was, __u32 now_s)
{
	struct workload e = {};
	struct place_targets targets;

	if (!place_targets(c, p, &targets))
		e.flags |= WORKLOAD_CLOSED;
	fill(&e, p, c);
	e.flags |= was->flags & WORKLOAD_FULL;
	e.target.in = targets.in;
	e.target.out = targets.out;
	e.adopt_until_s = adopt_until(was, &e, p, now_s);
	return e;
}

/* But for what is stored by itself. */
static bool is_same_entry(const struct workload *a, const struct workload *b)
{
	struct workload x = *a, y = *b;

	x.target = y.target;
	x.flags = y.flags;
	x.adopt_until_s = y.adopt_until_s;
	x.id = y.id;
	return !memcmp(&x, &y, sizeof(x)) &&
	       !((a->flags ^ b->flags) & ~(WORKLOAD_CLOSED | WORKLOAD_FULL));
}

static void targets_store(struct workload *e, const struct workload *is)
{
	table_store(&e->target, is->target);
}

/* Who is closed from now on is so first; who is open, last. */
static void entry_store(struct workload *e, const struct workload *is)
{
	e->adopt_until_s = is->adopt_until_s;
	if (is->flags & WORKLOAD_CLOSED)
		__atomic_store_n(&e->flags, is->flags, __ATOMIC_RELEASE);
	targets_store(e, is);
	__atomic_store_n(&e->flags, is->flags, __ATOMIC_RELEASE);
}

static void entry_name(struct policy_state *s, __u32 index, const char *name)
{
	struct workload_info info = {};

	strcpy(info.name, name);
	s->t->workload_infos[index] = info;
}

static void entry_fill(struct policy_state *s, __u32 index,
		       const struct workload *e, const char *name)
{
	s->t->workloads[index] = *e;
	s->t->workloads[index].id = index;
	entry_name(s, index, name);
}

/* The cell that names one entry names another one from now on. False: there is
 * none to be had. */
static bool entry_replace(struct policy_state *s, struct place *p,
			  const struct workload *e, __u32 now_s)
{
	const __u64 word = workload_word(p->ifindex, p->index);
	__u64 *cell = words_find(s->t->workload_cells, WORKLOAD_BUCKETS, word);
	__u32 index = cell ? index_take(s) : 0;

	if (!index)
		return false;
	entry_fill(s, index, e, p->name);
	__atomic_store_n(cell, workload_word(p->ifindex, index),
			 __ATOMIC_RELEASE);
	index_retire(s, p->index, now_s);
	p->index = index;
	return true;
}

/* What is stored by itself stays. */
static void entry_mend(struct workload *e, const struct workload *is)
{
	struct workload mended = *is;

	mended.target = e->target;
	mended.flags = e->flags;
	mended.id = e->id;
	*e = mended;
}

/* Of who is closed, nothing is looked at that could be half of two things; nor
 * may there be no other entry, after very many changes in a few seconds. */
bool place_store(struct policy_state *s, const struct policy_compiled *c,
		 struct place *p, __u32 now_s)
{
	struct workload *was = &s->t->workloads[p->index];
	struct workload is = entry_of(c, p, was, now_s);
	const bool is_changed = was->target.in != is.target.in ||
				was->target.out != is.target.out ||
				was->flags != is.flags;

	if (is_same_entry(was, &is)) {
		if (is_changed)
			entry_store(was, &is);
		return is_changed;
	}
	if (!(was->flags & WORKLOAD_CLOSED) &&
	    entry_replace(s, p, &is, now_s))
		return true;
	entry_mend(was, &is);
	entry_store(was, &is);
	return true;
}

static struct place *place_of(const struct policy_state *s, __u32 ifindex)
{
	for (size_t i = 0; i < s->places.count; i++)
		if (s->places.at[i].ifindex == ifindex)
			return &s->places.at[i];
	return NULL;
}

/* One more, without a cell. */
static int place_add(struct policy_state *s, const char *name,
		     size_t namespace_len, __u32 ifindex, __u32 index,
		     struct place **ret)
{
	char *copy = strdup(name);
	struct place *p = copy ? list_add(&s->places) : NULL;

	if (!p) {
		free(copy);
		return -ENOMEM;
	}
	*p = (struct place){ .name = copy, .namespace_len = namespace_len,
			     .ifindex = ifindex, .index = index };
	*ret = p;
	return 0;
}

/* The interface is another workload's from now on; meanwhile it is closed, and
 * never without a cell. */
static int place_rename(struct policy_state *s, struct place *p,
			const char *name, size_t namespace_len, __u32 now_s)
{
	struct workload *e = &s->t->workloads[p->index];
	struct workload closed = { .ifindex = p->ifindex,
				   .flags = WORKLOAD_CLOSED };
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(p->name);
	p->name = copy;
	p->namespace_len = namespace_len;
	p->has_run = p->is_registered = false;
	if (entry_replace(s, p, &closed, now_s))
		return 0;
	entry_store(e, &closed);
	entry_mend(e, &closed);
	entry_name(s, p->index, name);
	return 0;
}

static void place_drop(struct policy_state *s, struct place *p)
{
	free(p->name);
	*p = s->places.at[--s->places.count];
}

/* Filled, then named by a cell. */
static int place_open(struct policy_state *s, struct place *p, __u32 now_s)
{
	static const struct workload none = { .flags = WORKLOAD_CLOSED };
	struct workload e = entry_of(s->is_unsure ? NULL : s->now, p, &none,
				     now_s);

	entry_fill(s, p->index, &e, p->name);
	return words_put(s->t->workload_cells, WORKLOAD_BUCKETS,
			 workload_word(p->ifindex, p->index)) ? 0 : -ENOSPC;
}

static int place_new(struct policy_state *s, const char *name,
		     size_t namespace_len, __u32 ifindex, const __u8 *mac,
		     bool has_run, __u32 now_s)
{
	__u32 index = index_take(s);
	struct place *p;
	int ret;

	if (!index)
		return -ENOSPC;
	ret = place_add(s, name, namespace_len, ifindex, index, &p);
	if (ret) {
		s->used_indexes[index] = false;
		return ret;
	}
	if (mac)
		memcpy(p->mac, mac, sizeof(p->mac));
	p->has_run = has_run;
	ret = place_open(s, p, now_s);
	if (ret) {
		place_drop(s, p);
		s->used_indexes[index] = false;
	}
	return ret;
}

int policy_place(struct policy_state *s, const char *namespace,
		 const char *name, __u32 ifindex, const __u8 *mac,
		 bool has_run, __u32 now_s)
{
	char both[PLACE_NAME_MAX];
	struct place *p = place_of(s, ifindex);
	static const __u8 any[6];
	int ret = 0;

	if (!ifindex || snprintf(both, sizeof(both), "%s/%s", namespace,
				 name) >= (int)sizeof(both))
		return -EINVAL;
	if (!p)
		return place_new(s, both, strlen(namespace), ifindex, mac,
				 has_run, now_s);
	if (strcmp(p->name, both))
		ret = place_rename(s, p, both, strlen(namespace), now_s);
	if (ret)
		return ret;
	p->has_run |= has_run;
	memcpy(p->mac, mac ?: any, sizeof(p->mac));
	/* What was in force before a restart stays until there is a set. */
	if (!s->is_unsure)
		place_store(s, s->now, p, now_s);
	return 0;
}

int policy_unplace(struct policy_state *s, __u32 ifindex, __u32 now_s)
{
	struct place *p = place_of(s, ifindex);
	__u64 *cell;

	if (!p)
		return -ENOENT;
	cell = words_find(s->t->workload_cells, WORKLOAD_BUCKETS,
			  workload_word(ifindex, p->index));
	if (cell)
		words_drop(cell);
	index_retire(s, p->index, now_s);
	place_drop(s, p);
	return 0;
}

int policy_set_registered(struct policy_state *s, __u32 ifindex)
{
	struct place *p = place_of(s, ifindex);
	struct workload *e = p ? &s->t->workloads[p->index] : NULL;

	if (!p)
		return -ENOENT;
	p->is_registered = true;
	__atomic_store_n(&e->flags, e->flags | WORKLOAD_REGISTERED,
			 __ATOMIC_RELEASE);
	return 0;
}

int policy_set_full(struct policy_state *s, __u32 index, bool is_full)
{
	struct workload *e = &s->t->workloads[index];

	if (!index || index >= WORKLOADS_MAX || !s->used_indexes[index])
		return -ENOENT;
	__atomic_store_n(&e->flags, is_full ? e->flags | WORKLOAD_FULL :
					      e->flags & ~WORKLOAD_FULL,
			 __ATOMIC_RELEASE);
	return 0;
}

int policy_places(const struct policy_state *s,
		  int (*f)(void *arg, const struct policy_place *p), void *arg)
{
	char namespace[PLACE_NAME_MAX];
	int ret = 0;

	for (size_t i = 0; i < s->places.count && !ret; i++) {
		const struct place *p = &s->places.at[i];
		struct policy_place info = {
			.namespace = namespace_of(p, namespace),
			.name = p->name + p->namespace_len + 1,
			.ifindex = p->ifindex,
			.index = p->index,
			.entry = &s->t->workloads[p->index],
			.workload = place_workload(s->now, p),
		};

		ret = f(arg, &info);
	}
	return ret;
}

/* A cell that names nothing sensible, or an interface that has one already. */
static bool is_bad_cell(const struct policy_state *s, __u64 word)
{
	__u32 ifindex = word >> 32, index = word;

	return !index || index >= WORKLOADS_MAX || s->used_indexes[index] ||
	       s->t->workloads[index].ifindex != ifindex ||
	       place_of(s, ifindex);
}

static int cell_load(struct policy_state *s, __u64 *cell)
{
	__u32 index = *cell;
	struct workload_info *info;
	struct place *p;
	char *slash;
	int ret;

	if (is_bad_cell(s, *cell)) {
		words_drop(cell);
		return 0;
	}
	info = &s->t->workload_infos[index];
	info->name[sizeof(info->name) - 1] = '\0';
	slash = strchr(info->name, '/');
	if (!slash) {
		words_drop(cell);
		return 0;
	}
	ret = place_add(s, info->name, slash - info->name, *cell >> 32, index,
			&p);
	if (ret)
		return ret;
	s->used_indexes[index] = true;
	memcpy(p->mac, s->t->workloads[index].mac, sizeof(p->mac));
	p->is_registered = s->t->workloads[index].flags & WORKLOAD_REGISTERED;
	return 0;
}

int places_load(struct policy_state *s, __u32 now_s)
{
	int ret = 0;

	for (__u32 i = 0; i < WORKLOAD_BUCKETS; i++)
		for (int j = 0; j < WORD_WAYS && !ret; j++) {
			__u64 *cell = &s->t->workload_cells[i].word[j];

			if (*cell)
				ret = cell_load(s, cell);
		}
	return ret;
}

void places_free(struct policy_state *s)
{
	for (size_t i = 0; i < s->places.count; i++)
		free(s->places.at[i].name);
	free(s->places.at);
	free(s->retired.at);
}
