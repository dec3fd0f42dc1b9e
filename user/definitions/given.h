/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The source of settings that are given by name, as on a command line: what
 * is said there counts as if a file said it, and has to agree with the files.
 */
#ifndef FAIRLEAD_GIVEN_H
#define FAIRLEAD_GIVEN_H

#include <stddef.h>

struct source;

/* A setting's name, as setting.h has it ("timeouts: tcp"), and its value: text,
 * with commas a list of it. */
struct given {
	const char *key;
	const char *value;
	const char *place;	/* what messages name; NULL: "--key" */
};

/* list is copied. -ENOMEM. */
int given_new(const struct given *list, size_t count, struct source **ret);

#endif
