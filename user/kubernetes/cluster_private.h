/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What cluster.c (objects come and go), joined.c (what a Service and its
 * slices make) and entries.c (where both are found) work on; private to them.
 */
#ifndef FAIRLEAD_KUBERNETES_CLUSTER_PRIVATE_H
#define FAIRLEAD_KUBERNETES_CLUSTER_PRIVATE_H

#include "claims.h"
#include "cluster.h"
#include "endpoint_index.h"

enum said { SAID_NOT, SAID_WRONG, SAID_RIGHT };

/* An object by its kind and name, which key holds. */
struct entry {
	struct entry *next;		/* of its chain */
	struct entry *next_touched;
	struct entry *next_of_service;	/* another slice */
	struct kube_object *object;	/* held; NULL: none was ever right */
	struct joined *service;		/* of a Service, or of a slice */
	void *item;			/* held: what policy was told of it */
	struct entry *next_news;	/* one whose item may be another */
	enum said said;
	bool is_touched, is_news, is_wrong_since_start;
	__u64 hash;
	enum kube_kind kind;
	size_t key_len;
	char key[];			/* "namespace/name" */
};

/* What a Service and its slices make. It may have only one of both. */
struct joined {
	struct joined *next, *next_dirty;
	struct claimant claimant;
	struct entry *entry;		/* NULL: there are only slices */
	struct entry *slices;
	size_t nr_slices;
	/* Held; sorted by name; those that have front ends are in force. */
	struct model_service **served;
	size_t nr_served;
	struct kube_health health;
	struct joined *next_health, **at_health;	/* those with a port */
	bool is_dirty;
	__u64 hash;
	char key[];
};

struct table {
	void **chains;			/* first members are next */
	size_t size, count;		/* a power of two */
};

/* Of what, that was refused since the start, is there any? */
enum lacking {
	LACKING_SERVICES,
	LACKING_POLICY,		/* what network policy alone reads, */
	LACKING_PODS,		/* but for these */
	NR_LACKING,
};

struct kube_cluster {
	struct table entries, services;
	struct entry *touched, *items_news;
	struct joined *dirty, **dirty_end;	/* in the order in which they
						 * became so */
	struct claims claims;
	struct endpoint_index endpoints;	/* of what is served */
	struct kube_object *node;	/* held */
	char *node_name;
	bool masquerade_all, has_settings;
	const struct kube_others *others;	/* of the round; NULL: none */
	__u64 others_version;
	bool is_first;			/* round */
	size_t nr_lacking[NR_LACKING];
	struct joined *health;
	struct kube_news news;
};

/* entries.c */
#define KEY_MAX 400
size_t key_make(const char *namespace, const char *name, char *key);
struct entry *entry_find(const struct kube_cluster *c,
			 const struct kube_object *o);	/* NULL: none */
struct entry *entry_get(struct kube_cluster *c, const struct kube_object *o);
struct joined *joined_get(struct kube_cluster *c, const char *key);
void chain_remove(struct table *t, __u64 hash, void *item);

/* cluster.c */
void mark_dirty(struct kube_cluster *c, struct joined *s);

/* joined.c */
/* Once more, from its objects; what comes of it is told. It may be freed. */
int joined_update(struct kube_cluster *c, struct joined *s,
		  const struct kube_changes *changes);
/* Who did not get all. */
void losses_tell(const struct kube_cluster *c,
		 const struct kube_changes *changes);

#endif
