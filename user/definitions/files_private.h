/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that are read, and read again: of files.c (which there are), file.c (is
 * one to be read?), file_parts.c (what it says) and file_paths.c (those of a
 * directory).
 */
#ifndef FAIRLEAD_FILES_PRIVATE_H
#define FAIRLEAD_FILES_PRIVATE_H

#include <time.h>

#include <sys/stat.h>

#include "files.h"
#include "report.h"
#include "source.h"

/* What tells that a file is the one that was read. */
struct signature {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct file {
	char *path;		/* parts point at it */
	struct signature signature;
	bool is_stale;		/* to be read again, whatever signature says */
	bool lacks;		/* objects that it said before the first reading
				 * may be among what is broken since */
	__u8 digest[32];
	struct part **parts;
	size_t nr_parts;
	unsigned int nr_documents;
};

struct file_list {
	struct file **files;	/* in byte order of paths */
	size_t count;
};

struct files {
	struct source source;
	char *path;
	enum files_kind kind;
	__u64 key[4];		/* of text_hash(); a secret of this process */
	struct file_list list;
	bool was_read;		/* once, without a mistake of the whole */
};

/* One reading of all files. */
struct reading {
	struct files *s;
	struct report *r;
	struct definitions_work *work;
};

/* file.c: f's parts become the dead, and f is freed. */
void file_drop(struct files *s, struct file *f);
/* Add path's file to list, up to date; old: the one there was, or NULL.
 * -ENOMEM; what cannot be read is reported, and not in the list. */
int file_refresh(struct reading *all, struct file_list *list,
		 const char *path, struct file *old);
/* What cannot be read: -ENOMEM, or -EINVAL, which is reported. */
int file_report(struct report *r, const char *path, int err);

/* file_parts.c: what of f is said by text, which it is now. -ENOMEM. */
int file_parse(struct reading *all, struct file *f, const char *text,
	       size_t len);

/* file_paths.c: of a directory, in byte order. Starts zeroed. */
struct paths {
	char **list;		/* owned */
	size_t count;
};

void paths_clear(struct paths *p);
/* -EINVAL: reported. */
int paths_list(const struct reading *all, struct paths *p);

#endif
