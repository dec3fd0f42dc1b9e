// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See image.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "image.h"

int image_init(struct image *m)
{
	*m = (struct image){
		.port_classes = calloc(PORT_CLASSES, sizeof(__u16)),
	};
	return m->port_classes ? 0 : -ENOMEM;
}

void image_free(struct image *m)
{
	free(m->targets.at);
	free(m->peer_masks.list.at);
	free(m->port_masks.list.at);
	free(m->peers.at);
	free(m->prefixes.at);
	free(m->port_classes);
}

static int by_id(const void *a, const void *b)
{
	const struct target_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_keys(const struct mask_key *a, const struct mask_key *b)
{
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return (a->target > b->target) - (a->target < b->target);
}

static int by_key(const void *a, const void *b)
{
	const struct mask_row *x = a, *y = b;

	return compare_keys(&x->key, &y->key);
}

static int by_addr(const void *a, const void *b)
{
	const struct peer_row *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

static int compare_prefixes(const struct prefix_key *a,
			    const struct prefix_key *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int by_prefix(const void *a, const void *b)
{
	const struct prefix_row *x = a, *y = b;

	return compare_prefixes(&x->key, &y->key);
}

#define SORT(list, compare) do {					\
	if ((list).count)						\
		qsort((list).at, (list).count, sizeof(*(list).at),	\
		      compare);						\
} while (0)

/* The nearest of those around a, beginning with i and what is around it. */
static __u32 enclosing(const struct image *m, __u32 i, const struct addr *a,
		       __u32 len)
{
	const struct prefix_key *key;

	for (; i != NONE; i = m->prefixes.at[i].parent) {
		key = &m->prefixes.at[i].key;
		if (key->len <= len && addr_in(a, &key->addr, key->len))
			break;
	}
	return i;
}

/* What is around a prefix is around the one before it, or is that one. */
static void link_prefixes(struct image *m)
{
	for (size_t i = 0; i < m->prefixes.count; i++) {
		struct prefix_row *p = &m->prefixes.at[i];

		p->parent = i ? enclosing(m, i - 1, &p->key.addr, p->key.len) :
				NONE;
	}
}

void image_sort(struct image *m)
{
	SORT(m->targets, by_id);
	SORT(m->peer_masks.list, by_key);
	SORT(m->port_masks.list, by_key);
	SORT(m->peers, by_addr);
	SORT(m->prefixes, by_prefix);
	link_prefixes(m);
}

/* The first of a sorted list that is not before what is looked for. */
#define LOWER(list, is_before) ({					\
	size_t low_ = 0, high_ = (list).count;				\
	while (low_ < high_) {						\
		size_t middle_ = low_ + (high_ - low_) / 2;		\
		__auto_type it = &(list).at[middle_];			\
		if (is_before)						\
			low_ = middle_ + 1;				\
		else							\
			high_ = middle_;				\
	}								\
	low_;								\
})

const struct target *image_target(const struct image *m, __u32 id)
{
	size_t at = LOWER(m->targets, it->id < id);

	return at < m->targets.count && m->targets.at[at].id == id ?
		       &m->targets.at[at].target : NULL;
}

const struct rule_mask *masks_find(const struct masks *m, __u32 class,
				   __u32 target)
{
	const struct mask_key key = { .class = class, .target = target };
	size_t at = LOWER(m->list, compare_keys(&it->key, &key) < 0);

	return at < m->list.count && !compare_keys(&m->list.at[at].key, &key) ?
		       &m->list.at[at].mask : NULL;
}

const struct mask_row *masks_of(const struct masks *m, __u32 class,
				size_t *ret_count)
{
	size_t at = LOWER(m->list, it->key.class < class);
	size_t end = LOWER(m->list, it->key.class <= class);

	*ret_count = end - at;
	return &m->list.at[at];
}

size_t image_peer_at(const struct image *m, const struct addr *a)
{
	return LOWER(m->peers, addr_compare(&it->addr, a) < 0);
}

