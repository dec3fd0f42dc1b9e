/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What people ask about network policy, as JSON: of what is in force, or of a
 * set that a file says. See cmd_policy.c, which prints it.
 */
#ifndef FAIRLEAD_POLICY_ANSWERS_H
#define FAIRLEAD_POLICY_ANSWERS_H

#include <jansson.h>

#include "policy/policy.h"

/* {"ok": true, "policies": [...], "warnings": [...]}; if state is not NULL, with
 * what they counted, and who has too many. NULL: out of memory, here and below.
 */
json_t *policy_list_json(const struct policy_set *set,
			 struct policy_state *state);

/* The one that is called "NAMESPACE/NAME", or "NAME" in the namespace "default"
 * or in none: {"ok": true, "policy": ..., "rules": [...]}, or {"ok": false,
 * "error": ...}. set is what is in force in state. */
json_t *policy_show_json(const struct policy_set *set,
			 struct policy_state *state, const char *name);

/* What a policy decided, of new connections and those judged again. */
struct policy_tally {
	const struct model_policy *policy;
	__u64 allowed, denied;
};

/* Each of set's, in its order, as state has counted them (NULL: nothing).
 * -ENOMEM: f was not called. */
int policy_tallies(const struct policy_set *set, struct policy_state *state,
		   void (*f)(void *arg, const struct policy_tally *t),
		   void *arg);

/*
 * May from begin a connection to to? Each is "NAMESPACE/NAME", "NAME" of
 * namespace "default", or an address; what is "tcp/80", "udp/53", "sctp/9",
 * "icmp" or the number of a protocol. {"ok": true, "allowed": ..., "ends":
 * [...]}: for each end that is a workload who selects it and which rule decides;
 * or {"ok": false, "error": ...}. host: see policy_compile().
 */
json_t *policy_explain_json(struct policy_set *set, const struct addr *host,
			    size_t nr_host, const char *from, const char *to,
			    const char *what);

#endif
