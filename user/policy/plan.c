// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is to be written for another set, and in which order.
 *
 * While workloads are turned to other targets one after another, an address may
 * be one thing to the targets that go and another to those that come. It gets
 * the class of a pair of both: to targets that workloads are turned away from
 * it is what it was, to all others what it is to be. Ports likewise. When the
 * last workload has turned, and no packet is under way that saw less, pairs are
 * replaced by what the addresses are.
 *
 *	targets and masks that nobody names yet
 *	networks, addresses, ports		the old answer or the new one
 *	workloads
 *	epoch
 *	pairs to what they became; what is no longer told apart is taken out
 *
 * A row of masks is a function of what its target and its class say, pairs but
 * for: what is still in the tables of a change before is right if it comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "state.h"

/* Peers, or ports: what a value of theirs is in masks. */
struct dimension {
	const struct masks *was, *is;
	enum write_kind write;
	bool is_ports;
	LIST(struct pair) pairs;
};

/* What was decided about a change of value. */
struct pair {
	__u32 was, is;
	__u32 value;		/* to be stored meanwhile */
};

struct planner {
	struct change *c;
	const struct image *was, *is;
	struct numbers going;	/* targets that workloads are turned from */
	struct dimension peers, ports;
	struct writes {
		LIST(struct write) list;
	} after;		/* once all have turned */
	size_t most_peers, most_prefixes;	/* at any moment */
};

struct write *write_add(struct change *c, enum write_kind kind)
{
	struct write *w = list_add(&c->writes);

	if (w)
		w->kind = kind;
	return w;
}

static int mask_write(struct change *c, enum write_kind kind, __u32 target,
		      __u32 class, const struct rule_mask *mask)
{
	struct mask_row *row = list_add(&c->masks);
	struct write *w = row ? write_add(c, kind) : NULL;

	if (!w)
		return -ENOMEM;
	row->key = (struct mask_key){ .target = target, .class = class };
	row->mask = *mask;
	w->row = c->masks.count - 1;
	return 0;
}

static int plan_targets(struct planner *p)
{
	for (size_t i = 0; i < p->is->targets.count; i++) {
		struct write *w;

		if (image_target(p->was, p->is->targets.at[i].id))
			continue;
		w = write_add(p->c, WRITE_TARGET);
		if (!w)
			return -ENOMEM;
		w->row = i;
		p->c->result.targets++;
	}
	return 0;
}

static int plan_masks(struct planner *p, const struct dimension *d)
{
	int ret = 0;

	for (size_t i = 0; i < d->is->list.count && !ret; i++) {
		const struct mask_row *r = &d->is->list.at[i];

		if (!masks_find(d->was, r->key.class, r->key.target))
			ret = mask_write(p->c, d->write, r->key.target,
					 r->key.class, &r->mask);
	}
	return ret;
}

static __u32 class_in(const struct dimension *d, __u32 value)
{
	return d->is_ports ? value : value & PEER_CLASS_MASK;
}

/* The rules of target that a peer or port of this value matches, beside those
 * that match all. */
static struct rule_mask row_of(const struct dimension *d,
			       const struct masks *masks,
			       const struct image *m, __u32 target, __u32 value)
{
	const struct rule_mask *found = masks_find(masks, class_in(d, value),
						   target);
	const struct target *t = image_target(m, target);
	struct rule_mask ret = {};

	for (int i = 0; i < POLICY_WORDS; i++) {
		if (found)
			ret.word[i] = found->word[i];
		if (!d->is_ports && value & PEER_POD && t)
			ret.word[i] |= t->peer_pod.word[i];
	}
	return ret;
}

/* To targets that go, once the masks of those that come are there. */
static struct rule_mask row_in_tables(const struct planner *p,
				      const struct dimension *d, __u32 target,
				      __u32 value)
{
	if (image_target(p->is, target))
		return row_of(d, d->is, p->is, target, value);
	return row_of(d, d->was, p->was, target, value);
}

static bool is_same_to_going(const struct planner *p,
			     const struct dimension *d, __u32 was, __u32 is)
{
	for (size_t i = 0; i < p->going.list.count; i++) {
		__u32 target = p->going.list.at[i];
		struct rule_mask a = row_of(d, d->was, p->was, target, was),
				 b = row_in_tables(p, d, target, is);

		if (memcmp(&a, &b, sizeof(a)))
			return false;
	}
	return true;
}

static int row_write(struct planner *p, const struct dimension *d,
		     __u32 target, __u32 class, const struct rule_mask *row)
{
	static const struct rule_mask none;

	return memcmp(row, &none, sizeof(none)) ?
		       mask_write(p->c, d->write, target, class, row) : 0;
}

