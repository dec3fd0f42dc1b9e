// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See json_stream.h. Three sets of paths: of what is around an object (the
 * list, the event), of what is read of every object, and of the values that
 * were asked for. The last two are descended side by side.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/cleanup.h"
#include "json_stream.h"

#define TEXT_MAX 160

enum around { AROUND_KIND = 1, AROUND_VERSION, AROUND_CONTINUE, AROUND_ITEMS,
	      AROUND_OBJECT, AROUND_TYPE };

static const struct path_row around_list[] = {
	{ "kind", AROUND_KIND },
	{ "metadata>resourceVersion", AROUND_VERSION },
	{ "metadata>continue", AROUND_CONTINUE },
	{ "items", AROUND_ITEMS },
	{ "items[]", AROUND_OBJECT },
};

static const struct path_row around_watch[] = {
	{ "type", AROUND_TYPE },
	{ "object", AROUND_OBJECT },
};

static const struct path_row around_status[] = {
	{ "", AROUND_OBJECT },
};

static const struct path_row around_array[] = {
	{ "[]", AROUND_OBJECT },
};

enum common { COMMON_NAMESPACE = 1, COMMON_NAME, COMMON_VERSION, COMMON_STATUS,
	      COMMON_REASON, COMMON_MESSAGE, COMMON_CAUSE, COMMON_CODE,
	      COMMON_RETRY };

static const struct path_row common[] = {
	{ "metadata>namespace", COMMON_NAMESPACE },
	{ "metadata>name", COMMON_NAME },
	{ "metadata>resourceVersion", COMMON_VERSION },
	{ "status", COMMON_STATUS },
	{ "reason", COMMON_REASON },
	{ "message", COMMON_MESSAGE },
	{ "code", COMMON_CODE },
	{ "details>retryAfterSeconds", COMMON_RETRY },
	{ "details>causes[]>reason", COMMON_CAUSE },
};

/* Where a value stands in the three sets; NULL: nowhere. */
struct at {
	const struct path_node *around, *common, *field;
};

struct level {
	struct at container, value;	/* value: the one that comes next */
	bool is_list;
};

struct json_stream {
	enum json_stream_kind kind;
	const struct path_node *fields;
	__u8 of;
	const struct json_stream_ops *ops;
	void *arg;
	struct path_node *around, *common;	/* owned */
	yajl_handle yajl;
	struct level levels[JSON_DEPTH_MAX];
	unsigned int depth;
	unsigned int object_depth;	/* 0: in no object */
	struct json_object object;
	size_t pending;		/* bytes since the last object */
	size_t mark;		/* of this chunk, up to where an object ended */
	size_t values;		/* of the topmost level that have ended */
	char type[16], list_kind[64], version[256], next_page[4096];
	bool has_items;
	char text[TEXT_MAX];	/* what is wrong; "": nothing */
};

static int stop(struct json_stream *s, const char *why)
{
	if (!*s->text)
		snprintf(s->text, sizeof(s->text), "%s", why);
	return 0;
}

