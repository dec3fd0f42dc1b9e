// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See curl.h. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

#include "curl.h"

#define LIBRARY "libcurl.so.4"

struct curl_functions curl;

int curl_load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool is_whole = library;

#define X(name)								\
	curl.name = library ? dlsym(library, "curl_" #name) : NULL;	\
	is_whole &= curl.name != NULL;
	CURL_FUNCTIONS(X)
#undef X
	return is_whole ? 0 : -ELIBACC;
}
