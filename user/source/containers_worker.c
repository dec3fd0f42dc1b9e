// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See containers_worker.h. Events are there before the list is asked for, so
 * that nothing falls between them; of each container that is in the list, or in
 * an event, it is asked what it is now. Whatever breaks off begins anew, with
 * all of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/curl.h"
#include "base/clock.h"
#include "base/list.h"
#include "container.h"
#include "containers_worker.h"
#include "dial.h"
#include "http.h"
#include "json_stream.h"
#include "kinds.h"
#include "leaves.h"
#include "process/channel.h"

#define TICK_MS 1000
#define ANSWER_MS 30000		/* of what has an end, all of it */
#define SILENT_MS 3000		/* an engine may say nothing before the first
				 * event */
#define RETRY_LEAST_MS 500
#define RETRY_MOST_MS 10000
#define TEXT_MAX 256

enum exchange_state { EXCHANGE_IDLE, EXCHANGE_DIALS, EXCHANGE_ASKS };

struct id {
	char text[CONTAINER_ID_LEN + 1];
};

/* One question, from the dialling on. */
struct exchange {
	struct follower *follower;
	enum exchange_state state;
	enum dial what;
	struct id id;			/* DIAL_CONTAINER's */
	struct http_request *request;	/* owned; NULL: none is under way */
	struct json_stream *stream;	/* owned */
	int status;
	const char *error;		/* of the stream */
	bool has_said;			/* DIAL_CONTAINER: what it is */
	__u64 begin_ms;
};

struct follower {
	struct loop *loop;
	struct channel *channel;
	struct http *http;
	struct event *tick, *due;
	struct path_node *fields[NR_DIALS];	/* owned */
	struct exchange events, work;
	LIST(struct id) queue;	/* of whom is to be asked */
	unsigned int stale[NR_DIALS];	/* sockets that nobody waits for */
	bool wants_list, is_listing, is_complete;
	bool has_asked;		/* for a list, since it began anew */
	unsigned int failures;
	char failure[TEXT_MAX];	/* "": none */
	struct bytes_out record;	/* room that is used again */
};

static void send_record(struct follower *f, struct bytes_out *b, size_t begin)
{
	if (record_end(b, begin))
		channel_send(f->channel, b->data + begin, b->len - begin);
	b->len = begin;
	if (channel_is_full(f->channel))
		http_pause(f->http);
}

static void send_bare(struct follower *f, enum record_type type)
{
	send_record(f, &f->record, record_begin(&f->record, type, 0));
}

static void send_named(struct follower *f, enum record_type type, __u8 of,
		       const char *id, const char *text)
{
	size_t begin = record_begin(&f->record, type, of);

	if (*id)
		record_text(&f->record, RECORD_FIELD_NAME, id);
	if (text)
		record_text(&f->record, RECORD_FIELD_TEXT, text);
	send_record(f, &f->record, begin);
}

static void tell_state(struct follower *f)
{
	const __u8 state = *f->failure ? API_BEHIND :
			   f->is_complete ? API_FOLLOWING : API_ASKING;
	size_t begin = record_begin(&f->record, RECORD_STATE, 0);

	record_field(&f->record, RECORD_FIELD_STATE, &state, 1);
	record_text(&f->record, RECORD_FIELD_TEXT, f->failure);
	send_record(f, &f->record, begin);
}

static void exchange_end(struct exchange *x)
{
	json_stream_free(x->stream);
	x->stream = NULL;
	x->request = NULL;
	x->state = EXCHANGE_IDLE;
}

static void exchange_cancel(struct exchange *x)
{
	if (x->state == EXCHANGE_DIALS)
		x->follower->stale[x->what]++;
	if (x->request)
		http_cancel(x->request);
	exchange_end(x);
}

/* All anew, in a while. */
static void fail(struct follower *f, const char *why)
{
	__u64 ms = RETRY_LEAST_MS;

	exchange_cancel(&f->events);
	exchange_cancel(&f->work);
	f->queue.count = 0;
	f->wants_list = f->is_listing = false;
	strncpy(f->failure, why, sizeof(f->failure) - 1);
	for (unsigned int i = 0; i < f->failures && ms < RETRY_MOST_MS; i++)
		ms *= 2;
	f->failures++;
	timer_set(f->due, ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS, 0);
	tell_state(f);
}

