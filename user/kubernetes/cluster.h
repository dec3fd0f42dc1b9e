/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The objects that are there, and what they make together. One that comes or
 * changes costs its own service and no other; a service's port that comes out
 * the same as before is the same.
 *
 * A round of changes is: _begin(), _drop() what is not said any more, _put()
 * or _refuse() what is, then _update(). An object that is refused leaves in
 * force what was, for as long as it is there.
 */
#ifndef FAIRLEAD_KUBERNETES_CLUSTER_H
#define FAIRLEAD_KUBERNETES_CLUSTER_H

#include "claims.h"
#include "health.h"
#include "object.h"
#include "policy_object.h"
#include "ports.h"

struct kube_cluster;

int kube_cluster_new(struct kube_cluster **ret);
void kube_cluster_free(struct kube_cluster *c);	/* NULL is fine */

void kube_cluster_begin(struct kube_cluster *c);
/* No longer said where it was; of what is not there, nothing. */
void kube_cluster_drop(struct kube_cluster *c, const struct kube_object *o);
/* -EEXIST: another one of that kind and name is there, *ret_other. -ENOMEM. */
int kube_cluster_put(struct kube_cluster *c, struct kube_object *o,
		     const struct kube_object **ret_other);
/* o has mistakes, but a name. Where it never was right, o's item is in force if
 * it has one. -ENOMEM. */
int kube_cluster_refuse(struct kube_cluster *c, struct kube_object *o);

/* Not said any more, but to be as if it were refused: unless another one is
 * said. Once o was put. */
void kube_cluster_keep(struct kube_cluster *c, const struct kube_object *o);

/* What comes of a round. from: the Service. */
struct kube_changes {
	/* Into force, and out of it, before s is let go of. -ENOMEM. */
	int (*add)(void *arg, struct model_service *s);
	int (*remove)(void *arg, const struct model_service *s);
	/* What `from` does not get; said in each round. other: the Service that
	 * has it; NULL: others. */
	void (*lost)(void *arg, const struct kube_object *from,
		     const struct loss *loss, const struct kube_object *other);
	void *arg;
	/* To network policy: `was` goes (NULL: it is new), and `is`, of the
	 * object `from`, comes (NULL: it is gone). Before `was` is let go of.
	 * NULL: nobody is told. -ENOMEM. */
	int (*item)(void *arg, enum policy_item kind, void *was, void *is,
		    const struct kube_object *from);
};

/*
 * Who serves besides the Services of the API. They are what the operator of
 * this machine wrote, and are before any Service.
 */
struct kube_others {
	__u64 version;		/* another one: answers may be others */
	bool (*has_name)(void *arg, const char *name);
	/* Are they reached there? */
	bool (*serve)(void *arg, const struct model_front *f, __u8 proto);
	/* Or do they need it for something else? */
	bool (*use)(void *arg, const struct model_front *f, __u8 proto);
	void *arg;
};

struct kube_settings {
	const char *node;	/* our name */
	bool masquerade_all;
	const struct kube_others *others;	/* NULL: none */
};

/* -ENOMEM: some of it may have been told; the next round goes on. */
int kube_cluster_update(struct kube_cluster *c, const struct kube_settings *s,
			const struct kube_changes *changes);

/* Something that was there when this process began may not be known: it is
 * refused, and was never right since. */
bool kube_cluster_lacks(const struct kube_cluster *c);
/* Likewise of what only network policy reads, but for pods; and of these. */
bool kube_cluster_lacks_policy(const struct kube_cluster *c);
bool kube_cluster_lacks_pods(const struct kube_cluster *c);

/* There are no objects. */
bool kube_cluster_is_empty(const struct kube_cluster *c);

/* How many are in force, of a family. */
size_t kube_cluster_node_ports(const struct kube_cluster *c, bool is4);

/* Our Node, as of the last round; NULL: it is not there. */
const struct kube_object *kube_cluster_node(const struct kube_cluster *c);

/* f for each Service that load balancers ask the node about. A failure ends it
 * and is returned. */
int kube_cluster_each_health(const struct kube_cluster *c,
			     int (*f)(void *arg, const char *namespace,
				      const char *name,
				      const struct kube_health *h),
			     void *arg);

/* What became of objects since the cluster is there. Who has read the triggers
 * sets their count to 0; those that find no room are left out. */
#define KUBE_TRIGGERS_MAX 1024
struct kube_news {
	__u64 changes[NR_KUBE_KINDS];	/* new, other, gone */
	__s64 triggers_us[KUBE_TRIGGERS_MAX];	/* of slices; since 1970 */
	size_t nr_triggers;
};
struct kube_news *kube_cluster_news(struct kube_cluster *c);

/* Is it deleted, or said to be soon (KEP-3836)? */
bool kube_node_leaves(const struct kube_node *n);

/* The address of a family by which a Node is known; false: it has none. */
bool kube_node_addr(const struct kube_node *n, bool is4, struct addr *ret);

#endif
