// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which libbpf this program runs with. */
#include <bpf/libbpf.h>

#include "dp.h"

const char *dp_library_version(void)
{
	return libbpf_version_string();
}
