// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_answers.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "control.h"
#include "model/policy_text.h"
#include "policy_answers.h"

#define SELECTING_MAX 1024

/* In order of addresses, as counts name them. */
struct tallies {
	struct policy_tally *list;	/* owned */
	size_t count;
};

static int compare_policies(const void *a, const void *b)
{
	const struct policy_tally *x = a, *y = b;

	return (x->policy > y->policy) - (x->policy < y->policy);
}

/* NULL: it is none of them. */
static struct policy_tally *tally_of(const struct tallies *t,
				     const struct model_policy *p)
{
	const struct policy_tally key = { .policy = p };

	return bsearch(&key, t->list, t->count, sizeof(key), compare_policies);
}

static int count(void *arg, const struct policy_count *c)
{
	struct policy_tally *t = tally_of(arg, c->rule.policy ?: c->rule.of);

	if (t)
		*(c->denied ? &t->denied : &t->allowed) += c->count;
	return 0;
}

int policy_tallies(const struct policy_set *set, struct policy_state *state,
		   void (*f)(void *arg, const struct policy_tally *t),
		   void *arg)
{
	size_t nr = set ? set->nr_policies : 0;
	struct tallies t = { calloc(nr + 1, sizeof(*t.list)), nr };

	if (!t.list)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		t.list[i].policy = set->policies[i];
	qsort(t.list, nr, sizeof(*t.list), compare_policies);
	if (state && nr)
		policy_counts(state, count, &t);
	for (size_t i = 0; i < nr; i++)
		f(arg, tally_of(&t, set->policies[i]));
	free(t.list);
	return 0;
}

static void add_policy(void *arg, const struct policy_tally *t)
{
	const struct model_policy *p = t->policy;

	json_array_append_new(arg, json_pack(
		"{s:s, s:s, s:s, s:I, s:b, s:i, s:i, s:b, s:b, s:I, s:I}",
		"namespace", p->namespace, "name", p->name,
		"tier", policy_tier_name(p->tier),
		"priority", (json_int_t)p->priority, "audit", p->audit,
		"ingress_rules", (int)p->rules[POLICY_IN].count,
		"egress_rules", (int)p->rules[POLICY_OUT].count,
		"isolates_ingress", p->isolates[POLICY_IN],
		"isolates_egress", p->isolates[POLICY_OUT],
		"allowed", (json_int_t)t->allowed,
		"denied", (json_int_t)t->denied));
}

/* What does not count of them, of workloads that are here. */
static json_t *warnings_json(const struct policy_set *set,
			struct policy_state *state)
{
	const struct policy_compiled *c = state ? policy_compiled(state) : NULL;
	char text[POLICY_TEXT_MAX];
	json_t *ret = json_array();

	if (c && policy_closed(c, text))
		json_array_append_new(ret, json_string(text));
	for (size_t i = 0; c && set && i < set->nr_workloads; i++)
		if (set->workloads[i]->is_here &&
		    policy_is_cut(c, set->workloads[i], text))
			json_array_append_new(ret, json_string(text));
	return ret;
}

json_t *policy_list_json(const struct policy_set *set,
			 struct policy_state *state)
{
	json_t *list = json_array();

	if (!list || policy_tallies(set, state, add_policy, list)) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:b, s:o, s:o}", "ok", 1, "policies", list,
			 "warnings", warnings_json(set, state));
}

/* One end of what is asked about. */
struct end {
	const struct model_workload *workload;	/* NULL: an address alone */
	struct addr addr;
};

/* text: "NAMESPACE/NAME", "NAME" or an address. Of a workload, one of that
 * family that the other end has, if it has any. */
static bool end_find(const struct policy_set *set,
		     const struct policy_compiled *c, const char *text,
		     struct end *ret)
{
	const char *slash = strchr(text, '/');
	char namespace[256] = "default";

	if (addr_parse(text, &ret->addr)) {
		ret->workload = policy_workload_of(c, &ret->addr);
		return true;
	}
	if (slash)
		snprintf(namespace, sizeof(namespace), "%.*s",
			 (int)(slash - text), text);
	ret->workload = policy_set_workload(set, namespace,
					    slash ? slash + 1 : text);
	if (!ret->workload || !ret->workload->nr_addrs)
		return false;
	ret->addr = ret->workload->addrs[0];
	return true;
}

static void end_match_family(struct end *e, const struct end *other)
{
	bool is4 = addr_is4(&other->addr);

	for (size_t i = 0; e->workload && addr_is4(&e->addr) != is4 &&
			   i < e->workload->nr_addrs; i++)
		e->addr = e->workload->addrs[i];
}

