// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Workloads to groups, see struct group: ten thousand pods of a cluster are a
 * few hundred groups, and only these are compared with selectors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

#define NAMESPACE_LABEL "kubernetes.io/metadata.name"

int numbers_add(struct numbers *n, __u32 number)
{
	__u32 *to = list_add(&n->list);

	if (!to)
		return -ENOMEM;
	*to = number;
	return 0;
}

int numbers_add_all(struct numbers *n, const struct numbers *from)
{
	int ret = 0;

	for (size_t i = 0; from && i < from->list.count && !ret; i++)
		ret = numbers_add(n, from->list.at[i]);
	return ret;
}

bool numbers_has(const struct numbers *n, __u32 number)
{
	size_t low = 0, high = n->list.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->list.at[middle] == number)
			return true;
		if (n->list.at[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int compare_numbers(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void numbers_sort(struct numbers *n)
{
	size_t kept = 0;

	if (n->list.count < 2)
		return;
	qsort(n->list.at, n->list.count, sizeof(*n->list.at), compare_numbers);
	for (size_t i = 1; i < n->list.count; i++)
		if (n->list.at[i] != n->list.at[kept])
			n->list.at[++kept] = n->list.at[i];
	n->list.count = kept + 1;
}

int numbers_digest(struct content *b, const struct numbers *n,
		   struct digest *ret)
{
	content_add(b, n->list.at, n->list.count * sizeof(*n->list.at));
	return content_digest(b, ret);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

void content_set(struct content *b, const struct digests *d,
	       const struct numbers *n)
{
	size_t from;

	content_number(b, n->list.count);
	from = b->len;
	for (size_t i = 0; i < n->list.count; i++)
		content_add(b, &d->list.at[n->list.at[i]],
			    sizeof(struct digest));
	if (!b->failed && n->list.count)
		qsort(b->data + from, n->list.count, sizeof(struct digest),
		      compare_digests);
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int compare_policies(const void *a, const void *b)
{
	const struct model_policy *p = *(const struct model_policy *const *)a;
	const struct model_policy *q = *(const struct model_policy *const *)b;
	int order;

	if (p->tier != q->tier)
		return p->tier < q->tier ? -1 : 1;
	if (p->tier != TIER_NETWORK && p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	order = strcmp(p->namespace, q->namespace);
	return order ? order : strcmp(p->name, q->name);
}

int policies_order(struct policy_compiled *c)
{
	const struct policy_set *s = c->base;

	for (size_t i = 0; i < s->nr_policies; i++) {
		const struct model_policy **to = list_add(&c->policies);

		if (!to)
			return -ENOMEM;
		*to = s->policies[i];
	}
	if (c->policies.count)
		qsort(c->policies.at, c->policies.count,
		      sizeof(*c->policies.at), compare_policies);
	return 0;
}

static int add_key(struct policy_compiled *c, const char *key)
{
	const char **to = list_add(&c->keys);

	if (!to)
		return -ENOMEM;
	*to = key;
	return 0;
}

static int add_keys(struct policy_compiled *c, const struct model_selector *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->count && !ret; i++)
		ret = add_key(c, s->requirement[i].key);
	return ret;
}

static int add_rule(struct policy_compiled *c, const struct model_rule *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->nr_peers && !ret; i++)
		if (r->peers[i].kind == PEER_PODS)
			ret = add_keys(c, &r->peers[i].pods);
	for (size_t i = 0; i < r->nr_ports && !ret; i++) {
		const char **to = r->ports[i].name ? list_add(&c->names) : NULL;

		if (to)
			*to = r->ports[i].name;
		else if (r->ports[i].name)
			ret = -ENOMEM;
	}
	return ret;
}

static size_t each_once(const char **at, size_t count)
{
	size_t kept = 0;

	if (count < 2)
		return count;
	qsort(at, count, sizeof(*at), compare_texts);
	for (size_t i = 1; i < count; i++)
		if (strcmp(at[i], at[kept]))
			at[++kept] = at[i];
	return kept + 1;
}

/* What selectors and rules ask for. */
static int collect(struct policy_compiled *c)
{
	int ret = 0;

	for (size_t i = 0; i < c->policies.count && !ret; i++) {
		const struct model_policy *p = c->policies.at[i];

		ret = add_keys(c, &p->pods);
		for (int d = 0; d < NR_POLICY_DIRECTIONS; d++)
			for (size_t j = 0; j < p->rules[d].count && !ret; j++)
				ret = add_rule(c, &p->rules[d].rule[j]);
	}
	c->keys.count = each_once(c->keys.at, c->keys.count);
	c->names.count = each_once(c->names.at, c->names.count);
	return ret;
}

static bool is_asked(const char *const *at, size_t count, const char *text)
{
	return count && bsearch(&text, at, count, sizeof(*at), compare_texts);
}

static int group_digest(const struct policy_compiled *c,
			const struct model_workload *w, struct content *b,
			struct digest *ret)
{
	content_text(b, w->namespace);
	for (size_t i = 0; i < w->labels.count; i++) {
		const struct model_label *l = &w->labels.label[i];

		if (!is_asked(c->keys.at, c->keys.count, l->key))
			continue;
		content_text(b, l->key);
		content_text(b, l->value);
	}
	content_text(b, NULL);
	for (size_t i = 0; i < w->nr_ports; i++) {
		const struct model_named_port *p = &w->ports[i];

		if (!is_asked(c->names.at, c->names.count, p->name))
			continue;
		content_text(b, p->name);
		content_number(b, p->proto << 16 | p->port);
	}
	return content_digest(b, ret);
}

__u32 group_of(const struct policy_compiled *c, const struct model_workload *w,
	       struct content *b)
{
	struct digest digest;

	if (group_digest(c, w, b, &digest))
		return NONE;
	return digests_find(&c->group_index, &digest);
}

/* A namespace that nobody has described has the label that all have. */
static int namespace_labels(struct policy_compiled *c, const char *name,
			    struct model_labels *ret)
{
	const struct model_namespace *n = policy_set_namespace(c->base, name);
	struct model_label *label;

	if (n) {
		*ret = n->labels;
		return 0;
	}
	label = arena_alloc(&c->arena, 1, sizeof(*label));
	if (!label)
		return -ENOMEM;
	*label = (struct model_label){ .key = NAMESPACE_LABEL,
				       .value = (char *)name };
	*ret = (struct model_labels){ .label = label, .count = 1 };
	return 0;
}

static int group_add(struct policy_compiled *c, const struct model_workload *w)
{
	struct group *g = list_add(&c->groups);

	if (!g)
		return -ENOMEM;
	g->example = w;
	g->target[POLICY_IN] = g->target[POLICY_OUT] = NONE;
	return namespace_labels(c, w->namespace, &g->namespace);
}

static int group_join(struct policy_compiled *c, const struct model_workload *w,
		      struct content *b)
{
	struct digest digest;
	__u32 number;
	int ret = group_digest(c, w, b, &digest);

	if (ret)
		return ret;
	number = digests_add(&c->group_index, &digest);
	if (number == NONE)
		return -ENOMEM;
	if (number == c->groups.count)
		ret = group_add(c, w);
	if (!ret)
		c->groups.at[number].has_targets |=
			w->is_here || c->scope == POLICY_EVERYWHERE;
	return ret;
}

int groups_make(struct policy_compiled *c)
{
	struct content b = {};
	int ret = collect(c);

	for (size_t i = 0; i < c->base->nr_workloads && !ret; i++)
		if (!c->base->workloads[i]->is_host_network)
			ret = group_join(c, c->base->workloads[i], &b);
	content_free(&b);
	return ret;
}

bool policy_selects(const struct model_policy *p, const struct group *g)
{
	if (p->has_namespaces ? !selector_matches(&p->namespaces, &g->namespace)
			      : strcmp(p->namespace, g->example->namespace))
		return false;
	return selector_matches(&p->pods, &g->example->labels);
}
