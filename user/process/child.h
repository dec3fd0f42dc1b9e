/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process of ours without rights (worker.h), as `serve` has it: what it says
 * comes as records of a channel, and one that ends, or says what it must not,
 * is replaced after a while.
 */
#ifndef FAIRLEAD_CHILD_H
#define FAIRLEAD_CHILD_H

#include <stdbool.h>

#include "channel.h"
#include "spawner.h"

struct child;

struct child_ops {
	/* One that knows nothing yet: tell it all. */
	void (*begun)(void *arg, struct channel *c);
	/* NULL, or why no more is taken from it. */
	const char *(*record)(void *arg, struct record *r);
	/* All that has come by now has been handed on; NULL: nobody asks. */
	void (*read_all)(void *arg);
	/* It is gone, as text says; another one begins later. NULL: nobody
	 * asks. */
	void (*ended)(void *arg, const char *text);
};

/* Begins at once; spawner is the caller's. -errno. */
int child_open(struct loop *l, struct spawner *spawner,
	       const struct child_ops *ops, void *arg, struct child **ret);
void child_close(struct child *c);	/* NULL is fine */

/* It is not to be believed, or does not answer, as why says: another one takes
 * its place. */
void child_renew(struct child *c, const char *why);

/* To say something; NULL: none is there. Good until the loop goes on. */
struct channel *child_channel(const struct child *c);

#endif
