/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What somebody told kube-proxy: a value for each row of the table, or none,
 * and where it stands. For the rest of this folder alone.
 */
#ifndef FAIRLEAD_TOLD_H
#define FAIRLEAD_TOLD_H

#include <stdio.h>

#include "row.h"

#define TOLD_ROWS_MAX 128

struct told_value {
	char *text;	/* owned; NULL: nothing is said */
	char *place;	/* owned: "--v", "kube-proxy.yaml:3:5: mode" */
};

struct told {
	struct told_value values[TOLD_ROWS_MAX];	/* by rows[] */
	FILE *said;		/* a line for each mistake */
	unsigned int mistakes;
	bool no_memory;
};

/* A copy of text, if it is right; else a mistake. Said twice, a list goes on
 * and all else is as said last. */
void told_set(struct told *t, const struct row *r, const char *text,
	      const char *place);

/* NULL: nothing is said; text of its place is fine until it is set anew. */
const struct told_value *told_get(const struct told *t, const struct row *r);

/* What was said, or kube-proxy's default. */
const char *told_text(const struct told *t, const struct row *r);
bool told_is_true(const struct told *t, enum row_use use);

void told_mistake(struct told *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void told_clear(struct told *t);

/*
 * Of kube-proxy's configuration file. What a field says wrongly is a mistake;
 * a field that there is not is said to notes and left out, as kube-proxy does
 * it.
 */
void told_file(struct told *t, const char *path, FILE *notes);

/* Of a command line without its first words. */
void told_flags(struct told *t, unsigned int argc, char **argv);

/* What counts, as a configuration file says it. -errno. */
int told_write(const struct told *t, const char *path);

#endif
