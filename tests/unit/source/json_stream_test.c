// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lists, watches and errors of an API server, whole and a byte at a time; what
 * is no JSON, or too much of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/json_stream.h"

static const struct path_row rows[] = {
	{ "metadata>name", 1 },
	{ "spec>ports[]", 1 },
	{ "spec>ports[]>port", 1 },
	{ "spec>clusterIPs[]", 1 },
	{ "ready", 1 },
};

struct seen {
	struct path_node *fields;
	struct json_stream *stream;
	char text[4096];	/* what was told */
	const char *answer;	/* to each object */
};

/* "{ k=metadata { k=name 's' } }": as the record has it. */
static void write_record(FILE *out, const struct json_object *o)
{
	struct record r = {
		.at = o->record.data + o->begin + sizeof(struct record_header),
		.end = o->record.data + o->record.len,
	};
	struct record_field f;
	int more;

	while ((more = record_next(&r, &f)) > 0) {
		static const char *const forms[] = {
			[RECORD_MAP] = "{%.*s", [RECORD_LIST] = "[%.*s",
			[RECORD_END] = ".%.*s", [RECORD_KEY] = " %.*s=",
			[RECORD_STRING] = "'%.*s'", [RECORD_NUMBER] = "#%.*s",
			[RECORD_BOOLEAN] = "?%.*s",
		};

		fprintf(out, forms[f.id], (int)f.len, f.data);
	}
	assert_int_equal(more, 0);
}

static const char *on_object(void *arg, const char *type,
			     struct json_object *o)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);
	FILE *out = fmemopen(seen->text + len, sizeof(seen->text) - len, "w");

	fprintf(out, "%s %s/%s@%s ", type ?: "-", o->namespace, o->name,
		o->version);
	if (o->code)
		fprintf(out, "%d %s (%s) %s %u ", o->code, o->reason,
			o->message, o->cause, o->retry_after_s);
	if (o->too_long)
		fprintf(out, "too long: %s ", o->too_long);
	write_record(out, o);
	fprintf(out, "\n");
	fclose(out);
	return seen->answer;
}

static const struct json_stream_ops ops = { .object = on_object };

static void begin(struct seen *seen, enum json_stream_kind kind)
{
	*seen = (struct seen){};
	assert_int_equal(paths_new(rows, sizeof(rows) / sizeof(rows[0]),
				   &seen->fields), 0);
	assert_int_equal(json_stream_new(kind, seen->fields, 1, &ops, seen,
					 &seen->stream), 0);
}

static void end(struct seen *seen)
{
	json_stream_free(seen->stream);
	paths_free(seen->fields);
}

static const char *feed(struct seen *seen, const char *text)
{
	return json_stream_feed(seen->stream, text, strlen(text));
}

#define OBJECT(name) "{\"metadata\":{\"name\":\"" name "\"," \
	"\"namespace\":\"ns\",\"resourceVersion\":\"5\"," \
	"\"managedFields\":[{\"x\":[{}]}]},\"spec\":{\"ports\":[" \
	"{\"name\":\"a\",\"port\":80},{\"port\":null}]," \
	"\"clusterIPs\":[\"10.0.0.1\"],\"other\":[1,{}]},\"ready\":true}"
#define TOLD_OBJECT(name) "{ metadata={ name='" name "'. spec={ ports=[" \
	"{ port=#80.{ port=.. clusterIPs=['10.0.0.1'.. ready=?true.\n"

static const char list[] =
	"{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{"
	"\"resourceVersion\":\"77\",\"continue\":\"more\"},\"items\":["
	OBJECT("a") "," OBJECT("b") "]}\n";
static const char list_told[] =
	"- ns/a@5 " TOLD_OBJECT("a") "- ns/b@5 " TOLD_OBJECT("b");

static void a_list(void **state)
{
	struct seen seen;

	begin(&seen, JSON_LIST);
	assert_null(feed(&seen, list));
	assert_null(json_stream_end(seen.stream));
	assert_string_equal(seen.text, list_told);
	assert_string_equal(json_stream_version(seen.stream), "77");
	assert_string_equal(json_stream_next_page(seen.stream), "more");
	end(&seen);
}

static void a_list_byte_by_byte(void **state)
{
	struct seen seen;

	begin(&seen, JSON_LIST);
	for (const char *p = list; *p; p++)
		assert_null(json_stream_feed(seen.stream, p, 1));
	assert_null(json_stream_end(seen.stream));
	assert_string_equal(seen.text, list_told);
	end(&seen);
}

