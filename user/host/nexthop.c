// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps struct host in step with the kernel (one socket follows, one asks),
 * and has the kernel resolve neighbours, at a rate that cannot flood a
 * network that does not answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "host.h"
#include "base/netlink.h"
#include "nexthop.h"
#include "base/cleanup.h"

#define GROUPS (NETLINK_GROUP(RTNLGRP_LINK) | \
		NETLINK_GROUP(RTNLGRP_NEIGH) | \
		NETLINK_GROUP(RTNLGRP_IPV4_IFADDR) | \
		NETLINK_GROUP(RTNLGRP_IPV6_IFADDR) | \
		NETLINK_GROUP(RTNLGRP_IPV4_ROUTE) | \
		NETLINK_GROUP(RTNLGRP_IPV6_ROUTE) | \
		NETLINK_GROUP(RTNLGRP_NEXTHOP))

/* How often one neighbour is asked for, and how many in such a time. */
#define ASK_MS 1000
#define ASKS_MAX 500
/* A table that changes during each dump: what came last has to do for now. */
#define READINGS_MAX 5

struct nexthops {
	struct host *host;
	struct netlink *news;
	struct netlink *asker;
	__u64 asks_since_ms;
	unsigned int asks;	/* since then */
};

void nexthops_close(struct nexthops *n)
{
	if (!n)
		return;
	netlink_close(n->news);
	netlink_close(n->asker);
	host_free(n->host);
	free(n);
}

void nexthops_closep(struct nexthops **n)
{
	nexthops_close(*n);
}

static int take(const struct nlmsghdr *m, void *data)
{
	return host_take(data, m);
}

/* Links come first: the kernel tells of one that goes down before it drops
 * the routes, and has done so by the time that it lists links. */
static int read_once(struct nexthops *n)
{
	static const struct {
		__u16 type;
		__u8 family;
	} dumps[] = {
		{ RTM_GETLINK,  AF_UNSPEC },
		{ RTM_GETADDR,  AF_INET },
		{ RTM_GETADDR,  AF_INET6 },
		{ RTM_GETNEIGH, AF_INET },
		{ RTM_GETNEIGH, AF_INET6 },
		{ RTM_GETNEIGH, AF_BRIDGE },
		{ RTM_GETROUTE, AF_INET },
		{ RTM_GETROUTE, AF_INET6 },
	};
	bool is_whole = true;
	size_t i;
	int err = 0;

	host_reading_begin(n->host);
	for (i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && !err; i++) {
		err = netlink_dump(n->asker, dumps[i].type, dumps[i].family,
				   take, n->host);
		/* No such family in this kernel: nothing to tell. */
		if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
			err = 0;
		if (err == -EINTR) {
			is_whole = false;
			err = 0;
		}
	}
	host_reading_end(n->host, is_whole && !err);
	return err;
}

/* Stays stale, and is read again with the next news, if it never holds. */
static int read_all(struct nexthops *n)
{
	int err, i;

	for (i = 0; i < READINGS_MAX; i++) {
		err = read_once(n);
		if (err || !host_is_stale(n->host))
			return err;
	}
	return 0;
}

int nexthops_open(struct link *links, __u32 nr_links, struct nexthops **ret)
{
	__cleanup(nexthops_closep) struct nexthops *n = NULL;
	int err;

	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	err = host_new(links, nr_links, &n->host);
	if (err)
		return err;
	/* Follow first, then read: nothing is lost in between. */
	err = netlink_open(GROUPS, &n->news);
	if (err)
		return err;
	err = netlink_open(0, &n->asker);
	if (err)
		return err;
	err = read_all(n);
	if (err)
		return err;
	host_adopt_links(n->host);
	host_changed(n->host);
	*ret = take_ptr(n);
	return 0;
}

void nexthops_move(struct nexthops *n, struct link *links)
{
	host_move(n->host, links);
}

void nexthops_ingress(struct nexthops *n, struct word_bucket *ingress)
{
	host_set_ingress(n->host, ingress);
	host_update_ingress(n->host);
}

int nexthops_fd(const struct nexthops *n)
{
	return netlink_fd(n->news);
}

