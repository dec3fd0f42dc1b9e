/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policy, from what is wanted (model/policy.h) to what the programs
 * look up (fairlead/policy.h). Knows no kernel: works on struct tables, and
 * time is an argument.
 *
 * Two halves. policy_compile() is pure: a set of policies to targets, classes
 * and masks, and policy_judge() asks them what the programs would. A state is
 * what is in force: policy_apply() brings the tables in step with a set, in an
 * order in which each packet is judged by the old set or by the new one.
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
 * host: addresses of this host, which nobody on it is kept from. -E2BIG: it
 * needs more than tables hold; text says of what. -ENOMEM. What is too much of
 * one workload's or of one namespace's is no failure: see policy_is_cut() and
 * policy_closed().
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
 * dst as they are after services are translated. ret by direction. */
bool policy_may(const struct policy_compiled *c, const struct addr *src,
		const struct addr *dst, __u8 proto, __u16 port,
		struct policy_judgement ret[static NR_POLICY_DIRECTIONS]);

/* The workload that has an address, but for those in the host's network; NULL:
 * none. */
const struct model_workload *policy_workload_of(const struct policy_compiled *c,
						const struct addr *a);

/* False: a later one has this address of w, which is not w's any more: nothing
 * is allowed to w, or from it, on account of it. */
bool policy_has_address(const struct policy_compiled *c,
			const struct model_workload *w, const struct addr *a);
/* Is there such an address? text names it, and both. */
bool policy_contest(const struct policy_compiled *c,
		    char text[static POLICY_TEXT_MAX]);

/* Are there namespaces whose policies allow nothing, as all together exceed what
 * tables hold and these have most of it? text names the first, and says why. */
bool policy_closed(const struct policy_compiled *c,
		   char text[static POLICY_TEXT_MAX]);

/* What a bit of a target stands for. */
struct policy_rule_info {
	enum policy_direction direction;
	enum policy_action action;
	bool audit;
	/* NULL: NetworkPolicies allow nothing else, one of which is `of`. */
	const struct model_policy *policy;
	const struct model_policy *of;
	size_t of_rules;	/* it stands for those of so many that are more
				 * than a target may have; 0: it does not */
	__u16 number;		/* in the policy's list of the direction */
	const char *name;	/* of the rule; NULL: it has none */
};

/*
 * Has w more rules in a direction than a target may? Those that come last do
 * not count, and what they would decide is denied (audited, if all are): that
 * is of w and of who is held to the same, and keeps nobody else from his. text
 * says so, and whose they are.
 */
bool policy_is_cut(const struct policy_compiled *c,
		   const struct model_workload *w,
		   char text[static POLICY_TEXT_MAX]);

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

/* ---- What is in force ---- */

struct policy_state;

/* Reads what the tables hold (a restart finds them full); nothing is written.
 * -ENOMEM, or -errno of a table. */
int policy_new(struct tables *t, __u32 now_s, struct policy_state **ret);
void policy_free(struct policy_state *s);	/* NULL is fine */

struct policy_result {
	unsigned int writes;	/* of maps, and words of those in memory */
	unsigned int targets;	/* that are new */
	unsigned int workloads;	/* that have another target now */
};

/*
 * From now on set is in force, NULL: nobody is policed. The state holds it.
 * Upon an error what was in force stays, and text says why: -E2BIG: it exceeds
 * a limit; -ENOMEM. What else a table says may come half way; then each
 * connection is as before or as wanted, and the next call mends it.
 */
int policy_apply(struct policy_state *s, struct policy_set *set, __u32 now_s,
		 struct policy_result *ret, char text[static POLICY_TEXT_MAX]);

/* Once a second or so: removes what is not named any more. When something is
 * left to do, true. */
bool policy_tick(struct policy_state *s, __u32 now_s);

/* This host's addresses are these from now on; in force at once. As
 * policy_apply(). */
int policy_set_host(struct policy_state *s, const struct addr *addrs,
		    size_t count, __u32 now_s,
		    char text[static POLICY_TEXT_MAX]);

/*
 * A workload is behind this interface, on the host's side. May be said before
 * the set has the workload, which is closed until then; a workload that the set
 * has not is closed. mac NULL: any. has_run: it may have connections already,
 * which go on. The same again is fine; an interface has one workload, and a
 * workload may have several interfaces. -ENOSPC: there are too many. -EINVAL:
 * the name is too long.
 */
int policy_place(struct policy_state *s, const char *namespace,
		 const char *name, __u32 ifindex, const __u8 *mac,
		 bool has_run, __u32 now_s);
/* The interface is no more, or no workload's. -ENOENT: it was none's. */
int policy_unplace(struct policy_state *s, __u32 ifindex, __u32 now_s);

/* Who made the interface said so, which a restart is to know: until it is
 * another workload's. -ENOENT: it is none's. */
int policy_set_registered(struct policy_state *s, __u32 ifindex);

/* It has as many connections as it may (or has not). -ENOENT: it has no
 * interface. */
int policy_set_full(struct policy_state *s, __u32 index, bool is_full);

/* What is behind an interface. */
struct policy_place {
	const char *namespace, *name;
	__u32 ifindex;
	__u32 index;		/* in tables.workloads */
	const struct workload *entry;
	const struct model_workload *workload;	/* NULL: the set has it not */
};
/* Of every interface; ends early when f returns other than 0, which it returns
 * then. Nothing may be placed or unplaced from within. */
int policy_places(const struct policy_state *s,
		  int (*f)(void *arg, const struct policy_place *p),
		  void *arg);

/* What is in force; NULL: nothing yet. Good until the next policy_apply(). */
const struct policy_compiled *policy_compiled(const struct policy_state *s);
struct policy_set *policy_set(const struct policy_state *s);

/* As policy_compiled_rule(), of targets that were in force lately as well. */
bool policy_rule(const struct policy_state *s, __u32 target, __u16 bit,
		 struct policy_rule_info *ret);

/* How often a rule decided, as the map policy_hits has it. */
struct policy_count {
	struct policy_rule_info rule;	/* rule.policy, of: NULL with a rule of
					 * enum policy_rule */
	__u32 target;
	__u16 bit;		/* or enum policy_rule */
	__u8 direction;
	bool denied;
	__u64 count;
};
int policy_counts(struct policy_state *s,
		  int (*f)(void *arg, const struct policy_count *c), void *arg);

/* Entries in use, for status; and how many there may be. */
struct policy_usage {
	__u32 workloads, targets, peers, prefixes, peer_masks, port_masks,
	      port_classes;
};
void policy_usage(const struct policy_state *s, struct policy_usage *ret);
extern const struct policy_usage policy_usage_max;

/* Likewise by what the tables themselves hold, what nothing names any more as
 * well; of tables of policy alone, by enum table_id. -errno of a table. */
int policy_count_entries(struct tables *t, __u32 ret[static NR_TABLES]);

#endif
