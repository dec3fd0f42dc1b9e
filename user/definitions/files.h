/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The source of files: one, or every *.yaml, *.yml and *.json of a directory in
 * byte order of their names. What did not change since the last time is not
 * parsed again. A file that says nothing is a mistake: it may have been
 * emptied, or not be filled yet.
 */
#ifndef FAIRLEAD_FILES_H
#define FAIRLEAD_FILES_H

#define SOURCE_FILE_BYTES_MAX (64u << 20)
#define SOURCE_FILES_MAX (1u << 17)	/* of a directory */
#define SOURCE_DOCUMENTS_MAX (1u << 17)	/* of a file */

struct source;

enum files_kind {
	FILES_ONCE,		/* may be a FIFO, and wait for who writes it */
	FILES_FOLLOWED,		/* read again and again: regular files alone */
};

/* -ENOMEM. path need not exist; it is read when the source is refreshed. */
int files_new(const char *path, enum files_kind kind, struct source **ret);

#endif
