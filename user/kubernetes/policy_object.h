/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What Pods, Namespaces, Nodes and policies are to network policy: their items
 * in a policy_set (model/policy_item.h), made of what an object says. Mistakes
 * are the object's. A field that is not known, of a newer API perhaps, may take
 * away of what is allowed, so that what it is a part of allows nothing.
 *
 * Rules: the comments of networking.k8s.io/v1 NetworkPolicy and of
 * policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, and the validation
 * that an API server does of them.
 */
#ifndef FAIRLEAD_KUBERNETES_POLICY_OBJECT_H
#define FAIRLEAD_KUBERNETES_POLICY_OBJECT_H

#include "model/policy_item.h"
#include "object.h"

/*
 * Makes o->item. Of a policy with mistakes one that fails closed, for as long as
 * nothing better is known of it: what cannot be understood of it allows nothing,
 * and whom it selects is selected. Of a namespace, one without the labels that
 * are none. Of others with mistakes, and where those are of files in our own
 * dialect, none. -ENOMEM.
 */
int kube_item_make(struct kube_object *o);

/* Which kind it is; NR_POLICY_ITEMS: it has none. */
enum policy_item kube_item_kind(enum kube_kind kind);
void kube_item_free(enum kube_kind kind, void *item);

/* The item of a Pod, as one that is on this node or not: the same one, or a
 * copy where it is said to be elsewhere. One user more. NULL: no memory. */
struct model_workload *kube_pod_item(const struct kube_object *pod,
				     bool is_here);

/* A label's value; NULL: it has none. labels may be NULL. */
const char *kube_label(const struct kube_value *labels, const char *key);

#endif
