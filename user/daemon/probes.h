/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where those ask who want to know how this node is: sockets are opened here,
 * as the model in force says, and given to `fairlead: http` (web/web.h), which
 * answers by what it is told from here. They stay open while that process is
 * made anew.
 */
#ifndef FAIRLEAD_PROBES_H
#define FAIRLEAD_PROBES_H

#include <stdbool.h>

#include "applying.h"
#include "base/loop.h"
#include "parts.h"
#include "refusal.h"
#include "sync.h"
#include "web/web.h"

struct child;
struct metrics;
struct overview;
struct spawner;

/* A socket that is wanted. */
struct probe {
	enum web_place place;
	struct addr addr;	/* all zero or 0.0.0.0: any */
	__u16 port;		/* host order */
	struct web_listener said; /* id 0: not open */
	int fd;			/* owned; -1: it cannot be opened, */
	int err;		/* because of that */
	bool is_news;		/* said is not what the process knows */
};

struct probes {
	const struct parts *parts;
	const struct applying *applying;
	struct metrics *metrics;
	const struct overview *overview;
	struct sync *sync;
	bool is_following;	/* an API server: a node has its defaults */
	struct loop *loop;	/* NULL: not started */
	struct spawner *spawner;
	struct child *child;	/* NULL: nobody can ask */
	struct probe *list;	/* sorted; owned */
	size_t count;
	__u32 last_id;		/* that was given away */
	__u64 asked_ms[NR_WEB_TEXTS];	/* they were, last time */
	__u64 config_told;	/* number of what was in force; 0: not told */
	struct web_pulse pulse;	/* what was said last */
	struct refusal refusal;	/* of a socket that cannot be opened */
	/* A Service's socket cannot be opened; NULL: nobody asks. */
	void (*failed)(void *arg, const struct probe *p);
	void *arg;
};

/* From now on. spawner stays the caller's. */
void probes_start(struct probes *p, struct loop *l, struct spawner *spawner);
void probes_stop(struct probes *p);

/* Another model is in force, or the host has other addresses; also now and
 * then, as what could not be opened may be free now. */
void probes_update(struct probes *p);

/* Say how we are; every second or so. */
void probes_tell(struct probes *p);

#endif
