// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_text.h. */
#include "policy_text.h"

const char *policy_direction_name(enum policy_direction direction)
{
	return direction == POLICY_IN ? "ingress" : "egress";
}

const char *policy_tier_name(enum policy_tier tier)
{
	static const char *const names[] = {
		[TIER_ADMIN] = "admin",
		[TIER_NETWORK] = "network",
		[TIER_BASELINE] = "baseline",
	};

	return names[tier];
}

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[] = {
		[POLICY_ACCEPT] = "accept",
		[POLICY_DENY] = "deny",
		[POLICY_PASS] = "pass",
	};

	return names[action];
}

static void put_requirement(FILE *out, const struct model_requirement *r)
{
	if (r->op == LABEL_EXISTS || r->op == LABEL_DOES_NOT_EXIST) {
		fprintf(out, "%s%s", r->op == LABEL_EXISTS ? "" : "!", r->key);
		return;
	}
	if (r->op == LABEL_IN && r->nr_values == 1) {
		fprintf(out, "%s=%s", r->key, r->values[0]);
		return;
	}
	fprintf(out, "%s %s(", r->key, r->op == LABEL_IN ? "in" : "notin");
	for (size_t i = 0; i < r->nr_values; i++)
		fprintf(out, "%s%s", i ? "," : "", r->values[i]);
	fputs(")", out);
}

static void put_selector(FILE *out, const char *what,
			 const struct model_selector *s)
{
	fprintf(out, "%s(%s", what, s->count ? "" : "*");
	for (size_t i = 0; i < s->count; i++) {
		fputs(i ? " " : "", out);
		put_requirement(out, &s->requirement[i]);
	}
	fputs(")", out);
}

static void put_prefix(FILE *out, const struct model_prefix *p)
{
	const struct model_source s = { p->addr, .len = p->len };
	char text[SOURCE_TEXT_MAX];

	fprintf(out, "%s", model_source_text(&s, text));
}

static void put_peer(FILE *out, const struct model_peer *p)
{
	switch (p->kind) {
	case PEER_PODS:
		put_selector(out, "pods", &p->pods);
		if (p->has_namespaces)
			put_selector(out, " of ns", &p->namespaces);
		break;
	case PEER_NETWORK:
		put_prefix(out, &p->network);
		for (size_t i = 0; i < p->nr_except; i++) {
			fputs(" but ", out);
			put_prefix(out, &p->except[i]);
		}
		break;
	case PEER_NODES:
		put_selector(out, "nodes", &p->pods);
		break;
	case PEER_NOBODY:
		fputs("nobody", out);
		break;
	}
}

static void put_port(FILE *out, const struct model_policy_port *p)
{
	fprintf(out, "%s:", p->proto ? proto_name(p->proto) : "any");
	if (p->name)
		fputs(p->name, out);
	else if (!p->first && p->last == 65535)
		fputs("*", out);
	else if (p->first == p->last)
		fprintf(out, "%u", p->first);
	else
		fprintf(out, "%u-%u", p->first, p->last);
}

void policy_write_peers(FILE *out, const struct model_rule *r)
{
	for (size_t i = 0; i < r->nr_peers; i++) {
		fputs(i ? ", " : "", out);
		put_peer(out, &r->peers[i]);
	}
}

void policy_write_ports(FILE *out, const struct model_rule *r)
{
	for (size_t i = 0; i < r->nr_ports; i++) {
		fputs(i ? " " : "", out);
		put_port(out, &r->ports[i]);
	}
}

void policy_write_subject(FILE *out, const struct model_policy *p)
{
	put_selector(out, "pods", &p->pods);
	if (p->has_namespaces)
		put_selector(out, " of ns", &p->namespaces);
}
