// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See arena.h. Chunks get larger, up to what malloc() gives back to the system
 * at once. */
#include <stddef.h>
#include <stdlib.h>

#include "arena.h"

#define ALIGN _Alignof(max_align_t)
#define CHUNK_MIN 4096
#define CHUNK_MAX (1 << 20)

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(max_align_t) char bytes[];
};

static int add_chunk(struct arena *a, size_t least)
{
	size_t size = a->size ? 2 * a->size : CHUNK_MIN;
	struct arena_chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < least)
		size = least;
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		return -1;
	c->next = a->chunks;
	a->chunks = c;
	a->size = size;
	a->used = 0;
	return 0;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	size_t len;
	void *p;

	if (__builtin_mul_overflow(count, size, &len) ||
	    __builtin_add_overflow(len, ALIGN - 1, &len))
		return NULL;
	len = len / ALIGN * ALIGN;
	if ((!a->chunks || a->size - a->used < len) && add_chunk(a, len))
		return NULL;
	p = a->chunks->bytes + a->used;
	a->used += len;
	return p;
}

void arena_clear(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	*a = (struct arena){};
}
