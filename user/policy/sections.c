// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A policy's rules to bits. A rule with a port's name is, for who is reached
 * (ingress), one with his own number; for who reaches others (egress), one more
 * bit for each number that the name has among those peers, for those who have
 * it so.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

static int add_peers(struct policy_compiled *c, struct bit *bit,
		     const char *namespace)
{
	const struct model_rule *r = bit->rule;
	__u32 atom;

	bit->any_peer = !r->nr_peers;
	for (size_t i = 0; i < r->nr_peers; i++) {
		if (r->peers[i].kind == PEER_NOBODY)
			continue;
		if (peer_is_every_pod(&r->peers[i])) {
			bit->any_pod = true;
			continue;
		}
		atom = atom_of(c, &r->peers[i], namespace);
		if (atom == NONE || numbers_add(&bit->atoms, atom))
			return -ENOMEM;
	}
	numbers_sort(&bit->atoms);
	return 0;
}

static int add_range(struct policy_compiled *c, struct bit *bit, __u8 proto,
		     __u16 first, __u16 last)
{
	const struct port_range range = {
		.proto = policy_port_index(proto, 0) >> 16,
		.first = first,
		.last = last,
	};
	struct digest digest = {
		.word = { (__u64)range.proto << 32 | (__u64)first << 16 |
			  last },
	};
	__u32 number = digests_add(&c->range_index, &digest);
	struct port_range *to;

	if (number == NONE)
		return -ENOMEM;
	if (number == c->ranges.count) {
		to = list_add(&c->ranges);
		if (!to)
			return -ENOMEM;
		*to = range;
	}
	return numbers_add(&bit->ranges, number);
}

/* The workload's own. */
static int resolve(struct policy_compiled *c, struct bit *bit,
		   const struct model_policy_port *asked,
		   const struct model_workload *w)
{
	const struct model_named_port *p = w->ports, *end = p + w->nr_ports;
	int ret = 0;

	for (; p < end && !ret; p++)
		if (port_has_name(asked, p))
			ret = add_range(c, bit, p->proto, p->port, p->port);
	return ret;
}

/* w, direction: whose names count; NULL: nobody's. */
static int add_ports(struct policy_compiled *c, struct bit *bit,
		     const struct model_workload *w)
{
	const struct model_policy_port *p = bit->rule->ports;
	const struct model_policy_port *end = p + bit->rule->nr_ports;
	int ret = 0;

	bit->any_port = !bit->rule->nr_ports;
	for (; p < end && !ret; p++)
		if (!p->name)
			ret = add_range(c, bit, p->proto, p->first, p->last);
		else if (w)
			ret = resolve(c, bit, p, w);
	numbers_sort(&bit->ranges);
	return ret;
}

static struct bit *bit_add(struct policy_compiled *c, struct section *s,
			   const struct model_rule *r)
{
	struct bit *bit = list_add(&s->bits);

	if (!bit)
		return NULL;
	bit->rule = r;
	bit->number = r - s->policy->rules[s->direction].rule;
	bit->also = NONE;
	return add_peers(c, bit, s->policy->namespace) ? NULL : bit;
}

static void bit_free(struct bit *bit)
{
	free(bit->atoms.list.at);
	free(bit->ranges.list.at);
}

/* The last bit, if nothing can match it. */
static void drop_idle(struct section *s)
{
	struct bit *bit = &s->bits.at[s->bits.count - 1];

	if ((bit->any_peer || bit->any_pod || bit->atoms.list.count) &&
	    (bit->any_port || bit->ranges.list.count))
		return;
	bit_free(bit);
	s->bits.count--;
}

/* May it be a peer of the rule? By its network, everybody may. */
static bool may_be_peer(const struct policy_compiled *c, const struct bit *bit,
			const struct group *g)
{
	if (bit->any_peer || bit->any_pod)
		return true;
	for (size_t i = 0; i < bit->atoms.list.count; i++) {
		const struct atom *a = &c->atoms.at[bit->atoms.list.at[i]];

		if (a->kind != ATOM_PODS || atom_matches(a, g))
			return true;
	}
	return false;
}

/* Protocol and number, of every peer that has the name. */
static int name_values(const struct policy_compiled *c, const struct bit *bit,
		       const struct model_policy_port *asked,
		       struct numbers *ret)
{
	int err = 0;

	for (size_t i = 0; i < c->groups.count; i++) {
		const struct group *g = &c->groups.at[i];
		const struct model_workload *w = g->example;

		for (size_t j = 0; j < w->nr_ports && !err; j++)
			if (port_has_name(asked, &w->ports[j]) &&
			    may_be_peer(c, bit, g))
				err = numbers_add(ret, w->ports[j].proto << 16 |
						       w->ports[j].port);
	}
	numbers_sort(ret);
	return err;
}

