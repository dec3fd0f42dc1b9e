/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which routes say that this node serves an address: a decision, from what is
 * served, what works and the time. Routes are written and read by routes.h; who
 * joins the two is the daemon. Here is no kernel, and no clock.
 */
#ifndef FAIRLEAD_ANNOUNCE_H
#define FAIRLEAD_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

#define ANNOUNCE_NAME_MAX 64

/* Does a service work, by who checks it? */
enum announce_verdict {
	ANNOUNCE_FAILS,
	ANNOUNCE_UNKNOWN,	/* its first round of checks is not done */
	ANNOUNCE_WORKS,
};

/* A service at an address; one with several front ends is several. */
struct announce_service {
	struct addr addr;	/* of a CIDR: the first */
	__u8 len;		/* bits of struct addr */
	enum announce_verdict verdict;
	const char *name;	/* read during the call alone */
};

/* What is decided from. */
struct announce_input {
	const struct model_announce *settings;
	struct announce_service *services; /* is sorted by announce_decide() */
	size_t nr_services;
	/* All definitions were read: an address that no service has is not
	 * wanted. Else it may be wanted yet, and keeps its route. */
	bool is_known;
	bool is_cut_off;	/* no packet gets to the programs */
	bool is_withdrawn;	/* by hand, all of them, at once */
	bool is_drained;	/* the node is, since then */
	__u64 drained_ms;
	__u64 now_ms;		/* of a clock that nobody sets */
};

enum announce_state {
	ANNOUNCE_ANNOUNCED,
	ANNOUNCE_DRAINING,	/* announced, as one that is about to go */
	ANNOUNCE_DRAINED,
	ANNOUNCE_HELD,		/* it works again, and not for long enough */
	ANNOUNCE_UNCHECKED,	/* it is not known yet whether it works */
	ANNOUNCE_DOWN,
	ANNOUNCE_CUT_OFF,
	ANNOUNCE_WITHDRAWN,
};

/* An address, or a prefix, that services are at. */
struct announce_address {
	struct addr addr;
	__u8 len;		/* bits of struct addr */
	enum announce_state state;
	__u32 metric;		/* of the route that is wanted; 0: none is */
	__u64 until_ms;		/* of DRAINING and HELD: the end of that */
	char service[ANNOUNCE_NAME_MAX]; /* of DOWN and UNCHECKED: one such */

	/* announce.c's own. */
	bool is_up;		/* it works, as far as is known */
	bool has_fallen;	/* it was up before */
	__u64 works_ms;		/* since when, if it has fallen; 0: it fails */
};

struct announcer {
	struct announce_address *list;	/* sorted by address and length */
	size_t count;
};

void announcer_clear(struct announcer *a);

/* A route of ours was there before us: it stays until more is known. -ENOMEM. */
int announce_adopt(struct announcer *a, const struct addr *addr, __u8 len,
		   __u32 metric);

/* Bring a->list in step. -ENOMEM: it is as it was. */
int announce_decide(struct announcer *a, const struct announce_input *in);

/* NULL: nobody is there. */
const struct announce_address *announce_find(const struct announcer *a,
					     const struct addr *addr,
					     __u8 len);

/* "announced", "draining", ... as JSON and people have it. */
const char *announce_state_name(enum announce_state state);

/* Why a is not announced, or not for long; "": it is. */
#define ANNOUNCE_WHY_MAX 128
const char *announce_why(const struct announce_address *a, __u64 now_ms,
			 char text[static ANNOUNCE_WHY_MAX]);

#endif
