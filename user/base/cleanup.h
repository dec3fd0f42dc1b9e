/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scope-bound cleanup. Declare, initialise to NULL or -1, never goto. */
#ifndef FAIRLEAD_CLEANUP_H
#define FAIRLEAD_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* unused: clang counts only what is read, gcc what is cleaned up. */
#define __cleanup(fn) __attribute__((cleanup(fn), unused))

/* For __cleanup(close_fd) int fd; less than 0: not open. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* For __cleanup(close_file) FILE *f; NULL: not open. */
static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* For __cleanup(free_text) char *text. */
static inline void free_text(char **text)
{
	free(*text);
}

/* Hand an owned pointer out of the scope that would free it. */
#define take_ptr(p) ({ __auto_type owned_ = (p); (p) = NULL; owned_; })

#endif
