// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps struct host in step with the kernel (one socket follows, one asks),
 * and has the kernel resolve neighbours, at a rate that cannot flood a
 * network that does not answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "host.h"
#include "base/netlink.h"
#include "nexthop.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define GROUPS (NETLINK_GROUP(RTNLGRP_LINK) | \
		NETLINK_GROUP(RTNLGRP_NEIGH) | \
		NETLINK_GROUP(RTNLGRP_IPV4_IFADDR) | \
		NETLINK_GROUP(RTNLGRP_IPV6_IFADDR) | \
		NETLINK_GROUP(RTNLGRP_IPV4_ROUTE) | \
		NETLINK_GROUP(RTNLGRP_IPV6_ROUTE) | \
		NETLINK_GROUP(RTNLGRP_IPV4_RULE) | \
		NETLINK_GROUP(RTNLGRP_IPV6_RULE) | \
		NETLINK_GROUP(RTNLGRP_NEXTHOP))

/* How often one neighbour is asked for, and how many in such a time. */
#define ASK_MS 1000
#define ASKS_MAX 500
/* Questions of where packets go: so many at once while somebody waits, in such
 * a time; the others in batches at intervals, 25 000 a second at most. */
#define NOWS_MAX 100
#define QUESTIONS_MS 20
#define QUESTION_BATCHES 8
/* A table that changes during each dump: what came last has to do for now. */
#define READINGS_MAX 5

struct nexthops {
	struct host *host;
	struct netlink *news;
	struct netlink *asker;
	int timer;		/* runs out when questions are to be asked */
	bool is_waking;		/* the timer runs */
	int both;		/* an epoll of news and timer */
	__u64 asks_since_ms;
	unsigned int asks;	/* since then */
	__u64 now_since_ms;
	unsigned int nows;
	struct netlink_batch batch;
};

