/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a process without rights does, from its first line to its last. Each
 * has one of these; spawner.h makes them.
 */
#ifndef FAIRLEAD_WORKER_H
#define FAIRLEAD_WORKER_H

#include "base/loop.h"
#include "sandbox.h"

struct worker {
	const char *title;	/* "fairlead: source" */
	enum sandbox sandbox;
	/* What all of them have in common, done once, without rights. NULL:
	 * nothing. -errno. */
	int (*prepare)(void);
	/* Do what is to be done on l, for who is at the other end of fd, which
	 * is its own from here on. What libraries open once, they open now: it
	 * is the last moment. -errno. */
	int (*open)(struct loop *l, int fd, void **ret);
	void (*close)(void *arg);	/* NULL is fine */
};

/* Without rights, until the loop is stopped. For the spawner. */
void worker_run(const struct worker *w, int fd);

#endif
