// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is at which path, and how often serve is asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/page.h"

static const struct web_listener listener = {
	.id = 1, .local = 1, .namespace = "ns", .name = "svc",
};

static struct web_health health;
static struct web_now now;
static struct page page;
static struct web_answer answer;
static enum web_text which;

static int set_up(void **state)
{
	page = (struct page){};
	answer = (struct web_answer){};
	health = (struct web_health){
		.pulse.is_eligible = 1, .heard_ms = 1000,
	};
	now = (struct web_now){ .ms = 1000, .us = 1 };
	return 0;
}

static int tear_down(void **state)
{
	page_clear(&page);
	return 0;
}

static enum page_state get(enum web_place place, const char *path)
{
	return page_find(&page, place, path, &listener, &health, &now, &answer,
			 &which);
}

static bool has(const char *text)
{
	return memmem(answer.body, answer.len, text, strlen(text));
}

static void expect(enum web_place place, const char *path, unsigned int status,
		   const char *body)
{
	assert_int_equal(get(place, path), PAGE_READY);
	assert_int_equal(answer.status, status);
	assert_int_equal(answer.len, strlen(body));
	assert_memory_equal(answer.body, body, answer.len);
}

static void any_path_is_a_health_ports(void **state)
{
	assert_int_equal(get(WEB_HEALTH_PORT, "/what/ever"), PAGE_READY);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.weight, 1);
	assert_string_equal(answer.type, "application/json");
}

static void paths_of_one_place_are_not_the_others(void **state)
{
	expect(WEB_HEALTHZ, "/", 404, "404 page not found\n");
	expect(WEB_HEALTHZ, "/metrics", 404, "404 page not found\n");
	expect(WEB_METRICS, "/livez", 404, "404 page not found\n");
	expect(WEB_METRICS, "/healthz", 200, "ok");
	expect(WEB_METRICS, "/proxyMode", 200, "fairlead");
	assert_int_equal(get(WEB_HEALTHZ, "/healthz"), PAGE_READY);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.weight, -1);
	assert_int_equal(get(WEB_HEALTHZ, "/livez"), PAGE_READY);
	assert_int_equal(answer.status, 200);
}

static void one_that_is_alone_says_so(void **state)
{
	now.ms += WEB_PATIENCE_MS + 1;
	expect(WEB_METRICS, "/healthz", 503,
	       "\"fairlead: serve\" is silent\n");
}

static void config_is_there_once_it_is_said(void **state)
{
	expect(WEB_METRICS, "/configz", 404, "404 page not found\n");
	page_config(&page, "{}", 2);
	expect(WEB_METRICS, "/configz", 200, "{}");
	page_config(&page, "{\"a\":1}", 7);
	expect(WEB_METRICS, "/configz", 200, "{\"a\":1}");
}

static void serve_is_asked_once_for_many(void **state)
{
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_TO_BE_ASKED);
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_ASKED);
	assert_false(page_take(&page, WEB_TEXT_METRICS, "one 1\n", 6, false, now.ms));
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_ASKED);
	assert_true(page_take(&page, WEB_TEXT_METRICS, "two 2\n", 6, true, now.ms));
	expect(WEB_METRICS, "/metrics", 200, "one 1\ntwo 2\n");
	now.ms += PAGE_FRESH_MS - 1;
	expect(WEB_METRICS, "/metrics", 200, "one 1\ntwo 2\n");
	now.ms++;
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_TO_BE_ASKED);
	page_take(&page, WEB_TEXT_METRICS, "three 3\n", 8, true, now.ms);
	expect(WEB_METRICS, "/metrics", 200, "three 3\n");
}

/* Old figures are not given for new ones. */
static void serve_that_does_not_answer_is_waited_for_a_while(void **state)
{
	page_take(&page, WEB_TEXT_METRICS, "one 1\n", 6, true, now.ms);
	now.ms += PAGE_FRESH_MS;
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_TO_BE_ASKED);
	now.ms += PAGE_PATIENCE_MS - 1;
	assert_false(page_give_up(&page, now.ms));
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_ASKED);
	now.ms++;
	assert_true(page_give_up(&page, now.ms));
	expect(WEB_METRICS, "/metrics", 503,
	       "\"fairlead: serve\" does not answer\n");
	page_take(&page, WEB_TEXT_METRICS, "two 2\n", 6, true, now.ms);
	expect(WEB_METRICS, "/metrics", 200, "two 2\n");
}

static void answers_about_health_are_counted(void **state)
{
	page.has_healthz = true;
	get(WEB_HEALTHZ, "/healthz");
	get(WEB_HEALTHZ, "/healthz");
	health.pulse.is_eligible = 0;
	get(WEB_HEALTHZ, "/healthz");
	get(WEB_HEALTHZ, "/livez");
	page_take(&page, WEB_TEXT_METRICS, "one 1\n", 6, true, now.ms);
	assert_int_equal(get(WEB_METRICS, "/metrics"), PAGE_READY);
	assert_true(has("\nkubeproxy_proxy_healthz_total{code=\"200\"} 2\n"));
	assert_true(has("\nkubeproxy_proxy_healthz_total{code=\"503\"} 1\n"));
	assert_true(has("\nkubeproxy_proxy_livez_total{code=\"200\"} 1\n"));
	assert_true(has("\nkubeproxy_proxy_livez_total{code=\"503\"} 0\n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_path_is_a_health_ports),
		TEST(paths_of_one_place_are_not_the_others),
		TEST(one_that_is_alone_says_so),
		TEST(config_is_there_once_it_is_said),
		TEST(serve_is_asked_once_for_many),
		TEST(serve_that_does_not_answer_is_waited_for_a_while),
		TEST(answers_about_health_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