static int pair_rows(struct planner *p, const struct dimension *d,
		     const struct pair *pair)
{
	const __u32 class = class_in(d, pair->value);
	int ret = 0;

	for (size_t i = 0; i < p->going.list.count && !ret; i++) {
		__u32 target = p->going.list.at[i];
		struct rule_mask row = row_of(d, d->was, p->was, target,
					      pair->was);

		ret = row_write(p, d, target, class, &row);
	}
	for (size_t i = 0; i < p->is->targets.count && !ret; i++) {
		__u32 target = p->is->targets.at[i].id;
		struct rule_mask row = row_of(d, d->is, p->is, target,
					      pair->is);

		if (!numbers_has(&p->going, target))
			ret = row_write(p, d, target, class, &row);
	}
	return ret;
}

static bool has_value(const struct image *m, __u32 class)
{
	size_t count;

	masks_of(&m->peer_masks, class, &count);
	for (size_t i = 0; i < m->peers.count && !count; i++)
		count = (m->peers.at[i].value & PEER_CLASS_MASK) == class;
	for (size_t i = 0; i < m->prefixes.count && !count; i++)
		count = (m->prefixes.at[i].value & PEER_CLASS_MASK) == class;
	return count;
}

static bool is_pair(const struct policy_state *s, __u32 class)
{
	for (size_t i = 0; i < s->pair_ids.list.count; i++)
		if (s->pair_ids.list.at[i] == class)
			return true;
	return false;
}

/* A class that no table names. None above the last one is asked again. */
static int peer_pair(struct planner *p, __u32 is, __u32 *ret)
{
	struct policy_state *s = p->c->s;
	__u32 class = s->last_pair ? s->last_pair - 1 : PEER_CLASS_MASK;

	while (is_pair(s, class) || has_value(p->was, class) ||
	       has_value(p->is, class))
		class--;
	s->last_pair = class;
	*ret = class | (is & PEER_HOST);
	return numbers_add(&s->pair_ids, class);
}

static int port_pair(struct planner *p, __u32 is, __u32 *ret)
{
	__u8 *ids = p->c->s->port_ids;

	for (__u32 id = 65535; id; id--) {
		if (ids[id / 8] >> (id & 7) & 1)
			continue;
		ids[id / 8] |= 1 << (id & 7);
		*ret = port_class_key(is >> 16, id);
		return 0;
	}
	return -E2BIG;
}

/* What to store until all have turned, where `was` becomes `is`. */
static int meanwhile(struct planner *p, struct dimension *d, __u32 was,
		     __u32 is, __u32 *ret)
{
	struct pair *pair;
	int err;

	*ret = is;
	if (was == is)
		return 0;
	for (size_t i = d->pairs.count; i-- > 0;) {
		pair = &d->pairs.at[i];
		if (pair->was != was || pair->is != is)
			continue;
		*ret = pair->value;
		return 0;
	}
	pair = list_add(&d->pairs);
	if (!pair)
		return -ENOMEM;
	*pair = (struct pair){ .was = was, .is = is, .value = is };
	if (is_same_to_going(p, d, was, is))
		return 0;
	err = d->is_ports ? port_pair(p, is, &pair->value) :
			    peer_pair(p, is, &pair->value);
	*ret = pair->value;
	return err ?: pair_rows(p, d, pair);
}

static struct write *after_add(struct planner *p, enum write_kind kind)
{
	struct write *w = list_add(&p->after.list);

	if (w)
		w->kind = kind;
	return w;
}

/* A network is `is` from now on, or, if it goes, is as what is around it. */
static int plan_prefix(struct planner *p, const struct prefix_key *key,
		       __u32 was, __u32 is, bool goes)
{
	struct write *w;
	__u32 value;
	int ret = meanwhile(p, &p->peers, was, is, &value);

	if (ret)
		return ret;
	w = write_add(p->c, WRITE_PREFIX);
	if (!w)
		return -ENOMEM;
	w->prefix = *key;
	w->value = value;
	if (value == is && !goes)
		return 0;
	w = after_add(p, goes ? DELETE_PREFIX : WRITE_PREFIX);
	if (!w)
		return -ENOMEM;
	w->prefix = *key;
	w->value = is;
	return 0;
}

static int compare(const struct prefix_row *a, const struct prefix_row *b)
{
	int order = addr_compare(&a->key.addr, &b->key.addr);

	return order ? order : (a->key.len > b->key.len) -
			       (a->key.len < b->key.len);
}

