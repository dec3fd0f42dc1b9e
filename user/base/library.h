/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared libraries that are loaded by who needs them: with what they need in
 * turn they take some ms and MB of every process that is linked with them, and
 * all of ours but one never call them.
 */
#ifndef FAIRLEAD_LIBRARY_H
#define FAIRLEAD_LIBRARY_H

#include <stddef.h>

struct library_function {
	const char *name;
	void **to;
};

/* For as long as the process lives. -ELIBACC: it, or one of its functions, is
 * not there; functions are as far as they were found. */
int library_load(const char *library, const struct library_function *functions,
		 size_t count);

#endif
