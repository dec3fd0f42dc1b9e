// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See mhd.h. */
#include "base/library.h"
#include "mhd.h"

struct mhd_functions microhttpd;

int mhd_load(void)
{
	static const struct library_function functions[] = {
#define X(name) { "MHD_" #name, (void **)&microhttpd.name },
		MHD_FUNCTIONS(X)
#undef X
	};

	return library_load("libmicrohttpd.so.12", functions,
			    sizeof(functions) / sizeof(*functions));
}
