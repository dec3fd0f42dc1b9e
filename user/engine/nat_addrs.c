// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The addresses that NAT comes from. Each has a place in the table nat_addrs,
 * which records of connections name, and new connections are spread over the
 * places in runtime's nat_pick4 and nat_pick6. An address that is not wanted
 * any more is picked no more, but keeps its place for as long as records name
 * it: until a second walk over all of them has found none (see settle.c; the
 * first one may have passed a record that was made at the same moment).
 */
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "books.h"

enum { PLACE_FREE_OR_WANTED, PLACE_HELD, PLACE_HELD_FOR_ONE_WALK,
       PLACE_HELD_FOR_TWO };

/* First place of a family. */
static __u32 first_of(bool v6)
{
	return v6 ? NAT_ADDRS_MAX + 1 : 1;
}

__u8 state_nat_index(const struct state *s, const struct addr *addr)
{
	__u32 first = first_of(!addr_is4(addr));

	if (addr_is_zero(addr))
		return 0;
	for (__u32 i = first; i < first + NAT_ADDRS_MAX; i++)
		if (!addr_compare(&s->t->nat_addrs[i], addr))
			return i;
	return 0;
}

static __u32 place_free(const struct state *s, bool v6)
{
	__u32 first = first_of(v6);

	for (__u32 i = first; i < first + NAT_ADDRS_MAX; i++)
		if (addr_is_zero(&s->t->nat_addrs[i]))
			return i;
	return 0;
}

/* The place that addr has or gets; 0: all are in use. */
static __u32 place_of(struct state *s, const struct addr *addr)
{
	__u32 place = state_nat_index(s, addr);

	if (place)
		return place;
	place = place_free(s, !addr_is4(addr));
	if (!place)
		return 0;
	s->t->nat_addrs[place] = *addr;
	filter_add(s, addr, VIP_REPLIES);
	return place;
}

/* Of a family's; every entry says something, whatever count is in force. */
static void picks_store(__u8 *picks, __u16 *count, const __u8 *places,
			size_t nr)
{
	for (size_t i = 0; i <= NAT_ADDRS_MAX; i++)
		picks[i] = nr ? places[i % nr] : 0;
	__atomic_store_n(count, nr, __ATOMIC_RELEASE);
}

static void hold_others(struct state *s, const bool *is_wanted)
{
	for (__u32 i = 1; i <= 2 * NAT_ADDRS_MAX; i++) {
		if (is_wanted[i] || addr_is_zero(&s->t->nat_addrs[i]))
			s->nat_held[i] = PLACE_FREE_OR_WANTED;
		if (!is_wanted[i] && !addr_is_zero(&s->t->nat_addrs[i]) &&
		    !s->nat_held[i])
			s->nat_held[i] = PLACE_HELD;
	}
}

int state_nat_addrs(struct state *s, const struct addr *addrs, size_t count)
{
	struct runtime *rt = s->t->runtime;
	bool is_wanted[2 * NAT_ADDRS_MAX + 1] = {};
	__u8 places[2][NAT_ADDRS_MAX];
	size_t nr[2] = {}, left_out = 0;

	for (size_t i = 0; i < count; i++) {
		bool v6 = !addr_is4(&addrs[i]);
		__u32 place;

		if (addr_is_zero(&addrs[i]))
			continue;
		place = place_of(s, &addrs[i]);
		left_out += !place;
		if (!place || is_wanted[place])
			continue;
		is_wanted[place] = true;
		places[v6][nr[v6]++] = place;
	}
	picks_store(rt->nat_pick4, &rt->nat_addrs4, places[0], nr[0]);
	picks_store(rt->nat_pick6, &rt->nat_addrs6, places[1], nr[1]);
	hold_others(s, is_wanted);
	own_update(s);
	return left_out ? -E2BIG : 0;
}

/* After a restart: who is picked is wanted, the others are held. */
void nat_addrs_load(struct state *s)
{
	const struct runtime *rt = s->t->runtime;
	bool is_wanted[2 * NAT_ADDRS_MAX + 1] = {};

	for (__u32 i = 0; i < rt->nat_addrs4 && i <= NAT_ADDRS_MAX; i++)
		is_wanted[rt->nat_pick4[i] % sizeof(is_wanted)] = true;
	for (__u32 i = 0; i < rt->nat_addrs6 && i <= NAT_ADDRS_MAX; i++)
		is_wanted[rt->nat_pick6[i] % sizeof(is_wanted)] = true;
	hold_others(s, is_wanted);
	for (__u32 i = 1; i <= 2 * NAT_ADDRS_MAX; i++)
		if (!addr_is_zero(&s->t->nat_addrs[i]))
			filter_add(s, &s->t->nat_addrs[i], VIP_REPLIES);
}

bool nat_addrs_wait(const struct state *s)
{
	for (__u32 i = 1; i <= 2 * NAT_ADDRS_MAX; i++)
		if (s->nat_held[i])
			return true;
	return false;
}

void nat_addrs_walk(struct state *s)
{
	for (__u32 i = 1; i <= 2 * NAT_ADDRS_MAX; i++)
		if (s->nat_held[i] && s->nat_held[i] < PLACE_HELD_FOR_TWO)
			s->nat_held[i]++;
}

void nat_addrs_walked(struct state *s, const bool *is_named)
{
	bool is_freed = false;

	for (__u32 i = 1; i <= 2 * NAT_ADDRS_MAX; i++) {
		if (s->nat_held[i] != PLACE_HELD_FOR_TWO || is_named[i])
			continue;
		filter_del(s, &s->t->nat_addrs[i], VIP_REPLIES);
		s->t->nat_addrs[i] = (struct addr){};
		s->nat_held[i] = PLACE_FREE_OR_WANTED;
		is_freed = true;
	}
	if (is_freed)
		own_update(s);
}
