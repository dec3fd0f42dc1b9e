// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_tables.h. */
#include <string.h>

#include <fairlead/hash.h>

#include "policy_tables.h"

__u32 tables_workload(const struct fake *f, __u32 ifindex)
{
	__u32 at = word_bucket_of(workload_word(ifindex, 0), WORKLOAD_BUCKETS);

	for (size_t n = 0; n < WORD_WAYS; n++) {
		__u64 word = f->t.workload_cells[at].word[n];

		if (word >> 32 == ifindex)
			return (__u32)word;
	}
	return 0;
}

static __u32 value_of(const struct fake *f, enum table_id id, const void *key)
{
	const __u32 *value = fake_entry(f, id, key);

	return value ? *value : 0;
}

/* Its own entry, else the longest prefix that it is in. */
static __u32 class_of(const struct fake *f, const struct addr *a)
{
	struct prefix_key k = { .addr = *a };
	__u8 *byte = (__u8 *)&k.addr;

	if (fake_entry(f, TABLE_peers, a))
		return value_of(f, TABLE_peers, a);
	for (int len = 128; len >= 0; len--) {
		if (len < 128)
			byte[len / 8] &= ~(0x80 >> len % 8);
		k.len = len;
		if (fake_entry(f, TABLE_peer_prefixes, &k))
			return value_of(f, TABLE_peer_prefixes, &k);
	}
	return 0;
}

static bool has(const struct rule_mask *m, unsigned int bit)
{
	return m && m->word[bit / 64] >> (bit % 64) & 1;
}

/* All that matching one bit takes. */
struct rules {
	const struct target *t;
	bool is_pod;
	const struct rule_mask *peers, *ports;	/* NULL: none */
};

static bool matches(const struct rules *r, unsigned int bit)
{
	bool peer = has(&r->t->peer_any, bit) || has(r->peers, bit) ||
		    (r->is_pod && has(&r->t->peer_pod, bit));

	return peer && (has(&r->t->port_any, bit) || has(r->ports, bit));
}

/* The bit that decides; POLICY_NO_RULE. */
static __u32 decide(const struct rules *r, bool with_audit, const char **wrong)
{
	const struct target *t = r->t;
	unsigned int bit = 0;
	bool passed = false;

	while (bit < t->words * 64u) {
		if (!matches(r, bit) || (!with_audit && has(&t->audit, bit))) {
			bit++;
			continue;
		}
		if (!has(&t->pass, bit))
			return bit;
		if (passed || bit >= t->network)
			*wrong = "one passes on to where it is";
		if (passed || bit >= t->network)
			return POLICY_NO_RULE;
		passed = true;
		bit = t->network;
	}
	return POLICY_NO_RULE;
}

static void ask_target(const struct fake *f, const struct rules *r,
		       struct tables_answer *a)
{
	__u32 is = decide(r, false, &a->wrong);
	__u32 would = decide(r, true, &a->wrong);

	a->rule = is;
	a->allowed = is == POLICY_NO_RULE || !has(&r->t->deny, is);
	a->audited = a->allowed && would != POLICY_NO_RULE &&
		     has(&r->t->deny, would);
}

static bool is_own(const struct workload *w, const struct addr *a)
{
	for (int i = 0; i < WORKLOAD_ADDRS; i++) {
		if (!memcmp(&w->addr[i], a, sizeof(*a)))
			return true;
	}
	return false;
}

static const struct rule_mask *ports_of(const struct fake *f, __u32 target,
					__u8 proto, __u16 port)
{
	int at = policy_port_index(proto, port);
	struct mask_key k = { .target = target };

	if (at < 0)
		return NULL;
	k.class = port_class_key(at >> 16, f->t.port_classes[at]);
	return fake_entry(f, TABLE_port_masks, &k);
}

struct tables_answer tables_ask(const struct fake *f, __u32 ifindex,
				enum policy_direction direction,
				const struct addr *peer, __u8 proto,
				__u16 port)
{
	__u32 index = tables_workload(f, ifindex);
	const struct workload *w = &f->t.workloads[index];
	__u32 class = class_of(f, peer);
	struct tables_answer a = { .allowed = true, .rule = POLICY_NO_RULE };
	struct mask_key k = { .class = class & PEER_CLASS_MASK };
	struct rules r = { .is_pod = class & PEER_POD };

	if (!index && f->t.runtime->policing != POLICE_ALL)
		return a;
	if (class & PEER_HOST || is_own(w, peer))
		return a;
	if (!index || w->flags & WORKLOAD_CLOSED) {
		a.allowed = false;
		a.rule = POLICY_UNKNOWN;
		return a;
	}
	a.target = direction == POLICY_IN ? w->target.in : w->target.out;
	if (!a.target)
		return a;
	k.target = a.target;
	r.t = fake_entry(f, TABLE_targets, &a.target);
	r.peers = fake_entry(f, TABLE_peer_masks, &k);
	r.ports = ports_of(f, a.target, proto, port);
	if (r.t)
		ask_target(f, &r, &a);
	else
		a.wrong = "a target that there is not";
	return a;
}
