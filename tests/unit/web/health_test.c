// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is said of a node's health, and when it is none: the bodies are those of
 * Kubernetes' pkg/proxy/healthcheck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/health.h"

#define HEARD 1000000ull	/* CLOCK_MONOTONIC, ms */
#define S(seconds) ((seconds) * 1000ull)

/* 2026-11-30T01:02:03.45Z */
#define NOW_US 1796000523450000ll

static char body[WEB_BODY_MAX];

static struct web_health well(void)
{
	return (struct web_health){
		.pulse = { .updated_us = NOW_US - 10450000, .is_eligible = 1 },
		.heard_ms = HEARD,
	};
}

static struct web_now at(__u64 ms)
{
	return (struct web_now){ .ms = ms, .us = NOW_US };
}

static void a_time_is_written_as_go_does(void **state)
{
	char text[WEB_TIME_MAX];

	assert_string_equal(web_time(0, text), "0001-01-01T00:00:00Z");
	assert_string_equal(web_time(1000000, text), "1970-01-01T00:00:01Z");
	assert_string_equal(web_time(1000001, text),
			    "1970-01-01T00:00:01.000001Z");
	assert_string_equal(web_time(NOW_US, text), "2026-11-30T01:02:03.45Z");
}

static void a_node_that_is_well_says_so(void **state)
{
	const struct web_health h = well();
	const struct web_now now = at(HEARD + 1);

	assert_int_equal(web_healthz_body(&h, &now, body), 200);
	assert_string_equal(body,
		"{\"lastUpdated\":\"2026-11-30T01:02:03.45Z\",\"currentTime\":\"2026-11-30T01:02:03.45Z\",\"nodeEligible\":true,\"healthy\":true,\"status\":{\"IPv4\":{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"healthy\":true},\"IPv6\":{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"healthy\":true}}}");
	assert_int_equal(web_livez_body(&h, &now, body), 200);
	assert_string_equal(body,
		"{\"lastUpdated\":\"2026-11-30T01:02:03.45Z\",\"currentTime\":\"2026-11-30T01:02:03.45Z\",\"healthy\":true,\"status\":{\"IPv4\":{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"healthy\":true},\"IPv6\":{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"healthy\":true}}}");
}

/* KEP-3836: it is alive, but gets no more connections. */
static void a_node_that_leaves_is_alive(void **state)
{
	const struct web_now now = at(HEARD + 1);
	struct web_health h = well();

	h.pulse.is_eligible = 0;
	assert_int_equal(web_healthz_body(&h, &now, body), 503);
	assert_non_null(strstr(body, "\"nodeEligible\":false,\"healthy\":true"));
	assert_int_equal(web_livez_body(&h, &now, body), 200);
	assert_null(strstr(body, "nodeEligible"));
}

static void a_change_may_wait_for_a_minute(void **state)
{
	struct web_now now = at(HEARD + 1);
	struct web_health h = well();

	h.pulse.waits_since_ms = now.ms - S(60);
	assert_int_equal(web_livez_body(&h, &now, body), 200);
	h.pulse.waits_since_ms--;
	assert_int_equal(web_healthz_body(&h, &now, body), 503);
	assert_int_equal(web_livez_body(&h, &now, body), 503);
	/* the last write, then */
	assert_non_null(strstr(body, "{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"currentTime\":\"2026-11-30T01:02:03.45Z\",\"healthy\":false"));
	assert_non_null(strstr(body, "\"IPv6\":{\"lastUpdated\":\"2026-11-30T01:01:53Z\",\"healthy\":false}"));
}

static void who_is_silent_for_a_minute_is_not_well(void **state)
{
	const struct web_health h = well();
	struct web_now now = at(HEARD + S(60));

	assert_false(web_is_silent(&h, &now));
	assert_int_equal(web_healthz_body(&h, &now, body), 200);
	now.ms++;
	assert_true(web_is_silent(&h, &now));
	assert_int_equal(web_healthz_body(&h, &now, body), 503);
}

static void who_never_said_anything_is_not_well(void **state)
{
	const struct web_health h = {};
	const struct web_now now = at(1);

	assert_int_equal(web_livez_body(&h, &now, body), 503);
}

static const struct web_listener listener = {
	.id = 1, .local = 2, .namespace = "ns", .name = "svc",
};

static void a_health_port_counts_endpoints(void **state)
{
	const struct web_health h = well();
	const struct web_now now = at(HEARD + 1);
	struct web_listener none = listener;

	assert_int_equal(web_health_port_body(&h, &now, &listener, body), 200);
	assert_string_equal(body,
		"{\n\t\"service\": {\n\t\t\"namespace\": \"ns\",\n"
		"\t\t\"name\": \"svc\"\n\t},\n\t\"localEndpoints\": 2,\n"
		"\t\"serviceProxyHealthy\": true\n}");
	none.local = 0;
	assert_int_equal(web_health_port_body(&h, &now, &none, body), 503);
	assert_non_null(strstr(body, "\"localEndpoints\": 0"));
	assert_non_null(strstr(body, "\"serviceProxyHealthy\": true"));
}

/* Whether the Node leaves is not asked there, whether all is in force is. */
static void a_health_port_needs_a_proxy_that_is_well(void **state)
{
	const struct web_now now = at(HEARD + S(61));
	struct web_health h = well();
	struct web_now before = at(HEARD);

	h.pulse.is_eligible = 0;
	assert_int_equal(web_health_port_body(&h, &before, &listener, body),
			 200);
	assert_int_equal(web_health_port_body(&h, &now, &listener, body), 503);
	assert_non_null(strstr(body, "\"localEndpoints\": 2"));
	assert_non_null(strstr(body, "\"serviceProxyHealthy\": false"));
}

static void long_names_find_room(void **state)
{
	const struct web_health h = well();
	const struct web_now now = at(HEARD);
	struct web_listener l = listener;

	memset(l.namespace, 'a', sizeof(l.namespace) - 1);
	memset(l.name, 'b', sizeof(l.name) - 1);
	web_health_port_body(&h, &now, &l, body);
	assert_string_equal(body + strlen(body) - 8, ": true\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_go_does),
		cmocka_unit_test(a_node_that_is_well_says_so),
		cmocka_unit_test(a_node_that_leaves_is_alive),
		cmocka_unit_test(a_change_may_wait_for_a_minute),
		cmocka_unit_test(who_is_silent_for_a_minute_is_not_well),
		cmocka_unit_test(who_never_said_anything_is_not_well),
		cmocka_unit_test(a_health_port_counts_endpoints),
		cmocka_unit_test(a_health_port_needs_a_proxy_that_is_well),
		cmocka_unit_test(long_names_find_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
