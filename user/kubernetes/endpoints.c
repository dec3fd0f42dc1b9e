// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See endpoints.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base/addr.h"
#include "endpoints.h"
#include "words.h"

void kube_members_clear(struct kube_members *m)
{
	free(m->list);
	*m = (struct kube_members){};
}

static bool is_slice_of(const struct kube_object *o, bool is4)
{
	return kube_is(o->slice.address_type, is4 ? "IPv4" : "IPv6", false);
}

static bool is_port_of(const struct kube_slice_port *p,
		       const struct kube_question *q)
{
	return p->name && p->port && !strcmp(p->name, q->port) &&
	       kube_proto(p->protocol) == q->proto;
}

static void member_add(struct kube_members *m, const struct kube_endpoint *e,
		       __u16 port, const struct kube_here *here)
{
	const char *const *first = e->addresses.items;
	const char *node = e->node ?: e->host;
	struct kube_member *to = &m->list[m->count];

	if (!e->addresses.count || !kube_addr(*first, &to->addr))
		return;
	to->port = port;
	to->is_ready = e->ready != KUBE_FALSE;
	to->is_serving = e->serving != KUBE_FALSE;
	to->is_terminating = e->terminating == KUBE_TRUE;
	to->is_local = node && !strcmp(node, here->node);
	to->from = e;
	m->count++;
}

static void slice_add(struct kube_members *m, const struct kube_slice *s,
		      const struct kube_question *q,
		      const struct kube_here *here)
{
	const struct kube_slice_port *p;
	const struct kube_endpoint *e;

	kube_each(p, &s->ports) {
		if (!is_port_of(p, q))
			continue;
		kube_each(e, &s->endpoints)
			member_add(m, e, p->port, here);
	}
}

/* Of one address and port: one that is not terminating first, then one that
 * is ready. */
static int compare(const void *x, const void *y)
{
	const struct kube_member *a = x, *b = y;
	int order = addr_compare(&a->addr, &b->addr);

	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->is_terminating != b->is_terminating)
		return a->is_terminating - b->is_terminating;
	return b->is_ready - a->is_ready;
}

static void drop_duplicates(struct kube_members *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct kube_member *next = &m->list[i];

		if (count && m->list[count - 1].port == next->port &&
		    !addr_compare(&m->list[count - 1].addr, &next->addr))
			continue;
		m->list[count++] = *next;
	}
	m->count = count;
}

int kube_members_collect(struct kube_members *ret,
			 const struct kube_object *const *slices, size_t count,
			 const struct kube_question *q,
			 const struct kube_here *here)
{
	struct kube_members m = {};
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		most += (size_t)slices[i]->slice.endpoints.count *
			slices[i]->slice.ports.count;
	m.list = calloc(most + 1, sizeof(*m.list));
	if (!m.list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (is_slice_of(slices[i], q->is4))
			slice_add(&m, &slices[i]->slice, q, here);
	qsort(m.list, m.count, sizeof(*m.list), compare);
	drop_duplicates(&m);
	*ret = m;
	return 0;
}

static bool names(const struct kube_list *hints, const char *name)
{
	const struct kube_hint *h;

	kube_each(h, hints)
		if (h->name && name && *name && !strcmp(h->name, name))
			return true;
	return false;
}

static const struct kube_list *node_hints(const struct kube_member *m)
{
	return &m->from->nodes;
}

static const struct kube_list *zone_hints(const struct kube_member *m)
{
	return &m->from->zones;
}

typedef const struct kube_list *hints_fn(const struct kube_member *m);

/* Every ready endpoint has such a hint, and one at least names us. */
static bool hints_hold(const struct kube_members *m, hints_fn *hints,
		       const char *name)
{
	bool is_named = false;

	for (size_t i = 0; i < m->count; i++) {
		if (!m->list[i].is_ready)
			continue;
		if (!hints(&m->list[i])->count)
			return false;
		is_named |= names(hints(&m->list[i]), name);
	}
	return is_named;
}

static bool any(const struct kube_members *m,
		bool (*is_wanted)(const struct kube_member *m))
{
	for (size_t i = 0; i < m->count; i++)
		if (is_wanted(&m->list[i]))
			return true;
	return false;
}

static bool is_ready(const struct kube_member *m)
{
	return m->is_ready;
}

static bool is_ready_here(const struct kube_member *m)
{
	return m->is_ready && m->is_local;
}

/* The last resort: it goes, and still answers. */
static bool is_ending(const struct kube_member *m)
{
	return m->is_serving && m->is_terminating;
}

static bool is_in_cluster(const struct kube_member *m)
{
	return m->in_cluster;
}

static void choose_cluster(struct kube_members *m, const struct kube_here *here)
{
	const bool has_ready = any(m, is_ready);
	const bool by_node = hints_hold(m, node_hints, here->node);
	const bool by_zone = !by_node && hints_hold(m, zone_hints, here->zone);

	for (size_t i = 0; i < m->count; i++) {
		struct kube_member *e = &m->list[i];

		if (!has_ready)
			e->in_cluster = is_ending(e);
		else if (by_node)
			e->in_cluster = e->is_ready &&
					names(node_hints(e), here->node);
		else if (by_zone)
			e->in_cluster = e->is_ready &&
					names(zone_hints(e), here->zone);
		else
			e->in_cluster = e->is_ready;
	}
}

static void choose_local(struct kube_members *m)
{
	const bool has_ready = any(m, is_ready_here);

	for (size_t i = 0; i < m->count; i++) {
		struct kube_member *e = &m->list[i];

		e->in_local = e->is_local &&
			      (has_ready ? e->is_ready : is_ending(e));
	}
}

bool kube_members_choose(struct kube_members *m, bool uses_cluster,
			 bool uses_local, const struct kube_here *here)
{
	if (uses_cluster)
		choose_cluster(m, here);
	if (uses_local)
		choose_local(m);
	return any(m, is_in_cluster) ||
	       (uses_local && (any(m, is_ready) || any(m, is_ending)));
}
