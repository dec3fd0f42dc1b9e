// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an engine says of a container (the answers of ContainerInspect in the
 * API of Docker Engine 1.41), to workloads; and what is none, or is to do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "source/container.h"
#include "source/json_stream.h"
#include "source/leaves.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct path_node *fields;

struct seen {
	struct container container;
	const char *mistake;
	unsigned int count;
};

static const char *on_object(void *arg, const char *type,
			     struct json_object *o)
{
	struct seen *s = arg;
	const char *why;
	struct record r;

	assert_null(type);
	assert_true(record_end(&o->record, o->begin));
	assert_true(record_parse(o->record.data + o->begin,
				 o->record.len - o->begin, &r, &why) > 0);
	if (s->count++)
		container_clear(&s->container);
	s->mistake = container_read(&r, &s->container);
	return NULL;
}

static const struct json_stream_ops ops = { .object = on_object };

/* Of so many bytes at a time. Why it is not to be read any more, or NULL. */
static bool read_by(const char *json, size_t step, struct seen *s)
{
	size_t len = strlen(json), at = 0;
	struct json_stream *stream;
	bool is_right = true;

	*s = (struct seen){};
	assert_int_equal(json_stream_new(JSON_STATUS, fields, 0, &ops, s,
					 &stream), 0);
	for (; at < len && is_right; at += step)
		is_right = !json_stream_feed(stream, json + at,
					     at + step < len ? step :
							       len - at);
	is_right = is_right && !json_stream_end(stream);
	json_stream_free(stream);
	return is_right;
}

static void read_whole(const char *json, struct seen *s)
{
	assert_true(read_by(json, strlen(json), s));
	assert_int_equal(s->count, 1);
}

static const char typical[] =
	"{\"Id\":\"" ID "\",\"Created\":\"2026-01-01T00:00:00Z\","
	"\"Path\":\"sh\",\"Args\":[\"-c\",\"x\"],"
	"\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":77},"
	"\"Name\":\"/web_1\",\"HostConfig\":{\"NetworkMode\":\"default\","
	"\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}},"
	"\"Config\":{\"Labels\":{\"b\":\"2\",\"a\":\"\","
	"\"com.docker.compose.service\":\"web\"}},"
	"\"NetworkSettings\":{\"SandboxKey\":\"/var/run/docker/netns/ab\","
	"\"IPAddress\":\"172.17.0.2\",\"Networks\":{"
	"\"app\":{\"Aliases\":[\"x\"],\"DriverOpts\":null,"
	"\"IPAMConfig\":{\"IPAddress\":\"1.2.3.4\"},"
	"\"IPAddress\":\"10.1.0.2\",\"GlobalIPv6Address\":\"fd00::2\","
	"\"MacAddress\":\"02:42:0a:01:00:02\"},"
	"\"bridge\":{\"IPAddress\":\"172.17.0.2\","
	"\"GlobalIPv6Address\":\"\",\"MacAddress\":\"02:42:ac:11:00:02\"}}}}";

static void assert_addr(const struct addr *a, const char *text)
{
	char is[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(a, is), text);
}

static void check_typical(const struct container *c)
{
	static const __u8 mac[6] = { 0x02, 0x42, 0xac, 0x11, 0, 2 };

	assert_string_equal(c->id, ID);
	assert_string_equal(c->name, "web_1");
	assert_string_equal(c->namespace, "docker");
	assert_string_equal(c->sandbox, "/var/run/docker/netns/ab");
	assert_true(c->runs);
	assert_null(container_doubt(c));
	assert_int_equal(c->labels.count, 3);
	assert_string_equal(c->labels.at[0].key, "a");
	assert_string_equal(c->labels.at[0].value, "");
	assert_string_equal(c->labels.at[2].value, "web");
	/* the one that it was made with is the first */
	assert_int_equal(c->nr_ends, 2);
	assert_string_equal(c->ends[0].network, "bridge");
	assert_int_equal(c->ends[0].nr_addrs, 1);
	assert_addr(&c->ends[0].addrs[0], "172.17.0.2");
	assert_memory_equal(c->ends[0].mac, mac, 6);
	assert_int_equal(c->ends[1].nr_addrs, 2);
	assert_addr(&c->ends[1].addrs[1], "fd00::2");
}

