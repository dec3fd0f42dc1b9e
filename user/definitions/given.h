/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The source of settings that are given by name, as on a command line: what
 * is said there counts as if a file said it, and has to agree with the files.
 */
#ifndef FAIRLEAD_GIVEN_H
#define FAIRLEAD_GIVEN_H

#include <stddef.h>

struct source;

/* A setting's key in a document, and its value: text, with commas a list of
 * it. Messages name "--key". */
struct given {
	const char *key;
	const char *value;
};

/* list is copied. -ENOMEM. */
int given_new(const struct given *list, size_t count, struct source **ret);

#endif
