// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See nat_sources.h. */
#include <errno.h>

#include "base/addr.h"
#include "nat_sources.h"

/* What one nat_sources_store() works with. */
struct job {
	const struct parts *parts;
	const struct uplinks *uplinks;
	const struct model *model;
	const bool *leads;	/* to a backend, by link */
	struct tables *t;
	struct addr list[2 * NAT_ADDRS_MAX];
	size_t count;
	size_t left_out;
};

static void addr_append(struct job *j, const struct addr *a)
{
	if (addr_is_zero(a) || addr_is_in(j->list, j->count, a))
		return;
	if (j->count < 2 * NAT_ADDRS_MAX)
		j->list[j->count++] = *a;
	else
		j->left_out++;
}

/* Packets to a service's address are clients', not replies: it is nobody's
 * source, even where the interface has it. */
static bool is_no_vip(void *arg, const struct addr *a)
{
	const struct job *j = arg;

	return !state_serves(j->parts->state, a);
}

/* Of a trunk with a thousand VLANs those count that backends are in. */
static bool needs_source(const struct job *j, const struct link *l)
{
	return uplinks_has(j->uplinks, l->user_ifindex) ||
	       ((j->uplinks->is_node || uplinks_has(j->uplinks, l->ifindex)) &&
		j->leads[l - j->t->links]);
}

/* Who has no source of its own may have any, if it is no uplink's. */
static bool may_borrow(const struct job *j, const struct link *l)
{
	return !needs_source(j, l) || !uplinks_has_link(j->uplinks, l);
}

/* addr, which is l's, or what its interface has in place of a VIP; or zero. */
static struct addr own_source(struct job *j, const struct link *l,
			      const struct addr *addr)
{
	const struct addr_test test = { is_no_vip, j };
	struct addr ret = {};

	if (addr_is_zero(addr) || is_no_vip(j, addr))
		return *addr;
	nexthops_source_like(j->parts->nexthops, l - j->t->links, addr, &test,
			     &ret);
	return ret;
}

/* Where nothing else is defined, what leaves by an uplink comes from its own
 * address: a backend there may know no way to another's. Zero: it does not. */
static void link_sources(struct job *j, const struct link *l,
			 struct addr *ret4, struct addr *ret6)
{
	bool own = needs_source(j, l);

	*ret4 = *ret6 = (struct addr){};
	if (own && !j->model->nr_nat4)
		*ret4 = own_source(j, l, &l->addr4);
	if (own && !j->model->nr_nat6)
		*ret6 = own_source(j, l, &l->addr6);
}

static void list_all(struct job *j)
{
	const struct model *m = j->model;
	struct addr source4, source6;

	for (size_t i = 0; i < m->nr_nat4; i++)
		addr_append(j, &m->nat4[i]);
	for (size_t i = 0; i < m->nr_nat6; i++)
		addr_append(j, &m->nat6[i]);
	for (__u32 i = 1; i < j->t->nr_links; i++) {
		link_sources(j, &j->t->links[i], &source4, &source6);
		addr_append(j, &source4);
		addr_append(j, &source6);
	}
}

static bool goes(const struct job *j, __u8 index)
{
	return index && index != NAT_SOURCE_NONE &&
	       !addr_is_in(j->list, j->count, &j->t->nat_addrs[index]);
}

/* Before addresses lose their places in nat_addrs. */
static void links_clear(const struct job *j)
{
	for (__u32 i = 1; i < j->t->nr_links; i++) {
		struct link *l = &j->t->links[i];

		if (goes(j, l->nat4))
			l->nat4 = NAT_SOURCE_NONE;
		if (goes(j, l->nat6))
			l->nat6 = NAT_SOURCE_NONE;
	}
}

/* is_any: what is defined, or an uplink's address, does for l. */
static __u8 source_index(const struct job *j, const struct addr *source,
			 bool is_any)
{
	__u8 index = state_nat_index(j->parts->state, source);

	return index || is_any ? index : NAT_SOURCE_NONE;
}

static void links_store(struct job *j)
{
	struct addr source4, source6;

	for (__u32 i = 1; i < j->t->nr_links; i++) {
		struct link *l = &j->t->links[i];
		bool is_any = may_borrow(j, l);

		link_sources(j, l, &source4, &source6);
		l->nat4 = source_index(j, &source4, is_any ||
						    j->model->nr_nat4);
		l->nat6 = source_index(j, &source6, is_any ||
						    j->model->nr_nat6);
	}
}

int nat_sources_store(const struct ways *w, const struct model *m)
{
	struct job j = {
		.parts = w->parts, .uplinks = w->uplinks, .model = m,
		.leads = w->leads, .t = parts_tables(w->parts),
	};

	list_all(&j);
	links_clear(&j);
	if (state_nat_addrs(w->parts->state, j.list, j.count))
		return -E2BIG;
	links_store(&j);
	return j.left_out ? -E2BIG : 0;
}
