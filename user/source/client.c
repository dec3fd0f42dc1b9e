// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See client.h. What to ask is the reflectors' to know, what comes back is
 * json_stream's to parse: here they meet the connections.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "access.h"
#include "base/cleanup.h"
#include "base/curl.h"
#include "base/clock.h"
#include "client.h"
#include "http.h"
#include "json_stream.h"
#include "kinds.h"
#include "postman.h"
#include "process/channel.h"

#define TICK_MS 1000

struct follower {
	struct client *client;
	enum kube_kind kind;
	struct reflector reflector;
	struct http_request *request;	/* NULL: none is under way */
	struct json_stream *stream;
	int status;
	const char *error;	/* of the stream */
	enum api_state told_state;
	char told[REFLECTOR_TEXT_MAX];
};

struct client {
	struct loop *loop;
	struct channel *channel;
	struct http *http;
	struct event *tick, *due;
	struct access access;
	struct kinds kinds;
	bool has_kinds, has_policy;
	struct follower followers[NR_KUBE_KINDS];
	struct postman postman;
	struct bytes_out record;	/* room that is used again */
};

static void clients_go(struct client *c);

static void send_record(struct client *c, struct bytes_out *b, size_t begin)
{
	if (record_end(b, begin))
		channel_send(c->channel, b->data + begin, b->len - begin);
	b->len = begin;
	if (channel_is_full(c->channel))
		http_pause(c->http);
}

static void send_bare(struct follower *f, enum record_type type)
{
	struct bytes_out *b = &f->client->record;

	send_record(f->client, b, record_begin(b, type, f->kind));
}

static void send_named(struct follower *f, enum record_type type,
		       const struct json_object *o, const char *text)
{
	struct bytes_out *b = &f->client->record;
	size_t begin = record_begin(b, type, f->kind);

	record_text(b, RECORD_FIELD_NAMESPACE, o->namespace);
	record_text(b, RECORD_FIELD_NAME, o->name);
	if (text)
		record_text(b, RECORD_FIELD_TEXT, text);
	send_record(f->client, b, begin);
}

static enum api_state state_of(const struct follower *f)
{
	if (*f->reflector.failure)
		return API_BEHIND;
	return f->reflector.is_complete ? API_FOLLOWING : API_ASKING;
}

static void tell_state(struct follower *f)
{
	struct bytes_out *b = &f->client->record;
	__u8 state = state_of(f);
	size_t begin;

	if (state == f->told_state && !strcmp(f->told, f->reflector.failure))
		return;
	f->told_state = state;
	strcpy(f->told, f->reflector.failure);
	begin = record_begin(b, RECORD_STATE, f->kind);
	record_field(b, RECORD_FIELD_STATE, &state, 1);
	record_text(b, RECORD_FIELD_TEXT, f->told);
	send_record(f->client, b, begin);
}

/* Whose name cannot be read is nobody, and what cannot be told of somebody
 * is better than to forget him. */
static void put(struct follower *f, struct json_object *o)
{
	if (o->too_long || !*o->name) {
		send_named(f, RECORD_SKIP, o,
			   o->too_long ? "a name that is too long" :
			   "no name in it");
		return;
	}
	if (!record_end(&o->record, o->begin)) {
		send_named(f, RECORD_SKIP, o, "it is too large");
		return;
	}
	channel_send(f->client->channel, o->record.data + o->begin,
		     o->record.len - o->begin);
	if (channel_is_full(f->client->channel))
		http_pause(f->client->http);
}

static void status_seen(struct follower *f, const struct json_object *o)
{
	struct reflector_status s = {
		.code = o->code ?: f->status,
		.reason = o->reason,
		.message = o->message,
		.cause = o->cause,
		.retry_after_s = o->retry_after_s,
	};

	reflector_on_error(&f->reflector, &s);
}

static const char *event_seen(struct follower *f, const char *type,
			      struct json_object *o)
{
	if (!strcmp(type, "ERROR")) {
		status_seen(f, o);
		return NULL;
	}
	if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED"))
		put(f, o);
	else if (!strcmp(type, "DELETED"))
		send_named(f, RECORD_REMOVE, o, NULL);
	else if (strcmp(type, "BOOKMARK"))
		return "an event of an unknown type";
	if (!reflector_on_version(&f->reflector, o->version))
		return "an event without a resourceVersion";
	return NULL;
}

static const char *on_object(void *arg, const char *type,
			     struct json_object *o)
{
	struct follower *f = arg;

	if (f->status != 200)
		status_seen(f, o);
	else if (type)
		return event_seen(f, type, o);
	else
		put(f, o);
	return NULL;
}

static const struct json_stream_ops stream_ops = { .object = on_object };

static int stream_open(struct follower *f)
{
	enum json_stream_kind kind = JSON_STATUS;

	if (f->status == 200)
		kind = f->reflector.under_way == REFLECTOR_LIST ? JSON_LIST :
								  JSON_WATCH;
	json_stream_free(f->stream);
	f->stream = NULL;
	return json_stream_new(kind, f->client->kinds.fields[f->kind], f->kind,
			       &stream_ops, f, &f->stream);
}