static void one_that_runs(void **state)
{
	const size_t steps[] = { sizeof(typical), 1, 7 };
	struct seen s;

	for (size_t i = 0; i < 3; i++) {
		assert_true(read_by(typical, steps[i], &s));
		assert_null(s.mistake);
		check_typical(&s.container);
		container_clear(&s.container);
	}
}

static void its_ends_are_pods_of_this_node(void **state)
{
	const struct model_workload *w;
	struct kube_object *o;
	struct seen s;

	read_whole(typical, &s);
	assert_int_equal(container_pods(&s.container), 2);
	o = container_pod(&s.container, 0, "veth1");
	assert_string_equal(o->namespace, "docker");
	assert_string_equal(o->name, "web_1");
	assert_true(o->pod.is_here);
	w = o->item;
	assert_string_equal(w->interface, "veth1");
	assert_string_equal(w->labels.label[1].key, "b");
	assert_true(w->is_here && !w->is_host_network);
	kube_object_free(o);
	o = container_pod(&s.container, 1, NULL);
	w = o->item;
	assert_string_equal(w->name, "web_1.app");
	assert_false(w->is_here);
	assert_addr(&w->addrs[0], "10.1.0.2");
	kube_object_free(o);
	container_clear(&s.container);
}

static __u64 digest(const char *json, const char *interface)
{
	struct kube_object *o;
	struct seen s;
	__u64 ret;

	read_whole(json, &s);
	o = container_pod(&s.container, 0, interface);
	ret = o->digest;
	kube_object_free(o);
	container_clear(&s.container);
	return ret;
}

#define SMALL(rest) "{\"Id\":\"" ID "\",\"Name\":\"/c\"," \
	"\"State\":{\"Running\":true}," rest "}"
#define NET(mode, networks) "\"HostConfig\":{\"NetworkMode\":\"" mode "\"}," \
	"\"NetworkSettings\":{\"Networks\":{" networks "}}"
#define BRIDGE "\"bridge\":{\"IPAddress\":\"10.0.0.1\"}"
#define LABEL(key, value) "\"Config\":{\"Labels\":{\"" key "\":\"" value "\"}}"

static void what_changes_has_another_digest(void **state)
{
	const char *labelled = SMALL(LABEL("a", "b") ","
				     NET("bridge", BRIDGE));

	assert_true(digest(labelled, "x") == digest(labelled, "x"));
	assert_true(digest(labelled, "x") != digest(labelled, "y"));
	assert_true(digest(labelled, "x") !=
		    digest(SMALL(LABEL("ab", "") "," NET("bridge", BRIDGE)),
			   "x"));
}

static void modes(void **state)
{
	static const struct {
		const char *json, *doubt;
		size_t pods;
	} rows[] = {
		{ SMALL(NET("host", "\"host\":{\"IPAddress\":\"\"}")),
		  "has the host's network, and no interface of its own", 1 },
		{ SMALL(NET("container:abc", "")), "shares another container's interface, so that the policy of that one counts", 0 },
		{ SMALL(NET("none", "\"none\":{\"IPAddress\":\"\"}")), NULL, 0 },
		{ SMALL(NET("slirp4netns", "")), "has no network that the engine tells of", 0 },
		{ SMALL(NET("bridge", BRIDGE)), NULL, 1 },
	};
	struct seen s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_whole(rows[i].json, &s);
		assert_null(s.mistake);
		assert_int_equal(container_pods(&s.container), rows[i].pods);
		if (rows[i].doubt)
			assert_string_equal(container_doubt(&s.container),
					    rows[i].doubt);
		else
			assert_null(container_doubt(&s.container));
		container_clear(&s.container);
	}
}

