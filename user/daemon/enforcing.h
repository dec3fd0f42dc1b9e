/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policy in force: the room policy has its tables written, and is told
 * here which interface of this host each workload is behind. Our programs on
 * those interfaces are pods.h's to attach.
 */
#ifndef FAIRLEAD_ENFORCING_H
#define FAIRLEAD_ENFORCING_H

#include <jansson.h>

#include "model/policy.h"
#include "open_limits.h"
#include "parts.h"
#include "placed.h"
#include "pods.h"
#include "policy/policy.h"
#include "refusal.h"
#include "registered.h"

struct enforcing {
	const struct parts *parts;
	const struct pods *pods;
	struct policy_state *state; /* owned; NULL: none was ever asked for */
	struct policy_set *set;	/* in force; held, or NULL */
	struct placed *placed;	/* owned; in set's order */
	size_t nr_placed;
	struct registry registry;
	bool has_adopted;	/* who was placed before this process */
	bool is_waiting;	/* what there is to enforce is not known yet */
	__u64 host;		/* digest of the host's addresses, as told */
	struct host_retry {
		__u64 host;	/* that could not be told; 0: none */
		__u32 next_s, wait_s;	/* when it is tried again */
		struct refusal why;
	} retry;
	struct open_limits limits;
	struct refusal refusal;	/* of workloads that are not policed */
	struct refusal missing;	/* of those whose interface is not there */
	struct refusal cut;	/* of those with more rules than can be */
	struct refusal contest;	/* of addresses that a later one has */
	struct refusal closed;	/* of namespaces that have too much */
};

void enforcing_clear(struct enforcing *p);

/* Does m ask for anything of it? */
bool enforcing_is_wanted(const struct model *m);

/* What m says, into force; of a model that is partial, nothing, as what is not
 * said yet may be what allows. On failure nothing was changed, and why says
 * what is in the way. */
int enforcing_apply(struct enforcing *p, const struct model *m,
		   struct refusal *why);

/* Interfaces, or addresses of this host, may have come or gone: workloads are
 * looked for that were not found, or whose interface is not there any more. */
void enforcing_follow(struct enforcing *p);

/*
 * Somebody is about to start a workload behind that interface: it is held to
 * its policy, or closed as long as that is not known, from now on. mac NULL: any.
 * -ENODEV: no such interface. Programs have to be attached there by then.
 */
int enforcing_register(struct enforcing *p, const char *namespace,
		       const char *name, const char *interface,
		       const __u8 *mac);

/* policy_explain_json() of what is in force; request: "from", "to", "what". Of
 * workloads of this node, "held": "yes", or where no interface of it is known,
 * "closed" or "no". */
json_t *enforcing_explain(const struct enforcing *p, const json_t *request);

/* Every second or so. */
void enforcing_check(struct enforcing *p);

#endif
