/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One document that is a Kubernetes manifest: an object, or a list of them. It
 * means what it means in a cluster, so what an API server would fill in is.
 * Kinds that are of no use here are passed by, and said once.
 */
#ifndef FAIRLEAD_MANIFEST_H
#define FAIRLEAD_MANIFEST_H

#include "source.h"

/* Does it have a "kind" or "apiVersion"? */
bool manifest_is(const struct tree_node *root);

/* Tell the reader of objects of n and what is in it. */
struct kube_reader;
void manifest_tell(struct kube_reader *k, const struct tree_node *n);

/* Into p->objects, those with mistakes too: who uses them says so. -ENOMEM. */
int manifest_read(struct reader *r, const struct tree_node *root,
		  struct part *p);

#endif
