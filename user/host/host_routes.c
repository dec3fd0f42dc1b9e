// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The main routing table, from the kernel's messages, in the kernel's order:
 * of equal prefixes the lower metric first, of equal metrics the one that the
 * kernel looks at first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "host_private.h"
#include "base/netlink.h"

struct route {
	struct node node;
	struct addr dst;
	__u32 metric;
	__u8 len;		/* bits of dst */
	__u8 family;
	__u8 type;		/* RTN_* */
	bool is_by_id;		/* hops are a nexthop object's, and not told */
	__u32 nr_hops;
	struct hop hops[];
};

struct addr addr_masked(const struct addr *addr, unsigned int len)
{
	struct addr masked = {};
	unsigned int i, left;

	for (i = 0; i < 4 && len > i * 32; i++) {
		left = len - i * 32;
		masked.word[i] = addr->word[i];
		if (left < 32)
			masked.word[i] &= htonl(0xffffffffu << (32 - left));
	}
	return masked;
}

/* False: leaves by a tunnel of its own (RTA_ENCAP), or makes no sense. */
static bool hop_read(__u8 family, const struct nlattr *const *attrs,
		     struct hop *ret)
{
	const struct rtvia *via;
	__u16 size;

	if (attrs[RTA_ENCAP_TYPE])
		return false;
	netlink_addr(attrs[RTA_PREFSRC], family, &ret->source);
	ret->has_via = attrs[RTA_GATEWAY] || attrs[RTA_VIA];
	if (attrs[RTA_GATEWAY])
		return netlink_addr(attrs[RTA_GATEWAY], family, &ret->via);
	if (!attrs[RTA_VIA])
		return true;
	via = mnl_attr_get_payload(attrs[RTA_VIA]);
	size = mnl_attr_get_payload_len(attrs[RTA_VIA]);
	return size > sizeof(*via) &&
	       netlink_addr_in(via->rtvia_addr, size - sizeof(*via),
			       via->rtvia_family, &ret->via);
}

/* Into hops, as far as there is room; returns how many, or -1. */
static int hops_read(__u8 family, const struct nlattr *multipath,
		     struct hop *hops, int room)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(multipath);
	const struct nlattr *attrs[RTA_MAX + 1];
	int left = mnl_attr_get_payload_len(multipath);
	int count = 0;

	/* RTNH_OK() itself reads a length that may not be there. */
	for (; left >= (int)sizeof(*nh) && RTNH_OK(nh, left) && count < room;
	     count++) {
		netlink_attrs_in(RTNH_DATA(nh),
				 nh->rtnh_len - RTNH_LENGTH(0), attrs,
				 RTA_MAX + 1);
		hops[count].ifindex = nh->rtnh_ifindex;
		hops[count].weight = nh->rtnh_hops + 1u;
		if (!hop_read(family, attrs, &hops[count]))
			return -1;
		left -= RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
	return count;
}

/* A route's source is that of all its hops. */
static void route_set_source(const struct nlattr *source, struct route *r)
{
	for (__u32 i = 0; i < r->nr_hops; i++)
		netlink_addr(source, r->family, &r->hops[i].source);
}

/* RTAX_MTU is a route's as well. */
static void route_set_mtu(const struct nlattr *metrics, struct route *r)
{
	const struct nlattr *attrs[RTAX_MAX + 1];
	__u32 mtu = 0;

	if (!metrics)
		return;
	netlink_nested(metrics, attrs, RTAX_MAX + 1);
	netlink_u32(attrs[RTAX_MTU], &mtu);
	for (__u32 i = 0; i < r->nr_hops; i++)
		r->hops[i].mtu = mtu;
}

static void route_read_hops(const struct nlattr *const *attrs,
			    struct route *r, int room)
{
	int count = 0;

	r->is_by_id = attrs[RTA_NH_ID] && !attrs[RTA_OIF] &&
		      !attrs[RTA_MULTIPATH];
	if (attrs[RTA_MULTIPATH]) {
		count = hops_read(r->family, attrs[RTA_MULTIPATH], r->hops,
				  room);
	} else if (netlink_u32(attrs[RTA_OIF], &r->hops[0].ifindex)) {
		r->hops[0].weight = 1;
		count = hop_read(r->family, attrs, &r->hops[0]) ? 1 : -1;
	}
	r->nr_hops = count > 0 ? count : 0;
	if (attrs[RTA_MULTIPATH])
		route_set_source(attrs[RTA_PREFSRC], r);
	route_set_mtu(attrs[RTA_METRICS], r);
	/* What cannot be followed must not fall through to a wider route. */
	if (count < 0)
		r->type = RTN_UNREACHABLE;
}

