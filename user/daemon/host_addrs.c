// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See host_addrs.h. */
#include <stdlib.h>

#include <fairlead/hash.h>

#include "host_addrs.h"

static void add_addr(void *data, const struct addr *a)
{
	static const __u32 key[4] = { 1, 2, 3, 4 };
	struct host_addrs *h = data;

	if (h->count < h->room)
		h->list[h->count] = *a;
	h->count++;
	/* in any order */
	h->digest += hash_mix(hash_addr(key, 0, a));
}

struct host_addrs host_count(struct nexthops *n)
{
	struct host_addrs h = {};

	nexthops_each_local(n, add_addr, &h);
	return h;
}

bool host_list(struct nexthops *n, struct host_addrs *h)
{
	h->room = h->count;
	h->list = calloc(h->room + 1, sizeof(*h->list));
	h->count = h->digest = 0;
	if (h->list)
		nexthops_each_local(n, add_addr, h);
	return h->list;
}
