// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Links, addresses and neighbours from the kernel's messages, and links[] for
 * the datapath. A reading marks what it mentions and sweeps the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "host_private.h"
#include "base/log.h"
#include "base/netlink.h"
#include "base/cleanup.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | \
		    NUD_PERMANENT | NUD_NOARP)

struct iface {
	struct node node;
	__u32 ifindex;
	__u32 flags;		/* IFF_* */
	__u32 mtu;
	__u32 entry;		/* index in links; 0: none yet */
	__u32 parent;		/* VLAN: ifindex; 0: in another namespace */
	__be16 vlan_proto;	/* 0: no VLAN */
	__be16 vlan_id;
	__u8 mac[ETH_ALEN];
	__u8 mac_len;		/* 0: has no MACs; other than 6: not Ethernet */
	char name[IF_NAMESIZE];
};

struct address {
	struct node node;
	struct addr addr;
	__u32 ifindex;
	__u32 rank;		/* the lowest is the interface's source */
	__u64 serial;		/* order of arrival */
	__u8 len;		/* of the prefix: the kernel's key has it */
};

enum address_rank {
	RANK_PRIMARY,
	RANK_SECONDARY,		/* or temporary */
	RANK_DEPRECATED,
	RANK_UNFIT,		/* link scope, or not checked yet */
};

int host_new(struct link *links, __u32 nr_links, struct host **ret)
{
	__cleanup(host_freep) struct host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->links = links;
	/* struct nexthop has 16 bits for an entry's number. */
	h->nr_links = nr_links < 1 << 16 ? nr_links : 1 << 16;
	h->answer = 1;
	if (getrandom(h->key, sizeof(h->key), 0) != sizeof(h->key))
		return -errno;
	if (table_init(&h->ifaces) || table_init(&h->addresses) ||
	    table_init(&h->neighbours) || table_init(&h->routes))
		return -ENOMEM;
	*ret = take_ptr(h);
	return 0;
}

void host_free(struct host *h)
{
	if (!h)
		return;
	table_free(&h->ifaces);
	table_free(&h->addresses);
	table_free(&h->neighbours);
	table_free(&h->routes);
	free(h);
}

void host_freep(struct host **h)
{
	host_free(*h);
}

void host_move(struct host *h, struct link *links)
{
	h->links = links;
}

bool host_is_stale(const struct host *h)
{
	return h->is_stale;
}

bool host_changed(struct host *h)
{
	bool is_changed = h->is_changed;

	h->is_changed = false;
	if (is_changed)
		h->answer++;
	return is_changed;
}

static struct iface *iface_find(const struct host *h, __u32 ifindex)
{
	__u64 hash = hash_mix(ifindex);
	struct node *node = *table_bucket(&h->ifaces, hash);

	for (; node; node = node->next) {
		if (node->hash == hash)
			return (struct iface *)node;
	}
	return NULL;
}

bool host_has_iface(const struct host *h, __u32 ifindex, __u32 flags)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && (iface->flags & flags) == flags;
}

/* The interface's source address of a family, or zero. */
static struct addr iface_addr(const struct host *h, __u32 ifindex,
			      const bool v6)
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

static bool iface_is_vlan(const struct iface *iface)
{
	return iface->vlan_proto;
}

/* One tag at most, on a parent that is here; Ethernet, or no MACs at all. */
static bool iface_can_send(const struct host *h, const struct iface *iface)
{
	const struct iface *parent;

	if (!(iface->flags & IFF_UP))
		return false;
	if (iface->mac_len && iface->mac_len != ETH_ALEN)
		return false;
	if (!iface_is_vlan(iface))
		return true;
	parent = iface_find(h, iface->parent);
	return parent && !iface_is_vlan(parent);
}

static void iface_describe(const struct host *h, const struct iface *iface,
			   struct link *ret)
{
	*ret = (struct link){
		.ifindex = iface_is_vlan(iface) ? iface->parent : iface->ifindex,
		.mtu = iface->mtu < 0xffff ? iface->mtu : 0xffff,
		.vlan_proto = iface->vlan_proto,
		.vlan_id = iface->vlan_id,
		.addr4 = iface_addr(h, iface->ifindex, false),
		.addr6 = iface_addr(h, iface->ifindex, true),
		.user_ifindex = iface->ifindex,
	};
	memcpy(ret->mac, iface->mac, sizeof(ret->mac));
}

