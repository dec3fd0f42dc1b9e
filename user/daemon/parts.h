/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the daemon joins: the datapath in the kernel, the books of what is in
 * its tables, and the host around it. daemon.c opens and closes them; the
 * objects of this folder are given them and outlived by them.
 */
#ifndef FAIRLEAD_PARTS_H
#define FAIRLEAD_PARTS_H

#include "engine/reconcile.h"
#include "host/nexthop.h"
#include "kernel/dp.h"

struct parts {
	struct dp *dp;
	struct state *state;
	struct nexthops *nexthops;
};

static inline struct tables *parts_tables(const struct parts *p)
{
	return dp_tables(p->dp);
}

#endif
