// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See link.h. */
#include <stdio.h>

#include <linux/rtnetlink.h>

#include "base/netlink.h"
#include "link.h"

static __u32 attr_u32(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) == sizeof(__u32) ?
		       mnl_attr_get_u32(attr) : 0;
}

static void attr_text(const struct nlattr *attr, char *ret, size_t size)
{
	if (attr)
		snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
			 (const char *)mnl_attr_get_payload(attr));
}

static int take_link(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	const struct nlattr *info[IFLA_INFO_KIND + 1] = {};
	struct link_facts *ret = data;

	netlink_attrs(m, sizeof(struct ifinfomsg), attrs,
		      IFLA_LINK_NETNSID + 1);
	if (attrs[IFLA_LINKINFO])
		netlink_nested(attrs[IFLA_LINKINFO], info, IFLA_INFO_KIND + 1);
	attr_text(info[IFLA_INFO_KIND], ret->kind, sizeof(ret->kind));
	attr_text(attrs[IFLA_IFNAME], ret->name, sizeof(ret->name));
	ret->master = attr_u32(attrs[IFLA_MASTER]);
	ret->link = attr_u32(attrs[IFLA_LINK]);
	ret->is_link_elsewhere = attrs[IFLA_LINK_NETNSID];
	ret->nsid = attr_u32(attrs[IFLA_LINK_NETNSID]);
	return 0;
}

int link_ask(struct netlink *nl, __u32 ifindex, struct link_facts *ret)
{
	char buffer[128] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));

	m->nlmsg_type = RTM_GETLINK;
	header->ifi_index = ifindex;
	*ret = (struct link_facts){};
	return netlink_ask(nl, m, take_link, ret);
}
