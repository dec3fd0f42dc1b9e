/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The values of an object that a record tells (enum record_event), each with
 * the keys that lead to it, for who wants a few of them. Pure; what is no such
 * record is said to be none.
 */
#ifndef FAIRLEAD_LEAVES_H
#define FAIRLEAD_LEAVES_H

#include "process/record.h"

#define LEAF_KEYS_MAX 8		/* what is deeper is left out */

struct leaves {
	struct record record;
	unsigned int depth;	/* mappings and lists that are open */
	struct record_field keys[LEAF_KEYS_MAX];
};

/* Reads a copy of r. */
struct leaves leaves_of(const struct record *r);

/* The next value: a string, a number or a boolean. 1, 0 (no more), or
 * -EBADMSG. */
int leaves_next(struct leaves *l, struct record_field *ret);

/* Of the value that was returned last: are these the keys to it, from the
 * outermost one on, with ">" between them? "*": any key. */
bool leaves_at(const struct leaves *l, const char *path);

/* Its key at a depth, from 0. NULL: there is none. */
const struct record_field *leaves_key(const struct leaves *l,
				      unsigned int depth);

/* A text of less than size bytes without a NUL in it. False: it is not. */
bool leaf_text(const struct record_field *f, char *ret, size_t size);

bool leaf_is(const struct record_field *f, const char *text);

#endif
