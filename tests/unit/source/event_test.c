// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Events as the API has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/event.h"

#define NOW_US 1796000523000045ll

static void expect(const struct kube_event *e, const char *json)
{
	char *text = kube_event_json(e, "node-1", NOW_US);

	assert_non_null(text);
	assert_string_equal(text, json);
	free(text);
}

static void an_event_of_a_node(void **state)
{
	const struct kube_event e = {
		.reason = "Starting", .action = "Start", .note = "",
		.kind = "Node", .name = "node-1", .uid = "node-1",
	};

	assert_string_equal(kube_event_namespace(&e), "default");
	expect(&e, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\","
	       "\"metadata\":{\"name\":\"node-1.18ecacf5c5d55dc8\","
	       "\"namespace\":\"default\"},"
	       "\"eventTime\":\"2026-11-30T01:02:03.000045Z\","
	       "\"reportingController\":\"fairlead\","
	       "\"reportingInstance\":\"fairlead-node-1\","
	       "\"type\":\"Normal\",\"reason\":\"Starting\","
	       "\"action\":\"Start\",\"note\":\"\","
	       "\"regarding\":{\"apiVersion\":\"v1\",\"kind\":\"Node\","
	       "\"name\":\"node-1\",\"uid\":\"node-1\"}}");
}

static void an_event_of_a_service(void **state)
{
	const struct kube_event e = {
		.is_warning = true,
		.reason = "R", .action = "A", .note = "a \"word\"\n",
		.kind = "Service", .namespace = "ns", .name = "svc",
		.uid = "ns/svc",
	};
	char *text = kube_event_json(&e, "n", NOW_US);

	assert_string_equal(kube_event_namespace(&e), "ns");
	assert_non_null(strstr(text, "\"namespace\":\"ns\"}"));
	assert_non_null(strstr(text, "\"type\":\"Warning\""));
	assert_non_null(strstr(text, "\"note\":\"a \\\"word\\\"\\n\""));
	assert_non_null(strstr(text, "\"regarding\":{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"namespace\":\"ns\",\"name\":\"svc\",\"uid\":\"ns/svc\"}"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_of_a_node),
		cmocka_unit_test(an_event_of_a_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