static void one_in_the_hosts_network_is_as_the_host(void **state)
{
	const struct model_workload *w;
	struct kube_object *o;
	struct seen s;

	read_whole(SMALL(NET("host", "")), &s);
	o = container_pod(&s.container, 0, NULL);
	w = o->item;
	assert_true(w->is_host_network);
	assert_int_equal(w->nr_addrs, 0);
	kube_object_free(o);
	container_clear(&s.container);
}

static void a_label_names_its_namespace(void **state)
{
	struct seen s;

	read_whole(SMALL(LABEL("fairlead.namespace", "shop")), &s);
	assert_null(s.mistake);
	assert_string_equal(s.container.namespace, "shop");
	container_clear(&s.container);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void what_makes_no_sense_is_nobody(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{\"Id\":\"" ID "\"}",
		"{\"Id\":5,\"Name\":\"/c\"}",
		"{\"Id\":\"../../../../etc/passwd\",\"Name\":\"/c\"}",
		"{\"Id\":\"" ID "0\",\"Name\":\"/c\"}",
		"{\"Id\":\"" ID "\",\"Name\":\"/a/b\"}",
		"{\"Id\":\"" ID "\",\"Name\":\"/\\u0000\"}",
		"{\"Id\":\"" ID "\",\"Name\":\"/\\u001b[2J\"}",
		"{\"Id\":\"" ID "\",\"Name\":\"/" X64 X64 "\"}",
		SMALL(LABEL("fairlead.namespace", "../x")),
		SMALL(LABEL("fairlead.namespace", "")),
		SMALL(LABEL("fairlead.namespace", X64)),
		SMALL(LABEL("a", "\\u0000")),
		SMALL(LABEL("\\u0000", "a")),
		SMALL("\"Config\":{\"Labels\":{\"a\":\"1\",\"a\":\"2\"}}"),
		SMALL(NET("bridge", "\"n\":{\"IPAddress\":\"10.0.0.999\"}")),
		SMALL(NET("bridge", "\"n\":{\"IPAddress\":\"" X64 "\"}")),
		SMALL(NET("bridge", "\"n\":{\"IPAddress\":77}")),
		SMALL(NET("bridge", "\"n\":{\"MacAddress\":\"zz\"}")),
		SMALL(NET("bridge", "\"\":{\"IPAddress\":\"10.0.0.1\"}")),
		SMALL(NET("bridge", "\"a/b\":{\"IPAddress\":\"10.0.0.1\"}")),
		SMALL(NET(X64 X64, "")),
	};
	struct seen s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_whole(rows[i], &s);
		if (!s.mistake)
			fail_msg("taken: %s", rows[i]);
		container_clear(&s.container);
	}
}

/* Values in other places than they belong are nothing. */
static void what_is_elsewhere_is_not_read(void **state)
{
	struct seen s;

	read_whole(SMALL("\"Config\":{\"Labels\":{\"a\":{\"b\":\"c\"},\"d\":[\"e\"]}},"
			 "\"NetworkSettings\":{\"Networks\":["
			 "{\"n\":{\"IPAddress\":\"10.0.0.1\"}}]}"), &s);
	assert_null(s.mistake);
	assert_int_equal(s.container.labels.count, 0);
	assert_int_equal(s.container.nr_ends, 0);
	container_clear(&s.container);
}

static void too_many_networks(void **state)
{
	char json[16384];
	size_t len = sprintf(json, "{\"Id\":\"" ID "\",\"Name\":\"/c\","
			     "\"NetworkSettings\":{\"Networks\":{");
	struct seen s;

	for (int i = 0; i <= CONTAINER_NETWORKS_MAX; i++)
		len += sprintf(json + len, "%s\"n%d\":{\"IPAddress\":\"10.0.0.1\"}",
			       i ? "," : "", i);
	strcpy(json + len, "}}}");
	read_whole(json, &s);
	assert_non_null(s.mistake);
	container_clear(&s.container);
}

