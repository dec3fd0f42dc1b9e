// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_print.h. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "model/policy_text.h"
#include "policy_print.h"

static void put_addrs(FILE *out, const struct addr *list, size_t count)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		fprintf(out, " %s", addr_format(&list[i], text));
}

static void put_labels(FILE *out, const struct model_labels *l)
{
	fputs(" {", out);
	for (size_t i = 0; i < l->count; i++)
		fprintf(out, "%s%s=%s", i ? " " : "", l->label[i].key,
			l->label[i].value);
	fputs("}", out);
}

static void put_rule(FILE *out, enum policy_direction d,
		     const struct model_rule *r)
{
	fprintf(out, "%s %s", d == POLICY_IN ? "in" : "out",
		policy_action_name(r->action));
	if (r->name)
		fprintf(out, " \"%s\"", r->name);
	if (r->nr_peers)
		fputs(d == POLICY_IN ? " from " : " to ", out);
	policy_write_peers(out, r);
	fputs(r->nr_ports ? " at " : "", out);
	policy_write_ports(out, r);
	fputs("\n", out);
}

static void put_policy(FILE *out, const struct model_policy *p)
{
	char name[POLICY_NAME_MAX];

	fprintf(out, "policy %s", policy_text(p, name));
	if (p->tier != TIER_NETWORK)
		fprintf(out, " %s %u",
			policy_tier_name(p->tier), p->priority);
	fputs(" ", out);
	policy_write_subject(out, p);
	if (p->isolates[POLICY_IN] || p->isolates[POLICY_OUT])
		fprintf(out, ", isolates%s%s",
			p->isolates[POLICY_IN] ? " in" : "",
			p->isolates[POLICY_OUT] ? " out" : "");
	fprintf(out, "%s\n", p->audit ? ", audit" : "");
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++)
		for (size_t i = 0; i < p->rules[d].count; i++)
			put_rule(out, d, &p->rules[d].rule[i]);
}

static void put_workload(FILE *out, const struct model_workload *w)
{
	fprintf(out, "workload %s/%s", w->namespace, w->name);
	put_addrs(out, w->addrs, w->nr_addrs);
	put_labels(out, &w->labels);
	for (size_t i = 0; i < w->nr_ports; i++)
		fprintf(out, " %s:%u/%s", w->ports[i].name, w->ports[i].port,
			proto_name(w->ports[i].proto));
	fprintf(out, "%s%s%s%s%s", *w->interface ? " " : "", w->interface,
		w->is_here ? " here" : "", w->is_host_network ? " host" : "",
		w->may_spoof ? " spoofs" : "");
	if (w->packets_per_s || w->bits_per_s || w->conns_per_s ||
	    w->conns_open)
		fprintf(out, " limits %u %llu %u %u", w->packets_per_s,
			w->bits_per_s, w->conns_per_s, w->conns_open);
	fputs("\n", out);
}

static void put_set(FILE *out, const struct policy_set *set)
{
	for (size_t i = 0; i < set->nr_workloads; i++)
		put_workload(out, set->workloads[i]);
	for (size_t i = 0; i < set->nr_namespaces; i++) {
		fprintf(out, "namespace %s", set->namespaces[i]->name);
		put_labels(out, &set->namespaces[i]->labels);
		fputs("\n", out);
	}
	for (size_t i = 0; i < set->nr_nodes; i++) {
		fprintf(out, "node %s", set->nodes[i]->name);
		put_addrs(out, set->nodes[i]->addrs, set->nodes[i]->nr_addrs);
		put_labels(out, &set->nodes[i]->labels);
		fputs("\n", out);
	}
	for (size_t i = 0; i < set->nr_policies; i++)
		put_policy(out, set->policies[i]);
}

char *policy_set_text(const struct policy_set *set)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	if (set)
		put_set(out, set);
	fclose(out);
	return text;
}