static void on_status(void *arg, int status)
{
	struct follower *f = arg;

	f->status = status;
	reflector_on_status(&f->reflector, status, clock_ms());
	if (stream_open(f))
		f->error = "no memory";
	tell_state(f);
}

static bool on_body(void *arg, const char *data, size_t len)
{
	struct follower *f = arg;

	if (!f->error)
		f->error = json_stream_feed(f->stream, data, len);
	if (f->error)
		return false;
	reflector_on_bytes(&f->reflector, len,
			   json_stream_is_whole(f->stream), clock_ms());
	return true;
}

/* What is not 200 and has no Status is told by its number. */
static const char *answer_end(struct follower *f, const char *error)
{
	if (f->status != 200)
		return error;
	if (f->error || error)
		return f->error ?: error;
	error = json_stream_end(f->stream);
	if (error || f->reflector.under_way != REFLECTOR_LIST)
		return error;
	if (!reflector_on_list(&f->reflector, json_stream_version(f->stream),
			       json_stream_next_page(f->stream)))
		error = "a list without a resourceVersion";
	return error;
}

static void follower_end(struct follower *f, int status, const char *error,
			 unsigned int retry_after_s)
{
	enum reflector_result result;

	error = answer_end(f, error);
	result = reflector_on_end(&f->reflector, status, error, retry_after_s,
				  clock_ms());
	json_stream_free(f->stream);
	f->stream = NULL;
	f->request = NULL;
	if (result == REFLECTOR_ABSENT)
		send_bare(f, RECORD_LIST_BEGIN);
	if (result == REFLECTOR_ABSENT || result == REFLECTOR_COMPLETE)
		send_bare(f, RECORD_LIST_END);
	tell_state(f);
}

static void on_end(void *arg, int status, const char *error,
		   unsigned int retry_after_s)
{
	struct follower *f = arg;

	follower_end(f, status, error, retry_after_s);
	clients_go(f->client);
}

static const struct http_ops http_ops = { on_status, on_body, on_end };

static bool is_asked_for(const struct follower *f)
{
	return f->client->has_policy || !kube_kind_is_policy(f->kind);
}

/* How long until it wants to ask; 0: it waits for an answer. */
static __u64 follower_go(struct follower *f)
{
	char path[REFLECTOR_PATH_MAX];
	__u64 wait_ms = 0;
	enum reflector_request what =
		reflector_next(&f->reflector, clock_ms(), path, &wait_ms);
	int err;

	if (what == REFLECTOR_NOTHING)
		return wait_ms;
	f->status = 0;
	f->error = NULL;
	if (what == REFLECTOR_LIST && f->reflector.is_first_page)
		send_bare(f, RECORD_LIST_BEGIN);
	err = http_get(f->client->http, &f->client->access, path, &http_ops, f,
		       &f->request);
	if (!err)
		return 0;
	follower_end(f, 0, strerror(-err), 0);
	return 1;
}

static void clients_go(struct client *c)
{
	__u64 least_ms = 0;

	for (int i = 0; i < NR_KUBE_KINDS; i++) {
		struct follower *f = &c->followers[i];
		__u64 wait_ms = is_asked_for(f) ? follower_go(f) : 0;

		if (wait_ms && (!least_ms || wait_ms < least_ms))
			least_ms = wait_ms;
	}
	timer_set(c->due, least_ms, 0);
}

static void on_due(void *arg)
{
	clients_go(arg);
}

static void follower_look(struct follower *f)
{
	const char *why = reflector_overdue(&f->reflector, clock_ms());

	if (why && f->request) {
		http_cancel(f->request);
		f->error = why;
		follower_end(f, f->status, why, 0);
	}
	reflector_steady(&f->reflector, clock_ms());
	tell_state(f);
}

static void on_tick(void *arg)
{
	struct client *c = arg;

	for (int i = 0; c->has_kinds && i < NR_KUBE_KINDS; i++)
		if (is_asked_for(&c->followers[i]))
			follower_look(&c->followers[i]);
	if (c->has_kinds)
		clients_go(c);
	postman_tick(&c->postman);
}

static __u64 random_number(void)
{
	__u64 ret = 0;

	if (getrandom(&ret, sizeof(ret), GRND_NONBLOCK) != sizeof(ret))
		ret = clock_ms() * 0x9e3779b97f4a7c15ull;
	return ret;
}

static void follower_begin(struct follower *f)
{
	if (f->request)
		http_cancel(f->request);
	json_stream_free(f->stream);
	f->request = NULL;
	f->stream = NULL;
	f->told_state = API_ASKING;
	f->told[0] = '\0';
	reflector_init(&f->reflector, &f->client->kinds.kinds[f->kind],
		       random_number());
}

