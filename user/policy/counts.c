// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is in force, for who asks. */
#include <string.h>

#include "state.h"

const struct policy_compiled *policy_compiled(const struct policy_state *s)
{
	return s->now;
}

struct policy_set *policy_set(const struct policy_state *s)
{
	return s->now ? s->now->set : NULL;
}

bool policy_rule(const struct policy_state *s, __u32 target, __u16 bit,
		 struct policy_rule_info *ret)
{
	return (s->now && policy_compiled_rule(s->now, target, bit, ret)) ||
	       (s->before && policy_compiled_rule(s->before, target, bit,
						  ret));
}

struct counting {
	struct policy_state *s;
	int (*f)(void *arg, const struct policy_count *c);
	void *arg;
};

/* Of targets that nobody knows any more, nothing is said. */
static int count_one(void *arg, const void *key, const void *value)
{
	struct counting *w = arg;
	struct policy_count c = {};
	struct hit_key k;

	memcpy(&k, key, sizeof(k));
	memcpy(&c.count, value, sizeof(c.count));
	if (k.rule < POLICY_RULES_MAX &&
	    !policy_rule(w->s, k.target, k.rule, &c.rule))
		return 0;
	c.target = k.target;
	c.bit = k.rule;
	c.direction = k.direction;
	c.denied = k.denied;
	return w->f(w->arg, &c);
}

int policy_counts(struct policy_state *s,
		  int (*f)(void *arg, const struct policy_count *c), void *arg)
{
	struct counting w = { .s = s, .f = f, .arg = arg };

	return s->t->entries_each(s->t, TABLE_policy_hits, count_one, &w);
}

static __u32 count_port_classes(const __u16 *classes)
{
	__u8 seen[65536 / 8] = {};
	__u32 count = 0;

	for (__u32 i = 0; i < PORT_CLASSES; i++) {
		__u16 c = classes[i];

		count += c && !(seen[c / 8] >> (c & 7) & 1);
		seen[c / 8] |= 1 << (c & 7);
	}
	return count;
}

void policy_usage(const struct policy_state *s, struct policy_usage *ret)
{
	const struct image *m = s->now ? &s->now->image : NULL;

	*ret = (struct policy_usage){
		.workloads = s->places.count + s->retired.count,
	};
	if (!m)
		return;
	ret->targets = m->targets.count;
	ret->peers = m->peers.count;
	ret->prefixes = m->prefixes.count;
	ret->peer_masks = m->peer_masks.list.count;
	ret->port_masks = m->port_masks.list.count;
	ret->port_classes = count_port_classes(m->port_classes);
}

static int count_entry(void *arg, const void *key, const void *value)
{
	++*(__u32 *)arg;
	return 0;
}

static __u32 count_cells(const struct tables *t)
{
	__u32 count = 0;

	for (__u32 i = 0; i < WORKLOAD_BUCKETS; i++)
		for (int j = 0; j < WORD_WAYS; j++)
			count += t->workload_cells[i].word[j] != 0;
	return count;
}

int policy_count_entries(struct tables *t, __u32 ret[static NR_TABLES])
{
	static const enum table_id keyed[] = {
		TABLE_targets, TABLE_peers, TABLE_peer_prefixes,
		TABLE_peer_masks, TABLE_port_masks, TABLE_policy_hits,
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(keyed) / sizeof(*keyed) && !err; i++) {
		ret[keyed[i]] = 0;
		err = t->entries_each(t, keyed[i], count_entry, &ret[keyed[i]]);
	}
	ret[TABLE_workloads] = ret[TABLE_workload_infos] =
		ret[TABLE_workload_limits] = count_cells(t);
	return err;
}