static int plan_prefixes(struct planner *p)
{
	const struct prefix_row *was = p->was->prefixes.at,
				*was_end = was + p->was->prefixes.count,
				*is = p->is->prefixes.at,
				*is_end = is + p->is->prefixes.count;
	int ret = 0;

	while (!ret && (was < was_end || is < is_end)) {
		int order = was == was_end ? 1 : is == is_end ? -1 :
			    compare(was, is);
		const struct prefix_key *key = order <= 0 ? &was->key :
							    &is->key;
		__u32 before = order <= 0 ? was->value :
			       image_prefix_value(p->was, &key->addr, key->len),
		      after = order >= 0 ? is->value :
			      image_prefix_value(p->is, &key->addr, key->len);

		if (order || before != after)
			ret = plan_prefix(p, key, before, after, order < 0);
		p->most_prefixes++;
		was += order <= 0;
		is += order >= 0;
	}
	return ret;
}

static int plan_peer(struct planner *p, const struct addr *addr, __u32 was,
		     __u32 is, bool goes)
{
	const bool is_last = goes && !p->going.list.count;
	struct write *w;
	__u32 value;
	int ret = meanwhile(p, &p->peers, was, is, &value);

	if (ret)
		return ret;
	w = write_add(p->c, is_last ? DELETE_PEER : WRITE_PEER);
	if (!w)
		return -ENOMEM;
	w->addr = *addr;
	w->value = value;
	if (is_last || (value == is && !goes))
		return 0;
	w = after_add(p, goes ? DELETE_PEER : WRITE_PEER);
	if (!w)
		return -ENOMEM;
	w->addr = *addr;
	w->value = is;
	return 0;
}

static int plan_peers(struct planner *p)
{
	const struct peer_row *was = p->was->peers.at,
			      *was_end = was + p->was->peers.count,
			      *is = p->is->peers.at,
			      *is_end = is + p->is->peers.count;
	int ret = 0;

	while (!ret && (was < was_end || is < is_end)) {
		int order = was == was_end ? 1 : is == is_end ? -1 :
			    addr_compare(&was->addr, &is->addr);
		const struct addr *a = order <= 0 ? &was->addr : &is->addr;
		__u32 before = order <= 0 ? was->value :
			       image_prefix_value(p->was, a, 128),
		      after = order >= 0 ? is->value :
			      image_prefix_value(p->is, a, 128);

		if (order || before != after)
			ret = plan_peer(p, a, before, after, order < 0);
		p->most_peers += order >= 0 || p->going.list.count;
		was += order <= 0;
		is += order >= 0;
	}
	return ret;
}

static int plan_run(struct planner *p, __u32 first, __u32 count)
{
	const __u32 proto = first >> 16;
	const __u32 was = port_class_key(proto, p->was->port_classes[first]),
		    is = port_class_key(proto, p->is->port_classes[first]);
	struct write *w;
	__u32 value;
	int ret = meanwhile(p, &p->ports, was, is, &value);

	if (ret)
		return ret;
	w = write_add(p->c, WRITE_PORTS);
	if (!w)
		return -ENOMEM;
	w->first = first;
	w->count = count;
	w->value = value & 0xffff;
	if (value == is)
		return 0;
	w = after_add(p, WRITE_PORTS);
	if (!w)
		return -ENOMEM;
	w->first = first;
	w->count = count;
	w->value = is & 0xffff;
	return 0;
}

/* Ports in a row that change alike, of one protocol. */
static int plan_ports(struct planner *p)
{
	const __u16 *was = p->was->port_classes, *is = p->is->port_classes;
	__u32 end;
	int ret = 0;

	for (__u32 i = 0; i < PORT_CLASSES && !ret; i = end) {
		for (end = i + 1; end < PORT_CLASSES && end & 0xffff &&
				  was[end] == was[i] && is[end] == is[i];)
			end++;
		if (was[i] != is[i])
			ret = plan_run(p, i, end - i);
	}
	return ret;
}

/* Targets that a workload is turned from, and to. Who is closed is asked
 * nothing. */
struct turns {
	struct numbers from, to;
};

static int add_turn(struct turns *t, bool is_closed, __u32 from, __u32 to)
{
	int ret = 0;

	if (!is_closed && from == to)
		return 0;
	if (from && !is_closed)
		ret = numbers_add(&t->from, from);
	return ret ?: to ? numbers_add(&t->to, to) : 0;
}

