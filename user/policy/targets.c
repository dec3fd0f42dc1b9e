// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sections to targets, of each group that has a workload in scope: Admin tier,
 * NetworkPolicies and what they deny, Baseline tier. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

__u32 id_choose(const struct digest *content, __u32 salt, __u32 max,
		bool (*is_taken)(const void *arg, __u32 id), const void *arg)
{
	__u64 seed = content->word[0] + salt * 0x9e3779b97f4a7c15ull;

	for (;; seed = seed * 6364136223846793005ull + 1442695040888963407ull) {
		__u32 id = 1 + (seed >> 32) % max;

		if (!is_taken(arg, id))
			return id;
	}
}

/* Those that say something to g in this direction. */
static int sections_of(struct policy_compiled *c, const struct group *g,
		       enum policy_direction d, struct book *ret)
{
	for (size_t i = 0; i < c->policies.count; i++) {
		const struct model_policy *p = c->policies.at[i];
		struct section **to;

		if (p->tier == TIER_NETWORK ? !p->isolates[d] :
					      !p->rules[d].count)
			continue;
		if (!policy_selects(p, g))
			continue;
		to = list_add(&ret->sections);
		if (!to)
			return -ENOMEM;
		*to = section_of(c, p, d, g);
		if (!*to)
			return -ENOMEM;
	}
	return 0;
}

static int add_rule(struct book *k, const struct section *s,
		    const struct bit *bit, bool audit)
{
	struct book_rule *to = list_add(&k->rules);

	if (!to)
		return -ENOMEM;
	*to = (struct book_rule){ .section = s, .bit = bit, .audit = audit };
	return 0;
}

static int add_section(struct book *k, const struct section *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->bits.count && !ret; i++)
		ret = add_rule(k, s, &s->bits.at[i], s->policy->audit);
	return ret;
}

static int add_tier(struct book *k, enum policy_tier tier)
{
	int ret = 0;

	for (size_t i = 0; i < k->sections.count && !ret; i++)
		if (k->sections.at[i]->policy->tier == tier)
			ret = add_section(k, k->sections.at[i]);
	return ret;
}

/* The first one that is in force, if there is any; else the first that is
 * audited. NULL: none. */
static const struct section *first_in_force(const struct book *k,
					    bool of_networks)
{
	const struct section *by = NULL;

	for (size_t i = 0; i < k->sections.count; i++) {
		const struct section *s = k->sections.at[i];

		if ((!of_networks || s->policy->tier == TIER_NETWORK) &&
		    (!by || (by->policy->audit && !s->policy->audit)))
			by = s;
	}
	return by;
}

/* Who is isolated may nothing else. If policies that are audited isolate, and
 * those alone, that is audited as well. */
static int add_isolation(struct book *k)
{
	const struct section *by = first_in_force(k, true);

	return by ? add_rule(k, by, NULL, by->policy->audit) : 0;
}

/*
 * Rules beyond those that a target may have deny all: what the ones before them
 * decide is right, and nobody is let through who should not be. That is of who
 * is held to them; others are not kept from what is theirs.
 */
static int cut(struct book *k)
{
	const struct section *by = first_in_force(k, false);

	k->nr_wanted = k->rules.count;
	if (k->nr_wanted <= POLICY_RULES_MAX)
		return 0;
	k->rules.count = POLICY_RULES_MAX - 1;
	if (k->network > k->rules.count)
		k->network = k->rules.count;
	return add_rule(k, by, NULL, by->policy->audit);
}

static int book_fill(struct book *k)
{
	int ret = add_tier(k, TIER_ADMIN);

	k->network = k->rules.count;
	if (!ret)
		ret = add_tier(k, TIER_NETWORK);
	if (!ret)
		ret = add_isolation(k);
	if (!ret)
		ret = add_tier(k, TIER_BASELINE);
	return ret ?: cut(k);
}

static void set_bit(struct rule_mask *m, size_t bit)
{
	m->word[bit / 64] |= 1ull << (bit & 63);
}

static void set_rule(struct target *t, const struct book_rule *r, size_t i)
{
	const struct bit *bit = r->bit;
	const enum policy_action action = bit ? bit->rule->action : POLICY_DENY;

	if (r->audit)
		set_bit(&t->audit, i);
	if (action == POLICY_DENY)
		set_bit(&t->deny, i);
	/* Behind the Baseline tier there is nothing to pass on to. */
	if (action == POLICY_PASS && i < t->network)
		set_bit(&t->pass, i);
	if (!bit || (bit->any_peer && bit->also == NONE))
		set_bit(&t->peer_any, i);
	if (bit && bit->any_pod && bit->also == NONE)
		set_bit(&t->peer_pod, i);
	if (!bit || bit->any_port)
		set_bit(&t->port_any, i);
}