int nexthops_read(struct nexthops *n, bool *ret_changed)
{
	int err;

	err = netlink_read(n->news, take, n->host);
	if (err && err != -ENOBUFS)
		return err;
	if (err == -ENOBUFS || host_is_stale(n->host)) {
		err = read_all(n);
		if (err)
			return err;
	}
	host_update_ingress(n->host);
	*ret_changed = host_changed(n->host);
	return 0;
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* As if a packet went there: whether the kernel could is its own affair, and
 * we are told of what comes of it. One that we do not know of may have been
 * set by the operator just now, and would not stay permanent: the first time,
 * leave it alone. */
static void use_neighbour(struct nexthops *n, const struct neighbour *b)
{
	char request[256] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(request);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));

	m->nlmsg_type = RTM_NEWNEIGH;
	m->nlmsg_flags = NLM_F_CREATE;
	if (!b->state && !b->asked_ms)
		m->nlmsg_flags |= NLM_F_EXCL;
	header->ndm_family = addr_is4(&b->addr) ? AF_INET : AF_INET6;
	header->ndm_ifindex = b->ifindex;
	header->ndm_flags = NTF_USE;
	netlink_put_addr(m, NDA_DST, &b->addr);
	netlink_ask(n->asker, m, NULL, NULL);
}

static void ask_neighbour(struct nexthops *n, struct neighbour *b)
{
	const __u64 now = now_ms();

	if (b->asked_ms && now - b->asked_ms < ASK_MS)
		return;
	if (now - n->asks_since_ms >= ASK_MS) {
		n->asks_since_ms = now;
		n->asks = 0;
	}
	if (n->asks == ASKS_MAX)
		return;
	n->asks++;
	use_neighbour(n, b);
	b->asked_ms = now;
}

struct told {
	enum route_result result;
	struct hop *hop;
};

static int take_told(const struct nlmsghdr *m, void *data)
{
	struct told *told = data;

	if (m->nlmsg_type == RTM_NEWROUTE)
		told->result = host_route_told(m, told->hop);
	return 0;
}

static enum route_result ask_route(struct nexthops *n, const struct addr *addr,
				   struct hop *ret)
{
	struct told told = { .result = ROUTE_NONE, .hop = ret };
	char request[256] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(request);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(m, sizeof(*header));

	m->nlmsg_type = RTM_GETROUTE;
	header->rtm_family = addr_is4(addr) ? AF_INET : AF_INET6;
	header->rtm_dst_len = addr_is4(addr) ? 32 : 128;
	netlink_put_addr(m, RTA_DST, addr);
	if (netlink_ask(n->asker, m, take_told, &told))
		return ROUTE_NONE;
	return told.result;
}

enum nexthop_result nexthops_find(struct nexthops *n, const struct addr *addr,
				  struct nexthop *ret)
{
	enum nexthop_result result;
	enum route_result route;
	struct neighbour *b;
	struct hop hop = {};

	if (host_is_local(n->host, addr))
		return NEXTHOP_LOCAL;
	route = host_route(n->host, addr, &hop);
	if (route == ROUTE_ASK)
		route = ask_route(n, addr, &hop);
	if (route == ROUTE_LOCAL)
		return NEXTHOP_LOCAL;
	if (route != ROUTE_HOP)
		return NEXTHOP_NONE;
	result = host_answer(n->host, addr, &hop, ret, &b);
	host_update_ingress(n->host);	/* of an entry that is new */
	if (result == NEXTHOP_PENDING && b)
		ask_neighbour(n, b);
	return result;
}

bool nexthops_is_local(const struct nexthops *n, const struct addr *addr)
{
	return host_is_local(n->host, addr);
}

size_t nexthops_default_uplinks(const struct nexthops *n, __u32 *ret,
				size_t room)
{
	return host_default_uplinks(n->host, ret, room);
}

void nexthops_set_uplinks(struct nexthops *n, const __u32 *ifindexes,
			  size_t count)
{
	host_set_uplinks(n->host, ifindexes, count);
	host_update_ingress(n->host);
}

bool nexthops_source_like(const struct nexthops *n, __u32 entry,
			  const struct addr *near,
			  const struct addr_test *test, struct addr *ret)
{
	return host_source_like(n->host, entry, near, test, ret);
}

int nexthops_ifindex(const struct nexthops *n, const char *name, __u32 *ret)
{
	__u32 ifindex = host_ifindex(n->host, name);

	if (!ifindex)
		return -ENODEV;
	*ret = ifindex;
	return 0;
}

const char *nexthops_ifname(const struct nexthops *n, __u32 ifindex)
{
	return host_ifname(n->host, ifindex);
}

/* Of a fixed one the kernel would take NTF_USE for the end of its being so. */
static void refresh(struct neighbour *b, void *data)
{
	if (neighbour_is_fixed(b))
		return;
	if (neighbour_is_usable(b))
		use_neighbour(data, b);
	else
		ask_neighbour(data, b);
}

void nexthops_refresh(struct nexthops *n)
{
	host_each_answered(n->host, refresh, n);
}
