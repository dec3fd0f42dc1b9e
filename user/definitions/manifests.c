// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See manifests.h. What objects mean together is kubernetes/cluster.h's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "kubernetes/address.h"
#include "kubernetes/cluster.h"
#include "manifests.h"

struct manifests {
	struct source source;
	size_t room;		/* of source.parts */
	bool has_dead;		/* among them */
	struct kube_cluster *cluster;	/* NULL: out of memory before */
	struct report *r;	/* of the refresh that runs */
};

/* A place that outlives the file it is in. */
struct derived {
	struct part part;
	char path[];
};

int manifests_new(struct manifests **ret)
{
	struct manifests *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->source.name = "Kubernetes objects";
	*ret = m;
	return 0;
}

struct source *manifests_source(struct manifests *m)
{
	return &m->source;
}

void manifests_clear(struct manifests *m)
{
	struct source *s = &m->source;

	for (size_t i = 0; i < s->nr_parts; i++)
		if (s->parts[i]->is_live)
			part_free(s->parts[i]);
	source_free_dead(s);
	free(s->parts);
	s->parts = NULL;
	s->nr_parts = m->room = 0;
	kube_cluster_free(m->cluster);
	m->cluster = NULL;
}

void manifests_free(struct manifests *m)
{
	if (!m)
		return;
	manifests_clear(m);
	free(m);
}

static struct place place_of(struct kube_place at)
{
	return (struct place){ at.line, at.column };
}

static const char *object_place(const struct kube_object *o,
				char text[static PLACE_TEXT_MAX])
{
	static const struct part nowhere = { .path = "what was read before" };

	return part_place(o->origin ?: &nowhere, place_of(o->at), text);
}

