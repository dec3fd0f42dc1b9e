// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Neighbours, from the kernel's messages, and answers by them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/netlink.h"
#include "host_private.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | \
		    NUD_PERMANENT | NUD_NOARP)

bool neighbour_is_usable(const struct neighbour *b)
{
	return b->state & NUD_USABLE;
}

bool neighbour_is_fixed(const struct neighbour *b)
{
	return b->state & (NUD_PERMANENT | NUD_NOARP);
}

static bool neighbour_is_answered(const struct host *h,
				  const struct neighbour *b)
{
	return b->answer == h->answer;
}

static struct neighbour *neighbour_find(const struct host *h, __u32 ifindex,
					const struct addr *addr)
{
	__u64 hash = hash_of(h, addr, ifindex);
	struct node *node = *table_bucket(&h->neighbours, hash);
	struct neighbour *b;

	for (; node; node = node->next) {
		b = (struct neighbour *)node;
		if (b->ifindex == ifindex && !addr_compare(&b->addr, addr))
			return b;
	}
	return NULL;
}

struct neighbour *neighbour_get(struct host *h, __u32 ifindex,
				const struct addr *addr)
{
	struct neighbour *b = neighbour_find(h, ifindex, addr);

	if (b)
		return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->node.hash = hash_of(h, addr, ifindex);
	b->addr = *addr;
	b->ifindex = ifindex;
	table_add(&h->neighbours, &b->node);
	return b;
}

static void neighbour_set(struct host *h, struct neighbour *b, __u16 state,
			  const __u8 *mac)
{
	bool was_usable = neighbour_is_usable(b);
	bool is_new_mac = memcmp(b->mac, mac, ETH_ALEN);

	b->state = state;
	memcpy(b->mac, mac, ETH_ALEN);
	if (neighbour_is_answered(h, b) &&
	    (was_usable != neighbour_is_usable(b) ||
	     (was_usable && is_new_mac)))
		h->is_changed = true;
}

/* The record stays while somebody counts on it: see host_each_answered(). */
static void neighbour_gone(struct host *h, struct neighbour *b)
{
	static const __u8 no_mac[ETH_ALEN];

	neighbour_set(h, b, 0, no_mac);
	if (!neighbour_is_answered(h, b))
		table_remove(&h->neighbours, &b->node);
}

int host_take_neighbour(struct host *h, const struct nlmsghdr *m)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[NDA_MAX + 1];
	__u8 mac[ETH_ALEN] = {};
	struct neighbour *b;
	struct addr addr;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header) ||
	    (header->ndm_flags & NTF_PROXY))
		return 0;
	if (header->ndm_family == AF_BRIDGE)
		return host_take_mac(h, m);
	netlink_attrs(m, sizeof(*header), attrs, NDA_MAX + 1);
	if (!netlink_addr(attrs[NDA_DST], header->ndm_family, &addr))
		return 0;
	if (m->nlmsg_type == RTM_DELNEIGH) {
		b = neighbour_find(h, header->ndm_ifindex, &addr);
		if (b)
			neighbour_gone(h, b);
		return 0;
	}
	b = neighbour_get(h, header->ndm_ifindex, &addr);
	if (!b)
		return -ENOMEM;
	b->node.reading = h->reading;
	if (attrs[NDA_LLADDR] &&
	    mnl_attr_get_payload_len(attrs[NDA_LLADDR]) == sizeof(mac))
		memcpy(mac, mnl_attr_get_payload(attrs[NDA_LLADDR]),
		       sizeof(mac));
	neighbour_set(h, b, header->ndm_state, mac);
	return 0;
}

void host_each_answered(struct host *h,
			void (*fn)(struct neighbour *b, void *data),
			void *data)
{
	struct node *node, *next;
	struct neighbour *b;
	__u32 i;

	for (i = 0; i <= h->neighbours.mask; i++) {
		for (node = h->neighbours.buckets[i]; node; node = next) {
			next = node->next;
			b = (struct neighbour *)node;
			if (neighbour_is_answered(h, b))
				fn(b, data);
			else if (!b->state)
				table_remove(&h->neighbours, node);
		}
	}
}

static void sweep_neighbour(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		neighbour_gone(h, (struct neighbour *)node);
}

void host_sweep_neighbours(struct host *h)
{
	table_each(h, &h->neighbours, sweep_neighbour);
}
