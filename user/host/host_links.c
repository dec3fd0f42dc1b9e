// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * links[] for the datapath: which interface has which entry, and what it says.
 * An interface has one of its own, with an address of each family that it
 * sends from, and more beside that, one for each other source that a route
 * names or the kernel chooses (two subnets on one interface; an address that
 * is on lo).
 */
#include <stdio.h>
#include <string.h>

#include <fairlead/config.h>

#include "base/addr.h"
#include "base/log.h"
#include "host_private.h"
#include "loopback.h"

/* The address that the entry has stays for as long as it may: a better one
 * that comes later would move tunnels and new connections for nothing. */
static struct addr own_addr(const struct iface *iface, const struct addr *had,
			    const bool v6)
{
	const struct addr *best;

	if (iface_may_send_from(iface, had))
		return *had;
	best = iface_addr(iface, v6, NULL);
	return best ? *best : (struct addr){};
}

/* See LINK_REDIRECTS. */
static __u8 flags_of(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && iface->is_veth ? LINK_REDIRECTS : 0;
}

/* Where pods are, XDP sends by uplinks alone: frames that it sends into a veth
 * or a bridge are lost. */
static bool is_xdps(const struct host *h, const struct iface *iface)
{
	return !h->has_pods || host_is_uplink(h, iface->ifindex) ||
	       (iface_is_vlan(iface) && host_is_uplink(h, iface->lower));
}

static __u32 sends_by(const struct host *h, const struct iface *iface)
{
	if (!is_xdps(h, iface) || iface->is_l3)
		return 0;
	return iface_is_vlan(iface) ? iface->lower : iface->ifindex;
}

/* All but the addresses. */
static struct link link_of(const struct host *h, const struct iface *iface)
{
	struct link ret = {
		.ifindex = sends_by(h, iface),
		.mtu = iface->mtu < 0xffff ? iface->mtu : 0xffff,
		.vlan_proto = iface->vlan_proto,
		.vlan_id = iface->vlan_id,
		.user_ifindex = iface->ifindex,
		.nat4 = NAT_SOURCE_NONE,	/* until somebody says so */
		.nat6 = NAT_SOURCE_NONE,
	};

	ret.flags = flags_of(h, ret.ifindex) | (iface->is_l3 ? LINK_L3 : 0);
	memcpy(ret.mac, iface->mac, sizeof(ret.mac));
	return ret;
}

/* Packets read the entry meanwhile: where it sends to must not be seen before
 * the rest, and fields that stay are not written. */
static void link_store(struct link *link, const struct link *new)
{
	if (link->ifindex == new->ifindex &&
	    link->user_ifindex == new->user_ifindex &&
	    link->source_of == new->source_of) {
		memcpy(link->mac, new->mac, sizeof(link->mac));
		link->mtu = new->mtu;
		link->vlan_proto = new->vlan_proto;
		link->vlan_id = new->vlan_id;
		link->flags = new->flags;
		link->addr4 = new->addr4;
		link->addr6 = new->addr6;
		return;
	}
	__atomic_store_n(&link->ifindex, 0, __ATOMIC_SEQ_CST);
	memcpy(&link->mtu, &new->mtu, sizeof(*new) - sizeof(new->ifindex));
	__atomic_store_n(&link->ifindex, new->ifindex, __ATOMIC_SEQ_CST);
}

void link_publish(struct host *h, const struct iface *iface)
{
	struct link new = link_of(h, iface);
	__u32 entry = iface->entry;
	struct link *link;

	if (!entry)
		return;
	link = &h->links[entry];
	new.addr4 = own_addr(iface, &link->addr4, false);
	new.addr6 = own_addr(iface, &link->addr6, true);
	link_store(link, &new);
	while ((entry = h->entries[entry].next)) {
		link = &h->links[entry];
		new.source_of = link->source_of;
		new.addr4 = link->addr4;
		new.addr6 = link->addr6;
		link_store(link, &new);
	}
}

/* One that was never used, or else the next one that is nobody's now. */
static __u32 entry_free(const struct host *h)
{
	__u32 entry;

	for (__u32 i = 1; i < h->nr_links; i++) {
		if (!h->links[i].user_ifindex)
			return i;
	}
	for (__u32 i = 1; i < h->nr_links; i++) {
		entry = (h->last_entry + i - 1) % (h->nr_links - 1) + 1;
		if (!h->entries[entry].ifindex)
			return entry;
	}
	return 0;
}

static void tell_full(struct host *h)
{
	if (h->is_full_told)
		return;
	h->is_full_told = true;
	log_warning(0, "the %u entries for interfaces are all in use: what is "
		    "reached by other ones is left to the kernel",
		    h->nr_links ? h->nr_links - 1 : 0);
}