static bool route_read_dst(const struct rtmsg *header,
			   const struct nlattr *dst, struct route *r)
{
	const __u32 offset = header->rtm_family == AF_INET ? V4_BITS : 0;
	struct addr addr = header->rtm_family == AF_INET ? addr_from4(0) :
							   (struct addr){};

	if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6)
		return false;
	if (header->rtm_dst_len > ADDR_BITS - offset)
		return false;
	if (dst && !netlink_addr(dst, header->rtm_family, &addr))
		return false;
	r->family = header->rtm_family;
	r->len = header->rtm_dst_len + offset;
	r->dst = addr_masked(&addr, r->len);
	/* IPv6 routes to mapped addresses would pass for IPv4's. */
	return offset || r->len < V4_BITS || !addr_is4(&r->dst);
}

/* Of the main table, for all packets, not by TOS or source. */
static bool route_is_ours(const struct rtmsg *header,
			  const struct nlattr *table_attr)
{
	__u32 table = header->rtm_table;

	netlink_u32(table_attr, &table);
	return !header->rtm_tos && !header->rtm_src_len &&
	       table == RT_TABLE_MAIN && !(header->rtm_flags & RTM_F_CLONED);
}

/* *ret is NULL for a route that we do not follow; what was told for one address
 * alone (is_told) may be of any table. */
static int route_read(const struct nlmsghdr *m, const bool is_told,
		      struct route **ret)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct route *r;
	int room = 1;

	*ret = NULL;
	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header))
		return 0;
	netlink_attrs(m, sizeof(*header), attrs, RTA_MAX + 1);
	if (!is_told && !route_is_ours(header, attrs[RTA_TABLE]))
		return 0;
	if (attrs[RTA_MULTIPATH])
		room = mnl_attr_get_payload_len(attrs[RTA_MULTIPATH]) /
		       sizeof(struct rtnexthop) + 1;
	r = calloc(1, sizeof(*r) + room * sizeof(r->hops[0]));
	if (!r)
		return -ENOMEM;
	r->type = header->rtm_type;
	netlink_u32(attrs[RTA_PRIORITY], &r->metric);
	if (!route_read_dst(header, attrs[RTA_DST], r)) {
		free(r);
		return 0;
	}
	route_read_hops(attrs, r, room);
	*ret = r;
	return 0;
}

static bool hop_is_same(const struct hop *a, const struct hop *b)
{
	return a->ifindex == b->ifindex && a->has_via == b->has_via &&
	       !addr_compare(&a->via, &b->via);
}

static bool route_is_key(const struct route *a, const struct route *b)
{
	return a->node.hash == b->node.hash && a->len == b->len &&
	       a->metric == b->metric && !addr_compare(&a->dst, &b->dst);
}

static bool route_has_hop(const struct route *r, const struct hop *hop)
{
	__u32 i;

	for (i = 0; i < r->nr_hops; i++) {
		if (hop_is_same(&r->hops[i], hop))
			return true;
	}
	return false;
}

static bool route_is_same(const struct route *a, const struct route *b)
{
	__u32 i;

	if (a->type != b->type || a->nr_hops != b->nr_hops ||
	    a->is_by_id != b->is_by_id)
		return false;
	for (i = 0; i < a->nr_hops; i++) {
		if (!hop_is_same(&a->hops[i], &b->hops[i]) ||
		    addr_compare(&a->hops[i].source, &b->hops[i].source) ||
		    a->hops[i].mtu != b->hops[i].mtu ||
		    a->hops[i].weight != b->hops[i].weight)
			return false;
	}
	return true;
}

/* IPv6 tells of a route again when it gains or loses a hop. */
static bool route_shares_hop(const struct route *a, const struct route *b)
{
	__u32 i;

	for (i = 0; i < a->nr_hops; i++) {
		if (route_has_hop(b, &a->hops[i]))
			return true;
	}
	return !a->nr_hops && !b->nr_hops;
}

static struct route *route_find(const struct host *h, const struct route *like,
				bool (*is)(const struct route *a,
					   const struct route *b))
{
	struct node *node = *table_bucket(&h->routes, like->node.hash);

	for (; node; node = node->next) {
		if (route_is_key((struct route *)node, like) &&
		    is((struct route *)node, like))
			return (struct route *)node;
	}
	return NULL;
}

/* The one that a message is about. */
static struct route *route_find_told(const struct host *h,
				     const struct route *like)
{
	return route_find(h, like, like->family == AF_INET ? route_is_same :
							     route_shares_hop);
}

