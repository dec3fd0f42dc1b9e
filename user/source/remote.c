// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See remote.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "client.h"
#include "event.h"
#include "leaves.h"
#include "process/child.h"
#include "remote.h"

#define TICK_MS 1000
#define REFRESH_TICKS 10	/* between two looks at files */
#define LOG_LEAST_S 60		/* between two reasons of one kind */
#define SHORT_S 5		/* what is over by then is not worth a word */

struct remote {
	struct access *access;	/* owned */
	char node[256];
	bool has_policy;	/* what it needs is followed */
	const struct remote_ops *ops;
	void *arg;
	struct child *child;
	struct event *tick;
	unsigned int ticks;
	struct remote_state states[NR_KUBE_KINDS];
	struct remote_requests requests;
	time_t logged_s[NR_KUBE_KINDS];	/* 0: its being behind is not logged */
	char logged[NR_KUBE_KINDS][REMOTE_TEXT_MAX];
	char refresh_error[REMOTE_TEXT_MAX];
	struct bytes_out events;	/* for the next process: records */
	char event_error[REMOTE_TEXT_MAX];
};

const char *api_kind_name(enum kube_kind kind)
{
	static const char *const names[NR_KUBE_KINDS] = {
		"services", "endpointslices", "nodes", "pods", "namespaces",
		"networkpolicies", "clusternetworkpolicies",
	};

	return names[kind];
}

const char *api_state_name(enum api_state state)
{
	static const char *const names[NR_API_STATES] = {
		"asking", "following", "behind",
	};

	return names[state];
}

const char *remote_server(const struct remote *r)
{
	return r->access->values[ACCESS_SERVER].data;
}

bool remote_follows(const struct remote *r, enum kube_kind kind)
{
	return r->has_policy || !kube_kind_is_policy(kind);
}

const struct remote_state *remote_state(const struct remote *r,
					enum kube_kind kind)
{
	return &r->states[kind];
}

const struct remote_requests *remote_requests(const struct remote *r)
{
	return &r->requests;
}

/* A stranger's text, for a terminal. */
static void copy_printable(char *ret, size_t size, const char *text,
			   size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size; i++)
		ret[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
	ret[i] = '\0';
}

/* Connections end now and then, and watches go on a moment later. */
static void log_behind(struct remote *r, enum kube_kind kind)
{
	const struct remote_state *s = &r->states[kind];
	time_t now = time(NULL);

	if (s->state != API_BEHIND || now - s->since_s < SHORT_S ||
	    now - r->logged_s[kind] < LOG_LEAST_S ||
	    !strcmp(s->text, r->logged[kind]))
		return;
	r->logged_s[kind] = now;
	strcpy(r->logged[kind], s->text);
	log_warning(0, "%s: %s; what was in force stays", remote_server(r),
		    s->text);
}

static void log_following(struct remote *r, enum kube_kind kind,
			  enum api_state before)
{
	if (before == API_ASKING || r->logged_s[kind])
		log_info("%s: follows %s", remote_server(r),
			 api_kind_name(kind));
	r->logged_s[kind] = 0;
	r->logged[kind][0] = '\0';
}

static void set_state(struct remote *r, enum kube_kind kind,
		      enum api_state state, const char *text, size_t len)
{
	struct remote_state *s = &r->states[kind];
	enum api_state before = s->state;

	if (before != state)
		s->since_s = time(NULL);
	s->state = state;
	copy_printable(s->text, sizeof(s->text), text, len);
	if (state == API_FOLLOWING && before != state)
		log_following(r, kind, before);
}

static void all_behind(struct remote *r, const char *why)
{
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		if (remote_follows(r, i))
			set_state(r, i, API_BEHIND, why, strlen(why));
}

/* What records have besides an object. */
struct told {
	char namespace[64], name[256];
	int state;
	const char *text;
	size_t text_len;
};

