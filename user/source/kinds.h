/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The objects that are followed, and how an API server is asked for them: what
 * a service proxy reads, and network policy, with the selectors that keep the
 * rest away.
 */
#ifndef FAIRLEAD_KINDS_H
#define FAIRLEAD_KINDS_H

#include "kubernetes/object.h"
#include "paths.h"
#include "reflector.h"

/* What is known of a kind at present, and is told to who runs this. */
enum api_state {
	API_ASKING,		/* no list is complete yet */
	API_FOLLOWING,
	API_BEHIND,		/* something is in the way, as a text says */
	NR_API_STATES,
};

/* The node's name goes into its selector. False: it is too long. */
struct kinds {
	struct reflector_kind kinds[NR_KUBE_KINDS];
	char node_selector[300];
	struct path_node *fields[NR_KUBE_KINDS];	/* owned */
};

/* Without policy. -EINVAL: node is no name. -ENOMEM. */
int kinds_init(struct kinds *k, const char *node);
/* All Nodes, as policies may name any, or our own. Who follows them begins
 * anew. */
void kinds_follow_policy(struct kinds *k, bool is_on);
void kinds_clear(struct kinds *k);

#endif
