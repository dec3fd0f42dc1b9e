// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See cluster.h: objects that come, change and go, and our own Node. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base/addr.h"
#include "cluster_private.h"
#include "words.h"

static void touch(struct kube_cluster *c, struct entry *e)
{
	if (e->is_touched)
		return;
	e->is_touched = true;
	e->next_touched = c->touched;
	c->touched = e;
}

void mark_dirty(struct kube_cluster *c, struct joined *s)
{
	if (!s || s->is_dirty)
		return;
	s->is_dirty = true;
	s->next_dirty = NULL;
	*c->dirty_end = s;
	c->dirty_end = &s->next_dirty;
}

static void mark_all_dirty(struct kube_cluster *c)
{
	for (size_t i = 0; i < c->services.size; i++)
		for (struct joined *s = c->services.chains[i]; s; s = s->next)
			mark_dirty(c, s);
}

static void mark_news(struct kube_cluster *c, struct entry *e)
{
	if (e->is_news || kube_item_kind(e->kind) == NR_POLICY_ITEMS)
		return;
	e->is_news = true;
	e->next_news = c->items_news;
	c->items_news = e;
}

/* What was said wrong is said again, or is not there any more. */
void kube_cluster_begin(struct kube_cluster *c)
{
	for (struct entry *e = c->touched; e; e = e->next_touched)
		if (e->said == SAID_WRONG)
			e->said = SAID_NOT;
}

void kube_cluster_drop(struct kube_cluster *c, const struct kube_object *o)
{
	struct entry *e = entry_find(c, o);

	if (!e || e->object != o)
		return;
	e->said = SAID_NOT;
	touch(c, e);
}

/* The slice or Service leaves the service that it is of. */
static void part_from(struct kube_cluster *c, struct entry *e)
{
	struct joined *s = e->service;
	struct entry **at;

	if (!s)
		return;
	mark_dirty(c, s);
	e->service = NULL;
	if (e->kind == KUBE_SERVICE) {
		s->entry = NULL;
		return;
	}
	for (at = &s->slices; *at != e;)
		at = &(*at)->next_of_service;
	*at = e->next_of_service;
	s->nr_slices--;
}

/* The key of the service that o is of; false: of none. */
static bool service_key(const struct kube_object *o, char *key)
{
	if (o->kind != KUBE_SERVICE &&
	    (o->kind != KUBE_SLICE || !o->slice.service))
		return false;
	key_make(o->namespace, o->kind == KUBE_SLICE ? o->slice.service :
						       o->name, key);
	return true;
}

static int join(struct kube_cluster *c, struct entry *e)
{
	char key[KEY_MAX];
	struct joined *s;

	if (!service_key(e->object, key))
		return 0;
	s = joined_get(c, key);
	if (!s)
		return -ENOMEM;
	mark_dirty(c, s);
	e->service = s;
	if (e->kind == KUBE_SERVICE) {
		s->entry = e;
		return 0;
	}
	e->next_of_service = s->slices;
	s->slices = e;
	s->nr_slices++;
	return 0;
}

static enum lacking lacking_of(enum kube_kind kind)
{
	if (kind == KUBE_POD)
		return LACKING_PODS;
	return kube_kind_is_policy(kind) ? LACKING_POLICY : LACKING_SERVICES;
}

static void set_lacking(struct kube_cluster *c, struct entry *e, bool lacks)
{
	c->nr_lacking[lacking_of(e->kind)] += lacks - e->is_wrong_since_start;
	e->is_wrong_since_start = lacks;
}

/* A slice says since when it is to be in force. */
static void take_news(struct kube_cluster *c, const struct kube_object *o)
{
	struct kube_news *n = &c->news;

	n->changes[o->kind]++;
	if (o->kind == KUBE_SLICE && o->slice.triggered &&
	    n->nr_triggers < KUBE_TRIGGERS_MAX &&
	    kube_time(o->slice.triggered, &n->triggers_us[n->nr_triggers]))
		n->nr_triggers++;
}

int kube_cluster_put(struct kube_cluster *c, struct kube_object *o,
		     const struct kube_object **ret_other)
{
	struct entry *e = entry_get(c, o);
	struct kube_object *old = e ? e->object : NULL;

	if (!e)
		return -ENOMEM;
	if (e->said == SAID_RIGHT && old != o) {
		*ret_other = old;
		return -EEXIST;
	}
	e->said = SAID_RIGHT;
	set_lacking(c, e, false);
	if (old == o)
		return 0;
	e->object = kube_object_hold(o);
	if (old && old->digest == o->digest) {
		kube_object_free(old);
		return 0;
	}
	take_news(c, o);
	mark_news(c, e);
	part_from(c, e);
	kube_object_free(old);
	return join(c, e);
}

