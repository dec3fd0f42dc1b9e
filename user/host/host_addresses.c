// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* This host's addresses, from the kernel's messages. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/netlink.h"
#include "host_private.h"

static bool is_better(const struct address *a, const struct address *than)
{
	if (!than || a->rank != than->rank)
		return !than || a->rank < than->rank;
	return a->serial < than->serial;
}

static bool is_near(const struct address *a, const struct addr *to)
{
	return addr_in(to, &a->net, a->bits);
}

const struct addr *iface_addr(const struct iface *iface, const bool v6,
			      const struct addr *near)
{
	const struct address *best = NULL, *a;

	for (a = iface->addresses; a; a = a->next_here) {
		if (a->rank >= RANK_UNFIT || addr_is4(&a->addr) == v6 ||
		    (near && !is_near(a, near)))
			continue;
		if (is_better(a, best))
			best = a;
	}
	return best ? &best->addr : NULL;
}

/* Of the ones that pass, those of near's subnet first. */
static bool is_wanted(const struct address *a, const struct addr *near,
		      const struct addr_test *test)
{
	return a->rank < RANK_UNFIT && addr_is4(&a->addr) == addr_is4(near) &&
	       test->passes(test->arg, &a->addr);
}

const struct addr *iface_addr_like(const struct iface *iface,
				   const struct addr *near,
				   const struct addr_test *test)
{
	const struct address *best = NULL, *far = NULL, *a;

	for (a = iface->addresses; a; a = a->next_here) {
		if (!is_wanted(a, near, test))
			continue;
		if (is_near(a, near) && is_better(a, best))
			best = a;
		if (is_better(a, far))
			far = a;
	}
	best = best ?: far;
	return best ? &best->addr : NULL;
}

bool iface_may_send_from(const struct iface *iface, const struct addr *addr)
{
	const struct address *a;

	for (a = iface->addresses; a; a = a->next_here) {
		if (a->rank < RANK_DEPRECATED && !addr_compare(&a->addr, addr))
			return true;
	}
	return false;
}

/* A tentative address may turn out to be somebody else's (RFC 4862, 5.4); an
 * optimistic one is in use until then (RFC 4429). */
static enum address_rank address_rank(__u8 scope, __u32 flags)
{
	if (flags & IFA_F_DADFAILED ||
	    (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC)))
		return RANK_NOT_OURS;
	if (scope >= RT_SCOPE_LINK || flags & IFA_F_TENTATIVE)
		return RANK_UNFIT;
	if (flags & IFA_F_DEPRECATED)
		return RANK_DEPRECATED;
	return flags & IFA_F_SECONDARY ? RANK_SECONDARY : RANK_PRIMARY;
}

static __u8 address_bits(const struct ifaddrmsg *header)
{
	unsigned int bits = header->ifa_prefixlen;

	if (header->ifa_family == AF_INET)
		bits += V4_BITS;
	return bits < ADDR_BITS ? bits : ADDR_BITS;
}

static bool address_read(const struct nlmsghdr *m, struct address *ret)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[IFA_MAX + 1];
	__u32 flags;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header))
		return false;
	netlink_attrs(m, sizeof(*header), attrs, IFA_MAX + 1);
	flags = header->ifa_flags;
	netlink_u32(attrs[IFA_FLAGS], &flags);
	*ret = (struct address){
		.ifindex = header->ifa_index,
		.len = header->ifa_prefixlen,
		.bits = address_bits(header),
		.rank = address_rank(header->ifa_scope, flags),
	};
	/* On a point-to-point link IFA_ADDRESS is the other end's, and what
	 * the prefix is of. */
	if (!netlink_addr(attrs[IFA_ADDRESS] ?: attrs[IFA_LOCAL],
			  header->ifa_family, &ret->net))
		return false;
	ret->net = addr_masked(&ret->net, ret->bits);
	return netlink_addr(attrs[IFA_LOCAL] ?: attrs[IFA_ADDRESS],
			    header->ifa_family, &ret->addr);
}