static int begin(struct client *c, const char *node)
{
	int err = kinds_init(&c->kinds, node);

	if (err)
		return err;
	for (int i = 0; i < NR_KUBE_KINDS; i++) {
		c->followers[i].client = c;
		c->followers[i].kind = i;
		follower_begin(&c->followers[i]);
	}
	c->has_kinds = true;
	return 0;
}

/* Nodes are other ones then. */
static void follow_policy(struct client *c, bool is_on)
{
	if (c->has_policy == is_on)
		return;
	c->has_policy = is_on;
	kinds_follow_policy(&c->kinds, is_on);
	for (int i = KUBE_NODE; i < NR_KUBE_KINDS; i++)
		follower_begin(&c->followers[i]);
}

static void access_clear(struct access *a)
{
	for (int i = 0; i < NR_ACCESS_FIELDS; i++)
		free(a->values[i].data);
	*a = (struct access){};
}

/* What is not said any more is gone. */
static const char *access_take(struct client *c, struct record *r,
			       char node[static 256], bool *ret_has_policy)
{
	struct record_field f;
	int more;

	access_clear(&c->access);
	while ((more = record_next(r, &f)) > 0) {
		if (f.id < NR_ACCESS_FIELDS) {
			if (access_set(&c->access, f.id, f.data, f.len))
				return "no memory";
		} else if (f.id == RECORD_FIELD_INSECURE && f.len == 1) {
			c->access.insecure = *f.data;
		} else if (f.id == RECORD_FIELD_NODE && f.len < 256) {
			memcpy(node, f.data, f.len);
			node[f.len] = '\0';
		} else if (f.id == RECORD_FIELD_POLICY && f.len == 1) {
			*ret_has_policy = *f.data;
		}
	}
	if (more || !c->access.values[ACCESS_SERVER].data)
		return "a broken record";
	return NULL;
}

static const char *on_event(struct client *c, struct record *r)
{
	struct record_field namespace, body;

	if (!c->has_kinds || record_next(r, &namespace) != 1 ||
	    namespace.id != RECORD_FIELD_NAMESPACE ||
	    record_next(r, &body) != 1 || body.id != RECORD_FIELD_TEXT)
		return "an event that is none";
	postman_take(&c->postman, namespace.data, namespace.len, body.data,
		     body.len);
	return NULL;
}

static void on_lost(void *arg, const char *text)
{
	struct client *c = arg;
	struct bytes_out *b = &c->record;
	size_t begin = record_begin(b, RECORD_NO_EVENT, 0);

	record_text(b, RECORD_FIELD_TEXT, text ?: "too many of them");
	send_record(c, b, begin);
}

static const char *on_record(void *arg, struct record *r)
{
	struct client *c = arg;
	char node[256] = "";
	bool has_policy = false;
	const char *why;

	if (r->type == RECORD_EVENT)
		return on_event(c, r);
	if (r->type != RECORD_ACCESS)
		return "a record that is not for us";
	why = access_take(c, r, node, &has_policy);
	if (why)
		return why;
	if (!c->has_kinds && begin(c, node))
		return "cannot begin";
	follow_policy(c, has_policy);
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		reflector_hurry(&c->followers[i].reflector);
	clients_go(c);
	return NULL;
}

static void on_drained(void *arg)
{
	struct client *c = arg;

	http_resume(c->http);
}

static void on_closed(void *arg, const char *why)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

static const struct channel_ops channel_ops = {
	.record = on_record,
	.drained = on_drained,
	.closed = on_closed,
};

static void on_request(void *arg, enum http_method method, int status)
{
	struct client *c = arg;
	struct bytes_out *b = &c->record;
	size_t begin = record_begin(b, RECORD_REQUEST, method);
	const __u16 said = status;

	record_field(b, RECORD_FIELD_BYTES, &said, sizeof(said));
	send_record(c, b, begin);
}

static void client_close(void *arg)
{
	struct client *c = arg;

	if (!c)
		return;
	postman_clear(&c->postman);
	http_free(c->http);
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		json_stream_free(c->followers[i].stream);
	event_remove(c->tick);
	event_remove(c->due);
	channel_close(c->channel);
	kinds_clear(&c->kinds);
	access_clear(&c->access);
	bytes_free(&c->record);
	free(c);
}

static int client_open(struct loop *l, int fd, void **ret)
{
	struct client *c = calloc(1, sizeof(*c));
	int err;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->loop = l;
	err = channel_open(l, fd, &channel_ops, c, &c->channel) ?:
	      http_new(l, on_request, c, &c->http) ?:
	      loop_add_timer(l, on_due, c, &c->due) ?:
	      loop_add_timer(l, on_tick, c, &c->tick) ?:
	      timer_set(c->tick, TICK_MS, TICK_MS);
	if (err) {
		client_close(c);
		return err;
	}
	c->postman = (struct postman){
		.http = c->http, .access = &c->access,
		.lost = on_lost, .arg = c,
	};
	*ret = c;
	return 0;
}

const struct worker client_worker = {
	.title = "fairlead: source",
	.sandbox = SANDBOX_CLIENT,
	.prepare = curl_load,
	.open = client_open,
	.close = client_close,
};
