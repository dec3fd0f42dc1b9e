/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory for very many small things that live and go together. By itself each
 * would lie between things that stay, and leave holes there.
 */
#ifndef FAIRLEAD_ARENA_H
#define FAIRLEAD_ARENA_H

#include <stddef.h>

struct arena {			/* starts zeroed */
	struct arena_chunk *chunks;
	size_t used, size;	/* bytes of the newest chunk */
};

/* Zeroed, aligned for anything, until arena_clear(). NULL: no memory. */
void *arena_alloc(struct arena *a, size_t count, size_t size);
void arena_clear(struct arena *a);

#endif