static struct address *address_find(const struct host *h,
				    const struct address *like)
{
	struct node *node = *table_bucket(&h->addresses, like->node.hash);
	struct address *a;

	for (; node; node = node->next) {
		a = (struct address *)node;
		if (!addr_compare(&a->addr, &like->addr) &&
		    a->ifindex == like->ifindex && a->len == like->len)
			return a;
	}
	return NULL;
}

static void address_publish(struct host *h, __u32 ifindex)
{
	struct iface *iface = iface_find(h, ifindex);

	host_touch(h);
	if (iface)
		link_publish(h, iface);
}

/* One whose interface is not known is this host's all the same. */
static void address_join(struct host *h, struct address *a)
{
	struct iface *iface = iface_find(h, a->ifindex);

	if (!iface)
		return;
	a->next_here = iface->addresses;
	iface->addresses = a;
}

static void address_part(struct host *h, struct address *a)
{
	struct iface *iface = iface_find(h, a->ifindex);
	struct address **at;

	if (!iface)
		return;
	for (at = &iface->addresses; *at; at = &(*at)->next_here) {
		if (*at != a)
			continue;
		*at = a->next_here;
		return;
	}
}

static void join_if_its(struct host *h, struct node *node)
{
	struct address *a = (struct address *)node;

	if (a->ifindex == h->joining)
		address_join(h, a);
}

void host_join_addresses(struct host *h, const struct iface *iface)
{
	h->joining = iface->ifindex;
	table_each(h, &h->addresses, join_if_its);
}

static void address_remove(struct host *h, struct address *a)
{
	__u32 ifindex = a->ifindex;

	/* IPv4 routes with this source, or on an interface that has no
	 * address any more, go without a word. */
	h->is_stale |= addr_is4(&a->addr);
	if (!addr_is4(&a->addr))
		h->subnets[a->bits]--;
	address_part(h, a);
	table_remove(&h->addresses, &a->node);
	host_forget_sources(h);
	address_publish(h, ifindex);
}

int host_take_address(struct host *h, const struct nlmsghdr *m)
{
	struct address *a, new;

	if (!address_read(m, &new))
		return 0;
	new.node.hash = hash_of(h, &new.addr, 0);
	a = address_find(h, &new);
	if (m->nlmsg_type == RTM_DELADDR) {
		if (a)
			address_remove(h, a);
		return 0;
	}
	if (a) {
		a->node.reading = h->reading;
		if (a->rank == new.rank)
			return 0;
		a->rank = new.rank;
	} else {
		a = malloc(sizeof(*a));
		if (!a)
			return -ENOMEM;
		new.serial = ++h->serial;
		new.node.reading = h->reading;
		*a = new;
		table_add(&h->addresses, &a->node);
		if (!addr_is4(&a->addr))
			h->subnets[a->bits]++;
		address_join(h, a);
	}
	address_publish(h, a->ifindex);
	return 0;
}

static bool is_loopback(const struct addr *addr)
{
	const struct addr loopback6 = { .word = { [3] = htonl(1) } };

	if (addr_is4(addr))
		return ntohl(addr->word[3]) >> 24 == 127;
	return !addr_compare(addr, &loopback6);
}

bool host_is_local(const struct host *h, const struct addr *addr)
{
	const __u64 hash = hash_of(h, addr, 0);
	const struct node *node = *table_bucket(&h->addresses, hash);
	const struct address *a;

	for (; node; node = node->next) {
		a = (const struct address *)node;
		if (a->rank != RANK_NOT_OURS && !addr_compare(&a->addr, addr))
			return true;
	}
	return is_loopback(addr);
}

void host_each_local(const struct host *h,
		     void (*f)(void *data, const struct addr *a), void *data)
{
	const struct address *a;
	const struct node *node;

	for (__u32 b = 0; b <= h->addresses.mask; b++) {
		for (node = h->addresses.buckets[b]; node; node = node->next) {
			a = (const struct address *)node;
			if (a->rank != RANK_NOT_OURS)
				f(data, &a->addr);
		}
	}
}

static void sweep_address(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		address_remove(h, (struct address *)node);
}

void host_sweep_addresses(struct host *h)
{
	table_each(h, &h->addresses, sweep_address);
}
