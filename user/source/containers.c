// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See containers.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/log.h"
#include "container.h"
#include "containers.h"
#include "containers_worker.h"
#include "dial.h"
#include "leaves.h"
#include "offers.h"
#include "process/child.h"

#define TICK_MS 1000
#define LOG_LEAST_S 60		/* between two reasons */
#define SHORT_S 5		/* what is over by then is not worth a word */
#define WHY_MAX 200

/* One that runs. */
struct known {
	char id[CONTAINER_ID_LEN + 1];
	char name[CONTAINER_NAME_MAX];
	char why[WHY_MAX];	/* it is not held to policies; "": it is */
	__u32 list;		/* the last one that it was in */
	struct part *parts[CONTAINER_NETWORKS_MAX];
	size_t nr_parts;
	bool offers;
	struct offer offer;	/* if so */
};

struct containers {
	struct source source;
	char *name;		/* owned: "unix:///var/run/docker.sock" */
	struct dials *dials;
	struct child *child;
	struct event *tick;
	const struct containers_ops *ops;
	void *arg;
	LIST(struct known *) known;	/* owned */
	__u32 list;		/* number of the one that runs, or ran */
	bool has_listed, is_changed;
	__u64 digest[4];	/* sums: over what is known, over services */
	struct offers offers;
	struct containers_state state;
	time_t logged_s;	/* 0: its being behind is not logged */
	char logged[CONTAINERS_TEXT_MAX];
};

#define SCHEME "unix://"

const char *containers_socket(const struct containers *c)
{
	return c->name + strlen(SCHEME);
}

const struct containers_state *containers_state(const struct containers *c)
{
	return &c->state;
}

size_t containers_count(const struct containers *c)
{
	return c->known.count;
}

void containers_each_doubt(const struct containers *c,
			   void (*f)(void *arg, const char *name,
				     const char *why),
			   void *arg)
{
	for (size_t i = 0; i < c->known.count; i++)
		if (*c->known.at[i]->why)
			f(arg, c->known.at[i]->name, c->known.at[i]->why);
}

const char *containers_what_is_wrong(const struct containers *c)
{
	if (c->state.state == API_BEHIND)
		return c->state.text;
	return c->has_listed ? "" : "the first list of containers has not been read yet";
}

/* The order does not matter, so that one costs no more than one. */
static void digest_change(struct containers *c, const struct part *p, int sign)
{
	c->digest[0] += sign * p->objects[0]->digest;
	c->is_changed = true;
}

static void parts_bury(struct containers *c, struct known *k)
{
	for (size_t i = 0; i < k->nr_parts; i++) {
		digest_change(c, k->parts[i], -1);
		source_bury(&c->source, k->parts[i]);
	}
	k->nr_parts = 0;
}

static struct known **find(const struct containers *c, const char *id)
{
	for (size_t i = 0; i < c->known.count; i++)
		if (!strcmp(c->known.at[i]->id, id))
			return &c->known.at[i];
	return NULL;
}

/* The last one takes its place. */
static void forget(struct containers *c, struct known **at)
{
	struct known *k = *at;

	c->is_changed |= k->offers;
	parts_bury(c, k);
	*at = c->known.at[--c->known.count];
	free(k);
}

/* NULL: no memory. */
static struct known *known_add(struct containers *c, const char *id)
{
	struct known *k = calloc(1, sizeof(*k)), **to;

	to = k ? list_add(&c->known) : NULL;
	if (!to) {
		free(k);
		return NULL;
	}
	*to = k;
	strcpy(k->id, id);
	return k;
}

/* What a container is by now. */
struct news {
	struct part *parts[CONTAINER_NETWORKS_MAX];
	size_t nr_parts;
	char why[WHY_MAX];
	bool offers;
	struct offer offer;
};

static void news_clear(struct news *n)
{
	for (size_t i = 0; i < n->nr_parts; i++)
		part_free(n->parts[i]);
}

/* The name of the interface; NULL: it has none on this host. */
static const char *interface_of(struct containers *c,
				const struct container *from, size_t end,
				char name[static IF_NAMESIZE],
				char why[static WHY_MAX])
{
	const struct container_end *e = &from->ends[end];

	name[0] = '\0';
	if (container_doubt(from) ||
	    c->ops->interface(from->sandbox, e->mac, name) != -ENODEV)
		return name;
	snprintf(why, WHY_MAX, "its interface of network \"%.60s\" is no veth with an end on this host",
		 e->network);
	return NULL;
}