static void route_remove(struct host *h, struct route *r)
{
	h->lengths[r->len]--;
	host_touch(h);
	table_remove(&h->routes, &r->node);
}

/* Lower metrics first; of the same one, at the end or else at the start. */
static void route_insert(struct host *h, struct route *r, const bool at_end)
{
	struct node **at = table_bucket(&h->routes, r->node.hash);
	const struct route *other;

	for (; *at; at = &(*at)->next) {
		other = (const struct route *)*at;
		if (other->node.hash != r->node.hash)
			continue;
		if (other->metric > r->metric ||
		    (other->metric == r->metric && !at_end))
			break;
	}
	r->node.next = *at;
	*at = &r->node;
	h->lengths[r->len]++;
	host_touch(h);
	h->routes.count++;
	table_grown(&h->routes);
}

static void route_replace(struct host *h, struct route *old,
			  struct route *new)
{
	struct node **at = table_bucket(&h->routes, old->node.hash);

	while (*at != &old->node)
		at = &(*at)->next;
	new->node.next = old->node.next;
	*at = &new->node;
	host_touch(h);
	free(old);
}

static bool route_is_any(const struct route *a, const struct route *b)
{
	return true;
}

static bool route_is_only(const struct host *h, const struct route *r)
{
	const struct node *node = r->node.next;

	for (; node; node = node->next) {
		if (route_is_key((const struct route *)node, r))
			return false;
	}
	return true;
}

/* Owns r. */
static void route_put(struct host *h, struct route *r, __u16 flags)
{
	const bool is_replace = !h->is_reading && (flags & NLM_F_REPLACE);
	struct route *old;

	old = is_replace ? route_find(h, r, route_is_any) :
			   route_find_told(h, r);
	if (is_replace && old && !route_is_only(h, old))
		h->is_stale = true;
	if (!old) {
		route_insert(h, r, h->is_reading || r->family == AF_INET6 ||
				   (flags & NLM_F_APPEND));
		return;
	}
	if (!route_is_same(old, r)) {
		route_replace(h, old, r);
		return;
	}
	old->node.reading = h->reading;
	free(r);
}

static void route_drop_hops(struct host *h, struct route *r,
			    const struct route *gone)
{
	__u32 i, kept = 0;

	for (i = 0; i < r->nr_hops; i++) {
		if (!route_has_hop(gone, &r->hops[i]))
			r->hops[kept++] = r->hops[i];
	}
	r->nr_hops = kept;
	host_touch(h);
	if (!kept)
		route_remove(h, r);
}

static void route_drop(struct host *h, const struct route *gone)
{
	struct route *r = route_find_told(h, gone);

	if (!r) {
		/* Not as we knew it: which one of them is gone? */
		h->is_stale |= route_find(h, gone, route_is_any) != NULL;
		return;
	}
	if (gone->family == AF_INET)
		route_remove(h, r);
	else
		route_drop_hops(h, r, gone);
}

int host_take_route(struct host *h, const struct nlmsghdr *m)
{
	struct route *r;
	int err;

	err = route_read(m, false, &r);
	if (!r && !h->is_reading && h->questions.count)
		host_touch(h);	/* of a table that rules lead to */
	if (err || !r)
		return err;
	r->node.hash = hash_of(h, &r->dst, r->len);
	r->node.reading = h->reading;
	if (m->nlmsg_type == RTM_NEWROUTE) {
		route_put(h, r, m->nlmsg_flags);
		return 0;
	}
	route_drop(h, r);
	free(r);
	return 0;
}

/* Weight of those hops whose interface has all of flags. */
static __u32 route_weight(const struct host *h, const struct route *r,
			  __u32 flags)
{
	__u32 i, sum = 0;

	for (i = 0; i < r->nr_hops; i++) {
		if (host_has_iface(h, r->hops[i].ifindex, flags))
			sum += r->hops[i].weight;
	}
	return sum;
}

/* By the address alone: the same after a restart, and on another node. */
static const struct hop *route_pick(const struct host *h,
				    const struct route *r,
				    const struct addr *addr)
{
	static const __u32 no_key[4];
	__u32 flags = IFF_UP | IFF_RUNNING;
	__u32 i, at, sum;

	if (r->nr_hops == 1)
		return host_has_iface(h, r->hops[0].ifindex, IFF_UP) ?
		       &r->hops[0] : NULL;
	sum = route_weight(h, r, flags);
	if (!sum) {
		flags = IFF_UP;
		sum = route_weight(h, r, flags);
	}
	if (!sum)
		return NULL;
	at = hash_mix(addr->word[3] + hash_addr(no_key, 0, addr)) % sum;
	for (i = 0; i < r->nr_hops; i++) {
		if (!host_has_iface(h, r->hops[i].ifindex, flags))
			continue;
		if (at < r->hops[i].weight)
			return &r->hops[i];
		at -= r->hops[i].weight;
	}
	return NULL;
}