static __u32 entry_take(struct host *h, const struct iface *iface)
{
	__u32 entry = entry_free(h);

	if (!entry) {
		tell_full(h);
		return 0;
	}
	h->last_entry = entry;
	h->entries[entry] = (struct link_book){ .ifindex = iface->ifindex };
	return entry;
}

__u32 link_entry(struct host *h, struct iface *iface)
{
	if (iface->entry)
		return iface->entry;
	iface->entry = entry_take(h, iface);
	if (!iface->entry)
		return 0;
	h->links[iface->entry].addr4 = (struct addr){};
	h->links[iface->entry].addr6 = (struct addr){};
	h->is_ingress_old = true;
	link_publish(h, iface);
	return iface->entry;
}

static const struct addr *link_addr(const struct link *l, const bool v6)
{
	return v6 ? &l->addr6 : &l->addr4;
}

/* Behind the interface's own entry. */
static void entry_join(struct host *h, const struct iface *iface, __u32 entry)
{
	struct link_book *first = &h->entries[iface->entry];

	h->entries[entry] = (struct link_book){ iface->ifindex, first->next };
	first->next = entry;
}

static __u32 entry_beside(struct host *h, const struct iface *iface,
			  const struct addr *source, const bool v6)
{
	struct link new = link_of(h, iface);
	__u32 entry = entry_take(h, iface);

	if (!entry)
		return 0;
	new.source_of = v6 ? 6 : 4;
	*(v6 ? &new.addr6 : &new.addr4) = *source;
	entry_join(h, iface, entry);
	link_store(&h->links[entry], &new);
	return entry;
}

__u32 link_entry_from(struct host *h, struct iface *iface,
		      const struct addr *source, const bool v6)
{
	__u32 entry = link_entry(h, iface);

	if (!entry || addr_is_zero(source))
		return entry;
	for (; entry; entry = h->entries[entry].next) {
		if (!addr_compare(link_addr(&h->links[entry], v6), source))
			return entry;
	}
	return entry_beside(h, iface, source, v6);
}

void link_give_up(struct host *h, struct iface *iface)
{
	__u32 entry = iface->entry, next;

	for (; entry; entry = next) {
		next = h->entries[entry].next;
		h->entries[entry] = (struct link_book){};
	}
	iface->entry = 0;
}

static void forget_source(struct host *h, struct node *node)
{
	struct iface *iface = (struct iface *)node;
	__u16 *at;

	if (!iface->entry)
		return;
	at = &h->entries[iface->entry].next;
	while (*at) {
		struct link_book *book = &h->entries[*at];
		const struct link *l = &h->links[*at];

		if (host_is_local(h, link_addr(l, l->source_of == 6))) {
			at = &book->next;
			continue;
		}
		*at = book->next;
		*book = (struct link_book){};
	}
}

void host_forget_sources(struct host *h)
{
	table_each(h, &h->ifaces, forget_source);
}

bool host_is_uplink(const struct host *h, __u32 ifindex)
{
	for (size_t i = 0; i < h->nr_uplinks; i++) {
		if (h->uplinks[i] == ifindex)
			return true;
	}
	return false;
}

bool link_is_wanted(const struct host *h, const struct iface *iface)
{
	return host_is_uplink(h, iface->ifindex) ||
	       (iface_is_vlan(iface) && host_is_uplink(h, iface->lower) &&
		iface_can_send(h, iface)) ||
	       (h->has_pods && iface->ifindex == LOOPBACK_IFINDEX) ||
	       iface_is_pods(h, iface);
}

/* The VRF that an interface is in; 0: none. */
static __u32 domain_of(const struct host *h, const struct iface *iface)
{
	const struct iface *master =
		iface ? iface_find(h, iface->master) : NULL;

	return master && master->is_vrf ? master->ifindex : 0;
}

static void domain_add(struct domains *d, __u32 domain)
{
	for (__u32 i = 0; i < d->count; i++) {
		if (d->vrfs[i] == domain)
			return;
	}
	d->vrfs[d->count++] = domain;
}

void host_find_domains(struct host *h)
{
	struct domains new = {};

	for (size_t i = 0; i < h->nr_uplinks; i++)
		domain_add(&new, domain_of(h, iface_find(h, h->uplinks[i])));
	if (!new.count)
		new.count = 1;
	if (!memcmp(&new, &h->domains, sizeof(new)))
		return;
	h->domains = new;
	host_touch(h);
}

static void give_if_wanted(struct host *h, struct node *node)
{
	struct iface *iface = (struct iface *)node;

	if (link_is_wanted(h, iface))
		link_entry(h, iface);
}