static const char *news_make(struct containers *c, const struct container *from,
			     struct news *ret)
{
	const char *doubt = container_doubt(from);
	char name[IF_NAMESIZE];

	snprintf(ret->why, sizeof(ret->why), "%s", doubt ?: "");
	for (size_t i = 0; i < container_pods(from); i++) {
		const char *interface = interface_of(c, from, i, name,
						     ret->why);
		struct part *p = part_of_object(c->name,
						container_pod(from, i,
							      interface));

		if (!p)
			return "no memory for a container";
		ret->parts[ret->nr_parts++] = p;
	}
	return NULL;
}

static bool is_same(const struct known *k, const struct news *n)
{
	if (k->nr_parts != n->nr_parts)
		return false;
	for (size_t i = 0; i < k->nr_parts; i++)
		if (k->parts[i]->objects[0]->digest !=
		    n->parts[i]->objects[0]->digest)
			return false;
	return true;
}

static void log_why(const struct containers *c, const struct known *k,
		    const char *before)
{
	if (*k->why && strcmp(k->why, before))
		log_info("%s: container \"%s\" is not held to policies: %s",
			 c->name, k->name, k->why);
}

/* Offers are filled from zero to their last byte. */
static void take_offer(struct containers *c, struct known *k,
		       const struct news *n)
{
	if (k->offers == n->offers &&
	    !memcmp(&k->offer, &n->offer, sizeof(k->offer)))
		return;
	k->offers = n->offers;
	k->offer = n->offer;
	c->is_changed = true;
}

/* n's parts are k's, or gone. */
static void replace(struct containers *c, struct known *k, struct news *n)
{
	if (is_same(k, n))
		return;
	parts_bury(c, k);
	for (size_t i = 0; i < n->nr_parts; i++) {
		k->parts[k->nr_parts++] = n->parts[i];
		digest_change(c, n->parts[i], 1);
	}
	n->nr_parts = 0;
}

static const char *take(struct containers *c, const struct container *from,
			const char *mistake)
{
	__cleanup(news_clear) struct news n = {};
	struct known **at = find(c, from->id), *k = at ? *at : NULL;
	char before[WHY_MAX] = "";
	const char *why = NULL;

	if (!k && c->known.count >= CONTAINERS_MAX)
		return "the engine has too many containers";
	if (!mistake) {
		why = news_make(c, from, &n);
		n.offers = offer_read(from, &n.offer);
	} else {
		snprintf(n.why, sizeof(n.why), "%s, so that it is closed",
			 mistake);
	}
	k = k ?: known_add(c, from->id);
	if (why || !k)
		return why ?: "no memory for a container";
	strcpy(before, k->why);
	strcpy(k->name, *from->name ? from->name : from->id);
	strcpy(k->why, n.why);
	log_why(c, k, before);
	k->list = c->list;
	take_offer(c, k, &n);
	replace(c, k, &n);
	return NULL;
}

/* What it is that does not run, nobody wants to know. */
static const char *on_put(struct containers *c, const struct record *r)
{
	__cleanup(container_clear) struct container from;
	const char *mistake = container_read(r, &from);
	struct known **at = *from.id ? find(c, from.id) : NULL;

	if (!*from.id)
		return "a container without an id";
	if (from.runs)
		return take(c, &from, mistake);
	if (at)
		forget(c, at);
	return NULL;
}

static void on_list_end(struct containers *c)
{
	for (size_t i = c->known.count; i-- > 0; )
		if (c->known.at[i]->list != c->list)
			forget(c, &c->known.at[i]);
	c->is_changed |= !c->has_listed;
	c->has_listed = true;
}

/* One that cannot be told is there all the same. */
static void on_skip(struct containers *c, const char *id, const char *text)
{
	struct known **at = find(c, id);

	if (at)
		(*at)->list = c->list;
	log_error(0, "%s: container %.12s: %s; %s", c->name, id, text,
		  at ? "what was in force of it stays" : "it is closed");
}

