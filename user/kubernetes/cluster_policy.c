// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The spec of policy.networking.k8s.io ClusterNetworkPolicy, v1alpha2 and
 * v1beta1. Of a rule in which anything is not known its authors say: one that
 * accepts matches nothing, another one denies all.
 */
#include <stdlib.h>
#include <string.h>

#include "making.h"
#include "model/policy_text.h"

#define PRIORITY_MAX 1000
#define RULES_MAX 25		/* of a direction; as many peers, ports ... */
#define RULE_NAME_MAX 100

/* Which word of a list that ends in NULL; -1: a mistake. */
static int read_choice(struct making *m, const struct kube_value *v,
		       const char *what, const char *const *known)
{
	const char *text = making_word(m, v, what);
	char list[80] = "";

	for (int i = 0; text && known[i]; i++) {
		if (!strcmp(text, known[i]))
			return i;
		strcat(strcat(list, i ? ", " : ""), known[i]);
	}
	if (text)
		making_mistake(m, v, "%s \"%.40s\" is none of %s", what, text,
			       list);
	return -1;
}

/* Exactly one of the fields of v; NULL: none that is known, or a mistake. */
static const struct kube_value *read_one(struct making *m,
					 const struct kube_value *v,
					 const char *what,
					 const char *const *keys, int *ret)
{
	const struct kube_value *fields[8] = {}, *one = NULL;
	char list[100] = "";

	if (!making_fields(m, v, what, keys, fields))
		return NULL;
	for (int i = 0; keys[i]; i++) {
		strcat(strcat(list, i ? ", " : ""), keys[i]);
		if (!fields[i])
			continue;
		if (one) {
			making_mistake(m, v, "%s has both %s and %s", what,
				       keys[*ret], keys[i]);
			return NULL;
		}
		one = fields[i];
		*ret = i;
	}
	if (!one && !m->has_unknown)
		making_mistake(m, v, "%s needs one of %s", what, list);
	return one;
}

static bool read_list(struct making *m, const struct kube_value *v,
		      const char *what)
{
	if (!making_list(m, v, what))
		return false;
	if (!v->count)
		return making_mistake(m, v, "%s needs an element", what);
	return v->count <= RULES_MAX ||
	       making_mistake(m, v, "%s has more than %d elements", what,
			      RULES_MAX);
}

/* Both selectors are there, as {} where they mean everything. */
static bool read_pods(struct making *m, const struct kube_value *v,
		      struct model_selector *namespaces,
		      struct model_selector *pods)
{
	enum { NAMESPACES, PODS, NR };
	static const char *const keys[] = {
		"namespaceSelector", "podSelector", NULL
	};
	const struct kube_value *f[NR] = {};

	if (!making_fields(m, v, "pods", keys, f))
		return false;
	if (!f[PODS] && !m->has_unknown)
		return making_mistake(m, v, "pods needs podSelector");
	return making_selector(m, f[NAMESPACES], namespaces) &&
	       making_selector(m, f[PODS], pods);
}

static void read_subject(struct making *m, const struct kube_value *v,
			 struct model_policy *p)
{
	static const char *const keys[] = { "namespaces", "pods", NULL };
	const struct kube_value *one;
	int which = 0;

	p->has_namespaces = true;
	one = read_one(m, v, "subject", keys, &which);
	if (!one)
		return;
	if (which)
		read_pods(m, one, &p->namespaces, &p->pods);
	else
		making_selector(m, one, &p->namespaces);
}

enum peer_key { KEY_NAMESPACES, KEY_PODS, KEY_NODES, KEY_NETWORKS,
		KEY_DOMAINS };

static const char *const egress_keys[] = {
	[KEY_NAMESPACES] = "namespaces",
	[KEY_PODS] = "pods",
	[KEY_NODES] = "nodes",
	[KEY_NETWORKS] = "networks",
	[KEY_DOMAINS] = "domainNames",
	NULL
};
static const char *const ingress_keys[] = {
	[KEY_NAMESPACES] = "namespaces",
	[KEY_PODS] = "pods",
	NULL
};

/* Room was made for them: see count_peers(). */
static void read_networks(struct making *m, const struct kube_value *list,
			  struct model_rule *ret)
{
	if (!read_list(m, list, "networks"))
		return;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		struct model_peer *p = &ret->peers[ret->nr_peers++];

		p->kind = PEER_NETWORK;
		making_prefix(m, v, "networks", &p->network);
	}
}

/* Who names resolve to is not followed. */
static void read_domains(struct making *m, const struct kube_value *list,
			 struct model_rule *rule, struct model_peer *ret)
{
	ret->kind = PEER_NOBODY;
	if (!read_list(m, list, "domainNames"))
		return;
	if (rule->action != POLICY_ACCEPT)
		making_mistake(m, list, "domainNames are for Accept alone");
	else
		making_doubt(m, list,
			     "domainNames are not supported: they match nobody");
}

