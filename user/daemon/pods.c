// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See pods.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "base/log.h"
#include "pods.h"
#include "enforcing.h"

#define CHECK_AT_ONCE 64	/* interfaces: a look at one costs 10 us */

void pods_clear(struct pods *p)
{
	free(p->ifindexes);
	p->ifindexes = NULL;
	p->count = 0;
}

static int compare(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool has(const __u32 *list, size_t count, __u32 ifindex)
{
	return count && bsearch(&ifindex, list, count, sizeof(*list), compare);
}

/* One that is just going is nobody's fault. */
static void attach(struct pods *p, __u32 ifindex)
{
	char name[IF_NAMESIZE], text[DP_ATTACH_TEXT_MAX];
	int err;

	for (int hook = 0; hook < NR_DP_HOOKS; hook++) {
		if (dp_hook_need(hook) != DP_NEED_POD)
			continue;
		err = dp_attach(p->parts->dp, hook, ifindex);
		if (!err || !if_indextoname(ifindex, name))
			continue;
		refuse(&p->found, err, "cannot attach %s to \"%s\", a pod's: "
		       "%s", dp_hook_name(hook), name,
		       dp_attach_text(hook, ifindex, err, text));
	}
}

static void detach(struct pods *p, __u32 ifindex)
{
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_POD)
			dp_detach(p->parts->dp, hook, ifindex);
}

/* What was found may have been of one that went. */
static void look_anew(struct pods *p)
{
	p->found = (struct refusal){};
	p->next = 0;
}

/* list, which is sorted and owned from now on, in place of those before. */
static void replace(struct pods *p, __u32 *list, size_t count)
{
	size_t came = 0, went = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (has(list, count, p->ifindexes[i]))
			continue;
		detach(p, p->ifindexes[i]);
		went++;
	}
	if (went)
		look_anew(p);
	for (size_t i = 0; i < count; i++) {
		if (has(p->ifindexes, p->count, list[i]))
			continue;
		attach(p, list[i]);
		came++;
	}
	if (came || went)
		log_debug("interfaces of pods: %zu came, %zu went", came, went);
	free(p->ifindexes);
	p->ifindexes = list;
	p->count = count;
}

static void say_news(const struct pods *p, const struct refusal *before)
{
	if (*p->refusal.text && strcmp(before->text, p->refusal.text))
		log_error(0, "%s", p->refusal.text);
}

static void find(struct pods *p)
{
	size_t count = nexthops_pods(p->parts->nexthops, NULL, 0);
	__u32 *list = calloc(count + 1, sizeof(*list));
	struct refusal before = p->refusal;

	if (!list) {
		refuse(&p->refusal, -ENOMEM, "no memory for a list of pods");
		return;
	}
	nexthops_pods(p->parts->nexthops, list, count);
	qsort(list, count, sizeof(*list), compare);
	replace(p, list, count);
	if (*p->found.text)
		p->refusal = p->found;
	say_news(p, &before);
}

/* What a process before us left, of which some may be gone. */
static void adopt(struct pods *p)
{
	int count = dp_pods(p->parts->dp, NULL, 0);
	struct dp_attachment *list = calloc(count + 1, sizeof(*list));

	p->ifindexes = calloc(count + 1, sizeof(*p->ifindexes));
	if (list && p->ifindexes)
		p->count = dp_pods(p->parts->dp, list, count);
	for (size_t i = 0; i < p->count; i++)
		p->ifindexes[i] = list[i].ifindex;
	if (p->count)
		qsort(p->ifindexes, p->count, sizeof(*p->ifindexes), compare);
	free(list);
}

/* Are there services of a node, or connections of some that are no more? Or
 * policies, which hold pods' interfaces, whoever serves? */
static bool is_node(const struct pods *p, const struct model *m)
{
	return model_has_node(m) || state_keeps(p->parts->state) ||
	       enforcing_is_wanted(m);
}

void pods_begin(struct pods *p, const struct model *m)
{
	const struct pod_match match = {
		.bridge = m->detect_local == DETECT_BRIDGE ? m->pod_bridge :
							     NULL,
		.prefix = m->detect_local == DETECT_INTERFACES ?
				  m->pod_interfaces : NULL,
	};

	if (!p->ifindexes)
		adopt(p);
	if (!is_node(p, m) && !(m->is_partial && p->count))
		return;
	p->are_here = true;
	nexthops_set_pods(p->parts->nexthops, &match);
	find(p);
}

void pods_settle(struct pods *p, const struct model *m)
{
	if (is_node(p, m) || m->is_partial)
		return;
	p->are_here = false;
	look_anew(p);
	p->refusal = (struct refusal){};
	nexthops_set_pods(p->parts->nexthops, NULL);
	for (size_t i = 0; i < p->count; i++)
		detach(p, p->ifindexes[i]);
	p->count = 0;
}

void pods_follow(struct pods *p)
{
	if (p->are_here)
		find(p);
}

bool pods_are_at(const struct pods *p, __u32 ifindex)
{
	return p->are_here && has(p->ifindexes, p->count, ifindex);
}

bool pods_has(const struct pods *p, const char *interface)
{
	__u32 ifindex = if_nametoindex(interface);

	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_POD &&
		    !dp_is_attached(p->parts->dp, hook, ifindex))
			return false;
	return has(p->ifindexes, p->count, ifindex);
}

/* That all are well is known when all were looked at. */
void pods_check(struct pods *p)
{
	struct refusal before = p->refusal;
	size_t end = p->next + CHECK_AT_ONCE;
	bool is_last;

	for (; p->next < p->count && p->next < end; p->next++)
		attach(p, p->ifindexes[p->next]);
	is_last = p->next >= p->count;
	if (is_last || *p->found.text)
		p->refusal = p->found;
	if (is_last)
		look_anew(p);
	say_news(p, &before);
}
