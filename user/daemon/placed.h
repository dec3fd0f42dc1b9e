/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the workloads of this host are: behind the interface that they name,
 * that is on the way to their address, or that is registered for them; and who
 * has one that several seem to have. Of enforcing.h.
 */
#ifndef FAIRLEAD_PLACED_H
#define FAIRLEAD_PLACED_H

#include <stdbool.h>

#include "model/policy.h"

struct enforcing;

/* A workload of this host, and its interface. */
struct placed {
	const struct model_workload *workload;	/* set's */
	__u32 ifindex;		/* 0: not found yet */
	bool has_lost;		/* an interface that is no more */
	bool has_moved;		/* it has other addresses: look where */
};

/* NULL: nobody is, here and below. */
struct placed *placed_at(const struct enforcing *p, __u32 ifindex);
struct placed *placed_find(const struct enforcing *p, const char *namespace,
			   const char *name);

/* Nobody is behind that interface. */
void placed_take_away(struct enforcing *p, __u32 ifindex);

/* Those are looked for that are not where they were; what is in the way of
 * policing some goes to p->refusal and p->missing. */
void placed_follow(struct enforcing *p);

#endif