static void dial(struct exchange *x, enum dial what, const char *id)
{
	x->state = EXCHANGE_DIALS;
	x->what = what;
	x->begin_ms = clock_ms();
	x->status = 0;
	x->error = NULL;
	x->has_said = false;
	strcpy(x->id.text, id);
	send_named(x->follower, RECORD_DIAL, what, id, NULL);
}

static void list_end(struct follower *f)
{
	f->is_listing = false;
	f->is_complete = true;
	f->failures = 0;
	f->failure[0] = '\0';
	send_bare(f, RECORD_LIST_END);
	tell_state(f);
}

/* One question at a time, besides the events. */
static void go_on(struct follower *f)
{
	struct id id;

	if (f->work.state != EXCHANGE_IDLE || f->events.state == EXCHANGE_IDLE)
		return;
	if (f->wants_list) {
		f->wants_list = false;
		f->has_asked = true;
		dial(&f->work, DIAL_LIST, "");
		return;
	}
	if (f->queue.count) {
		id = f->queue.at[--f->queue.count];
		dial(&f->work, DIAL_CONTAINER, id.text);
	} else if (f->is_listing) {
		list_end(f);
	}
}

/* Once, however often it is asked for. */
static const char *queue_add(struct follower *f, const char *text)
{
	struct id *id;

	for (size_t i = 0; i < f->queue.count; i++)
		if (!strcmp(f->queue.at[i].text, text))
			return NULL;
	if (f->queue.count == CONTAINERS_MAX)
		return "it has more containers than can be followed";
	id = list_add(&f->queue);
	if (!id)
		return "no memory";
	strcpy(id->text, text);
	return NULL;
}

/* What is there of an object, whose record is not ended. */
static struct leaves leaves_in(const struct json_object *o)
{
	const struct record r = {
		.at = o->record.data + o->begin + sizeof(struct record_header),
		.end = o->record.data + o->record.len,
	};

	return leaves_of(&r);
}

/* The value at path as an id. "": it has none that is one. */
static struct id id_in(const struct json_object *o, const char *path)
{
	struct leaves l = leaves_in(o);
	struct record_field f;
	struct id ret = {};

	while (leaves_next(&l, &f) > 0)
		if (leaves_at(&l, path) && container_is_id(f.data, f.len))
			memcpy(ret.text, f.data, f.len);
	return ret;
}

static bool says(const struct json_object *o, const char *path,
		 const char *text)
{
	struct leaves l = leaves_in(o);
	struct record_field f;

	while (leaves_next(&l, &f) > 0)
		if (leaves_at(&l, path) && f.len >= strlen(text) &&
		    !memcmp(f.data, text, strlen(text)))
			return true;
	return false;
}

/* "exec_create: sh"; and "health_status: running" says nothing yet. */
static bool is_in_vain(const struct json_object *o)
{
	return says(o, "Action", "exec_") ||
	       (says(o, "Action", "health") &&
		!says(o, "Action", "health_status: healthy") &&
		!says(o, "Action", "health_status: unhealthy"));
}

/* Whatever it was that happened: what is so now is asked for. But not because
 * somebody looks whether a container is well, unless that is news. */
static const char *event_seen(struct follower *f, const struct json_object *o)
{
	const struct id id = id_in(o, says(o, "Type", "network") ?
				      "Actor>Attributes>container" :
				      "Actor>ID");

	if (!*id.text || is_in_vain(o))
		return NULL;
	return queue_add(f, id.text);
}

static const char *list_seen(struct follower *f, const struct json_object *o)
{
	const struct id id = id_in(o, "Id");

	return *id.text ? queue_add(f, id.text) : "a container without an id";
}

static const char *container_seen(struct exchange *x, struct json_object *o)
{
	struct follower *f = x->follower;
	const struct id id = id_in(o, "Id");

	if (strcmp(id.text, x->id.text))
		return "it tells of another one";
	if (!record_end(&o->record, o->begin))
		return "it is too large";
	channel_send(f->channel, o->record.data + o->begin,
		     o->record.len - o->begin);
	if (channel_is_full(f->channel))
		http_pause(f->http);
	x->has_said = true;
	return NULL;
}