/* What never was right is at least closed. */
static void close(struct kube_cluster *c, struct entry *e,
		  struct kube_object *o)
{
	if (!o->item || e->object == o)
		return;
	kube_object_free(e->object);
	e->object = kube_object_hold(o);
	mark_news(c, e);
}

int kube_cluster_refuse(struct kube_cluster *c, struct kube_object *o)
{
	struct entry *e = entry_get(c, o);

	if (!e)
		return -ENOMEM;
	if (e->said == SAID_RIGHT)
		return 0;
	e->said = SAID_WRONG;
	touch(c, e);
	if (!e->object || e->object->mistakes)
		close(c, e, o);
	if (!e->object && c->is_first)
		set_lacking(c, e, true);
	return 0;
}

void kube_cluster_keep(struct kube_cluster *c, const struct kube_object *o)
{
	struct entry *e = entry_find(c, o);

	if (!e || e->object != o)
		return;
	e->said = SAID_WRONG;
	touch(c, e);
}

static int tell_item(const struct kube_changes *changes, struct entry *e,
		     void *item)
{
	const enum policy_item kind = kube_item_kind(e->kind);
	int err = 0;

	if (e->item != item && changes->item)
		err = changes->item(changes->arg, kind, e->item, item,
				    e->object);
	kube_item_free(e->kind, e->item);
	e->item = item;
	return err;
}

static int entry_free(struct kube_cluster *c, struct entry *e,
		      const struct kube_changes *changes)
{
	int err = tell_item(changes, e, NULL);

	c->news.changes[e->kind] += e->object != NULL;
	part_from(c, e);
	set_lacking(c, e, false);
	chain_remove(&c->entries, e->hash, e);
	kube_object_free(e->object);
	free(e);
	return err;
}

/* Those that nobody says go; those that are wrong are looked at again, as are
 * those of which a round that failed has not told. */
static int sweep(struct kube_cluster *c, const struct kube_changes *changes)
{
	struct entry *e = c->touched, *next;
	int err = 0;

	c->touched = NULL;
	for (; e; e = next) {
		next = e->next_touched;
		e->is_touched = false;
		if (e->said == SAID_NOT && !e->is_news)
			err = entry_free(c, e, changes) ?: err;
		else if (e->said != SAID_RIGHT)
			touch(c, e);
	}
	return err;
}

/* Of all that is there, as it depends on who we are. */
static void mark_pods(struct kube_cluster *c)
{
	for (size_t i = 0; i < c->entries.size; i++)
		for (struct entry *e = c->entries.chains[i]; e; e = e->next)
			if (e->kind == KUBE_POD && e->object)
				mark_news(c, e);
}

/* *ret NULL: it is nothing to network policy. */
static int item_of(const struct kube_cluster *c, const struct entry *e,
		   void **ret)
{
	const struct kube_object *o = e->object;
	const char *node = o->pod.node;

	*ret = NULL;
	if (!o->item)
		return 0;
	if (e->kind != KUBE_POD)
		*ret = policy_item_hold(kube_item_kind(e->kind), o->item);
	else
		*ret = kube_pod_item(o, o->pod.is_here ||
				     (node && !strcmp(node, c->node_name)));
	return *ret ? 0 : -ENOMEM;
}

/* What is told goes by itself, at entry_free(). */
static int items_tell(struct kube_cluster *c,
		      const struct kube_changes *changes)
{
	struct entry *e;
	int err = 0;

	while (!err && (e = c->items_news)) {
		void *item;

		c->items_news = e->next_news;
		e->is_news = false;
		err = item_of(c, e, &item) ?: tell_item(changes, e, item);
	}
	return err;
}