static int row_add(struct policy_compiled *c, const struct book *k)
{
	struct target_row *row = list_add(&c->image.targets);

	if (!row)
		return -ENOMEM;
	row->id = k->id;
	row->target.network = k->network;
	row->target.words = (k->rules.count + 63) / 64;
	for (size_t i = 0; i < k->rules.count; i++)
		set_rule(&row->target, &k->rules.at[i], i);
	return 0;
}

struct taken {
	const struct policy_compiled *is, *was;
};

static bool is_taken(const void *arg, __u32 id)
{
	const struct taken *t = arg;

	for (size_t i = 0; i < t->is->targets.count; i++)
		if (t->is->targets.at[i].id == id)
			return true;
	for (size_t i = 0; t->was && i < t->was->targets.count; i++)
		if (t->was->targets.at[i].id == id)
			return true;
	return false;
}

static __u32 target_id(const struct policy_compiled *c,
		       const struct policy_compiled *was,
		       const struct digest *digest)
{
	const struct taken taken = { .is = c, .was = was };
	__u32 number = was ? digests_find(&was->target_index, digest) : NONE;

	if (number != NONE)
		return was->targets.at[number].id;
	return id_choose(digest, c->salt, UINT32_MAX, is_taken, &taken);
}

static void masks_rename(struct masks *m, __u32 was, __u32 is)
{
	for (size_t i = 0; i < m->list.count; i++)
		if (m->list.at[i].key.target == was)
			m->list.at[i].key.target = is;
}

static void book_rename(struct policy_compiled *c, size_t number, __u32 salt,
			const struct image *avoid)
{
	struct book *k = &c->targets.at[number];
	const __u32 was = k->id;

	do
		k->id = id_choose(&c->target_index.list.at[number], salt++,
				  UINT32_MAX, is_taken,
				  &(struct taken){ .is = c });
	while (image_target(avoid, k->id));
	for (size_t i = 0; i < c->image.targets.count; i++)
		if (c->image.targets.at[i].id == was)
			c->image.targets.at[i].id = k->id;
	masks_rename(&c->image.peer_masks, was, k->id);
	masks_rename(&c->image.port_masks, was, k->id);
}

void targets_rename(struct policy_compiled *c, const struct numbers *ids,
		    __u32 salt, const struct image *avoid)
{
	for (size_t i = 0; i < c->targets.count; i++)
		if (numbers_has(ids, c->targets.at[i].id))
			book_rename(c, i, salt, avoid);
	image_sort(&c->image);
}

static int book_digest(const struct book *k, struct digest *ret)
{
	struct content b = {};
	int err;

	content_number(&b, k->direction);
	for (size_t i = 0; i < k->sections.count; i++)
		content_add(&b, &k->sections.at[i]->digest,
			  sizeof(struct digest));
	err = content_digest(&b, ret);
	content_free(&b);
	return err;
}

/* k's number among the targets; NONE: -ENOMEM. *k is moved from, if new. */
static __u32 book_number(struct policy_compiled *c,
			 const struct policy_compiled *was, struct book *k)
{
	struct digest digest;
	struct book *to;
	__u32 number;

	if (book_digest(k, &digest))
		return NONE;
	number = digests_add(&c->target_index, &digest);
	if (number == NONE || number < c->targets.count)
		return number;
	k->id = target_id(c, was, &digest);
	to = list_add(&c->targets);
	if (!to)
		return NONE;
	*to = *k;
	*k = (struct book){};
	c->nr_cut += to->nr_wanted > to->rules.count;
	return row_add(c, to) ? NONE : number;
}

static void book_clear(struct book *k)
{
	free(k->sections.at);
	free(k->rules.at);
}

static int target_make(struct policy_compiled *c,
		       const struct policy_compiled *was, struct group *g,
		       enum policy_direction d)
{
	struct book k = { .direction = d };
	int ret = sections_of(c, g, d, &k);

	if (!ret)
		ret = book_fill(&k);
	if (!ret && k.rules.count) {
		g->target[d] = book_number(c, was, &k);
		if (g->target[d] == NONE)
			ret = -ENOMEM;
	}
	book_clear(&k);
	return ret;
}

int targets_make(struct policy_compiled *c, const struct policy_compiled *was)
{
	int ret = 0;

	for (size_t i = 0; i < c->groups.count; i++)
		for (int d = 0; d < NR_POLICY_DIRECTIONS && !ret; d++)
			if (c->groups.at[i].has_targets)
				ret = target_make(c, was, &c->groups.at[i], d);
	return ret;
}
