// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See uplinks.h. */
#include <errno.h>
#include <string.h>

#include <net/if.h>

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
	struct dp_attachment list[4 * MODEL_UPLINKS_MAX];
	size_t room = sizeof(list) / sizeof(list[0]);
	int count = dp_attachments(u->parts->dp, list, room);

	for (int i = 0; i < count && (size_t)i < room; i++)
		if (!uplinks_has(u, list[i].ifindex))
			dp_detach(u->parts->dp, list[i].ifindex);
}

static int attach(struct uplinks *u, __u32 ifindex)
{
	int err = 0;

	if (parts_tables(u->parts)->runtime->has_local)
		err = dp_attach_local(u->parts->dp, ifindex);
	return err ? err : dp_attach(u->parts->dp, ifindex);
}

int uplinks_attach(struct uplinks *u, struct refusal *why)
{
	char name[IF_NAMESIZE] = "?";
	int err;

	for (size_t i = 0; i < u->set.count; i++) {
		err = attach(u, u->set.ifindexes[i]);
		if (!err)
			continue;
		if_indextoname(u->set.ifindexes[i], name);
		return refuse(why, err, "cannot attach to \"%s\"", name);
	}
	detach_others(u);
	return 0;
}

void uplinks_local_begin(struct uplinks *u)
{
	struct runtime *rt = parts_tables(u->parts)->runtime;

	__atomic_store_n(&rt->has_local, 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < u->set.count; i++)
		dp_attach_local(u->parts->dp, u->set.ifindexes[i]);
}

void uplinks_local_end(struct uplinks *u)
{
	struct runtime *rt = parts_tables(u->parts)->runtime;

	__atomic_store_n(&rt->has_local, 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < u->set.count; i++)
		dp_detach_local(u->parts->dp, u->set.ifindexes[i]);
}
