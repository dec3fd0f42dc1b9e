/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells when a file, or a file of a directory, may have another content:
 * written and closed, renamed over, removed, or reached through a symbolic
 * link that was switched (as Kubernetes does with a ConfigMap).
 */
#ifndef FAIRLEAD_WATCH_H
#define FAIRLEAD_WATCH_H

#include "loop.h"

struct watch;

enum watch_change {
	WATCH_WRITTEN,
	WATCH_GONE,	/* a name went away: maybe replaced in a moment */
};

/* f is called from the loop; path need not exist. -errno. */
int watch_new(struct loop *l, const char *path,
	      void (*f)(void *arg, enum watch_change change), void *arg,
	      struct watch **ret);
void watch_free(struct watch *w);	/* NULL is fine */

#endif
