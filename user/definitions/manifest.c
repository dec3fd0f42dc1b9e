// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See manifest.h. A tree is told to the reader of objects as a stream is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kubernetes/reader.h"
#include "manifest.h"

static const struct tree_node *find(const struct tree_node *map,
				    const char *key)
{
	if (map->kind != TREE_MAPPING)
		return NULL;
	for (const struct tree_node *k = map->first; k; k = k->next->next)
		if (!strcmp(k->text, key))
			return k->next;
	return NULL;
}

static const char *find_text(const struct tree_node *map, const char *key)
{
	const struct tree_node *n = find(map, key);

	return n && n->kind == TREE_SCALAR ? n->text : "";
}

bool manifest_is(const struct tree_node *root)
{
	return find(root, "kind") || find(root, "apiVersion");
}

static void tell_mapping(struct kube_reader *k, const struct tree_node *n)
{
	kube_read_map(k);
	for (const struct tree_node *key = n->first; key;
	     key = key->next->next) {
		k->at = (struct kube_place){ key->line, key->column };
		kube_read_key(k, key->text, key->count);
		manifest_tell(k, key->next);
	}
	kube_read_end(k);
}

static void tell_list(struct kube_reader *k, const struct tree_node *n)
{
	kube_read_list(k);
	for (const struct tree_node *item = n->first; item; item = item->next)
		manifest_tell(k, item);
	kube_read_end(k);
}

/* How deep it goes is bounded by TREE_DEPTH_MAX. */
void manifest_tell(struct kube_reader *k, const struct tree_node *n)
{
	k->at = (struct kube_place){ n->line, n->column };
	switch (n->kind) {
	case TREE_MAPPING:
		tell_mapping(k, n);
		break;
	case TREE_SEQUENCE:
		tell_list(k, n);
		break;
	default:
		kube_read_scalar(k, n->quoted ? KUBE_STRING : KUBE_PLAIN,
				 n->text, n->count);
	}
}

static int keep(struct part *p, struct kube_object *o)
{
	struct kube_object **larger;
	size_t count = p->nr_objects;

	if (!(count & (count - 1))) {
		larger = realloc(p->objects, (count ? 2 * count : 1) *
						     sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		p->objects = larger;
	}
	o->origin = p;
	p->objects[p->nr_objects++] = o;
	return 0;
}

static int read_object(const struct tree_node *n, enum kube_kind kind,
		       struct part *p)
{
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(kind);
	struct kube_reader k = { .object = o };
	int err;

	if (!o)
		return -ENOMEM;
	o->at = (struct kube_place){ n->line, n->column };
	manifest_tell(&k, n);
	if (k.no_memory)
		return -ENOMEM;
	err = kube_object_default(o);
	if (err)
		return err;
	err = kube_object_check(o);
	if (err)
		return err;
	kube_object_pack(o);
	p->is_broken |= !o->name || !*o->name;
	err = keep(p, o);
	if (!err)
		take_ptr(o);
	return err;
}

static void note_other(struct reader *r, const struct tree_node *n,
		       const char *api_version, const char *kind)
{
	const struct tree_node *metadata = find(n, "metadata");

	report_note(r->report, r->path, r->first_line + n->line, n->column,
		    "%.64s \"%.100s\" of \"%.64s\" is of no use here",
		    *kind ? kind : "an object",
		    metadata ? find_text(metadata, "name") : "", api_version);
}

static int read_any(struct reader *r, const struct tree_node *n,
		    const enum kube_kind *items, struct part *p);

/* items: what they are, if they do not say; NULL: they do. */
static int read_items(struct reader *r, const struct tree_node *list,
		      const enum kube_kind *items, struct part *p)
{
	const struct tree_node *n = find(list, "items");
	int err = 0;

	if (!n || tree_is_null(n))
		return 0;
	if (n->kind != TREE_SEQUENCE) {
		reader_refuse(r, n, "items needs a list");
		return 0;
	}
	for (n = n->first; n && !err; n = n->next)
		err = read_any(r, n, items, p);
	return err;
}

static int read_any(struct reader *r, const struct tree_node *n,
		    const enum kube_kind *items, struct part *p)
{
	const char *api_version = find_text(n, "apiVersion");
	const char *kind = find_text(n, "kind");
	enum kube_kind found;

	if (items && (n->kind != TREE_MAPPING || !*kind))
		return read_object(n, *items, p);
	if (!*kind || !*api_version) {
		reader_refuse(r, n, "a Kubernetes manifest without \"%s\"",
			      *kind ? "apiVersion" : "kind");
		return 0;
	}
	switch (kube_kind_find(api_version, kind, &found)) {
	case KUBE_OBJECT:
		return read_object(n, found, p);
	case KUBE_ITEMS:
		return read_items(r, n, &found, p);
	case KUBE_ITEMS_OF_ANY:
		return read_items(r, n, NULL, p);
	default:
		note_other(r, n, api_version, kind);
		return 0;
	}
}

int manifest_read(struct reader *r, const struct tree_node *root,
		  struct part *p)
{
	p->native.says_services = true;
	return read_any(r, root, NULL, p);
}
