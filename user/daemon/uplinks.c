// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See uplinks.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "host/device.h"
#include "host/loopback.h"
#include "uplinks.h"

/* An interface that was there may go and come back; a name that is new and
 * means nothing is a mistake. */
static bool is_known(const struct model *in_force, const char *name)
{
	for (size_t i = 0; in_force && i < in_force->nr_uplinks; i++)
		if (!strcmp(in_force->uplinks[i], name))
			return true;
	return false;
}

static int find_default(const struct uplinks *u, struct uplink_set *ret,
			struct refusal *why)
{
	ret->count = nexthops_default_uplinks(u->parts->nexthops,
					      ret->ifindexes,
					      MODEL_UPLINKS_MAX);
	if (ret->count)
		return 0;
	if (u->set.count)
		*ret = u->set; /* lost for a moment, perhaps */
	else
		return refuse(why, -ENODEV, "no default route to find the "
			      "uplink by; name it in uplinks:");
	return 0;
}

static int no_such(struct refusal *why, const char *name)
{
	return refuse(why, -ENODEV, "uplink \"%s\": no such interface", name);
}

int uplinks_find(const struct uplinks *u, const struct model *wanted,
		 const struct model *in_force, struct uplink_set *ret,
		 struct refusal *why)
{
	__u32 ifindex;

	*ret = (struct uplink_set){};
	if (!wanted->nr_uplinks)
		return find_default(u, ret, why);
	for (size_t i = 0; i < wanted->nr_uplinks; i++) {
		const char *name = wanted->uplinks[i];

		ifindex = if_nametoindex(name);
		if (ifindex)
			ret->ifindexes[ret->count++] = ifindex;
		else if (in_force && !is_known(in_force, name))
			return no_such(why, name);
		else
			snprintf(ret->missing, sizeof(ret->missing), "%s",
				 name);
	}
	return ret->count || in_force ? 0 : no_such(why, ret->missing);
}

static bool set_has(const struct uplink_set *set, __u32 ifindex)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->ifindexes[i] == ifindex)
			return true;
	return false;
}

bool uplinks_has(const struct uplinks *u, __u32 ifindex)
{
	return set_has(&u->set, ifindex);
}

bool uplinks_has_link(const struct uplinks *u, const struct link *l)
{
	return uplinks_has(u, l->ifindex) || uplinks_has(u, l->user_ifindex);
}

static void point_add(struct uplink_points *p, enum dp_hook hook,
		      __u32 ifindex)
{
	if (p->count < UPLINK_POINTS_MAX) {
		p->at[p->count].hook = hook;
		p->at[p->count++].ifindex = ifindex;
	}
}

/* What is attached to interfaces outside of a set. */
static void points_outside(const struct uplinks *u,
			   const struct uplink_set *set,
			   struct uplink_points *ret)
{
	struct dp_attachment list[UPLINK_POINTS_MAX];
	int count = dp_attachments(u->parts->dp, list, UPLINK_POINTS_MAX);

	ret->count = 0;
	for (int i = 0; i < count && i < UPLINK_POINTS_MAX; i++)
		if (!set_has(set, list[i].ifindex) &&
		    !set_has(&u->others, list[i].ifindex) &&
		    dp_hook_need(list[i].hook) != DP_NEED_HOST)
			point_add(ret, list[i].hook, list[i].ifindex);
}

static void points_detach(struct uplinks *u, const struct uplink_points *p)
{
	for (size_t i = p->count; i-- > 0;)
		dp_detach(u->parts->dp, p->at[i].hook, p->at[i].ifindex);
}

static enum dp_need needs(const struct uplinks *u)
{
	if (u->is_node)
		return DP_NEED_NODE;
	return parts_tables(u->parts)->runtime->has_local ? DP_NEED_LOCAL_NAT :
							    DP_NEED_ALWAYS;
}

static int cannot_attach(struct refusal *why, enum dp_hook hook,
			 __u32 ifindex, int err)
{
	char name[IF_NAMESIZE] = "?", text[DP_ATTACH_TEXT_MAX];

	if_indextoname(ifindex, name);
	return refuse(why, err, "cannot attach %s to \"%s\": %s",
		      dp_hook_name(hook), name,
		      dp_attach_text(hook, ifindex, err, text));
}

static int attach(struct uplinks *u, struct uplink_change *c, __u32 ifindex,
		  struct refusal *why)
{
	struct dp *dp = u->parts->dp;
	int err;

	for (int hook = 0; hook < NR_DP_HOOKS; hook++) {
		if (dp_hook_need(hook) > c->needs ||
		    dp_is_attached(dp, hook, ifindex))
			continue;
		err = dp_attach(dp, hook, ifindex);
		if (err)
			return cannot_attach(why, hook, ifindex, err);
		point_add(&c->attached, hook, ifindex);
	}
	return 0;
}

