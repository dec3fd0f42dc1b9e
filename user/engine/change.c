// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What one service is to be, with the memory and the slots that it takes: its
 * backends, how many slots and where, its entries. See plan.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/conn.h>

#include "base/addr.h"
#include "plan.h"

static __u16 service_flags(const struct model_service *def)
{
	__u16 flags = 0;

	if (def->affinity_s)
		flags |= SERVICE_AFFINITY | SERVICE_TRACKED;
	if (def->algorithm != ALGORITHM_MAGLEV)
		flags |= SERVICE_TRACKED;
	if (def->stateless)
		flags |= SERVICE_STATELESS;
	return flags;
}

/* All but the slots and the list of sources. */
static struct service service_entry(const struct model *m,
				    const struct model_service *def,
				    const struct model_front *front, __u32 id)
{
	return (struct service){
		.addr = front->addr,
		.port_first = front->port_first,
		.port_last = front->port_last,
		.proto = def->proto,
		.forward = def->forward,
		.algorithm = def->algorithm,
		.kind = front->kind,
		.flags = service_flags(def) | front->flags,
		.prefix_len = front->prefix_len,
		.idle_life = conn_life_from(service_idle(m, def)),
		.affinity_life = conn_life_from(def->affinity_s),
		.tunnel = front->tunnel,
		.id = id,
		.affinity_s = def->affinity_s,
		.idle_s = service_idle(m, def),
	};
}

/* The entry of a backend as it is to be. */
struct backend backend_wanted(const struct state *s, const struct wanted *w)
{
	struct backend b = {};

	if (w->index)
		b = s->t->backends[w->index];
	if (w->leaves) {
		b.state = w->leaves;
		b.flags &= ~(BACKEND_SET_STATE | BACKEND_SET_WEIGHT);
		b.state_health = 0;
		return b;
	}
	if (!w->def)
		return b;
	b.addr = w->def->addr;
	b.port = htons(w->def->port);
	b.weight_defined = w->def->weight;
	b.state_defined = w->def->state;
	b.flags = (b.flags & ~BACKEND_SET_FLAGS) | w->def->flags;
	if (!(b.flags & BACKEND_SET_WEIGHT))
		b.weight = b.weight_defined;
	if (!w->index || backend_left(&b))
		b.state_health = w->health;
	b.state = backend_state_of(&b);
	return b;
}

bool backend_differs(const struct state *s, const struct wanted *w)
{
	struct backend b = backend_wanted(s, w);

	return !w->index ||
	       memcmp(&b, &s->t->backends[w->index], sizeof(b));
}

static void change_want(const struct state *s, struct change *c,
			const struct model_backend *def, __u32 index,
			__u8 leaves)
{
	struct wanted *w = &c->wanted[c->nr_wanted++];

	*w = (struct wanted){ def, index, leaves, 0 };
	if (def && s->health.of &&
	    (!index || backend_left(&s->t->backends[index])))
		w->health = s->health.of(s->health.arg, c->def->name,
					 &def->addr, def->port);
}

/* TCP and SCTP stay with a backend for as long as it answers. So does UDP at
 * the edge; on a node, a client that keeps its port is to find another one. */
__u8 leaving_state(const struct service *e)
{
	return e->proto == IPPROTO_UDP && e->kind != KIND_EDGE ?
		       BACKEND_GONE : BACKEND_LEAVING;
}

/* Of two sorted lists, what is defined and what has an entry, make one. */
static void merge_backends(const struct state *s, struct change *c,
			   const struct service_book *book)
{
	const struct model_backend *def = c->def->backends;
	const struct model_backend *end = def + c->def->nr_backends;
	__u32 i = 0, nr = book ? book->nr_backends : 0, index;
	int order;

	while (i < nr || def < end) {
		index = i < nr ? book->backends[i] : 0;
		order = i >= nr ? 1 : def >= end ? -1 :
			backend_compare(&s->t->backends[index], &def->addr,
					def->port);
		if (order < 0)
			change_want(s, c, NULL, index,
				    leaving_state(&c->entries[0].entry));
		else
			change_want(s, c, def, order ? 0 : index, 0);
		i += order <= 0;
		if (order < 0)
			continue;
		for (def++; def < end && def->port == def[-1].port &&
			    !addr_compare(&def->addr, &def[-1].addr);)
			def++;
	}
}

/* By hand: the same backends, whose entries are set already. */
static void same_backends(const struct state *s, struct change *c,
			  const struct service_book *book)
{
	const struct backend *b;

	for (__u32 i = 0; i < book->nr_backends; i++) {
		b = &s->t->backends[book->backends[i]];
		change_want(s, c, NULL, book->backends[i],
			    backend_left(b) ? b->state : 0);
	}
}