static const char *on_object(void *arg, const char *type,
			     struct json_object *o)
{
	struct exchange *x = arg;

	if (x->status != 200)
		return NULL;
	if (x->what == DIAL_EVENTS)
		return event_seen(x->follower, o);
	if (x->what == DIAL_LIST)
		return list_seen(x->follower, o);
	return container_seen(x, o);
}

static void on_status(void *arg, int status)
{
	static const struct json_stream_ops ops = { .object = on_object };
	static const enum json_stream_kind kinds[NR_DIALS] = {
		[DIAL_EVENTS] = JSON_OBJECTS,
		[DIAL_LIST] = JSON_ARRAY,
		[DIAL_CONTAINER] = JSON_STATUS,
	};
	struct exchange *x = arg;
	struct follower *f = x->follower;

	x->status = status;
	if (status == 200 &&
	    json_stream_new(kinds[x->what], f->fields[x->what], 0, &ops, x,
			    &x->stream))
		x->error = "no memory";
	if (status != 200 || x->what != DIAL_EVENTS)
		return;
	f->wants_list = true;
	go_on(f);
}

static bool on_body(void *arg, const char *data, size_t len)
{
	struct exchange *x = arg;

	if (x->stream && !x->error)
		x->error = json_stream_feed(x->stream, data, len);
	if (x->what == DIAL_EVENTS)
		go_on(x->follower);
	return !x->error;
}

/* Of one container: what cannot be told of it is no reason to forget others. */
static void container_end(struct exchange *x, const char *error)
{
	struct follower *f = x->follower;
	char text[TEXT_MAX];

	if (x->status == 404) {
		send_named(f, RECORD_REMOVE, 0, x->id.text, NULL);
	} else if (x->status && x->status != 200) {
		snprintf(text, sizeof(text), "the engine says %d", x->status);
		send_named(f, RECORD_SKIP, 0, x->id.text, text);
	} else if (x->error) {
		send_named(f, RECORD_SKIP, 0, x->id.text, x->error);
	} else if (error || !x->has_said) {
		fail(f, error ?: "the engine says nothing of a container");
		return;
	}
	exchange_end(x);
}

static void list_come(struct exchange *x, const char *error)
{
	struct follower *f = x->follower;
	char text[TEXT_MAX];

	if (x->status && x->status != 200) {
		snprintf(text, sizeof(text), "the engine says %d", x->status);
		error = text;
	} else if (!error) {
		error = json_stream_end(x->stream);
	}
	if (error) {
		snprintf(text, sizeof(text), "its list: %.200s", error);
		fail(f, text);
		return;
	}
	exchange_end(x);
	f->is_listing = true;
	send_bare(f, RECORD_LIST_BEGIN);
}

static void events_end(struct exchange *x, const char *error)
{
	char text[TEXT_MAX];

	if (x->status && x->status != 200)
		snprintf(text, sizeof(text), "its events: it says %d",
			 x->status);
	else
		snprintf(text, sizeof(text), "its events: %.200s",
			 error ?: "they ended");
	fail(x->follower, text);
}

static void on_end(void *arg, int status, const char *error,
		   unsigned int retry_after_s)
{
	struct exchange *x = arg;

	x->request = NULL;
	error = x->error ?: error;
	if (x->what == DIAL_EVENTS)
		events_end(x, error);
	else if (x->what == DIAL_LIST)
		list_come(x, error);
	else
		container_end(x, error);
	go_on(x->follower);
}

