// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Interfaces, from the kernel's messages. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#include "base/netlink.h"
#include "host_private.h"

struct iface *iface_find(const struct host *h, __u32 ifindex)
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

bool host_has_frames(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && iface->mac_len == ETH_ALEN &&
	       (iface->flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP;
}

bool host_is_l3(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface && iface->is_l3;
}

/* Of ARPHRD_*, which libc has not all of. */
enum { TYPE_RAWIP = 519, TYPE_IP6GRE = 823 };

/* As dev_is_mac_header_xmit() in linux/if_arp.h. */
static bool is_l3(unsigned short type)
{
	static const unsigned short types[] = {
		ARPHRD_NONE, ARPHRD_TUNNEL, ARPHRD_TUNNEL6, ARPHRD_SIT,
		ARPHRD_IPGRE, TYPE_IP6GRE, TYPE_RAWIP, ARPHRD_PPP,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i] == type)
			return true;
	return false;
}

bool iface_is_vlan(const struct iface *iface)
{
	return iface->vlan_proto;
}

/* One tag at most, on a parent that is here; Ethernet, or no MACs at all. */
bool iface_can_send(const struct host *h, const struct iface *iface)
{
	const struct iface *parent;

	if (!(iface->flags & IFF_UP))
		return false;
	if (!iface->is_l3 && iface->mac_len && iface->mac_len != ETH_ALEN)
		return false;
	if (!iface_is_vlan(iface))
		return true;
	parent = iface_find(h, iface->lower);
	return parent && !iface_is_vlan(parent);
}

static void iface_remove(struct host *h, struct iface *iface)
{
	h->is_changed |= iface->entry != 0;
	h->is_stale = true;
	h->is_ingress_old = true;
	link_give_up(h, iface);
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

/* Of a veth, IFLA_LINK is its other end: it is on top of nothing. */
static enum iface_role role_of(const struct nlattr *kind)
{
	static const struct {
		const char *kind;
		enum iface_role role;
	} roles[] = {
		{ "vlan", IFACE_ON_LOWER },
		{ "macvlan", IFACE_ON_LOWER },
		{ "macvtap", IFACE_ON_LOWER },
		{ "macsec", IFACE_ON_LOWER },
		{ "bridge", IFACE_ON_PORTS },
		{ "bond", IFACE_ON_PORTS },
		{ "team", IFACE_ON_PORTS },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (text_is(kind, roles[i].kind))
			return roles[i].role;
	return IFACE_ENDS;
}

static void iface_read_kind(const struct nlattr *const *attrs,
			    struct iface *ret)
{
	const struct nlattr *info[IFLA_INFO_MAX + 1];

	netlink_u32(attrs[IFLA_MASTER], &ret->master);
	if (!attrs[IFLA_LINKINFO])
		return;
	netlink_nested(attrs[IFLA_LINKINFO], info, IFLA_INFO_MAX + 1);
	if (!info[IFLA_INFO_KIND])
		return;
	ret->role = role_of(info[IFLA_INFO_KIND]);
	ret->is_vrf = text_is(info[IFLA_INFO_KIND], "vrf");
	ret->is_veth = text_is(info[IFLA_INFO_KIND], "veth");
	ret->is_elsewhere = ret->is_veth && attrs[IFLA_LINK_NETNSID];
	if (ret->role == IFACE_ON_LOWER && !attrs[IFLA_LINK_NETNSID])
		netlink_u32(attrs[IFLA_LINK], &ret->lower);
	if (info[IFLA_INFO_DATA] && text_is(info[IFLA_INFO_KIND], "vlan"))
		iface_read_vlan(info[IFLA_INFO_DATA], ret);
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
		.is_l3 = is_l3(header->ifi_type),
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
	       a->lower != b->lower || a->vlan_proto != b->vlan_proto ||
	       a->vlan_id != b->vlan_id || a->master != b->master;
}

/* What the set of MAC addresses depends on. */
static bool iface_takes_others(const struct iface *a, const struct iface *b)
{
	const __u32 flags = IFF_UP | IFF_RUNNING;

	return ((a->flags ^ b->flags) & flags) || a->mac_len != b->mac_len ||
	       memcmp(a->mac, b->mac, ETH_ALEN) || a->role != b->role ||
	       a->lower != b->lower || a->master != b->master ||
	       a->vlan_id != b->vlan_id;
}

int host_take_link(struct host *h, const struct nlmsghdr *m)
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
		iface->ifindex = new.ifindex;
		table_add(&h->ifaces, &iface->node);
		host_join_addresses(h, iface);
		h->is_ingress_old = true;
	} else {
		if (iface_is_another(iface, &new))
			host_touch(h);
		/* IPv4 routes go without a word when an interface does. */
		h->is_stale |= (iface->flags ^ new.flags) & IFF_UP;
		h->is_ingress_old |= iface_takes_others(iface, &new);
	}
	new.node = iface->node;
	new.node.reading = h->reading;
	new.entry = iface->entry;
	new.addresses = iface->addresses;
	*iface = new;
	if (!iface->entry && link_is_wanted(h, iface))
		h->is_changed |= link_entry(h, iface) != 0;
	else
		link_publish(h, iface);
	if (host_is_uplink(h, iface->ifindex) || iface->is_vrf)
		host_find_domains(h);
	return 0;
}

static void sweep_iface(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		iface_remove(h, (struct iface *)node);
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

__u32 host_ifflags(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface ? iface->flags : 0;
}

const char *host_ifname(const struct host *h, __u32 ifindex)
{
	const struct iface *iface = iface_find(h, ifindex);

	return iface ? iface->name : NULL;
}

void host_sweep_ifaces(struct host *h)
{
	table_each(h, &h->ifaces, sweep_iface);
}
