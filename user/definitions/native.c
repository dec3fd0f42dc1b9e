// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A document's keys, and who reads the value of each, see native.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "base/cleanup.h"

/* Keys of a document that are no settings. */
enum other_key { KEY_SERVICES, KEY_WORKLOADS, KEY_NAMESPACES, KEY_POLICIES,
		 NR_OTHER_KEYS };

static const char *const other_keys[] = {
	[KEY_SERVICES] = "services",
	[KEY_WORKLOADS] = "workloads",
	[KEY_NAMESPACES] = "namespaces",
	[KEY_POLICIES] = "policies",
};

/* What a document says: a value, or NULL, for each of its keys. */
struct top {
	const struct tree_node *others[NR_OTHER_KEYS];
	const struct tree_node *settings[NR_SETTINGS];
};

int native_fronts_make(struct native_service *s, size_t count)
{
	s->service->fronts = calloc(count, sizeof(*s->service->fronts));
	s->fronts = calloc(count, sizeof(*s->fronts));
	if (!s->service->fronts || !s->fronts)
		return -ENOMEM;
	s->service->nr_fronts = count;
	for (size_t i = 0; i < count; i++)
		s->fronts[i] = (struct native_front){
			.service = s,
			.front = &s->service->fronts[i],
		};
	return 0;
}

static void service_clear(struct native_service *s)
{
	model_service_free(s->service);
	free(s->fronts);
}

void native_clear(struct native *n)
{
	for (size_t i = 0; i < n->nr_services; i++)
		service_clear(&n->services[i]);
	for (size_t i = 0; i < n->nr_items; i++)
		policy_item_free(n->items[i].kind, n->items[i].item);
	if (n->settings)
		model_free(n->settings->model);
	free(n->settings);
	free(n->services);
	free(n->items);
	*n = (struct native){};
}

static void read_setting(struct reader *r, const struct tree_node *value,
			 enum setting s, struct native *n)
{
	if (!n->settings) {
		n->settings = calloc(1, sizeof(*n->settings));
		if (n->settings)
			n->settings->model = model_new();
	}
	if (!n->settings || !n->settings->model) {
		r->no_memory = true;
		return;
	}
	n->settings->given |= 1ull << s;
	n->settings->at[s] = (struct place){ value->line, value->column };
	native_read_setting(r, value, s, n->settings->model);
}

static bool is_group(enum setting s, const char *group)
{
	return setting_specs[s].group && !strcmp(setting_specs[s].group, group);
}

/* The settings of a group, which stand together from first on. */
static void read_group(struct reader *r, const struct tree_node *value,
		       enum setting first, struct native *n)
{
	const char *group = setting_specs[first].group;
	const struct tree_node *values[NR_SETTINGS] = {};
	const char *keys[NR_SETTINGS + 1] = {};
	int count = 0;

	if (tree_is_null(value))
		return;
	while (first + count < NR_SETTINGS && is_group(first + count, group)) {
		keys[count] = setting_specs[first + count].key;
		count++;
	}
	value_keys(r, value, group, keys, values);
	for (int i = 0; i < count; i++)
		if (values[i])
			read_setting(r, values[i], first + i, n);
}

static void read_settings(struct reader *r, struct native *n,
			  const struct top *top)
{
	for (int i = 0; i < NR_SETTINGS; i++) {
		if (!top->settings[i])
			continue;
		if (setting_specs[i].group)
			read_group(r, top->settings[i], i, n);
		else
			read_setting(r, top->settings[i], i, n);
	}
}

/* Room for one more; it was counted before. */
static void read_service(struct reader *r, const struct tree_node *item,
			 struct native *n)
{
	struct native_service *to = &n->services[n->nr_services];
	struct model_service blank = {};

	to->service = model_service_share(&blank);
	r->no_memory |= !to->service;
	if (to->service && native_read_service(r, item, to)) {
		n->nr_services++;
		return;
	}
	service_clear(to);
	*to = (struct native_service){};
}

static bool services_reserve(struct reader *r, struct native *n, size_t count)
{
	n->says_services = true;
	n->services = calloc(count ?: 1, sizeof(*n->services));
	if (!n->services)
		r->no_memory = true;
	return n->services;
}

static void read_services(struct reader *r, const struct tree_node *list,
			  struct native *n)
{
	if (!value_list(r, list, "services") ||
	    !services_reserve(r, n, list->count))
		return;
	for (const struct tree_node *s = list->first; s; s = s->next)
		read_service(r, s, n);
}

/* A group is known by its first setting. */
static bool is_top_key(int s)
{
	const char *group = setting_specs[s].group;

	return !group || !s || !is_group(s - 1, group);
}

static void read_top(struct reader *r, const struct tree_node *root,
		     struct top *ret)
{
	const struct tree_node *values[NR_SETTINGS + NR_OTHER_KEYS] = {};
	const char *keys[NR_SETTINGS + NR_OTHER_KEYS + 1] = {};
	int count = 0, places[NR_SETTINGS];

	for (int i = 0; i < NR_SETTINGS; i++) {
		if (!is_top_key(i))
			continue;
		places[count] = i;
		keys[count++] = setting_specs[i].group ?: setting_specs[i].key;
	}
	memcpy(keys + count, other_keys, sizeof(other_keys));
	value_keys(r, root, "a document", keys, values);
	for (int i = 0; i < count; i++)
		ret->settings[places[i]] = values[i];
	memcpy(ret->others, values + count, sizeof(ret->others));
}

/* What is written in a document except for its services. */
static void read_frame(struct reader *r, const struct tree_node *root,
		       struct native *n, struct top *top)
{
	static const enum policy_item kinds[] = {
		[KEY_WORKLOADS] = POLICY_ITEM_WORKLOAD,
		[KEY_NAMESPACES] = POLICY_ITEM_NAMESPACE,
		[KEY_POLICIES] = POLICY_ITEM_POLICY,
	};

	read_top(r, root, top);
	for (int i = KEY_WORKLOADS; i <= KEY_POLICIES; i++)
		if (top->others[i])
			native_read_items(r, top->others[i], kinds[i], n);
	read_settings(r, n, top);
}

static int result(const struct reader *r, unsigned int mistakes_before)
{
	if (r->no_memory)
		return -ENOMEM;
	return r->report->count == mistakes_before ? 0 : -EINVAL;
}

int native_read(struct reader *r, const struct tree_node *root,
		struct native *ret)
{
	struct top top = {};
	unsigned int before = r->report->count;

	if (!tree_is_null(root)) {
		read_frame(r, root, ret, &top);
		if (top.others[KEY_SERVICES])
			read_services(r, top.others[KEY_SERVICES], ret);
	}
	return result(r, before);
}

int native_read_frame(struct reader *r, const struct tree_node *root,
		      struct native *ret)
{
	struct top top = {};
	unsigned int before = r->report->count;

	read_frame(r, root, ret, &top);
	ret->says_services = true;
	return result(r, before);
}

int native_read_item(struct reader *r, const struct tree_node *item,
		     struct native *ret)
{
	unsigned int before = r->report->count;

	if (services_reserve(r, ret, 1))
		read_service(r, item, ret);
	return result(r, before);
}
