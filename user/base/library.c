// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See library.h. */
#include <dlfcn.h>
#include <errno.h>

#include "library.h"

int library_load(const char *library, const struct library_function *functions,
		 size_t count)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return -ELIBACC;
	for (size_t i = 0; i < count; i++) {
		*functions[i].to = dlsym(handle, functions[i].name);
		if (!*functions[i].to)
			return -ELIBACC;
	}
	return 0;
}
