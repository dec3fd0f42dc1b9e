// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See placed.h. */
#include <string.h>

#include "enforcing.h"
#include "placed.h"

struct placed *placed_at(const struct enforcing *p, __u32 ifindex)
{
	for (size_t i = 0; i < p->nr_placed; i++)
		if (p->placed[i].ifindex == ifindex)
			return &p->placed[i];
	return NULL;
}

struct placed *placed_find(const struct enforcing *p, const char *namespace,
			   const char *name)
{
	for (size_t i = 0; i < p->nr_placed; i++)
		if (!strcmp(p->placed[i].workload->namespace, namespace) &&
		    !strcmp(p->placed[i].workload->name, name))
			return &p->placed[i];
	return NULL;
}

/* NULL: it is not registered. */
static const struct registered *registered_as(const struct enforcing *p,
					      const struct model_workload *w)
{
	return registered_find(&p->registry, w->namespace, w->name);
}

/* A later one may have it. */
static bool has_address(const struct enforcing *p,
			const struct model_workload *w, const struct addr *a)
{
	return policy_has_address(policy_compiled(p->state), w, a);
}

static __u32 find_interface(const struct enforcing *p,
			    const struct model_workload *w)
{
	const struct registered *r = registered_as(p, w);
	struct nexthops *n = p->parts->nexthops;
	__u32 ifindex = 0;

	if (r)
		return r->ifindex;

	if (*w->interface)
		return nexthops_ifindex(n, w->interface, &ifindex) ? 0 :
								     ifindex;
	for (size_t i = 0; i < w->nr_addrs && !ifindex; i++)
		if (has_address(p, w, &w->addrs[i]))
			ifindex = nexthops_container(n, &w->addrs[i]);
	return ifindex;
}

/* A name may have gone to another interface; who is found by address is asked
 * for again when its interface is gone. */
static bool is_where_it_was(const struct enforcing *p, const struct placed *at)
{
	const struct model_workload *w = at->workload;
	const char *name = at->ifindex ? nexthops_ifname(p->parts->nexthops,
							 at->ifindex) : NULL;
	const struct registered *r;

	if (!name)
		return false;
	if (!*w->interface || !strcmp(name, w->interface))
		return true;
	r = registered_as(p, w);
	return r && r->ifindex == at->ifindex;
}

void placed_take_away(struct enforcing *p, __u32 ifindex)
{
	policy_unplace(p->state, ifindex, dp_now_s());
}

/* Who may have an interface, the larger the rather: people name what they like
 * in an object, and addresses are used again by who comes later. */
enum surety { NAMED, ADDRESSED_ONCE, ADDRESSED, REGISTERED };

static enum surety how_sure(const struct enforcing *p, const struct placed *at,
			    __u32 ifindex)
{
	const struct model_workload *w = at->workload;
	const struct registered *r = registered_as(p, w);

	if (r)
		return r->ifindex == ifindex ? REGISTERED : NAMED;
	for (size_t i = 0; i < w->nr_addrs; i++)
		if (has_address(p, w, &w->addrs[i]) &&
		    nexthops_container(p->parts->nexthops, &w->addrs[i]) ==
			    ifindex)
			return at->has_lost ? ADDRESSED_ONCE : ADDRESSED;
	return NAMED;
}

static void refuse_interface(struct enforcing *p, const struct placed *at,
			     __u32 ifindex, const char *namespace,
			     const char *name)
{
	refuse(&p->refusal, 0, "workload \"%s/%s\" cannot be policed: its "
	       "interface \"%s\" is that of \"%s/%s\"",
	       at->workload->namespace, at->workload->name,
	       nexthops_ifname(p->parts->nexthops, ifindex) ?: "?", namespace,
	       name);
}