/* Packets read the entry meanwhile: where it sends to must not be seen before
 * the rest, and fields that stay are not written. */
static void iface_publish(struct host *h, const struct iface *iface)
{
	struct link *link, new;

	if (!iface->entry)
		return;
	link = &h->links[iface->entry];
	iface_describe(h, iface, &new);
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

static __u32 iface_entry(struct host *h, struct iface *iface)
{
	if (iface->entry)
		return iface->entry;
	iface->entry = entry_free(h);
	if (!iface->entry) {
		tell_full(h);
		return 0;
	}
	h->last_entry = iface->entry;
	iface_publish(h, iface);
	return iface->entry;
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
		iface_publish(h, iface);
	}
}

static void iface_remove(struct host *h, struct iface *iface)
{
	h->is_changed |= iface->entry != 0;
	h->is_stale = true;
	table_remove(&h->ifaces, &iface->node);
}

static void iface_read_vlan(const struct nlattr *data, struct iface *ret)
{
	const struct nlattr *attrs[IFLA_VLAN_MAX + 1];
	__u16 id;

	netlink_nested(data, attrs, IFLA_VLAN_MAX + 1);
	if (!netlink_u16(attrs[IFLA_VLAN_ID], &id))
		return;
	ret->vlan_id = htons(id);
	if (!netlink_u16(attrs[IFLA_VLAN_PROTOCOL], &ret->vlan_proto))
		ret->vlan_proto = htons(ETH_P_8021Q);
}

static bool text_is(const struct nlattr *attr, const char *text)
{
	const char *payload = mnl_attr_get_payload(attr);
	size_t len = strnlen(payload, mnl_attr_get_payload_len(attr));

	return len == strlen(text) && !memcmp(payload, text, len);
}

static void iface_read_kind(const struct nlattr *const *attrs,
			    struct iface *ret)
{
	const struct nlattr *info[IFLA_INFO_MAX + 1];

	if (!attrs[IFLA_LINKINFO])
		return;
	netlink_nested(attrs[IFLA_LINKINFO], info, IFLA_INFO_MAX + 1);
	if (!info[IFLA_INFO_KIND] || !info[IFLA_INFO_DATA])
		return;
	if (!text_is(info[IFLA_INFO_KIND], "vlan"))
		return;
	iface_read_vlan(info[IFLA_INFO_DATA], ret);
	if (!attrs[IFLA_LINK_NETNSID])
		netlink_u32(attrs[IFLA_LINK], &ret->parent);
}

static bool iface_read(const struct nlmsghdr *m, struct iface *ret)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[IFLA_MAX + 1];
	const struct nlattr *mac;
	size_t name_len;

	/* AF_BRIDGE's tell of a bridge's ports. */
	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header) ||
	    header->ifi_family != AF_UNSPEC || header->ifi_index <= 0)
		return false;
	netlink_attrs(m, sizeof(*header), attrs, IFLA_MAX + 1);
	*ret = (struct iface){
		.ifindex = header->ifi_index,
		.flags = header->ifi_flags,
	};
	netlink_u32(attrs[IFLA_MTU], &ret->mtu);
	if (attrs[IFLA_IFNAME]) {
		name_len = mnl_attr_get_payload_len(attrs[IFLA_IFNAME]);
		if (name_len < sizeof(ret->name))
			memcpy(ret->name,
			       mnl_attr_get_payload(attrs[IFLA_IFNAME]),
			       name_len);
	}
	mac = attrs[IFLA_ADDRESS];
	if (mac)
		ret->mac_len = mnl_attr_get_payload_len(mac) & 0xff;
	if (ret->mac_len == ETH_ALEN)
		memcpy(ret->mac, mnl_attr_get_payload(mac), ETH_ALEN);
	iface_read_kind(attrs, ret);
	return true;
}

/* What answers depend on; the rest is told through links[] alone. */
static bool iface_is_another(const struct iface *a, const struct iface *b)
{
	const __u32 flags = IFF_UP | IFF_RUNNING | IFF_NOARP | IFF_LOOPBACK;

	return ((a->flags ^ b->flags) & flags) || a->mac_len != b->mac_len ||
	       a->parent != b->parent || a->vlan_proto != b->vlan_proto ||
	       a->vlan_id != b->vlan_id;
}

