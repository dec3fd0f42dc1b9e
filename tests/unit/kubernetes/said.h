/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A file of definitions that says something else each time. */
#ifndef FAIRLEAD_TEST_SAID_H
#define FAIRLEAD_TEST_SAID_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "definitions/definitions.h"
#include "definitions/given.h"

struct said {
	int fd;
	char path[64];
	struct definitions *d;
};

/* given: a setting besides, or NULL. As a test's set-up: not 0: an error. */
static inline int said_open(struct said *s, const struct given *given)
{
	struct definitions_from from = {
		.path = s->path, .given = given, .nr_given = given ? 1 : 0,
	};

	s->fd = memfd_create("said.yaml", MFD_CLOEXEC);
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->fd);
	return s->fd < 0 ? -1 : definitions_open(&from, &s->d);
}

static inline void said_close(struct said *s)
{
	definitions_close(s->d);
	close(s->fd);
	*s = (struct said){};
}

/* *errors is the caller's. What definitions_reload() returns. */
static inline int said_now(struct said *s, const char *text, struct model **m,
			   char **errors)
{
	bool has_changed;
	size_t len;
	FILE *out;
	int err;

	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(pwrite(s->fd, text, strlen(text), 0), strlen(text));
	out = open_memstream(errors, &len);
	err = definitions_reload(s->d, m, out, &has_changed);
	fclose(out);
	return err;
}

#endif
