// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_questions.h. */
#include <netinet/in.h>
#include <stdio.h>

#include "base/addr.h"
#include "chance.h"
#include "model/policy_text.h"
#include "policy_manifest.h"
#include "policy_questions.h"

#define TRIES 14

/* What each pair is asked, in one universe. */
struct tries {
	struct { __u8 proto; __u16 port; } at[TRIES];
};

static struct tries tries;
bool questions_quiet;

void questions_begin(void)
{
	static const __u8 protos[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP,
				       IPPROTO_SCTP };
	static const __u16 ports[] = { 0, 1, 52, 53, 54, 79, 80, 80, 81, 81,
				       82, 442, 443, 444, 8079, 8080, 8081,
				       65534, 65535 };

	for (int i = 0; i < TRIES; i++) {
		tries.at[i].proto = protos[i % 4];
		tries.at[i].port = ports[any(sizeof(ports) / sizeof(*ports))];
	}
	tries.at[0].proto = IPPROTO_ICMP;
	tries.at[1].proto = 47;
}

static struct evaluator_try try_of(const struct question *q)
{
	bool in = q->direction == POLICY_IN;

	return (struct evaluator_try){
		.from = in ? *q->peer : *q->own, .to = in ? *q->own : *q->peer,
		.proto = q->proto, .port = q->port,
	};
}

struct evaluator_answer question_answer(const struct question *q)
{
	struct evaluator_world w = { q->set, q->u->host, 2 };
	struct evaluator_try c = try_of(q);

	return evaluator_ask(&w, q->direction, &c);
}

void questions_print(const struct universe *u)
{
	for (size_t i = 0; i < u->namespaces.count; i++)
		manifest_namespace(stderr, u->namespaces.item[i]);
	for (size_t i = 0; i < u->nodes.count; i++)
		manifest_node(stderr, u->nodes.item[i]);
	for (size_t i = 0; i < u->workloads.count; i++)
		manifest_pod(stderr, u->workloads.item[i]);
	for (size_t i = 0; i < u->policies.count; i++)
		manifest_policy(stderr, u->policies.item[i]);
}

bool question_differs(const struct question *q, const char *what,
		      const char *said)
{
	struct evaluator_answer right = question_answer(q);
	struct evaluator_try c = try_of(q);
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX], is[EVALUATOR_TEXT_MAX],
	     would[EVALUATOR_TEXT_MAX];

	if (questions_quiet)
		return false;
	fprintf(stderr, "# %s: %s of %s/%s, %s to %s, protocol %u, port %u\n"
		"#   it says:     %s\n#   evaluator:   %s\n"
		"#   under audit: %s\n", what,
		policy_direction_name(q->direction),
		q->pod->namespace, q->pod->name, addr_format(&c.from, from),
		addr_format(&c.to, to), c.proto, c.port, said,
		evaluator_text(&right.is, is),
		evaluator_text(&right.would, would));
	return false;
}

/* The rule that is said to have decided may have. */
static bool rule_is_right(const struct question *q,
			  const struct evaluator_verdict *v,
			  const struct policy_rule_info *info)
{
	struct evaluator_world w = { q->set, q->u->host, 2 };
	struct evaluator_try c = try_of(q);

	if (info->direction != q->direction)
		return false;
	if (v->why == WHY_ISOLATED)
		return !info->policy && info->of &&
		       evaluator_isolates(&w, q->direction, &c, info->of);
	if (!info->policy)
		return false;
	if (v->policy->tier == TIER_NETWORK)	/* any that matches */
		return info->policy->tier == TIER_NETWORK &&
		       info->action == POLICY_ACCEPT &&
		       evaluator_rule_matches(&w, q->direction, &c,
					      info->policy, info->number);
	return info->policy == v->policy && info->number == v->rule;
}

static bool names_the_rule(const struct policy_compiled *c,
			   const struct question *q,
			   const struct evaluator_verdict *v, __u32 target,
			   __u16 bit)
{
	char text[POLICY_TEXT_MAX];
	struct policy_rule_info info = {};

	if (v->why != WHY_RULE && v->why != WHY_ISOLATED)
		return bit == POLICY_NO_RULE ||
		       question_differs(q, "rule", "a rule, where none decides");
	if (bit == POLICY_NO_RULE)
		return question_differs(q, "rule", "none");
	if (!policy_compiled_rule(c, target, bit, &info))
		return question_differs(q, "rule", "one that there is not");
	return rule_is_right(q, v, &info) ||
	       question_differs(q, "rule", policy_rule_text(&info, text));
}

bool question_judged(const struct policy_compiled *c,
		     const struct question *q, bool is_held)
{
	struct policy_judgement a = policy_judge(c, q->pod, q->direction, q->peer,
					      q->proto, q->port);
	struct evaluator_answer right = question_answer(q);
	bool audited = right.is.allowed && !right.would.allowed;

	if (!is_held)
		return (a.allowed && !a.audited && !a.target) ||
		       question_differs(q, "who is not held", "it is held");
	if (a.allowed != right.is.allowed)
		return question_differs(q, "verdict", a.allowed ? "allowed" : "denied");
	if (a.audited != audited)
		return question_differs(q, "audit", a.audited ? "denied" : "nothing");
	return names_the_rule(c, q, &right.is, a.target, a.rule) &&
	       (!audited || names_the_rule(c, q, &right.would, a.target,
					   a.audit_rule));
}

/* Each protocol and port of a pair, in both directions. */
static bool check_pair(struct question *q, check_fn *check, const void *arg)
{
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		q->direction = d;
		for (int i = 0; i < TRIES; i++) {
			q->proto = tries.at[i].proto;
			q->port = tries.at[i].port;
			if (!check(arg, q))
				return false;
		}
	}
	return true;
}

static bool check_with(struct question *q, const struct addr *peers,
		       size_t count, check_fn *check, const void *arg)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_is4(&peers[i]) != addr_is4(q->own))
			continue;
		q->peer = &peers[i];
		if (!check_pair(q, check, arg))
			return false;
	}
	return true;
}

/* One of its addresses with everybody's. */
static bool check_own(struct question *q, check_fn *check, const void *arg)
{
	const struct policy_set *s = q->set;

	for (size_t i = 0; i < s->nr_workloads; i++) {
		const struct model_workload *w = s->workloads[i];

		if (!check_with(q, w->addrs, w->nr_addrs, check, arg))
			return false;
	}
	for (size_t i = 0; i < s->nr_nodes; i++) {
		if (!check_with(q, s->nodes[i]->addrs, s->nodes[i]->nr_addrs,
				check, arg))
			return false;
	}
	return check_with(q, q->u->outsiders, q->u->nr_outsiders, check, arg);
}

bool questions_ask(const struct universe *u, const struct policy_set *s,
		   check_fn *check, const void *arg)
{
	for (size_t i = 0; i < s->nr_workloads; i++) {
		struct question q = { .u = u, .set = s,
				      .pod = s->workloads[i] };

		for (size_t n = 0; n < q.pod->nr_addrs; n++) {
			q.own = &q.pod->addrs[n];
			if (!check_own(&q, check, arg))
				return false;
		}
	}
	return true;
}

void question_port(struct question *q)
{
	int at = any(TRIES);

	q->proto = tries.at[at].proto;
	q->port = tries.at[at].port;
}

bool question_judged_here(const void *compiled, const struct question *q)
{
	return question_judged(compiled, q, !q->pod->is_host_network &&
					    q->pod->is_here);
}