static int take_link(struct host *h, const struct nlmsghdr *m)
{
	struct iface *iface, new;

	if (!iface_read(m, &new))
		return 0;
	iface = iface_find(h, new.ifindex);
	if (m->nlmsg_type == RTM_DELLINK) {
		if (iface)
			iface_remove(h, iface);
		return 0;
	}
	if (!iface) {
		iface = calloc(1, sizeof(*iface));
		if (!iface)
			return -ENOMEM;
		iface->node.hash = hash_mix(new.ifindex);
		table_add(&h->ifaces, &iface->node);
	} else {
		h->is_changed |= iface_is_another(iface, &new);
		/* IPv4 routes go without a word when an interface does. */
		h->is_stale |= (iface->flags ^ new.flags) & IFF_UP;
	}
	new.node = iface->node;
	new.node.reading = h->reading;
	new.entry = iface->entry;
	*iface = new;
	iface_publish(h, iface);
	return 0;
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
		iface_publish(h, iface);
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

static int take_address(struct host *h, const struct nlmsghdr *m)
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

static struct neighbour *neighbour_get(struct host *h, __u32 ifindex,
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

static int take_neighbour(struct host *h, const struct nlmsghdr *m)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[NDA_MAX + 1];
	__u8 mac[ETH_ALEN] = {};
	struct neighbour *b;
	struct addr addr;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header) ||
	    (header->ndm_flags & NTF_PROXY))
		return 0;
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

enum nexthop_result host_answer(struct host *h, const struct addr *addr,
				const struct hop *hop, struct nexthop *ret,
				struct neighbour **ret_neighbour)
{
	struct iface *iface = iface_find(h, hop->ifindex);
	struct nexthop answer = {};
	struct neighbour *b;

	*ret_neighbour = NULL;
	if (!iface || !iface_can_send(h, iface))
		return NEXTHOP_NONE;
	answer.link = iface_entry(h, iface);
	if (!answer.link)
		return NEXTHOP_NONE;
	*ret = answer;
	if ((iface->flags & (IFF_NOARP | IFF_LOOPBACK)) || !iface->mac_len)
		return NEXTHOP_FOUND;
	b = neighbour_get(h, hop->ifindex, hop->has_via ? &hop->via : addr);
	if (!b)
		return NEXTHOP_PENDING;
	b->answer = h->answer;
	*ret_neighbour = b;
	if (!neighbour_is_usable(b))
		return NEXTHOP_PENDING;
	memcpy(ret->mac, b->mac, sizeof(ret->mac));
	return NEXTHOP_FOUND;
}

int host_take(struct host *h, const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return take_link(h, m);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return take_address(h, m);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return take_neighbour(h, m);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return host_take_route(h, m);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		/* What the kernel was asked, it may answer otherwise now. */
		h->is_changed = true;
		return 0;
	default:
		return 0;
	}
}

void host_reading_begin(struct host *h)
{
	h->is_reading = true;
	h->is_stale = false;
	h->reading++;
}

static void sweep_iface(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		iface_remove(h, (struct iface *)node);
}

static void sweep_address(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		address_remove(h, (struct address *)node);
}

static void sweep_neighbour(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		neighbour_gone(h, (struct neighbour *)node);
}

void host_reading_end(struct host *h, const bool is_whole)
{
	if (is_whole) {
		table_each(h, &h->ifaces, sweep_iface);
		table_each(h, &h->addresses, sweep_address);
		table_each(h, &h->neighbours, sweep_neighbour);
		host_sweep_routes(h);
	}
	h->is_reading = false;
	h->is_stale = !is_whole;
}

__u32 host_ifindex(const struct host *h, const char *name)
{
	const struct node *node;
	__u32 i;

	for (i = 0; i <= h->ifaces.mask; i++) {
		for (node = h->ifaces.buckets[i]; node; node = node->next) {
			if (!strcmp(((const struct iface *)node)->name, name))
				return ((const struct iface *)node)->ifindex;
		}
	}
	return 0;
}

const char *host_ifname(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface ? iface->name : NULL;
}