static void on_dial(struct containers *c, enum dial what, const char *id)
{
	int fd = dials_make(c->dials, what, id);
	struct bytes_out b = {};
	size_t begin = record_begin(&b, RECORD_DIALLED, what);
	char text[CONTAINERS_TEXT_MAX];

	snprintf(text, sizeof(text), "cannot connect: %s", strerror(-fd));
	if (fd < 0)
		record_text(&b, RECORD_FIELD_TEXT, text);
	if (!record_end(&b, begin))
		log_error(-ENOMEM, "%s", c->name);
	else if (fd < 0)
		channel_send(child_channel(c->child), b.data, b.len);
	else
		channel_send_fd(child_channel(c->child), b.data, b.len, fd);
	if (fd >= 0)
		close(fd);
	bytes_free(&b);
}

/* A stranger's text, for a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void set_state(struct containers *c, enum api_state state,
		      const char *text)
{
	struct containers_state *s = &c->state;

	if (s->state != state)
		s->since_s = time(NULL);
	if (state == API_FOLLOWING && s->state != state &&
	    (s->state == API_ASKING || c->logged_s)) {
		log_info("%s: follows containers", c->name);
		c->logged_s = 0;
		c->logged[0] = '\0';
	}
	s->state = state;
	snprintf(s->text, sizeof(s->text), "%s", text);
	make_printable(s->text);
}

/* What the records that are short have. */
struct told {
	char id[CONTAINER_ID_LEN + 1], text[CONTAINERS_TEXT_MAX];
	int state;
};

static bool told_take(struct told *t, struct record *r)
{
	struct record_field f;
	int more;

	*t = (struct told){ .state = -1 };
	while ((more = record_next(r, &f)) > 0) {
		bool ok = true;

		if (f.id == RECORD_FIELD_NAME)
			ok = container_is_id(f.data, f.len) &&
			     leaf_text(&f, t->id, sizeof(t->id));
		else if (f.id == RECORD_FIELD_TEXT)
			ok = leaf_text(&f, t->text, sizeof(t->text));
		else if (f.id == RECORD_FIELD_STATE && f.len == 1)
			t->state = *(__u8 *)f.data;
		else
			ok = false;
		if (!ok)
			return false;
	}
	make_printable(t->text);
	return !more;
}

static const char *take_told(struct containers *c, struct record *r)
{
	struct known **at;
	struct told t;

	if (!told_take(&t, r))
		return "a record that is broken";
	if (r->type == RECORD_STATE) {
		if (t.state < 0 || t.state >= NR_API_STATES)
			return "a state that is none";
		set_state(c, t.state, t.text);
		return NULL;
	}
	if (r->type == RECORD_DIAL) {
		if (r->of >= NR_DIALS ||
		    (r->of == DIAL_CONTAINER) != !!*t.id)
			return "a question that is none";
		on_dial(c, r->of, t.id);
		return NULL;
	}
	at = find(c, t.id);
	if (r->type == RECORD_SKIP)
		on_skip(c, t.id, t.text);
	else if (at)
		forget(c, at);
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	struct containers *c = arg;

	switch (r->type) {
	case RECORD_LIST_BEGIN:
		c->list++;
		return NULL;
	case RECORD_LIST_END:
		on_list_end(c);
		return NULL;
	case RECORD_PUT:
		return on_put(c, r);
	case RECORD_STATE:
	case RECORD_REMOVE:
	case RECORD_SKIP:
	case RECORD_DIAL:
		return take_told(c, r);
	default:
		return "a record that is not for us";
	}
}

static void on_read_all(void *arg)
{
	struct containers *c = arg;

	if (!c->is_changed || !c->has_listed)
		return;
	c->is_changed = false;
	c->ops->changed(c->arg);
}

/* A list that broke off leaves no trace: the next one has another number. */
static void on_ended(void *arg, const char *text)
{
	set_state(arg, API_BEHIND, text);
	on_read_all(arg);
}

/* It asks for what it needs. */
static void on_begun(void *arg, struct channel *channel)
{
}

static const struct child_ops child_ops = {
	.begun = on_begun,
	.record = on_record,
	.read_all = on_read_all,
	.ended = on_ended,
};

/* Connections end now and then, and go on a moment later. */
static void on_tick(void *arg)
{
	struct containers *c = arg;
	const struct containers_state *s = &c->state;
	time_t now = time(NULL);

	if (s->state != API_BEHIND || now - s->since_s < SHORT_S ||
	    now - c->logged_s < LOG_LEAST_S || !strcmp(s->text, c->logged))
		return;
	c->logged_s = now;
	strcpy(c->logged, s->text);
	log_warning(0, "%s: %s; what was in force stays", c->name, s->text);
}

