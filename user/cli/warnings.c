// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See warnings.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "warnings.h"

#define UPLINKS_MAX 64

struct natives {
	__u32 ifindexes[UPLINKS_MAX];
	size_t count;
};

/* Generic XDP sends by any device, and has complete checksums. */
static void natives_find(struct dp *dp, struct natives *ret)
{
	struct dp_attachment list[UPLINKS_MAX];
	int count = dp_attachments(dp, list, UPLINKS_MAX);

	ret->count = 0;
	for (int i = 0; i < count && i < UPLINKS_MAX; i++)
		if (list[i].hook == DP_HOOK_fl_xdp &&
		    (list[i].mechanism == DP_XDP_NATIVE ||
		     list[i].mechanism == DP_XDP_DISPATCHER))
			ret->ifindexes[ret->count++] = list[i].ifindex;
}

static bool is_native(const struct natives *n, __u32 ifindex)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->ifindexes[i] == ifindex)
			return true;
	return false;
}

static void warn_of_uplinks(const struct natives *n, json_t *list)
{
	char text[DEVICE_TEXT_MAX];
	struct device d;

	for (size_t i = 0; i < n->count; i++)
		if (!device_look(n->ifindexes[i], &d) && device_fault(&d, text))
			json_array_append_new(list, json_string(text));
}

static void warn_of_way(__u32 ifindex, json_t *list)
{
	struct device d;
	char peer[IF_NAMESIZE + 64] = "";

	if (device_look(ifindex, &d) || device_takes_frames(&d))
		return;
	if (d.peer != DEVICE_PEER_NONE)
		snprintf(peer, sizeof(peer), ", or \"ethtool -K %s gro on\" for "
			 "its peer", *d.peer_name ? d.peer_name : "PEER");
	json_array_append_new(list, json_sprintf(
		"backends are reached by \"%s\", which cannot send frames of "
		"XDP: what comes in by another interface is lost. Name it in "
		"uplinks:%s", d.name, peer));
}

/* Where frames come in by one interface and leave by another. */
static void warn_of_ways(const struct natives *n, const struct tables *t,
			 json_t *list)
{
	bool *seen = calloc(t->nr_links + 1, sizeof(*seen));
	__u32 link;

	for (__u32 i = 1; seen && i < t->nr_backends; i++) {
		link = t->backends[i].hop.link;
		if (!link || link >= t->nr_links || seen[link])
			continue;
		seen[link] = true;
		if (!is_native(n, t->links[link].ifindex))
			warn_of_way(t->links[link].ifindex, list);
	}
	free(seen);
}

json_t *warnings_list(struct dp *dp, const struct tables *t)
{
	json_t *list = json_array();
	struct natives natives;

	if (!list)
		return NULL;
	natives_find(dp, &natives);
	if (natives.count) {
		warn_of_uplinks(&natives, list);
		warn_of_ways(&natives, t, list);
	}
	return list;
}