/* False: none of its hops is up, as if it were not there. */
static bool route_answer(const struct host *h, const struct route *r,
			 const struct addr *addr, struct hop *ret,
			 enum route_result *ret_result)
{
	const struct hop *hop;

	*ret_result = r->type == RTN_LOCAL ? ROUTE_LOCAL : ROUTE_NONE;
	if (r->type != RTN_UNICAST)
		return true;
	*ret_result = ROUTE_ASK;
	if (r->is_by_id)
		return true;
	*ret_result = ROUTE_HOP;
	hop = route_pick(h, r, addr);
	if (hop)
		*ret = *hop;
	return hop;
}

static bool route_at(const struct host *h, const struct addr *addr,
		     unsigned int len, struct hop *ret,
		     enum route_result *ret_result)
{
	const struct addr dst = addr_masked(addr, len);
	const __u64 hash = hash_of(h, &dst, len);
	const struct node *node = *table_bucket(&h->routes, hash);
	const struct route *r;

	for (; node; node = node->next) {
		r = (const struct route *)node;
		if (node->hash == hash && r->len == len &&
		    !addr_compare(&r->dst, &dst) &&
		    route_answer(h, r, addr, ret, ret_result))
			return true;
	}
	return false;
}

enum route_result host_route(const struct host *h, const struct addr *addr,
			     struct hop *ret)
{
	const int shortest = addr_is4(addr) ? V4_BITS : 0;
	enum route_result result;
	int len;

	for (len = ADDR_BITS; len >= shortest; len--) {
		if (h->lengths[len] && route_at(h, addr, len, ret, &result))
			return result;
	}
	return ROUTE_NONE;
}

enum route_result host_route_told(const struct nlmsghdr *m, struct hop *ret)
{
	enum route_result result = ROUTE_NONE;
	struct route *r;

	if (route_read(m, true, &r) || !r)
		return ROUTE_NONE;
	if (r->type == RTN_LOCAL)
		result = ROUTE_LOCAL;
	if (r->type == RTN_UNICAST && r->nr_hops) {
		*ret = r->hops[0];
		result = ROUTE_HOP;
	}
	free(r);
	return result;
}

static size_t ifindex_append(__u32 *list, size_t count, size_t room,
			     __u32 ifindex)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == ifindex)
			return count;
	}
	if (count < room)
		list[count++] = ifindex;
	return count;
}

/* All hops by which frames can come in now, whichever of them a flow would
 * take. */
static size_t append_hops(const struct host *h, const struct route *r,
			  __u32 *list, size_t count, size_t room)
{
	for (__u32 i = 0; i < r->nr_hops; i++) {
		if (host_has_frames(h, r->hops[i].ifindex))
			count = ifindex_append(list, count, room,
					       r->hops[i].ifindex);
	}
	return count;
}

/* Of the default routes of a family those with the lowest metric of any that
 * is up: IPv6 keeps several of one metric apart (routers that advertise). */
static size_t append_defaults(const struct host *h, const bool v6, __u32 *list,
			      size_t count, size_t room)
{
	const struct addr any = v6 ? (struct addr){} : addr_from4(0);
	const __u32 len = v6 ? 0 : V4_BITS;
	const __u64 hash = hash_of(h, &any, len);
	const struct node *node = *table_bucket(&h->routes, hash);
	const struct route *r, *first = NULL;

	for (; node; node = node->next) {
		r = (const struct route *)node;
		if (node->hash != hash || r->len != len ||
		    r->type != RTN_UNICAST || addr_compare(&r->dst, &any) ||
		    !route_weight(h, r, IFF_UP))
			continue;
		first = first ?: r;
		if (r->metric == first->metric)
			count = append_hops(h, r, list, count, room);
	}
	return count;
}

size_t host_default_uplinks(const struct host *h, __u32 *ret, size_t room)
{
	size_t count = append_defaults(h, false, ret, 0, room);

	return append_defaults(h, true, ret, count, room);
}

static void sweep_route(struct host *h, struct node *node)
{
	if (node->reading != h->reading)
		route_remove(h, (struct route *)node);
}

void host_sweep_routes(struct host *h)
{
	table_each(h, &h->routes, sweep_route);
}
