// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_item.h. */
#include <stdio.h>
#include <string.h>

#include "policy_item.h"

const char *policy_item_kind(enum policy_item kind)
{
	static const char *const names[] = {
		[POLICY_ITEM_WORKLOAD] = "workload",
		[POLICY_ITEM_NAMESPACE] = "namespace",
		[POLICY_ITEM_NODE] = "node",
		[POLICY_ITEM_POLICY] = "policy",
	};

	return names[kind];
}

static unsigned int *users_of(enum policy_item kind, void *item)
{
	switch (kind) {
	case POLICY_ITEM_WORKLOAD:
		return &((struct model_workload *)item)->users;
	case POLICY_ITEM_NAMESPACE:
		return &((struct model_namespace *)item)->users;
	case POLICY_ITEM_NODE:
		return &((struct model_policy_node *)item)->users;
	default:
		return &((struct model_policy *)item)->users;
	}
}

void *policy_item_hold(enum policy_item kind, void *item)
{
	++*users_of(kind, item);
	return item;
}

void policy_item_free(enum policy_item kind, void *item)
{
	switch (kind) {
	case POLICY_ITEM_WORKLOAD:
		model_workload_free(item);
		break;
	case POLICY_ITEM_NAMESPACE:
		model_namespace_free(item);
		break;
	case POLICY_ITEM_NODE:
		model_policy_node_free(item);
		break;
	default:
		model_policy_free(item);
	}
}

/* What an item is known by. */
struct name {
	const char *namespace, *name;
	enum policy_tier tier;
};

static struct name name_of(enum policy_item kind, const void *item)
{
	const struct model_workload *w = item;
	const struct model_policy *p = item;

	switch (kind) {
	case POLICY_ITEM_WORKLOAD:
		return (struct name){ w->namespace, w->name, 0 };
	case POLICY_ITEM_NAMESPACE:
		return (struct name){
			"", ((struct model_namespace *)item)->name, 0
		};
	case POLICY_ITEM_NODE:
		return (struct name){
			"", ((struct model_policy_node *)item)->name, 0
		};
	default:
		return (struct name){ p->namespace, p->name, p->tier };
	}
}

int policy_item_compare(enum policy_item kind, const void *a, const void *b)
{
	const struct name x = name_of(kind, a), y = name_of(kind, b);

	return strcmp(x.namespace, y.namespace) ?: strcmp(x.name, y.name) ?:
	       (int)x.tier - (int)y.tier;
}

const char *policy_item_text(enum policy_item kind, const void *item,
			     char text[static POLICY_NAME_MAX])
{
	const struct name n = name_of(kind, item);

	snprintf(text, POLICY_NAME_MAX, "%.200s%s%.300s", n.namespace,
		 *n.namespace ? "/" : "", n.name);
	return text;
}

void ***policy_set_list(struct policy_set *s, enum policy_item kind,
			size_t **ret_count)
{
	switch (kind) {
	case POLICY_ITEM_WORKLOAD:
		*ret_count = &s->nr_workloads;
		return (void ***)&s->workloads;
	case POLICY_ITEM_NAMESPACE:
		*ret_count = &s->nr_namespaces;
		return (void ***)&s->namespaces;
	case POLICY_ITEM_NODE:
		*ret_count = &s->nr_nodes;
		return (void ***)&s->nodes;
	default:
		*ret_count = &s->nr_policies;
		return (void ***)&s->policies;
	}
}
