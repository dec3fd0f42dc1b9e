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

/* The interface's source address of a family, or zero. */
struct addr iface_addr(const struct host *h, __u32 ifindex, const bool v6)
{
	const struct address *best = NULL, *a;
	const struct node *node;
	__u32 i;

	for (i = 0; i <= h->addresses.mask; i++) {
		node = h->addresses.buckets[i];
		for (; node; node = node->next) {
			a = (const struct address *)node;
			if (a->ifindex != ifindex || a->rank == RANK_UNFIT ||
			    addr_is4(&a->addr) == v6)
				continue;
			if (!best || a->rank < best->rank ||
			    (a->rank == best->rank && a->serial < best->serial))
				best = a;
		}
	}
	return best ? best->addr : (struct addr){};
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
		.rank = RANK_PRIMARY,
	};
	if (header->ifa_scope >= RT_SCOPE_LINK ||
	    (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
		ret->rank = RANK_UNFIT;
	else if (flags & IFA_F_DEPRECATED)
		ret->rank = RANK_DEPRECATED;
	else if (flags & IFA_F_SECONDARY)
		ret->rank = RANK_SECONDARY;
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
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

	h->is_changed = true;
	if (iface)
		link_publish(h, iface);
}

static void address_remove(struct host *h, struct address *a)
{
	__u32 ifindex = a->ifindex;

	/* IPv4 routes with this source, or on an interface that has no
	 * address any more, go without a word. */
	h->is_stale |= addr_is4(&a->addr);
	table_remove(&h->addresses, &a->node);
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

	for (; node; node = node->next) {
		if (!addr_compare(&((struct address *)node)->addr, addr))
			return true;
	}
	return is_loopback(addr);
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
