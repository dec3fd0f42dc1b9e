/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may reach whom, straight from the text of the API: NetworkPolicy of
 * networking.k8s.io/v1, ClusterNetworkPolicy of
 * policy.networking.k8s.io/v1alpha2. Loops over policies, rules and peers for
 * each question, with labels and networks compared here, so that it shares
 * nothing with what it is compared to. Written from the specification.
 */
#ifndef FAIRLEAD_TEST_POLICY_EVALUATOR_H
#define FAIRLEAD_TEST_POLICY_EVALUATOR_H

#include "model/policy.h"

struct evaluator_world {
	const struct policy_set *set;
	/* Of the node that the workloads in question are on: traffic from
	 * there and to there is never blocked. */
	const struct addr *host;
	size_t nr_host;
};

/* As it is between the two, after services: real addresses, the port of the
 * one that is reached. */
struct evaluator_try {
	struct addr from, to;
	__u8 proto;		/* IPPROTO_ */
	__u16 port;		/* host order; without ports: 0 */
};

enum evaluator_why {
	WHY_NO_POD,		/* nobody with policies is at that end */
	WHY_NEVER_BLOCKED,	/* itself, or its own node */
	WHY_RULE,		/* a rule of `policy` matched, and decides */
	WHY_ISOLATED,		/* by NetworkPolicies, and none accepts it */
	WHY_DEFAULT,		/* nothing decides: allowed */
};

struct evaluator_verdict {
	bool allowed;
	enum evaluator_why why;
	const struct model_policy *policy;	/* WHY_RULE; else NULL. Of
						 * NetworkPolicies: the first */
	size_t rule;				/* in policy, from 0 */
};

struct evaluator_answer {
	struct evaluator_verdict is;	/* by the policies in force */
	struct evaluator_verdict would;	/* were those under audit, too */
};

/* Is it held to its policy in that direction: IN, who is reached; OUT, who
 * begins. One end alone. */
struct evaluator_answer evaluator_ask(const struct evaluator_world *w,
				enum policy_direction direction,
				const struct evaluator_try *c);

/* Does that rule of a policy, which is for the pod in question, match? */
bool evaluator_rule_matches(const struct evaluator_world *w,
			    enum policy_direction direction,
			    const struct evaluator_try *c,
			    const struct model_policy *policy, size_t rule);

/* Is the pod in question isolated by that NetworkPolicy? */
bool evaluator_isolates(const struct evaluator_world *w,
			enum policy_direction direction,
			const struct evaluator_try *c,
			const struct model_policy *policy);

/* Is the pod that has that address held to anything, in either direction? */
bool evaluator_is_subject(const struct policy_set *s, const struct addr *a);

/* By both ends, of which those that are not on this node are free. */
bool evaluator_reaches(const struct evaluator_world *w,
		       const struct evaluator_try *c);

/* The pod that has an address for itself; NULL: none has. */
const struct model_workload *evaluator_pod_at(const struct policy_set *s,
					   const struct addr *a);

/* "allowed by default/web, rule 0"; for people. */
#define EVALUATOR_TEXT_MAX 600
const char *evaluator_text(const struct evaluator_verdict *v,
				char text[static EVALUATOR_TEXT_MAX]);

#endif
