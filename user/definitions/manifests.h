/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The objects of all sources together, whatever file or server each is from,
 * to parts with services: a part for each port of a Service, in each family.
 */
#ifndef FAIRLEAD_MANIFESTS_H
#define FAIRLEAD_MANIFESTS_H

#include "source.h"

struct manifests;

int manifests_new(struct manifests **ret);
void manifests_free(struct manifests *m);	/* NULL is fine */

/* As a source with services; it does not refresh itself. */
struct source *manifests_source(struct manifests *m);

/*
 * Bring the parts in step with the objects of sources, and the node's own part
 * of settings with its Node. Objects that are refused are reported, and are no
 * failure. -ENOMEM: manifests_clear() is next.
 */
int manifests_refresh(struct manifests *m, struct source *const *sources,
		      size_t nr_sources, struct model *settings,
		      struct report *r);

/* Of the objects of all sources; NULL: there are none yet. */
struct kube_news;
struct kube_news *manifests_news(struct manifests *m);

/* Forget everything; no part is the index's any more. */
void manifests_clear(struct manifests *m);

#endif