static void read_peer(struct making *m, const struct kube_value *v,
		      const char *const *keys, struct model_rule *ret)
{
	int which = 0;
	const struct kube_value *one = read_one(m, v, "a peer", keys, &which);
	struct model_peer *p;

	if (!one)
		return;
	if (which == KEY_NETWORKS) {
		read_networks(m, one, ret);
		return;
	}
	p = &ret->peers[ret->nr_peers++];
	p->has_namespaces = which <= KEY_PODS;
	if (which == KEY_NAMESPACES)
		making_selector(m, one, &p->namespaces);
	else if (which == KEY_PODS)
		read_pods(m, one, &p->namespaces, &p->pods);
	else if (which == KEY_DOMAINS)
		read_domains(m, one, ret, p);
	else if (making_selector(m, one, &p->pods))
		p->kind = PEER_NODES;
}

/* Each network is a peer of its own. */
static size_t count_peers(const struct kube_value *list)
{
	size_t count = 0;

	for (const struct kube_value *v = list->first; v; v = v->next) {
		count++;
		for (const struct kube_value *f = v->kind == KUBE_VALUE_MAP ?
					 v->first : NULL; f; f = f->next)
			count += f->count;
	}
	return count;
}

static void read_peers(struct making *m, const struct kube_value *list,
		       enum policy_direction direction, struct model_rule *ret)
{
	const bool is_in = direction == POLICY_IN;
	int i = 0;

	if (!read_list(m, list, is_in ? "from" : "to"))
		return;
	ret->peers = making_alloc(m, count_peers(list), sizeof(*ret->peers));
	if (!ret->peers)
		return;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t before = making_enter(m, is_in ? "from" : "to", i++);

		read_peer(m, v, is_in ? ingress_keys : egress_keys, ret);
		making_leave(m, before);
	}
}

static void read_range(struct making *m, const struct kube_value *v,
		       struct model_policy_port *ret)
{
	enum { START, END, NR };
	static const char *const keys[] = { "start", "end", NULL };
	const struct kube_value *f[NR] = {};
	__u32 start = 0, end = 0;

	if (!making_fields(m, v, "range", keys, f))
		return;
	if (!f[START] || !f[END]) {
		making_mistake(m, v, "range needs start and end");
		return;
	}
	if (!making_number(m, f[START], "start", 1, 65535, &start) ||
	    !making_number(m, f[END], "end", 1, 65535, &end))
		return;
	if (start >= end)
		making_mistake(m, v, "range: start %u is not below end %u",
			       start, end);
	ret->first = start;
	ret->last = end;
}

static void read_destination(struct making *m, const struct kube_value *v,
			     struct model_policy_port *ret)
{
	static const char *const keys[] = { "number", "range", NULL };
	const struct kube_value *one;
	__u32 port = 0;
	int which = 0;

	one = read_one(m, v, "destinationPort", keys, &which);
	if (!one)
		return;
	if (which)
		read_range(m, one, ret);
	else if (making_number(m, one, "number", 1, 65535, &port))
		ret->first = ret->last = port;
}

static void read_protocol(struct making *m, const struct kube_value *v,
			  struct model_policy_port *ret)
{
	static const char *const keys[] = {
		"tcp", "udp", "sctp", "destinationNamedPort", NULL
	};
	static const char *const port_keys[] = { "destinationPort", NULL };
	const struct kube_value *one, *port;
	int which = 0, none;

	one = read_one(m, v, "a protocol", keys, &which);
	if (!one)
		return;
	if (which == 3) {
		ret->last = 65535;
		making_port_name(m, one, ret);
		return;
	}
	ret->proto = proto_number(keys[which]);
	port = read_one(m, one, keys[which], port_keys, &none);
	if (port)
		read_destination(m, port, ret);
}

static void read_protocols(struct making *m, const struct kube_value *list,
			   struct model_rule *ret)
{
	if (!read_list(m, list, "protocols"))
		return;
	ret->ports = making_alloc(m, list->count, sizeof(*ret->ports));
	if (!ret->ports)
		return;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t before = making_enter(m, "protocols", ret->nr_ports);

		read_protocol(m, v, &ret->ports[ret->nr_ports++]);
		making_leave(m, before);
	}
}

/* Names are of pods' ports. */
static void check_names(struct making *m, const struct kube_value *v,
			const struct model_rule *rule)
{
	bool has_names = false, has_others = false;

	for (size_t i = 0; i < rule->nr_ports; i++)
		has_names |= rule->ports[i].name != NULL;
	for (size_t i = 0; i < rule->nr_peers; i++)
		has_others |= rule->peers[i].kind != PEER_PODS;
	if (has_names && has_others)
		making_mistake(m, v,
			       "destinationNamedPort is for pods and namespaces alone");
}

