/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is served as it was defined and yet will not work, as far as the host
 * around it shows: for `status` and, when it is news, the log.
 */
#ifndef FAIRLEAD_HINTS_H
#define FAIRLEAD_HINTS_H

#include "enforcing.h"
#include "parts.h"
#include "refusal.h"
#include "sockets.h"
#include "ways.h"

enum hint {
	HINT_NO_UPLINK,		/* answers to NAT come in where nobody looks */
	HINT_NO_WAY,		/* no route, or no neighbour that answers */
	HINT_NO_TUNNEL,		/* to where a service is to go in one */
	HINT_NO_CARRIER,	/* an uplink that is up, without a cable */
	HINT_NO_SOCKETS,	/* of the node itself */
	HINT_NO_SWEEP,		/* of sockets that are connected to nobody */
	HINT_NO_WORKLOAD,	/* a workload that is nowhere */
	HINT_CUT_RULES,		/* one that has too many rules */
	HINT_CONTEST,		/* one whose address another one has */
	HINT_CLOSED,		/* a namespace whose policies are too much */
	HINT_GREEDY,		/* one that has its share of connections */
	NR_HINTS,
};

struct hints {
	const struct parts *parts;
	const struct uplinks *uplinks;
	const struct ways *ways;
	unsigned int changes;	/* of ways, when all were right */
	const struct sockets *sockets;
	const struct enforcing *enforcing;
	struct refusal found[NR_HINTS];	/* at the last look; "": nothing */
	struct refusal told[NR_HINTS];	/* and at the one before as well */
};

/* Look; to be called every second or so: what is found twice is told. */
void hints_check(struct hints *h);

#endif
