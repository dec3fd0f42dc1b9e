// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See cluster.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base/addr.h"
#include "base/cleanup.h"
#include "claims.h"
#include "cluster.h"
#include "words.h"

#define SERVICES_TABLE_MIN 64

enum said { SAID_NOT, SAID_WRONG, SAID_RIGHT };

/* An object by its kind and name, which key holds. */
struct entry {
	struct entry *next;		/* of its chain */
	struct entry *next_touched;
	struct entry *next_of_service;	/* another slice */
	struct kube_object *object;	/* held; NULL: none was ever right */
	struct joined *service;	/* of a Service, or of a slice */
	enum said said;
	bool is_touched, is_wrong_since_start;
	__u64 hash;
	enum kube_kind kind;
	size_t key_len;
	char key[];			/* "namespace/name" */
};

/* A port that is in force. */
struct served {
	struct model_service service;
	void *user;
};

/* What a Service and its slices make. It may have only one of both. */
struct joined {
	struct joined *next, *next_dirty;
	struct claimant claimant;
	struct entry *entry;		/* NULL: there are only slices */
	struct entry *slices;
	size_t nr_slices;
	struct served *served;		/* sorted by name */
	size_t nr_served;
	struct kube_health health;
	struct joined *next_health, **at_health;	/* those with a port */
	bool is_dirty;
	__u64 hash;
	char key[];
};

struct table {
	void **chains;			/* first members are next */
	size_t size, count;		/* a power of two */
};

struct kube_cluster {
	struct table entries, services;
	struct entry *touched;
	struct joined *dirty, **dirty_end;	/* in the order in which they
						 * became so */
	struct claims claims;
	struct kube_object *node;	/* held */
	char *node_name;
	bool masquerade_all, has_settings;
	bool is_first;			/* round */
	size_t nr_lacking;
	struct joined *health;
	struct kube_news news;
};

static __u64 hash_text(__u64 hash, const char *text, size_t len)
{
	hash ^= 0xcbf29ce484222325ull;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return hash ^ hash >> 29;
}

/* Where the chain of hash begins. */
static void **chain(const struct table *t, __u64 hash)
{
	return &t->chains[hash & (t->size - 1)];
}

static int table_grow(struct table *t, __u64 (*hash_of)(const void *item))
{
	struct table larger = {
		.size = t->size ? 2 * t->size : SERVICES_TABLE_MIN,
		.count = t->count,
	};

	if (t->count < t->size)
		return 0;
	larger.chains = calloc(larger.size, sizeof(*larger.chains));
	if (!larger.chains)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++) {
		void **item = t->chains[i];

		while (item) {
			void **next = *item, **to = chain(&larger, hash_of(item));

			*item = *to;
			*to = item;
			item = next;
		}
	}
	free(t->chains);
	*t = larger;
	return 0;
}

static void table_remove(struct table *t, __u64 hash, void *item)
{
	void **at = chain(t, hash);

	while (*at != item)
		at = *at;
	*at = *(void **)item;
	t->count--;
}

static __u64 entry_hash(const void *item)
{
	return ((const struct entry *)item)->hash;
}

static __u64 joined_hash(const void *item)
{
	return ((const struct joined *)item)->hash;
}

#define KEY_MAX 400

static size_t make_key(const char *namespace, const char *name, char *key)
{
	int len = snprintf(key, KEY_MAX, "%s/%s", namespace ?: "", name);

	return len < KEY_MAX ? len : KEY_MAX - 1;
}

static struct entry *entry_find(const struct kube_cluster *c,
				const struct kube_object *o)
{
	char key[KEY_MAX];
	size_t len = make_key(o->namespace, o->name, key);
	__u64 hash = hash_text(o->kind, key, len);
	struct entry *e = c->entries.size ? *chain(&c->entries, hash) : NULL;

	while (e && (e->hash != hash || e->kind != o->kind ||
		     strcmp(e->key, key)))
		e = e->next;
	return e;
}

static struct entry *entry_get(struct kube_cluster *c,
			       const struct kube_object *o)
{
	struct entry *e = entry_find(c, o);
	char key[KEY_MAX];
	size_t len;
	void **to;

	if (e)
		return e;
	len = make_key(o->namespace, o->name, key);
	if (table_grow(&c->entries, entry_hash))
		return NULL;
	e = calloc(1, sizeof(*e) + len + 1);
	if (!e)
		return NULL;
	memcpy(e->key, key, len);
	e->key_len = len;
	e->kind = o->kind;
	e->hash = hash_text(o->kind, key, len);
	to = chain(&c->entries, e->hash);
	e->next = *to;
	*to = e;
	c->entries.count++;
	return e;
}

static struct joined *joined_get(struct kube_cluster *c, const char *key)
{
	size_t len = strlen(key);
	__u64 hash = hash_text(0, key, len);
	struct joined *s;
	void **to;

