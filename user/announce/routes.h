/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's routes that are ours: of type blackhole, of one protocol, which
 * marks them, in one table. Others in that table are never seen here and never
 * changed.
 */
#ifndef FAIRLEAD_ROUTES_H
#define FAIRLEAD_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

struct routes;

struct announce_route {
	struct addr addr;	/* the first of its prefix */
	__u8 len;		/* bits of struct addr */
	__u32 metric;
};

/* Where ours are, and what marks them. */
struct routes_place {
	__u32 table;
	__u8 protocol;
};

int routes_open(struct routes **ret);
void routes_close(struct routes *r);	/* NULL is fine */
void routes_closep(struct routes **r);

/* To poll for reading. */
int routes_fd(const struct routes *r);
/* Take in what the kernel says. True: routes of place may be others now. */
bool routes_read(struct routes *r, const struct routes_place *place);

/* Those of place, by address, length and metric; owned by the caller. */
int routes_list(struct routes *r, const struct routes_place *place,
		struct announce_route **ret, size_t *ret_count);

/* -EEXIST: a route of somebody else's is there, with this metric. */
int routes_add(struct routes *r, const struct routes_place *place,
	       const struct announce_route *route);
/* 0 as well where it is gone already. */
int routes_remove(struct routes *r, const struct routes_place *place,
		  const struct announce_route *route);

/* All of them; counts in *ret_count, also on failure. */
int routes_remove_all(struct routes *r, const struct routes_place *place,
		      size_t *ret_count);

int announce_route_compare(const void *a, const void *b);

#endif
