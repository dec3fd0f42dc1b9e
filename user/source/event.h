/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the cluster is told of us: an Event of events.k8s.io/v1. */
#ifndef FAIRLEAD_EVENT_H
#define FAIRLEAD_EVENT_H

#include <stdbool.h>

#include <linux/types.h>

struct kube_event {
	bool is_warning;
	const char *reason;	/* "Starting" */
	const char *action;	/* what was done, in a word */
	const char *note;
	const char *kind;	/* of the object that it is about */
	const char *namespace;	/* NULL: it has none */
	const char *name, *uid;
};

#define KUBE_EVENT_NOTE_MAX 1024	/* the API takes no more */

/* Where it is to be: the object's namespace, or "default". */
const char *kube_event_namespace(const struct kube_event *e);

/* JSON, the caller's; node: ours. now_us: since 1970. NULL: no memory. */
char *kube_event_json(const struct kube_event *e, const char *node,
		      __s64 now_us);

#endif
