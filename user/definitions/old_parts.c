// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See old_parts.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "old_parts.h"

static __u64 fold(__u64 a, __u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return product ^ product >> 64;
}

/* What text_hash() goes through a text with. */
struct hash {
	const __u64 *key;	/* [4] */
	__u64 a, b;
};

static void hash_words(struct hash *h, const __u64 words[static 2])
{
	h->a = fold(h->a ^ words[0], words[1] ^ h->key[2]);
	h->b = fold(h->b ^ words[1], words[0] ^ h->key[3]) + h->a;
}

void text_hash(const __u64 key[static 4], const char *text, size_t len,
	       __u64 ret[static 2])
{
	struct hash h = { key, key[0] ^ len, key[1] + len };
	__u64 words[2];

	for (; len >= sizeof(words); len -= sizeof(words)) {
		memcpy(words, text, sizeof(words));
		hash_words(&h, words);
		text += sizeof(words);
	}
	if (len) {
		words[0] = words[1] = 0;
		memcpy(words, text, len);
		hash_words(&h, words);
	}
	ret[0] = fold(h.a ^ key[1], h.b ^ key[2]);
	ret[1] = fold(h.b ^ key[3], h.a ^ key[0]);
}

static int old_table(struct old_parts *old)
{
	size_t size = 16;

	while (size < 2 * old->count)
		size *= 2;
	old->table = calloc(size, sizeof(*old->table));
	if (!old->table)
		return -ENOMEM;
	old->mask = size - 1;
	for (size_t i = 0; i < old->count; i++) {
		size_t at = old->list[i]->hash[0] & old->mask;

		while (old->table[at])
			at = (at + 1) & old->mask;
		old->table[at] = i + 1;
	}
	return 0;
}

bool old_part_is_wanted(const struct part *p, const __u64 hash[static 2])
{
	return p->hash[0] == hash[0] && p->hash[1] == hash[1] && !p->is_live &&
	       !p->has_mistakes;
}

int old_part_find(struct old_parts *old, const __u64 hash[static 2],
		  struct part **ret)
{
	size_t i = old->next, at;

	*ret = NULL;
	if (!old->count)
		return 0;
	old->next = i + 1;
	if (i < old->count && old_part_is_wanted(old->list[i], hash)) {
		*ret = old->list[i];
		return 0;
	}
	if (!old->table && old_table(old))
		return -ENOMEM;
	for (at = hash[0] & old->mask; (i = old->table[at]);
	     at = (at + 1) & old->mask) {
		if (!old_part_is_wanted(old->list[i - 1], hash))
			continue;
		old->next = i;
		*ret = old->list[i - 1];
		return 0;
	}
	return 0;
}
