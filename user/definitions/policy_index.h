/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all sources say of network policy, to the policy_set of a model: sorted,
 * and each once. What files say in fairlead's own dialect comes before what
 * objects of Kubernetes do. One of ten thousand that changes costs the moving
 * of pointers, and no look at the others.
 */
#ifndef FAIRLEAD_POLICY_INDEX_H
#define FAIRLEAD_POLICY_INDEX_H

#include "model/policy_item.h"
#include "source.h"

/* One that somebody says, and who: either of both. */
struct policy_said {
	void *item;		/* held */
	struct native_item *native;
	struct kube_object *object;	/* held */
	bool is_double;		/* another one has its name */
	bool is_gone;		/* it is about to be left out */
};

struct policy_list {
	struct policy_said *said;	/* sorted, doubles side by side */
	size_t count, room;
	struct policy_said *came;
	size_t nr_came, came_room;
	void **went;			/* held */
	size_t nr_went, went_room;
	bool has_doubles;
};

struct policy_index {		/* starts zeroed */
	struct policy_list lists[NR_POLICY_ITEMS];
	struct policy_set *set;	/* of the last model; NULL: none */
	bool is_new;		/* there is something that it has not */
	/* Namespaces of workloads that nobody says; held, sorted. */
	struct model_namespace **made;
	size_t nr_made;
};

/* Says what files define twice; list: of all of them, and sorted by this. */
void policy_index_check(struct native_item **list, size_t count,
			struct report *r);

/* They are held until they went. -ENOMEM: policy_index_clear() is next. */
int policy_index_native(struct policy_index *x, struct native_item *n);
int policy_index_object(struct policy_index *x, enum policy_item kind,
			void *item, const struct kube_object *from);
int policy_index_went(struct policy_index *x, enum policy_item kind,
		      void *item);

/* Takes in what came and went, and says which objects do not count, as they
 * are defined already. -ENOMEM. */
int policy_index_settle(struct policy_index *x, struct report *r);

struct policy_index_round {
	bool says_policy;	/* even if there is nothing */
	bool knows_all, is_partial, lacks_refused; /* of struct policy_set */
};

/* The set of what is said, held for the caller; the same one as long as there
 * is nothing new. *ret NULL: nothing is said. -ENOMEM. */
int policy_index_set(struct policy_index *x,
		     const struct policy_index_round *round,
		     struct policy_set **ret);

void policy_index_clear(struct policy_index *x);

#endif
