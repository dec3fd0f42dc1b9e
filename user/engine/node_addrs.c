// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where node ports are served: at addresses of the host, each with an entry of
 * its own (SERVICE_VIP and SERVICE_NODE) that leads to the front ends of a
 * pseudo-address (headers/fairlead/types.h, node_addr). So a new address costs
 * an entry and a byte of vip_filter, however many services there are; and
 * without a node port nobody's packets are looked at for one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "books.h"

void node_addrs_define(struct state *s, const struct model *m)
{
	struct node_addrs *n = &s->node;

	n->nr_prefixes = m->nr_nodeport;
	memcpy(n->prefixes, m->nodeport, sizeof(n->prefixes));
	n->primary4 = m->node4;
	n->primary6 = m->node6;
	n->is_defined = true;
}

bool front_is_node(const struct addr *a)
{
	const struct addr node4 = node_addr(true), node6 = node_addr(false);

	return !addr_compare(a, &node4) || !addr_compare(a, &node6);
}

/* Has the family of a any node port? */
static bool has_node_ports(const struct state *s, const struct addr *a)
{
	struct addr node = node_addr(addr_is4(a));
	__u32 entry = cells_find(s, &node, 0, 0);

	return entry && s->vips[entry].services;
}

static bool is_loopback(const struct addr *a)
{
	const struct addr loop4 = addr_from4(htonl(0x7f000000));
	const struct addr loop6 = { .word[3] = htonl(1) };

	return addr_in(a, &loop4, 96 + 8) || !addr_compare(a, &loop6);
}

/* As kube-proxy reads --nodeport-addresses: prefixes of one family say nothing
 * of the other's addresses. */
static bool is_picked(const struct node_addrs *n, const struct addr *a)
{
	const bool is4 = addr_is4(a);
	bool has_family = false;

	if (!n->nr_prefixes)
		return !addr_compare(a, is4 ? &n->primary4 : &n->primary6);
	for (__u32 i = 0; i < n->nr_prefixes; i++) {
		if (addr_is4(&n->prefixes[i].addr) != is4)
			continue;
		has_family = true;
		if (addr_in(a, &n->prefixes[i].addr, n->prefixes[i].len))
			return true;
	}
	return !has_family;
}

bool state_is_node_addr(const struct state *s, const struct addr *a)
{
	return !is_loopback(a) && !addr_is_zero(a) && is_picked(&s->node, a);
}

bool state_all_are_node_addrs(const struct state *s, bool is4)
{
	const struct node_addrs *n = &s->node;
	bool has_family = false;

	for (__u32 i = 0; i < n->nr_prefixes; i++) {
		if (addr_is4(&n->prefixes[i].addr) != is4)
			continue;
		has_family = true;
		if (n->prefixes[i].len == (is4 ? 96 : 0))
			return true;
	}
	return n->nr_prefixes && !has_family;
}

static bool is_wanted(const struct state *s, const struct addr *a)
{
	return has_node_ports(s, a) && !is_loopback(a) &&
	       is_picked(&s->node, a);
}

/* As vip_hold() and filter_hold() for a service, but the address is nobody's
 * VIP by that: NAT may come from there. */
static int hold(struct state *s, const struct addr *a)
{
	const struct service e = { .addr = *a };
	__u32 entry;
	int err = vip_hold(s, &e);

	if (err)
		return err;
	entry = cells_find(s, a, 0, 0);
	s->vips[entry].is_node = true;
	s->node.nr_held++;
	filter_add(s, a, VIP_CONNS);
	filter_add(s, a, VIP_NODE);
	__atomic_or_fetch(&s->t->services[entry].flags, SERVICE_NODE,
			  __ATOMIC_RELEASE);
	return 0;
}

static void drop(struct state *s, __u32 entry, __u32 now_s)
{
	struct service *e = &s->t->services[entry];

	__atomic_and_fetch(&e->flags, (__u16)~SERVICE_NODE, __ATOMIC_RELEASE);
	kept_hold(s, &e->addr, now_s);
	filter_del(s, &e->addr, VIP_NODE);
	filter_del(s, &e->addr, VIP_CONNS);
	s->vips[entry].is_node = false;
	s->node.nr_held--;
	vip_drop(s, e, now_s);
}

void node_addrs_adopt(struct state *s)
{
	for (__u32 i = 1; i < s->nr_services; i++) {
		if (!s->vips[i].is_node)
			continue;
		s->node.nr_held++;
		filter_add(s, &s->t->services[i].addr, VIP_CONNS);
		filter_add(s, &s->t->services[i].addr, VIP_NODE);
	}
}

struct holding {
	struct state *s;
	int err;
};

static void hold_wanted(void *data, const struct addr *a)
{
	struct holding *h = data;
	__u32 entry;

	if (!is_wanted(h->s, a))
		return;
	entry = cells_find(h->s, a, 0, 0);
	if (entry && h->s->vips[entry].is_node)
		return;
	h->err = h->err ?: hold(h->s, a);
}

static void count_one(void *data, const struct addr *a)
{
	++*(__u32 *)data;
}

__u32 node_addrs_more(const struct state *s)
{
	__u32 count = 0;

	if (s->host.each_addr)
		s->host.each_addr(s->host.arg, count_one, &count);
	return count > s->node.nr_held ? count - s->node.nr_held : 0;
}

/* What came is there before what is not wanted goes. As long as nobody has said
 * what is wanted, those of the daemon before stay. */
int node_addrs_update(struct state *s, __u32 now_s)
{
	struct holding h = { .s = s };

	if (!s->node.is_defined)
		return 0;
	h.err = retired_reserve(s, s->node.nr_held);
	if (!h.err)
		h.err = kept_reserve(s, 0, s->node.nr_held);
	if (h.err)
		return h.err;
	if (s->host.each_addr)
		s->host.each_addr(s->host.arg, hold_wanted, &h);
	for (__u32 i = 1; s->node.nr_held && i < s->nr_services; i++) {
		const struct addr *a = &s->t->services[i].addr;

		if (s->vips[i].is_node &&
		    !(addr_is_host(s, a) && is_wanted(s, a)))
			drop(s, i, now_s);
	}
	return h.err;
}
