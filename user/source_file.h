/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Definitions from a file, or from every *.yaml, *.yml and *.json of a
 * directory in byte order of their names, to a model. Whatever is wrong is
 * said with its place and nothing of it gets into a model. What did not
 * change since the last time is not parsed again.
 */
#ifndef FAIRLEAD_SOURCE_FILE_H
#define FAIRLEAD_SOURCE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "model.h"

#define SOURCE_FILE_BYTES_MAX (64u << 20)
#define SOURCE_FILES_MAX (1u << 17)	/* of a directory */
#define SOURCE_DOCUMENTS_MAX (1u << 17)	/* of a file */

/*
 * Once: path to a model. -EINVAL: errors has a line for each mistake (and for
 * what cannot be read), "path:line:column: what". -ENOMEM: it may have some.
 */
int source_file_load(const char *path, struct model **ret, FILE *errors);

struct source_file;

int source_file_open(const char *path, struct source_file **ret);

/*
 * As source_file_load(), each time. The model is the caller's and lives on its
 * own, also after source_file_close(). *ret_changed: it is not the one handed
 * out last.
 */
int source_file_reload(struct source_file *s, struct model **ret, FILE *errors,
		       bool *ret_changed);

/* How much of the last reload was not cached. */
struct source_file_work {
	unsigned int files_read, documents_parsed;
};
struct source_file_work source_file_work(const struct source_file *s);

void source_file_close(struct source_file *s);	/* NULL is fine */
void source_file_closep(struct source_file **s);

#endif
