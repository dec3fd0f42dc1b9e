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

#include <fairlead/conn_time.h>
#include <fairlead/hash.h>

#include "base/addr.h"
#include "plan.h"

static void change_clear(struct change *c)
{
	free(c->wanted);
	free(c->backends);
	free(c->leaves);
}

void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->nr_changes; i++)
		change_clear(&p->changes[i]);
	free(p->changes);
	free(p->order);
	free(p->removed);
}

/* Models know their services; nobody else looks into the array. */
static const struct model_service *model_service_at(const struct model *m,
						     size_t i)
{
	return &m->services[i];
}

static __u64 digest_word(__u64 digest, __u64 word)
{
	return hash_mix(digest ^ word) + 0x9e3779b97f4a7c15ull;
}

/* Of everything that the tables hold of a definition: equal digests save a
 * comparison with entries that are all over the memory. Never 0. */
static __u64 service_digest(const struct model_service *def, __u32 idle_s)
{
	const struct model_backend *b, *end = def->backends + def->nr_backends;
	__u64 digest = def->nr_backends, words[2];

	memcpy(words, &def->addr, sizeof(words));
	digest = digest_word(digest, words[0]);
	digest = digest_word(digest, words[1]);
	digest = digest_word(digest, (__u64)def->port_first << 48 |
			     (__u64)def->port_last << 32 |
			     (__u32)def->proto << 24 | def->forward << 16 |
			     def->algorithm << 8 | def->stateless);
	digest = digest_word(digest, (__u64)def->affinity_s << 32 | idle_s);
	digest = digest_word(digest, def->prefix_len);
	digest = digest_word(digest, admission_digest(def->sources,
						      def->nr_sources));
	for (b = def->backends; b < end; b++) {
		memcpy(words, &b->addr, sizeof(words));
		digest = digest_word(digest, words[0]);
		digest = digest_word(digest, words[1]);
		digest = digest_word(digest, (__u64)b->port << 32 |
				     b->weight << 8 | b->state);
	}
	return digest | 1;
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

static __u8 service_flags(const struct model_service *def)
{
	__u8 flags = 0;

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
				    const struct model_service *def, __u32 id)
{
	return (struct service){
		.addr = def->addr,
		.port_first = def->port_first,
		.port_last = def->port_last,
		.proto = def->proto,
		.forward = def->forward,
		.algorithm = def->algorithm,
		.flags = service_flags(def),
		.id = id,
		.affinity_s = def->affinity_s,
		.idle_s = service_idle(m, def),
		.idle_life = conn_life_from(service_idle(m, def)),
		.affinity_life = conn_life_from(def->affinity_s),
		.prefix_len = def->prefix_len,
	};
}

/* The state that follows from what is defined and what is set by hand; DOWN
 * is for the health checks to end. */
static __u8 state_wanted(const struct backend *b)
{
	if (b->state != BACKEND_LEAVING && b->state != BACKEND_FREE &&
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
		b.state = BACKEND_LEAVING;
		b.flags &= ~(BACKEND_SET_STATE | BACKEND_SET_WEIGHT);
		return b;
	}
	if (!w->def)
		return b;
	b.addr = w->def->addr;
	b.port = htons(w->def->port);
	b.weight_defined = w->def->weight;
	b.state_defined = w->def->state;
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
			__u32 index, bool leaves)
{
	c->wanted[c->nr_wanted++] = (struct wanted){ def, index, leaves };
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
			change_want(c, NULL, index, true);
		else
			change_want(c, def, order ? 0 : index, false);
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
	for (__u32 i = 0; i < book->nr_backends; i++)
		change_want(c, NULL, book->backends[i],
			    s->t->backends[book->backends[i]].state ==
				    BACKEND_LEAVING);
}

static int change_backends(const struct state *s, struct change *c)
{
	const struct service_book *book = c->id ? &s->books[c->id] : NULL;
	size_t most = (c->def ? c->def->nr_backends : 0) +
		      (book ? book->nr_backends : 0) + 1;

	c->wanted = calloc(most, sizeof(*c->wanted));
	c->backends = calloc(most, sizeof(*c->backends));
	c->leaves = calloc(most, sizeof(*c->leaves));
	if (!c->wanted || !c->backends || !c->leaves)
		return -ENOMEM;
	if (c->def)
		merge_backends(s, c, book);
	else
		same_backends(s, c, book);
	return 0;
}

/* How many slots the service is to have; never less than it has. */
static __u32 wanted_slots(const struct state *s, const struct change *c)
{
	__u32 had = c->id ? book_entry(s, c->id)->slot_count : 0;
	__u32 nr = 0, min = UINT32_MAX, size;
	__u64 sum = 0;

	for (size_t i = 0; i < c->nr_wanted; i++) {
		struct backend b = backend_wanted(s, &c->wanted[i]);

		if (b.state != BACKEND_ACTIVE || !b.weight)
			continue;
		nr++;
		sum += b.weight;
		if (b.weight < min)
			min = b.weight;
	}
	size = nr ? maglev_size(nr, sum, min) : 0;
	return size > had ? size : had;
}

/* Does anything of it have to be written? Slots are not looked at. */
static bool change_is_needed(const struct state *s, const struct change *c)
{
	if (!c->id || memcmp(&c->entry, book_entry(s, c->id),
			     sizeof(c->entry)))
		return true;
	for (size_t i = 0; i < c->nr_wanted; i++)
		if (backend_differs(s, &c->wanted[i]))
			return true;
	return false;
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

/* A range of slots for c, if it needs another than it has. */
static void plan_slots(struct state *s, struct plan *p, struct change *c)
{
	const struct service *old = c->id ? book_entry(s, c->id) : NULL;
	__u32 want = wanted_slots(s, c);

	c->entry.slot_base = old ? old->slot_base : 0;
	c->entry.slot_count = want;
	p->slots += want;
	if (want == (old ? old->slot_count : 0))
		return;
	c->moves = !ranges_alloc(&s->slots, want, &c->entry.slot_base);
	if (!c->moves)
		p->short_slots += want;
}

/* What c takes besides slots. */
static void plan_count(const struct state *s, struct plan *p, struct change *c)
{
	const struct service *old = c->id ? book_entry(s, c->id) : NULL;

	for (size_t i = 0; i < c->nr_wanted; i++)
		p->new_backends += !c->wanted[i].index;
	p->new_ids += !c->id;
	p->old_backends += c->id ? s->books[c->id].nr_backends : 0;
	if (c->nr_wanted > p->most_backends)
		p->most_backends = c->nr_wanted;
	if (!old || memcmp(old, &c->entry, sizeof(*old)))
		p->new_entries++;
	if (!cells_find(s, &c->entry.addr, 0, 0))
		p->new_entries++;
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

/* The entry as it is to be, but for slots. */
static int plan_entry(struct state *s, struct plan *p, const struct model *m,
		      struct change *c)
{
	int ret;

	if (!m) {
		c->entry = *book_entry(s, c->id);
		admission_hold(s, c->entry.sources);
		return 0;
	}
	c->entry = service_entry(m, c->def, c->id);
	ret = admission_plan(s, c->def->sources, c->def->nr_sources,
			     &c->entry.sources);
	plan_count_admission(s, p, c->entry.sources);
	return ret;
}

/* c->id and c->def are set. m NULL: with the entry that it has. */
static int plan_service(struct state *s, struct plan *p, const struct model *m,
			struct change *c)
{
	int ret = change_backends(s, c);

	if (!ret)
		ret = plan_entry(s, p, m, c);
	if (ret)
		return ret;
	c->old_entry = c->id ? s->books[c->id].entry : 0;
	plan_slots(s, p, c);
	plan_count(s, p, c);
	c->differs = change_is_needed(s, c);
	return 0;
}

/* One of m's services, and where it is in the old order, or would be. */
static int plan_defined(struct state *s, struct plan *p, const struct model *m,
			const struct model_service *def, __u32 id)
{
	__u64 digest = service_digest(def, service_idle(m, def));
	struct change *c;

	p->defined_backends += def->nr_backends;
	p->keys += cells_of(def->port_first, def->port_last);
	p->order[p->nr_order++] = id;
	if (id && s->books[id].digest == digest) {
		p->slots += book_entry(s, id)->slot_count;
		plan_count_admission(s, p, book_entry(s, id)->sources);
		return 0;
	}
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
	const struct service *e = book_entry(s, id);

	if (!m->is_partial) {
		p->old_backends += s->books[id].nr_backends;
		p->removed[p->nr_removed++] = id;
		return;
	}
	p->order[p->nr_order++] = id;
	p->defined_backends += s->books[id].nr_backends;
	p->keys += cells_of(e->port_first, e->port_last);
	p->slots += e->slot_count;
	plan_count_admission(s, p, e->sources);
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
			       model_service_at(m, i)->name);
		if (order < 0) {
			plan_undefined(s, p, m, s->order[at++]);
			continue;
		}
		ret = plan_defined(s, p, m, model_service_at(m, i++),
				   order ? 0 : s->order[at]);
		at += !order;
	}
	return ret;
}

int plan_relayout(struct state *s, struct plan *p, __u32 id)
{
	struct change *c = plan_change(p);
	int ret;

	if (!c)
		return -ENOMEM;
	c->id = id;
	c->digest = s->books[id].digest;
	ret = plan_service(s, p, NULL, c);
	if (ret || !p->short_slots)
		return ret;
	/* A larger table would be more even, but this one does as well. */
	c->entry = *book_entry(s, id);
	c->digest = 0;
	p->short_slots = 0;
	return c->entry.slot_count ? 0 : -ENOSPC;
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
	if (m->max_backends && p->defined_backends > m->max_backends)
		return too_many(text, "backends", "max_backends",
				p->defined_backends, m->max_backends);
	if (m->max_slots && p->slots > m->max_slots)
		return too_many(text, "slots", "max_slots", p->slots,
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

/* Buckets for the cells of the services and of their addresses, were they all
 * different: three of four cells stay free, so that searches stay short. */
static __u32 plan_buckets(const struct plan *p, __u32 buckets)
{
	while ((p->keys + p->nr_order) * 4 > (__u64)buckets * SERVICE_CELLS)
		buckets *= 2;
	return buckets;
}

int plan_check_room(const struct state *s, const struct plan *p,
		    struct table_sizes *ret)
{
	__u64 slots = (__u64)s->t->nr_slots + p->short_slots;
	bool is_short = p->short_slots > 0;
	__u32 ids = grown(&s->ids, p->new_ids, &is_short);

	*ret = (struct table_sizes){
		.services = grown(&s->entries, p->new_entries, &is_short),
		.backends = grown(&s->backends, p->new_backends, &is_short),
		.slots = table_size_grown(s->t->nr_slots, slots),
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
	size_t gone = 5 * (p->nr_changes + p->nr_removed) + p->old_backends;
	int ret = retired_reserve(s, gone);

	if (!ret)
		ret = prefixes_reserve(s, p->nr_changes);
	return ret ? ret : layout_reserve(s, p->most_backends);
}

/* In reverse: the numbers that were free first are so again. */
void plan_release(struct state *s, struct plan *p, __u32 now_s)
{
	for (size_t i = p->nr_changes; i--;)
		admission_drop(s, p->changes[i].entry.sources, now_s);
}

/* Ranges and lists were taken for a plan that is not carried out: nothing of
 * them was written, so nothing is retired. */
void plan_undo(struct state *s, struct plan *p)
{
	for (size_t i = 0; i < p->nr_changes; i++)
		if (p->changes[i].moves)
			ranges_free(&s->slots, p->changes[i].entry.slot_base,
				    p->changes[i].entry.slot_count);
	plan_release(s, p, 0);
}