/* However short it is cut, it is never taken for whole. */
static void a_list_that_is_cut_off(void **state)
{
	struct seen seen;

	for (size_t len = 0; len < strlen(list) - 1; len++) {
		begin(&seen, JSON_LIST);
		assert_null(json_stream_feed(seen.stream, list, len));
		assert_non_null(json_stream_end(seen.stream));
		end(&seen);
	}
}

static void expect_no_list(const char *text)
{
	struct seen seen;
	const char *why;

	begin(&seen, JSON_LIST);
	why = feed(&seen, text) ?: json_stream_end(seen.stream);
	if (!why)
		fail_msg("taken for a list: %s", text);
	end(&seen);
}

static void what_is_no_list(void **state)
{
	expect_no_list("{}");
	expect_no_list("[]");
	expect_no_list("1");
	expect_no_list("null");
	expect_no_list("");
	expect_no_list("<html>502</html>");
	expect_no_list("{\"kind\":\"ServiceList\",\"metadata\":"
		       "{\"resourceVersion\":\"1\"}}");
	expect_no_list("{\"kind\":\"ServiceList\",\"items\":[]}");
	expect_no_list("{\"kind\":\"Status\",\"items\":[],\"metadata\":"
		       "{\"resourceVersion\":\"1\"}}");
	expect_no_list("{\"kind\":\"ServiceList\",\"items\":[7],\"metadata\":"
		       "{\"resourceVersion\":\"1\"}}");
	expect_no_list("{\"kind\":\"ServiceList\",\"items\":[[]],\"metadata\":"
		       "{\"resourceVersion\":\"1\"}}");
	expect_no_list("{\"kind\":\"ServiceList\",\"items\":[],\"metadata\":"
		       "{\"resourceVersion\":\"1\"}} {}");
}

static void an_empty_list(void **state)
{
	struct seen seen;

	begin(&seen, JSON_LIST);
	assert_null(feed(&seen, "{\"kind\":\"ServiceList\",\"items\":null,"
				"\"metadata\":{\"resourceVersion\":\"1\"}}"));
	assert_null(json_stream_end(seen.stream));
	assert_string_equal(seen.text, "");
	end(&seen);
}

static void events_of_a_watch(void **state)
{
	struct seen seen;

	begin(&seen, JSON_WATCH);
	assert_null(feed(&seen, "{\"type\":\"ADDED\",\"object\":" OBJECT("a")
				"}\n{\"object\":" OBJECT("b")
				",\"type\":\"DELETED\"}"));
	assert_true(json_stream_is_whole(seen.stream));
	assert_string_equal(seen.text, "ADDED ns/a@5 " TOLD_OBJECT("a")
				       "DELETED ns/b@5 " TOLD_OBJECT("b"));
	assert_null(feed(&seen, "\n{\"type\":\"BOOKMARK\",\"object\":{"));
	assert_false(json_stream_is_whole(seen.stream));
	assert_null(feed(&seen, "\"metadata\":{\"resourceVersion\":\"9\"}}}"));
	assert_true(json_stream_is_whole(seen.stream));
	assert_null(json_stream_end(seen.stream));
	end(&seen);
}

static void an_error_event(void **state)
{
	struct seen seen;

	begin(&seen, JSON_WATCH);
	assert_null(feed(&seen, "{\"type\":\"ERROR\",\"object\":{\"kind\":"
		"\"Status\",\"status\":\"Failure\",\"message\":\"too old\","
		"\"reason\":\"Expired\",\"code\":410}}"));
	assert_string_equal(seen.text,
			    "ERROR /@ 410 Expired (too old)  0 {.\n");
	end(&seen);
}

static void a_status(void **state)
{
	struct seen seen;

	begin(&seen, JSON_STATUS);
	assert_null(feed(&seen, "{\"kind\":\"Status\",\"code\":504,"
		"\"reason\":\"Timeout\",\"message\":\"Too large\","
		"\"details\":{\"causes\":[{\"reason\":"
		"\"ResourceVersionTooLarge\"},{\"reason\":\"x\"}],"
		"\"retryAfterSeconds\":3}}"));
	assert_string_equal(seen.text, "- /@ 504 Timeout (Too large) "
				       "ResourceVersionTooLarge 3 {.\n");
	end(&seen);
}

static void expect_no_event(const char *text)
{
	struct seen seen;

	begin(&seen, JSON_WATCH);
	if (!feed(&seen, text))
		fail_msg("taken for an event: %s", text);
	end(&seen);
}