static int change_backends(const struct state *s, struct plan *p,
			   struct change *c)
{
	const struct service_book *book = c->id ? &s->books[c->id] : NULL;
	size_t most = (c->def ? c->def->nr_backends : 0) +
		      (book ? book->nr_backends : 0) + 1;

	c->wanted = arena_alloc(&p->memory, most, sizeof(*c->wanted));
	c->leaves = arena_alloc(&p->memory, most, sizeof(*c->leaves));
	c->backends = calloc(most, sizeof(*c->backends));
	if (!c->wanted || !c->backends || !c->leaves)
		return -ENOMEM;
	if (c->def)
		merge_backends(s, c, book);
	else
		same_backends(s, c, book);
	return 0;
}

/* Of the table that it has; what is dense is not grown from. */
static __u32 slots_had(const struct state *s, const struct change *c)
{
	const struct service *e = c->id ? book_entry(s, c->id) : NULL;

	return e && !slots_are_dense(e) ? e->slot_count : 0;
}

/* Those who get new connections, by the sets that they are in. */
struct members {
	struct weights cluster, local, both;
};

static struct members members_of(const struct state *s, const struct change *c)
{
	struct members ret = {};

	for (size_t i = 0; i < c->nr_wanted; i++) {
		struct backend b = backend_wanted(s, &c->wanted[i]);
		bool is_cluster = !(b.flags & BACKEND_NOT_IN_CLUSTER);
		bool is_local = b.flags & BACKEND_IN_LOCAL;

		if (b.state != BACKEND_ACTIVE || !b.weight)
			continue;
		if (is_cluster)
			weights_add(&ret.cluster, b.weight);
		if (is_local)
			weights_add(&ret.local, b.weight);
		if (is_cluster && is_local)
			weights_add(&ret.both, b.weight);
	}
	return ret;
}

/* How many slots the service is to have, and where the local ones are. */
struct sizes {
	__u32 count, local_count;
	bool is_apart;		/* local slots are none of the others */
};

static struct sizes wanted_slots(const struct state *s, const struct change *c)
{
	const struct service *e = &c->entries[0].entry;
	struct members m = members_of(s, c);
	struct sizes ret = {
		.count = layout_size(e, &m.cluster, slots_had(s, c)),
		.is_apart = m.local.nr != m.both.nr,
	};

	if (!slots_are_dense(e))
		ret.is_apart = false;
	else if (ret.is_apart)
		ret.local_count = layout_size(e, &m.local, 0);
	else if (m.both.nr)
		ret.local_count = m.both.sum * ret.count / m.cluster.sum;
	return ret;
}

static bool backends_differ(const struct state *s, const struct change *c)
{
	for (size_t i = 0; i < c->nr_wanted; i++)
		if (backend_differs(s, &c->wanted[i]))
			return true;
	return false;
}

/* Does anything of it have to be written? Slots are not looked at. */
static bool change_is_needed(const struct state *s, const struct change *c)
{
	if (!c->id || s->books[c->id].nr_entries != c->nr_entries)
		return true;
	for (__u32 i = 0; i < c->nr_entries; i++)
		if (!c->entries[i].index)
			return true;
	return backends_differ(s, c);
}

static void set_slots(struct change *c, __u32 base, struct sizes sizes)
{
	for (__u32 i = 0; i < c->nr_entries; i++) {
		struct service *e = &c->entries[i].entry;

		e->slot_base = base;
		e->slot_count = sizes.count;
		e->local_count = sizes.local_count;
		e->local_base = 0;
		if (e->local_count)
			e->local_base =
				base + (sizes.is_apart ? sizes.count : 0);
	}
}

/* Dense slots are never changed: packets that may go to local backends alone
 * count on theirs. Are those of old as c wants them? */
static bool slots_stay(struct state *s, struct change *c,
		       const struct service *old, struct sizes sizes)
{
	const struct service *e = &c->entries[0].entry;
	struct layout l = {
		.id = c->id,
		.new = old,
		.backends = s->books[c->id].backends,
		.nr_backends = s->books[c->id].nr_backends,
	};

	if (sizes.count != old->slot_count ||
	    sizes.local_count != old->local_count ||
	    slots_are_dense(e) != slots_are_dense(old))
		return false;
	set_slots(c, old->slot_base, sizes);
	return !slots_are_dense(e) ||
	       (e->local_base == old->local_base && !backends_differ(s, c) &&
		layout_is_written(s, &l));
}

static void plan_short(struct plan *p, __u32 block)
{
	p->short_slots += block;
	if (block > p->largest_short)
		p->largest_short = block;
}

