// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `policy` and `monitor`: what network policies there are, what they say about
 * a connection, and what they denied. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd.h"
#include "daemon/policy_answers.h"
#include "definitions/definitions.h"
#include "model/policy.h"

#define MONITOR_MS 200

/* Logs; NULL: nobody answered, or refused. */
static json_t *ask(const struct options *o, json_t *request)
{
	json_t *answer = NULL;
	int err = daemon_ask(o, request, &answer);

	if (err == -ENOENT)
		log_error(0, "no daemon runs, so that no policy is known; "
			  "--config names files to read instead");
	return err ? NULL : answer;
}

/* The model that --config names. */
static struct model *load(const struct options *o)
{
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, o->config, given);
	struct model *m = NULL;

	return definitions_load(&from, &m, stderr) ? NULL : m;
}

struct policy_row {
	const char *namespace, *name, *tier, *mode;
	__u64 priority, ingress, egress, allowed, denied;
};

static const struct column policy_columns[] = {
	COLUMN("namespace", "NAMESPACE", TEXT, struct policy_row, namespace),
	COLUMN("name", "NAME", TEXT, struct policy_row, name),
	COLUMN("tier", "TIER", TEXT, struct policy_row, tier),
	COLUMN("priority", "PRIORITY", COUNT, struct policy_row, priority),
	COLUMN("mode", "MODE", TEXT, struct policy_row, mode),
	COLUMN("ingress_rules", "INGRESS", COUNT, struct policy_row, ingress),
	COLUMN("egress_rules", "EGRESS", COUNT, struct policy_row, egress),
	COLUMN("allowed", "ALLOWED", COUNT, struct policy_row, allowed),
	COLUMN("denied", "DENIED", COUNT, struct policy_row, denied),
	COLUMNS_END,
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static __u64 count_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool is_so(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static int print_policy(struct print *out, const json_t *p)
{
	const char *tier = text_of(p, "tier");
	struct policy_row row = {
		.namespace = text_of(p, "namespace"),
		.name = text_of(p, "name"),
		.tier = tier,
		.mode = is_so(p, "audit") ? "audit" : "enforce",
		.priority = strcmp(tier, "network") ? count_of(p, "priority") :
						      COUNT_UNKNOWN,
		.ingress = is_so(p, "isolates_ingress") ||
			   count_of(p, "ingress_rules") ?
				   count_of(p, "ingress_rules") : COUNT_UNKNOWN,
		.egress = is_so(p, "isolates_egress") ||
			  count_of(p, "egress_rules") ?
				  count_of(p, "egress_rules") : COUNT_UNKNOWN,
		.allowed = count_of(p, "allowed"),
		.denied = count_of(p, "denied"),
	};

	return print_row(out, &row);
}

static int print_policies(const struct options *o, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "policies");
	struct print *out;
	size_t i;
	json_t *p;

	if (print_open(stdout, o->json, policy_columns, &out))
		return FAILED;
	json_array_foreach(list, i, p)
		if (print_policy(out, p))
			break;
	return print_close(out) ? FAILED : DONE;
}

static void print_warnings(const json_t *answer)
{
	size_t i;
	json_t *w;

	json_array_foreach(json_object_get(answer, "warnings"), i, w)
		log_warning(0, "%s", json_string_value(w));
}

int cmd_policy_list(const struct options *o)
{
	__cleanup(json_decrefp) json_t *answer = NULL;
	__cleanup(model_freep) struct model *m = NULL;

	if (o->config) {
		m = load(o);
		answer = m ? policy_list_json(m->policy, NULL) : NULL;
	} else {
		answer = ask(o, json_pack("{s:s}", "cmd", "policies"));
	}
	if (!answer)
		return FAILED;
	print_warnings(answer);
	return print_policies(o, answer);
}

struct rule_row {
	const char *direction, *name, *action, *who, *ports;
	__u64 rule, allowed, denied;
};

static const struct column rule_columns[] = {
	COLUMN("direction", "DIRECTION", TEXT, struct rule_row, direction),
	COLUMN("rule", "RULE", COUNT, struct rule_row, rule),
	COLUMN("name", "NAME", TEXT, struct rule_row, name),
	COLUMN("action", "ACTION", TEXT, struct rule_row, action),
	COLUMN("who", "WHO", TEXT, struct rule_row, who),
	COLUMN("ports", "PORTS", TEXT, struct rule_row, ports),
	COLUMN("allowed", "ALLOWED", COUNT, struct rule_row, allowed),
	COLUMN("denied", "DENIED", COUNT, struct rule_row, denied),
	COLUMNS_END,
};

static int print_rules(const json_t *rules)
{
	struct print *out;
	size_t i;
	json_t *r;

	if (print_open(stdout, false, rule_columns, &out))
		return FAILED;
	json_array_foreach(rules, i, r) {
		const json_t *number = json_object_get(r, "rule");
		const struct rule_row row = {
			.direction = text_of(r, "direction"),
			.name = json_string_value(json_object_get(r, "name")),
			.action = text_of(r, "action"),
			.who = text_of(r, "who"),
			.ports = text_of(r, "ports"),
			.rule = json_is_integer(number) ?
					count_of(r, "rule") :
					COUNT_UNKNOWN,
			.allowed = count_of(r, "allowed"),
			.denied = count_of(r, "denied"),
		};

		if (print_row(out, &row))
			break;
	}
	return print_close(out) ? FAILED : DONE;
}

int cmd_policy_show(const struct options *o)
{
	__cleanup(json_decrefp) json_t *answer = NULL;
	size_t i;
	json_t *w;

	answer = ask(o, json_pack("{s:s, s:s}", "cmd", "policy", "name",
				  o->arguments[0]));
	if (!answer)
		return FAILED;
	if (o->json)
		return json_print(json_incref(answer), stdout) ? FAILED : DONE;
	printf("policy:   %s%s\nselects:  %s\nhere:    ",
	       text_of(answer, "policy"),
	       is_so(answer, "audit") ? ", audit" : "",
	       text_of(answer, "selects"));
	json_array_foreach(json_object_get(answer, "workloads"), i, w)
		printf(" %s", json_string_value(w));
	printf("%s\n\n", i ? "" : " nobody");
	return print_rules(json_object_get(answer, "rules"));
}

static void print_end(const json_t *end)
{
	const json_t *policies = json_object_get(end, "policies");
	const char *held = text_of(end, "held");
	size_t i;
	json_t *p;

	printf("%s of %s: %s: %s\n", text_of(end, "direction"),
	       text_of(end, "workload"),
	       is_so(end, "allowed") ? "allowed" : "denied",
	       text_of(end, "why"));
	if (!strcmp(held, "no") || !strcmp(held, "closed"))
		printf("  %s: none of our programs is at an interface of it\n",
		       *held == 'n' ? "but not held to it" : "but closed");
	if (is_so(end, "audited"))
		printf("  would be denied, if it were not audit: %s\n",
		       text_of(end, "audit"));
	json_array_foreach(policies, i, p)
		printf("  selected by %s\n", json_string_value(p));
}

static void print_explained(const json_t *answer)
{
	size_t i;
	json_t *end;

	json_array_foreach(json_object_get(answer, "ends"), i, end)
		print_end(end);
	printf("%s: %s to %s\n", is_so(answer, "allowed") ? "allowed" :
							    "denied",
	       text_of(answer, "from"), text_of(answer, "to"));
}

static json_t *explain_offline(const struct options *o)
{
	__cleanup(model_freep) struct model *m = load(o);
	json_t *answer = NULL;

	if (!m)
		return NULL;
	if (!m->policy) {
		log_error(0, "\"%s\" says nothing about workloads", o->config);
		return NULL;
	}
	answer = policy_explain_json(m->policy, NULL, 0, o->arguments[0],
				     o->arguments[1], o->arguments[2]);
	if (answer && !is_so(answer, "ok")) {
		log_error(0, "%s", text_of(answer, "error"));
		json_decref(answer);
		return NULL;
	}
	return answer;
}

/* Exit status 1 is a failure to tell; what is denied is told. */
int cmd_policy_explain(const struct options *o)
{
	__cleanup(json_decrefp) json_t *answer = NULL;

	if (o->config)
		answer = explain_offline(o);
	else
		answer = ask(o, json_pack("{s:s, s:s, s:s, s:s}", "cmd",
					  "policy-explain",
					  "from", o->arguments[0],
					  "to", o->arguments[1],
					  "what", o->arguments[2]));
	if (!answer)
		return FAILED;
	if (*text_of(answer, "warning"))
		log_warning(0, "%s", text_of(answer, "warning"));
	if (o->json)
		return json_print(json_incref(answer), stdout) ? FAILED : DONE;
	print_explained(answer);
	return ferror(stdout) ? FAILED : DONE;
}

static void print_where(const json_t *end)
{
	const char *workload = text_of(end, "workload");

	printf("%s%s%s", workload, *workload ? " " : "",
	       text_of(end, "address"));
}

static void print_verdict(const json_t *v)
{
	double at = json_number_value(json_object_get(v, "time"));
	time_t second = at;
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&second, &tm));
	printf("%s.%03d %s %s ", text, (int)((at - second) * 1000),
	       text_of(v, "verdict"), text_of(v, "direction"));
	print_where(json_object_get(v, "from"));
	printf(" -> ");
	print_where(json_object_get(v, "to"));
	printf(" %s: %s%s\n", text_of(v, "protocol"), text_of(v, "why"),
	       is_so(v, "live") ? " (was allowed before)" : "");
}

/* Those from number *first on; *first is the next one's then. */
static int print_verdicts(const struct options *o, __u64 *first)
{
	__cleanup(json_decrefp) json_t *answer = NULL;
	size_t i;
	json_t *v;

	answer = ask(o, json_pack("{s:s, s:I}", "cmd", "policy-verdicts",
				  "first", (json_int_t)*first));
	if (!answer)
		return FAILED;
	json_array_foreach(json_object_get(answer, "verdicts"), i, v) {
		if (o->json)
			json_print(json_incref(v), stdout);
		else
			print_verdict(v);
	}
	*first = count_of(answer, "next");
	return fflush(stdout) ? FAILED : DONE;
}

int cmd_monitor(const struct options *o)
{
	const struct timespec pause = { .tv_nsec = MONITOR_MS * 1000000 };
	__u64 first = 0;
	int status = print_verdicts(o, &first);

	while (status == DONE && !o->once) {
		nanosleep(&pause, NULL);
		status = print_verdicts(o, &first);
	}
	return status;
}
