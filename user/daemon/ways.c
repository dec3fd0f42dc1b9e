// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See ways.h. */
#include <string.h>

#include "base/log.h"
#include "ways.h"

/* Only NAT needs to see what backends on this host answer; on a node, pods as
 * well, whose addresses are their own. */
void ways_settle_local(struct ways *w)
{
	bool has_local = w->uplinks->is_node ||
			 state_has_local_nat(w->parts->state);

	if (has_local == parts_tables(w->parts)->runtime->has_local)
		return;
	if (has_local)
		uplinks_local_begin(w->uplinks);
	else
		uplinks_local_end(w->uplinks);
}

/* A backend that is here must not get a packet before its answers are seen;
 * which mode its service has is known later (ways_settle_local). */
static void mark_local(struct ways *w, struct backend *b)
{
	if (!(b->flags & BACKEND_LOCAL) &&
	    !parts_tables(w->parts)->runtime->has_local)
		uplinks_local_begin(w->uplinks);
	__atomic_or_fetch(&b->flags, BACKEND_LOCAL, __ATOMIC_RELEASE);
}

static void mark_remote(struct backend *b)
{
	__atomic_and_fetch(&b->flags, (__u8)~BACKEND_LOCAL, __ATOMIC_RELEASE);
}

/* What is not known yet, or a neighbour that is slow to answer, is where it
 * was, rather than nowhere. */
static bool is_same_interface(const struct ways *w, __u32 had, __u32 found)
{
	const struct link *links = parts_tables(w->parts)->links;

	return !found || links[had].user_ifindex == links[found].user_ifindex;
}

static void way_fill(void *arg, __u32 index, struct backend *b)
{
	struct nexthop hop = {}, found;
	struct ways *w = arg;
	bool is_local = false;

	switch (nexthops_find(w->parts->nexthops, &b->addr, &found)) {
	case NEXTHOP_FOUND:
		hop = found;
		break;
	case NEXTHOP_LOCAL:
		is_local = true;
		break;
	case NEXTHOP_PENDING:
		if (is_same_interface(w, b->hop.link, found.link))
			hop = b->hop;
		break;
	case NEXTHOP_NONE:
		break;
	}
	path_mtu_set_route(b, nexthops_mtu(w->parts->nexthops, &b->addr));
	w->leads[hop.link % LINKS_MAX] = true;
	w->changes++;
	if (memcmp(&hop, &b->hop, sizeof(hop)))
		table_store(&b->hop, hop);
	if (is_local)
		mark_local(w, b);
	else
		mark_remote(b);
}

static bool has_local(const struct ways *w, const struct model_service *svc)
{
	for (size_t i = 0; i < svc->nr_backends; i++)
		if (nexthops_is_local(w->parts->nexthops,
				      &svc->backends[i].addr))
			return true;
	return false;
}

enum dp_need ways_need(const struct ways *w, const struct model *m,
		       const struct model *in_force)
{
	struct model_delta delta = { .was = in_force, .is = m };
	const struct model_service *was, *is;

	if (w->uplinks->is_node || model_has_node(m))
		return DP_NEED_NODE;
	if (parts_tables(w->parts)->runtime->has_local)
		return DP_NEED_LOCAL_NAT;
	while (model_delta_next(&delta, &was, &is))
		if (is && is->forward == FORWARD_NAT && has_local(w, is))
			return DP_NEED_LOCAL_NAT;
	return DP_NEED_ALWAYS;
}

static void other_add(const struct ways *w, const struct link *l,
		      struct uplink_set *set)
{
	if (uplinks_has_link(w->uplinks, l) ||
	    nexthops_reaches_pods(w->parts->nexthops, l->user_ifindex))
		return;
	for (size_t i = 0; i < set->count; i++)
		if (set->ifindexes[i] == l->user_ifindex)
			return;
	if (set->count < MODEL_UPLINKS_MAX)
		set->ifindexes[set->count++] = l->user_ifindex;
}

void ways_settle_others(struct ways *w)
{
	struct uplink_set set = {};

	for (__u32 i = 1; i < LINKS_MAX && w->uplinks->is_node; i++)
		if (w->leads[i])
			other_add(w, &parts_tables(w->parts)->links[i], &set);
	uplinks_set_others(w->uplinks, &set);
}

static bool is_host_addr(void *arg, const struct addr *a)
{
	struct ways *w = arg;

	return nexthops_is_local(w->parts->nexthops, a);
}

static void each_host_addr(void *arg,
			   void (*f)(void *data, const struct addr *a),
			   void *data)
{
	struct ways *w = arg;

	nexthops_each_local(w->parts->nexthops, f, data);
}

void ways_begin(struct ways *w)
{
	state_set_host(w->parts->state, &(struct state_host){
		.is_host = is_host_addr,
		.way = way_fill,
		.each_addr = each_host_addr,
		.arg = w,
	});
}

static void lead(void *arg, __u32 index, struct backend *b)
{
	struct ways *w = arg;

	w->leads[b->hop.link % LINKS_MAX] = true;
}

void ways_gone(struct ways *w)
{
	w->is_old = true;
}

bool ways_check(struct ways *w)
{
	bool had[LINKS_MAX];

	if (!w->is_old)
		return false;
	w->is_old = false;
	memcpy(had, w->leads, sizeof(had));
	memset(w->leads, 0, sizeof(w->leads));
	state_each_backend(w->parts->state, lead, w);
	return memcmp(had, w->leads, sizeof(had));
}

void ways_fill(struct ways *w)
{
	memset(w->leads, 0, sizeof(w->leads));
	w->is_old = false;
	state_each_backend(w->parts->state, way_fill, w);
	if (state_host_addrs(w->parts->state, dp_now_s()))
		log_warning(0, "no room for the node ports of all addresses");
}
