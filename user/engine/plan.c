// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compares a model with the books. Services whose definition has the digest
 * that is in force are passed by; of the others it is worked out what they
 * are to be, and room is taken for it. Writes nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/conn.h>
#include <fairlead/hash.h>

#include "base/addr.h"
#include "model/service_field.h"
#include "plan.h"

static void change_clear(struct change *c)
{
	free(c->backends);
	free(c->next_entries);
	free(c->old_entries);
}

void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->nr_changes; i++)
		change_clear(&p->changes[i]);
	free(p->changes);
	arena_clear(&p->memory);
	free(p->order);
	free(p->removed);
}

static __u64 digest_word(__u64 digest, __u64 word)
{
	return hash_mix(digest ^ word) + 0x9e3779b97f4a7c15ull;
}

static __u64 digest_addr(__u64 digest, const struct addr *addr)
{
	__u64 words[2];

	memcpy(words, addr, sizeof(words));
	return digest_word(digest_word(digest, words[0]), words[1]);
}

static __u64 digest_fronts(__u64 digest, const struct model_service *def)
{
	const struct model_front *f, *end = def->fronts + def->nr_fronts;

	for (f = def->fronts; f < end; f++) {
		digest = digest_addr(digest, &f->addr);
		digest = digest_word(digest, (__u64)f->port_first << 48 |
				     (__u64)f->port_last << 32 |
				     (__u32)f->prefix_len << 24 |
				     f->kind << 16 | f->flags);
		digest = digest_word(digest, f->open);
	}
	return digest;
}

/* Of everything that the tables hold of a definition by itself. Never 0. */
static __u64 definition_digest(const struct model_service *def)
{
	const struct model_backend *b, *end = def->backends + def->nr_backends;
	__u64 digest = digest_fronts(def->nr_backends, def);

#define X(name, key, field, text) digest = digest_word(digest, def->field);
	SERVICE_FIELDS(X)
#undef X
	digest = digest_word(digest, admission_digest(def->sources,
						      def->nr_sources));
	for (b = def->backends; b < end; b++) {
		digest = digest_addr(digest, &b->addr);
		digest = digest_word(digest, (__u64)b->port << 32 |
				     b->flags << 24 | b->weight << 8 | b->state);
	}
	return digest | 1;
}

/*
 * And of the node's idle time: equal digests save a comparison with entries
 * that are all over the memory. A definition that models share is not read
 * again, its backends are as far away. Never 0.
 */
static __u64 service_digest(struct model_service *def, __u32 idle_s)
{
	__u64 digest = def->users ? def->digest : 0;

	if (!digest)
		digest = def->digest = definition_digest(def);
	return digest_word(digest, idle_s) | 1;
}

static __u32 service_idle(const struct model *m,
			  const struct model_service *def)
{
	if (def->idle_s)
		return def->idle_s;
	switch (def->proto) {
	case IPPROTO_UDP:
		return m->idle_udp_s;
	case IPPROTO_SCTP:
		return m->idle_sctp_s;
	default:
		return m->idle_tcp_s;
	}
}

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
		.id = id,
		.affinity_s = def->affinity_s,
		.idle_s = service_idle(m, def),
	};
}

/* The state that follows from what is defined and what is set by hand; DOWN
 * is for the health checks to end. */
static __u8 state_wanted(const struct backend *b)
{
	if (!backend_left(b) && b->state != BACKEND_FREE &&
	    (b->flags & BACKEND_SET_STATE || b->state == BACKEND_DOWN))
		return b->state;
	return b->weight ? b->state_defined : BACKEND_DRAIN;
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
	b.state = state_wanted(&b);
	return b;
}

bool backend_differs(const struct state *s, const struct wanted *w)
{
	struct backend b = backend_wanted(s, w);

	return !w->index ||
	       memcmp(&b, &s->t->backends[w->index], sizeof(b));
}

