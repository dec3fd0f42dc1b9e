/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * This host's own addresses, which policies let pass: whether they are others
 * than before costs no list of them.
 */
#ifndef FAIRLEAD_HOST_ADDRS_H
#define FAIRLEAD_HOST_ADDRS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/nexthop.h"

struct host_addrs {
	struct addr *list;
	size_t count, room;
	__u64 digest;		/* in whatever order they came */
};

/* Without a list. */
struct host_addrs host_count(struct nexthops *n);

/* The list of what host_count() counted is the caller's; false: out of memory. */
bool host_list(struct nexthops *n, struct host_addrs *h);

#endif
