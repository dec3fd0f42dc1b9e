/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Kubernetes API as `serve` sees it: a process without rights that follows
 * it (client.h), what that one says, and how it stands. Nothing it says is
 * believed further than a definition is: it is parsed and checked here again.
 * What a process that ends had said holds until its successor has said all
 * anew.
 */
#ifndef FAIRLEAD_REMOTE_H
#define FAIRLEAD_REMOTE_H

#include <time.h>

#include "access.h"
#include "base/loop.h"
#include "http.h"
#include "kinds.h"
#include "process/record.h"
#include "process/spawner.h"

struct remote;

struct remote_ops {
	/* A list of all of this kind comes now; that was all. Not every begin
	 * has an end: a list that breaks off begins anew. */
	void (*begin)(void *arg, enum kube_kind kind);
	void (*end)(void *arg, enum kube_kind kind);
	/* An object that is new or has changed: enum record_event in r. Why
	 * no more is taken from this process; NULL: it is. */
	const char *(*put)(void *arg, enum kube_kind kind, struct record *r);
	void (*remove)(void *arg, enum kube_kind kind, const char *namespace,
		       const char *name);
	/* One that could not be told, as text says; what it was holds. */
	void (*skip)(void *arg, enum kube_kind kind, const char *namespace,
		     const char *name, const char *text);
	/* All that has come by now has been handed on. */
	void (*settled)(void *arg);
};

#define REMOTE_TEXT_MAX 512

struct remote_state {
	enum api_state state;
	time_t since_s;
	char text[REMOTE_TEXT_MAX];	/* why it is behind; printable */
};

/* Requests that were answered with a status; with 0, those that were not. */
#define REMOTE_STATUS_MAX 599

struct remote_requests {
	__u64 count[NR_HTTP_METHODS][REMOTE_STATUS_MAX + 1];
};

/* What is needed before anything else is open; logs. */
int remote_spawner_start(struct spawner **ret);

/* spawner is the caller's, access the remote's from here on, also on failure.
 * node: own name. -errno. */
int remote_open(struct loop *l, struct spawner *spawner, struct access *access,
		const char *node, const struct remote_ops *ops, void *arg,
		struct remote **ret);
void remote_close(struct remote *r);	/* NULL is fine */

/* Post an Event (event.h), now or when it can be; more than a few that wait
 * are left out. */
struct kube_event;
void remote_event(struct remote *r, const struct kube_event *e);

/* Follow what network policy needs as well, from now on, or no more. */
void remote_follow_policy(struct remote *r, bool is_on);
/* Is this kind followed? */
bool remote_follows(const struct remote *r, enum kube_kind kind);

const char *remote_server(const struct remote *r);
const struct remote_state *remote_state(const struct remote *r,
					enum kube_kind kind);

const struct remote_requests *remote_requests(const struct remote *r);

/* "services", "endpointslices", "nodes" ... */
const char *api_kind_name(enum kube_kind kind);
/* "asking", "following", "behind". */
const char *api_state_name(enum api_state state);

#endif
