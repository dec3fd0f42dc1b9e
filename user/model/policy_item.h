/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The four kinds of things that a policy_set has, for who does with each of
 * them the same: the type behind void * is by the kind.
 */
#ifndef FAIRLEAD_MODEL_POLICY_ITEM_H
#define FAIRLEAD_MODEL_POLICY_ITEM_H

#include "policy.h"

enum policy_item {
	POLICY_ITEM_WORKLOAD,	/* struct model_workload */
	POLICY_ITEM_NAMESPACE,	/* struct model_namespace */
	POLICY_ITEM_NODE,	/* struct model_policy_node */
	POLICY_ITEM_POLICY,	/* struct model_policy */
	NR_POLICY_ITEMS,
};

/* "workload": for messages. */
const char *policy_item_kind(enum policy_item kind);

void *policy_item_hold(enum policy_item kind, void *item); /* one user more */
void policy_item_free(enum policy_item kind, void *item); /* NULL is fine */

/* The sign of a after b, in the order of a policy_set's lists. Policies of
 * different kinds may have one name: by tier then. */
int policy_item_compare(enum policy_item kind, const void *a, const void *b);

/* "default/web"; of what has no namespace, its name. */
const char *policy_item_text(enum policy_item kind, const void *item,
			     char text[static POLICY_NAME_MAX]);

/* Where a set has its list of a kind. */
void ***policy_set_list(struct policy_set *s, enum policy_item kind,
			size_t **ret_count);

#endif