/* An interface has one workload: whoever else seems to be there is without. */
static bool may_have(struct enforcing *p, const struct placed *at,
		     __u32 ifindex)
{
	const struct registered *r = registered_at(&p->registry, ifindex);
	const struct model_workload *w = at->workload;
	struct placed *other = placed_at(p, ifindex);
	bool is_there;

	if (r && r != registered_as(p, w)) {
		refuse_interface(p, at, ifindex, r->namespace, r->name);
		return false;
	}
	if (!other || other == at)
		return true;
	is_there = is_where_it_was(p, other) && !other->has_moved;
	if (is_there &&
	    how_sure(p, at, ifindex) <= how_sure(p, other, ifindex)) {
		refuse_interface(p, at, ifindex, other->workload->namespace,
				 other->workload->name);
		return false;
	}
	other->ifindex = 0;
	if (is_there)
		refuse_interface(p, other, ifindex, w->namespace, w->name);
	return true;
}

/* Where unknown interfaces are closed, who was not known has no connections. */
static void put_at(struct enforcing *p, struct placed *at, __u32 ifindex)
{
	const struct model_workload *w = at->workload;
	const struct registered *r = registered_as(p, w);
	int err;

	if (ifindex && !may_have(p, at, ifindex))
		ifindex = 0;
	if (at->ifindex && at->ifindex != ifindex) {
		placed_take_away(p, at->ifindex);
		at->has_lost = true;
	}
	at->ifindex = ifindex;
	if (!ifindex)
		return;
	err = policy_place(p->state, w->namespace, w->name, ifindex,
			   r ? r->mac : NULL, !p->set->knows_all, dp_now_s());
	if (!err)
		return;
	refuse(&p->refusal, err, "workload \"%s/%s\" cannot be policed: %s",
	       w->namespace, w->name, strerror(-err));
	at->ifindex = 0;
}

/* Those whose interface is gone are forgotten. */
static void follow_registered(struct enforcing *p)
{
	struct registry *all = &p->registry;

	for (size_t i = 0; i < all->count;) {
		struct registered *r = &all->list[i];

		if (nexthops_ifname(p->parts->nexthops, r->ifindex)) {
			i++;
			continue;
		}
		placed_take_away(p, r->ifindex);
		registered_drop(all, r);
	}
}

static void follow_each(struct enforcing *p)
{
	for (size_t i = 0; i < p->nr_placed; i++) {
		struct placed *at = &p->placed[i];
		const bool is_there = is_where_it_was(p, at);
		__u32 ifindex;

		if (is_there && !at->has_moved)
			continue;
		ifindex = find_interface(p, at->workload);
		if (is_there && !ifindex)
			continue;
		at->has_moved = false;
		put_at(p, at, ifindex);
	}
}

/* Not to be found yet, or not any more: it may be that it does not run. */
static void count_missing(struct enforcing *p)
{
	const struct model_workload *first = NULL, *w;
	unsigned int count = 0;

	for (size_t i = 0; i < p->nr_placed; i++) {
		w = p->placed[i].workload;
		if (p->placed[i].ifindex || (!*w->interface && !w->nr_addrs))
			continue;
		if (!count++)
			first = w;
	}
	p->missing = (struct refusal){};
	if (count)
		refuse(&p->missing, 0, "%u workloads of this node are behind "
		       "no interface that is known, one of them \"%s/%s\", so "
		       "that %s", count, first->namespace, first->name,
		       p->set->knows_all ? "they are closed" :
					   "nothing holds them to policies");
}

/* What is placed where none of our programs is holds nobody to anything. */
static void check_attached(struct enforcing *p)
{
	for (size_t i = 0; i < p->nr_placed; i++) {
		const struct placed *at = &p->placed[i];

		if (!at->ifindex || pods_are_at(p->pods, at->ifindex))
			continue;
		refuse(&p->refusal, 0, "workload \"%s/%s\" is not policed: its "
		       "interface \"%s\" does not look like a container's",
		       at->workload->namespace, at->workload->name,
		       nexthops_ifname(p->parts->nexthops, at->ifindex) ?: "?");
		return;
	}
}

void placed_follow(struct enforcing *p)
{
	follow_registered(p);
	follow_each(p);
	check_attached(p);
	count_missing(p);
}
