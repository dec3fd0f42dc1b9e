// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An object into one piece of memory of its size. Lists grew by doubling while
 * they were read, and what they were before is in the blocks yet: of a slice
 * with ten endpoints, 1 KB of 8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object_private.h"

/* Each text and list of an object is packed: whoever adds one comes by here. */
_Static_assert(sizeof(struct kube_service) == 168, "pack_service()");
_Static_assert(sizeof(struct kube_port) == 32, "pack_port()");
_Static_assert(sizeof(struct kube_ingress) == 24, "pack_ingress()");
_Static_assert(sizeof(struct kube_slice) == 56, "pack_slice()");
_Static_assert(sizeof(struct kube_slice_port) == 32, "pack_slice_port()");
_Static_assert(sizeof(struct kube_endpoint) == 80, "pack_endpoint()");
_Static_assert(sizeof(struct kube_hint) == 16, "pack_hint()");

/* Goes through an object twice: first to see how large it is. */
struct pack {
	char *memory;		/* NULL: the first time */
	size_t used;
	/* Texts that were copied before: the same ones, often, are the same
	 * pointer. Offsets are into memory. */
	struct {
		const char *text;
		size_t offset;
	} known[KUBE_KNOWN_TEXTS];
};

/* NULL: the first time. */
static void *take(struct pack *p, size_t size)
{
	char *ret = p->memory ? p->memory + p->used : NULL;

	p->used += (size + 7) & ~(size_t)7;
	return ret;
}

static void pack_text(struct pack *p, void *item)
{
	const char **text = item;
	size_t at = (uintptr_t)*text / 8 % KUBE_KNOWN_TEXTS, size;
	char *copy;

	if (!*text)
		return;
	if (p->known[at].text != *text) {
		p->known[at].text = *text;
		p->known[at].offset = p->used;
		size = strlen(*text) + 1;
		copy = take(p, size);
		if (copy)
			memcpy(copy, *text, size);
	}
	if (p->memory)
		*text = p->memory + p->known[at].offset;
}

/* Items, and what each of them has in turn. */
static void pack_list(struct pack *p, struct kube_list *l, size_t size,
		      void (*pack_item)(struct pack *p, void *item))
{
	char *items = take(p, size * l->count);
	struct kube_endpoint largest;

	for (__u32 i = 0; i < l->count; i++) {
		void *item = items ? items + i * size : (void *)&largest;

		memcpy(item, (char *)l->items + i * size, size);
		pack_item(p, item);
	}
	if (p->memory)
		l->items = l->count ? items : NULL;
}

static void pack_texts(struct pack *p, struct kube_list *l)
{
	pack_list(p, l, sizeof(const char *), pack_text);
}

static void pack_port(struct pack *p, void *item)
{
	struct kube_port *port = item;

	pack_text(p, &port->name);
	pack_text(p, &port->protocol);
}

static void pack_ingress(struct pack *p, void *item)
{
	struct kube_ingress *i = item;

	pack_text(p, &i->ip);
	pack_text(p, &i->ip_mode);
}

static void pack_service(struct pack *p, struct kube_service *s)
{
	pack_text(p, &s->proxy_name);
	pack_text(p, &s->headless);
	pack_text(p, &s->forward);
	pack_text(p, &s->type);
	pack_text(p, &s->cluster_ip);
	pack_texts(p, &s->cluster_ips);
	pack_texts(p, &s->ip_families);
	pack_texts(p, &s->external_ips);
	pack_texts(p, &s->source_ranges);
	pack_text(p, &s->external_policy);
	pack_text(p, &s->internal_policy);
	pack_text(p, &s->affinity);
	pack_list(p, &s->ports, sizeof(struct kube_port), pack_port);
	pack_list(p, &s->ingress, sizeof(struct kube_ingress), pack_ingress);
}

static void pack_slice_port(struct pack *p, void *item)
{
	struct kube_slice_port *port = item;

	pack_text(p, &port->name);
	pack_text(p, &port->protocol);
}

static void pack_hint(struct pack *p, void *item)
{
	pack_text(p, &((struct kube_hint *)item)->name);
}

static void pack_endpoint(struct pack *p, void *item)
{
	struct kube_endpoint *e = item;

	pack_texts(p, &e->addresses);
	pack_text(p, &e->node);
	pack_text(p, &e->host);
	pack_list(p, &e->zones, sizeof(struct kube_hint), pack_hint);
	pack_list(p, &e->nodes, sizeof(struct kube_hint), pack_hint);
}

static void pack_slice(struct pack *p, struct kube_slice *s)
{
	pack_text(p, &s->service);
	pack_text(p, &s->address_type);
	pack_text(p, &s->triggered);
	pack_list(p, &s->ports, sizeof(struct kube_slice_port),
		  pack_slice_port);
	pack_list(p, &s->endpoints, sizeof(struct kube_endpoint),
		  pack_endpoint);
}

/* Of what only network policy reads, all but this is in its item. */
static void pack_pod(struct pack *p, struct kube_pod *pod)
{
	const char *node = pod->node;

	pack_text(p, &node);
	*pod = (struct kube_pod){ .node = node };
}

static void pack_object(struct pack *p, struct kube_object *o)
{
	pack_text(p, &o->namespace);
	pack_text(p, &o->name);
	pack_text(p, &o->created);
	switch (o->kind) {
	case KUBE_SERVICE:
		pack_service(p, &o->service);
		break;
	case KUBE_SLICE:
		pack_slice(p, &o->slice);
		break;
	case KUBE_POD:
		pack_pod(p, &o->pod);
		break;
	case KUBE_NAMESPACE:
		o->of_namespace = (struct kube_namespace){};
		break;
	default:
		o->policy = (struct kube_policy){};
	}
}

/* What has mistakes is not kept for long, and Nodes are few. */
void kube_object_pack(struct kube_object *o)
{
	struct kube_object first = *o;
	struct pack p = {};

	if (o->packed || o->mistakes || o->doubts || o->kind == KUBE_NODE)
		return;
	pack_object(&p, &first);
	p = (struct pack){ .memory = malloc(p.used + 1) };
	if (!p.memory)
		return;
	pack_object(&p, o);
	o->packed = p.memory;
	kube_text_free(o->memory);
	o->memory = NULL;
}
