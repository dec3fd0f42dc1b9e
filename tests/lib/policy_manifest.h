/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Namespaces, nodes, pods and policies as manifests, a document each: to be
 * served, or to be read by people. What the API has no words for (a name of a
 * port with a protocol in a ClusterNetworkPolicy, say) is written in spite of
 * it, for people.
 */
#ifndef FAIRLEAD_TEST_POLICY_MANIFEST_H
#define FAIRLEAD_TEST_POLICY_MANIFEST_H

#include <stdio.h>

#include "model/policy.h"

void manifest_namespace(FILE *f, const struct model_namespace *n);
void manifest_node(FILE *f, const struct model_policy_node *n);
/* On a node called here if it is, else on one called elsewhere. */
void manifest_pod(FILE *f, const struct model_workload *w);
void manifest_policy(FILE *f, const struct model_policy *p);

#endif
