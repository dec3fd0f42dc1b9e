/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What somebody wants of network policy: workloads, namespaces, nodes and
 * policies as plain structs, whatever source they come from. Everything here
 * is valid: sources check before they fill; defaults (policyTypes, protocol
 * TCP, namespace "default") are filled in. What decides is said by the API's
 * text: networking.k8s.io/v1 NetworkPolicy, policy.networking.k8s.io/v1alpha2
 * ClusterNetworkPolicy.
 *
 * A set of them is shared by models and never written once it is; so is each
 * item: the same pointer in two sets is the same contents.
 */
#ifndef FAIRLEAD_MODEL_POLICY_H
#define FAIRLEAD_MODEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/policy.h>

#include "model.h"

struct model_label {
	char *key, *value;	/* owned; value may be "" */
};

struct model_labels {
	struct model_label *label;	/* owned; sorted by key, each once */
	size_t count;
};

/* As apimachinery's labels.Requirement: NOT_IN and DOES_NOT_EXIST match what
 * has no such key, IN does not. */
enum label_op { LABEL_IN, LABEL_NOT_IN, LABEL_EXISTS, LABEL_DOES_NOT_EXIST };

struct model_requirement {
	char *key;		/* owned */
	enum label_op op;
	char **values;		/* owned; IN and NOT_IN: one at least */
	size_t nr_values;
};

/* All of them; none: everything. matchLabels are IN with one value. */
struct model_selector {
	struct model_requirement *requirement;	/* owned; in order of keys, op */
	size_t count;
};

/* A container port with a name: the same name may have several protocols. */
struct model_named_port {
	char *name;		/* owned */
	__u8 proto;		/* IPPROTO_TCP, _UDP, _SCTP */
	__u16 port;		/* host order */
};

/* A container or pod, here or on another node. */
struct model_workload {
	char *namespace, *name;	/* owned; without Kubernetes: "default" */
	struct addr *addrs;	/* owned; of both families, in any order */
	size_t nr_addrs;
	struct model_labels labels;
	struct model_named_port *ports;	/* owned */
	size_t nr_ports;
	/* In the host's network: it is no peer of selectors, has no policy, and
	 * is as its node. */
	bool is_host_network;
	bool is_here;		/* on this node: it is held to its policy */
	/* The host's end of its veth; "": who has its addresses is found by
	 * routes or the bridge. */
	char interface[MODEL_LINK_NAME_MAX + 1];
	bool may_spoof;		/* sends from any address */
	__u32 packets_per_s, conns_per_s, conns_open;	/* 0: no limit */
	__u64 bits_per_s;
	/* When it was made, since 1970; 0: it says no time. An address that
	 * several have is that of the latest one, or of those without a time. */
	__s64 since_us;

	unsigned int users;	/* as struct model_service's */
};

/* The label by which a namespace is known: its name. */
#define POLICY_NAME_LABEL "kubernetes.io/metadata.name"

struct model_namespace {
	char *name;		/* owned */
	struct model_labels labels; /* with POLICY_NAME_LABEL */

	unsigned int users;
};

/* For ClusterNetworkPolicy's peers `nodes`. */
struct model_policy_node {
	char *name;		/* owned */
	struct model_labels labels;
	struct addr *addrs;	/* owned */
	size_t nr_addrs;

	unsigned int users;
};

enum policy_tier { TIER_ADMIN, TIER_NETWORK, TIER_BASELINE };
enum policy_action { POLICY_ACCEPT, POLICY_DENY, POLICY_PASS };

enum peer_kind {
	PEER_PODS,	/* by selectors; never those in the host's network */
	PEER_NETWORK,	/* by address, pods' as well */
	PEER_NODES,	/* by labels of nodes: each of their addresses */
	PEER_NOBODY,	/* what we cannot know, of a rule that accepts */
};

struct model_peer {
	enum peer_kind kind;
	/* PEER_PODS: of namespaces that match; false: of the policy's own */
	bool has_namespaces;
	struct model_selector namespaces;
	struct model_selector pods;	/* PEER_NODES: of nodes */
	struct model_prefix network;
	struct model_prefix *except;	/* owned; inside network */
	size_t nr_except;
};

struct model_policy_port {
	__u8 proto;		/* IPPROTO_TCP, _UDP, _SCTP; 0, with a name: any
				 * (ClusterNetworkPolicy's destinationNamedPort) */
	__u16 first, last;	/* host order; 0, 65535: every port of proto */
	char *name;		/* owned; NULL: by number. Of the destination */
};

/* Who matches a peer and a port. */
struct model_rule {
	char *name;		/* owned; NULL: it has none */
	enum policy_action action;	/* TIER_NETWORK: POLICY_ACCEPT */
	struct model_peer *peers;	/* owned */
	size_t nr_peers;	/* 0: everybody */
	struct model_policy_port *ports; /* owned */
	size_t nr_ports;	/* 0: every port, every protocol */
};

struct model_policy {
	char *namespace;	/* owned; TIER_NETWORK's own, else "" */
	char *name;		/* owned */
	enum policy_tier tier;
	__u32 priority;		/* Admin, Baseline: lower first; then by name */
	bool audit;		/* report what it would deny, and no more */
	bool has_namespaces;	/* subject: of namespaces that match; false: of
				 * its own */
	struct model_selector namespaces;
	struct model_selector pods;
	/* By enum policy_direction. TIER_NETWORK: those who are selected may
	 * only what a rule accepts. Else always false. */
	bool isolates[NR_POLICY_DIRECTIONS];
	struct {
		struct model_rule *rule;	/* owned; in their order */
		size_t count;
	} rules[NR_POLICY_DIRECTIONS];

	unsigned int users;
};

/* All of it. Each list is sorted by namespace, then name. */
struct policy_set {
	struct model_workload **workloads;
	size_t nr_workloads;
	struct model_namespace **namespaces;
	size_t nr_namespaces;
	struct model_policy_node **nodes;
	size_t nr_nodes;
	struct model_policy **policies;
	size_t nr_policies;
	/* Pods that are not in workloads may be on this node: an API or a
	 * container engine says who is, so that unknown ones are closed. */
	bool knows_all;
	/* A source has not said all yet: what is in force stays, and who is not
	 * known yet is not to be let out. */
	bool is_partial;
	/* Something is refused that never was right: it is not here, but may be
	 * among what was in force when this process began. */
	bool lacks_refused;

	unsigned int users;
};

/* An empty one, with one user. NULL: out of memory. */
struct policy_set *policy_set_new(void);
struct policy_set *policy_set_hold(struct policy_set *s);
void policy_set_free(struct policy_set *s);	/* a user less; NULL is fine */

/* A user less; NULL is fine. */
void model_workload_free(struct model_workload *w);
void model_namespace_free(struct model_namespace *n);
void model_policy_node_free(struct model_policy_node *n);
void model_policy_free(struct model_policy *p);

/* Free what one owns, and not the struct itself; afterwards it is empty: it
 * matches everything. */
void model_selector_clear(struct model_selector *s);
void model_rule_clear(struct model_rule *r);

/* NULL: there is none of that name. */
const struct model_workload *policy_set_workload(const struct policy_set *s,
						 const char *namespace,
						 const char *name);
const struct model_namespace *policy_set_namespace(const struct policy_set *s,
						   const char *name);

/* Does what has these labels match? */
bool selector_matches(const struct model_selector *s,
		      const struct model_labels *labels);

/* "default/web-from-front", of a policy without a namespace its name. */
#define POLICY_NAME_MAX 512
const char *policy_text(const struct model_policy *p,
			char text[static POLICY_NAME_MAX]);

#endif