/* Room for one more. */
static int make_room(struct manifests *m)
{
	size_t room = m->room ? 2 * m->room : 64;
	struct part **larger;

	if (m->source.nr_parts < m->room)
		return 0;
	larger = realloc(m->source.parts, room * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	m->source.parts = larger;
	m->room = room;
	return 0;
}

/* Its fronts are the service's, which is shared and never written. */
static int tie(struct part *p, const struct model_service *s,
	       const struct kube_object *from)
{
	struct native_service *to = calloc(1, sizeof(*to));

	if (!to)
		return -ENOMEM;
	to->fronts = calloc(s->nr_fronts, sizeof(*to->fronts));
	if (!to->fronts) {
		free(to);
		return -ENOMEM;
	}
	to->service = *s;
	to->service.shared->users++;
	to->name_at = place_of(from->at);
	to->owner = p;
	for (size_t i = 0; i < s->nr_fronts; i++)
		to->fronts[i] = (struct native_front){
			.service = to,
			.front = &to->service.fronts[i],
			.at = to->name_at,
		};
	p->native.services = to;
	p->native.nr_services = 1;
	return 0;
}

static int on_add(void *arg, const struct kube_object *from,
		  struct model_service *s, void **ret_user)
{
	const struct part *origin = from->origin;
	const char *path = origin ? origin->path : "what was read before";
	struct manifests *m = arg;
	struct derived *d = calloc(1, sizeof(*d) + strlen(path) + 1);

	if (!d)
		return -ENOMEM;
	strcpy(d->path, path);
	d->part.path = d->path;
	d->part.first_line = origin ? origin->first_line : 0;
	d->part.is_live = true;
	d->part.is_new = true;
	if (make_room(m) || tie(&d->part, s, from)) {
		free(d);
		return -ENOMEM;
	}
	m->source.parts[m->source.nr_parts++] = &d->part;
	*ret_user = d;
	return 0;
}

static void on_remove(void *arg, void *user)
{
	struct manifests *m = arg;
	struct derived *d = user;

	d->part.is_live = false;
	m->has_dead = true;
}

static void on_lost(void *arg, const struct kube_object *from,
		    const struct model_front *front, __u8 proto,
		    const struct kube_object *other)
{
	char name[2][KUBE_OBJECT_TEXT_MAX], text[FRONT_TEXT_MAX];
	char place[PLACE_TEXT_MAX];
	struct manifests *m = arg;

	if (!from->origin)
		return;
	part_refuse(m->r, from->origin, place_of(from->at),
		    "%s: %s is that of %s at %s",
		    kube_object_text(from, name[0]),
		    model_front_text(front, proto, text),
		    kube_object_text(other, name[1]),
		    object_place(other, place));
}

/* From the list to the dead, which definitions.c frees. */
static void bury_dead(struct manifests *m)
{
	struct source *s = &m->source;
	size_t count = 0;

	if (!m->has_dead)
		return;
	m->has_dead = false;
	for (size_t i = 0; i < s->nr_parts; i++) {
		if (s->parts[i]->is_live)
			s->parts[count++] = s->parts[i];
		else
			source_bury(s, s->parts[i]);
	}
	s->nr_parts = count;
}

static void report_mistakes(struct report *r, const struct part *p,
			    const struct kube_object *o)
{
	char name[KUBE_OBJECT_TEXT_MAX];

	kube_object_text(o, name);
	for (const struct kube_mistake *k = o->mistakes; k; k = k->next)
		part_refuse(r, p, place_of(k->at), "%s: %s", name, k->text);
}

static int put_object(struct manifests *m, struct part *p,
		      struct kube_object *o)
{
	char name[KUBE_OBJECT_TEXT_MAX], place[PLACE_TEXT_MAX];
	const struct kube_object *other;
	int err;

	if (o->mistakes) {
		p->has_refused = true;
		report_mistakes(m->r, p, o);
		return o->name ? kube_cluster_refuse(m->cluster, o) : 0;
	}
	err = kube_cluster_put(m->cluster, o, &other);
	if (err != -EEXIST)
		return err;
	p->has_refused = true;
	part_refuse(m->r, p, place_of(o->at), "%s is defined already at %s",
		    kube_object_text(o, name), object_place(other, place));
	return 0;
}

static void keep_part(struct manifests *m, const struct part *p)
{
	for (size_t i = 0; i < p->nr_objects; i++)
		if (p->objects[i]->name)
			kube_cluster_keep(m->cluster, p->objects[i]);
}

static int put_part(struct manifests *m, struct part *p)
{
	int err = 0;

	p->has_refused = false;
	for (size_t i = 0; i < p->nr_objects && !err; i++)
		err = put_object(m, p, p->objects[i]);
	return err;
}

static int put_all(struct manifests *m, struct source *const *sources,
		   size_t nr_sources)
{
	int err = 0;

	for (size_t i = 0; i < nr_sources; i++)
		for (size_t j = 0; j < sources[i]->nr_parts && !err; j++) {
			struct part *p = sources[i]->parts[j];

			if (p->is_kept || !p->nr_objects)
				continue;
			if (p->is_new || p->has_refused)
				err = put_part(m, p);
		}
	return err;
}

/* Before anything is put: who says it anew may. */
static void keep_all(struct manifests *m, struct source *const *sources,
		     size_t nr_sources)
{
	for (size_t i = 0; i < nr_sources; i++)
		for (size_t j = 0; j < sources[i]->nr_parts; j++)
			if (sources[i]->parts[j]->is_kept)
				keep_part(m, sources[i]->parts[j]);
}

static void drop_dead(struct manifests *m, struct source *const *sources,
		      size_t nr_sources)
{
	for (size_t i = 0; i < nr_sources; i++)
		for (struct part *p = sources[i]->dead; p; p = p->next_dead)
			for (size_t j = 0; j < p->nr_objects; j++)
				if (p->objects[j]->name)
					kube_cluster_drop(m->cluster,
							  p->objects[j]);
}

static void pods_add(struct model *m, const char *text)
{
	struct model_prefix p, *to;

	if (!text || !kube_prefix(text, &p))
		return;
	to = addr_is4(&p.addr) ? &m->pods4 : &m->pods6;
	if (!to->is_set)
		*to = p;
}

static void settle_node(struct model *m, const struct kube_object *node)
{
	const char *const *text;

	if (m->detect_local == DETECT_CLUSTER_CIDR) {
		m->pods4 = m->cluster_cidr4;
		m->pods6 = m->cluster_cidr6;
	}
	if (!node)
		return;
	kube_node_addr(&node->node, true, &m->node4);
	kube_node_addr(&node->node, false, &m->node6);
	if (m->detect_local != DETECT_NODE_CIDR)
		return;
	kube_each(text, &node->node.pod_cidrs)
		pods_add(m, *text);
	pods_add(m, node->node.pod_cidr);
}

static int add_health(void *arg, const char *namespace, const char *name,
		      const struct kube_health *h)
{
	struct model *m = arg;
	struct model_health_port *larger, *to;

	larger = realloc(m->health_ports,
			 (m->nr_health_ports + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	m->health_ports = larger;
	to = &larger[m->nr_health_ports++];
	*to = (struct model_health_port){
		.namespace = strdup(namespace ?: ""),
		.name = strdup(name),
		.port = h->port,
		.has = { h->has[0], h->has[1] },
		.local = { h->local[0], h->local[1] },
	};
	return to->namespace && to->name ? 0 : -ENOMEM;
}

static void settle_state(struct model *m, const struct kube_object *node)
{
	if (!node)
		m->node_state = MODEL_NODE_UNKNOWN;
	else if (kube_node_leaves(&node->node))
		m->node_state = MODEL_NODE_LEAVES;
	else
		m->node_state = MODEL_NODE_FINE;
}

struct kube_news *manifests_news(struct manifests *m)
{
	return m->cluster ? kube_cluster_news(m->cluster) : NULL;
}

int manifests_refresh(struct manifests *m, struct source *const *sources,
		      size_t nr_sources, struct model *settings,
		      struct report *r)
{
	char node[MODEL_NODE_NAME_MAX + 1];
	const struct kube_changes changes = { on_add, on_remove, on_lost, m };
	const struct kube_settings s = {
		.node = node, .masquerade_all = settings->masquerade_all,
	};
	int err = m->cluster ? 0 : kube_cluster_new(&m->cluster);

	if (err)
		return err;
	m->r = r;
	model_node_name(settings, node);
	kube_cluster_begin(m->cluster);
	drop_dead(m, sources, nr_sources);
	keep_all(m, sources, nr_sources);
	err = put_all(m, sources, nr_sources);
	err = err ?: kube_cluster_update(m->cluster, &s, &changes);
	bury_dead(m);
	if (err)
		return err;
	settle_node(settings, kube_cluster_node(m->cluster));
	settle_state(settings, kube_cluster_node(m->cluster));
	settings->is_partial |= kube_cluster_lacks(m->cluster);
	return kube_cluster_each_health(m->cluster, add_health, settings);
}
