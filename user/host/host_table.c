// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The hash tables of struct host: chains that keep their order. */
#include <errno.h>
#include <stdlib.h>

#include "host_private.h"

#define TABLE_BUCKETS_FIRST 64

int table_init(struct hash_table *t)
{
	t->buckets = calloc(TABLE_BUCKETS_FIRST, sizeof(*t->buckets));
	t->mask = TABLE_BUCKETS_FIRST - 1;
	return t->buckets ? 0 : -ENOMEM;
}

void table_free(struct hash_table *t)
{
	struct node *node, *next;
	__u32 i;

	for (i = 0; t->buckets && i <= t->mask; i++) {
		for (node = t->buckets[i]; node; node = next) {
			next = node->next;
			free(node);
		}
	}
	free(t->buckets);
}

static void table_append(struct hash_table *t, struct node *node)
{
	struct node **at = table_bucket(t, node->hash);

	while (*at)
		at = &(*at)->next;
	node->next = NULL;
	*at = node;
}

/* Without memory it stays as it is: slower, not wrong. */
void table_grown(struct hash_table *t)
{
	struct hash_table larger = { .mask = t->mask * 2 + 1,
				     .count = t->count };
	struct node *node, *next;
	__u32 i;

	if (t->count <= t->mask)
		return;
	larger.buckets = calloc(larger.mask + 1ul, sizeof(*larger.buckets));
	if (!larger.buckets)
		return;
	for (i = 0; i <= t->mask; i++) {
		for (node = t->buckets[i]; node; node = next) {
			next = node->next;
			table_append(&larger, node);
		}
	}
	free(t->buckets);
	*t = larger;
}

void table_add(struct hash_table *t, struct node *node)
{
	table_append(t, node);
	t->count++;
	table_grown(t);
}

void table_remove(struct hash_table *t, struct node *node)
{
	struct node **at = table_bucket(t, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	t->count--;
	free(node);
}

void table_each(struct host *h, const struct hash_table *t,
		void (*fn)(struct host *h, struct node *node))
{
	struct node *node, *next;
	__u32 i;

	for (i = 0; i <= t->mask; i++) {
		for (node = t->buckets[i]; node; node = next) {
			next = node->next;
			fn(h, node);
		}
	}
}