static bool is_same_text(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

/* As far as services depend on it. */
static bool is_same_node(const struct kube_object *a,
			 const struct kube_object *b)
{
	struct addr x, y;

	if (!a || !b)
		return a == b;
	for (int is4 = 0; is4 < 2; is4++) {
		x = y = (struct addr){};
		kube_node_addr(&a->node, is4, &x);
		kube_node_addr(&b->node, is4, &y);
		if (addr_compare(&x, &y))
			return false;
	}
	return is_same_text(a->node.zone, b->node.zone);
}

static struct kube_object *node_find(const struct kube_cluster *c,
				     const char *name)
{
	const struct kube_object o = { .kind = KUBE_NODE, .name = name };
	struct entry *e = entry_find(c, &o);

	return e ? e->object : NULL;
}

/* Our name, our Node and what else every service depends on. */
static int settings_take(struct kube_cluster *c, const struct kube_settings *s)
{
	struct kube_object *node = node_find(c, s->node);
	bool is_same = c->has_settings && !strcmp(c->node_name, s->node) &&
		       c->masquerade_all == s->masquerade_all &&
		       is_same_node(c->node, node);
	char *name = strdup(s->node);

	if (!name)
		return -ENOMEM;
	if (!is_same)
		mark_all_dirty(c);
	if (c->has_settings && strcmp(c->node_name, s->node))
		mark_pods(c);
	if (node)
		kube_object_hold(node);
	kube_object_free(c->node);
	c->node = node;
	free(c->node_name);
	c->node_name = name;
	c->masquerade_all = s->masquerade_all;
	c->has_settings = true;
	return 0;
}

/* For as long as the next round. */
static void others_take(struct kube_cluster *c,
			const struct kube_others *others)
{
	__u64 version = others ? others->version : 0;

	c->others = others;
	if (version != c->others_version)
		mark_all_dirty(c);
	c->others_version = version;
}

int kube_cluster_update(struct kube_cluster *c, const struct kube_settings *s,
			const struct kube_changes *changes)
{
	struct joined *dirty;
	int err;

	err = sweep(c, changes);
	others_take(c, s->others);
	err = err ?: settings_take(c, s) ?: items_tell(c, changes);
	while (!err && (dirty = c->dirty)) {
		c->dirty = dirty->next_dirty;
		if (!c->dirty)
			c->dirty_end = &c->dirty;
		dirty->is_dirty = false;
		err = joined_update(c, dirty, changes);
		if (err)
			mark_dirty(c, dirty);
	}
	if (err)
		return err;
	losses_tell(c, changes);
	c->is_first = false;
	return 0;
}

bool kube_cluster_is_empty(const struct kube_cluster *c)
{
	return !c->entries.count;
}

size_t kube_cluster_node_ports(const struct kube_cluster *c, bool is4)
{
	return c->claims.nr_node_ports[is4];
}

bool kube_cluster_lacks(const struct kube_cluster *c)
{
	return c->nr_lacking[LACKING_SERVICES];
}

bool kube_cluster_lacks_policy(const struct kube_cluster *c)
{
	return c->nr_lacking[LACKING_POLICY];
}

bool kube_cluster_lacks_pods(const struct kube_cluster *c)
{
	return c->nr_lacking[LACKING_PODS];
}

const struct kube_object *kube_cluster_node(const struct kube_cluster *c)
{
	return c->node;
}

int kube_cluster_each_health(const struct kube_cluster *c,
			     int (*f)(void *arg, const char *namespace,
				      const char *name,
				      const struct kube_health *h),
			     void *arg)
{
	int err = 0;

	for (struct joined *s = c->health; s && !err; s = s->next_health) {
		const struct kube_object *o = s->entry->object;

		err = f(arg, o->namespace, o->name, &s->health);
	}
	return err;
}

struct kube_news *kube_cluster_news(struct kube_cluster *c)
{
	return &c->news;
}

bool kube_node_leaves(const struct kube_node *n)
{
	const struct kube_taint *t;

	kube_each(t, &n->taints)
		if (t->key && !strcmp(t->key,
				      "ToBeDeletedByClusterAutoscaler"))
			return true;
	return n->deleted;
}

static bool node_addr_of(const struct kube_node *n, const char *type, bool is4,
			 struct addr *ret)
{
	const struct kube_node_address *a;
	struct addr addr;

	kube_each(a, &n->addresses) {
		if (!kube_is(a->type, type, false) || !a->address ||
		    !kube_addr(a->address, &addr) || addr_is4(&addr) != is4)
			continue;
		*ret = addr;
		return true;
	}
	return false;
}

bool kube_node_addr(const struct kube_node *n, bool is4, struct addr *ret)
{
	return node_addr_of(n, "InternalIP", is4, ret) ||
	       node_addr_of(n, "ExternalIP", is4, ret);
}

int kube_cluster_new(struct kube_cluster **ret)
{
	struct kube_cluster *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->is_first = true;
	c->dirty_end = &c->dirty;
	*ret = c;
	return 0;
}

static void free_entries(struct kube_cluster *c)
{
	for (size_t i = 0; i < c->entries.size; i++)
		for (struct entry *e = c->entries.chains[i], *next; e;
		     e = next) {
			next = e->next;
			kube_item_free(e->kind, e->item);
			kube_object_free(e->object);
			free(e);
		}
	free(c->entries.chains);
}

void kube_cluster_free(struct kube_cluster *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->services.size; i++)
		for (struct joined *s = c->services.chains[i], *next; s;
		     s = next) {
			next = s->next;
			for (size_t j = 0; j < s->nr_served; j++)
				model_service_free(s->served[j]);
			free(s->served);
			free(s);
		}
	free(c->services.chains);
	free_entries(c);
	claims_free(&c->claims);
	endpoints_free(&c->endpoints);
	kube_object_free(c->node);
	free(c->node_name);
	free(c);
}