	if (table_grow(&c->services, joined_hash))
		return NULL;
	to = chain(&c->services, hash);
	for (s = *to; s; s = s->next)
		if (s->hash == hash && !strcmp(s->key, key))
			return s;
	s = calloc(1, sizeof(*s) + len + 1);
	if (!s)
		return NULL;
	memcpy(s->key, key, len);
	s->hash = hash;
	s->claimant.joined = s;
	s->next = *to;
	*to = s;
	c->services.count++;
	return s;
}

static void touch(struct kube_cluster *c, struct entry *e)
{
	if (e->is_touched)
		return;
	e->is_touched = true;
	e->next_touched = c->touched;
	c->touched = e;
}

static void mark_dirty(struct kube_cluster *c, struct joined *s)
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
	if (o->kind == KUBE_NODE || (o->kind == KUBE_SLICE && !o->slice.service))
		return false;
	make_key(o->namespace, o->kind == KUBE_SLICE ? o->slice.service :
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

static void set_lacking(struct kube_cluster *c, struct entry *e, bool lacks)
{
	c->nr_lacking += lacks - e->is_wrong_since_start;
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
	part_from(c, e);
	kube_object_free(old);
	return join(c, e);
}

int kube_cluster_refuse(struct kube_cluster *c, const struct kube_object *o)
{
	struct entry *e = entry_get(c, o);

	if (!e)
		return -ENOMEM;
	if (e->said == SAID_RIGHT)
		return 0;
	e->said = SAID_WRONG;
	touch(c, e);
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

static void entry_free(struct kube_cluster *c, struct entry *e)
{
	c->news.changes[e->kind] += e->object != NULL;
	part_from(c, e);
	set_lacking(c, e, false);
	table_remove(&c->entries, e->hash, e);
	kube_object_free(e->object);
	free(e);
}

/* Those that nobody says go; those that are wrong are looked at again. */
static void sweep(struct kube_cluster *c)
{
	struct entry *e = c->touched, *next;

	c->touched = NULL;
	for (; e; e = next) {
		next = e->next_touched;
		e->is_touched = false;
		if (e->said == SAID_NOT)
			entry_free(c, e);
		else if (e->said == SAID_WRONG)
			touch(c, e);
	}
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

static struct kube_config config_of(const struct kube_cluster *c)
{
	struct kube_config config = {
		.here.node = c->node_name,
		.masquerade_all = c->masquerade_all,
	};

	if (!c->node)
		return config;
	config.here.zone = c->node->node.zone;
	kube_node_addr(&c->node->node, true, &config.node4);
	kube_node_addr(&c->node->node, false, &config.node6);
	return config;
}

static void free_slices(const struct kube_object ***slices)
{
	free(*slices);
}

/* What s is to be, by itself. */
static int make(const struct kube_cluster *c, const struct joined *s,
		struct model_service **ret, size_t *ret_count,
		struct kube_health *ret_health)
{
	__cleanup(free_slices) const struct kube_object **slices =
		calloc(s->nr_slices + 1, sizeof(*slices));
	struct kube_config config = config_of(c);
	size_t count = 0;

	*ret = NULL;
	*ret_count = 0;
	*ret_health = (struct kube_health){};
	if (!slices)
		return -ENOMEM;
	if (!s->entry || !kube_service_counts(&s->entry->object->service))
		return 0;
	for (const struct entry *e = s->slices; e; e = e->next_of_service)
		slices[count++] = e->object;
	return kube_health_make(s->entry->object, slices, count, &config.here,
				ret_health) ?:
	       kube_ports(s->entry->object, slices, count, &config, ret,
			  ret_count);
}

static bool is_same_fronts(const struct model_service *a,
			   const struct model_service *b)
{
	if (a->nr_fronts != b->nr_fronts)
		return false;
	for (size_t i = 0; i < a->nr_fronts; i++) {
		const struct model_front *x = &a->fronts[i], *y = &b->fronts[i];

		if (model_front_compare(x, y) || x->kind != y->kind ||
		    x->flags != y->flags || x->open != y->open)
			return false;
	}
	return true;
}

static bool is_same_backends(const struct model_service *a,
			     const struct model_service *b)
{
	if (a->nr_backends != b->nr_backends)
		return false;
	for (size_t i = 0; i < a->nr_backends; i++) {
		const struct model_backend *x = &a->backends[i];
		const struct model_backend *y = &b->backends[i];

		if (addr_compare(&x->addr, &y->addr) || x->port != y->port ||
		    x->weight != y->weight || x->state != y->state ||
		    x->flags != y->flags)
			return false;
	}
	return true;
}

static bool is_same_sources(const struct model_service *a,
			    const struct model_service *b)
{
	if (a->nr_sources != b->nr_sources)
		return false;
	for (size_t i = 0; i < a->nr_sources; i++)
		if (a->sources[i].len != b->sources[i].len ||
		    a->sources[i].allow != b->sources[i].allow ||
		    addr_compare(&a->sources[i].addr, &b->sources[i].addr))
			return false;
	return true;
}

/* Of one name, so of one protocol. */
static bool is_same(const struct model_service *a,
		    const struct model_service *b)
{
	return a->affinity_s == b->affinity_s && a->idle_s == b->idle_s &&
	       is_same_fronts(a, b) && is_same_sources(a, b) &&
	       is_same_backends(a, b);
}

/* list[] is s's from here on: what is the same stays, the rest is told. */
static int replace(struct joined *s, struct model_service *list, size_t count,
		   const struct kube_changes *changes)
{
	struct served *next = calloc(count + 1, sizeof(*next));
	size_t old = 0, i = 0;
	int err = next ? 0 : -ENOMEM;

	while (next && (old < s->nr_served || i < count)) {
		int order = old == s->nr_served ? 1 : i == count ? -1 :
			    strcmp(s->served[old].service.name, list[i].name);

		if (!order && is_same(&s->served[old].service, &list[i])) {
			next[i] = s->served[old++];
			model_service_clear(&list[i++]);
			continue;
		}
		if (order <= 0) {
			changes->remove(changes->arg, s->served[old].user);
			model_service_clear(&s->served[old++].service);
		}
		if (order < 0)
			continue;
		next[i].service = list[i];
		err = err ?: changes->add(changes->arg, s->entry->object,
					  &next[i].service, &next[i].user);
		i++;
	}
	if (!next) {
		kube_ports_free(list, count);
		return err;
	}
	free(list);
	free(s->served);
	s->served = next;
	s->nr_served = count;
	return err;
}

static void health_set(struct kube_cluster *c, struct joined *s,
		       const struct kube_health *h)
{
	if (s->health.port) {
		*s->at_health = s->next_health;
		if (s->next_health)
			s->next_health->at_health = s->at_health;
	}
	s->health = *h;
	if (!h->port)
		return;
	s->next_health = c->health;
	s->at_health = &c->health;
	if (c->health)
		c->health->at_health = &s->next_health;
	c->health = s;
}

static void joined_free(struct kube_cluster *c, struct joined *s)
{
	const struct kube_health none = {};

	health_set(c, s, &none);
	table_remove(&c->services, s->hash, s);
	claims_clear(&c->claims, &s->claimant);
	free(s->served);
	free(s);
}

/* Those who lost something that may be free now try again. */
static void wake_losers(struct kube_cluster *c)
{
	for (struct claimant *l = c->claims.losers; l; l = l->next_loser)
		mark_dirty(c, l->joined);
}

static int joined_update(struct kube_cluster *c, struct joined *s,
			  const struct kube_changes *changes)
{
	struct model_service *list;
	struct kube_health health;
	bool has_freed = false;
	size_t count;
	int err;

	err = make(c, s, &list, &count, &health);
	if (err)
		return err;
	health_set(c, s, &health);
	s->claimant.created = s->entry ? s->entry->object->created : NULL;
	err = claims_take(&c->claims, &s->claimant, list, &count, &has_freed);
	if (err) {
		kube_ports_free(list, count);
		return err;
	}
	for (struct claimant *l; (l = claims_robbed(&c->claims));) {
		mark_dirty(c, l->joined);
		has_freed = true;
	}
	if (has_freed)
		wake_losers(c);
	err = replace(s, list, count, changes);
	if (!err && !s->entry && !s->nr_slices)
		joined_free(c, s);
	return err;
}

static void tell_losses(const struct kube_cluster *c,
			const struct kube_changes *changes)
{
	for (struct claimant *l = c->claims.losers; l; l = l->next_loser) {
		const struct joined *s = l->joined;
		const struct joined *other = l->lost_to->joined;

		changes->lost(changes->arg, s->entry->object, &l->lost,
			      l->lost_proto, other->entry->object);
	}
}

int kube_cluster_update(struct kube_cluster *c, const struct kube_settings *s,
			const struct kube_changes *changes)
{
	struct joined *dirty;
	int err;

	sweep(c);
	err = settings_take(c, s);
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
	tell_losses(c, changes);
	c->is_first = false;
	return 0;
}

bool kube_cluster_lacks(const struct kube_cluster *c)
{
	return c->nr_lacking;
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
		for (struct entry *e = c->entries.chains[i], *next; e; e = next) {
			next = e->next;
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
				model_service_clear(&s->served[j].service);
			free(s->served);
			free(s);
		}
	free(c->services.chains);
	free_entries(c);
	claims_free(&c->claims);
	kube_object_free(c->node);
	free(c->node_name);
	free(c);
}
