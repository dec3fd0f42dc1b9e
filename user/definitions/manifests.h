/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The objects of all sources together, whatever file or server each is from,
 * to services: one for each port of a Service, in each family; and to items of
 * network policy.
 */
#ifndef FAIRLEAD_MANIFESTS_H
#define FAIRLEAD_MANIFESTS_H

#include "news.h"
#include "policy_index.h"
#include "rivals.h"
#include "source.h"

struct manifests;

int manifests_new(struct manifests **ret);
void manifests_free(struct manifests *m);	/* NULL is fine */

/* What a refresh works with besides objects. */
struct manifests_round {
	struct model *settings;	/* the node's own part is settled, too */
	struct rivals *rivals;
	struct news *news;
	struct policy_index *policy;
	struct report *report;
};

/*
 * Bring the services in step with the objects of sources: news is told, and so
 * is policy. Objects
 * that are refused are reported, and are no failure; nor is what somebody else
 * has. -ENOMEM: manifests_clear() is next.
 */
int manifests_refresh(struct manifests *m, struct source *const *sources,
		      size_t nr_sources, const struct manifests_round *round);

/* Of a family, after a refresh. */
bool manifests_have_node_ports(const struct manifests *m, bool is4);

/* Of the objects of all sources; NULL: there are none yet. */
struct kube_news *manifests_news(struct manifests *m);

/* Some of network policy is refused, and was never right. */
bool manifests_lack_policy(const struct manifests *m);
bool manifests_lack_pods(const struct manifests *m);

/* Forget everything. */
void manifests_clear(struct manifests *m);

#endif
