/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A datapath to measure: fl_xdp loaded but attached nowhere, filled from a
 * model as the daemon fills it, and bench.bpf.c's programs on the same maps.
 * Larger than tests/lib/world.h, without a reference; aborts on failure.
 */
#ifndef FAIRLEAD_BENCH_WORLD_H
#define FAIRLEAD_BENCH_WORLD_H

#include <stdbool.h>

#include <fairlead/config.h>

#include "bench.h"
#include "bench.skel.h"
#include "kernel/dp.h"
#include "engine/reconcile.h"

struct world {
	struct dp *dp;
	struct state *state;
	struct bench_bpf *skel;
	struct bench_setup *setup;
	struct bench_flow *flows;	/* [BENCH_FLOWS_MAX] */
	__u32 now_s;
};

/* All services alike: addresses in a row, as many backends each. */
struct shape {
	enum forward forward;
	bool v6;		/* clients and services */
	bool backend_v6;
	unsigned int services, backends;
	bool tracked;		/* each flow's choice is recorded */
};

struct world *world_open(void);
void world_close(struct world *w);
void world_define(struct world *w, const struct shape *shape);
void world_forget_conns(struct world *w);
void world_confirm_conns(struct world *w);

/* The packet, and random flows of it. */
void world_clients(struct world *w, const struct shape *shape, bool syn);
void world_strangers(struct world *w, bool v6);

/* The packets that backends answer what is in conns with. */
void world_replies(struct world *w, const struct shape *shape);

#endif