static int find_turns(const struct planner *p, struct turns *ret)
{
	const struct policy_state *s = p->c->s;
	int err = 0;

	for (size_t i = 0; i < s->places.count && !err; i++) {
		const struct place *place = &s->places.at[i];
		const struct workload *e = &s->t->workloads[place->index];
		const bool is_closed = e->flags & WORKLOAD_CLOSED;
		struct place_targets is;

		place_targets(p->c->to, place, &is);
		err = add_turn(ret, is_closed, e->target.in, is.in) ?:
		      add_turn(ret, is_closed, e->target.out, is.out);
	}
	numbers_sort(&ret->from);
	numbers_sort(&ret->to);
	return err;
}

static void turns_clear(struct turns *t)
{
	free(t->from.list.at);
	free(t->to.list.at);
}

/* One target would be as it was to a workload that leaves it, and as it is to
 * be to one that comes: it gets another id. */
static int part_ways(struct planner *p)
{
	const __u32 salt = p->c->s->t->runtime->policy_epoch + 1;
	struct numbers both = {};
	struct turns t = {};
	int ret = find_turns(p, &t);

	for (size_t i = 0; i < t.to.list.count && !ret; i++)
		if (numbers_has(&t.from, t.to.list.at[i]))
			ret = numbers_add(&both, t.to.list.at[i]);
	if (!ret && both.list.count)
		targets_rename(p->c->to, &both, salt, p->was);
	free(both.list.at);
	turns_clear(&t);
	return ret;
}

static int find_going(struct planner *p)
{
	struct turns t = {};
	int ret = part_ways(p);

	ret = ret ?: find_turns(p, &t);
	p->going = t.from;
	t.from = (struct numbers){};
	turns_clear(&t);
	return ret;
}

/* As enum write_kind has it: the masks of pairs before what is one. */
static int by_kind(const void *a, const void *b)
{
	const struct write *x = a, *y = b;

	return (x->kind > y->kind) - (x->kind < y->kind);
}

static int finish(struct planner *p)
{
	struct change *c = p->c;
	struct write *places;

	if (c->writes.count)
		qsort(c->writes.at, c->writes.count, sizeof(*c->writes.at),
		      by_kind);
	places = write_add(c, WRITE_PLACES);
	if (!places)
		return -ENOMEM;
	places->count = c->s->places.count;
	if (!write_add(c, WRITE_EPOCH) ||
	    (p->after.list.count && !write_add(c, WRITE_SETTLE)))
		return -ENOMEM;
	if (p->after.list.count)
		qsort(p->after.list.at, p->after.list.count,
		      sizeof(*p->after.list.at), by_kind);
	for (size_t i = 0; i < p->after.list.count; i++) {
		struct write *w = write_add(c, 0);

		if (!w)
			return -ENOMEM;
		*w = p->after.list.at[i];
	}
	return 0;
}

static int steps(struct planner *p)
{
	int ret = find_going(p);

	ret = ret ?: plan_targets(p);
	ret = ret ?: plan_masks(p, &p->peers);
	ret = ret ?: plan_masks(p, &p->ports);
	ret = ret ?: plan_prefixes(p);
	ret = ret ?: plan_peers(p);
	ret = ret ?: plan_ports(p);
	return ret ?: finish(p);
}

/* What goes and what comes, while both are there. */
static int check_sizes(const struct planner *p, char *text)
{
	if (p->most_peers <= POLICY_PEERS_MAX &&
	    p->most_prefixes <= POLICY_PREFIXES_MAX)
		return 0;
	p->c->is_too_much = p->most_peers <= POLICY_PEERS_MAX;
	snprintf(text, POLICY_TEXT_MAX,
		 "the change needs %zu addresses and %zu networks, at most %u "
		 "and %u are possible: change less at once", p->most_peers,
		 p->most_prefixes, POLICY_PEERS_MAX, POLICY_PREFIXES_MAX);
	return -E2BIG;
}

int plan(struct change *c, const struct image *was,
	 char text[static POLICY_TEXT_MAX])
{
	const struct image *is = &c->to->image;
	struct planner p = {
		.c = c,
		.was = was,
		.is = is,
		.peers = { .was = &was->peer_masks, .is = &is->peer_masks,
			   .write = WRITE_PEER_MASK },
		.ports = { .was = &was->port_masks, .is = &is->port_masks,
			   .write = WRITE_PORT_MASK, .is_ports = true },
	};
	int ret = steps(&p);

	p.c->is_too_much = ret == -E2BIG;
	if (ret == -E2BIG)
		strcpy(text, "too many classes of ports are in use while the "
			     "policies change");
	ret = ret ?: check_sizes(&p, text);
	free(p.going.list.at);
	free(p.peers.pairs.at);
	free(p.ports.pairs.at);
	free(p.after.list.at);
	return ret;
}