static void publish(struct host *h, struct node *node)
{
	link_publish(h, (struct iface *)node);
}

void host_set_uplinks(struct host *h, const __u32 *ifindexes, size_t count)
{
	h->nr_uplinks = count < UPLINKS_MAX ? count : UPLINKS_MAX;
	memcpy(h->uplinks, ifindexes, h->nr_uplinks * sizeof(*ifindexes));
	table_each(h, &h->ifaces, give_if_wanted);
	table_each(h, &h->ifaces, publish);
	host_find_domains(h);
}

static bool name_begins(const struct iface *iface, const char *prefix)
{
	return !strncmp(iface->name, prefix, strlen(prefix));
}

bool iface_is_pods(const struct host *h, const struct iface *iface)
{
	const struct iface *master = iface_find(h, iface->master);

	if (!h->has_pods || host_is_uplink(h, iface->ifindex))
		return false;
	if (*h->pod_bridge)
		return master && !strcmp(master->name, h->pod_bridge);
	if (*h->pod_prefix)
		return name_begins(iface, h->pod_prefix);
	return iface->is_elsewhere;
}

void host_set_pods(struct host *h, const struct pod_match *match)
{
	struct pod_match none = {};
	const struct pod_match *m = match ? match : &none;

	h->has_pods = match;
	snprintf(h->pod_bridge, sizeof(h->pod_bridge), "%s", m->bridge ?: "");
	snprintf(h->pod_prefix, sizeof(h->pod_prefix), "%s", m->prefix ?: "");
	table_each(h, &h->ifaces, give_if_wanted);
	table_each(h, &h->ifaces, publish);
}

struct pods_list {
	__u32 *ret;
	size_t room, count;
};

static void pod_list(const struct host *h, const struct iface *iface,
		     struct pods_list *list)
{
	if (!iface_is_pods(h, iface))
		return;
	if (list->count < list->room)
		list->ret[list->count] = iface->ifindex;
	list->count++;
}

size_t host_pods(const struct host *h, __u32 *ret, size_t room)
{
	struct pods_list list = { ret, room, 0 };
	const struct node *node;

	for (__u32 i = 0; i <= h->ifaces.mask; i++)
		for (node = h->ifaces.buckets[i]; node; node = node->next)
			pod_list(h, (const struct iface *)node, &list);
	return list.count;
}

static bool is_pods_port(const struct host *h, const struct iface *iface,
			 __u32 bridge)
{
	return iface->master == bridge && iface_is_pods(h, iface);
}

bool host_reaches_pods(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);
	const struct node *node;

	if (!iface || !h->has_pods)
		return false;
	if (iface->role != IFACE_ON_PORTS)
		return iface_is_pods(h, iface);
	for (__u32 i = 0; i <= h->ifaces.mask; i++)
		for (node = h->ifaces.buckets[i]; node; node = node->next)
			if (is_pods_port(h, (const struct iface *)node,
					 ifindex))
				return true;
	return false;
}

__u32 host_link_ifindex(const struct host *h, __u32 entry)
{
	return entry < h->nr_links ? h->links[entry].user_ifindex : 0;
}

bool host_has_ports(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && iface->role == IFACE_ON_PORTS;
}

bool host_is_container(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && iface->is_elsewhere && !host_is_uplink(h, ifindex);
}

bool host_source_like(const struct host *h, __u32 entry,
		      const struct addr *near, const struct addr_test *test,
		      struct addr *ret)
{
	const struct iface *iface;
	const struct addr *found;

	iface = iface_find(h, h->links[entry].user_ifindex);
	found = iface ? iface_addr_like(iface, near, test) : NULL;
	if (found)
		*ret = *found;
	return found;
}

static void adopt_own(struct host *h, __u32 entry)
{
	struct iface *iface = iface_find(h, h->links[entry].user_ifindex);

	if (!iface || iface->entry || h->links[entry].source_of)
		return;
	iface->entry = entry;
	h->entries[entry].ifindex = iface->ifindex;
	h->is_ingress_old = true;
}

static void adopt_beside(struct host *h, __u32 entry)
{
	const struct link *l = &h->links[entry];
	struct iface *iface = iface_find(h, l->user_ifindex);

	if (l->source_of && iface && iface->entry &&
	    host_is_local(h, link_addr(l, l->source_of == 6)))
		entry_join(h, iface, entry);
}

void host_adopt_links(struct host *h)
{
	for (__u32 i = 1; i < h->nr_links; i++)
		adopt_own(h, i);
	for (__u32 i = 1; i < h->nr_links; i++)
		adopt_beside(h, i);
	table_each(h, &h->ifaces, publish);
}
