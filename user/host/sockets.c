// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See sockets.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "base/netlink.h"
#include "sockets.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* A connected UDP socket is in TCP's state of that number. */
#define CONNECTED (1 << 1)

__u64 sockets_netns(void)
{
	__cleanup(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
					    0);
	socklen_t len = sizeof(__u64);
	__u64 cookie = 0;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie,
				 &len))
		return 0;
	return cookie;
}

struct found {
	__u8 family;
	struct inet_diag_sockid id;
};

struct search {
	bool (*is_stale)(void *arg, const struct connected *c);
	void *arg;
	struct found *list;
	size_t count, room;
};

static void read_connected(const struct inet_diag_msg *d, struct connected *ret)
{
	ret->cookie = d->id.idiag_cookie[0] |
		      (__u64)d->id.idiag_cookie[1] << 32;
	ret->port = d->id.idiag_dport;
	if (d->idiag_family == AF_INET)
		ret->to = addr_from4(d->id.idiag_dst[0]);
	else
		memcpy(&ret->to, d->id.idiag_dst, sizeof(ret->to));
}

static int keep(struct search *s, const struct inet_diag_msg *d)
{
	if (!list_room(&s->list, s->count + 1, &s->room, sizeof(*s->list)))
		return -ENOMEM;
	s->list[s->count++] = (struct found){ d->idiag_family, d->id };
	return 0;
}

static int look(const struct nlmsghdr *m, void *data)
{
	const struct inet_diag_msg *d = mnl_nlmsg_get_payload(m);
	struct search *s = data;
	struct connected c;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*d))
		return -EPROTO;
	read_connected(d, &c);
	return s->is_stale(s->arg, &c) ? keep(s, d) : 0;
}

static struct inet_diag_req_v2 *put_request(struct nlmsghdr *m, __u16 type,
					    __u8 family)
{
	struct inet_diag_req_v2 *r =
		mnl_nlmsg_put_extra_header(m, sizeof(*r));

	m->nlmsg_type = type;
	r->sdiag_family = family;
	r->sdiag_protocol = IPPROTO_UDP;
	return r;
}

static int look_at_all(struct netlink *nl, __u8 family, struct search *s)
{
	char buffer[256] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *r = put_request(m, SOCK_DIAG_BY_FAMILY,
						 family);

	r->idiag_states = CONNECTED;
	return netlink_ask_for_all(nl, m, look, s);
}

/* One that is gone by now needs nothing. */
static int close_one(struct netlink *nl, const struct found *f)
{
	char buffer[256] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *r = put_request(m, SOCK_DESTROY, f->family);
	int err;

	r->id = f->id;
	err = netlink_ask(nl, m, NULL, NULL);
	return err == -ENOENT || err == -ESTALE ? 0 : err;
}

static int close_all(struct netlink *nl, const struct search *s)
{
	int err = 0;

	for (size_t i = 0; i < s->count; i++)
		err = close_one(nl, &s->list[i]) ?: err;
	return err ?: (int)s->count;
}

int sockets_close(bool (*is_stale)(void *arg, const struct connected *c),
		  void *arg)
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	struct search s = { .is_stale = is_stale, .arg = arg };
	int err = netlink_open_sockets(&nl);

	if (!err)
		err = look_at_all(nl, AF_INET, &s);
	if (!err)
		err = look_at_all(nl, AF_INET6, &s);
	if (!err)
		err = close_all(nl, &s);
	free(s.list);
	return err;
}