static int add_named_bit(struct policy_compiled *c, struct section *s,
			 const struct model_rule *r,
			 const struct model_policy_port *asked, __u32 value)
{
	struct bit *bit = bit_add(c, s, r);
	__u16 number = value;
	__u8 proto = value >> 16;

	if (!bit)
		return -ENOMEM;
	bit->also = atom_of_port(c, asked, proto, number);
	if (bit->also == NONE)
		return -ENOMEM;
	return add_range(c, bit, proto, number, number);
}

static int add_named(struct policy_compiled *c, struct section *s,
		     const struct model_rule *r,
		     const struct model_policy_port *asked)
{
	struct bit peers = { .rule = r };
	struct numbers values = {};
	int ret = add_peers(c, &peers, s->policy->namespace);

	if (!ret)
		ret = name_values(c, &peers, asked, &values);
	for (size_t i = 0; i < values.list.count && !ret; i++)
		ret = add_named_bit(c, s, r, asked, values.list.at[i]);
	free(values.list.at);
	bit_free(&peers);
	return ret;
}

static int add_rule(struct policy_compiled *c, struct section *s,
		    const struct model_rule *r, const struct model_workload *w)
{
	struct bit *bit = bit_add(c, s, r);
	int ret = bit ? add_ports(c, bit, w) : -ENOMEM;

	if (ret)
		return ret;
	drop_idle(s);
	for (size_t i = 0; i < r->nr_ports && !ret; i++)
		if (r->ports[i].name && s->direction == POLICY_OUT)
			ret = add_named(c, s, r, &r->ports[i]);
	return ret;
}

static void content_bit(const struct policy_compiled *c, struct content *b,
		      const struct bit *bit)
{
	content_number(b, bit->number);
	content_text(b, bit->rule->name);
	content_number(b, bit->rule->action << 3 | bit->any_peer << 2 |
			bit->any_pod << 1 | bit->any_port);
	content_set(b, &c->atom_index, &bit->atoms);
	content_number(b, bit->also != NONE);
	if (bit->also != NONE)
		content_add(b, &c->atom_index.list.at[bit->also],
			  sizeof(struct digest));
	content_set(b, &c->range_index, &bit->ranges);
}

static int section_digest(const struct policy_compiled *c, struct section *s)
{
	const struct model_policy *p = s->policy;
	struct content b = {};
	int ret;

	content_text(&b, p->namespace);
	content_text(&b, p->name);
	content_number(&b, p->tier << 2 | p->audit << 1 | s->direction);
	content_number(&b, p->isolates[s->direction]);
	for (size_t i = 0; i < s->bits.count; i++)
		content_bit(c, &b, &s->bits.at[i]);
	ret = content_digest(&b, &s->digest);
	content_free(&b);
	return ret;
}

static bool has_names(const struct model_policy *p, enum policy_direction d)
{
	for (size_t i = 0; i < p->rules[d].count; i++)
		for (size_t j = 0; j < p->rules[d].rule[i].nr_ports; j++)
			if (p->rules[d].rule[i].ports[j].name)
				return true;
	return false;
}

/* Of policy, direction, and what names are to w. */
static int section_key(const struct model_policy *p, enum policy_direction d,
		       const struct model_workload *w, struct digest *ret)
{
	struct content b = {};
	int err;

	content_number(&b, (uintptr_t)p);
	content_number(&b, d);
	for (size_t i = 0; w && i < w->nr_ports; i++) {
		content_text(&b, w->ports[i].name);
		content_number(&b, w->ports[i].proto << 16 | w->ports[i].port);
	}
	err = content_digest(&b, ret);
	content_free(&b);
	return err;
}

static struct section *section_add(struct policy_compiled *c,
				   const struct model_policy *p,
				   enum policy_direction d,
				   const struct model_workload *w)
{
	const bool is_closed = p->tier == TIER_NETWORK &&
			       closing_has(&c->closing, p->namespace);
	struct section **to = list_add(&c->sections);
	struct section *s = to ? calloc(1, sizeof(*s)) : NULL;
	int ret = 0;

	if (!s)
		return NULL;
	*to = s;
	s->policy = p;
	s->direction = d;
	for (size_t i = 0; i < p->rules[d].count && !ret && !is_closed; i++)
		ret = add_rule(c, s, &p->rules[d].rule[i], w);
	return ret || section_digest(c, s) ? NULL : s;
}

struct section *section_of(struct policy_compiled *c,
			   const struct model_policy *policy,
			   enum policy_direction direction,
			   const struct group *g)
{
	const struct model_workload *w = NULL;
	struct digest key;
	__u32 number;

	if (direction == POLICY_IN && has_names(policy, direction))
		w = g->example;
	if (section_key(policy, direction, w, &key))
		return NULL;
	number = digests_add(&c->section_index, &key);
	if (number == NONE)
		return NULL;
	return number < c->sections.count ?
		       c->sections.at[number] :
		       section_add(c, policy, direction, w);
}
