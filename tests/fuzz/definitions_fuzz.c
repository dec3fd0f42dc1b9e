// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a file of definitions: read twice through one handle (the
 * second time from the cache, under other line numbers), once afresh, and once
 * with its services uncut (a carriage return by itself sees to that): all must
 * agree.
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

static void put(const char *before, const uint8_t *data, size_t size,
		const char *after)
{
	size_t len = strlen(before), more = strlen(after);

	if (ftruncate(fd, 0) || pwrite(fd, before, len, 0) != (ssize_t)len ||
	    pwrite(fd, data, size, len) != (ssize_t)size ||
	    pwrite(fd, after, more, len + size) != (ssize_t)more)
		abort();
}

static void compare(const struct model *a, const struct model *b)
{
	if (a->nr_services != b->nr_services)
		abort();
	for (size_t i = 0; i < a->nr_services; i++)
		if (strcmp(a->services[i]->name, b->services[i]->name) ||
		    a->services[i]->nr_backends != b->services[i]->nr_backends)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__cleanup(definitions_closep) struct definitions *s = NULL;
	__cleanup(model_freep) struct model *first = NULL;
	__cleanup(model_freep) struct model *second = NULL;
	__cleanup(model_freep) struct model *afresh = NULL;
	__cleanup(model_freep) struct model *uncut = NULL;
	struct definitions_from from = { .path = path };
	bool changed;
	int err;

	if (!nowhere)
		set_up();
	if (definitions_open(&from, &s))
		abort();
	/* a byte order mark is one at the beginning alone: there would be other
	 * objects below another line, which stand for those before */
	put(size && data[0] >= 0xef ? "#\n" : "", data, size, "\n");
	definitions_reload(s, &first, nowhere, &changed);
	put("# one more line\n", data, size, "\n");
	err = definitions_reload(s, &second, nowhere, &changed);
	if (err != definitions_load(&from, &afresh, nowhere))
		abort();
	put("# one more line\n", data, size, "\n#\r");
	if (err != definitions_load(&from, &uncut, nowhere))
		abort();
	if (!err) {
		compare(second, afresh);
		compare(second, uncut);
	}
	return 0;
}
