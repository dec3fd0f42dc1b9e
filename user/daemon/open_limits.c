// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See open_limits.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "model/conns.h"
#include "open_limits.h"

#define LOOK_BUCKETS (2 * CONNS_WINDOW)	/* a second: 2 MB */
#define SHARE_OF_FREE 3
/* Who has as little as that of the table is in nobody's way, though all of it
 * were in use. */
#define SMALL_PART 256

/* An address of a workload. */
struct counted {
	struct addr addr;
	__u32 index;		/* in tables.workloads */
	__u32 limit;		/* 0: none */
	bool is_full;		/* as its entry has it */
};

struct counting {
	struct tables *t;
	__u32 now_s;
	struct counted *list;	/* sorted by address; owned */
	size_t count, room;
	bool has_limits, has_others;
	/* [WORKLOADS_MAX], by index; owned */
	__u32 *open;		/* it has begun, of who has a limit */
	__u32 *records;		/* of a part of the table */
	__u32 used;		/* of that part */
};

static int compare(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

/* Its entry has the addresses that are its own. */
static int add_place(void *arg, const struct policy_place *p)
{
	const __u32 limit = p->workload ? p->workload->conns_open : 0;
	static const struct addr none;
	struct counting *c = arg;

	c->has_limits |= limit;
	c->has_others |= !limit;
	for (int i = 0; i < WORKLOAD_ADDRS; i++) {
		const struct addr *a = &p->entry->addr[i];

		if (!addr_compare(a, &none))
			continue;
		if (c->count < c->room)
			c->list[c->count] = (struct counted){
				*a, p->index, limit,
				p->entry->flags & WORKLOAD_FULL };
		c->count++;
	}
	return 0;
}

/* Who began it; NULL: no workload. */
static const struct counted *client_of(const struct counting *c,
				       const struct conn *conn)
{
	const bool is_second = conn_kind(conn) == FLOW_PEERS &&
			       conn->client_second;
	const struct counted key = {
		.addr = is_second ? conn->vip : conn->client,
	};

	return bsearch(&key, c->list, c->count, sizeof(*c->list), compare);
}

/* What it has ended does not count. */
static int count_open(void *arg, const struct conn_entry *e)
{
	struct counting *c = arg;
	const struct counted *at;

	if (conn_kind(&e->conn) != FLOW_PEERS ||
	    conn_entry_state(e) == CONN_CLOSING ||
	    conn_is_dead(c->t, e, c->now_s))
		return 0;
	at = client_of(c, &e->conn);
	if (at && at->limit)
		c->open[at->index]++;
	return 0;
}

/* What makes room for others takes none. */
static void count_record(struct counting *c, const struct conn_entry *e)
{
	const struct counted *at;

	if (conn_entry_state(e) & 1 || conn_is_dead(c->t, e, c->now_s))
		return;
	c->used++;
	at = client_of(c, &e->conn);
	if (at)
		c->records[at->index]++;
}

/* The next part of the table. Returns of how many buckets; 0: cannot be read. */
static __u32 look(struct counting *c, __u32 *at)
{
	const __u32 all = c->t->conn_buckets;
	__u32 done = 0, count;
	struct conn_entry e;
	struct conn_walk w;

	while (done < all && done < LOOK_BUCKETS) {
		if (*at >= all)
			*at = 0;
		count = all - *at < CONNS_WINDOW ? all - *at : CONNS_WINDOW;
		if (count > all - done)
			count = all - done;
		if (!conn_walk_start(&w, c->t, *at, count))
			return 0;
		while (conn_walk_next(&w, &e))
			count_record(c, &e);
		*at += count;
		done += count;
	}
	return done;
}

static bool is_greedy(const struct counting *c, __u32 records, __u32 buckets)
{
	const __u32 room = conns_for(buckets);
	const __u32 free = c->used < room ? room - c->used : 0;

	return records > room / SMALL_PART &&
	       records >= free / SHARE_OF_FREE;
}

static int name_place(void *arg, const struct policy_place *p)
{
	struct open_limits *o = arg;

	if (!(p->entry->flags & WORKLOAD_FULL) ||
	    (p->workload && p->workload->conns_open))
		return 0;
	refuse(&o->greedy, 0, "workload \"%.128s/%.128s\" begins no more "
	       "connections: it has its share of the table of connections; a "
	       "limit of its own may be larger, or the table's",
	       p->namespace, p->name);
	return 1;
}

static void set_full(struct policy_state *policy, const struct counted *at,
		     bool is_full)
{
	if (at->is_full != is_full)
		policy_set_full(policy, at->index, is_full);
}

static int check_limits(struct counting *c, struct policy_state *policy)
{
	int err = conns_each(c->t, count_open, c);

	for (size_t i = 0; !err && i < c->count; i++)
		if (c->list[i].limit)
			set_full(policy, &c->list[i],
				 c->open[c->list[i].index] >=
					 c->list[i].limit);
	return err;
}

static int check_shares(struct counting *c, struct open_limits *o,
			struct policy_state *policy)
{
	const __u32 buckets = look(c, &o->at);

	if (!buckets)
		return -EIO;
	for (size_t i = 0; i < c->count; i++)
		if (!c->list[i].limit)
			set_full(policy, &c->list[i],
				 is_greedy(c, c->records[c->list[i].index],
					   buckets));
	o->greedy = (struct refusal){};
	policy_places(policy, name_place, o);
	return 0;
}

static int check(struct counting *c, struct open_limits *o,
		 struct policy_state *policy)
{
	int err = 0;

	c->count = 0;
	policy_places(policy, add_place, c);
	qsort(c->list, c->count, sizeof(*c->list), compare);
	if (c->has_limits)
		err = check_limits(c, policy);
	if (!err && c->has_others)
		err = check_shares(c, o, policy);
	return err;
}

int open_limits_check(struct open_limits *o, struct tables *t,
		      struct policy_state *policy, __u32 now_s)
{
	struct counting c = { .t = t, .now_s = now_s };
	int err = -ENOMEM;

	policy_places(policy, add_place, &c);
	if (!c.count)
		return 0;
	c.room = c.count;
	c.list = calloc(c.room, sizeof(*c.list));
	c.open = calloc(WORKLOADS_MAX, sizeof(*c.open));
	c.records = calloc(WORKLOADS_MAX, sizeof(*c.records));
	if (c.list && c.open && c.records)
		err = check(&c, o, policy);
	free(c.list);
	free(c.open);
	free(c.records);
	return err;
}
