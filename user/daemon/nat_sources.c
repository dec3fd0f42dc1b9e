// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See nat_sources.h. */
#include <errno.h>

#include "base/addr.h"
#include "nat_sources.h"

static void addr_append(struct addr *list, size_t *count, const struct addr *a)
{
	if (!addr_is_zero(a) && *count < 2 * MODEL_NAT_ADDRS_MAX &&
	    !addr_is_in(list, *count, a))
		list[(*count)++] = *a;
}

/* Before addresses lose their places in nat_addrs. */
static void links_clear(struct tables *t, const struct addr *list, size_t count)
{
	for (__u32 i = 1; i < t->nr_links; i++) {
		struct link *l = &t->links[i];

		if (l->nat4 && !addr_is_in(list, count, &l->addr4))
			l->nat4 = 0;
		if (l->nat6 && !addr_is_in(list, count, &l->addr6))
			l->nat6 = 0;
	}
}

/* Where nothing else is defined, what leaves by an uplink comes from its own
 * address: a backend there may know no way to another's. */
static void links_store(const struct parts *p, const struct uplinks *u,
			const struct model *m)
{
	struct tables *t = parts_tables(p);

	for (__u32 i = 1; i < t->nr_links; i++) {
		struct link *l = &t->links[i];
		bool own = uplinks_has_link(u, l);

		l->nat4 = own && !m->nr_nat4 ?
				  state_nat_index(p->state, &l->addr4) : 0;
		l->nat6 = own && !m->nr_nat6 ?
				  state_nat_index(p->state, &l->addr6) : 0;
	}
}

int nat_sources_store(const struct parts *p, const struct uplinks *u,
		      const struct model *m)
{
	struct addr list[2 * MODEL_NAT_ADDRS_MAX];
	struct tables *t = parts_tables(p);
	size_t count = 0;

	for (size_t i = 0; i < m->nr_nat4; i++)
		addr_append(list, &count, &m->nat4[i]);
	for (size_t i = 0; i < m->nr_nat6; i++)
		addr_append(list, &count, &m->nat6[i]);
	for (__u32 i = 1; i < t->nr_links; i++) {
		const struct link *l = &t->links[i];

		if (!uplinks_has_link(u, l))
			continue;
		if (!m->nr_nat4)
			addr_append(list, &count, &l->addr4);
		if (!m->nr_nat6)
			addr_append(list, &count, &l->addr6);
	}
	links_clear(t, list, count);
	if (state_nat_addrs(p->state, list, count))
		return -E2BIG;
	links_store(p, u, m);
	return 0;
}
