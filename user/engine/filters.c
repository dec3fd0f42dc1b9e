// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the programs ask before they look any closer: may this port, at an
 * address of the node's, be of a service or of NAT; may this source be a
 * backend. A bit too many costs them a look, one too few a packet, so that bits
 * of ports are never taken back, and those of backends long after.
 */
#include <string.h>

#include <fairlead/hash.h>

#include "books.h"

#define RENEW_S 60	/* not before so long after bits were made anew */

static void bit_put(__u64 *bits, __u32 bit)
{
	__u64 mask = 1ull << bit % 64;

	if (!(bits[bit / 64] & mask))
		__atomic_or_fetch(&bits[bit / 64], mask, __ATOMIC_RELEASE);
}

/* Words that are whole already, as after the first time, are passed over. */
void filter_ports(struct tables *t, __u32 first, __u32 last)
{
	__u64 *bits = t->port_filter;

	for (__u32 port = first; bits && port <= last; port++) {
		if (bits[port / 64] == ~0ull)
			port |= 63;
		else
			bit_put(bits, port);
	}
}

static __u32 backend_bit(const struct tables *t, __u32 backend)
{
	return own_bit(hash_src(t->hash_key, &t->backends[backend].addr));
}

void filter_backend(struct tables *t, __u32 backend)
{
	if (t->backend_filter)
		bit_put(t->backend_filter, backend_bit(t, backend));
}

static void renew(struct tables *t)
{
	struct backend_filter want = {};

	for (__u32 i = 1; i < t->nr_backends; i++)
		if (t->backends[i].state != BACKEND_FREE)
			bit_put(want.bits, backend_bit(t, i));
	for (__u32 i = 0; i < OWN_BITS / 64; i++)
		if (t->backend_filter[i] != want.bits[i])
			__atomic_store_n(&t->backend_filter[i], want.bits[i],
					 __ATOMIC_RELEASE);
}

void filters_load(struct state *s)
{
	struct tables *t = s->t;
	bool is_in_use = false;

	if (!t->port_filter || !t->backend_filter)
		return;		/* a view */
	for (__u32 i = 1; i < t->nr_services; i++) {
		if (!entry_is_in_force(s, i) ||
		    t->services[i].flags & SERVICE_VIP)
			continue;
		filter_ports(t, t->services[i].port_first,
			     t->services[i].port_last);
		is_in_use = true;
	}
	if (is_in_use)
		filter_ports(t, t->runtime->nat_port_first,
			     t->runtime->nat_port_last);
	renew(t);
}

void filters_tick(struct state *s, __u32 now_s)
{
	if (!s->t->backend_filter || !s->has_freed_backends ||
	    now_s - s->backends_renewed_s < RENEW_S)
		return;
	s->has_freed_backends = false;
	s->backends_renewed_s = now_s;
	renew(s->t);
}
