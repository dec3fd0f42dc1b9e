/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a file said when it was last read, to be known again by its bytes: for
 * files.c.
 */
#ifndef FAIRLEAD_OLD_PARTS_H
#define FAIRLEAD_OLD_PARTS_H

#include "source.h"

/*
 * 128 bits by which a text is known again: a comparison of all bytes would
 * need the old ones. Whoever does not know the key, which is of this process
 * alone, cannot look for two texts that meet.
 */
void text_hash(const __u64 key[static 4], const char *text, size_t len,
	       __u64 ret[static 2]);

/*
 * Most of a file comes again in the same order, so the part that was next the
 * last time is looked at first; a table of all is made when that was another
 * one.
 */
struct old_parts {
	struct part **list;
	size_t count, next;
	__u32 *table;		/* positions in list and 1; by hash; owned */
	size_t mask;
};

/* Bytes are the same, nobody has taken it yet, and it has nothing to report. */
bool old_part_is_wanted(const struct part *p, const __u64 hash[static 2]);

/* *ret NULL: none. -ENOMEM. */
int old_part_find(struct old_parts *old, const __u64 hash[static 2],
		  struct part **ret);

#endif
