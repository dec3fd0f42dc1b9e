/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Other programs, of the host's directories for them and without a shell. */
#ifndef FAIRLEAD_TOOL_H
#define FAIRLEAD_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_ERROR_MAX 200

/* Is there a program of that name? */
bool tool_is_there(const char *name);

/*
 * Run argv, which ends in NULL, with input (NULL: none) as its standard input,
 * and wait. *ret_output, unless ret_output is NULL, is the caller's: what it
 * wrote, which ends in a NUL. -ENOENT: there is no such program; -EREMOTEIO: it
 * failed, and error has the first line that it said.
 */
int tool_run(const char *const *argv, const char *input, char **ret_output,
	     char error[static TOOL_ERROR_MAX]);

#endif
