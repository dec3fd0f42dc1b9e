// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See uplinks.h. */
#include <errno.h>
#include <string.h>

#include <net/if.h>

#include "base/log.h"
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

int uplinks_find(const struct uplinks *u, const struct model *wanted,
		 const struct model *in_force, struct uplink_set *ret,
		 struct refusal *why)
{
	__u32 ifindex;

	*ret = (struct uplink_set){};
	if (!wanted->nr_uplinks)
		return find_default(u, ret, why);
	for (size_t i = 0; i < wanted->nr_uplinks; i++) {
		ifindex = if_nametoindex(wanted->uplinks[i]);
		if (ifindex)
			ret->ifindexes[ret->count++] = ifindex;
		else if (!is_known(in_force, wanted->uplinks[i]))
			return refuse(why, -ENODEV, "uplink \"%s\": no such "
				      "interface", wanted->uplinks[i]);
	}
	return 0;
}

void uplinks_set(struct uplinks *u, const struct uplink_set *set)
{
	u->set = *set;
	nexthops_set_uplinks(u->parts->nexthops, set->ifindexes, set->count);
}

bool uplinks_has(const struct uplinks *u, __u32 ifindex)
{
	for (size_t i = 0; i < u->set.count; i++)
		if (u->set.ifindexes[i] == ifindex)
			return true;
	return false;
}

bool uplinks_has_link(const struct uplinks *u, const struct link *l)
{
	return uplinks_has(u, l->ifindex) || uplinks_has(u, l->user_ifindex);
}

static void detach_others(struct uplinks *u)
{
	struct dp_attachment list[NR_DP_HOOKS * 2 * MODEL_UPLINKS_MAX];
	size_t room = sizeof(list) / sizeof(list[0]);
	int count = dp_attachments(u->parts->dp, list, room);

	for (int i = 0; i < count && (size_t)i < room; i++)
		if (!uplinks_has(u, list[i].ifindex))
			dp_detach(u->parts->dp, list[i].hook, list[i].ifindex);
}

static bool is_needed(const struct uplinks *u, enum dp_hook hook)
{
	switch (dp_hook_need(hook)) {
	case DP_NEED_ALWAYS:
		return true;
	case DP_NEED_LOCAL_NAT:
		return parts_tables(u->parts)->runtime->has_local;
	default:
		return false;
	}
}

static int attach(struct uplinks *u, __u32 ifindex, struct refusal *why)
{
	char name[IF_NAMESIZE] = "?", text[DP_ATTACH_TEXT_MAX];
	int err = 0;

	for (int hook = 0; hook < NR_DP_HOOKS; hook++) {
		if (is_needed(u, hook))
			err = dp_attach(u->parts->dp, hook, ifindex);
		if (!err)
			continue;
		if_indextoname(ifindex, name);
		return refuse(why, err, "cannot attach %s to \"%s\": %s",
			      dp_hook_name(hook), name,
			      dp_attach_text(hook, ifindex, err, text));
	}
	return 0;
}

int uplinks_attach(struct uplinks *u, struct refusal *why)
{
	int err = 0;

	for (size_t i = 0; i < u->set.count && !err; i++)
		err = attach(u, u->set.ifindexes[i], why);
	if (!err)
		detach_others(u);
	return err;
}

void uplinks_local_begin(struct uplinks *u)
{
	struct runtime *rt = parts_tables(u->parts)->runtime;
	struct refusal why;

	__atomic_store_n(&rt->has_local, 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < u->set.count; i++)
		if (attach(u, u->set.ifindexes[i], &why))
			log_error(0, "%s", why.text);
}

void uplinks_local_end(struct uplinks *u)
{
	struct runtime *rt = parts_tables(u->parts)->runtime;

	__atomic_store_n(&rt->has_local, 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < u->set.count; i++)
		dp_detach(u->parts->dp, DP_HOOK_fl_uplink_out,
			  u->set.ifindexes[i]);
}
