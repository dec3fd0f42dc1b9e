// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See api.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <fairlead/hash.h>

#include "api.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "object_record.h"

#define TABLE_LEAST 256
#define OBJECTS_MAX (1 << 21)	/* of all kinds: what memory allows for */

struct api_object {
	struct part part;	/* freed as a part */
	struct api_object *next;	/* of its chain */
	size_t at;		/* in a->parts */
	size_t news_at;		/* in a->news, plus one; 0: it is not there */
	__u64 hash;
	enum kube_kind kind;
	__u32 list;		/* the last one that it was in */
	__u64 digest[4];	/* what it adds to the source's */
	char key[];		/* "namespace/name" */
};

struct api {
	struct source source;
	char *server;		/* owned; parts point at it */
	struct remote *remote;
	void (*changed)(void *arg);
	void *arg;
	struct api_object **chains; /* owned; room of them, a power of two */
	size_t room;
	struct part **parts;	/* owned; room of them; api_objects */
	size_t count;
	struct part **news;	/* likewise; those that are worth a look */
	size_t nr_news;
	__u32 list[NR_KUBE_KINDS]; /* number of the one that runs, or ran */
	bool has_listed[NR_KUBE_KINDS];
	bool has_all;		/* of the first lists, for services */
	bool wants_policy, has_all_policy;
	bool is_changed;
	__u64 digest[2][4];	/* sums over objects; [1]: of policy's alone */
};

static struct api *api_of(struct source *s)
{
	return (struct api *)s;
}

#define KEY_MAX 400

static void key_make(char key[static KEY_MAX], const char *namespace,
		     const char *name)
{
	snprintf(key, KEY_MAX, "%s/%s", namespace ?: "", name);
}

static __u64 key_hash(enum kube_kind kind, const char *key)
{
	__u64 hash = 0xcbf29ce484222325ull + kind;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3ull;
	return hash_mix(hash);
}

static struct api_object *find(const struct api *a, enum kube_kind kind,
			       const char *key)
{
	__u64 hash = key_hash(kind, key);
	struct api_object *o = a->room ? a->chains[hash & (a->room - 1)] : NULL;

	while (o && (o->hash != hash || o->kind != kind ||
		     strcmp(o->key, key)))
		o = o->next;
	return o;
}

static void link_in(struct api *a, struct api_object *o)
{
	struct api_object **to = &a->chains[o->hash & (a->room - 1)];

	o->next = *to;
	*to = o;
}

