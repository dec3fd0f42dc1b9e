// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a compiled set says of a connection, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "compiled.h"
#include "model/policy_text.h"

/* NONE: it is held to nothing. */
static __u32 target_of(const struct policy_compiled *c,
		       const struct model_workload *w,
		       enum policy_direction direction)
{
	struct content b = {};
	__u32 group;

	if (w->is_host_network || (!w->is_here && c->scope == POLICY_HERE))
		return NONE;
	group = group_of(c, w, &b);
	content_free(&b);
	return group == NONE ? NONE : c->groups.at[group].target[direction];
}

struct policy_judgement policy_judge(const struct policy_compiled *c,
				     const struct model_workload *w,
				     enum policy_direction direction,
				     const struct addr *peer, __u8 proto,
				     __u16 port)
{
	struct policy_judgement ret = { .allowed = true,
					.rule = POLICY_NO_RULE,
					.audit_rule = POLICY_NO_RULE };
	__u32 target = target_of(c, w, direction);
	struct verdict v;

	if (target == NONE || addr_is_in(w->addrs, w->nr_addrs, peer))
		return ret;
	ret.target = c->targets.at[target].id;
	v = image_judge(&c->image, ret.target, image_value(&c->image, peer),
			proto, port);
	ret.allowed = v.allowed;
	ret.audited = v.audited;
	ret.rule = v.rule;
	ret.audit_rule = v.audit_rule;
	return ret;
}

const struct model_workload *policy_workload_of(const struct policy_compiled *c,
						const struct addr *a)
{
	const struct peer_row *row = image_peer(&c->image, a);

	return row ? row->owner : NULL;
}

bool policy_has_address(const struct policy_compiled *c,
			const struct model_workload *w, const struct addr *a)
{
	const struct model_workload *owner = policy_workload_of(c, a);

	return !owner || w->is_host_network || !is_later(owner, w);
}

bool policy_contest(const struct policy_compiled *c,
		    char text[static POLICY_TEXT_MAX])
{
	const struct contest *t = &c->contest;
	char addr[ADDR_TEXT_MAX], more[64] = "";

	if (t->count > 1)
		snprintf(more, sizeof(more), "; and so it is %zu times more",
			 t->count - 1);
	if (t->count)
		snprintf(text, POLICY_TEXT_MAX, "the address %s is that of "
			 "\"%s/%s\", and not of \"%s/%s\", which is older%s",
			 addr_format(&t->addr, addr), t->owner->namespace,
			 t->owner->name, t->other->namespace, t->other->name,
			 more);
	return t->count;
}

bool policy_closed(const struct policy_compiled *c,
		   char text[static POLICY_TEXT_MAX])
{
	const struct closing *t = &c->closing;
	char more[48] = "";

	if (!t->names.count)
		return false;
	if (t->names.count > 1)
		snprintf(more, sizeof(more), " and %zu others",
			 t->names.count - 1);
	snprintf(text, POLICY_TEXT_MAX, "the policies of namespace \"%s\"%s "
		 "allow nothing, as they are the largest: %.600s",
		 t->names.at[0], more, t->why);
	return true;
}

bool policy_may(const struct policy_compiled *c, const struct addr *src,
		const struct addr *dst, __u8 proto, __u16 port,
		struct policy_judgement ret[static NR_POLICY_DIRECTIONS])
{
	const struct policy_judgement free = { .allowed = true,
					       .rule = POLICY_NO_RULE,
					       .audit_rule = POLICY_NO_RULE };
	const struct model_workload *from = policy_workload_of(c, src);
	const struct model_workload *to = policy_workload_of(c, dst);

	ret[POLICY_OUT] = ret[POLICY_IN] = free;
	if (from)
		ret[POLICY_OUT] = policy_judge(c, from, POLICY_OUT, dst,
						      proto, port);
	if (to)
		ret[POLICY_IN] = policy_judge(c, to, POLICY_IN, src,
						     proto, port);
	return ret[POLICY_OUT].allowed && ret[POLICY_IN].allowed;
}

static bool book_is_cut(const struct book *k)
{
	return k->nr_wanted > k->rules.count;
}

bool policy_compiled_rule(const struct policy_compiled *c, __u32 target,
			  __u16 bit, struct policy_rule_info *ret)
{
	const struct book *k = c->targets.at, *end = k + c->targets.count;
	const struct book_rule *r;
	bool is_rest;

	while (k < end && k->id != target)
		k++;
	if (k == end || bit >= k->rules.count)
		return false;
	r = &k->rules.at[bit];
	is_rest = book_is_cut(k) && bit == k->rules.count - 1;
	*ret = (struct policy_rule_info){
		.direction = k->direction,
		.action = r->bit ? r->bit->rule->action : POLICY_DENY,
		.audit = r->audit,
		.policy = r->bit ? r->section->policy : NULL,
		.of = r->section->policy,
		.of_rules = is_rest ? k->nr_wanted : 0,
		.number = r->bit ? r->bit->number : 0,
		.name = r->bit ? r->bit->rule->name : NULL,
	};
	return true;
}

const char *policy_rule_text(const struct policy_rule_info *info,
			     char text[static POLICY_TEXT_MAX])
{
	char policy[POLICY_NAME_MAX];

	policy_text(info->of, policy);
	if (info->of_rules)
		snprintf(text, POLICY_TEXT_MAX, "beyond the first %u of %zu rules",
			 POLICY_RULES_MAX - 1, info->of_rules);
	else if (!info->policy)
		snprintf(text, POLICY_TEXT_MAX, "isolated by %s", policy);
	else if (info->name)
		snprintf(text, POLICY_TEXT_MAX, "%s, %s rule %u (%s)", policy,
			 policy_direction_name(info->direction),
			 info->number, info->name);
	else
		snprintf(text, POLICY_TEXT_MAX, "%s, %s rule %u", policy,
			 policy_direction_name(info->direction),
			 info->number);
	return text;
}

static void cut_text(const struct book *k, const struct model_workload *w,
		     char text[static POLICY_TEXT_MAX])
{
	const struct section *largest = k->sections.at[0];
	char name[POLICY_NAME_MAX];

	for (size_t i = 1; i < k->sections.count; i++)
		if (k->sections.at[i]->bits.count > largest->bits.count)
			largest = k->sections.at[i];
	snprintf(text, POLICY_TEXT_MAX,
		 "workload \"%s/%s\" has %zu rules of %s, at most %u are "
		 "possible: what the first %u do not decide is denied; %s has "
		 "%zu of them", w->namespace, w->name, k->nr_wanted,
		 policy_direction_name(k->direction), POLICY_RULES_MAX,
		 POLICY_RULES_MAX - 1, policy_text(largest->policy, name),
		 largest->bits.count);
}

bool policy_is_cut(const struct policy_compiled *c,
		   const struct model_workload *w,
		   char text[static POLICY_TEXT_MAX])
{
	for (int d = 0; c->nr_cut && d < NR_POLICY_DIRECTIONS; d++) {
		__u32 target = target_of(c, w, d);

		if (target == NONE || !book_is_cut(&c->targets.at[target]))
			continue;
		cut_text(&c->targets.at[target], w, text);
		return true;
	}
	return false;
}

size_t policy_selecting(const struct policy_compiled *c,
			const struct model_workload *w,
			enum policy_direction direction,
			const struct model_policy **ret, size_t max)
{
	__u32 target = target_of(c, w, direction);
	const struct book *k;

	if (target == NONE)
		return 0;
	k = &c->targets.at[target];
	for (size_t i = 0; i < k->sections.count && i < max; i++)
		ret[i] = k->sections.at[i]->policy;
	return k->sections.count;
}
