/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policy, from what is wanted (model/policy.h) to what the programs
 * look up (fairlead/policy.h). Knows no kernel.
 *
 * policy_compile() is pure: a set of policies to targets, classes and masks, and
 * policy_judge() asks them what the programs would.
 *
 * The door of this folder: nobody outside it includes another header of it.
 */
#ifndef FAIRLEAD_POLICY_DOOR_H
#define FAIRLEAD_POLICY_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/policy.h>

#include "model/policy.h"
#include "model/tables.h"

#define POLICY_TEXT_MAX 1024

/* What a set is compiled to. It holds the set. */
struct policy_compiled;

enum policy_scope {
	POLICY_HERE,	/* targets of workloads that are here */
	POLICY_EVERYWHERE, /* of all: for who asks, without tables */
};

/*
 * host: addresses of this host, which nobody on it is kept from. -E2BIG: a
 * workload has too many rules, or ports tell too many classes apart; text says
 * which. -ENOMEM.
 */
int policy_compile(struct policy_set *set, const struct addr *host,
		   size_t nr_host, enum policy_scope scope,
		   struct policy_compiled **ret,
		   char text[static POLICY_TEXT_MAX]);
void policy_compiled_free(struct policy_compiled *c);	/* NULL is fine */
void policy_compiled_freep(struct policy_compiled **c);

/* What one end of a new connection is told. */
struct policy_judgement {
	bool allowed;		/* by what is in force */
	bool audited;		/* allowed, but not if audited policies were */
	__u32 target;		/* 0: not held to anything */
	__u16 rule;		/* a bit, or enum policy_rule */
	__u16 audit_rule;	/* the one that would deny, if audited */
};

/*
 * May a workload (direction POLICY_OUT) begin a connection to peer's port, or
 * (POLICY_IN) peer one to the workload's port? Protocols without ports: port
 * does not count. A workload that the set has not, or that is not in scope or
 * in the host's network, is held to nothing. It may always reach itself, and
 * the host.
 */
struct policy_judgement policy_judge(const struct policy_compiled *c,
				  const struct model_workload *w,
				  enum policy_direction direction,
				  const struct addr *peer, __u8 proto,
				  __u16 port);

/* Both ends of a connection, each if it is an address of a workload; src and
 * dst as they are after services are translated. judgements by direction. */
bool policy_may(const struct policy_compiled *c, const struct addr *src,
		const struct addr *dst, __u8 proto, __u16 port,
		struct policy_judgement judgements[static NR_POLICY_DIRECTIONS]);

/* The workload that has an address, but for those in the host's network; NULL:
 * none. */
const struct model_workload *policy_workload_of(const struct policy_compiled *c,
						const struct addr *a);

/* What a bit of a target stands for. */
struct policy_rule_info {
	enum policy_direction direction;
	enum policy_action action;
	bool audit;
	/* NULL: NetworkPolicies allow nothing else, one of which is `of`. */
	const struct model_policy *policy;
	const struct model_policy *of;
	__u16 number;		/* in the policy's list of the direction */
	const char *name;	/* of the rule; NULL: it has none */
};

/* False: there is no such target (any more), or bit. ret is good for as long
 * as c is, or until the next policy_apply(). */
bool policy_compiled_rule(const struct policy_compiled *c, __u32 target,
			  __u16 bit, struct policy_rule_info *ret);

/* "admin/deny-metadata, rule 1 (metadata)"; "isolated by default/web". Of
 * enum policy_rule: what it means. Returns text. */
const char *policy_rule_text(const struct policy_rule_info *info,
			     char text[static POLICY_TEXT_MAX]);

/* The policies that select a workload in a direction, in the order in which
 * they count. Fills up to max, returns how many there are. */
size_t policy_selecting(const struct policy_compiled *c,
			const struct model_workload *w,
			enum policy_direction direction,
			const struct model_policy **ret, size_t max);

/* Entries that the tables may have. */
struct policy_usage {
	__u32 workloads, targets, peers, prefixes, peer_masks, port_masks,
	      port_classes;
};
extern const struct policy_usage policy_usage_max;

#endif
