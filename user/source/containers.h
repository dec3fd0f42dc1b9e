/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The containers of an engine (Docker, Podman) as a source of definitions: a
 * process without rights that follows them (containers_worker.h), and what that
 * one says, checked here. Each end of a container that runs is a workload, as a
 * Pod of this node is. What was said stays until the first list is complete,
 * also while the engine, or the process, is made anew.
 */
#ifndef FAIRLEAD_CONTAINERS_H
#define FAIRLEAD_CONTAINERS_H

#include <time.h>

#include <net/if.h>

#include "base/loop.h"
#include "definitions/source.h"
#include "kinds.h"
#include "process/spawner.h"

#define CONTAINERS_SOCKET "/var/run/docker.sock"

struct containers;

struct containers_ops {
	/* Definitions are worth a reload. */
	void (*changed)(void *arg);
	/*
	 * The host's end of the interface with this MAC address of the network
	 * namespace at path, which is a stranger's. 0; -ENODEV: it has no end
	 * on this host that packets could be judged at; else, it cannot be
	 * looked at.
	 */
	int (*interface)(const char *path, const __u8 mac[6],
			 char ret[static IF_NAMESIZE]);
};

#define CONTAINERS_TEXT_MAX 256

struct containers_state {
	enum api_state state;
	time_t since_s;
	char text[CONTAINERS_TEXT_MAX];	/* why it is behind; printable */
};

/* socket: a path, or "unix://" and one. -EINVAL: it is neither; -ENOMEM. */
int containers_new(const char *socket, struct containers **ret);

/* For definitions_add(), which frees it, and c with it. */
struct source *containers_source(struct containers *c);

/* What is needed before anything else is open; logs. */
int containers_spawner_start(struct spawner **ret);

/* Follow from now on, until containers_stop(), which is before the source is
 * freed. spawner stays the caller's. -errno. */
int containers_start(struct containers *c, struct loop *l,
		     struct spawner *spawner, const struct containers_ops *ops,
		     void *arg);
void containers_stop(struct containers *c);

const char *containers_socket(const struct containers *c); /* its path */
const struct containers_state *containers_state(const struct containers *c);

/* How many run, and each of them that is not held to policies, or not all of
 * it, with the reason. */
size_t containers_count(const struct containers *c);
void containers_each_doubt(const struct containers *c,
			   void (*f)(void *arg, const char *name,
				     const char *why),
			   void *arg);

/* Why what it says may not be what is; "": it is. */
const char *containers_what_is_wrong(const struct containers *c);

#endif
