// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the slots of a service. A slot remembers who owned it before, so
 * that old flows stay where they are: see struct slot for what each pair says
 * to the datapath.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"

int layout_reserve(struct state *s, size_t members)
{
	struct maglev_member *m;

	if (!s->owners)
		s->owners = malloc(2 * MAGLEV_SIZE_MAX * sizeof(*s->owners));
	if (!s->old_slots)
		s->old_slots = malloc(MAGLEV_SIZE_MAX * sizeof(*s->old_slots));
	if (!s->owners || !s->old_slots)
		return -ENOMEM;
	if (members <= s->max_members)
		return 0;
	m = realloc(s->members, members * sizeof(*m));
	if (!m)
		return -ENOMEM;
	s->members = m;
	s->max_members = members;
	return 0;
}

/* Who may get new flows, among those that are in these sets (flags of mask),
 * into members from nr on; how many there are then. */
static __u32 layout_members(struct state *s, const struct layout *l,
			    __u8 mask, __u8 flags, __u32 nr)
{
	const struct backend *b;

	for (size_t i = 0; i < l->nr_backends; i++) {
		b = &s->t->backends[l->backends[i]];
		if (b->state != BACKEND_ACTIVE || !b->weight ||
		    (l->leaves && l->leaves[i]) || (b->flags & mask) != flags)
			continue;
		s->members[nr++] = (struct maglev_member){
			.hash = maglev_hash(&b->addr, ntohs(b->port)),
			.value = l->backends[i],
			.weight = b->weight,
		};
	}
	return nr;
}

void weights_add(struct weights *w, __u32 weight)
{
	__u32 rest = weight, divisor = w->divisor, next;

	for (; divisor; divisor = next) {	/* Euclid's */
		next = rest % divisor;
		rest = divisor;
	}
	w->divisor = rest;
	w->min = !w->nr || weight < w->min ? weight : w->min;
	w->sum += weight;
	w->nr++;
}

__u32 layout_size(const struct service *e, const struct weights *w, __u32 had)
{
	__u64 size;

	if (!slots_are_dense(e)) {
		size = w->nr ? maglev_size(w->nr, w->sum, w->min) : 0;
		return size > had ? size : had;
	}
	size = w->nr ? w->sum / w->divisor : 0;
	return size < MAGLEV_SIZE_MAX ? size : MAGLEV_SIZE_MAX;
}

/* In proportion to the weights: where the slots of one member end is rounded,
 * not how many they are, so that all slots are given away. */
static void dense_fill(const struct state *s, __u32 nr, __u32 *owners,
		       __u32 count)
{
	const struct maglev_member *m = s->members, *end = m + nr;
	__u64 sum = 0, upto = 0;
	__u32 slot = 0;

	for (; m < end; m++)
		sum += m->weight;
	for (m = s->members; m < end; m++) {
		upto += m->weight;
		while (slot < upto * count / sum)
			owners[slot++] = m->value;
	}
}

/* Of the cluster's set, the local ones first. */
static __u32 cluster_members(struct state *s, const struct layout *l)
{
	__u32 nr = layout_members(s, l, BACKEND_SET_FLAGS, BACKEND_IN_LOCAL, 0);

	return layout_members(s, l, BACKEND_SET_FLAGS, 0, nr);
}

static void layout_owners(struct state *s, struct layout *l)
{
	const struct service *e = l->new;
	__u32 nr = cluster_members(s, l);

	if (!nr)
		memset(s->owners, 0, e->slot_count * sizeof(*s->owners));
	else if (slots_are_dense(e))
		dense_fill(s, nr, s->owners, e->slot_count);
	else if (e->algorithm == ALGORITHM_ROUND_ROBIN)
		round_robin_fill(s->members, nr, s->owners, e->slot_count);
	else
		maglev_fill(s->members, nr, s->owners, e->slot_count);
	if (service_slots(e) == e->slot_count)
		return;
	nr = layout_members(s, l, BACKEND_IN_LOCAL, BACKEND_IN_LOCAL, 0);
	dense_fill(s, nr, s->owners + e->slot_count, e->local_count);
}

/* Nobody's, if it is no backend of this service: tables may lie. */
static __u32 own(const struct state *s, __u32 id, __u32 backend)
{
	const struct backend *b;

	if (!backend || backend >= s->t->nr_backends)
		return 0;
	b = &s->t->backends[backend];
	return b->service == id && b->state != BACKEND_FREE ? backend : 0;
}

