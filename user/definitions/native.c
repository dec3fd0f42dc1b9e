// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "base/cleanup.h"

enum top_key { TOP_NODE, TOP_UPLINKS, TOP_SERVICES, TOP_HASH_KEY,
	       TOP_TUNNEL_SOURCE, TOP_NAT, TOP_GUE_PORT, TOP_GENEVE_PORT,
	       TOP_GENEVE_VNI, TOP_TIMEOUTS, TOP_LIMITS, TOP_WORKLOADS,
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
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void native_free(struct native *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nr_services; i++)
		model_service_clear(&n->services[i].service);
	model_free(n->settings);
	free(n->services);
	free(n);
}

void native_freep(struct native **n)
{
	native_free(*n);
}

static void read_setting(struct reader *r, const struct tree_node *value,
			 enum setting s, struct native *n)
{
	if (!n->settings)
		n->settings = model_new();
	if (!n->settings) {
		r->no_memory = true;
		return;
	}
	n->at[s] = (struct place){ value->line, value->column };
	native_read_setting(r, value, s, n->settings);
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

static void read_services(struct reader *r, const struct tree_node *list,
			  struct native *n)
{
	if (tree_is_null(list))
		return;
	if (list->kind != TREE_SEQUENCE) {
		reader_error(r, list, "services needs a list");
		return;
	}
	n->services = calloc(list->count ?: 1, sizeof(*n->services));
	if (!n->services) {
		r->no_memory = true;
		return;
	}
	for (const struct tree_node *s = list->first; s; s = s->next) {
		struct native_service *to = &n->services[n->nr_services];

		if (native_read_service(r, s, to)) {
			n->nr_services++;
			continue;
		}
		model_service_clear(&to->service);
		*to = (struct native_service){};
	}
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

static void read_document(struct reader *r, const struct tree_node *root,
			  struct native *n)
{
	const struct tree_node *top[NR_TOP_KEYS] = {};

	value_keys(r, root, "a document", top_keys, top);
	if (top[TOP_WORKLOADS])
		reader_error(r, top[TOP_WORKLOADS],
			     "workloads: not supported by this version");
	if (top[TOP_POLICIES])
		reader_error(r, top[TOP_POLICIES],
			     "policies: not supported by this version");
	read_settings(r, n, top);
	if (top[TOP_SERVICES])
		read_services(r, top[TOP_SERVICES], n);
}

int native_read(struct reader *r, const struct tree_node *root,
		struct native **ret)
{
	struct native *n __cleanup(native_freep) = calloc(1, sizeof(*n));
	unsigned int before = r->report->count;

	if (!n)
		return -ENOMEM;
	if (!tree_is_null(root) && !is_foreign(r, root))
		read_document(r, root, n);
	if (r->no_memory)
		return -ENOMEM;
	*ret = take_ptr(n);
	return r->report->count == before ? 0 : -EINVAL;
}
