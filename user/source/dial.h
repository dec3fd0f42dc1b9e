/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Questions to a container engine, at its socket, for a process that is not
 * trusted: whoever may write to that socket is root of this host, as he may
 * have a container made that is. So what is asked is written here, one of three
 * things; what is answered goes on to the process, byte by byte, by a socket of
 * its own, and nothing that it writes to that gets anywhere.
 */
#ifndef FAIRLEAD_DIAL_H
#define FAIRLEAD_DIAL_H

#include "base/loop.h"

enum dial {
	DIAL_EVENTS,		/* of containers and networks, without end */
	DIAL_LIST,		/* of containers that run */
	DIAL_CONTAINER,		/* one of them */
	NR_DIALS,
};

#define DIALS_MAX 8		/* connections at a time */
#define DIAL_PATH_MAX 300

struct dials;

/* -ENAMETOOLONG: path is none of a socket's; it is copied. -ENOMEM. */
int dials_new(struct loop *l, const char *path, struct dials **ret);
void dials_free(struct dials *d);	/* NULL is fine */

/* A new socket that the answer comes by, the caller's, or -errno. id: of a
 * container, checked by the caller (container_is_id()). */
int dials_make(struct dials *d, enum dial what, const char *id);

/* What is asked for, as in a request's first line. */
const char *dial_path(enum dial what, const char *id,
		      char ret[static DIAL_PATH_MAX]);

#endif
