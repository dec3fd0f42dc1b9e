// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a set of policies owns, and what its selectors match, see policy.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

struct policy_set *policy_set_new(void)
{
	struct policy_set *s = calloc(1, sizeof(*s));

	if (s)
		s->users = 1;
	return s;
}

struct policy_set *policy_set_hold(struct policy_set *s)
{
	s->users++;
	return s;
}

void policy_set_free(struct policy_set *s)
{
	if (!s || (s->users && --s->users))
		return;
	for (size_t i = 0; i < s->nr_workloads; i++)
		model_workload_free(s->workloads[i]);
	for (size_t i = 0; i < s->nr_namespaces; i++)
		model_namespace_free(s->namespaces[i]);
	for (size_t i = 0; i < s->nr_nodes; i++)
		model_policy_node_free(s->nodes[i]);
	for (size_t i = 0; i < s->nr_policies; i++)
		model_policy_free(s->policies[i]);
	free(s->workloads);
	free(s->namespaces);
	free(s->nodes);
	free(s->policies);
	free(s);
}

static void labels_clear(struct model_labels *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->label[i].key);
		free(l->label[i].value);
	}
	free(l->label);
}

static void requirement_clear(struct model_requirement *r)
{
	for (size_t i = 0; i < r->nr_values; i++)
		free(r->values[i]);
	free(r->values);
	free(r->key);
}

void model_selector_clear(struct model_selector *s)
{
	for (size_t i = 0; i < s->count; i++)
		requirement_clear(&s->requirement[i]);
	free(s->requirement);
	*s = (struct model_selector){};
}

void model_workload_free(struct model_workload *w)
{
	if (!w || (w->users && --w->users))
		return;
	for (size_t i = 0; i < w->nr_ports; i++)
		free(w->ports[i].name);
	free(w->ports);
	labels_clear(&w->labels);
	free(w->addrs);
	free(w->namespace);
	free(w->name);
	free(w);
}

void model_namespace_free(struct model_namespace *n)
{
	if (!n || (n->users && --n->users))
		return;
	labels_clear(&n->labels);
	free(n->name);
	free(n);
}

void model_policy_node_free(struct model_policy_node *n)
{
	if (!n || (n->users && --n->users))
		return;
	labels_clear(&n->labels);
	free(n->addrs);
	free(n->name);
	free(n);
}

void model_rule_clear(struct model_rule *r)
{
	for (size_t i = 0; i < r->nr_peers; i++) {
		model_selector_clear(&r->peers[i].namespaces);
		model_selector_clear(&r->peers[i].pods);
		free(r->peers[i].except);
	}
	for (size_t i = 0; i < r->nr_ports; i++)
		free(r->ports[i].name);
	free(r->peers);
	free(r->ports);
	free(r->name);
	*r = (struct model_rule){};
}

void model_policy_free(struct model_policy *p)
{
	if (!p || (p->users && --p->users))
		return;
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		for (size_t i = 0; i < p->rules[d].count; i++)
			model_rule_clear(&p->rules[d].rule[i]);
		free(p->rules[d].rule);
	}
	model_selector_clear(&p->namespaces);
	model_selector_clear(&p->pods);
	free(p->namespace);
	free(p->name);
	free(p);
}

static int compare_names(const char *namespace, const char *name,
			 const struct model_workload *w)
{
	int order = strcmp(namespace, w->namespace);

	return order ? order : strcmp(name, w->name);
}

const struct model_workload *policy_set_workload(const struct policy_set *s,
						 const char *namespace,
						 const char *name)
{
	size_t low = 0, high = s->nr_workloads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_names(namespace, name,
					  s->workloads[middle]);

		if (!order)
			return s->workloads[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct model_namespace *policy_set_namespace(const struct policy_set *s,
						   const char *name)
{
	size_t low = 0, high = s->nr_namespaces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, s->namespaces[middle]->name);

		if (!order)
			return s->namespaces[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* NULL: there is no such label. */
static const char *label_value(const struct model_labels *l, const char *key)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, l->label[middle].key);

		if (!order)
			return l->label[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_among_values(const struct model_requirement *r,
			    const char *value)
{
	for (size_t i = 0; value && i < r->nr_values; i++)
		if (!strcmp(r->values[i], value))
			return true;
	return false;
}

/* As labels.Requirement.Matches() of k8s.io/apimachinery. */
static bool requirement_matches(const struct model_requirement *r,
				const struct model_labels *labels)
{
	const char *value = label_value(labels, r->key);

	switch (r->op) {
	case LABEL_IN:
		return is_among_values(r, value);
	case LABEL_NOT_IN:
		return !is_among_values(r, value);
	case LABEL_EXISTS:
		return value;
	case LABEL_DOES_NOT_EXIST:
		return !value;
	}
	return false;
}

bool selector_matches(const struct model_selector *s,
		      const struct model_labels *labels)
{
	for (size_t i = 0; i < s->count; i++)
		if (!requirement_matches(&s->requirement[i], labels))
			return false;
	return true;
}

const char *policy_text(const struct model_policy *p,
			char text[static POLICY_NAME_MAX])
{
	snprintf(text, POLICY_NAME_MAX, "%s%s%s", p->namespace,
		 *p->namespace ? "/" : "", p->name);
	return text;
}
