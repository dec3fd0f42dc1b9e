// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See endpoint_index.h. A hash table with linear probing, as there are very
 * many and each is small; one that goes is made up for by those behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "endpoint_index.h"

#define SIZE_MIN 256

__u64 endpoint_key(const struct addr *a, __u16 port, __u8 proto)
{
	__u64 words[2];

	memcpy(words, a, sizeof(words));
	words[0] = hash_mix(words[0] ^ (__u64)port << 16 ^ proto);
	return hash_mix(words[0] + words[1]) | 1;
}

static size_t home(const struct endpoint_index *index, __u64 key)
{
	return key >> 1 & (index->size - 1);
}

static size_t after(const struct endpoint_index *index, size_t i)
{
	return (i + 1) & (index->size - 1);
}

static void put(struct endpoint_index *index, struct endpoint e)
{
	size_t i = home(index, e.key);

	while (index->slots[i].key)
		i = after(index, i);
	index->slots[i] = e;
	index->count++;
}

/* Three of four slots at most are in use. */
int endpoints_reserve(struct endpoint_index *index, size_t more)
{
	struct endpoint_index larger = { .size = index->size ?: SIZE_MIN };

	while ((index->count + more) * 4 > larger.size * 3)
		larger.size *= 2;
	if (larger.size == index->size)
		return 0;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < index->size; i++)
		if (index->slots[i].key)
			put(&larger, index->slots[i]);
	free(index->slots);
	*index = larger;
	return 0;
}

void endpoints_add(struct endpoint_index *index, __u64 key, void *owner)
{
	put(index, (struct endpoint){ key, owner });
}

/* Is it no later on the way from home than gap is? Then it may go there. */
static bool fits(const struct endpoint_index *index, size_t from, size_t gap)
{
	size_t mask = index->size - 1;
	size_t start = home(index, index->slots[from].key);

	return ((from - start) & mask) >= ((from - gap) & mask);
}

void endpoints_del(struct endpoint_index *index, __u64 key, void *owner)
{
	size_t gap = home(index, key), i;

	while (index->slots[gap].key != key || index->slots[gap].owner != owner)
		gap = after(index, gap);
	for (i = after(index, gap); index->slots[i].key; i = after(index, i)) {
		if (!fits(index, i, gap))
			continue;
		index->slots[gap] = index->slots[i];
		gap = i;
	}
	index->slots[gap] = (struct endpoint){};
	index->count--;
}

void endpoints_free(struct endpoint_index *index)
{
	free(index->slots);
	*index = (struct endpoint_index){};
}

void *endpoints_next(const struct endpoint_index *index, __u64 key, size_t *at)
{
	size_t mask = index->size - 1, i;

	if (!index->size)
		return NULL;
	for (i = (home(index, key) + *at) & mask; index->slots[i].key;
	     i = after(index, i)) {
		++*at;
		if (index->slots[i].key == key)
			return index->slots[i].owner;
	}
	return NULL;
}
