// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which table the kernel looks into: whether the rules of a family are those
 * that it begins with (local, main and, for IPv4, default), so that what
 * host_route() finds is what the kernel would. Where there are others, it is
 * asked about every address.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "base/netlink.h"
#include "host_private.h"

/* Attributes that the first rules have; any other one selects or diverts. */
static bool attr_is_plain(__u16 type)
{
	switch (type) {
	case FRA_TABLE:
	case FRA_PRIORITY:
	case FRA_SUPPRESS_PREFIXLEN:	/* -1: nothing, told of every rule */
	case FRA_PROTOCOL:
	case FRA_PAD:
		return true;
	default:
		return false;
	}
}

static bool rule_selects(const struct fib_rule_hdr *header,
			 const struct nlattr *const *attrs)
{
	__u32 suppressed = ~0u;

	if (header->dst_len || header->src_len || header->tos ||
	    header->action != FR_ACT_TO_TBL || header->flags & FIB_RULE_INVERT)
		return true;
	for (__u16 type = 0; type <= FRA_MAX; type++) {
		if (attrs[type] && !attr_is_plain(type))
			return true;
	}
	netlink_u32(attrs[FRA_SUPPRESS_PREFIXLEN], &suppressed);
	return suppressed != ~0u;
}

/* The rule of VRFs is for packets of interfaces in one, and those are asked
 * for by their VRF: see host_set_uplinks(). */
static bool rule_is_vrfs(const struct nlattr *const *attrs)
{
	return attrs[FRA_L3MDEV];
}

static void rule_count(struct rules *r, const struct fib_rule_hdr *header,
		       const struct nlattr *const *attrs)
{
	__u32 table = header->table;

	netlink_u32(attrs[FRA_TABLE], &table);
	if (rule_is_vrfs(attrs))
		return;
	r->all++;
	if (rule_selects(header, attrs))
		r->others++;
	else if (table == RT_TABLE_MAIN)
		r->main++;
	else if (table != RT_TABLE_LOCAL && table != RT_TABLE_DEFAULT)
		r->others++;
}

int host_take_rule(struct host *h, const struct nlmsghdr *m)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[FRA_MAX + 1];

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header) ||
	    (header->family != AF_INET && header->family != AF_INET6))
		return 0;
	if (!h->is_reading) {
		/* which one of several is gone the message does not say */
		h->is_stale = true;
		host_touch(h);
		return 0;
	}
	netlink_attrs(m, sizeof(*header), attrs, FRA_MAX + 1);
	rule_count(&h->rules.of[header->family == AF_INET6], header, attrs);
	return 0;
}

/* A kernel without rules tells of none, and has the main table alone. */
bool host_rules_are_plain(const struct host *h, const bool v6)
{
	const struct rules *r = &h->rules.of[v6];

	return !r->others && (r->main || !r->all);
}