/* How that socket came to be is serve's to know. */
static const char *dialled(struct follower *f, enum dial what, int fd,
			   const char *text)
{
	static const struct http_ops ops = { on_status, on_body, on_end };
	struct exchange *x = what == DIAL_EVENTS ? &f->events : &f->work;
	char path[DIAL_PATH_MAX];
	int err;

	if (f->stale[what]) {
		f->stale[what]--;
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (x->state != EXCHANGE_DIALS || x->what != what) {
		if (fd >= 0)
			close(fd);
		return "a socket that nobody asked for";
	}
	x->state = EXCHANGE_ASKS;
	if (fd < 0) {
		fail(f, text);
		return NULL;
	}
	err = http_get_over(f->http, fd, dial_path(what, x->id.text, path),
			    &ops, x, &x->request);
	if (err)
		fail(f, strerror(-err));
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	struct follower *f = arg;
	char text[TEXT_MAX] = "no socket came";
	struct record_field field;

	if (r->type != RECORD_DIALLED || r->of >= NR_DIALS)
		return "a record that is not for us";
	if (record_next(r, &field) == 1 &&
	    (field.id != RECORD_FIELD_TEXT ||
	     !leaf_text(&field, text, sizeof(text))))
		return "a broken record";
	return dialled(f, r->of, channel_take_fd(f->channel), text);
}

static void on_drained(void *arg)
{
	struct follower *f = arg;

	http_resume(f->http);
}

static void on_closed(void *arg, const char *why)
{
	struct follower *f = arg;

	loop_stop(f->loop);
}

static const struct channel_ops channel_ops = {
	.record = on_record,
	.drained = on_drained,
	.closed = on_closed,
	.takes_fds = true,
};

static void on_due(void *arg)
{
	struct follower *f = arg;

	f->has_asked = false;
	if (f->events.state == EXCHANGE_IDLE)
		dial(&f->events, DIAL_EVENTS, "");
}

static bool is_overdue(const struct exchange *x, __u64 now)
{
	if (x->state == EXCHANGE_IDLE || now - x->begin_ms < ANSWER_MS)
		return false;
	return x->what != DIAL_EVENTS || x->state == EXCHANGE_DIALS;
}

static void on_tick(void *arg)
{
	struct follower *f = arg;
	const __u64 now = clock_ms();

	if (is_overdue(&f->events, now) || is_overdue(&f->work, now)) {
		fail(f, "the engine does not answer");
		return;
	}
	if (f->events.state == EXCHANGE_ASKS && !f->has_asked &&
	    now - f->events.begin_ms >= SILENT_MS)
		f->wants_list = true;
	go_on(f);
}

static int fields_make(struct follower *f)
{
	static const struct path_row list[] = { { "Id", 1 } };
	static const struct path_row events[] = {
		{ "Type", 1 }, { "Action", 1 }, { "Actor>ID", 1 },
		{ "Actor>Attributes>container", 1 },
	};
	int err;

	err = paths_new(list, 1, &f->fields[DIAL_LIST]) ?:
	      paths_new(events, sizeof(events) / sizeof(*events),
			&f->fields[DIAL_EVENTS]) ?:
	      paths_new(NULL, 0, &f->fields[DIAL_CONTAINER]);
	for (size_t i = 0; !err && container_paths[i]; i++)
		err = paths_add(f->fields[DIAL_CONTAINER], container_paths[i],
				1);
	return err;
}

static void seen_none(void *arg, enum http_method method, int status)
{
}

static void follower_close(void *arg)
{
	struct follower *f = arg;

	if (!f)
		return;
	http_free(f->http);
	json_stream_free(f->events.stream);
	json_stream_free(f->work.stream);
	event_remove(f->tick);
	event_remove(f->due);
	channel_close(f->channel);
	for (int i = 0; i < NR_DIALS; i++)
		paths_free(f->fields[i]);
	free(f->queue.at);
	bytes_free(&f->record);
	free(f);
}

static int follower_open(struct loop *l, int fd, void **ret)
{
	struct follower *f = calloc(1, sizeof(*f));
	int err;

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	f->loop = l;
	f->events.follower = f->work.follower = f;
	err = channel_open(l, fd, &channel_ops, f, &f->channel) ?:
	      http_new(l, seen_none, f, &f->http) ?:
	      fields_make(f) ?:
	      loop_add_timer(l, on_due, f, &f->due) ?:
	      timer_set(f->due, 1, 0) ?:
	      loop_add_timer(l, on_tick, f, &f->tick) ?:
	      timer_set(f->tick, TICK_MS, TICK_MS);
	if (err) {
		follower_close(f);
		return err;
	}
	*ret = f;
	return 0;
}

const struct worker containers_worker = {
	.title = "fairlead: source",
	.sandbox = SANDBOX_READER,
	.prepare = curl_load,
	.open = follower_open,
	.close = follower_close,
};