struct peer_row *image_peer(const struct image *m, const struct addr *a)
{
	size_t at = image_peer_at(m, a);

	return at < m->peers.count &&
	       !addr_compare(&m->peers.at[at].addr, a) ?
		       &m->peers.at[at] : NULL;
}

struct prefix_row *image_prefix(const struct image *m,
				const struct prefix_key *key)
{
	size_t at = LOWER(m->prefixes, compare_prefixes(&it->key, key) < 0);

	return at < m->prefixes.count &&
	       !compare_prefixes(&m->prefixes.at[at].key, key) ?
		       &m->prefixes.at[at] : NULL;
}

__u32 image_prefix_of(const struct image *m, const struct addr *a, __u32 len)
{
	const struct prefix_key key = { .len = len, .addr = *a };
	size_t at = LOWER(m->prefixes, compare_prefixes(&it->key, &key) <= 0);

	return at ? enclosing(m, at - 1, a, len) : NONE;
}

__u32 image_prefix_value(const struct image *m, const struct addr *a,
			 __u32 len)
{
	__u32 i = image_prefix_of(m, a, len);

	return i == NONE ? 0 : m->prefixes.at[i].value;
}

__u32 image_value(const struct image *m, const struct addr *a)
{
	const struct peer_row *p = image_peer(m, a);

	return p ? p->value : image_prefix_value(m, a, 128);
}

__u32 image_port_class(const struct image *m, __u8 proto, __u16 port)
{
	int i = policy_port_index(proto, port);

	return i < 0 ? 0 : port_class_key(i >> 16, m->port_classes[i]);
}

static void mask_or(struct rule_mask *to, const struct rule_mask *from)
{
	for (int i = 0; from && i < POLICY_WORDS; i++)
		to->word[i] |= from->word[i];
}

/* The rules of t that match. */
static struct rule_mask rules_of(const struct image *m, const struct target *t,
				 __u32 id, __u32 peer_value, __u8 proto,
				 __u16 port)
{
	struct rule_mask peer = t->peer_any, ports = t->port_any;

	if (peer_value & PEER_POD)
		mask_or(&peer, &t->peer_pod);
	mask_or(&peer, masks_find(&m->peer_masks, peer_value & PEER_CLASS_MASK,
				  id));
	if (policy_port_index(proto, port) >= 0)
		mask_or(&ports, masks_find(&m->port_masks,
					   image_port_class(m, proto, port),
					   id));
	for (int i = 0; i < POLICY_WORDS; i++)
		peer.word[i] &= ports.word[i];
	return peer;
}

static bool has_bit(const struct rule_mask *m, __u32 bit)
{
	return bit < POLICY_RULES_MAX && m->word[bit / 64] >> (bit & 63) & 1;
}

/* The rule that decides, but for those in skip. */
static __u32 deciding(const struct target *t, const struct rule_mask *rules,
		      const struct rule_mask *skip)
{
	__u32 bit = policy_first(rules, skip, t->words, 0);

	if (has_bit(&t->pass, bit))
		bit = policy_first(rules, skip, t->words, t->network);
	return bit;
}

struct verdict image_judge(const struct image *m, __u32 id, __u32 peer_value,
			   __u8 proto, __u16 port)
{
	static const struct rule_mask none;
	const struct target *t = image_target(m, id);
	struct rule_mask rules;
	struct verdict v = { .allowed = true, .rule = POLICY_NO_RULE,
			     .audit_rule = POLICY_NO_RULE };

	if (!id || peer_value & PEER_HOST)
		return v;
	if (!t)
		return (struct verdict){ .rule = POLICY_UNKNOWN };
	rules = rules_of(m, t, id, peer_value, proto, port);
	v.rule = deciding(t, &rules, &t->audit);
	v.allowed = !has_bit(&t->deny, v.rule);
	v.audit_rule = deciding(t, &rules, &none);
	v.audited = v.allowed && has_bit(&t->deny, v.audit_rule);
	return v;
}