/* Longer ones are no name, version ... */
static bool copy(char *ret, size_t size, const char *text, size_t len)
{
	if (len >= size || memchr(text, '\0', len))
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

#define COPY(ret, text, len) copy(ret, sizeof(ret), text, len)

/* A message is for people: its beginning will do. */
static bool copy_message(struct json_object *o, const char *text, size_t len)
{
	if (len >= sizeof(o->message))
		len = sizeof(o->message) - 1;
	return COPY(o->message, text, len);
}

static int number(const char *text, size_t len)
{
	char copied[12];

	return COPY(copied, text, len) ? atoi(copied) : 0;
}

static int take_around(struct json_stream *s, enum around id,
		       const char *text, size_t len)
{
	bool ok = true;

	if (id == AROUND_KIND)
		ok = COPY(s->list_kind, text, len);
	else if (id == AROUND_VERSION)
		ok = COPY(s->version, text, len);
	else if (id == AROUND_CONTINUE)
		ok = COPY(s->next_page, text, len);
	else if (id == AROUND_TYPE)
		ok = COPY(s->type, text, len);
	else if (id == AROUND_OBJECT)
		return stop(s, "an object that is none");
	return ok ? 1 : stop(s, "a value around the objects is too long");
}

static void take_common(struct json_object *o, enum common id,
			const char *text, size_t len)
{
	if (id == COMMON_NAMESPACE && !COPY(o->namespace, text, len))
		o->too_long = "namespace";
	else if (id == COMMON_NAME && !COPY(o->name, text, len))
		o->too_long = "name";
	else if (id == COMMON_VERSION && !COPY(o->version, text, len))
		o->too_long = "resourceVersion";
	else if (id == COMMON_STATUS)
		COPY(o->status, text, len);
	else if (id == COMMON_REASON)
		COPY(o->reason, text, len);
	else if (id == COMMON_MESSAGE)
		copy_message(o, text, len);
	else if (id == COMMON_CAUSE && !*o->cause)
		COPY(o->cause, text, len);
	else if (id == COMMON_CODE)
		o->code = number(text, len);
	else if (id == COMMON_RETRY)
		o->retry_after_s = number(text, len);
}

/* Where the value that comes now stands. */
static struct at value_at(struct json_stream *s)
{
	if (s->depth)
		return s->levels[s->depth - 1].value;
	return (struct at){ .around = s->around };
}

/* A stream of a watch has values one after the other, others one alone; yajl
 * sees to that. */
static int on_value(struct json_stream *s, enum record_event type,
		    const char *text, size_t len)
{
	struct at at = value_at(s);
	struct json_object *o = &s->object;

	if (!s->depth)
		return stop(s, "the answer is no object");
	if (path_id(at.around))
		return take_around(s, path_id(at.around), text, len);
	if (path_id(at.common))
		take_common(o, path_id(at.common), text, len);
	if (at.field)
		record_field(&o->record, type, text, len);
	return 1;
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
	return on_value(arg, RECORD_STRING, (const char *)text, len);
}

static int on_number(void *arg, const char *text, size_t len)
{
	return on_value(arg, RECORD_NUMBER, text, len);
}

static int on_boolean(void *arg, int is_true)
{
	return on_value(arg, RECORD_BOOLEAN, is_true ? "true" : "false",
			is_true ? 4 : 5);
}

/* The same as a value that is not there, but in a list it is an element. */
static int on_null(void *arg)
{
	struct json_stream *s = arg;
	struct at at = value_at(s);

	if (!s->depth)
		return stop(s, "the answer is no object");
	if (path_id(at.around) == AROUND_ITEMS)
		s->has_items = true;
	if (at.field && s->levels[s->depth - 1].is_list)
		record_field(&s->object.record, RECORD_NULL, NULL, 0);
	return 1;
}

static void object_begin(struct json_stream *s, struct at *at)
{
	struct bytes_out record = s->object.record;

	record.len = 0;
	record.no_memory = false;
	s->object = (struct json_object){ .record = record };
	s->object.begin = record_begin(&s->object.record, RECORD_PUT, s->of);
	s->object_depth = s->depth + 1;
	*at = (struct at){ .common = s->common, .field = s->fields };
}

static int push(struct json_stream *s, struct at at, bool is_list)
{
	if (s->depth == JSON_DEPTH_MAX)
		return stop(s, "it is nested too deeply");
	if (at.field)
		record_field(&s->object.record,
			     is_list ? RECORD_LIST : RECORD_MAP, NULL, 0);
	s->levels[s->depth++] = (struct level){
		.container = at,
		.is_list = is_list,
		.value = !is_list ? (struct at){} : (struct at){
			path_element(at.around),
			path_element(at.common),
			path_element(at.field),
		},
	};
	return 1;
}

static int on_start_map(void *arg)
{
	struct json_stream *s = arg;
	struct at at = value_at(s);

	if (!s->depth && s->kind == JSON_ARRAY)
		return stop(s, "the answer is no list");
	if (path_id(at.around) == AROUND_OBJECT)
		object_begin(s, &at);
	return push(s, at, false);
}

static int on_key(void *arg, const unsigned char *key, size_t len)
{
	struct json_stream *s = arg;
	struct level *l = &s->levels[s->depth - 1];
	const char *text = (const char *)key;

	l->value = (struct at){
		path_child(l->container.around, text, len),
		path_child(l->container.common, text, len),
		path_child(l->container.field, text, len),
	};
	if (l->value.field)
		record_field(&s->object.record, RECORD_KEY, text, len);
	return 1;
}

static int object_end(struct json_stream *s)
{
	const char *type = s->kind == JSON_WATCH ? s->type : NULL;
	const char *why;

	s->object_depth = 0;
	if (s->kind == JSON_WATCH)
		return 1;	/* its type may come behind it */
	why = s->ops->object(s->arg, type, &s->object);
	return why ? stop(s, why) : 1;
}

static int event_end(struct json_stream *s)
{
	const char *why = NULL;

	if (!*s->type)
		why = "an event without a type";
	else if (!s->object.record.len)
		why = "an event without an object";
	else
		why = s->ops->object(s->arg, s->type, &s->object);
	s->type[0] = '\0';
	s->object.record.len = 0;
	return why ? stop(s, why) : 1;
}

/* Of what is parsed now, everything up to here is done with. */
static void mark(struct json_stream *s)
{
	s->mark = yajl_get_bytes_consumed(s->yajl);
	s->pending = 0;
}

static void pop(struct json_stream *s)
{
	s->depth--;
	if (s->levels[s->depth].container.field)
		record_field(&s->object.record, RECORD_END, NULL, 0);
}

static int on_end_map(void *arg)
{
	struct json_stream *s = arg;
	int go_on = 1;

	pop(s);
	if (s->object_depth && s->depth + 1 == s->object_depth) {
		go_on = object_end(s);
		mark(s);
	}
	if (!s->depth && s->kind == JSON_WATCH) {
		go_on = event_end(s);
		mark(s);
	}
	return go_on;
}

static int on_start_array(void *arg)
{
	struct json_stream *s = arg;
	struct at at = value_at(s);

	if (!s->depth && s->kind != JSON_ARRAY)
		return stop(s, "the answer is no object");
	if (path_id(at.around) == AROUND_OBJECT)
		return stop(s, "an object that is none");
	if (path_id(at.around) == AROUND_ITEMS)
		s->has_items = true;
	return push(s, at, true);
}

static int on_end_array(void *arg)
{
	pop(arg);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static int around_new(enum json_stream_kind kind, struct path_node **ret)
{
	if (kind == JSON_LIST)
		return paths_new(ROWS(around_list), ret);
	if (kind == JSON_WATCH)
		return paths_new(ROWS(around_watch), ret);
	if (kind == JSON_ARRAY)
		return paths_new(ROWS(around_array), ret);
	return paths_new(ROWS(around_status), ret);
}

static void json_stream_freep(struct json_stream **s)
{
	json_stream_free(*s);
}

int json_stream_new(enum json_stream_kind kind, const struct path_node *fields,
		    __u8 of, const struct json_stream_ops *ops, void *arg,
		    struct json_stream **ret)
{
	__cleanup(json_stream_freep) struct json_stream *s =
		calloc(1, sizeof(*s));

	if (!s || around_new(kind, &s->around) ||
	    paths_new(ROWS(common), &s->common))
		return -ENOMEM;
	s->kind = kind;
	s->fields = fields;
	s->of = of;
	s->ops = ops;
	s->arg = arg;
	s->yajl = yajl_alloc(&callbacks, NULL, s);
	if (!s->yajl)
		return -ENOMEM;
	yajl_config(s->yajl, yajl_allow_multiple_values,
		    kind == JSON_WATCH || kind == JSON_OBJECTS);
	*ret = take_ptr(s);
	return 0;
}

void json_stream_free(struct json_stream *s)
{
	if (!s)
		return;
	if (s->yajl)
		yajl_free(s->yajl);
	paths_free(s->around);
	paths_free(s->common);
	bytes_free(&s->object.record);
	free(s);
}

/* Where an object is known that far, its name leads to the mistake. */
static void not_json(struct json_stream *s)
{
	unsigned char *text = yajl_get_error(s->yajl, 0, NULL, 0);
	const struct json_object *o = &s->object;
	int len = text ? strcspn((char *)text, "\n") : 0;

	snprintf(s->text, sizeof(s->text), "not JSON: %.*s%s%.40s%s%.40s",
		 len < 60 ? len : 60, text ? (char *)text : "",
		 s->object_depth ? ", in " : "",
		 s->object_depth ? o->namespace : "",
		 s->object_depth && *o->namespace ? "/" : "",
		 s->object_depth ? o->name : "");
	if (text)
		yajl_free_error(s->yajl, text);
}

const char *json_stream_feed(struct json_stream *s, const char *data,
			     size_t len)
{
	yajl_status status;

	if (*s->text)
		return s->text;
	s->mark = 0;
	status = yajl_parse(s->yajl, (const unsigned char *)data, len);
	s->pending += len - s->mark;
	if (status != yajl_status_ok && !*s->text)
		not_json(s);
	else if (s->pending > JSON_OBJECT_MAX)
		stop(s, "an object is longer than any can be");
	return *s->text ? s->text : NULL;
}

static bool is_list(const struct json_stream *s)
{
	size_t len = strlen(s->list_kind);

	return len > 4 && !strcmp(s->list_kind + len - 4, "List") &&
	       s->has_items && *s->version;
}

const char *json_stream_end(struct json_stream *s)
{
	if (!*s->text && yajl_complete_parse(s->yajl) != yajl_status_ok)
		stop(s, "it ends in the middle");
	if (!*s->text && s->kind == JSON_LIST && !is_list(s))
		stop(s, "the answer is no list");
	return *s->text ? s->text : NULL;
}

bool json_stream_is_whole(const struct json_stream *s)
{
	return !s->depth;
}

const char *json_stream_version(const struct json_stream *s)
{
	return s->version;
}

const char *json_stream_next_page(const struct json_stream *s)
{
	return s->next_page;
}
