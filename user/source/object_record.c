// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See object_record.h. */
#include "base/cleanup.h"
#include "kubernetes/reader.h"
#include "object_record.h"

static void tell(struct kube_reader *k, const struct record_field *f)
{
	switch (f->id) {
	case RECORD_MAP:
		kube_read_map(k);
		break;
	case RECORD_LIST:
		kube_read_list(k);
		break;
	case RECORD_END:
		kube_read_end(k);
		break;
	case RECORD_KEY:
		kube_read_key(k, f->data, f->len);
		break;
	case RECORD_STRING:
		kube_read_scalar(k, KUBE_STRING, f->data, f->len);
		break;
	case RECORD_NUMBER:
		kube_read_scalar(k, KUBE_NUMBER, f->data, f->len);
		break;
	case RECORD_BOOLEAN:
		kube_read_scalar(k, KUBE_BOOLEAN, f->data, f->len);
		break;
	case RECORD_NULL:
		kube_read_scalar(k, KUBE_NULL, "", 0);
		break;
	}
}

struct kube_object *object_record_read(enum kube_kind kind, struct record *r)
{
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(kind);
	struct kube_reader k = { .object = o };
	struct record_field f;
	int more;

	if (!o)
		return NULL;
	while ((more = record_next(r, &f)) > 0)
		tell(&k, &f);
	if (more)
		kube_mistake(o, o->at, "what is said of it is broken");
	if (k.no_memory || kube_object_default(o))
		return NULL;
	if (kube_object_check(o))
		return NULL;
	kube_object_pack(o);
	return take_ptr(o);
}
