// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "base/cleanup.h"

enum top_key { TOP_NODE, TOP_UPLINKS, TOP_SERVICES, TOP_HASH_KEY,
	       TOP_TUNNEL_SOURCE, TOP_NAT, TOP_GUE_PORT, TOP_GENEVE_PORT,
	       TOP_GENEVE_VNI, TOP_TIMEOUTS, TOP_LIMITS, TOP_ANSWERS, TOP_WORKLOADS,
	       TOP_POLICIES, NR_TOP_KEYS };

static const char *const top_keys[] = {
	[TOP_NODE] = "node",
	[TOP_UPLINKS] = "uplinks",
	[TOP_SERVICES] = "services",
	[TOP_HASH_KEY] = "hash-key",
	[TOP_TUNNEL_SOURCE] = "tunnel-source",
	[TOP_NAT] = "nat",
	[TOP_GUE_PORT] = "gue-port",
	[TOP_GENEVE_PORT] = "geneve-port",
	[TOP_GENEVE_VNI] = "geneve-vni",
	[TOP_TIMEOUTS] = "timeouts",
	[TOP_LIMITS] = "limits",
	[TOP_ANSWERS] = "answers",
	[TOP_WORKLOADS] = "workloads",
	[TOP_POLICIES] = "policies",
	[NR_TOP_KEYS] = NULL,
};

/* Keys whose value is the setting, and keys with settings below them. */
static const struct { enum top_key key; enum setting setting; } plain[] = {
	{ TOP_NODE, SETTING_NODE },
	{ TOP_UPLINKS, SETTING_UPLINKS },
	{ TOP_HASH_KEY, SETTING_HASH_KEY },
	{ TOP_TUNNEL_SOURCE, SETTING_TUNNEL_SOURCE },
	{ TOP_GUE_PORT, SETTING_GUE_PORT },
	{ TOP_GENEVE_PORT, SETTING_GENEVE_PORT },
	{ TOP_GENEVE_VNI, SETTING_GENEVE_VNI },
};

#define GROUP_KEYS_MAX 8

static const struct {
	enum top_key key;
	const char *const names[GROUP_KEYS_MAX];
	enum setting first;	/* of names[0]; the others follow it */
} groups[] = {
	{ TOP_NAT, { "addresses", "ports" }, SETTING_NAT_ADDRESSES },
	{ TOP_TIMEOUTS, { "tcp", "udp", "sctp", "syn", "closing", "fragment" },
	  SETTING_IDLE_TCP },
	{ TOP_LIMITS, { "services", "backends", "slots", "connections" },
	  SETTING_MAX_SERVICES },
	{ TOP_ANSWERS, { "per-second", "per-network" }, SETTING_ANSWERS },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

int native_fronts_make(struct native_service *s, size_t count)
{
	s->service.fronts = calloc(count, sizeof(*s->service.fronts));
	s->fronts = calloc(count, sizeof(*s->fronts));
	if (!s->service.fronts || !s->fronts)
		return -ENOMEM;
	s->service.nr_fronts = count;
	for (size_t i = 0; i < count; i++)
		s->fronts[i] = (struct native_front){
			.service = s,
			.front = &s->service.fronts[i],
		};
	return 0;
}

static void service_clear(struct native_service *s)
{
	model_service_clear(&s->service);
	free(s->fronts);
}

void native_clear(struct native *n)
{
	for (size_t i = 0; i < n->nr_services; i++)
		service_clear(&n->services[i]);
	if (n->settings)
		model_free(n->settings->model);
	free(n->settings);
	free(n->services);
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
	n->settings->given |= 1u << s;
	n->settings->at[s] = (struct place){ value->line, value->column };
	native_read_setting(r, value, s, n->settings->model);
}

static void read_settings(struct reader *r, struct native *n,
			  const struct tree_node *const *top)
{
	for (size_t i = 0; i < COUNT(plain); i++)
		if (top[plain[i].key])
			read_setting(r, top[plain[i].key], plain[i].setting, n);

	for (size_t i = 0; i < COUNT(groups); i++) {
		const struct tree_node *values[GROUP_KEYS_MAX] = {};
		const struct tree_node *group = top[groups[i].key];

		if (!group || tree_is_null(group))
			continue;
		value_keys(r, group, top_keys[groups[i].key], groups[i].names,
			   values);
		for (int j = 0; j < GROUP_KEYS_MAX; j++)
			if (values[j])
				read_setting(r, values[j], groups[i].first + j,
					     n);
	}
}

/* Room for one more; it was counted before. */
static void read_service(struct reader *r, const struct tree_node *item,
			 struct native *n)
{
	struct native_service *to = &n->services[n->nr_services];

	if (native_read_service(r, item, to)) {
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

static const struct tree_node *find(const struct tree_node *map,
				    const char *key)
{
	for (const struct tree_node *k = map->first; k; k = k->next->next)
		if (!strcmp(k->text, key))
			return k;
	return NULL;
}

/* Something that another dialect, or a later version, would understand. */
static bool is_foreign(struct reader *r, const struct tree_node *root)
{
	const struct tree_node *kind;

	if (root->kind != TREE_MAPPING)
		return false;
	kind = find(root, "kind") ?: find(root, "apiVersion");
	if (!kind)
		return false;
	if (kind->next->kind == TREE_SCALAR && !strcmp(kind->text, "kind"))
		reader_error(r, kind,
			     "Kubernetes manifest (kind \"%.64s\"): not supported by this version",
			     kind->next->text);
	else
		reader_error(r, kind,
			     "Kubernetes manifest: not supported by this version");
	return true;
}

/* What is written of top[] except for services. */
static void read_frame(struct reader *r, const struct tree_node *root,
		       struct native *n, const struct tree_node **top)
{
	value_keys(r, root, "a document", top_keys, top);
	if (top[TOP_WORKLOADS])
		reader_error(r, top[TOP_WORKLOADS],
			     "workloads: not supported by this version");
	if (top[TOP_POLICIES])
		reader_error(r, top[TOP_POLICIES],
			     "policies: not supported by this version");
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
	const struct tree_node *top[NR_TOP_KEYS] = {};
	unsigned int before = r->report->count;

	if (!tree_is_null(root) && !is_foreign(r, root)) {
		read_frame(r, root, ret, top);
		if (top[TOP_SERVICES])
			read_services(r, top[TOP_SERVICES], ret);
	}
	return result(r, before);
}

int native_read_frame(struct reader *r, const struct tree_node *root,
		      struct native *ret)
{
	const struct tree_node *top[NR_TOP_KEYS] = {};
	unsigned int before = r->report->count;

	if (!is_foreign(r, root))
		read_frame(r, root, ret, top);
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