/* A range of slots for c, if it needs another than it has. */
static void plan_slots(struct state *s, struct plan *p, struct change *c)
{
	const struct service *old = c->id ? book_entry(s, c->id) : NULL;
	struct sizes sizes = wanted_slots(s, c);
	__u32 total, base = 0;

	set_slots(c, 0, sizes);
	total = service_slots(&c->entries[0].entry);
	p->totals.slots += total;
	if (old && slots_stay(s, c, old, sizes))
		return;
	set_slots(c, 0, sizes);
	if (!total)
		return;
	c->moves = !ranges_alloc(&s->slots, total, &base);
	if (!c->moves)
		plan_short(p, ranges_block(total));
	set_slots(c, base, sizes);
}

/* Which of the entries are there already, word for word? */
static void match_entries(const struct state *s, struct change *c)
{
	const struct service_book *book = c->id ? &s->books[c->id] : NULL;
	struct wanted_entry *w = c->entries, *end = w + c->nr_entries;

	for (; book && w < end; w++)
		for (__u32 i = 0; i < book->nr_entries && !w->index; i++)
			if (!memcmp(&w->entry,
				    &s->t->services[book->entries[i]],
				    sizeof(w->entry)))
				w->index = book->entries[i];
}

/* What c takes besides slots. */
static void plan_count(const struct state *s, struct plan *p, struct change *c)
{
	for (size_t i = 0; i < c->nr_wanted; i++)
		p->new_backends += !c->wanted[i].index;
	p->new_ids += !c->id;
	p->old_backends += c->id ? s->books[c->id].nr_backends : 0;
	p->old_entries += c->id ? s->books[c->id].nr_entries : 0;
	if (c->nr_wanted > p->most_backends)
		p->most_backends = c->nr_wanted;
	p->entries += c->nr_entries;
	for (__u32 i = 0; i < c->nr_entries; i++) {
		p->new_entries += !c->entries[i].index;
		if (!cells_find(s, &c->entries[i].entry.addr, 0, 0))
			p->new_entries++;
	}
}

/* Of each list once: services may share it. */
void plan_count_admission(struct state *s, struct plan *p, __u32 list)
{
	struct admission_book *book = &s->admissions[list];

	if (!list || book->is_counted)
		return;
	book->is_counted = true;
	p->sources += book->nr_sources;
}

/* As its fronts say, but for slots. */
static int define_entries(struct state *s, struct plan *p,
			  const struct model *m, struct change *c)
{
	const struct model_service *def = c->def;
	struct service *e;
	int ret = 0;

	for (size_t i = 0; i < def->nr_fronts && !ret; i++) {
		e = &c->entries[c->nr_entries++].entry;
		*e = service_entry(m, def, &def->fronts[i], c->id);
		p->has_node_ports |= e->kind == KIND_NODE_PORT;
		if (!def->fronts[i].open)
			ret = admission_plan(s, def->sources, def->nr_sources,
					     &e->sources);
		plan_count_admission(s, p, e->sources);
	}
	return ret;
}

static void same_entries(struct state *s, struct change *c)
{
	const struct service_book *book = &s->books[c->id];

	for (__u32 i = 0; i < book->nr_entries; i++) {
		c->entries[i].entry = s->t->services[book->entries[i]];
		admission_hold(s, c->entries[i].entry.sources);
	}
	c->nr_entries = book->nr_entries;
}

/* m NULL: those that it has. */
static int plan_entries(struct state *s, struct plan *p, const struct model *m,
			struct change *c)
{
	size_t nr = m ? c->def->nr_fronts : s->books[c->id].nr_entries;

	c->entries = arena_alloc(&p->memory, nr, sizeof(*c->entries));
	c->next_entries = calloc(nr, sizeof(*c->next_entries));
	if (!c->entries || !c->next_entries)
		return -ENOMEM;
	if (m)
		return define_entries(s, p, m, c);
	same_entries(s, c);
	return 0;
}

/* c->id and c->def are set. m NULL: with the entries that it has. */
int plan_service(struct state *s, struct plan *p, const struct model *m,
		 struct change *c)
{
	int ret = plan_entries(s, p, m, c);

	if (!ret)
		ret = change_backends(s, p, c);
	if (ret)
		return ret;
	plan_slots(s, p, c);
	match_entries(s, c);
	plan_count(s, p, c);
	c->differs = change_is_needed(s, c);
	return 0;
}

int plan_relayout(struct state *s, struct plan *p, __u32 id)
{
	struct change *c = plan_add(p);
	const struct service *old;
	int ret;

	if (!c)
		return -ENOMEM;
	c->id = id;
	c->digest = s->books[id].digest;
	ret = plan_service(s, p, NULL, c);
	if (ret || !p->short_slots)
		return ret;
	/* A larger table would be more even, but this one does as well. */
	old = book_entry(s, id);
	set_slots(c, old->slot_base, (struct sizes){
		.count = old->slot_count,
		.local_count = old->local_count,
		.is_apart = old->local_base != old->slot_base,
	});
	c->digest = 0;
	p->short_slots = 0;
	return old->slot_count ? 0 : -ENOSPC;
}
