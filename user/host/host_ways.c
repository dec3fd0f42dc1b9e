// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From an address to the way there: route, source, interface, neighbour, as
 * the kernel would choose them for a packet that the host sends itself, which
 * is what `ip route get` tells.
 */
#include <string.h>

#include "base/addr.h"
#include "host_private.h"

#define PREFIX_USUAL 64

static enum route_result take_answer(const struct question *q, struct hop *ret)
{
	if (!q || !q->is_known)
		return ROUTE_UNKNOWN;
	*ret = q->hop;
	return q->result;
}

/* domain: a VRF's ifindex; 0: the tables that are nobody's. */
static enum route_result route_in(struct host *h, const struct addr *addr,
				  __u32 domain, struct hop *ret)
{
	enum route_result result = ROUTE_ASK;

	if (!domain && host_rules_are_plain(h, !addr_is4(addr)))
		result = host_route(h, addr, ret);
	if (result != ROUTE_ASK)
		return result;
	return take_answer(host_question(h, QUESTION_ROUTE, addr, addr, domain),
			   ret);
}

/* Where uplinks are in several VRFs, the first one with a route. */
static enum route_result route_find(struct host *h, const struct addr *addr,
				    struct hop *ret)
{
	enum route_result result = ROUTE_NONE;

	for (__u32 i = 0; i < h->domains.count; i++) {
		result = route_in(h, addr, h->domains.vrfs[i], ret);
		if (result != ROUTE_NONE)
			return result;
	}
	return result;
}

/*
 * Addresses with the same key get the same source. IPv4 looks at the gateway
 * alone (fib_info_update_nhc_saddr()); IPv6 at the destination, no further
 * than the longest prefix of our own addresses goes (ipv6_get_saddr_eval()).
 */
static struct addr source_key(const struct host *h, const struct addr *addr,
			      const struct hop *hop)
{
	unsigned int bits = PREFIX_USUAL;

	if (addr_is4(addr))
		return hop->has_via && addr_is4(&hop->via) ? hop->via :
							     addr_from4(0);
	for (unsigned int i = PREFIX_USUAL + 1; i <= ADDR_BITS; i++) {
		if (h->subnets[i])
			bits = i;
	}
	return addr_masked(addr, bits);
}

/* hop->source. False: the kernel has to be asked for it first. */
static bool source_find(struct host *h, const struct addr *addr,
			struct hop *hop)
{
	const struct question *q;
	struct addr key;

	if (!addr_is_zero(&hop->source))
		return true;
	key = source_key(h, addr, hop);
	q = host_question(h, QUESTION_SOURCE, &key, addr, hop->ifindex);
	if (!q || !q->is_known)
		return false;
	hop->source = q->hop.source;
	return true;
}

/* Which neighbour a frame to addr goes to. */
static enum nexthop_result mac_find(struct host *h, const struct iface *iface,
				    const struct addr *addr,
				    const struct hop *hop, struct nexthop *ret,
				    struct neighbour **ret_neighbour)
{
	struct neighbour *b;

	if ((iface->flags & (IFF_NOARP | IFF_LOOPBACK)) || !iface->mac_len ||
	    iface->is_l3)
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

static enum nexthop_result hop_answer(struct host *h, const struct addr *addr,
				      struct hop *hop, struct nexthop *ret,
				      struct neighbour **ret_neighbour)
{
	struct iface *iface = iface_find(h, hop->ifindex);
	struct nexthop answer = {};
	bool has_source;

	if (!iface || !iface_can_send(h, iface))
		return NEXTHOP_NONE;
	has_source = source_find(h, addr, hop);
	answer.link = link_entry_from(h, iface, &hop->source, !addr_is4(addr));
	if (!answer.link)
		return NEXTHOP_NONE;
	*ret = answer;
	if (!has_source)
		return NEXTHOP_PENDING;
	return mac_find(h, iface, addr, hop, ret, ret_neighbour);
}

enum nexthop_result host_find(struct host *h, const struct addr *addr,
			      struct nexthop *ret,
			      struct neighbour **ret_neighbour)
{
	struct hop hop = {};

	*ret_neighbour = NULL;
	if (host_is_local(h, addr))
		return NEXTHOP_LOCAL;
	switch (route_find(h, addr, &hop)) {
	case ROUTE_HOP:
		return hop_answer(h, addr, &hop, ret, ret_neighbour);
	case ROUTE_LOCAL:
		return NEXTHOP_LOCAL;
	case ROUTE_UNKNOWN:
		*ret = (struct nexthop){};
		return NEXTHOP_PENDING;
	default:
		return NEXTHOP_NONE;
	}
}

__u32 host_mtu(struct host *h, const struct addr *addr)
{
	struct hop hop = {};

	return route_find(h, addr, &hop) == ROUTE_HOP ? hop.mtu : 0;
}
