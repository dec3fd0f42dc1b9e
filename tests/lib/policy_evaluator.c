// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_evaluator.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "policy_evaluator.h"

/* All that rules ask about. */
struct question {
	const struct policy_set *set;
	enum policy_direction direction;
	const struct model_workload *subject;	/* whose policies they are */
	const struct addr *peer;
	const struct model_workload *peer_pod;	/* NULL: it is none */
	const struct model_workload *to_pod;	/* whose ports have names */
	__u8 proto;
	__u16 port;
	bool with_audit;	/* policies under audit count */
};

static const char *value_of(const struct model_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (!strcmp(labels->label[i].key, key))
			return labels->label[i].value;
	}
	return NULL;
}

static bool is_listed(const struct model_requirement *r, const char *value)
{
	for (size_t i = 0; i < r->nr_values; i++) {
		if (!strcmp(r->values[i], value))
			return true;
	}
	return false;
}

static bool is_met(const struct model_requirement *r,
		   const struct model_labels *labels)
{
	const char *value = value_of(labels, r->key);

	switch (r->op) {
	case LABEL_IN:
		return value && is_listed(r, value);
	case LABEL_NOT_IN:
		return !value || !is_listed(r, value);
	case LABEL_EXISTS:
		return value;
	case LABEL_DOES_NOT_EXIST:
		return !value;
	}
	return false;
}

static bool matches(const struct model_selector *s,
		    const struct model_labels *labels)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!is_met(&s->requirement[i], labels))
			return false;
	}
	return true;
}

/* Who has no Namespace object is in one that has the label which each has. */
static bool namespace_matches(const struct policy_set *set,
			      const struct model_selector *s, const char *name)
{
	struct model_label given = { "kubernetes.io/metadata.name",
				     (char *)name };
	struct model_labels bare = { &given, 1 };

	for (size_t i = 0; i < set->nr_namespaces; i++) {
		if (!strcmp(set->namespaces[i]->name, name))
			return matches(s, &set->namespaces[i]->labels);
	}
	return matches(s, &bare);
}

static bool same(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool has_addr(const struct addr *addrs, size_t count,
		     const struct addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (same(&addrs[i], a))
			return true;
	}
	return false;
}

static bool is_ipv4(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff);
}

static bool bit(const struct addr *a, unsigned int n)
{
	return ((const __u8 *)a)[n / 8] >> (7 - n % 8) & 1;
}

/* ::/0 has no IPv4 address, though it is the longer number's prefix. */
static bool is_in(const struct addr *a, const struct model_prefix *net)
{
	if (is_ipv4(a) != (net->len >= 96 && is_ipv4(&net->addr)))
		return false;
	for (unsigned int n = 0; n < net->len; n++) {
		if (bit(a, n) != bit(&net->addr, n))
			return false;
	}
	return true;
}

/* Of the last pod that was made, if it is known when: an address is used again
 * once a pod has no need of it. */
static bool is_before(const struct model_workload *w,
		      const struct model_workload *other)
{
	if (!other)
		return true;
	if (!other->since_us)
		return false;
	return !w->since_us || w->since_us > other->since_us;
}

const struct model_workload *evaluator_pod_at(const struct policy_set *s,
					   const struct addr *a)
{
	const struct model_workload *found = NULL;

	for (size_t i = 0; i < s->nr_workloads; i++) {
		const struct model_workload *w = s->workloads[i];

		if (!w->is_host_network &&
		    has_addr(w->addrs, w->nr_addrs, a) && is_before(w, found))
			found = w;
	}
	return found;
}

static bool is_node(const struct policy_set *s, const struct model_peer *p,
		    const struct addr *a)
{
	for (size_t i = 0; i < s->nr_nodes; i++) {
		const struct model_policy_node *n = s->nodes[i];

		if (matches(&p->pods, &n->labels) &&
		    has_addr(n->addrs, n->nr_addrs, a))
			return true;
	}
	return false;
}

static bool is_in_block(const struct model_peer *p, const struct addr *a)
{
	if (!is_in(a, &p->network))
		return false;
	for (size_t i = 0; i < p->nr_except; i++) {
		if (is_in(a, &p->except[i]))
			return false;
	}
	return true;
}

/* Pods of namespaces that match; false: of the policy's own. */
struct selection {
	const char *own;
	bool has_namespaces;
	const struct model_selector *namespaces, *pods;
};

static bool selects(const struct policy_set *set, const struct selection *s,
		    const struct model_workload *pod)
{
	if (s->has_namespaces &&
	    !namespace_matches(set, s->namespaces, pod->namespace))
		return false;
	if (!s->has_namespaces && strcmp(s->own, pod->namespace))
		return false;
	return matches(s->pods, &pod->labels);
}

