/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A compiled set, and what it is made of. In the order in which it comes about
 * (compile.c): groups.c, sections.c, targets.c, atoms.c, addresses.c, masks.c,
 * ports.c. Private to policy/.
 *
 * Numbers are indexes in the lists of one compiled set; ids are what tables
 * have, and the same content has the same id in the next set.
 */
#ifndef FAIRLEAD_POLICY_COMPILED_H
#define FAIRLEAD_POLICY_COMPILED_H

#include "base/arena.h"
#include "image.h"
#include "policy.h"

struct numbers {
	LIST(__u32) list;
};

int numbers_add(struct numbers *n, __u32 number);	/* -ENOMEM */
bool numbers_has(const struct numbers *n, __u32 number);
/* Sorted, each once. */
void numbers_sort(struct numbers *n);
int numbers_add_all(struct numbers *n, const struct numbers *from);
int numbers_digest(struct content *b, const struct numbers *n,
		   struct digest *ret);
/* What has these numbers among d, in an order that is the same whatever their
 * numbers are. */
void content_set(struct content *b, const struct digests *d,
	       const struct numbers *n);

/*
 * Workloads that no policy can tell apart, but by their addresses: the same
 * namespace, the same values of labels that selectors ask for, the same ports
 * of names that rules ask for.
 */
struct group {
	const struct model_workload *example;
	struct model_labels namespace;	/* its labels; not owned */
	bool has_targets;	/* one of it is in scope */
	/* Numbers of targets; NONE: not held to anything. */
	__u32 target[NR_POLICY_DIRECTIONS];
	struct numbers atoms;	/* of pods, sorted */
};

/* What a rule asks of a peer: an address satisfies it or not. */
enum atom_kind {
	ATOM_PODS,	/* of workloads, by selectors */
	ATOM_PORT,	/* workloads with this port by this name */
	ATOM_NETWORK,
	ATOM_NODES,
};

struct atom {
	enum atom_kind kind;
	const struct model_peer *peer;	/* but for ATOM_PORT */
	const char *namespace;		/* ATOM_PODS, unless of namespaces */
	const struct model_policy_port *port;	/* ATOM_PORT: its name */
	__u8 proto;
	__u16 number;
	struct numbers classes;		/* that satisfy it */
};

/* Ports of one protocol. */
struct port_range {
	__u8 proto;		/* enum policy_proto */
	__u16 first, last;
};

/* A rule, or what of it one bit can say. */
struct bit {
	const struct model_rule *rule;	/* NULL: denies the rest */
	__u16 number;			/* in its policy */
	bool any_peer, any_pod, any_port;
	struct numbers atoms;		/* one of them, */
	__u32 also;			/* and this one; NONE: no */
	struct numbers ranges;		/* numbers in ranges, sorted */
};

/* What a policy says in one direction to those who resolve names alike. */
struct section {
	const struct model_policy *policy;
	enum policy_direction direction;
	LIST(struct bit) bits;
	struct digest digest;
};

struct book_rule {
	const struct section *section;
	const struct bit *bit;		/* NULL: denies the rest */
	bool audit;
};

/* A target and its rules. */
struct book {
	__u32 id;
	enum policy_direction direction;
	LIST(struct section *) sections;	/* in their order */
	LIST(struct book_rule) rules;
	size_t nr_wanted;	/* more than rules: those deny, see targets.c */
	__u16 network;
};

struct class {
	__u32 id;
	struct numbers atoms;	/* sorted */
};

struct network {
	struct prefix_key key;
	struct numbers begins, ends;	/* atoms: its network, its excepts */
	struct numbers atoms;		/* that are true of what is in it */
};

/* Addresses that a workload has no more, as a later one has them. */
struct contest {
	size_t count;
	struct addr addr;	/* of the first one */
	const struct model_workload *owner, *other;
};

/*
 * Namespaces whose policies isolate and allow nothing: together they need more
 * than tables hold, and these the most of it, so that all others are what they
 * say. Policies of no namespace are a cluster's, and are never closed.
 */
struct closing {
	LIST(const char *) names;	/* of policies of the set */
	char why[POLICY_TEXT_MAX];	/* the first one was closed */
};

struct policy_compiled {
	struct policy_set *base;	/* what was compiled; held */
	struct policy_set *set;		/* and what became of it; held */
	enum policy_scope scope;
	__u32 salt;			/* other ids than with another one */
	struct arena arena;		/* of what is small */
	struct addr *host;		/* owned */
	size_t nr_host;