/* Room for one more. */
static int make_room(struct api *a)
{
	size_t room = a->room ? 2 * a->room : TABLE_LEAST;
	struct api_object **chains;
	struct part **parts;

	if (a->count < a->room)
		return 0;
	parts = realloc(a->parts, room * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	a->parts = parts;
	parts = realloc(a->news, room * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	a->news = parts;
	chains = calloc(room, sizeof(*chains));
	if (!chains)
		return -ENOMEM;
	free(a->chains);
	a->chains = chains;
	a->room = room;
	for (size_t i = 0; i < a->count; i++)
		link_in(a, (struct api_object *)a->parts[i]);
	return 0;
}

/* The order of objects does not matter, so that one costs no more than one. */
static void digest_change(struct api *a, const struct api_object *o, int sign)
{
	for (int i = 0; i < 4; i++)
		a->digest[kube_kind_is_policy(o->kind)][i] +=
			sign * o->digest[i];
	a->is_changed = true;
}

static void digest_make(struct api_object *o)
{
	const struct kube_object *object = o->part.objects[0];
	char text[KEY_MAX + 64];
	int len = snprintf(text, sizeof(text), "%d/%s/%llx/%u", o->kind,
			   o->key, object->digest, object->nr_mistakes);

	if (!EVP_Digest(text, len, (unsigned char *)o->digest, NULL,
			EVP_sha256(), NULL))
		o->digest[0] = object->digest;
}

static void news_add(struct api *a, struct api_object *o)
{
	a->news[a->nr_news++] = &o->part;
	o->news_at = a->nr_news;
}

static void news_drop(struct api *a, struct api_object *o)
{
	struct api_object *last;

	if (!o->news_at)
		return;
	last = (struct api_object *)a->news[--a->nr_news];
	a->news[o->news_at - 1] = &last->part;
	last->news_at = o->news_at;
	o->news_at = 0;
}

/* What was looked at and is right need not be looked at again. */
static void news_keep(struct api *a)
{
	for (size_t i = a->nr_news; i-- > 0; ) {
		struct part *p = a->news[i];

		if (p->is_taken && !p->has_refused)
			news_drop(a, (struct api_object *)p);
	}
}

static void add(struct api *a, struct api_object *o)
{
	link_in(a, o);
	o->at = a->count;
	a->parts[a->count++] = &o->part;
	news_add(a, o);
	digest_change(a, o, 1);
}

static void bury(struct api *a, struct api_object *o)
{
	struct api_object **at = &a->chains[o->hash & (a->room - 1)];
	struct part *last = a->parts[--a->count];

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	a->parts[o->at] = last;
	((struct api_object *)last)->at = o->at;
	news_drop(a, o);
	digest_change(a, o, -1);
	source_bury(&a->source, &o->part);
}

/* object is o's from here on, also when there is no memory for it. */
static struct api_object *object_new(const struct api *a, const char *key,
				     struct kube_object *object)
{
	size_t len = strlen(key);
	struct api_object *o = calloc(1, sizeof(*o) + len + 1);
	struct kube_object **list = calloc(1, sizeof(*list));

	if (!o || !list) {
		free(o);
		free(list);
		kube_object_free(object);
		return NULL;
	}
	memcpy(o->key, key, len + 1);
	list[0] = object;
	object->origin = &o->part;
	o->part = (struct part){
		.path = a->server, .is_live = true,
		.objects = list, .nr_objects = 1,
		.native.says_services = true,
	};
	o->kind = object->kind;
	o->hash = key_hash(o->kind, key);
	digest_make(o);
	return o;
}

/* What there was of it goes, what is new comes, the same is the same. */
static int replace(struct api *a, struct kube_object *object)
{
	struct api_object *o, *before;
	char key[KEY_MAX];

	key_make(key, object->namespace, object->name ?: "");
	before = find(a, object->kind, key);
	if (before && before->part.objects[0]->digest == object->digest &&
	    before->part.objects[0]->nr_mistakes == object->nr_mistakes) {
		before->list = a->list[object->kind];
		kube_object_free(object);
		return 0;
	}
	o = object_new(a, key, object);
	if (!o)
		return -ENOMEM;
	if (make_room(a)) {
		part_free(&o->part);
		return -ENOMEM;
	}
	o->list = a->list[o->kind];
	if (before)
		bury(a, before);
	add(a, o);
	return 0;
}

static void on_begin(void *arg, enum kube_kind kind)
{
	struct api *a = arg;

	a->list[kind]++;
}

/* What is not taken now would be missing for ever: all is told anew then. */
static const char *on_put(void *arg, enum kube_kind kind, struct record *r)
{
	struct kube_object *o = object_record_read(kind, r);
	struct api *a = arg;

	if (o && a->count >= OBJECTS_MAX) {
		kube_object_free(o);
		return "the server has too many objects";
	}
	return !o || replace(a, o) ? "no memory for an object" : NULL;
}

static void on_remove(void *arg, enum kube_kind kind, const char *namespace,
		      const char *name)
{
	struct api_object *o;
	struct api *a = arg;
	char key[KEY_MAX];

	key_make(key, namespace, name);
	o = find(a, kind, key);
	if (o)
		bury(a, o);
}

/* One that cannot be told is there all the same. */
static void on_skip(void *arg, enum kube_kind kind, const char *namespace,
		    const char *name, const char *text)
{
	struct api_object *o;
	struct api *a = arg;
	char key[KEY_MAX];

	key_make(key, namespace, name);
	o = find(a, kind, key);
	if (o)
		o->list = a->list[kind];
	log_error(0, "%s: %s %s: %s", a->server, kube_kind_name(kind), key,
		  text);
}

/* What has not been in the list is gone. From the end, as bury() fills the
 * gap with the last one. */
static void on_end(void *arg, enum kube_kind kind)
{
	struct api *a = arg;

	for (size_t i = a->count; i-- > 0; ) {
		struct api_object *o = (struct api_object *)a->parts[i];

		if (o->kind == kind && o->list != a->list[kind])
			bury(a, o);
	}
	a->is_changed |= !a->has_listed[kind];
	a->has_listed[kind] = true;
}

/* Whether there is a Node decides about nothing but hints: it is waited for
 * until something is in its way. */
static bool has_nodes(const struct api *a)
{
	return a->has_listed[KUBE_NODE] ||
	       api_state(a, KUBE_NODE)->state == API_BEHIND;
}

/* Are services all known? Once they were, they are for good. */
static bool has_said_all(struct api *a)
{
	a->has_all = a->has_all ||
		     (a->has_listed[KUBE_SERVICE] && a->has_listed[KUBE_SLICE] &&
		      has_nodes(a));
	return a->has_all;
}

/* Likewise pods and policies. */
static bool has_said_policy(struct api *a)
{
	bool has_listed = a->wants_policy && has_nodes(a);

	for (int i = KUBE_POD; i < NR_KUBE_KINDS; i++)
		has_listed &= a->has_listed[i];
	a->has_all_policy = a->has_all_policy || has_listed;
	return a->has_all_policy;
}

static void on_settled(void *arg)
{
	struct api *a = arg;
	bool is_worth_it = has_said_all(a);

	is_worth_it |= has_said_policy(a);
	if (!a->is_changed || !is_worth_it)
		return;
	a->is_changed = false;
	a->changed(a->arg);
}

static const struct remote_ops remote_ops = {
	.begin = on_begin,
	.end = on_end,
	.put = on_put,
	.remove = on_remove,
	.skip = on_skip,
	.settled = on_settled,
};

/* Is all of its kind known? Before, nothing is said: endpoints that are half
 * known would take others out of force. */
static bool may_say(const struct api *a, const struct part *p)
{
	return kube_kind_is_policy(((const struct api_object *)p)->kind) ?
	       a->has_all_policy : a->has_all;
}

static void news_put(struct api *a, size_t at, struct part *p)
{
	a->news[at] = p;
	((struct api_object *)p)->news_at = at + 1;
}

/* Those that may be said, to the front; how many they are. */
static size_t news_sort(struct api *a)
{
	size_t count = 0;

	for (size_t i = 0; i < a->nr_news; i++) {
		struct part *p = a->news[i];

		if (!may_say(a, p))
			continue;
		news_put(a, i, a->news[count]);
		news_put(a, count++, p);
	}
	return count;
}

static int api_refresh(struct source *s, struct report *r,
		       struct definitions_work *work)
{
	struct api *a = api_of(s);
	__u64 digest[4] = {};

	s->is_complete = s->says_services = a->has_all;
	s->knows_pods = a->wants_policy;
	s->lacks_policy = a->wants_policy && !a->has_all_policy;
	news_keep(a);
	s->parts = a->news;
	s->nr_parts = news_sort(a);
	/* what is not said yet is no change */
	for (int i = 0; i < 4; i++)
		digest[i] = (a->has_all ? a->digest[0][i] : 0) +
			    (a->has_all_policy ? a->digest[1][i] : 0);
	memcpy(s->sha256, digest, sizeof(s->sha256));
	return 0;
}

/* The index and the cluster have let go of all: they are told all anew. */
static void api_clear(struct source *s)
{
	struct api *a = api_of(s);

	source_free_dead(s);
	while (a->nr_news)
		news_drop(a, (struct api_object *)a->news[0]);
	for (size_t i = 0; i < a->count; i++) {
		a->parts[i]->is_taken = false;
		news_add(a, (struct api_object *)a->parts[i]);
	}
}

static void api_free(struct source *s)
{
	struct api *a = api_of(s);

	api_stop(a);
	source_free_dead(s);
	for (size_t i = 0; i < a->count; i++)
		part_free(a->parts[i]);
	free(a->parts);
	free(a->news);
	free(a->chains);
	free(a->server);
	free(a);
}

int api_new(const char *server, struct api **ret)
{
	static const struct source_ops ops = {
		.refresh = api_refresh,
		.clear = api_clear,
		.free = api_free,
	};
	struct api *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->server = strdup(server);
	if (!a->server) {
		free(a);
		return -ENOMEM;
	}
	a->source.ops = &ops;
	a->source.name = a->server;
	a->source.is_of_objects = true;
	*ret = a;
	return 0;
}

struct source *api_source(struct api *a)
{
	return &a->source;
}

int api_start(struct api *a, struct loop *l, struct spawner *spawner,
	      struct access *access, const char *node,
	      void (*changed)(void *arg), void *arg)
{
	int err;

	a->changed = changed;
	a->arg = arg;
	err = remote_open(l, spawner, access, node, &remote_ops, a,
			  &a->remote);
	if (!err && a->wants_policy)
		remote_follow_policy(a->remote, true);
	return err;
}

/* What they said is not said any more. */
static void drop_policy(struct api *a)
{
	for (size_t i = a->count; i-- > 0; ) {
		struct api_object *o = (struct api_object *)a->parts[i];

		if (kube_kind_is_policy(o->kind))
			bury(a, o);
	}
	for (int i = KUBE_POD; i < NR_KUBE_KINDS; i++)
		a->has_listed[i] = false;
	a->has_all_policy = false;
}

bool api_follow_policy(struct api *a, bool is_on)
{
	if (a->wants_policy == is_on)
		return false;
	a->wants_policy = is_on;
	if (!is_on)
		drop_policy(a);
	if (a->remote)
		remote_follow_policy(a->remote, is_on);
	return true;
}

bool api_follows(const struct api *a, enum kube_kind kind)
{
	return a->wants_policy || !kube_kind_is_policy(kind);
}

void api_stop(struct api *a)
{
	remote_close(a->remote);
	a->remote = NULL;
}

void api_event(struct api *a, const struct kube_event *e)
{
	if (a->remote)
		remote_event(a->remote, e);
}

const char *api_server(const struct api *a)
{
	return a->server;
}

const struct remote_state *api_state(const struct api *a, enum kube_kind kind)
{
	return a->remote ? remote_state(a->remote, kind) : NULL;
}

const struct remote_requests *api_requests(const struct api *a)
{
	return a->remote ? remote_requests(a->remote) : NULL;
}

const char *api_what_is_wrong(const struct api *a)
{
	for (int i = 0; a->remote && i < NR_KUBE_KINDS; i++)
		if (remote_state(a->remote, i)->state == API_BEHIND)
			return remote_state(a->remote, i)->text;
	return a->has_all && a->has_all_policy >= a->wants_policy ? "" :
	       "the first lists have not been read yet";
}