static bool told_take(struct told *t, struct record *r)
{
	struct record_field f;
	int more;

	*t = (struct told){ .state = -1, .text = "" };
	while ((more = record_next(r, &f)) > 0) {
		bool ok = true;

		if (f.id == RECORD_FIELD_NAMESPACE)
			ok = leaf_text(&f, t->namespace,
				       sizeof(t->namespace));
		else if (f.id == RECORD_FIELD_NAME)
			ok = leaf_text(&f, t->name, sizeof(t->name));
		else if (f.id == RECORD_FIELD_STATE)
			t->state = f.len == 1 ? *(__u8 *)f.data : -1;
		else if (f.id == RECORD_FIELD_TEXT)
			t->text = f.data, t->text_len = f.len;
		else
			ok = false;
		if (!ok)
			return false;
	}
	return !more;
}

/* Once: it is of no consequence. */
static void log_no_event(struct remote *r, const char *text)
{
	if (strcmp(text, r->event_error))
		log_warning(0, "%s: an Event was not taken: %s",
			    remote_server(r), text);
	strcpy(r->event_error, text);
}

static const char *take_told(struct remote *r, struct record *record)
{
	char text[REMOTE_TEXT_MAX];
	struct told t;

	if (!told_take(&t, record))
		return "a record that is broken";
	switch (record->type) {
	case RECORD_STATE:
		if (t.state < 0 || t.state >= NR_API_STATES)
			return "a state that is none";
		set_state(r, record->of, t.state, t.text, t.text_len);
		return NULL;
	case RECORD_REMOVE:
		r->ops->remove(r->arg, record->of, t.namespace, t.name);
		return NULL;
	case RECORD_NO_EVENT:
		copy_printable(text, sizeof(text), t.text, t.text_len);
		log_no_event(r, text);
		return NULL;
	default:
		copy_printable(text, sizeof(text), t.text, t.text_len);
		r->ops->skip(r->arg, record->of, t.namespace, t.name, text);
		return NULL;
	}
}

static const char *take_request(struct remote *r, struct record *record)
{
	__u16 status;

	if (record->of >= NR_HTTP_METHODS ||
	    !record_bytes(record, RECORD_FIELD_BYTES, &status,
			  sizeof(status)) ||
	    status > REMOTE_STATUS_MAX)
		return "a request that is none";
	r->requests.count[record->of][status]++;
	return NULL;
}

static const char *on_record(void *arg, struct record *record)
{
	struct remote *r = arg;

	if (record->type == RECORD_REQUEST)
		return take_request(r, record);
	if (record->of >= NR_KUBE_KINDS)
		return "a record about nothing that is known";
	if (!remote_follows(r, record->of))
		return NULL;	/* it was not told yet */
	switch (record->type) {
	case RECORD_LIST_BEGIN:
		r->ops->begin(r->arg, record->of);
		return NULL;
	case RECORD_LIST_END:
		r->ops->end(r->arg, record->of);
		return NULL;
	case RECORD_PUT:
		return r->ops->put(r->arg, record->of, record);
	case RECORD_STATE:
	case RECORD_REMOVE:
	case RECORD_SKIP:
	case RECORD_NO_EVENT:
		return take_told(r, record);
	default:
		return "a record that is not for us";
	}
}

static void on_read_all(void *arg)
{
	struct remote *r = arg;

	r->ops->settled(r->arg);
}

static void on_ended(void *arg, const char *text)
{
	struct remote *r = arg;

	all_behind(r, text);
	r->ops->settled(r->arg);
}

