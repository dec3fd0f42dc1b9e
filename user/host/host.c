// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * struct host as a whole: which message is whose, and readings, which mark what
 * they mention and sweep the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "host_private.h"

int host_new(struct link *links, __u32 nr_links, struct host **ret)
{
	__cleanup(host_freep) struct host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->links = links;
	/* struct nexthop has 16 bits for an entry's number. */
	h->nr_links = nr_links < 1 << 16 ? nr_links : 1 << 16;
	h->answer = 1;
	h->domains.count = 1;
	h->entries = calloc(nr_links + 1ul, sizeof(*h->entries));
	if (getrandom(h->key, sizeof(h->key), 0) != sizeof(h->key))
		return -errno;
	if (table_init(&h->ifaces) || table_init(&h->addresses) ||
	    table_init(&h->neighbours) || table_init(&h->routes) ||
	    table_init(&h->extra_macs) || table_init(&h->questions) ||
	    !h->entries)
		return -ENOMEM;
	*ret = take_ptr(h);
	return 0;
}

void host_free(struct host *h)
{
	if (!h)
		return;
	table_free(&h->ifaces);
	table_free(&h->addresses);
	table_free(&h->neighbours);
	table_free(&h->routes);
	table_free(&h->extra_macs);
	table_free(&h->questions);
	free(h->entries);
	free(h);
}

void host_freep(struct host **h)
{
	host_free(*h);
}

void host_move(struct host *h, struct link *links)
{
	h->links = links;
}

void host_touch(struct host *h)
{
	h->is_changed = true;
	h->revision++;
}

bool host_is_stale(const struct host *h)
{
	return h->is_stale;
}

bool host_changed(struct host *h)
{
	bool is_changed = h->is_changed;

	h->is_changed = false;
	if (is_changed)
		h->answer++;
	return is_changed;
}

int host_take(struct host *h, const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return host_take_link(h, m);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return host_take_address(h, m);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return host_take_neighbour(h, m);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return host_take_route(h, m);
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return host_take_rule(h, m);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		host_touch(h);
		return 0;
	default:
		return 0;
	}
}

void host_reading_begin(struct host *h)
{
	h->is_reading = true;
	h->is_stale = false;
	h->reading++;
	h->rules_before = h->rules;
	h->rules = (struct rules_of_host){};
}

void host_reading_end(struct host *h, const bool is_whole)
{
	if (memcmp(&h->rules, &h->rules_before, sizeof(h->rules)))
		host_touch(h);
	if (is_whole) {
		host_sweep_ifaces(h);
		host_sweep_addresses(h);
		host_sweep_neighbours(h);
		host_sweep_routes(h);
		host_sweep_macs(h);
	}
	h->is_reading = false;
	h->is_stale = !is_whole;
}
