// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a file of definitions: read twice through one handle (the
 * second time from the cache, under other line numbers) and once afresh, which
 * must agree.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "definitions/definitions.h"
#include "base/cleanup.h"

static FILE *nowhere;
static char path[64];
static int fd;

static void set_up(void)
{
	nowhere = fopen("/dev/null", "w");
	fd = memfd_create("definitions.yaml", 0);
	if (!nowhere || fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

static void put(const char *before, const uint8_t *data, size_t size)
{
	size_t len = strlen(before);

	if (ftruncate(fd, 0) || pwrite(fd, before, len, 0) != (ssize_t)len ||
	    pwrite(fd, data, size, len) != (ssize_t)size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct definitions *s __cleanup(definitions_closep) = NULL;
	struct model *first __cleanup(model_freep) = NULL;
	struct model *second __cleanup(model_freep) = NULL;
	struct model *afresh __cleanup(model_freep) = NULL;
	bool changed;
	int err;

	if (!nowhere)
		set_up();
	if (definitions_open(path, &s))
		abort();
	put("", data, size);
	definitions_reload(s, &first, nowhere, &changed);
	put("# one more line\n", data, size);
	err = definitions_reload(s, &second, nowhere, &changed);
	if (err != definitions_load(path, &afresh, nowhere))
		abort();
	if (!err && second->nr_services != afresh->nr_services)
		abort();
	return 0;
}
