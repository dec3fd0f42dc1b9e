// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See open_limits.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "model/conns.h"
#include "open_limits.h"

/* An address of a workload that has a limit. */
struct limited {
	struct addr addr;
	__u32 index;		/* in tables.workloads */
	__u32 limit;
};

struct limits {
	struct tables *t;
	__u32 now_s;
	struct limited *list;	/* sorted by address; owned */
	size_t count, room;
	__u32 *open;		/* [WORKLOADS_MAX], by index; owned */
};

static int compare(const void *a, const void *b)
{
	const struct limited *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

static int add_place(void *arg, const struct policy_place *p)
{
	const struct model_workload *w = p->workload;
	struct limits *l = arg;

	if (!w || !w->conns_open)
		return 0;
	for (size_t i = 0; i < w->nr_addrs; i++, l->count++)
		if (l->count < l->room)
			l->list[l->count] = (struct limited){
				w->addrs[i], p->index, w->conns_open };
	return 0;
}

/* What it has ended does not count. */
static int count_one(void *arg, const struct conn_entry *e)
{
	const struct conn *c = &e->conn;
	struct limited key, *at;
	struct limits *l = arg;

	if (conn_kind(c) != FLOW_PEERS ||
	    conn_entry_state(e) == CONN_CLOSING ||
	    conn_is_dead(l->t, e, l->now_s))
		return 0;
	key.addr = c->client_second ? c->vip : c->client;
	at = bsearch(&key, l->list, l->count, sizeof(*l->list), compare);
	if (at)
		l->open[at->index]++;
	return 0;
}

static int check(struct limits *l, struct policy_state *policy)
{
	int err;

	l->count = 0;
	policy_places(policy, add_place, l);
	qsort(l->list, l->count, sizeof(*l->list), compare);
	err = conns_each(l->t, count_one, l);
	for (size_t i = 0; !err && i < l->count; i++)
		policy_set_full(policy, l->list[i].index,
				l->open[l->list[i].index] >=
					l->list[i].limit);
	return err;
}

int open_limits_check(const struct parts *parts, struct policy_state *policy)
{
	struct limits l = { .t = parts_tables(parts), .now_s = dp_now_s() };
	int err = -ENOMEM;

	policy_places(policy, add_place, &l);
	if (!l.count)
		return 0;
	l.room = l.count;
	l.list = calloc(l.room, sizeof(*l.list));
	l.open = calloc(WORKLOADS_MAX, sizeof(*l.open));
	if (l.list && l.open)
		err = check(&l, policy);
	free(l.list);
	free(l.open);
	return err;
}