static void send_access(struct remote *r, struct channel *c)
{
	const struct access *a = r->access;
	__u8 insecure = a->insecure, policy = r->has_policy;
	struct bytes_out b = {};
	size_t begin = record_begin(&b, RECORD_ACCESS, 0);

	for (int i = 0; i < NR_ACCESS_FIELDS; i++)
		if (a->values[i].data)
			record_field(&b, i, a->values[i].data,
				     a->values[i].len);
	record_field(&b, RECORD_FIELD_INSECURE, &insecure, 1);
	record_text(&b, RECORD_FIELD_NODE, r->node);
	record_field(&b, RECORD_FIELD_POLICY, &policy, 1);
	if (record_end(&b, begin))
		channel_send(c, b.data, b.len);
	else
		log_error(-ENOMEM, "cannot say how %s is reached",
			  remote_server(r));
	if (b.data)
		explicit_bzero(b.data, b.len);
	bytes_free(&b);
}

void remote_follow_policy(struct remote *r, bool is_on)
{
	r->has_policy = is_on;
	for (int i = KUBE_POD; i < NR_KUBE_KINDS; i++)
		set_state(r, i, API_ASKING, "", 0);
	if (child_channel(r->child))
		send_access(r, child_channel(r->child));
}

static void on_begun(void *arg, struct channel *c)
{
	struct remote *r = arg;

	send_access(r, c);
	if (r->events.len)
		channel_send(c, r->events.data, r->events.len);
	bytes_free(&r->events);
}

#define EVENTS_WAIT_MAX 16384	/* bytes */

void remote_event(struct remote *r, const struct kube_event *e)
{
	struct channel *c = child_channel(r->child);
	char *json = kube_event_json(e, r->node, time(NULL) * 1000000ll);
	struct bytes_out b = {};
	size_t begin = record_begin(&b, RECORD_EVENT, 0);

	record_text(&b, RECORD_FIELD_NAMESPACE, kube_event_namespace(e));
	record_text(&b, RECORD_FIELD_TEXT, json ?: "{}");
	if (json && record_end(&b, begin)) {
		if (c)
			channel_send(c, b.data, b.len);
		else if (r->events.len < EVENTS_WAIT_MAX)
			bytes_add(&r->events, b.data, b.len);
	}
	free(json);
	bytes_free(&b);
}

static const struct child_ops child_ops = {
	.begun = on_begun,
	.record = on_record,
	.read_all = on_read_all,
	.ended = on_ended,
};

static void refresh(struct remote *r)
{
	char text[REMOTE_TEXT_MAX] = "";
	FILE *errors = fmemopen(text, sizeof(text) - 1, "w");
	bool changed = false;

	if (!errors)
		return;
	access_refresh(r->access, errors, &changed);
	fclose(errors);
	text[strcspn(text, "\n")] = '\0';
	if (*text && strcmp(text, r->refresh_error))
		log_warning(0, "%s; what was read before is used", text);
	strcpy(r->refresh_error, text);
	if (changed && child_channel(r->child))
		send_access(r, child_channel(r->child));
}

static void on_tick(void *arg)
{
	struct remote *r = arg;

	for (int i = 0; i < NR_KUBE_KINDS; i++)
		log_behind(r, i);
	if (++r->ticks % REFRESH_TICKS == 0)
		refresh(r);
}

int remote_spawner_start(struct spawner **ret)
{
	return spawner_start(&client_worker, ret);
}

int remote_open(struct loop *l, struct spawner *spawner, struct access *access,
		const char *node, const struct remote_ops *ops, void *arg,
		struct remote **ret)
{
	struct remote *r = calloc(1, sizeof(*r));
	int err;

	if (!r || strlen(node) >= sizeof(r->node)) {
		access_free(access);
		free(r);
		return -ENOMEM;
	}
	r->access = access;
	strcpy(r->node, node);
	r->ops = ops;
	r->arg = arg;
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		r->states[i].since_s = time(NULL);
	err = loop_add_timer(l, on_tick, r, &r->tick) ?:
	      timer_set(r->tick, TICK_MS, TICK_MS) ?:
	      child_open(l, spawner, &child_ops, r, &r->child);
	if (err) {
		remote_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	event_remove(r->tick);
	child_close(r->child);
	access_free(r->access);
	bytes_free(&r->events);
	free(r);
}