static bool is_selected(const struct question *q,
			const struct model_policy *policy,
			const struct model_peer *p)
{
	struct selection s = { policy->namespace, p->has_namespaces,
			       &p->namespaces, &p->pods };

	return q->peer_pod && selects(q->set, &s, q->peer_pod);
}

static bool is_subject(const struct question *q, const struct model_policy *p)
{
	struct selection s = { p->namespace, p->has_namespaces, &p->namespaces,
			       &p->pods };

	return selects(q->set, &s, q->subject);
}

static bool peer_matches(const struct question *q,
			 const struct model_policy *policy,
			 const struct model_peer *p)
{
	switch (p->kind) {
	case PEER_PODS:
		return is_selected(q, policy, p);
	case PEER_NETWORK:
		return is_in_block(p, q->peer);
	case PEER_NODES:
		return is_node(q->set, p, q->peer);
	case PEER_NOBODY:
		return false;
	}
	return false;
}

/* The port's number is what the pod that is reached calls so. */
static bool name_matches(const struct question *q,
			 const struct model_policy_port *p)
{
	const struct model_workload *pod = q->to_pod;

	for (size_t i = 0; pod && i < pod->nr_ports; i++) {
		const struct model_named_port *n = &pod->ports[i];

		if (!strcmp(n->name, p->name) && n->proto == q->proto &&
		    n->port == q->port && (!p->proto || p->proto == q->proto))
			return true;
	}
	return false;
}

static bool port_matches(const struct question *q,
			 const struct model_policy_port *p)
{
	if (p->name)
		return name_matches(q, p);
	return p->proto == q->proto && p->first <= q->port &&
	       q->port <= p->last;
}

static bool rule_matches(const struct question *q,
			 const struct model_policy *policy,
			 const struct model_rule *r)
{
	bool peer = !r->nr_peers, port = !r->nr_ports;

	for (size_t i = 0; i < r->nr_peers; i++)
		peer |= peer_matches(q, policy, &r->peers[i]);
	for (size_t i = 0; i < r->nr_ports; i++)
		port |= port_matches(q, &r->ports[i]);
	return peer && port;
}

/* The first rule that matches; NULL: none does. */
static const struct model_rule *first_match(const struct question *q,
					    const struct model_policy *p,
					    size_t *ret)
{
	for (size_t i = 0; i < p->rules[q->direction].count; i++) {
		const struct model_rule *r = &p->rules[q->direction].rule[i];

		if (rule_matches(q, p, r)) {
			*ret = i;
			return r;
		}
	}
	return NULL;
}

/* Is p, of that tier, a policy for the pod in question? */
static bool applies(const struct question *q, const struct model_policy *p,
		    enum policy_tier tier)
{
	return p->tier == tier && (q->with_audit || !p->audit) &&
	       is_subject(q, p);
}

static bool comes_before(const struct model_policy *a,
			 const struct model_policy *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return strcmp(a->name, b->name) < 0;
}

/* Admin and Baseline: the first rule of the first policy. False: none
 * matches, or it says to pass on. What Baseline passes on is allowed, as there
 * is nothing behind it. */
static bool tier_decides(const struct question *q, enum policy_tier tier,
			 struct evaluator_verdict *v)
{
	const struct model_rule *rule = NULL;
	const struct model_policy *by = NULL;
	size_t at = 0;

	for (size_t i = 0; i < q->set->nr_policies; i++) {
		const struct model_policy *p = q->set->policies[i];
		const struct model_rule *r;
		size_t n;

		if (!applies(q, p, tier) || (by && !comes_before(p, by)))
			continue;
		r = first_match(q, p, &n);
		if (!r)
			continue;
		rule = r;
		by = p;
		at = n;
	}
	if (!rule || (rule->action == POLICY_PASS && tier == TIER_ADMIN))
		return false;
	*v = (struct evaluator_verdict){
		.allowed = rule->action != POLICY_DENY,
		.why = WHY_RULE, .policy = by, .rule = at,
	};
	return true;
}

/* What any rule of any of them accepts, and else nothing. False: the pod is
 * not isolated. */
static bool networkpolicies_decide(const struct question *q,
				   struct evaluator_verdict *v)
{
	bool isolated = false;

	for (size_t i = 0; i < q->set->nr_policies; i++) {
		const struct model_policy *p = q->set->policies[i];
		size_t n;

		if (!applies(q, p, TIER_NETWORK) ||
		    !p->isolates[q->direction])
			continue;
		isolated = true;
		if (first_match(q, p, &n)) {
			*v = (struct evaluator_verdict){
				.allowed = true, .why = WHY_RULE,
				.policy = p, .rule = n,
			};
			return true;
		}
	}
	*v = (struct evaluator_verdict){ .why = WHY_ISOLATED };
	return isolated;
}