static void change_want(struct change *c, const struct model_backend *def,
			__u32 index, __u8 leaves)
{
	c->wanted[c->nr_wanted++] = (struct wanted){ def, index, leaves };
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
			change_want(c, NULL, index,
				    leaving_state(&c->entries[0].entry));
		else
			change_want(c, def, order ? 0 : index, 0);
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
		change_want(c, NULL, book->backends[i],
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

static struct change *plan_change(struct plan *p)
{
	size_t max = p->max_changes ? 2 * p->max_changes : 16;
	struct change *changes;

	if (p->nr_changes == p->max_changes) {
		changes = realloc(p->changes, max * sizeof(*changes));
		if (!changes)
			return NULL;
		p->changes = changes;
		p->max_changes = max;
	}
	p->changes[p->nr_changes] = (struct change){};
	return &p->changes[p->nr_changes++];
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
			e->local_base = base + (sizes.is_apart ? sizes.count : 0);
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
static void plan_count_admission(struct state *s, struct plan *p, __u32 list)
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
static int plan_service(struct state *s, struct plan *p, const struct model *m,
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

/* Cells of the ports, and one for each address, were they all different. */
static void plan_keys(struct plan *p, const struct model_service *def)
{
	const struct model_front *f = def->fronts, *end = f + def->nr_fronts;

	for (; f < end; f++)
		p->totals.keys += cells_of(f->port_first, f->port_last) + 1;
}

static void plan_same(struct state *s, struct plan *p, __u32 id)
{
	const struct service_book *book = &s->books[id];
	const struct service *e;

	p->totals.slots += service_slots(book_entry(s, id));
	for (__u32 i = 0; i < book->nr_entries; i++) {
		e = &s->t->services[book->entries[i]];
		p->totals.keys += cells_of(e->port_first, e->port_last) + 1;
		plan_count_admission(s, p, e->sources);
	}
}

/* One of m's services, and where it is in the old order, or would be. */
static int plan_defined(struct state *s, struct plan *p, const struct model *m,
			struct model_service *def, __u32 id)
{
	__u64 digest = service_digest(def, service_idle(m, def));
	struct change *c;

	p->totals.backends += def->nr_backends;
	p->order[p->nr_order++] = id;
	if (id && s->books[id].digest == digest) {
		plan_same(s, p, id);
		return 0;
	}
	plan_keys(p, def);
	c = plan_change(p);
	if (!c)
		return -ENOMEM;
	c->def = def;
	c->id = id;
	c->digest = digest;
	c->place = p->nr_order - 1;
	return plan_service(s, p, m, c);
}

/* In force, and not in the model. It goes, unless a source that has not said
 * all yet may be about to name it. */
static void plan_undefined(struct state *s, struct plan *p,
			   const struct model *m, __u32 id)
{
	const struct service_book *book = &s->books[id];

	if (m->is_partial) {
		p->order[p->nr_order++] = id;
		p->totals.backends += book->nr_backends;
		plan_same(s, p, id);
		return;
	}
	p->old_backends += book->nr_backends;
	p->old_entries += book->nr_entries;
	p->removed[p->nr_removed++] = id;
}

/* Addresses that may get node ports. They are in force for as long as the
 * services are, and no part of what those take. */
static void plan_node_ports(const struct state *s, struct plan *p)
{
	if (!p->has_node_ports)
		return;
	p->new_entries += node_addrs_more(s);
	p->more_keys = node_addrs_more(s);
}

int plan_all(struct state *s, struct plan *p, const struct model *m)
{
	size_t i = 0, at = 0;
	int order, ret = 0;

	p->order = calloc(m->nr_services + s->nr_order + 1, sizeof(*p->order));
	p->removed = calloc(s->nr_order + 1, sizeof(*p->removed));
	if (!p->order || !p->removed)
		return -ENOMEM;
	for (__u32 list = 1; list < s->nr_lists; list++)
		s->admissions[list].is_counted = false;
	while (!ret && (i < m->nr_services || at < s->nr_order)) {
		order = i == m->nr_services ? -1 : at == s->nr_order ? 1 :
			strcmp(s->t->infos[s->order[at]].name,
			       m->services[i]->name);
		if (order < 0) {
			plan_undefined(s, p, m, s->order[at++]);
			continue;
		}
		ret = plan_defined(s, p, m, m->services[i++],
				   order ? 0 : s->order[at]);
		at += !order;
	}
	plan_node_ports(s, p);
	return ret;
}

/* What a service in force takes; the other way round from plan_same(). */
static void plan_without(const struct state *s, struct plan *p, __u32 id)
{
	const struct service_book *book = &s->books[id];
	const struct service *e;

	p->totals.slots -= service_slots(book_entry(s, id));
	p->totals.backends -= book->nr_defined;
	for (__u32 i = 0; i < book->nr_entries; i++) {
		e = &s->t->services[book->entries[i]];
		p->totals.keys -= cells_of(e->port_first, e->port_last) + 1;
	}
}

/* One of the changes, at its place in the order. *from: what of the order in
 * force has no place in the new one yet. */
static int plan_one(struct state *s, struct plan *p, const struct model *m,
		    const struct service_change *c, size_t *from)
{
	bool is_there;
	size_t at = order_find(s, (c->was ?: c->is)->name, &is_there);
	__u32 id = is_there ? s->order[at] : 0;

	memcpy(p->order + p->nr_order, s->order + *from,
	       (at - *from) * sizeof(*s->order));
	p->nr_order += at - *from;
	*from = at + is_there;
	if (id)
		plan_without(s, p, id);
	if (c->is)
		return plan_defined(s, p, m, c->is, id);
	if (id)
		plan_undefined(s, p, m, id);
	return 0;
}

/* Entries of all services say how long one is idle. */
static bool is_same_idle(const struct state *s, const struct model *m)
{
	return s->idle_tcp_s == m->idle_tcp_s &&
	       s->idle_udp_s == m->idle_udp_s &&
	       s->idle_sctp_s == m->idle_sctp_s;
}

int plan_changes(struct state *s, struct plan *p, const struct model *m)
{
	const struct service_change *c, *end;
	size_t count, from = 0;
	int ret = 0;

	if (m->is_partial || !is_same_idle(s, m) ||
	    !service_set_changes(s->set, m->set, &c, &count) ||
	    count > s->nr_order / 4 + 16)
		return -ESTALE;
	p->order = calloc(s->nr_order + count + 1, sizeof(*p->order));
	p->removed = calloc(count + 1, sizeof(*p->removed));
	if (!p->order || !p->removed)
		return -ENOMEM;
	p->totals = s->totals;
	for (end = c + count; !ret && c < end; c++)
		ret = plan_one(s, p, m, c, &from);
	if (ret)
		return ret;
	memcpy(p->order + p->nr_order, s->order + from,
	       (s->nr_order - from) * sizeof(*s->order));
	p->nr_order += s->nr_order - from;
	p->sources = s->nr_admission_entries;
	plan_node_ports(s, p);
	return 0;
}

int plan_relayout(struct state *s, struct plan *p, __u32 id)
{
	struct change *c = plan_change(p);
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

static int too_many(char *text, const char *what, const char *limit,
		    __u64 number, __u32 max)
{
	snprintf(text, RECONCILE_TEXT_MAX,
		 "%llu %s are defined, but %s is %u",
		 (unsigned long long)number, what, limit, max);
	return -E2BIG;
}

int plan_check_limits(const struct state *s, const struct plan *p,
		      const struct model *m, char *text)
{
	if (m->max_services && m->nr_services > m->max_services)
		return too_many(text, "services", "max_services",
				m->nr_services, m->max_services);
	if (m->max_backends && p->totals.backends > m->max_backends)
		return too_many(text, "backends", "max_backends",
				p->totals.backends, m->max_backends);
	if (m->max_slots && p->totals.slots > m->max_slots)
		return too_many(text, "slots", "max_slots", p->totals.slots,
				m->max_slots);
	if (p->sources > SOURCES_MAX)
		return too_many(text, "prefixes of sources", "the most",
				p->sources, SOURCES_MAX);
	if (s->nr_admission_entries <= s->t->nr_sources)
		return 0;
	snprintf(text, RECONCILE_TEXT_MAX,
		 "sources changed faster than old lists can go; tried again within seconds");
	return -EAGAIN;
}

/* Room for used and more, and some to come; size if that is enough. */
static __u32 grown(const struct pool *p, __u32 more, bool *is_short)
{
	__u64 needed = (__u64)p->size - p->nr_free + more;

	*is_short |= needed > p->size;
	return table_size_grown(p->size, needed);
}

/* Three of four cells stay free, so that searches stay short. */
static __u32 plan_buckets(const struct plan *p, __u32 buckets)
{
	__u64 keys = p->totals.keys + p->more_keys;

	while (keys * 4 > (__u64)buckets * SERVICE_CELLS)
		buckets *= 2;
	return buckets;
}

static __u64 aligned(__u64 number, __u32 block)
{
	return block ? (number + block - 1) / block * block : number;
}

/* A block begins at a multiple of its size: new room counts from where the
 * largest may begin. */
static __u64 plan_slots_needed(const struct state *s, const struct plan *p)
{
	return aligned(s->t->nr_slots, p->largest_short) +
	       aligned(p->short_slots, p->largest_short);
}

int plan_check_room(const struct state *s, const struct plan *p,
		    struct table_sizes *ret)
{
	bool is_short = p->short_slots > 0;
	__u32 ids = grown(&s->ids, p->new_ids, &is_short);

	*ret = (struct table_sizes){
		.services = grown(&s->entries, p->new_entries, &is_short),
		.backends = grown(&s->backends, p->new_backends, &is_short),
		.slots = table_size_grown(s->t->nr_slots,
					  plan_slots_needed(s, p)),
		.cell_buckets = plan_buckets(p, s->t->cell_buckets),
		.conn_buckets = s->t->conn_buckets,
	};
	if (ids > ret->services)
		ret->services = ids;
	is_short |= ret->cell_buckets > s->t->cell_buckets;
	return is_short ? -ENOSPC : 0;
}

int plan_reserve(struct state *s, const struct plan *p)
{
	/* Ids and backends; entries, each with its address, its range and its
	 * sources; addresses and sources that were planned for nothing. */
	size_t gone = p->nr_removed + p->old_backends + 4 * p->old_entries +
		      2 * p->entries;
	int ret = retired_reserve(s, gone);

	if (!ret)
		ret = prefixes_reserve(s, p->entries);
	if (!ret)
		ret = kept_reserve(s, p->nr_removed, p->old_entries);
	return ret ? ret : layout_reserve(s, p->most_backends);
}

/* In reverse: the numbers that were free first are so again. */
void plan_release(struct state *s, struct plan *p, __u32 now_s)
{
	for (size_t i = p->nr_changes; i--;) {
		struct change *c = &p->changes[i];

		for (__u32 j = c->nr_entries; j--;)
			admission_drop(s, c->entries[j].entry.sources, now_s);
	}
}

/* Ranges and lists were taken for a plan that is not carried out: nothing of
 * them was written, so nothing is retired. */
void plan_undo(struct state *s, struct plan *p)
{
	const struct service *e;

	for (size_t i = 0; i < p->nr_changes; i++) {
		if (!p->changes[i].moves)
			continue;
		e = &p->changes[i].entries[0].entry;
		ranges_free(&s->slots, e->slot_base, service_slots(e));
	}
	plan_release(s, p, 0);
}