void nexthops_close(struct nexthops *n)
{
	if (!n)
		return;
	if (n->both >= 0)
		close(n->both);
	if (n->timer >= 0)
		close(n->timer);
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
		{ RTM_GETRULE,  AF_INET },
		{ RTM_GETRULE,  AF_INET6 },
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

static int poll_for(struct nexthops *n, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(n->both, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_timer(struct nexthops *n)
{
	int err;

	n->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	n->both = epoll_create1(EPOLL_CLOEXEC);
	if (n->timer < 0 || n->both < 0)
		return -errno;
	err = poll_for(n, n->timer);
	return err ? err : poll_for(n, netlink_fd(n->news));
}

/* Follow first, then read: nothing is lost in between. */
static int open_sockets(struct nexthops *n)
{
	int err = netlink_open(GROUPS, &n->news);

	if (!err)
		err = netlink_open(0, &n->asker);
	return err ? err : open_timer(n);
}

int nexthops_open(struct link *links, __u32 nr_links, struct nexthops **ret)
{
	__cleanup(nexthops_closep) struct nexthops *n = NULL;
	int err;

	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->timer = n->both = -1;
	err = host_new(links, nr_links, &n->host);
	if (!err)
		err = open_sockets(n);
	if (!err)
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
	return n->both;
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
	const __u64 now = clock_ms();

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

struct asked {
	struct host *host;
	bool is_awaited;
	struct question *questions[NETLINK_BATCH_MAX];
};

static void take_told(void *data, unsigned int number, const struct nlmsghdr *m)
{
	struct asked *asked = data;

	host_question_told(asked->host, asked->questions[number], m,
			   asked->is_awaited);
}

/* As many questions as one system call takes. */
static int ask_batch(struct nexthops *n, const bool is_awaited)
{
	struct asked asked = { .host = n->host, .is_awaited = is_awaited };
	struct question *q;
	struct nlmsghdr *m;
	int err;

	while (host_has_questions(n->host) &&
	       (m = netlink_batch_next(&n->batch))) {
		q = host_next_question(n->host);
		asked.questions[n->batch.count] = q;
		question_put(q, m);
		netlink_batch_end(&n->batch, m);
	}
	err = netlink_ask_all(n->asker, &n->batch, take_told, &asked);
	if (err)
		host_touch(n->host);	/* all is asked for anew */
	return err;
}

/* What waits is asked a part at a time, so that nothing else has to wait. */
static void wake_for_questions(struct nexthops *n)
{
	const struct itimerspec soon = {
		.it_value.tv_nsec = QUESTIONS_MS * 1000000l,
	};

	if (n->is_waking || !host_has_questions(n->host))
		return;
	n->is_waking = !timerfd_settime(n->timer, 0, &soon, NULL);
}

static int ask_questions(struct nexthops *n)
{
	__u64 expired;
	int err = 0;

	if (read(n->timer, &expired, sizeof(expired)) != sizeof(expired))
		return 0;
	n->is_waking = false;
	for (int i = 0; i < QUESTION_BATCHES && !err; i++) {
		if (host_has_questions(n->host))
			err = ask_batch(n, true);
	}
	wake_for_questions(n);
	return err;
}

/* A few may be asked while somebody waits for the answer. */
static bool may_ask_now(struct nexthops *n)
{
	const __u64 now = clock_ms();

	if (now - n->now_since_ms >= ASK_MS) {
		n->now_since_ms = now;
		n->nows = 0;
	}
	return n->nows++ < NOWS_MAX;
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
	err = ask_questions(n);
	if (err)
		return err;
	host_update_ingress(n->host);
	*ret_changed = host_changed(n->host);
	return 0;
}

/* The route, and then the source: two questions at most. */
enum nexthop_result nexthops_find(struct nexthops *n, const struct addr *addr,
				  struct nexthop *ret)
{
	const bool had_questions = host_has_questions(n->host);
	enum nexthop_result result;
	struct neighbour *b;

	result = host_find(n->host, addr, ret, &b);
	for (int i = 0; i < 2 && !had_questions &&
			host_has_questions(n->host) && may_ask_now(n); i++) {
		if (ask_batch(n, false))
			break;
		result = host_find(n->host, addr, ret, &b);
	}
	wake_for_questions(n);
	host_update_ingress(n->host);	/* of an entry that is new */
	if (result == NEXTHOP_PENDING && b)
		ask_neighbour(n, b);
	return result;
}

__u32 nexthops_mtu(const struct nexthops *n, const struct addr *addr)
{
	return host_mtu(n->host, addr);
}

void nexthops_each_local(const struct nexthops *n,
			 void (*f)(void *data, const struct addr *a),
			 void *data)
{
	host_each_local(n->host, f, data);
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

void nexthops_set_pods(struct nexthops *n, const struct pod_match *match)
{
	host_set_pods(n->host, match);
	host_update_ingress(n->host);
}

size_t nexthops_pods(const struct nexthops *n, __u32 *ret, size_t room)
{
	return host_pods(n->host, ret, room);
}

static int take_port(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	__u32 *ret = data;

	if (m->nlmsg_len >= mnl_nlmsg_size(sizeof(*nd)))
		*ret = nd->ndm_ifindex;
	return 0;
}

/* The port of a bridge that has learned mac; 0: none has. */
static __u32 bridge_port(struct nexthops *n, __u32 bridge, const __u8 *mac)
{
	char buffer[256] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct ndmsg *nd;
	__u32 port = 0;

	m->nlmsg_type = RTM_GETNEIGH;
	nd = mnl_nlmsg_put_extra_header(m, sizeof(*nd));
	nd->ndm_family = AF_BRIDGE;
	mnl_attr_put_u32(m, NDA_MASTER, bridge);
	mnl_attr_put(m, NDA_LLADDR, ETH_ALEN, mac);
	return netlink_ask(n->asker, m, take_port, &port) ? 0 : port;
}

__u32 nexthops_container(struct nexthops *n, const struct addr *addr)
{
	struct nexthop hop = {};
	enum nexthop_result result = nexthops_find(n, addr, &hop);
	__u32 ifindex;

	if (result != NEXTHOP_FOUND && result != NEXTHOP_PENDING)
		return 0;
	ifindex = host_link_ifindex(n->host, hop.link);
	if (host_has_ports(n->host, ifindex))
		ifindex = result == NEXTHOP_FOUND ?
				  bridge_port(n, ifindex, hop.mac) : 0;
	return host_is_container(n->host, ifindex) ? ifindex : 0;
}

bool nexthops_reaches_pods(const struct nexthops *n, __u32 ifindex)
{
	return host_reaches_pods(n->host, ifindex);
}

bool nexthops_is_l3(const struct nexthops *n, __u32 ifindex)
{
	return host_is_l3(n->host, ifindex);
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

__u32 nexthops_ifflags(const struct nexthops *n, __u32 ifindex)
{
	return host_ifflags(n->host, ifindex);
}

const char *nexthops_ifname(const struct nexthops *n, __u32 ifindex)
{
	return host_ifname(n->host, ifindex);
}

static void retry(struct neighbour *b, void *data)
{
	if (!neighbour_is_usable(b))
		ask_neighbour(data, b);
}

void nexthops_retry(struct nexthops *n)
{
	host_each_answered(n->host, retry, n);
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
	host_forget_questions(n->host);
}
