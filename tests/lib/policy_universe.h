/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random namespaces, nodes, pods and policies of every shape, by the numbers of
 * chance.h. Each thing in it is held as sets hold it: what is edited is
 * replaced, so that sets made before stay what they are.
 */
#ifndef FAIRLEAD_TEST_POLICY_UNIVERSE_H
#define FAIRLEAD_TEST_POLICY_UNIVERSE_H

#include <stdio.h>

#include "model/policy.h"

#define UNIVERSE_ITEMS 64
#define UNIVERSE_OUTSIDERS 12

/* Pointers to things of one kind, in any order. */
struct universe_list {
	void *item[UNIVERSE_ITEMS];
	size_t count;
};

struct universe {
	struct universe_list namespaces, nodes, workloads, policies;
	struct addr host[2];	/* of this node */
	struct addr outsiders[UNIVERSE_OUTSIDERS];
	size_t nr_outsiders;
	unsigned int names;	/* so many were given */
	bool as_api;	/* policies are such as the API's objects can say */
};

struct universe_size {
	size_t namespaces, nodes, workloads, policies;
};

struct universe_size universe_any_size(void);

/* A zeroed one gets a world, with as many policies. */
void universe_begin(struct universe *u, const struct universe_size *size);
void universe_end(struct universe *u);

/* One thing comes, goes, or is another from now on. text: what. */
#define UNIVERSE_TEXT_MAX 128
void universe_edit(struct universe *u, char text[static UNIVERSE_TEXT_MAX]);

/* What it is now; the caller's. */
struct policy_set *universe_set(const struct universe *u);

/* One that is about what there is in u; the caller's. */
struct model_policy *universe_policy(struct universe *u);

/* Of these names and addresses, with any labels and names of ports. */
struct model_namespace *universe_namespace(const char *name);
struct model_policy_node *universe_node(const char *name,
					const struct addr addrs[static 2]);
struct model_workload *universe_pod(const char *namespace, const char *name,
				    const struct addr addrs[static 2]);

/* The list has it from now on. */
void universe_add(struct universe_list *l, void *item);

/* Of a pod, a node or nobody known. */
const struct addr *universe_addr(const struct universe *u);

/* Less and less of it, while differs() says that there still is a difference.
 * It is not for sets any more, but for printing. */
void universe_shrink(struct universe *u, bool (*differs)(struct universe *u));

#endif