	LIST(const struct model_policy *) policies; /* as they count */
	LIST(const char *) keys, names;	/* that are asked for; sorted */
	struct digests group_index, atom_index, section_index, target_index,
		       class_index, class_ids, range_index;
	LIST(struct group) groups;
	LIST(struct atom) atoms;
	LIST(struct section *) sections;
	LIST(struct book) targets;
	size_t nr_cut;			/* of them that have too many rules */
	LIST(struct class) classes;	/* [0]: nothing is known */
	LIST(struct port_range) ranges;
	LIST(struct network) prefixes;	/* as image.prefixes */
	struct image image;
	struct contest contest;
	struct closing closing;
};

/* What is in the tables, so that what stays keeps its id. */
struct compile_from {
	const struct policy_compiled *was;	/* NULL: not known any more */
	const struct image *image;
	const __u8 *port_ids;	/* a bit for each port class that they name */
	__u32 salt;
};

struct compile_of {
	struct policy_set *set;
	const struct addr *host;
	size_t nr_host;
	enum policy_scope scope;
};

/* As policy_compile(); what does not fit is closed, and added to closing. from
 * may be NULL. */
int compile(const struct compile_of *of, const struct compile_from *from,
	    struct closing *closing, struct policy_compiled **ret,
	    char text[static POLICY_TEXT_MAX]);

/* One more: the one that c, which does not fit for what text says, has most of.
 * False: there is none, or no memory. c may be NULL. */
bool closing_add(struct closing *closing, const struct policy_compiled *c,
		 const char *text);
int closing_copy(struct closing *to, const struct closing *from); /* -ENOMEM */
bool closing_has(const struct closing *closing, const char *namespace);

/* Steps of compile.c. 0 or -ENOMEM; those with a text: or -E2BIG. */
int policies_order(struct policy_compiled *c);
int groups_make(struct policy_compiled *c);
int targets_make(struct policy_compiled *c, const struct policy_compiled *was);
/* Others that avoid has not, for these ids. */
void targets_rename(struct policy_compiled *c, const struct numbers *ids,
		    __u32 salt, const struct image *avoid);
int groups_match(struct policy_compiled *c);
int prefixes_make(struct policy_compiled *c);
int addresses_make(struct policy_compiled *c,
		   const struct policy_compiled *was);

/* Rows of a target at a time. */
struct masker {
	struct masks *masks;
	size_t first;		/* of the target's rows */
	__u32 *row;		/* by number of the class: its row and 1 */
};

int mask_add(struct masker *m, const struct mask_key *key, __u32 class,
	     size_t bit);
int peer_masks_make(struct policy_compiled *c);
int ports_make(struct policy_compiled *c, const struct compile_from *from,
	       char text[static POLICY_TEXT_MAX]);

/* Number of the group that w is in; NONE: none is known. b is for its use. */
__u32 group_of(const struct policy_compiled *c, const struct model_workload *w,
	       struct content *b);

/* NULL: no memory. */
struct section *section_of(struct policy_compiled *c,
			   const struct model_policy *policy,
			   enum policy_direction direction,
			   const struct group *g);

/* Numbers; NONE: no memory. */
__u32 atom_of(struct policy_compiled *c, const struct model_peer *peer,
	      const char *namespace);
__u32 atom_of_port(struct policy_compiled *c,
		   const struct model_policy_port *port, __u8 proto,
		   __u16 number);
/* Has a an address that b has as well, and b it no more? */
bool is_later(const struct model_workload *a, const struct model_workload *b);

/* Those of pods. */
bool atom_matches(const struct atom *a, const struct group *g);
bool peer_is_every_pod(const struct model_peer *p);
bool policy_selects(const struct model_policy *p, const struct group *g);
bool port_has_name(const struct model_policy_port *asked,
		   const struct model_named_port *port);

/* The class of what satisfies these, sorted. NONE: there is none yet. */
__u32 class_find(const struct policy_compiled *c, const struct numbers *atoms,
		 struct content *b);
/* The atoms of a's longest prefix; NULL: it is in none. */
const struct numbers *prefix_atoms(const struct policy_compiled *c,
				   const struct addr *a);

/* An id for a content, by its digest: one from 1 to max that is_taken() says no
 * to, the same whenever nothing was taken. */
__u32 id_choose(const struct digest *content, __u32 salt, __u32 max,
		bool (*is_taken)(const void *arg, __u32 id), const void *arg);

#endif
