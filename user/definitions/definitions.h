/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Definitions from a file, or from every *.yaml, *.yml and *.json of a
 * directory in byte order of their names, to a model. Whatever is wrong is
 * said with its place and nothing of it gets into a model. What did not
 * change since the last time is not parsed again.
 */
#ifndef FAIRLEAD_DEFINITIONS_H
#define FAIRLEAD_DEFINITIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "model/model.h"

#define SOURCE_FILE_BYTES_MAX (64u << 20)
#define SOURCE_FILES_MAX (1u << 17)	/* of a directory */
#define SOURCE_DOCUMENTS_MAX (1u << 17)	/* of a file */

/*
 * Once: path to a model. -EINVAL: errors has a line for each mistake (and for
 * what cannot be read), "path:line:column: what". -ENOMEM: it may have some.
 */
int definitions_load(const char *path, struct model **ret, FILE *errors);

struct definitions;

int definitions_open(const char *path, struct definitions **ret);

/*
 * As definitions_load(), each time. The model is the caller's and lives on its
 * own, also after definitions_close(). *ret_changed: it is not the one handed
 * out last.
 */
int definitions_reload(struct definitions *s, struct model **ret, FILE *errors,
		       bool *ret_changed);

/* How much of the last reload was not cached. */
struct definitions_work {
	unsigned int files_read, documents_parsed;
};
struct definitions_work definitions_work(const struct definitions *s);

void definitions_close(struct definitions *s);	/* NULL is fine */
void definitions_closep(struct definitions **s);

#endif
