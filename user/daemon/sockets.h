/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs on sockets, for as long as services of a node are served: which
 * cgroup they are attached to, whose sockets they serve, and an end for those
 * UDP sockets whose backend is gone. Nothing depends on them: without, what is
 * not reached by packets alone is the node's own ports from the node itself.
 */
#ifndef FAIRLEAD_DAEMON_SOCKETS_H
#define FAIRLEAD_DAEMON_SOCKETS_H

#include <stdbool.h>

#include "model/model.h"
#include "parts.h"
#include "refusal.h"
#include "socket_pods.h"

struct sockets {
	const struct parts *parts;
	const char *cgroup_root;	/* NULL: the one of all processes */
	bool are_wanted;
	__u32 cgroup;			/* attached to; 0: none is open yet */
	struct socket_pods pods;
	unsigned int sweeps;		/* of stale sockets, that are due */
	struct refusal refusal;		/* they are wanted, and not served */
	struct refusal no_sweep;	/* stale ones cannot be closed */
};

/* Attach, before m's services are in force. */
void sockets_begin(struct sockets *s, const struct model *m);
/* m is in force. Without services of a node, nothing stays attached. */
void sockets_settle(struct sockets *s, const struct model *m);
/* Backends have come or gone: what is connected to one that is no more ends,
 * but for TCP, which never does. */
void sockets_sweep(struct sockets *s);
/* Every second or so: what others took away is made again. */
void sockets_check(struct sockets *s);

#endif
