/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `serve` does: takes definitions from files and keeps the datapath in
 * step with them and with this host's links, routes and neighbours. Knows no
 * process matters (signals, privileges, locks): those are cmd_serve.c's.
 */
#ifndef FAIRLEAD_DAEMON_H
#define FAIRLEAD_DAEMON_H

#include <jansson.h>
#include <stdbool.h>

#include <linux/types.h>

#include "base/loop.h"

struct definitions_from;
struct daemon;

/* Where this daemon works; NULL: where all do. The texts outlive it. */
struct daemon_places {
	const char *pin_root;
	const char *cgroup_root;
	bool is_shadow;		/* everything is done but served: nothing is
				 * attached */
	const char *run_dir;	/* NULL: nothing is kept there */
	const char *health_state;	/* a file: see checking.h */
};

/* Load the definitions, open the datapath and put them in force. On failure
 * what was pinned goes on as it was. takeover_s: for so long, connections that
 * conntrack knows alone are left to it. Logs. */
int daemon_open(const struct definitions_from *from,
		const struct daemon_places *places, __u32 takeover_s,
		struct daemon **ret);
void daemon_close(struct daemon *d);	/* traffic goes on; NULL is fine */
void daemon_closep(struct daemon **d);

/* Wait for the kernel's news from now on. Logs. */
int daemon_start(struct daemon *d, struct loop *l);

/*
 * Follow a server, whose source is among what the definitions are from: what
 * it says is put in force as it comes. access is the daemon's from here on,
 * also on failure. Logs.
 */
struct access;
struct api;
struct spawner;
int daemon_follow(struct daemon *d, struct loop *l, struct api *api,
		  struct spawner *spawner, struct access *access);

/* Likewise the containers of an engine; their source stays the definitions'. */
struct containers;
int daemon_follow_containers(struct daemon *d, struct loop *l,
			     struct containers *containers,
			     struct spawner *spawner);

/* Answer those who ask over HTTP how this node is, once it is known whether a
 * server is followed. spawner stays the caller's. */
void daemon_probe(struct daemon *d, struct loop *l, struct spawner *spawner);

/* Check backends from now on, as is defined. spawner stays the caller's. */
void daemon_check(struct daemon *d, struct loop *l, struct spawner *spawner);

enum daemon_patience {
	DAEMON_MAY_RETRY,	/* half written, perhaps: complain of nothing */
	DAEMON_FINAL,
};

/* Read the files again and put in force what they say. Files that do not
 * check out change nothing; the errors are logged. -EINVAL as well where a
 * part of what they say is refused. */
int daemon_reload(struct daemon *d, enum daemon_patience patience);

/* What a control socket answers; arg is the daemon. */
json_t *daemon_answer(void *arg, const json_t *request);

#endif
