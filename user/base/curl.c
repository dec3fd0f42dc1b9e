// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See curl.h. */
#include "library.h"
#include "curl.h"

struct curl_functions curl;

int curl_load(void)
{
	static const struct library_function functions[] = {
#define X(name) { "curl_" #name, (void **)&curl.name },
		CURL_FUNCTIONS(X)
#undef X
	};

	return library_load("libcurl.so.4", functions,
			    sizeof(functions) / sizeof(*functions));
}
