// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Compares a model with the books. Services whose definition has the digest
 * that is in force are passed by; of the others it is worked out what they
 * are to be (change.c), and room is taken for it. Writes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
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

struct change *plan_add(struct plan *p)
{
	if (!list_room(&p->changes, p->nr_changes + 1, &p->max_changes,
		       sizeof(*p->changes)))
		return NULL;
	p->changes[p->nr_changes] = (struct change){};
	return &p->changes[p->nr_changes++];
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
	c = plan_add(p);
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