static int offers_refresh(struct containers *c)
{
	const struct offer **list = calloc(c->known.count + 1, sizeof(*list));
	size_t nr = 0;
	int err;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < c->known.count; i++)
		if (c->known.at[i]->offers)
			list[nr++] = &c->known.at[i]->offer;
	err = offers_make(&c->offers, &c->source, c->name, list, nr);
	c->digest[1] = offers_digest(&c->offers);
	free(list);
	return err;
}

/* All that they are and offer, into list, which is large enough. */
static void parts_list(const struct containers *c, struct source *s)
{
	s->nr_parts = 0;
	for (size_t i = 0; i < c->known.count; i++)
		for (size_t j = 0; j < c->known.at[i]->nr_parts; j++)
			s->parts[s->nr_parts++] = c->known.at[i]->parts[j];
	for (size_t i = 0; i < c->offers.parts.count; i++)
		s->parts[s->nr_parts++] = c->offers.parts.at[i];
}

static int containers_refresh(struct source *s, struct report *r,
			      struct definitions_work *work)
{
	struct containers *c = (struct containers *)s;
	size_t count;
	struct part **list;
	int err = c->has_listed ? offers_refresh(c) : 0;

	if (err)
		return err;
	count = c->offers.parts.count;
	for (size_t i = 0; i < c->known.count; i++)
		count += c->known.at[i]->nr_parts;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	free(s->parts);
	s->parts = list;
	s->nr_parts = 0;
	if (c->has_listed)
		parts_list(c, s);
	s->is_complete = c->has_listed;
	s->says_services = c->offers.parts.count;
	s->lacks_policy = !c->has_listed;
	memcpy(s->sha256, c->digest, sizeof(s->sha256));
	return 0;
}

static void containers_clear(struct source *s)
{
	struct containers *c = (struct containers *)s;

	source_free_dead(s);
	for (size_t i = 0; i < c->known.count; i++)
		for (size_t j = 0; j < c->known.at[i]->nr_parts; j++)
			c->known.at[i]->parts[j]->is_taken = false;
	for (size_t i = 0; i < c->offers.parts.count; i++)
		c->offers.parts.at[i]->is_taken = false;
	s->nr_parts = 0;
}

static void containers_free(struct source *s)
{
	struct containers *c = (struct containers *)s;

	containers_stop(c);
	while (c->known.count)
		forget(c, &c->known.at[0]);
	offers_clear(&c->offers);
	source_free_dead(s);
	free(c->known.at);
	free(s->parts);
	free(c->name);
	free(c);
}

int containers_new(const char *socket, struct containers **ret)
{
	static const struct source_ops ops = {
		.refresh = containers_refresh,
		.clear = containers_clear,
		.free = containers_free,
	};
	const bool has_scheme = !strncmp(socket, SCHEME, strlen(SCHEME));
	const char *path = socket + (has_scheme ? strlen(SCHEME) : 0);
	struct containers *c;

	if (*path != '/')
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c || asprintf(&c->name, SCHEME "%s", path) < 0) {
		free(c);
		return -ENOMEM;
	}
	c->source = (struct source){
		.ops = &ops,
		.name = c->name,
		.knows_pods = true,
		.lacks_policy = true,
		.is_of_objects = true,
	};
	c->state.since_s = time(NULL);
	*ret = c;
	return 0;
}

struct source *containers_source(struct containers *c)
{
	return &c->source;
}

int containers_spawner_start(struct spawner **ret)
{
	return spawner_start(&containers_worker, ret);
}

int containers_start(struct containers *c, struct loop *l,
		     struct spawner *spawner, const struct containers_ops *ops,
		     void *arg)
{
	c->ops = ops;
	c->arg = arg;
	return dials_new(l, containers_socket(c), &c->dials) ?:
	       loop_add_timer(l, on_tick, c, &c->tick) ?:
	       timer_set(c->tick, TICK_MS, TICK_MS) ?:
	       child_open(l, spawner, &child_ops, c, &c->child);
}

void containers_stop(struct containers *c)
{
	event_remove(c->tick);
	child_close(c->child);
	dials_free(c->dials);
	c->tick = NULL;
	c->child = NULL;
	c->dials = NULL;
}
