// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See warnings.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "base/sysctl.h"
#include "host/device.h"
#include "kubeproxy/leftovers.h"
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

static int rp_filter_of(const char *ifname)
{
	char name[96];
	int ret;

	snprintf(name, sizeof(name), "net/ipv4/conf/%s/rp_filter", ifname);
	return sysctl_read(name, &ret, 1) ? 0 : ret;
}

/* The kernel takes the larger of an interface's and that of all; 1 is strict
 * (RFC 3704, 2.2). */
static bool is_rp_filter_strict(const char *ifname)
{
	int all = rp_filter_of("all");
	int own = rp_filter_of(ifname);

	return (own > all ? own : all) == 1;
}

/* One uplink's sources all have their way back by it. */
static void warn_of_rp_filter(struct dp *dp, json_t *list)
{
	struct dp_attachment all[UPLINKS_MAX];
	int count = dp_attachments(dp, all, UPLINKS_MAX), uplinks = 0;
	const char *strict = NULL;
	char name[IF_NAMESIZE];

	for (int i = 0; i < count && i < UPLINKS_MAX; i++) {
		if (all[i].hook != DP_HOOK_fl_xdp ||
		    !if_indextoname(all[i].ifindex, name))
			continue;
		uplinks++;
		if (!strict && is_rp_filter_strict(name))
			strict = strdupa(name);
	}
	if (strict && uplinks > 1)
		json_array_append_new(list, json_sprintf(
			"rp_filter is strict at \"%s\", one of %d uplinks: "
			"what comes in by another one than its answer would "
			"leave by is lost. \"sysctl net.ipv4.conf.%s.rp_filter=2\" "
			"mends it", strict, uplinks, strict));
}

/* Rules of others, on a node, where the stack has a part in it. */
static void warn_of_rules(json_t *list)
{
	struct leftovers_seen seen;

	leftovers_look(&seen);
	if (seen.in_force)
		json_array_append_new(list, json_string(
			"rules of kube-proxy are in force as well: what does "
			"not come by our programs goes by them. Stop it, and "
			"\"fairlead cleanup --kube-proxy\" removes them"));
	if (seen.forward_drops)
		json_array_append_new(list, json_string(
			"the policy of iptables' chain FORWARD is DROP: what "
			"goes from pod to pod is lost unless a rule accepts "
			"it. \"iptables -P FORWARD ACCEPT\" mends it"));
	if (seen.masquerade_random)
		json_array_append_new(list, json_string(
			"a rule of iptables masquerades with --random-fully, "
			"which may take the source ports that our NAT has: "
			"leave that out, or say nat: {ports: ...}"));
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
	if (t->runtime->has_node) {
		warn_of_rules(list);
		warn_of_rp_filter(dp, list);
	}
	return list;
}
