// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * links[] for the datapath: which interface has which entry, and what it says.
 */
#include <string.h>

#include "base/log.h"
#include "host_private.h"

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

static void link_describe(const struct iface *iface, const struct link *had,
			  struct link *ret)
{
	*ret = (struct link){
		.ifindex = iface_is_vlan(iface) ? iface->lower : iface->ifindex,
		.mtu = iface->mtu < 0xffff ? iface->mtu : 0xffff,
		.vlan_proto = iface->vlan_proto,
		.vlan_id = iface->vlan_id,
		.addr4 = own_addr(iface, &had->addr4, false),
		.addr6 = own_addr(iface, &had->addr6, true),
		.user_ifindex = iface->ifindex,
	};
	memcpy(ret->mac, iface->mac, sizeof(ret->mac));
}

/* Packets read the entry meanwhile: where it sends to must not be seen before
 * the rest, and fields that stay are not written. */
void link_publish(struct host *h, const struct iface *iface)
{
	struct link *link, new;

	if (!iface->entry)
		return;
	link = &h->links[iface->entry];
	link_describe(iface, link, &new);
	if (!memcmp(link, &new, sizeof(new)))
		return;
	if (link->ifindex == new.ifindex &&
	    link->user_ifindex == new.user_ifindex) {
		memcpy(link->mac, new.mac, sizeof(link->mac));
		link->mtu = new.mtu;
		link->vlan_proto = new.vlan_proto;
		link->vlan_id = new.vlan_id;
		link->addr4 = new.addr4;
		link->addr6 = new.addr6;
		return;
	}
	__atomic_store_n(&link->ifindex, 0, __ATOMIC_SEQ_CST);
	memcpy(&link->mtu, &new.mtu, sizeof(new) - sizeof(new.ifindex));
	__atomic_store_n(&link->ifindex, new.ifindex, __ATOMIC_SEQ_CST);
}

static bool entry_is_owned(const struct host *h, __u32 entry)
{
	const struct iface *iface;

	iface = iface_find(h, h->links[entry].user_ifindex);
	return iface && iface->entry == entry;
}

/* One that was never used, or else the next one whose interface is gone. */
static __u32 entry_free(const struct host *h)
{
	__u32 i, entry;

	for (i = 1; i < h->nr_links; i++) {
		if (!h->links[i].user_ifindex)
			return i;
	}
	for (i = 1; i < h->nr_links; i++) {
		entry = (h->last_entry + i - 1) % (h->nr_links - 1) + 1;
		if (!entry_is_owned(h, entry))
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

__u32 link_entry(struct host *h, struct iface *iface)
{
	if (iface->entry)
		return iface->entry;
	iface->entry = entry_free(h);
	if (!iface->entry) {
		tell_full(h);
		return 0;
	}
	h->last_entry = iface->entry;
	h->is_ingress_old = true;
	link_publish(h, iface);
	return iface->entry;
}

static bool is_uplink(const struct host *h, __u32 ifindex)
{
	for (size_t i = 0; i < h->nr_uplinks; i++) {
		if (h->uplinks[i] == ifindex)
			return true;
	}
	return false;
}

bool link_is_wanted(const struct host *h, const struct iface *iface)
{
	return is_uplink(h, iface->ifindex) ||
	       (iface_is_vlan(iface) && is_uplink(h, iface->lower) &&
		iface_can_send(h, iface));
}

static void give_if_wanted(struct host *h, struct node *node)
{
	struct iface *iface = (struct iface *)node;

	if (link_is_wanted(h, iface))
		link_entry(h, iface);
}

void host_set_uplinks(struct host *h, const __u32 *ifindexes, size_t count)
{
	h->nr_uplinks = count < UPLINKS_MAX ? count : UPLINKS_MAX;
	memcpy(h->uplinks, ifindexes, h->nr_uplinks * sizeof(*ifindexes));
	table_each(h, &h->ifaces, give_if_wanted);
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

void host_adopt_links(struct host *h)
{
	struct iface *iface;
	__u32 i;

	for (i = 1; i < h->nr_links; i++) {
		iface = iface_find(h, h->links[i].user_ifindex);
		if (!iface || iface->entry)
			continue;
		iface->entry = i;
		h->is_ingress_old = true;
		link_publish(h, iface);
	}
}
