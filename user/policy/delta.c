// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A set that differs from the one in force by a few workloads, of groups and
 * classes that are known: nothing is compiled, what was is changed in place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "state.h"

#define WORKLOADS_AT_ONCE 256

/* An address that came, went, or both. */
struct touch {
	struct addr addr;
	const struct model_workload *owner;	/* who came; NULL: nobody */
	__u32 group;		/* of who came; NONE: nobody */
	int users;		/* more, or less */
};

struct delta {
	struct change *c;
	struct policy_compiled *now;
	LIST(struct touch) touches;
	LIST(const struct model_workload *) seen;
	struct content b;
};

#define SAME(a, b, what)						\
	((a)->nr_##what == (b)->nr_##what &&				\
	 (!(a)->nr_##what ||						\
	  !memcmp((a)->what, (b)->what,					\
		  (a)->nr_##what * sizeof(*(a)->what))))

static bool is_same_but_workloads(const struct policy_compiled *now,
				  const struct policy_state *s,
				  const struct policy_set *set)
{
	return SAME(now->set, set, policies) &&
	       SAME(now->set, set, namespaces) &&
	       SAME(now->set, set, nodes) && now->nr_host == s->nr_host &&
	       (!s->nr_host || !memcmp(now->host, s->host,
				       s->nr_host * sizeof(*s->host)));
}

/* users: 1, it came; -1, it went. */
static int touch(struct delta *d, const struct model_workload *w, int users)
{
	const struct model_workload **seen;
	__u32 group;

	if (d->seen.count == WORKLOADS_AT_ONCE)
		return -EAGAIN;
	seen = list_add(&d->seen);
	if (!seen)
		return -ENOMEM;
	*seen = w;
	if (w->is_host_network)
		return 0;
	group = group_of(d->now, w, &d->b);
	if (group == NONE ||
	    (w->is_here && !d->now->groups.at[group].has_targets))
		return -EAGAIN;
	for (size_t i = 0; i < w->nr_addrs; i++) {
		struct touch *to = list_add(&d->touches);

		if (!to)
			return -ENOMEM;
		to->addr = w->addrs[i];
		to->owner = users > 0 ? w : NULL;
		to->group = users > 0 ? group : NONE;
		to->users = users;
	}
	return 0;
}

static int compare_workloads(const struct model_workload *a,
			     const struct model_workload *b)
{
	int order = strcmp(a->namespace, b->namespace);

	return order ? order : strcmp(a->name, b->name);
}

static int find_touched(struct delta *d, const struct policy_set *set)
{
	const struct policy_set *now = d->now->set;
	size_t i = 0, j = 0;
	int ret = 0;

	while (!ret && (i < now->nr_workloads || j < set->nr_workloads)) {
		const struct model_workload
			*was = i < now->nr_workloads ? now->workloads[i] : NULL,
			*is = j < set->nr_workloads ? set->workloads[j] : NULL;
		int order = !was ? 1 : !is ? -1 : was == is ? 0 :
			    compare_workloads(was, is);

		if (order <= 0 && was != is)
			ret = touch(d, was, -1);
		if (!ret && order >= 0 && was != is)
			ret = touch(d, is, 1);
		i += order <= 0;
		j += order >= 0;
	}
	return ret;
}

static int by_addr(const void *a, const void *b)
{
	const struct touch *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

/* One for each address. */
static void join(struct delta *d)
{
	size_t kept = 0;

	if (d->touches.count < 2)
		return;
	qsort(d->touches.at, d->touches.count, sizeof(*d->touches.at),
	      by_addr);
	for (size_t i = 1; i < d->touches.count; i++) {
		struct touch *to = &d->touches.at[kept];
		const struct touch *t = &d->touches.at[i];

		if (by_addr(to, t)) {
			d->touches.at[++kept] = *t;
			continue;
		}
		to->users += t->users;
		if (t->group != NONE) {
			to->group = t->group;
			to->owner = t->owner;
		}
	}
	d->touches.count = kept + 1;
}

/* Of an address that one workload has from now on. -EAGAIN: not known yet. */
static int value_of(struct delta *d, const struct touch *t, __u32 *ret)
{
	struct numbers atoms = {};
	__u32 class = NONE;
	int err = numbers_add_all(&atoms, &d->now->groups.at[t->group].atoms) ?:
		  numbers_add_all(&atoms, prefix_atoms(d->now, &t->addr));

	numbers_sort(&atoms);
	if (!err)
		class = class_find(d->now, &atoms, &d->b);
	free(atoms.list.at);
	if (class == NONE)
		return -EAGAIN;
	*ret = d->now->classes.at[class].id | PEER_POD;
	return 0;
}

static int peer_write(struct delta *d, enum write_kind kind,
		      const struct touch *t, __u32 value)
{
	struct write *w = write_add(d->c, kind);

	if (!w)
		return -ENOMEM;
	w->addr = t->addr;
	w->value = value;
	return 0;
}

static int plan_touch(struct delta *d, const struct touch *t)
{
	const struct peer_row *row = image_peer(&d->now->image, &t->addr);
	int users = (row ? (int)row->users : 0) + t->users;
	__u32 value;
	int ret;

	if ((row && !row->is_plain) || users < 0 || users > 1 ||
	    (users == 1 && t->group == NONE))
		return -EAGAIN;
	if (!users)
		return row ? peer_write(d, DELETE_PEER, t, 0) : 0;
	ret = value_of(d, t, &value);
	if (ret || (row && row->value == value))
		return ret;
	if (!row && d->now->image.peers.count >= POLICY_PEERS_MAX)
		return -EAGAIN;
	return peer_write(d, WRITE_PEER, t, value);
}

static bool is_place_of(const struct place *p, const struct model_workload *w)
{
	return strlen(w->namespace) == p->namespace_len &&
	       !memcmp(w->namespace, p->name, p->namespace_len) &&
	       !strcmp(w->name, p->name + p->namespace_len + 1);
}

static bool turns(const struct policy_state *s,
		  const struct policy_compiled *to, const struct place *p)
{
	const struct workload *e = &s->t->workloads[p->index];
	struct place_targets is;

	place_targets(to, p, &is);
	return !(e->flags & WORKLOAD_CLOSED) &&
	       ((e->target.in && e->target.in != is.in) ||
		(e->target.out && e->target.out != is.out));
}

/* If addresses change and a workload is turned to another target, which is
 * first makes a difference: that is plan.c's. */
static int plan_places(struct delta *d)
{
	const struct policy_state *s = d->c->s;
	const bool is_alone = !d->c->writes.count;

	for (size_t i = 0; i < d->seen.count; i++)
		for (size_t j = 0; j < s->places.count; j++) {
			const struct place *p = &s->places.at[j];
			struct write *w;

			if (!is_place_of(p, d->seen.at[i]))
				continue;
			if (!is_alone && turns(s, d->now, p))
				return -EAGAIN;
			w = write_add(d->c, WRITE_PLACES);
			if (!w)
				return -ENOMEM;
			w->first = j;
			w->count = 1;
		}
	if (!d->c->writes.count)
		return 0;
	return write_add(d->c, WRITE_EPOCH) ? 0 : -ENOMEM;
}

static int plan_all(struct delta *d)
{
	int ret = 0;

	for (size_t i = 0; i < d->touches.count && !ret; i++)
		ret = plan_touch(d, &d->touches.at[i]);
	return ret ?: plan_places(d);
}

static void remove_row(struct image *m, size_t at)
{
	memmove(&m->peers.at[at], &m->peers.at[at + 1],
		(--m->peers.count - at) * sizeof(*m->peers.at));
}

/* There is room. */
static void insert_row(struct image *m, size_t at, const struct addr *a)
{
	memmove(&m->peers.at[at + 1], &m->peers.at[at],
		(m->peers.count++ - at) * sizeof(*m->peers.at));
	m->peers.at[at] = (struct peer_row){ .addr = *a, .is_plain = true };
}

/* What was written down of the set in force follows. */
static void take_touch(struct delta *d, const struct touch *t)
{
	struct image *m = &d->now->image;
	size_t at = image_peer_at(m, &t->addr);
	bool is_there = at < m->peers.count &&
			!addr_compare(&m->peers.at[at].addr, &t->addr);

	if (t->group == NONE) {
		if (is_there)
			remove_row(m, at);
		return;
	}
	if (!is_there)
		insert_row(m, at, &t->addr);
	m->peers.at[at].users = 1;
	m->peers.at[at].group = t->group;
	m->peers.at[at].owner = t->owner;
	value_of(d, t, &m->peers.at[at].value);
}

static int take(struct delta *d)
{
	struct image *m = &d->now->image;

	if (!list_room((void **)&m->peers.at,
		       m->peers.count + d->touches.count, &m->peers.max,
		       sizeof(*m->peers.at)))
		return -ENOMEM;
	for (size_t i = 0; i < d->touches.count; i++)
		take_touch(d, &d->touches.at[i]);
	return 0;
}

/* The set is swapped first: who is placed is looked up in it. */
static int take_set(struct delta *d, struct policy_set *set)
{
	struct policy_set *was = d->now->set;
	int ret;

	d->now->set = set;
	ret = plan_all(d) ?: take(d);
	d->now->set = ret ? was : policy_set_hold(set);
	if (!ret)
		policy_set_free(was);
	return ret;
}

int delta_begin(struct policy_state *s, struct policy_set *set,
		struct change *ret)
{
	struct delta d = { .c = ret, .now = s->now };
	int err;

	if (!s->now || s->is_unsure ||
	    !is_same_but_workloads(s->now, s, set))
		return -EAGAIN;
	err = find_touched(&d, set);
	if (!err) {
		join(&d);
		err = take_set(&d, set);
	}
	if (err)
		ret->writes.count = 0;
	else
		ret->to = s->now;
	free(d.touches.at);
	free(d.seen.at);
	content_free(&d.b);
	return err;
}