static struct evaluator_verdict judge(const struct question *q)
{
	struct evaluator_verdict v;

	if (tier_decides(q, TIER_ADMIN, &v) || networkpolicies_decide(q, &v) ||
	    tier_decides(q, TIER_BASELINE, &v))
		return v;
	return (struct evaluator_verdict){ .allowed = true, .why = WHY_DEFAULT };
}

static struct evaluator_answer free_of_policy(enum evaluator_why why)
{
	struct evaluator_verdict v = { .allowed = true, .why = why };

	return (struct evaluator_answer){ v, v };
}

static struct question question_of(const struct evaluator_world *w,
				   enum policy_direction direction,
				   const struct evaluator_try *c)
{
	const struct model_workload *from = evaluator_pod_at(w->set, &c->from);
	const struct model_workload *to = evaluator_pod_at(w->set, &c->to);
	bool in = direction == POLICY_IN;

	return (struct question){
		.set = w->set, .direction = direction,
		.subject = in ? to : from,
		.peer = in ? &c->from : &c->to, .peer_pod = in ? from : to,
		.to_pod = to, .proto = c->proto, .port = c->port,
	};
}

struct evaluator_answer evaluator_ask(const struct evaluator_world *w,
				      enum policy_direction direction,
				      const struct evaluator_try *c)
{
	struct question q = question_of(w, direction, c);
	struct evaluator_answer a;

	if (!q.subject)
		return free_of_policy(WHY_NO_POD);
	if (q.subject == q.peer_pod || has_addr(w->host, w->nr_host, q.peer))
		return free_of_policy(WHY_NEVER_BLOCKED);
	a.is = judge(&q);
	q.with_audit = true;
	a.would = judge(&q);
	return a;
}

bool evaluator_rule_matches(const struct evaluator_world *w,
			    enum policy_direction direction,
			    const struct evaluator_try *c,
			    const struct model_policy *policy, size_t rule)
{
	struct question q = question_of(w, direction, c);

	return is_subject(&q, policy) &&
	       rule < policy->rules[direction].count &&
	       rule_matches(&q, policy, &policy->rules[direction].rule[rule]);
}

bool evaluator_isolates(const struct evaluator_world *w,
			enum policy_direction direction,
			const struct evaluator_try *c,
			const struct model_policy *policy)
{
	struct question q = question_of(w, direction, c);

	return policy->tier == TIER_NETWORK && policy->isolates[direction] &&
	       is_subject(&q, policy);
}

static bool says_anything(const struct model_policy *p)
{
	return p->tier == TIER_NETWORK ?
	       p->isolates[POLICY_IN] || p->isolates[POLICY_OUT] :
	       p->rules[POLICY_IN].count || p->rules[POLICY_OUT].count;
}

bool evaluator_is_subject(const struct policy_set *s, const struct addr *a)
{
	struct question q = { .set = s, .subject = evaluator_pod_at(s, a) };

	for (size_t i = 0; q.subject && q.subject->is_here &&
			   i < s->nr_policies; i++) {
		if (is_subject(&q, s->policies[i]) &&
		    says_anything(s->policies[i]))
			return true;
	}
	return false;
}

static bool lets(const struct evaluator_world *w,
		 enum policy_direction direction, const struct evaluator_try *c)
{
	const struct model_workload *held = evaluator_pod_at(w->set,
		direction == POLICY_IN ? &c->to : &c->from);

	return !held || !held->is_here ||
	       evaluator_ask(w, direction, c).is.allowed;
}

bool evaluator_reaches(const struct evaluator_world *w,
		       const struct evaluator_try *c)
{
	return lets(w, POLICY_OUT, c) && lets(w, POLICY_IN, c);
}

const char *evaluator_text(const struct evaluator_verdict *v,
				char text[static EVALUATOR_TEXT_MAX])
{
	static const char *const whys[] = {
		[WHY_NO_POD] = "no pod is there",
		[WHY_NEVER_BLOCKED] = "it is never blocked",
		[WHY_ISOLATED] = "isolated",
		[WHY_DEFAULT] = "no rule",
	};
	const char *verdict = v->allowed ? "allowed" : "denied";

	if (v->why == WHY_RULE)
		snprintf(text, EVALUATOR_TEXT_MAX, "%s by %s/%s, rule %zu",
			 verdict, v->policy->namespace, v->policy->name,
			 v->rule);
	else
		snprintf(text, EVALUATOR_TEXT_MAX, "%s: %s", verdict,
			 whys[v->why]);
	return text;
}
