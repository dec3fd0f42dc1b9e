// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as what a process that was taken over sends: records, their
 * fields, and the object that they tell. In a buffer of its exact size, so
 * that a byte read too far is seen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/object_record.h"

static void read_one(const struct record *from)
{
	enum kube_kind kind = from->of % NR_KUBE_KINDS;
	struct record r = *from;
	struct kube_object *o = object_record_read(kind, &r);

	if (!o || o->kind != kind || (!o->nr_mistakes && !o->name))
		abort();
	kube_object_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ?: 1);
	const char *why;
	size_t done = 0;
	struct record r;
	long len;

	memcpy(copy, data, size);
	while ((len = record_parse(copy + done, size - done, &r, &why)) > 0) {
		read_one(&r);
		done += len;
	}
	if (len < 0 && !why)
		abort();
	free(copy);
	return 0;
}
