// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Objects and their memory, see object.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object_private.h"
#include "policy_object.h"

#define BLOCK_MIN 512
#define BLOCK_MAX 65536

static void *take(struct kube_text *t, size_t size)
{
	struct kube_block *b;

	size = (size + 7) & ~(size_t)7;
	if (t->blocks && t->size - t->used >= size) {
		t->used += size;
		return t->blocks->room + t->used - size;
	}
	t->size = t->size * 2 < BLOCK_MAX ? t->size * 2 : BLOCK_MAX;
	if (t->size < size)
		t->size = size;
	b = calloc(1, sizeof(*b) + t->size);
	if (!b)
		return NULL;
	b->next = t->blocks;
	t->blocks = b;
	t->used = size;
	return b->room;
}

void *kube_alloc(struct kube_object *o, size_t size)
{
	return take(o->memory, size);
}

/* It grows at powers of two, so that room need not be remembered. */
void *kube_append(struct kube_object *o, struct kube_list *list, size_t size)
{
	char *items = list->items;

	if (!(list->count & (list->count - 1))) {
		items = kube_alloc(o, size * (2 * list->count ?: 1));
		if (!items)
			return NULL;
		if (list->count)
			memcpy(items, list->items, size * list->count);
		list->items = items;
	}
	return items + size * list->count++;
}

const char *kube_text(struct kube_object *o, const char *text, size_t len)
{
	__u32 hash = len;
	const char **known;
	char *copy;

	for (size_t i = 0; i < len; i++)
		hash = hash * 31 + (unsigned char)text[i];
	known = &o->memory->known[hash % KUBE_KNOWN_TEXTS];
	if (*known && !strncmp(*known, text, len) && !(*known)[len])
		return *known;
	copy = kube_alloc(o, len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	*known = copy;
	return copy;
}

struct kube_object *kube_object_new(enum kube_kind kind)
{
	struct kube_object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->kind = kind;
	o->users = 1;
	o->memory = calloc(1, sizeof(*o->memory));
	if (!o->memory) {
		free(o);
		return NULL;
	}
	o->memory->size = BLOCK_MIN / 2;
	return o;
}

void kube_text_free(struct kube_text *t)
{
	struct kube_block *next;

	for (struct kube_block *b = t ? t->blocks : NULL; b; b = next) {
		next = b->next;
		free(b);
	}
	free(t);
}

struct kube_object *kube_object_hold(struct kube_object *o)
{
	o->users++;
	return o;
}

void kube_object_free(struct kube_object *o)
{
	if (!o || --o->users)
		return;
	kube_item_free(o->kind, o->item);
	kube_text_free(o->memory);
	free(o->packed);
	free(o);
}

void kube_object_freep(struct kube_object **o)
{
	kube_object_free(*o);
}

static void mistake_add(struct kube_object *o, struct kube_mistake **end,
			struct kube_place at, const char *fmt, va_list args)
{
	struct kube_mistake *m = kube_alloc(o, sizeof(*m));

	if (!m)
		return;
	while (*end)
		end = &(*end)->next;
	*end = m;
	m->at = at;
	vsnprintf(m->text, sizeof(m->text), fmt, args);
}

void kube_mistake(struct kube_object *o, struct kube_place at, const char *fmt,
		  ...)
{
	va_list args;

	if (o->nr_mistakes++ >= KUBE_MISTAKES_MAX)
		return;
	va_start(args, fmt);
	mistake_add(o, &o->mistakes, at, fmt, args);
	va_end(args);
}

void kube_doubt(struct kube_object *o, struct kube_place at, const char *fmt,
		...)
{
	va_list args;

	if (o->nr_doubts++ >= KUBE_MISTAKES_MAX)
		return;
	va_start(args, fmt);
	mistake_add(o, &o->doubts, at, fmt, args);
	va_end(args);
}

const char *kube_kind_name(enum kube_kind kind)
{
	static const char *const names[] = {
		[KUBE_SERVICE] = "Service",
		[KUBE_SLICE] = "EndpointSlice",
		[KUBE_NODE] = "Node",
		[KUBE_POD] = "Pod",
		[KUBE_NAMESPACE] = "Namespace",
		[KUBE_POLICY] = "NetworkPolicy",
		[KUBE_CLUSTER_POLICY] = "ClusterNetworkPolicy",
	};

	return names[kind];
}

const char *kube_object_text(const struct kube_object *o,
			     char text[static KUBE_OBJECT_TEXT_MAX])
{
	const char *name = o->name ?: "without a name";

	if (o->namespace)
		snprintf(text, KUBE_OBJECT_TEXT_MAX, "%s %.100s/%.253s",
			 kube_kind_name(o->kind), o->namespace, name);
	else
		snprintf(text, KUBE_OBJECT_TEXT_MAX, "%s %.253s",
			 kube_kind_name(o->kind), name);
	return text;
}

enum kube_found kube_kind_find(const char *api_version, const char *kind,
			       enum kube_kind *ret)
{
	static const struct {
		const char *api_version;
		enum kube_kind kind;
	} known[] = {
		{ "v1", KUBE_SERVICE },
		{ "discovery.k8s.io/v1", KUBE_SLICE },
		{ "discovery.k8s.io/v1beta1", KUBE_SLICE },
		{ "v1", KUBE_NODE },
		{ "v1", KUBE_POD },
		{ "v1", KUBE_NAMESPACE },
		{ "networking.k8s.io/v1", KUBE_POLICY },
		{ "policy.networking.k8s.io/v1beta1", KUBE_CLUSTER_POLICY },
		{ "policy.networking.k8s.io/v1alpha2", KUBE_CLUSTER_POLICY },
	};

	if (!strcmp(kind, "List") && !strcmp(api_version, "v1"))
		return KUBE_ITEMS_OF_ANY;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *name = kube_kind_name(known[i].kind);
		size_t len = strlen(name);

		if (strcmp(api_version, known[i].api_version) ||
		    strncmp(kind, name, len))
			continue;
		*ret = known[i].kind;
		if (!kind[len])
			return KUBE_OBJECT;
		if (!strcmp(kind + len, "List"))
			return KUBE_ITEMS;
	}
	return KUBE_OTHER;
}