static void what_is_no_event(void **state)
{
	expect_no_event("{}");
	expect_no_event("7 ");
	expect_no_event("[]");
	expect_no_event("null ");
	expect_no_event("{\"type\":\"ADDED\"}");
	expect_no_event("{\"object\":{}}");
	expect_no_event("{\"type\":\"ADDED\",\"object\":7}");
	expect_no_event("{\"type\":\"ADDED\",\"object\":[]}");
	expect_no_event("{\"type\":\"ADDED\",\"object\":{}}}");
	expect_no_event("{\"type\":\"a word that is far too long\"");
	expect_no_event("\xff\xfe");
	expect_no_event("{\"type\":\"\xff\"");
}

/* Where the object is known already, it is named. */
static void garbage_in_an_object(void **state)
{
	struct seen seen;
	const char *why;

	begin(&seen, JSON_WATCH);
	why = feed(&seen, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{"
			  "\"name\":\"web\",\"namespace\":\"ns\"},!");
	assert_non_null(strstr(why, "in ns/web"));
	assert_string_equal(feed(&seen, "{}"), why);
	end(&seen);
}

static void names_that_are_none(void **state)
{
	struct seen seen;
	char text[1024] = "{\"type\":\"ADDED\",\"object\":{\"metadata\":"
			  "{\"name\":\"";

	begin(&seen, JSON_WATCH);
	memset(text + strlen(text), 'a', 300);
	strcat(text, "\"}}}");
	assert_null(feed(&seen, text));
	assert_non_null(strstr(seen.text, "too long: name"));
	seen.text[0] = '\0';
	assert_null(feed(&seen, "{\"type\":\"ADDED\",\"object\":{\"metadata\":"
				"{\"name\":\"a\\u0000b\"}}}"));
	assert_non_null(strstr(seen.text, "too long: name"));
	end(&seen);
}

/* A line without an end ends somewhere all the same. */
static void ten_gigabytes_in_one_line(void **state)
{
	static char letters[65536];
	const char *why = NULL;
	size_t fed = 0;
	struct seen seen;

	memset(letters, 'a', sizeof(letters));
	begin(&seen, JSON_WATCH);
	assert_null(feed(&seen, "{\"type\":\"ADDED\",\"object\":{\"x\":\""));
	while (!why && fed < (16u << 20)) {
		why = json_stream_feed(seen.stream, letters, sizeof(letters));
		fed += sizeof(letters);
	}
	assert_string_equal(why, "an object is longer than any can be");
	assert_in_range(fed, JSON_OBJECT_MAX / 2, JSON_OBJECT_MAX + 131072);
	end(&seen);
}

/* It is each object that is limited, not all of them. */
static void a_list_of_many_megabytes(void **state)
{
	struct seen seen;

	begin(&seen, JSON_LIST);
	assert_null(feed(&seen, "{\"kind\":\"ServiceList\",\"metadata\":{"
				"\"resourceVersion\":\"77\"},\"items\":[{}"));
	for (int i = 0; i < 200000; i++) {
		assert_null(feed(&seen, "," OBJECT("a")));
		seen.text[0] = '\0';
	}
	assert_null(feed(&seen, "]}"));
	assert_null(json_stream_end(seen.stream));
	end(&seen);
}

static void brackets_without_end(void **state)
{
	struct seen seen;
	const char *why = NULL;

	begin(&seen, JSON_WATCH);
	assert_null(feed(&seen, "{\"type\":\"ADDED\",\"object\":{\"x\":"));
	for (int i = 0; !why && i < 1000; i++)
		why = feed(&seen, "[");
	assert_string_equal(why, "it is nested too deeply");
	end(&seen);
}

static void who_reads_may_stop_it(void **state)
{
	struct seen seen;

	begin(&seen, JSON_LIST);
	seen.answer = "enough";
	assert_string_equal(feed(&seen, list), "enough");
	assert_string_equal(json_stream_end(seen.stream), "enough");
	end(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list),
		cmocka_unit_test(a_list_byte_by_byte),
		cmocka_unit_test(a_list_that_is_cut_off),
		cmocka_unit_test(what_is_no_list),
		cmocka_unit_test(an_empty_list),
		cmocka_unit_test(events_of_a_watch),
		cmocka_unit_test(an_error_event),
		cmocka_unit_test(a_status),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(garbage_in_an_object),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(ten_gigabytes_in_one_line),
		cmocka_unit_test(a_list_of_many_megabytes),
		cmocka_unit_test(brackets_without_end),
		cmocka_unit_test(who_reads_may_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
