// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See manifests.h. What objects mean together is kubernetes/cluster.h's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "kubernetes/address.h"
#include "kubernetes/cluster.h"
#include "manifests.h"

struct manifests {
	struct kube_cluster *cluster;	/* NULL: out of memory before */
	const struct manifests_round *round;	/* that runs */
};

int manifests_new(struct manifests **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void manifests_clear(struct manifests *m)
{
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

static int on_add(void *arg, struct model_service *s)
{
	struct manifests *m = arg;

	return news_came(m->round->news, s);
}

static int on_remove(void *arg, const struct model_service *s)
{
	struct manifests *m = arg;

	return news_went(m->round->news, s);
}

static int on_item(void *arg, enum policy_item kind, void *was, void *is,
		   const struct kube_object *from)
{
	struct manifests *m = arg;
	struct policy_index *x = m->round->policy;
	int err = was ? policy_index_went(x, kind, was) : 0;

	return err || !is ? err : policy_index_object(x, kind, is, from);
}

/* What a Service does not get is `what`. */
static void tell(struct report *r, const struct kube_object *from,
		 const struct loss *loss, const char *what)
{
	char name[KUBE_OBJECT_TEXT_MAX], text[FRONT_TEXT_MAX];
	const bool is_endpoint = loss->kind == LOST_ENDPOINT;

	part_refuse(r, from->origin, place_of(from->at), "%s: %s%s %s%s",
		    kube_object_text(from, name),
		    is_endpoint ? "endpoint " : "",
		    model_front_text(&loss->front, loss->proto, text), what,
		    is_endpoint ? ": its packets would come back" : "");
}

static void tell_name(struct report *r, const struct kube_object *from,
		      const char *what)
{
	char name[KUBE_OBJECT_TEXT_MAX];

	part_refuse(r, from->origin, place_of(from->at), "%s: %s",
		    kube_object_text(from, name), what);
}

static void on_lost(void *arg, const struct kube_object *from,
		    const struct loss *loss, const struct kube_object *other)
{
	char what[RIVAL_TEXT_MAX], name[KUBE_OBJECT_TEXT_MAX], key[512];
	char place[PLACE_TEXT_MAX];
	const struct manifests *m = arg;
	const struct manifests_round *round = m->round;

	if (!from->origin)
		return;
	snprintf(key, sizeof(key), "%s/%s", from->namespace ?: "", from->name);
	if (loss->kind == LOST_NAME) {
		tell_name(round->report, from,
			  rivals_name_text(round->rivals, key, what));
		return;
	}
	if (other)
		snprintf(what, sizeof(what), "is %s %s at %s",
			 loss->kind == LOST_TO_ENDPOINT ? "an endpoint of" :
							  "that of",
			 kube_object_text(other, name),
			 object_place(other, place));
	else
		rivals_text(round->rivals, loss, what);
	tell(round->report, from, loss, what);
}

static void report_mistakes(struct report *r, const struct part *p,
			    const struct kube_object *o,
			    const struct kube_mistake *list)
{
	char name[KUBE_OBJECT_TEXT_MAX];

	kube_object_text(o, name);
	for (const struct kube_mistake *k = list; k; k = k->next)
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
		report_mistakes(m->round->report, p, o, o->mistakes);
		return o->name ? kube_cluster_refuse(m->cluster, o) : 0;
	}
	if (o->doubts) {
		p->has_refused = true;
		report_mistakes(m->round->report, p, o, o->doubts);
	}
	err = kube_cluster_put(m->cluster, o, &other);
	if (err != -EEXIST)
		return err;
	p->has_refused = true;
	part_refuse(m->round->report, p, place_of(o->at), "%s is defined already at %s",
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

	for (size_t i = 0; i < nr_sources; i++) {
		struct part_walk w = PART_WALK(sources[i]);
		struct part *p;

		while (!err && (p = part_walk_next(&w))) {
			if (p->is_kept || !p->nr_objects)
				continue;
			if (!p->is_taken || p->has_refused)
				err = put_part(m, p);
		}
	}
	return err;
}

/* Before anything is put: who says it anew may. */
static void keep_all(struct manifests *m, struct source *const *sources,
		     size_t nr_sources)
{
	for (size_t i = 0; i < nr_sources; i++) {
		struct part_walk w = PART_WALK(sources[i]);
		const struct part *p;

		while ((p = part_walk_next(&w)))
			if (p->is_kept)
				keep_part(m, p);
	}
}

static void drop_part(struct manifests *m, const struct part *p)
{
	for (size_t i = 0; i < p->nr_objects; i++)
		if (p->objects[i]->name)
			kube_cluster_drop(m->cluster, p->objects[i]);
}

static void drop_dead(struct manifests *m, struct source *const *sources,
		      size_t nr_sources)
{
	for (size_t i = 0; i < nr_sources; i++)
		for (struct part *p = sources[i]->dead; p; p = p->next_dead)
			if (!sources[i]->is_held)
				drop_part(m, p);
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

/* Brings the objects that are said to the cluster. */
static int put(struct manifests *m, struct source *const *sources,
	       size_t nr_sources)
{
	int err = m->cluster ? 0 : kube_cluster_new(&m->cluster);

	if (err)
		return err;
	kube_cluster_begin(m->cluster);
	drop_dead(m, sources, nr_sources);
	keep_all(m, sources, nr_sources);
	return put_all(m, sources, nr_sources);
}

int manifests_refresh(struct manifests *m, struct source *const *sources,
		      size_t nr_sources, const struct manifests_round *round)
{
	char node[MODEL_NODE_NAME_MAX + 1];
	const struct kube_changes changes = { on_add, on_remove, on_lost, m,
					      on_item };
	const struct kube_settings s = {
		.node = node,
		.masquerade_all = round->settings->masquerade_all,
		.others = &round->rivals->others,
	};
	int err;

	m->round = round;
	model_node_name(round->settings, node);
	err = put(m, sources, nr_sources);
	if (!err && !kube_cluster_is_empty(m->cluster))
		err = rivals_begin(round->rivals);
	err = err ?: kube_cluster_update(m->cluster, &s, &changes);
	m->round = NULL;
	if (err)
		return err;
	settle_node(round->settings, kube_cluster_node(m->cluster));
	settle_state(round->settings, kube_cluster_node(m->cluster));
	round->settings->is_partial |= kube_cluster_lacks(m->cluster);
	return kube_cluster_each_health(m->cluster, add_health,
					round->settings);
}

bool manifests_lack_policy(const struct manifests *m)
{
	return kube_cluster_lacks_policy(m->cluster);
}

bool manifests_lack_pods(const struct manifests *m)
{
	return kube_cluster_lacks_pods(m->cluster);
}

bool manifests_have_node_ports(const struct manifests *m, bool is4)
{
	return kube_cluster_node_ports(m->cluster, is4);
}
