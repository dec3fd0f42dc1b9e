// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See sysctl.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "cleanup.h"
#include "sysctl.h"

static FILE *open_it(const char *name, const char *mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return fopen(path, mode);
}

int sysctl_read(const char *name, int *ret, size_t count)
{
	__cleanup(close_file) FILE *in = open_it(name, "re");

	if (!in)
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (fscanf(in, "%d", &ret[i]) != 1)
			return -EINVAL;
	return 0;
}

int sysctl_set(const char *name, int number)
{
	FILE *out;
	int is;

	if (!sysctl_read(name, &is, 1) && is == number)
		return 0;
	out = open_it(name, "we");
	if (!out)
		return -errno;
	fprintf(out, "%d", number);
	return fclose(out) ? -errno : 0;
}
