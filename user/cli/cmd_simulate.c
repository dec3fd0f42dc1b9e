// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `policy simulate`: what definitions would change for those who talk now, and
 * for those who were denied lately. Reads connections, and touches nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <fairlead/policy.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd.h"
#include "model/conns.h"
#include "policy/policy.h"
#include "view.h"

struct change_row {
	const char *change, *protocol, *from, *to, *why;
};

static const struct column change_columns[] = {
	COLUMN("change", "CHANGE", TEXT, struct change_row, change),
	COLUMN("protocol", "PROTOCOL", TEXT, struct change_row, protocol),
	COLUMN("from", "FROM", TEXT, struct change_row, from),
	COLUMN("to", "TO", TEXT, struct change_row, to),
	COLUMN("why", "WHY", TEXT, struct change_row, why),
	COLUMNS_END,
};

struct simulation {
	struct view view;
	struct policy_compiled *compiled;
	struct print *out;
};

static void simulation_close(struct simulation *s)
{
	view_close(&s->view);
	policy_compiled_free(s->compiled);
	print_close(s->out);
}

/* Between whom, once services are translated. */
struct attempt {
	struct addr from, to;
	__u16 from_port, to_port;	/* host order */
	__u8 proto;
};

static int print_change(struct simulation *s, const char *change,
			const struct attempt *a, const char *why)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
	const struct change_row row = {
		.change = change,
		.protocol = proto_name(a->proto),
		.from = endpoint_format(&a->from, a->from_port, from),
		.to = endpoint_format(&a->to, a->to_port, to),
		.why = why,
	};

	return print_row(s->out, &row) ? -ENOMEM : 0;
}

/* What denies it, of the end that does; "": nothing. */
static const char *denied_by(const struct simulation *s,
			     const struct attempt *a,
			     char text[static POLICY_TEXT_MAX])
{
	struct policy_judgement ends[NR_POLICY_DIRECTIONS];
	struct policy_rule_info info;

	if (policy_may(s->compiled, &a->from, &a->to, a->proto, a->to_port,
		       ends))
		return "";
	for (int i = 0; i < NR_POLICY_DIRECTIONS; i++)
		if (!ends[i].allowed &&
		    policy_compiled_rule(s->compiled, ends[i].target,
					 ends[i].rule, &info))
			return policy_rule_text(&info, text);
	return "no rule allows it";
}

static int on_conn(void *arg, const struct conn_entry *e)
{
	const struct conn *c = &e->conn;
	struct simulation *s = arg;
	struct attempt a = {
		c->client, c->vip, ntohs(c->cport), ntohs(c->vport),
		conn_proto(c),
	};
	char text[POLICY_TEXT_MAX];
	const char *why;

	if (conn_kind(c) != FLOW_PEERS ||
	    conn_is_dead(s->view.tables, e, dp_now_s()))
		return 0;
	if (c->client_second)
		a = (struct attempt){ c->vip, c->client, ntohs(c->vport),
				      ntohs(c->cport), conn_proto(c) };
	why = denied_by(s, &a, text);
	return *why ? print_change(s, "cut", &a, why) : 0;
}

static bool parse_end(const json_t *end, struct addr *ret_addr, __u16 *ret_port)
{
	const char *text = json_string_value(json_object_get(end, "address"));
	int port;

	if (!text || !endpoint_parse(text, ret_addr, &port))
		return false;
	*ret_port = port < 0 ? 0 : port;
	return true;
}

/* Was it denied, and would be allowed? */
static int on_verdict(struct simulation *s, const json_t *v)
{
	char text[POLICY_TEXT_MAX];
	const char *protocol = json_string_value(json_object_get(v,
							"protocol"));
	struct attempt a = {
		.proto = protocol ? proto_number(protocol) : 0,
	};

	if (!a.proto ||
	    !parse_end(json_object_get(v, "from"), &a.from, &a.from_port) ||
	    !parse_end(json_object_get(v, "to"), &a.to, &a.to_port) ||
	    *denied_by(s, &a, text))
		return 0;
	return print_change(s, "opened", &a, "was denied lately");
}

/* Of a daemon, if one runs. */
static int simulate_denials(const struct options *o, struct simulation *s)
{
	json_t *answer = NULL, *v;
	int err;
	size_t i;

	err = daemon_ask(o, json_pack("{s:s, s:i}", "cmd", "policy-verdicts",
				      "first", 0), &answer);
	if (err)
		return err == -ENOENT ? 0 : err;
	json_array_foreach(json_object_get(answer, "verdicts"), i, v) {
		err = on_verdict(s, v);
		if (err)
			break;
	}
	json_decref(answer);
	return err;
}

static int compile(const struct model *m, const char *path,
		   struct simulation *s)
{
	char text[POLICY_TEXT_MAX] = "";
	int err;

	if (!m->policy)
		return log_error(-EINVAL, "\"%s\" says nothing about workloads",
				 path);
	err = policy_compile(m->policy, NULL, 0, POLICY_EVERYWHERE,
			     &s->compiled, text);
	if (err)
		return log_error(err, "%s", text);
	if (policy_closed(s->compiled, text))
		log_warning(0, "%s", text);
	return 0;
}

int cmd_policy_simulate(const struct options *o)
{
	__cleanup(simulation_close) struct simulation s = {};
	__cleanup(model_freep) struct model *m = NULL;
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, o->arguments[0], given);
	int err;

	if (definitions_load(&from, &m, stderr) ||
	    compile(m, o->arguments[0], &s) || view_open(o, &s.view) ||
	    print_open(stdout, o->json, change_columns, &s.out))
		return FAILED;
	err = conns_each(s.view.tables, on_conn, &s);
	if (!err)
		err = simulate_denials(o, &s);
	if (err)
		log_error(err, "cannot look at every connection");
	err |= print_close(take_ptr(s.out));
	return err ? FAILED : DONE;
}
