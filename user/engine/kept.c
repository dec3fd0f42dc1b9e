// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What connections go on by when the service, or the front end, that they were
 * made to is no more. On a node nothing of that kind ends a connection of TCP
 * or SCTP: its record has all that it needs, as long as its backend stays in
 * the tables and the address that its client dialled is looked at. So both stay
 * until a walk over all records, begun long enough after, has found none that
 * names them (see settle.c). New connections find nothing there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "books.h"

bool front_is_kept(const struct service *e)
{
	return e->kind != KIND_EDGE && e->forward == FORWARD_NAT &&
	       e->proto != IPPROTO_UDP;
}

static int reserve_gone(struct kept *k, size_t want)
{
	__u32 *gone;

	if (want <= k->max_gone)
		return 0;
	gone = realloc(k->gone, want * sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	k->gone = gone;
	k->max_gone = want;
	return 0;
}

static int reserve_addrs(struct kept *k, size_t want)
{
	struct kept_addr *addrs;

	if (want <= k->max_addrs)
		return 0;
	addrs = realloc(k->addrs, want * sizeof(*addrs));
	if (!addrs)
		return -ENOMEM;
	k->addrs = addrs;
	k->max_addrs = want;
	return 0;
}

int kept_reserve(struct state *s, size_t services, size_t addrs)
{
	struct kept *k = &s->kept;
	int err = reserve_gone(k, k->nr_gone + services);

	return err ? err : reserve_addrs(k, k->nr_addrs + addrs);
}

void kept_clear(struct state *s)
{
	free(s->kept.gone);
	free(s->kept.addrs);
}

void kept_add_gone(struct state *s, __u32 id)
{
	s->kept.gone[s->kept.nr_gone++] = id;
}

void kept_hold(struct state *s, const struct addr *a, __u32 now_s)
{
	s->kept.addrs[s->kept.nr_addrs++] = (struct kept_addr){
		.addr = *a,
		.since_s = now_s,
	};
	filter_add(s, a, VIP_CONNS);
}

static int compare(const void *a, const void *b)
{
	const struct kept_addr *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

/* Each address once, since the last time that it was given up. */
void kept_walk(struct state *s)
{
	struct kept *k = &s->kept;
	struct kept_addr *a, *last = NULL, *end = k->addrs + k->nr_addrs;
	size_t nr = 0;

	if (k->nr_addrs)
		qsort(k->addrs, k->nr_addrs, sizeof(*k->addrs), compare);
	for (a = k->addrs; a < end; a++) {
		a->is_named = false;
		if (!last || compare(last, a)) {
			k->addrs[nr] = *a;
			last = &k->addrs[nr++];
			continue;
		}
		if (last->since_s < a->since_s)
			last->since_s = a->since_s;
		filter_del(s, &a->addr, VIP_CONNS);
	}
	k->nr_addrs = k->nr_walked = nr;
}

/* Of those that the last kept_walk() has put in order; NULL: none is a. */
static struct kept_addr *find(const struct kept *k, const struct addr *a)
{
	const struct kept_addr key = { .addr = *a };

	return k->nr_walked ? bsearch(&key, k->addrs, k->nr_walked,
				      sizeof(key), compare) : NULL;
}

void kept_see(struct state *s, const struct conn *c)
{
	struct kept_addr *a = find(&s->kept, &c->vip);

	if (a)
		a->is_named = true;
}

/* Those that were given up so long before the walk that no packet could be
 * making a record of them any more. */
void kept_walked(struct state *s)
{
	struct kept *k = &s->kept;
	size_t nr = 0;

	for (size_t i = 0; i < k->nr_addrs; i++) {
		const struct kept_addr *a = &k->addrs[i];

		if (i < k->nr_walked && !a->is_named &&
		    a->since_s + GRACE_S <= s->scan.started_s)
			filter_del(s, &a->addr, VIP_CONNS);
		else
			k->addrs[nr++] = *a;
	}
	k->nr_addrs = nr;
	k->nr_walked = 0;
}

/* Does a connection at c's backend outlive the front end it was made to? */
static bool is_kept(const struct state *s, const struct conn *c)
{
	const struct backend *b = conn_owner(s, c);

	if (!b || b->state == BACKEND_GONE || b->service >= s->nr_services ||
	    (!(c->what & CONN_NAT) && !c->tunnel) ||
	    conn_kind(c) != FLOW_PACKET)
		return false;
	return !s->books[b->service].nr_entries ||
	       front_is_kept(book_entry(s, b->service));
}

static bool is_served(const struct state *s, const struct addr *a)
{
	__u32 vip = cells_find(s, a, 0, 0);

	return s->vips[vip].nat || s->vips[vip].is_node;
}

/* Nobody has written down what an earlier daemon kept, but the records. */
int kept_find(struct state *s, const struct conn *c, __u32 now_s)
{
	struct kept *k = &s->kept;
	int err;

	if (!is_kept(s, c) || is_served(s, &c->vip) || find(k, &c->vip))
		return 0;
	if (k->nr_addrs == k->max_addrs) {
		kept_walk(s);
		err = kept_reserve(s, 0, k->nr_addrs + 64);
		if (err)
			return err;
	}
	kept_hold(s, &c->vip, now_s);
	return 0;
}

bool state_keeps(const struct state *s)
{
	return s->kept.nr_gone || s->kept.nr_addrs;
}