static bool read_rule_head(struct making *m, const struct kube_value *name,
			   const struct kube_value *action,
			   struct model_rule *ret)
{
	static const char *const actions[] = {
		[POLICY_ACCEPT] = "Accept",
		[POLICY_DENY] = "Deny",
		[POLICY_PASS] = "Pass",
		NULL
	};
	const char *text = name ? making_word(m, name, "name") : NULL;
	int i = read_choice(m, action, "action", actions);

	if (i < 0 || (name && !text))
		return false;
	ret->action = i;
	if (!text || !*text)
		return true;
	if (strlen(text) > RULE_NAME_MAX)
		return making_mistake(m, name,
				      "name has more than %d characters",
				      RULE_NAME_MAX);
	ret->name = making_text(m, text);
	return ret->name;
}

/* See the head of this file. */
static void rule_fail_closed(struct making *m, struct model_rule *rule)
{
	char *name = rule->name;
	const bool accepts = rule->action == POLICY_ACCEPT;

	rule->name = NULL;
	model_rule_clear(rule);
	if (accepts)
		rule_close(m, rule);
	else
		rule->action = POLICY_DENY;
	rule->name = name;
}

static void read_known_rule(struct making *m, const struct kube_value *v,
			    enum policy_direction direction,
			    struct model_rule *ret)
{
	enum { NAME, ACTION, PEERS, PROTOCOLS, NR };
	const char *const keys[] = {
		"name", "action", direction == POLICY_IN ? "from" : "to",
		"protocols", NULL
	};
	const struct kube_value *f[NR] = {};

	if (!making_fields(m, v, "a rule", keys, f))
		return;
	if (!f[ACTION] || !f[PEERS]) {
		making_mistake(m, v, "a rule needs \"%s\"",
			       keys[f[ACTION] ? PEERS : ACTION]);
		return;
	}
	if (!read_rule_head(m, f[NAME], f[ACTION], ret))
		return;
	read_peers(m, f[PEERS], direction, ret);
	if (f[PROTOCOLS])
		read_protocols(m, f[PROTOCOLS], ret);
	check_names(m, v, ret);
}

/* Until it is known what it does, it denies. */
static void read_rule(struct making *m, const struct kube_value *v,
		      enum policy_direction direction, struct model_rule *ret)
{
	const bool before = m->has_unknown;

	m->has_unknown = false;
	ret->action = POLICY_DENY;
	read_known_rule(m, v, direction, ret);
	if (m->has_unknown)
		rule_fail_closed(m, ret);
	m->has_unknown = before;
}

static void read_rules(struct making *m, const struct kube_value *list,
		       enum policy_direction direction, struct model_policy *p)
{
	const char *key = policy_direction_name(direction);

	if (!list || !making_list(m, list, key))
		return;
	if (list->count > RULES_MAX)
		making_mistake(m, list, "%s has more than %d rules", key,
			       RULES_MAX);
	p->rules[direction].rule =
		making_alloc(m, list->count, sizeof(struct model_rule));
	if (!p->rules[direction].rule)
		return;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t at = p->rules[direction].count++;
		size_t before = making_enter(m, key, at);

		read_rule(m, v, direction, &p->rules[direction].rule[at]);
		making_leave(m, before);
	}
}

/* Whom it is for, or how it ranks, is not all known. */
static void close_all(struct making *m, struct model_policy *p)
{
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++)
		for (size_t i = 0; i < p->rules[d].count; i++)
			rule_fail_closed(m, &p->rules[d].rule[i]);
}

void cluster_policy_make(struct making *m, struct model_policy *p)
{
	enum { TIER, PRIORITY, SUBJECT, INGRESS, EGRESS, NR };
	static const char *const keys[] = {
		"tier", "priority", "subject", "ingress", "egress", NULL
	};
	static const char *const tiers[] = { "Admin", "Baseline", NULL };
	const struct kube_value *spec = m->o->policy.spec, *f[NR] = {};

	if (value_is_absent(spec)) {
		making_mistake(m, NULL, "spec is missing");
		return;
	}
	if (!making_fields(m, spec, "spec", keys, f))
		return;
	for (int i = TIER; i <= SUBJECT; i++)
		if (!f[i]) {
			making_mistake(m, spec, "spec needs \"%s\"", keys[i]);
			return;
		}
	p->tier = read_choice(m, f[TIER], "tier", tiers) == 1 ? TIER_BASELINE :
								TIER_ADMIN;
	making_number(m, f[PRIORITY], "priority", 0, PRIORITY_MAX,
		      &p->priority);
	read_subject(m, f[SUBJECT], p);
	read_rules(m, f[INGRESS], POLICY_IN, p);
	read_rules(m, f[EGRESS], POLICY_OUT, p);
	if (m->has_unknown)
		close_all(m, p);
}
