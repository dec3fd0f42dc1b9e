/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sets of policies that are written down in a test. Items are shared as in
 * real ones: a set that is copied has the same items, and what is changed
 * becomes another one.
 */
#ifndef FAIRLEAD_TEST_POLICY_WORLD_H
#define FAIRLEAD_TEST_POLICY_WORLD_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "model/policy.h"
#include "policy/policy.h"

static inline void *grow(void *at, size_t count, size_t size)
{
	char *p = realloc(at, (count + 1) * size);

	assert_non_null(p);
	memset(p + count * size, 0, size);
	return p;
}

/* A zeroed element more of list, which has count. */
#define MORE(list, count) ({						\
	(list) = grow(list, count, sizeof(*(list)));			\
	&(list)[(count)++];						\
})

static inline char *text_of(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

static inline struct addr addr_of(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static inline struct model_prefix prefix_of(const char *text)
{
	struct model_prefix p = { .is_set = true };
	unsigned int len;

	assert_true(addr_parse_cidr(text, &p.addr, &len));
	p.len = len;
	return p;
}

/* "app=web,tier=" */
static inline struct model_labels labels_of(const char *text)
{
	struct model_labels l = {};
	char *copy = text_of(text), *rest = copy, *one;

	while ((one = strsep(&rest, ",")) && *one) {
		char *value = strchr(one, '=');
		struct model_label *to = MORE(l.label, l.count);

		*value++ = '\0';
		*to = (struct model_label){ text_of(one), text_of(value) };
	}
	free(copy);
	return l;
}

/* "app=web", "app!=web" (not in), "app", "!app"; all that are listed. */
static inline struct model_selector selector_of(const char *text)
{
	struct model_selector s = {};
	char *copy = text_of(text), *rest = copy, *one;

	while ((one = strsep(&rest, ",")) && *one) {
		struct model_requirement *r = MORE(s.requirement, s.count);
		char *value = strchr(one, '=');

		r->op = value && value > one && value[-1] == '!' ?
			LABEL_NOT_IN : value ? LABEL_IN :
			*one == '!' ? LABEL_DOES_NOT_EXIST : LABEL_EXISTS;
		if (value) {
			value[-(r->op == LABEL_NOT_IN)] = '\0';
			*value++ = '\0';
			*MORE(r->values, r->nr_values) = text_of(value);
		}
		r->key = text_of(one + (r->op == LABEL_DOES_NOT_EXIST));
	}
	free(copy);
	return s;
}

/* addrs: separated by commas. It is here, and put where it belongs. */
static inline struct model_workload *workload(struct policy_set *s,
					      const char *namespace,
					      const char *name,
					      const char *addrs,
					      const char *labels)
{
	struct model_workload *w = calloc(1, sizeof(*w));
	char *copy = text_of(addrs), *rest = copy, *one;
	size_t at;

	assert_non_null(w);
	w->users = 1;
	w->namespace = text_of(namespace);
	w->name = text_of(name);
	w->labels = labels_of(labels);
	w->is_here = true;
	while ((one = strsep(&rest, ",")) && *one)
		*MORE(w->addrs, w->nr_addrs) = addr_of(one);
	free(copy);
	MORE(s->workloads, s->nr_workloads);
	for (at = s->nr_workloads - 1; at; at--) {
		struct model_workload *before = s->workloads[at - 1];
		int order = strcmp(before->namespace, namespace);

		if (order < 0 || (!order && strcmp(before->name, name) < 0))
			break;
		s->workloads[at] = before;
	}
	s->workloads[at] = w;
	return w;
}

static inline void named_port(struct model_workload *w, const char *name,
			      __u8 proto, __u16 port)
{
	*MORE(w->ports, w->nr_ports) = (struct model_named_port){
		.name = text_of(name), .proto = proto, .port = port,
	};
}

static inline void namespace(struct policy_set *s, const char *name,
			     const char *labels)
{
	struct model_namespace *n = calloc(1, sizeof(*n));
	size_t at;

	assert_non_null(n);
	n->users = 1;
	n->name = text_of(name);
	n->labels = labels_of(labels);
	MORE(s->namespaces, s->nr_namespaces);
	for (at = s->nr_namespaces - 1;
	     at && strcmp(s->namespaces[at - 1]->name, name) > 0; at--)
		s->namespaces[at] = s->namespaces[at - 1];
	s->namespaces[at] = n;
}

static inline void node(struct policy_set *s, const char *name,
			const char *labels, const char *addr)
{
	struct model_policy_node *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->users = 1;
	n->name = text_of(name);
	n->labels = labels_of(labels);
	*MORE(n->addrs, n->nr_addrs) = addr_of(addr);
	*MORE(s->nodes, s->nr_nodes) = n;
}

/* A NetworkPolicy; it isolates nobody yet. */
static inline struct model_policy *policy(struct policy_set *s,
					  const char *namespace,
					  const char *name, const char *pods)
{
	struct model_policy *p = calloc(1, sizeof(*p));
	size_t at;

	assert_non_null(p);
	p->users = 1;
	p->tier = TIER_NETWORK;
	p->namespace = text_of(namespace);
	p->name = text_of(name);
	p->pods = selector_of(pods);
	MORE(s->policies, s->nr_policies);
	for (at = s->nr_policies - 1; at; at--) {
		struct model_policy *before = s->policies[at - 1];
		int order = strcmp(before->namespace, namespace);

		if (order < 0 || (!order && strcmp(before->name, name) < 0))
			break;
		s->policies[at] = before;
	}
	s->policies[at] = p;
	return p;
}

/* A ClusterNetworkPolicy: of every pod in every namespace that matches. */
static inline struct model_policy *cluster_policy(struct policy_set *s,
						  const char *name,
						  enum policy_tier tier,
						  __u32 priority,
						  const char *pods)
{
	struct model_policy *p = policy(s, "", name, pods);

	p->tier = tier;
	p->priority = priority;
	p->has_namespaces = true;
	return p;
}

/* Good until the next rule of the same list. */
static inline struct model_rule *rule(struct model_policy *p,
				      enum policy_direction d,
				      enum policy_action action)
{
	struct model_rule *r = MORE(p->rules[d].rule, p->rules[d].count);

	r->action = action;
	if (p->tier == TIER_NETWORK)
		p->isolates[d] = true;
	return r;
}

/* namespaces NULL: of the policy's own. */
static inline void peer_pods(struct model_rule *r, const char *namespaces,
			     const char *pods)
{
	struct model_peer *p = MORE(r->peers, r->nr_peers);

	p->kind = PEER_PODS;
	p->has_namespaces = namespaces;
	if (namespaces)
		p->namespaces = selector_of(namespaces);
	p->pods = selector_of(pods);
}

static inline struct model_peer *peer_network(struct model_rule *r,
					      const char *network)
{
	struct model_peer *p = MORE(r->peers, r->nr_peers);

	p->kind = PEER_NETWORK;
	p->network = prefix_of(network);
	return p;
}

static inline void peer_except(struct model_peer *p, const char *network)
{
	*MORE(p->except, p->nr_except) = prefix_of(network);
}

static inline void peer_nodes(struct model_rule *r, const char *labels)
{
	struct model_peer *p = MORE(r->peers, r->nr_peers);

	p->kind = PEER_NODES;
	p->pods = selector_of(labels);
}

static inline void peer_nobody(struct model_rule *r)
{
	MORE(r->peers, r->nr_peers)->kind = PEER_NOBODY;
}

static inline void ports(struct model_rule *r, __u8 proto, __u16 first,
			 __u16 last)
{
	*MORE(r->ports, r->nr_ports) = (struct model_policy_port){
		.proto = proto, .first = first, .last = last,
	};
}

static inline void port(struct model_rule *r, __u8 proto, __u16 number)
{
	ports(r, proto, number, number);
}

static inline void port_name(struct model_rule *r, __u8 proto,
			     const char *name)
{
	*MORE(r->ports, r->nr_ports) = (struct model_policy_port){
		.proto = proto, .name = text_of(name),
	};
}

/* Another set of the same items. */
static inline struct policy_set *set_copy(const struct policy_set *s)
{
	struct policy_set *to = policy_set_new();

	assert_non_null(to);
	to->knows_all = s->knows_all;
	for (size_t i = 0; i < s->nr_workloads;
	     i++, s->workloads[i - 1]->users++)
		*MORE(to->workloads, to->nr_workloads) = s->workloads[i];
	for (size_t i = 0; i < s->nr_namespaces;
	     i++, s->namespaces[i - 1]->users++)
		*MORE(to->namespaces, to->nr_namespaces) = s->namespaces[i];
	for (size_t i = 0; i < s->nr_nodes; i++, s->nodes[i - 1]->users++)
		*MORE(to->nodes, to->nr_nodes) = s->nodes[i];
	for (size_t i = 0; i < s->nr_policies; i++, s->policies[i - 1]->users++)
		*MORE(to->policies, to->nr_policies) = s->policies[i];
	return to;
}

static inline void workload_remove(struct policy_set *s, size_t at)
{
	model_workload_free(s->workloads[at]);
	memmove(&s->workloads[at], &s->workloads[at + 1],
		(--s->nr_workloads - at) * sizeof(*s->workloads));
}

static inline void policy_remove(struct policy_set *s, size_t at)
{
	model_policy_free(s->policies[at]);
	memmove(&s->policies[at], &s->policies[at + 1],
		(--s->nr_policies - at) * sizeof(*s->policies));
}

#endif
