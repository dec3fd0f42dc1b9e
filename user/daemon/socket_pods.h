/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pods whose sockets are served: those at addresses that somebody has said so
 * of, in network namespaces that have a name under /run/netns, as CNI's have.
 * A pod that is not known yet is served by packets.
 */
#ifndef FAIRLEAD_SOCKET_PODS_H
#define FAIRLEAD_SOCKET_PODS_H

#include "model/model.h"
#include "parts.h"

struct socket_pods {
	const struct parts *parts;
	struct known_namespace *list;	/* owned */
	size_t count, room;
	struct model_prefix nets[MODEL_NODEPORT_PREFIXES_MAX];
	__u32 nr_nets;
};

void socket_pods_clear(struct socket_pods *p);

/* Which addresses it is about, from now on; m NULL: none. */
void socket_pods_set(struct socket_pods *p, const struct model *m);
/* Every second or so: pods come and go. */
void socket_pods_follow(struct socket_pods *p);

#endif
