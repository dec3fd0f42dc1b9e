// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Objects as another process tells them, who may tell anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/object_record.h"

static struct bytes_out b;

static int tear_down(void **state)
{
	bytes_free(&b);
	return 0;
}

static void key(const char *text)
{
	record_text(&b, RECORD_KEY, text);
}

static void bare(enum record_event event)
{
	record_field(&b, event, NULL, 0);
}

static void text(const char *text)
{
	record_text(&b, RECORD_STRING, text);
}

static void metadata(void)
{
	key("metadata");
	bare(RECORD_MAP);
	key("name");
	text("web");
	key("namespace");
	text("ns");
	bare(RECORD_END);
}

/* What has been told since the last time. */
static struct kube_object *told(void)
{
	struct record r = { .at = b.data, .end = b.data + b.len };
	struct kube_object *o = object_record_read(KUBE_SERVICE, &r);

	assert_non_null(o);
	b.len = 0;
	return o;
}

static void a_service(void **state)
{
	struct kube_object *o;
	const struct kube_port *port;

	bare(RECORD_MAP);
	metadata();
	key("spec");
	bare(RECORD_MAP);
	key("clusterIP");
	text("10.96.0.1");
	key("ports");
	bare(RECORD_LIST);
	bare(RECORD_MAP);
	key("port");
	record_text(&b, RECORD_NUMBER, "80");
	bare(RECORD_END);
	bare(RECORD_END);
	bare(RECORD_END);
	bare(RECORD_END);
	o = told();
	assert_int_equal(o->nr_mistakes, 0);
	assert_string_equal(o->name, "web");
	assert_string_equal(o->namespace, "ns");
	assert_int_equal(o->service.ports.count, 1);
	port = o->service.ports.items;
	assert_int_equal(port->port, 80);
	kube_object_free(o);
}

static void one_without_a_name_is_wrong(void **state)
{
	struct kube_object *o = told();

	assert_true(o->nr_mistakes > 0);
	kube_object_free(o);
}

static void ends_that_nothing_began(void **state)
{
	struct kube_object *o;

	for (int i = 0; i < 3; i++)
		bare(RECORD_END);
	bare(RECORD_MAP);
	metadata();
	for (int i = 0; i < 3; i++)
		bare(RECORD_END);
	text("x");
	o = told();
	assert_string_equal(o->name, "web");
	assert_true(o->nr_mistakes > 0);
	kube_object_free(o);
}

static void beginnings_without_end(void **state)
{
	struct kube_object *o;

	for (int i = 0; i < 1000; i++) {
		bare(RECORD_MAP);
		key("spec");
		bare(RECORD_LIST);
	}
	o = told();
	assert_true(o->nr_mistakes > 0);
	kube_object_free(o);
}

/* It once was compared as text, and read on behind it. */
static void a_key_with_a_nul_in_it(void **state)
{
	char name[64] = "name";
	struct kube_object *o;

	for (size_t len = 5; len < sizeof(name); len++) {
		bare(RECORD_MAP);
		key("metadata");
		bare(RECORD_MAP);
		record_field(&b, RECORD_KEY, name, len);
		text("web");
		o = told();
		assert_null(o->name);
		kube_object_free(o);
	}
}

static void a_field_that_is_broken(void **state)
{
	struct kube_object *o;

	bare(RECORD_MAP);
	metadata();
	bare(RECORD_END);
	bytes_add(&b, "abc", 3);
	o = told();
	assert_int_equal(o->nr_mistakes, 1);
	assert_string_equal(o->mistakes->text, "what is said of it is broken");
	kube_object_free(o);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service),
		TEST(one_without_a_name_is_wrong),
		TEST(ends_that_nothing_began),
		TEST(beginnings_without_end),
		TEST(a_key_with_a_nul_in_it),
		TEST(a_field_that_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