static int add_text(struct kube_object *o, struct kube_list *list,
		    const char *text)
{
	const char **to = kube_append(o, list, sizeof(*to));

	if (!to)
		return -ENOMEM;
	*to = text;
	return 0;
}

static void slice_default(struct kube_slice *s)
{
	struct kube_slice_port *p;

	kube_each(p, &s->ports)
		p->name = p->name ?: "";
}

/* Each of clusterIP and clusterIPs says the other, and both say families. */
static int service_default(struct kube_object *o)
{
	struct kube_service *s = &o->service;
	const char *const *text;
	int err = 0;

	if (!s->cluster_ip && s->cluster_ips.count)
		s->cluster_ip = *(const char **)s->cluster_ips.items;
	else if (s->cluster_ip && *s->cluster_ip && !s->cluster_ips.count)
		err = add_text(o, &s->cluster_ips, s->cluster_ip);
	if (s->ip_families.count)
		return err;
	kube_each(text, &s->cluster_ips)
		err = err ?: add_text(o, &s->ip_families,
				      strchr(*text, ':') ? "IPv6" : "IPv4");
	return err;
}

static int namespace_default(struct kube_object *o)
{
	if (o->namespace)
		return 0;
	o->namespace = kube_text(o, "default", strlen("default"));
	return o->namespace ? 0 : -ENOMEM;
}

int kube_object_default(struct kube_object *o)
{
	switch (o->kind) {
	case KUBE_SERVICE:
		return service_default(o) ?: namespace_default(o);
	case KUBE_SLICE:
		slice_default(&o->slice);
		return namespace_default(o);
	case KUBE_POD:
	case KUBE_POLICY:
		return namespace_default(o);
	case KUBE_NODE:
		o->node.zone = kube_label(o->node.labels,
					  "topology.kubernetes.io/zone");
		o->namespace = NULL;
		return 0;
	default:
		o->namespace = NULL;
		return 0;
	}
}
