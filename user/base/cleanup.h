/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scope-bound cleanup. Declare, initialise to NULL or -1, never goto. */
#ifndef FAIRLEAD_CLEANUP_H
#define FAIRLEAD_CLEANUP_H

#include <unistd.h>

/* unused: clang counts only what is read, gcc what is cleaned up. */
#define __cleanup(fn) __attribute__((cleanup(fn), unused))

/* For __cleanup(close_fd) int fd; less than 0: not open. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Hand an owned pointer out of the scope that would free it. */
#define take_ptr(p) ({ __auto_type owned_ = (p); (p) = NULL; owned_; })

#endif
