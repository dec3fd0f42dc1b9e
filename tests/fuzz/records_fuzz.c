// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as what a process that was taken over sends: records, their
 * fields, and the object or container that they tell. In a buffer of its exact size, so
 * that a byte read too far is seen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/container.h"
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

/* Of what is refused, too: who refuses it looks at it. */
static void read_container(const struct record *from)
{
	struct container c;
	const char *why = container_read(from, &c);

	if (!why && (!*c.id || !*c.name || !*c.namespace))
		abort();
	container_doubt(&c);
	for (size_t i = 0; !why && i < container_pods(&c); i++)
		kube_object_free(container_pod(&c, i, "veth0"));
	container_clear(&c);
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
		read_container(&r);
		done += len;
	}
	if (len < 0 && !why)
		abort();
	free(copy);
	return 0;
}
