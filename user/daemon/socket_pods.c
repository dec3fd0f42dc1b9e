// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See socket_pods.h. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/list.h"
#include "base/log.h"
#include "host/namespace.h"
#include "socket_pods.h"

#define LOOKS 10	/* at one that has not both addresses: they may come */

struct known_namespace {
	__u64 number;
	__u64 cookie;
	unsigned int looks;	/* that are left */
	bool is_pod;		/* at an address of p->nets */
	bool is_there;
};

void socket_pods_clear(struct socket_pods *p)
{
	free(p->list);
	p->list = NULL;
	p->count = p->room = 0;
}

static bool is_in(const struct socket_pods *p, const struct addr *a)
{
	for (__u32 i = 0; i < p->nr_nets && !addr_is_zero(a); i++)
		if (addr_in(a, &p->nets[i].addr, p->nets[i].len))
			return true;
	return false;
}

static struct known_namespace *known(struct socket_pods *p, __u64 number)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].number == number)
			return &p->list[i];
	if (!list_room(&p->list, p->count + 1, &p->room, sizeof(*p->list)))
		return NULL;
	p->list[p->count] = (struct known_namespace){ .number = number,
						      .looks = LOOKS };
	return &p->list[p->count++];
}

static void look(struct socket_pods *p, struct known_namespace *k, int fd)
{
	struct namespace_facts facts;
	struct socket_pod pod;

	k->looks--;
	if (namespace_look(fd, &facts))
		return;
	k->cookie = facts.cookie;
	k->is_pod = is_in(p, &facts.addr4) || is_in(p, &facts.addr6);
	if (!addr_is_zero(&facts.addr4) && !addr_is_zero(&facts.addr6))
		k->looks = 0;
	pod = (struct socket_pod){ facts.addr4, facts.addr6 };
	if (k->is_pod && dp_socket_pod_set(p->parts->dp, facts.cookie, &pod))
		log_debug("no room for the sockets of another pod");
}

static void see(void *arg, __u64 number, int fd)
{
	struct socket_pods *p = arg;
	struct known_namespace *k = known(p, number);

	if (!k)
		return;
	k->is_there = true;
	if (k->looks)
		look(p, k, fd);
}

static bool keep(void *arg, __u64 cookie)
{
	const struct socket_pods *p = arg;

	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].cookie == cookie)
			return p->list[i].is_pod;
	return false;
}

static size_t forget_gone(struct socket_pods *p)
{
	size_t count = 0, gone;

	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].is_there)
			p->list[count++] = p->list[i];
	gone = p->count - count;
	p->count = count;
	return gone;
}

void socket_pods_set(struct socket_pods *p, const struct model *m)
{
	const __u32 count = m ? m->nr_socket_pods : 0;
	const bool is_same = p->nr_nets == count &&
			     (!count || !memcmp(p->nets, m->socket_pods,
						count * sizeof(*p->nets)));

	if (is_same && p->list)
		return;
	p->nr_nets = count;
	if (count)
		memcpy(p->nets, m->socket_pods, count * sizeof(*p->nets));
	p->count = 0;
	socket_pods_follow(p);
	/* of a daemon before this one, or of other addresses */
	dp_socket_pods_sift(p->parts->dp, keep, p);
}

void socket_pods_follow(struct socket_pods *p)
{
	if (!p->nr_nets)
		return;
	for (size_t i = 0; i < p->count; i++)
		p->list[i].is_there = false;
	namespaces_each(see, p);
	if (forget_gone(p))
		dp_socket_pods_sift(p->parts->dp, keep, p);
}