/* -EEXIST: nothing stands in the way but what is attached above one of them,
 * to a bridge or a VLAN. Any other error ends it. */
static int attach_all(struct uplinks *u, struct uplink_change *c,
		      struct refusal *why)
{
	int err, ret = 0;

	for (size_t i = 0; i < c->set.count; i++) {
		err = attach(u, c, c->set.ifindexes[i], why);
		if (err && err != -EEXIST)
			return err;
		ret = err ? err : ret;
	}
	return ret;
}

/* The kernel wants a bridge's program off before its port gets one, and
 * likewise a VLAN's: where ours is that, there is a moment without any. */
int uplinks_prepare(struct uplinks *u, struct uplink_change *c,
		    struct refusal *why)
{
	int err = attach_all(u, c, why);

	if (err == -EEXIST) {
		points_outside(u, &c->set, &c->detached);
		points_detach(u, &c->detached);
		if (c->detached.count)
			err = attach_all(u, c, why);
	}
	if (err)
		uplinks_undo(u, c);
	else
		nexthops_set_uplinks(u->parts->nexthops, c->set.ifindexes,
				     c->set.count);
	return err;
}

void uplinks_undo(struct uplinks *u, const struct uplink_change *c)
{
	struct refusal why;
	int err;

	nexthops_set_uplinks(u->parts->nexthops, u->set.ifindexes,
			     u->set.count);
	points_detach(u, &c->attached);
	for (size_t i = 0; i < c->detached.count; i++) {
		enum dp_hook hook = c->detached.at[i].hook;
		__u32 ifindex = c->detached.at[i].ifindex;

		err = dp_attach(u->parts->dp, hook, ifindex);
		if (err) {
			cannot_attach(&why, hook, ifindex, err);
			log_error(0, "%s", why.text);
		}
	}
}

/* The first that somebody has set down. NULL: all are up. */
static const char *find_down(const struct uplinks *u)
{
	const struct nexthops *n = u->parts->nexthops;

	for (size_t i = 0; i < u->set.count; i++)
		if (!(nexthops_ifflags(n, u->set.ifindexes[i]) & IFF_UP))
			return nexthops_ifname(n, u->set.ifindexes[i]);
	return NULL;
}

/* What is attached as it should be, and yet is not served. */
static void set_refuse(struct uplinks *u)
{
	struct refusal before = u->refusal;
	const char *down = find_down(u);

	u->refusal = (struct refusal){};
	if (*u->set.missing)
		refuse(&u->refusal, 0, "uplink \"%s\" is missing: it is served "
		       "when it comes", u->set.missing);
	else if (down)
		refuse(&u->refusal, 0, "uplink \"%s\" is down: it is served "
		       "when it is up", down);
	if (*u->refusal.text && strcmp(before.text, u->refusal.text))
		log_warning(0, "%s", u->refusal.text);
}

static bool is_native(const struct uplinks *u, __u32 ifindex)
{
	struct dp_attachment list[UPLINK_POINTS_MAX];
	int count = dp_attachments(u->parts->dp, list, UPLINK_POINTS_MAX);

	for (int i = 0; i < count && i < UPLINK_POINTS_MAX; i++)
		if (list[i].ifindex == ifindex &&
		    (list[i].mechanism == DP_XDP_NATIVE ||
		     list[i].mechanism == DP_XDP_DISPATCHER))
			return true;
	return false;
}

/* Of those that are new, once: `status` looks again whenever it is asked. */
static void say_devices(const struct uplinks *u, const struct uplink_set *new)
{
	char text[DEVICE_TEXT_MAX];
	struct device d;

	for (size_t i = 0; i < new->count; i++) {
		if (uplinks_has(u, new->ifindexes[i]) ||
		    !is_native(u, new->ifindexes[i]) ||
		    device_look(new->ifindexes[i], &d))
			continue;
		if (device_fault(&d, text))
			log_warning(0, "%s", text);
		else if (device_doubt(&d, text))
			log_hint("%s", text);
	}
}

void uplinks_commit(struct uplinks *u, const struct uplink_change *c)
{
	struct uplink_points others;

	say_devices(u, &c->set);
	u->set = c->set;
	nexthops_set_uplinks(u->parts->nexthops, u->set.ifindexes,
			     u->set.count);
	points_outside(u, &u->set, &others);
	points_detach(u, &others);
	set_refuse(u);
}

