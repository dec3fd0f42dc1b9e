/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which endpoints a service's port has, in one family, and which of them are
 * candidates: for those who may use any (the cluster set) and for those who
 * may use this node's alone (the local set).
 */
#ifndef FAIRLEAD_KUBERNETES_ENDPOINTS_H
#define FAIRLEAD_KUBERNETES_ENDPOINTS_H

#include <fairlead/types.h>

#include "object.h"

/* The node that we are on. */
struct kube_here {
	const char *node;	/* its name */
	const char *zone;	/* NULL, "": in none */
};

struct kube_member {
	struct addr addr;
	__u16 port;
	bool is_ready, is_serving, is_terminating;
	bool is_local;		/* on this node */
	bool in_cluster, in_local;	/* the sets; kube_members_choose() */
	const struct kube_endpoint *from;
};

/* Sorted by address and port, each once; from points into slices. */
struct kube_members {
	struct kube_member *list;	/* owned */
	size_t count;
};

/* Of what is asked for. */
struct kube_question {
	const char *port;	/* its name, "" if it has none */
	__u8 proto;
	bool is4;
};

/* slices: of the service, in any order. -ENOMEM. */
int kube_members_collect(struct kube_members *ret,
			 const struct kube_object *const *slices, size_t count,
			 const struct kube_question *q,
			 const struct kube_here *here);
void kube_members_clear(struct kube_members *m);

/*
 * Sets in_cluster if uses_cluster, in_local if uses_local. True: there is one
 * that somebody could use, though perhaps not from here: a set that is empty
 * all the same means that packets are dropped, not rejected.
 */
bool kube_members_choose(struct kube_members *m, bool uses_cluster,
			 bool uses_local, const struct kube_here *here);

#endif