static void what_is_no_json_ends_it(void **state)
{
	static const char *const rows[] = {
		"", "[]", "[{}]", "5", "null", "{", "{\"Id\":\"" ID, "{}{}",
		"\xff\xfe", "{\"Id\":\"\xff\"}", "<html>",
	};
	struct seen s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (read_by(rows[i], 3, &s))
			fail_msg("taken: %s", rows[i]);
		container_clear(&s.container);
	}
}

/* Of a process that was taken over. */
static void records_that_are_broken(void **state)
{
	struct bytes_out b = {};
	struct container c;
	struct record r;

	record_field(&b, RECORD_END, NULL, 0);
	r = (struct record){ .at = b.data, .end = b.data + b.len };
	assert_non_null(container_read(&r, &c));
	container_clear(&c);
	b.len = 0;
	record_field(&b, RECORD_KEY, "Id", 2);
	r = (struct record){ .at = b.data, .end = b.data + b.len };
	assert_non_null(container_read(&r, &c));
	container_clear(&c);
	b.len = 0;
	for (int i = 0; i < 3000; i++)
		record_field(&b, RECORD_MAP, NULL, 0);
	r = (struct record){ .at = b.data, .end = b.data + b.len };
	assert_non_null(container_read(&r, &c));
	container_clear(&c);
	r.end = r.at + 5;
	assert_non_null(container_read(&r, &c));
	container_clear(&c);
	bytes_free(&b);
}

static const char *count_objects(void *arg, const char *type,
				 struct json_object *o)
{
	++*(int *)arg;
	return NULL;
}

/* Lists and events are objects, in a list and one after the other. */
static void lists_and_events(void **state)
{
	static const struct json_stream_ops counting = {
		.object = count_objects,
	};
	static const struct {
		enum json_stream_kind kind;
		const char *json;
		int count;	/* -1: it is none */
	} rows[] = {
		{ JSON_ARRAY, "[{\"Id\":\"a\"},{\"Id\":\"b\",\"x\":[[1]]}]", 2 },
		{ JSON_ARRAY, "[]", 0 },
		{ JSON_ARRAY, "{}", -1 },
		{ JSON_ARRAY, "[[{}]]", -1 },
		{ JSON_ARRAY, "[5]", -1 },
		{ JSON_ARRAY, "[{}", -1 },
		{ JSON_ARRAY, "[{}][{}]", -1 },
		{ JSON_OBJECTS, "{\"Id\":\"a\"}\n{}\n{}", 3 },
		{ JSON_OBJECTS, "{} [{}]", -1 },
		{ JSON_OBJECTS, "7", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_stream *s;
		int count = 0;
		bool is_wrong;

		assert_int_equal(json_stream_new(rows[i].kind, fields, 0,
						 &counting, &count, &s), 0);
		is_wrong = json_stream_feed(s, rows[i].json,
					    strlen(rows[i].json)) ||
			   json_stream_end(s);
		json_stream_free(s);
		if ((is_wrong ? -1 : count) != rows[i].count)
			fail_msg("%s: %d", rows[i].json, count);
	}
}

static int set_up(void **state)
{
	int err = paths_new(NULL, 0, &fields);

	for (size_t i = 0; !err && container_paths[i]; i++)
		err = paths_add(fields, container_paths[i], 1);
	return err;
}

static int tear_down(void **state)
{
	paths_free(fields);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_runs),
		cmocka_unit_test(its_ends_are_pods_of_this_node),
		cmocka_unit_test(what_changes_has_another_digest),
		cmocka_unit_test(modes),
		cmocka_unit_test(one_in_the_hosts_network_is_as_the_host),
		cmocka_unit_test(a_label_names_its_namespace),
		cmocka_unit_test(what_makes_no_sense_is_nobody),
		cmocka_unit_test(what_is_elsewhere_is_not_read),
		cmocka_unit_test(too_many_networks),
		cmocka_unit_test(what_is_no_json_ends_it),
		cmocka_unit_test(records_that_are_broken),
		cmocka_unit_test(lists_and_events),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
