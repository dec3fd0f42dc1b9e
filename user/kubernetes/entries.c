// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Objects by kind and name, services by name: see cluster_private.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_private.h"

#define SERVICES_TABLE_MIN 64

static __u64 hash_text(__u64 hash, const char *text, size_t len)
{
	hash ^= 0xcbf29ce484222325ull;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return hash ^ hash >> 29;
}

/* Where the chain of hash begins. */
static void **chain(const struct table *t, __u64 hash)
{
	return &t->chains[hash & (t->size - 1)];
}

static int table_grow(struct table *t, __u64 (*hash_of)(const void *item))
{
	struct table larger = {
		.size = t->size ? 2 * t->size : SERVICES_TABLE_MIN,
		.count = t->count,
	};

	if (t->count < t->size)
		return 0;
	larger.chains = calloc(larger.size, sizeof(*larger.chains));
	if (!larger.chains)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++) {
		void **item = t->chains[i];

		while (item) {
			void **next = *item;
			void **to = chain(&larger, hash_of(item));

			*item = *to;
			*to = item;
			item = next;
		}
	}
	free(t->chains);
	*t = larger;
	return 0;
}

void chain_remove(struct table *t, __u64 hash, void *item)
{
	void **at = chain(t, hash);

	while (*at != item)
		at = *at;
	*at = *(void **)item;
	t->count--;
}

static __u64 entry_hash(const void *item)
{
	return ((const struct entry *)item)->hash;
}

static __u64 joined_hash(const void *item)
{
	return ((const struct joined *)item)->hash;
}

size_t key_make(const char *namespace, const char *name, char *key)
{
	int len = snprintf(key, KEY_MAX, "%s/%s", namespace ?: "", name);

	return len < KEY_MAX ? len : KEY_MAX - 1;
}

struct entry *entry_find(const struct kube_cluster *c,
			 const struct kube_object *o)
{
	char key[KEY_MAX];
	size_t len = key_make(o->namespace, o->name, key);
	__u64 hash = hash_text(o->kind, key, len);
	struct entry *e = c->entries.size ? *chain(&c->entries, hash) : NULL;

	while (e && (e->hash != hash || e->kind != o->kind ||
		     strcmp(e->key, key)))
		e = e->next;
	return e;
}

struct entry *entry_get(struct kube_cluster *c, const struct kube_object *o)
{
	struct entry *e = entry_find(c, o);
	char key[KEY_MAX];
	size_t len;
	void **to;

	if (e)
		return e;
	len = key_make(o->namespace, o->name, key);
	if (table_grow(&c->entries, entry_hash))
		return NULL;
	e = calloc(1, sizeof(*e) + len + 1);
	if (!e)
		return NULL;
	memcpy(e->key, key, len);
	e->key_len = len;
	e->kind = o->kind;
	e->hash = hash_text(o->kind, key, len);
	to = chain(&c->entries, e->hash);
	e->next = *to;
	*to = e;
	c->entries.count++;
	return e;
}

struct joined *joined_get(struct kube_cluster *c, const char *key)
{
	size_t len = strlen(key);
	__u64 hash = hash_text(0, key, len);
	struct joined *s;
	void **to;

	if (table_grow(&c->services, joined_hash))
		return NULL;
	to = chain(&c->services, hash);
	for (s = *to; s; s = s->next)
		if (s->hash == hash && !strcmp(s->key, key))
			return s;
	s = calloc(1, sizeof(*s) + len + 1);
	if (!s)
		return NULL;
	memcpy(s->key, key, len);
	s->hash = hash;
	s->claimant.joined = s;
	s->next = *to;
	*to = s;
	c->services.count++;
	return s;
}
