/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Kubernetes API as a source of definitions: a part for each object that
 * remote.h tells of. A new list replaces what there was when it is complete,
 * and nothing is said before Services and slices have been listed once; of
 * network policy nothing before all that it needs has been.
 */
#ifndef FAIRLEAD_API_H
#define FAIRLEAD_API_H

#include "definitions/source.h"
#include "remote.h"

struct api;

/* -ENOMEM. */
int api_new(const char *server, struct api **ret);

/* For definitions_add(), which frees it, and a with it. */
struct source *api_source(struct api *a);

/*
 * Follow from now on, until api_stop(), which is before the source is freed.
 * The spawner stays the caller's, access does not, also on failure. changed:
 * definitions are worth a reload. -errno.
 */
int api_start(struct api *a, struct loop *l, struct spawner *spawner,
	      struct access *access, const char *node,
	      void (*changed)(void *arg), void *arg);
void api_stop(struct api *a);

/* Follow Pods, Namespaces, all Nodes and policies as well, or no more; at any
 * time. True: that is news, which a reload is worth. */
bool api_follow_policy(struct api *a, bool is_on);
/* Is this kind followed? */
bool api_follows(const struct api *a, enum kube_kind kind);

const char *api_server(const struct api *a);

/* Tell the cluster, after api_start(); see event.h. */
struct kube_event;
void api_event(struct api *a, const struct kube_event *e);

/* NULL before api_start(). */
const struct remote_state *api_state(const struct api *a, enum kube_kind kind);

/* NULL before api_start(). */
const struct remote_requests *api_requests(const struct api *a);

/* Why what it says may not be what is; "": it is. */
const char *api_what_is_wrong(const struct api *a);

#endif
