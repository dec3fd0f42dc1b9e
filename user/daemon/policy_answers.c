// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_answers.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "control.h"
#include "policy_answers.h"

#define SELECTING_MAX 1024

static const char *const tier_names[] = {
	[TIER_ADMIN] = "admin",
	[TIER_NETWORK] = "network",
	[TIER_BASELINE] = "baseline",
};

static const char *const direction_names[] = {
	[POLICY_IN] = "ingress",
	[POLICY_OUT] = "egress",
};

/* What a policy counted. */
struct counts {
	__u64 allowed, denied;
};

struct counting {
	const struct policy_set *set;
	struct counts *counts;	/* [set->nr_policies] */
};

static int count(void *arg, const struct policy_count *c)
{
	const struct model_policy *p = c->rule.policy ? c->rule.policy :
							c->rule.of;
	struct counting *w = arg;

	for (size_t i = 0; p && i < w->set->nr_policies; i++)
		if (w->set->policies[i] == p)
			*(c->denied ? &w->counts[i].denied :
				      &w->counts[i].allowed) += c->count;
	return 0;
}

static json_t *policy_json(const struct model_policy *p, const struct counts *c)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:b, s:i, s:i, s:b, s:b, s:I, "
			 "s:I}",
			 "namespace", p->namespace, "name", p->name,
			 "tier", tier_names[p->tier],
			 "priority", (json_int_t)p->priority,
			 "audit", p->audit,
			 "ingress_rules", (int)p->rules[POLICY_IN].count,
			 "egress_rules", (int)p->rules[POLICY_OUT].count,
			 "isolates_ingress", p->isolates[POLICY_IN],
			 "isolates_egress", p->isolates[POLICY_OUT],
			 "allowed", (json_int_t)c->allowed,
			 "denied", (json_int_t)c->denied);
}

/* The caller's; NULL: out of memory. */
static struct counts *counts_of(const struct policy_set *set,
				struct policy_state *state)
{
	size_t nr = set ? set->nr_policies : 0;
	struct counting w = { set, calloc(nr + 1, sizeof(*w.counts)) };

	if (w.counts && state && nr)
		policy_counts(state, count, &w);
	return w.counts;
}

json_t *policy_list_json(const struct policy_set *set,
			 struct policy_state *state)
{
	struct counts *counts = counts_of(set, state);
	json_t *list = counts ? json_array() : NULL;

	for (size_t i = 0; list && set && i < set->nr_policies; i++)
		json_array_append_new(list, policy_json(set->policies[i],
							&counts[i]));
	free(counts);
	return list ? json_pack("{s:b, s:o}", "ok", 1, "policies", list) :
		      NULL;
}

/* Text as the value of a label. */
static void label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
	fputc('"', out);
}

static void decisions(FILE *out, const struct model_policy *p,
		      const char *verdict, __u64 value)
{
	fputs("fairlead_policy_decisions_total{", out);
	label(out, "namespace", p->namespace);
	label(out, ",policy", p->name);
	fprintf(out, ",tier=\"%s\",verdict=\"%s\"} %llu\n",
		tier_names[p->tier], verdict, value);
}

void policy_metrics(FILE *out, const struct policy_set *set,
		    struct policy_state *state)
{
	struct counts *counts = counts_of(set, state);

	if (!counts)
		return;
	fputs("# HELP fairlead_policy_decisions_total New connections that a network policy decided about.\n"
	      "# TYPE fairlead_policy_decisions_total counter\n", out);
	for (size_t i = 0; set && i < set->nr_policies; i++) {
		decisions(out, set->policies[i], "allowed", counts[i].allowed);
		decisions(out, set->policies[i], "denied", counts[i].denied);
	}
	free(counts);
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
				"direction", direction_names[direction],
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
	return explain(c, &ends[0], &ends[1], proto, port);
}
