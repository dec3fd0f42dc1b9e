// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See routes.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/netlink.h"
#include "routes.h"

#define V4_BITS 96	/* of struct addr, before an IPv4 address */

struct routes {
	struct netlink *ask, *news;
};

static void free_routes(struct announce_route **list)
{
	free(*list);
}

struct found {
	const struct routes_place *place;
	struct announce_route *list;	/* owned */
	size_t count, room;
	bool is_news;			/* count alone is wanted */
};

void routes_close(struct routes *r)
{
	if (!r)
		return;
	netlink_close(r->ask);
	netlink_close(r->news);
	free(r);
}

void routes_closep(struct routes **r)
{
	routes_close(*r);
}

int routes_open(struct routes **ret)
{
	__cleanup(routes_closep) struct routes *r = calloc(1, sizeof(*r));
	const int yes = 1;
	int err;

	if (!r)
		return -ENOMEM;
	err = netlink_open(0, &r->ask);
	if (!err)
		err = netlink_open(NETLINK_GROUP(RTNLGRP_IPV4_ROUTE) |
				   NETLINK_GROUP(RTNLGRP_IPV6_ROUTE), &r->news);
	if (err)
		return err;
	/* Dumps of one table and protocol, instead of all that a router
	 * knows; where the kernel cannot, we choose by ourselves. */
	setsockopt(netlink_fd(r->ask), SOL_NETLINK, NETLINK_GET_STRICT_CHK,
		   &yes, sizeof(yes));
	*ret = take_ptr(r);
	return 0;
}

int routes_fd(const struct routes *r)
{
	return netlink_fd(r->news);
}

int announce_route_compare(const void *left, const void *right)
{
	const struct announce_route *a = left, *b = right;

	return addr_compare(&a->addr, &b->addr) ?:
	       (int)a->len - (int)b->len ?:
	       (a->metric > b->metric) - (a->metric < b->metric);
}

static bool is_ours(const struct rtmsg *header, const struct nlattr *table_attr,
		    const struct routes_place *place)
{
	__u32 table = header->rtm_table;

	netlink_u32(table_attr, &table);
	return table == place->table &&
	       header->rtm_protocol == place->protocol &&
	       header->rtm_type == RTN_BLACKHOLE &&
	       !(header->rtm_flags & RTM_F_CLONED);
}

static int found_add(struct found *f, const struct announce_route *route)
{
	struct announce_route *list;

	if (f->count == f->room) {
		f->room = f->room ? 2 * f->room : 64;
		list = reallocarray(f->list, f->room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		f->list = list;
	}
	f->list[f->count++] = *route;
	return 0;
}

static int take_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct announce_route route = {};
	struct found *f = data;

	if (m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE)
		return 0;
	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header))
		return 0;
	netlink_attrs(m, sizeof(*header), attrs, RTA_MAX + 1);
	if (!is_ours(header, attrs[RTA_TABLE], f->place))
		return 0;
	if (f->is_news) {
		f->count++;
		return 0;
	}
	route.len = header->rtm_dst_len;
	if (header->rtm_family == AF_INET) {
		route.len += V4_BITS;
		route.addr = addr_from4(0);
	}
	netlink_addr(attrs[RTA_DST], header->rtm_family, &route.addr);
	netlink_u32(attrs[RTA_PRIORITY], &route.metric);
	return found_add(f, &route);
}

bool routes_read(struct routes *r, const struct routes_place *place)
{
	struct found f = { .place = place, .is_news = true };

	/* What was lost is read anew, as what was told is. */
	return netlink_read(r->news, take_route, &f) || f.count;
}

static struct nlmsghdr *question(void *buffer, __u16 type, __u8 family,
				 const struct routes_place *place)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));

	m->nlmsg_type = type;
	header->rtm_family = family;
	header->rtm_protocol = place->protocol;
	header->rtm_type = RTN_BLACKHOLE;
	mnl_attr_put_u32(m, RTA_TABLE, place->table);
	return m;
}

/* A table that was never used is not there: as good as an empty one. */
static int list_family(struct routes *r, __u8 family, struct found *f)
{
	char buffer[128] __attribute__((aligned(8))) = {};
	struct nlmsghdr *m = question(buffer, RTM_GETROUTE, family, f->place);
	int err = netlink_ask_for_all(r->ask, m, take_route, f);

	return err == -ENOENT ? 0 : err;
}

int routes_list(struct routes *r, const struct routes_place *place,
		struct announce_route **ret, size_t *ret_count)
{
	struct found f = { .place = place };
	int err;

	err = list_family(r, AF_INET, &f) ?: list_family(r, AF_INET6, &f);
	if (err) {
		free(f.list);
		return err;
	}
	if (f.count)
		qsort(f.list, f.count, sizeof(*f.list),
		      announce_route_compare);
	*ret = f.list;
	*ret_count = f.count;
	return 0;
}

static int tell(struct routes *r, const struct routes_place *place,
		const struct announce_route *route, __u16 type, __u16 flags)
{
	const bool is4 = addr_is4(&route->addr) && route->len >= V4_BITS;
	char buffer[256] __attribute__((aligned(8))) = {};
	struct nlmsghdr *m = question(buffer, type, is4 ? AF_INET : AF_INET6,
				      place);
	struct rtmsg *header = mnl_nlmsg_get_payload(m);

	m->nlmsg_flags = flags;
	header->rtm_dst_len = is4 ? route->len - V4_BITS : route->len;
	header->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE :
						   RT_SCOPE_UNIVERSE;
	netlink_put_addr(m, RTA_DST, &route->addr);
	mnl_attr_put_u32(m, RTA_PRIORITY, route->metric);
	return netlink_ask(r->ask, m, NULL, NULL);
}

int routes_add(struct routes *r, const struct routes_place *place,
	       const struct announce_route *route)
{
	return tell(r, place, route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

int routes_remove(struct routes *r, const struct routes_place *place,
		  const struct announce_route *route)
{
	int err = tell(r, place, route, RTM_DELROUTE, 0);

	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int routes_remove_all(struct routes *r, const struct routes_place *place,
		      size_t *ret_count)
{
	__cleanup(free_routes) struct announce_route *list = NULL;
	size_t count;
	int err, first = 0;

	*ret_count = 0;
	err = routes_list(r, place, &list, &count);
	for (size_t i = 0; !err && i < count; i++) {
		int failed = routes_remove(r, place, &list[i]);

		first = first ?: failed;
		*ret_count += !failed;
	}
	return err ?: first;
}