static bool proto_parse(const char *text, __u8 *ret_proto, __u16 *ret_port)
{
	size_t len = strcspn(text, "/");
	unsigned long number;
	char name[8], *end;

	snprintf(name, sizeof(name), "%.*s", (int)len, text);
	*ret_port = 0;
	*ret_proto = proto_number(name);
	if (*ret_proto) {
		number = text[len] ? strtoul(text + len + 1, &end, 10) : 0;
		*ret_port = number;
		return text[len] && !*end && number && number <= 65535;
	}
	if (!strcasecmp(text, "icmp")) {
		*ret_proto = IPPROTO_ICMP;
		return true;
	}
	number = strtoul(text, &end, 10);
	*ret_proto = number;
	return *text && !*end && number <= 255;
}

static json_t *selecting_json(const struct policy_compiled *c,
			      const struct model_workload *w,
			      enum policy_direction direction)
{
	const struct model_policy *list[SELECTING_MAX];
	size_t nr = policy_selecting(c, w, direction, list, SELECTING_MAX);
	char text[POLICY_NAME_MAX];
	json_t *ret = json_array();

	for (size_t i = 0; i < nr && i < SELECTING_MAX; i++)
		json_array_append_new(ret, json_string(policy_text(list[i],
								   text)));
	return ret;
}

static json_t *rule_json(const struct policy_compiled *c, __u32 target,
			 __u16 rule)
{
	struct policy_rule_info info;
	char text[POLICY_TEXT_MAX];

	if (!target)
		return json_string("not isolated");
	if (!policy_compiled_rule(c, target, rule, &info))
		return json_string("no rule matches");
	return json_string(policy_rule_text(&info, text));
}

static json_t *end_json(const struct policy_compiled *c,
			const struct model_workload *w,
			enum policy_direction direction,
			const struct policy_judgement *a)
{
	json_t *ret = json_pack("{s:s, s:o, s:b, s:b, s:o, s:o}",
				"direction", policy_direction_name(direction),
				"workload", json_sprintf("%s/%s", w->namespace,
							 w->name),
				"allowed", a->allowed, "audited", a->audited,
				"why", rule_json(c, a->target, a->rule),
				"policies", selecting_json(c, w, direction));

	if (a->audited)
		json_object_set_new(ret, "audit", rule_json(c, a->target,
							a->audit_rule));
	return ret;
}

static json_t *explain(const struct policy_compiled *c, const struct end *from,
		       const struct end *to, __u8 proto, __u16 port)
{
	struct policy_judgement answers[NR_POLICY_DIRECTIONS];
	bool allowed = policy_may(c, &from->addr, &to->addr, proto, port,
				  answers);
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];
	json_t *ends = json_array();

	if (from->workload)
		json_array_append_new(ends, end_json(c, from->workload,
						     POLICY_OUT,
						     &answers[POLICY_OUT]));
	if (to->workload)
		json_array_append_new(ends, end_json(c, to->workload, POLICY_IN,
						     &answers[POLICY_IN]));
	return json_pack("{s:b, s:s, s:s, s:b, s:o}", "ok", 1,
			 "from", addr_format(&from->addr, a),
			 "to", addr_format(&to->addr, b),
			 "allowed", allowed, "ends", ends);
}

json_t *policy_explain_json(struct policy_set *set, const struct addr *host,
			    size_t nr_host, const char *from, const char *to,
			    const char *what)
{
	__cleanup(policy_compiled_freep) struct policy_compiled *c = NULL;
	char text[POLICY_TEXT_MAX] = "";
	struct end ends[2] = {};
	json_t *ret;
	__u8 proto;
	__u16 port;
	int err;

	if (!proto_parse(what, &proto, &port))
		return control_refuse("\"%s\" is not tcp/PORT, udp/PORT, sctp/PORT, icmp or a protocol's number", what);
	err = policy_compile(set, host, nr_host, POLICY_EVERYWHERE, &c, text);
	if (err)
		return control_refuse("%s", *text ? text : strerror(-err));
	if (!end_find(set, c, from, &ends[0]))
		return control_refuse("\"%s\" is neither a workload with an address nor an address", from);
	if (!end_find(set, c, to, &ends[1]))
		return control_refuse("\"%s\" is neither a workload with an address nor an address", to);
	end_match_family(&ends[1], &ends[0]);
	end_match_family(&ends[0], &ends[1]);
	if (addr_is4(&ends[0].addr) != addr_is4(&ends[1].addr))
		return control_refuse("\"%s\" and \"%s\" have no address of the same family", from, to);
	if (proto == IPPROTO_ICMP && !addr_is4(&ends[0].addr))
		proto = IPPROTO_ICMPV6;
	ret = explain(c, &ends[0], &ends[1], proto, port);
	if (ret && policy_closed(c, text))
		json_object_set_new(ret, "warning", json_string(text));
	return ret;
}