static void say_attached(const struct uplink_change *c, const char *how)
{
	char name[IF_NAMESIZE] = "?";

	for (size_t i = 0; i < c->attached.count; i++) {
		if_indextoname(c->attached.at[i].ifindex, name);
		log_info("%s is attached to \"%s\"%s",
			 dp_hook_name(c->attached.at[i].hook), name, how);
	}
}

static void attach_missing(struct uplinks *u, const char *how)
{
	struct uplink_change c = { .set = u->set, .needs = needs(u) };
	struct refusal before = u->refusal, why;
	int err = attach_all(u, &c, &why);

	say_attached(&c, how);
	if (!err) {
		set_refuse(u);
		if (*before.text && !*u->refusal.text)
			log_info("every uplink is served again");
		return;
	}
	u->refusal = why;
	if (strcmp(before.text, why.text))
		log_error(0, "%s", why.text);
}

void uplinks_attach(struct uplinks *u)
{
	attach_missing(u, "");
}

/* Of a device that backends are reached by and that is no uplink. */
static bool other_needs(const struct uplinks *u, enum dp_hook hook,
			__u32 ifindex)
{
	if (nexthops_is_l3(u->parts->nexthops, ifindex))
		return dp_hook_need(hook) == DP_NEED_L3;
	return dp_hook_need(hook) == DP_NEED_LOCAL_NAT ||
	       dp_hook_need(hook) == DP_NEED_NODE;
}

/* That one cannot be had is said of uplinks; of these, by hints. */
static void others_attach(struct uplinks *u)
{
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		for (size_t i = 0; i < u->others.count; i++)
			if (other_needs(u, hook, u->others.ifindexes[i]))
				dp_attach(u->parts->dp, hook,
					  u->others.ifindexes[i]);
}

/* What the host sends to itself: without it, its own node ports are served to
 * all but itself. */
static void loopback_attach(struct uplinks *u)
{
	char text[DP_ATTACH_TEXT_MAX];
	int err = 0;

	if (dp_is_shadow(u->parts->dp))
		return;
	for (int hook = 0; hook < NR_DP_HOOKS && !err; hook++) {
		if (dp_hook_need(hook) != DP_NEED_HOST)
			continue;
		err = dp_attach(u->parts->dp, hook, LOOPBACK_IFINDEX);
		if (err && !u->is_loopback_told)
			log_warning(0, "cannot attach %s to the loopback: %s",
				    dp_hook_name(hook),
				    dp_attach_text(hook, LOOPBACK_IFINDEX, err,
						   text));
	}
	if (!err) {
		err = loopback_trust(true);
		if (err && !u->is_loopback_told)
			log_warning(err, "cannot write 1 to /proc/sys/"
				    LOOPBACK_ACCEPTS);
	}
	if (err && !u->is_loopback_told)
		log_hint("this node does not reach its own node ports; other "
			 "hosts and pods do");
	u->is_loopback_told = err;
}

static void loopback_detach(struct uplinks *u)
{
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_HOST)
			dp_detach(u->parts->dp, hook, LOOPBACK_IFINDEX);
	loopback_trust(false);
}

void uplinks_check(struct uplinks *u)
{
	attach_missing(u, " again: somebody had detached it");
	others_attach(u);
	if (u->is_node)
		loopback_attach(u);
}

static void local_set(struct uplinks *u, __u8 has_local)
{
	struct runtime *rt = parts_tables(u->parts)->runtime;

	__atomic_store_n(&rt->has_local, has_local, __ATOMIC_RELEASE);
}

void uplinks_local_begin(struct uplinks *u)
{
	local_set(u, 1);
	uplinks_attach(u);
}

static void detach_all(struct uplinks *u, enum dp_need need)
{
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		for (size_t i = 0; i < u->set.count; i++)
			if (dp_hook_need(hook) == need)
				dp_detach(u->parts->dp, hook,
					  u->set.ifindexes[i]);
}

void uplinks_local_end(struct uplinks *u)
{
	local_set(u, 0);
	detach_all(u, DP_NEED_LOCAL_NAT);
}

void uplinks_set_others(struct uplinks *u, const struct uplink_set *set)
{
	struct uplink_points gone;

	if (!memcmp(&u->others, set, sizeof(*set)))
		return;
	u->others = *set;
	others_attach(u);
	points_outside(u, &u->set, &gone);
	points_detach(u, &gone);
}

void uplinks_set_node(struct uplinks *u, bool is_node)
{
	if (u->is_node == is_node)
		return;
	u->is_node = is_node;
	__atomic_store_n(&parts_tables(u->parts)->runtime->has_node, is_node,
			 __ATOMIC_RELEASE);
	if (is_node) {
		uplinks_attach(u);
		loopback_attach(u);
	} else {
		detach_all(u, DP_NEED_NODE);
		loopback_detach(u);
	}
}
