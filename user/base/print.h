/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows for people, in aligned columns, or for programs, as JSON: from one
 * description of a struct. Long lists stream: text in blocks that are aligned
 * each by itself, JSON row by row.
 */
#ifndef FAIRLEAD_PRINT_H
#define FAIRLEAD_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum column_type {
	COLUMN_TEXT,		/* const char *; NULL: none */
	COLUMN_COUNT,		/* __u64; COUNT_UNKNOWN: none */
	COLUMN_BOOL,		/* bool */
	COLUMN_SHARE,		/* double, 0 to 1; text shows per cent */
};

#define COUNT_UNKNOWN (~0ull)

struct column {
	const char *key;	/* in JSON; does not change */
	const char *title;	/* in text; NULL: in JSON alone */
	enum column_type type;
	size_t offset;		/* in the struct that a row is given as */
};

#define COLUMN(key, title, type, row, field) \
	{ key, title, COLUMN_##type, offsetof(row, field) }
#define COLUMNS_END { .key = NULL }
#define COLUMNS_MAX 24

/* A row as an object. NULL: out of memory. */
json_t *row_json(const struct column *columns, const void *row);

struct print;

/* Errors come from out; ask ferror() at the end. -ENOMEM. */
int print_open(FILE *out, bool json, const struct column *columns,
	       struct print **ret);
int print_row(struct print *t, const void *row);

/* Prints what is left, and frees. NULL is fine. */
int print_close(struct print *t);
void print_closep(struct print **t);

/* The lines of a text, which is cut up, as a list. */
json_t *lines_json(char *text);

/* One JSON value and a newline; takes the reference. */
int json_print(json_t *value, FILE *out);

#endif