/* NAT finds its flows in conns alone, and stateless ones are not kept. */
static bool remembers(const struct service *e)
{
	return e->forward != FORWARD_NAT && !(e->flags & SERVICE_STATELESS);
}

bool slots_are_dense(const struct service *e)
{
	return e->algorithm == ALGORITHM_RANDOM && !remembers(e);
}

__u32 service_slots(const struct service *e)
{
	__u32 end = e->local_count ?
			e->local_base - e->slot_base + e->local_count : 0;

	return end > e->slot_count ? end : e->slot_count;
}

bool layout_is_written(struct state *s, struct layout *l)
{
	__u32 count = service_slots(l->new);
	const struct slot *slots = count ? s->t->slots(s->t, l->new->slot_base,
						       count) : NULL;

	if (!count)
		return true;
	if (!slots || layout_reserve(s, l->nr_backends))
		return false;
	layout_owners(s, l);
	for (__u32 i = 0; i < count; i++)
		if (slots[i].backend != s->owners[i] || slots[i].previous)
			return false;
	return true;
}

enum slot_rule {
	RULE_FORGET,	/* nobody needs to know who was there before */
	RULE_KEEP,
	RULE_TRACK,	/* flows are in conns alone, or what conns has is not of
			 * these flows: even an unchanged owner */
};

static enum slot_rule layout_rule(const struct layout *l)
{
	if (!l->old || !remembers(l->new))
		return RULE_FORGET;
	if (!remembers(l->old) || (l->old->flags & SERVICE_TRACKED &&
				   !(l->new->flags & SERVICE_TRACKED)))
		return RULE_TRACK;
	return RULE_KEEP;
}

/* stand_in: a backend of the service, for a slot that nobody owns or owned
 * and that has to be tracked all the same. */
static struct slot slot_next(struct slot was, __u32 owner, enum slot_rule rule,
			     __u32 stand_in)
{
	struct slot next = { .backend = owner };

	if (rule == RULE_FORGET)
		return next;
	next.previous = was.previous;
	if (!was.previous && (was.backend != owner || rule == RULE_TRACK))
		next.previous = was.backend;
	if (!next.previous && rule == RULE_TRACK)
		next.previous = owner ? owner : stand_in;
	return next;
}

/* The table in force until now, with one entry for each of its slots. */
static int layout_old(struct state *s, const struct layout *l)
{
	const struct slot *old;

	if (!l->old || !l->old->slot_count)
		return 0;
	old = s->t->slots(s->t, l->old->slot_base, l->old->slot_count);
	if (!old)
		return -ENOMEM;
	memcpy(s->old_slots, old, l->old->slot_count * sizeof(*old));
	return 0;
}

static struct slot slot_before(const struct state *s, const struct layout *l,
			       __u32 i)
{
	struct slot was = {};

	/* those behind are dense, and have no past */
	if (!l->old || !l->old->slot_count || i >= l->new->slot_count)
		return was;
	was = s->old_slots[(__u64)i * l->old->slot_count / l->new->slot_count];
	was.backend = own(s, l->id, was.backend);
	was.previous = own(s, l->id, was.previous);
	return was;
}

int layout_write(struct state *s, struct layout *l, __u32 now_s)
{
	struct service_info *info = &s->t->infos[l->id];
	enum slot_rule rule = layout_rule(l);
	__u32 count = service_slots(l->new);
	__u32 stand_in = l->nr_backends ? l->backends[0] : 0;
	__u32 tracked = 0, written = 0;
	struct slot *slots, next;

	if (!count)
		return 0;
	if (layout_old(s, l))
		return -ENOMEM;
	slots = s->t->slots(s->t, l->new->slot_base, count);
	if (!slots)
		return -ENOMEM;
	layout_owners(s, l);
	for (__u32 i = 0; i < count; i++) {
		next = slot_next(slot_before(s, l, i), s->owners[i], rule,
				 stand_in);
		tracked += next.previous != 0;
		if (!memcmp(&slots[i], &next, sizeof(next)))
			continue;
		/* A crash amid the writing must not leave it for settled. */
		if (!written++) {
			info->tracked = count;
			info->changed_s = now_s;
		}
		table_store(&slots[i], next);
	}
	info->tracked = tracked;
	if (written)
		s->books[l->id].written_s = now_s;
	return written;
}
