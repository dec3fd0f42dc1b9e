// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What load balancers ask a node: which Services they ask about, how many
 * endpoints those have here, whether the Node is to stay; and the times that
 * slices say they were changed at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kubernetes/cluster.h"
#include "kubernetes/health.h"
#include "said.h"

#define SERVICE(name, spec) \
	"---\n{apiVersion: v1, kind: Service, metadata: {name: " name \
	"}, spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00:96::1'], " \
	"ports: [{name: a, port: 80}, {name: b, port: 81}], " spec "}}\n"
#define ASKED "type: LoadBalancer, externalTrafficPolicy: Local, " \
	"healthCheckNodePort: 32000"
#define DUAL ", ipFamilies: [IPv4, IPv6]"
#define SLICE(name, extra, family, endpoints) \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " \
	name ", labels: {kubernetes.io/service-name: web}" extra "}, " \
	"addressType: " family ", ports: [{name: a, port: 8080}, " \
	"{name: b, port: 8081}], endpoints: [" endpoints "]}\n"
#define AT(address, rest) \
	"{addresses: ['" address "'], nodeName: n1" rest "}"
#define NODE(metadata, spec) \
	"---\n{apiVersion: v1, kind: Node, metadata: {name: n1" metadata \
	"}, spec: {" spec "}}\n"

static struct {
	struct said said;
	struct model *m;
} world;

static int set_up(void **state)
{
	static const struct given given = {
		.key = "hostname-override", .value = "n1",
	};

	return said_open(&world.said, &given);
}

static int tear_down(void **state)
{
	said_close(&world.said);
	model_free(world.m);
	memset(&world, 0, sizeof(world));
	return 0;
}

/* Nothing of it is wrong. */
static void say(const char *text)
{
	char *errors = NULL;

	model_free(world.m);
	world.m = NULL;
	assert_int_equal(said_now(&world.said, text, &world.m, &errors), 0);
	assert_string_equal(errors, "");
	free(errors);
}

static void expect(bool has4, __u32 local4, bool has6, __u32 local6)
{
	const struct model_health_port *h = world.m->health_ports;

	assert_int_equal(world.m->nr_health_ports, 1);
	assert_string_equal(h->namespace, "default");
	assert_string_equal(h->name, "web");
	assert_int_equal(h->port, 32000);
	assert_int_equal(h->has[true], has4);
	assert_int_equal(h->local[true], local4);
	assert_int_equal(h->has[false], has6);
	assert_int_equal(h->local[false], local6);
}

static void only_some_services_are_asked_about(void **state)
{
	static const char *const not_asked[] = {
		"type: LoadBalancer, externalTrafficPolicy: Local",
		"type: LoadBalancer, externalTrafficPolicy: Cluster, healthCheckNodePort: 32000",
		"type: LoadBalancer, healthCheckNodePort: 32000",
		"type: NodePort, externalTrafficPolicy: Local, healthCheckNodePort: 32000",
		ASKED ", clusterIP: None",
	};

	for (size_t i = 0; i < sizeof(not_asked) / sizeof(*not_asked); i++) {
		char text[1024];

		snprintf(text, sizeof(text), SERVICE("web", "%s"),
			 not_asked[i]);
		if (i == 4)
			snprintf(text, sizeof(text),
				 "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {%s}}",
				 not_asked[i]);
		say(text);
		assert_int_equal(world.m->nr_health_ports, 0);
	}
	say(SERVICE("web", ASKED ", ipFamilies: [IPv4]"));
	expect(true, 0, false, 0);
}

/* Of both ports together, once each; those that are here and ready. */
static void endpoints_here_are_counted_by_address(void **state)
{
	say(SERVICE("web", ASKED DUAL)
	    SLICE("a", "", "IPv4",
		  AT("10.1.0.1", "") ", " AT("10.1.0.2", "") ", "
		  AT("10.1.0.3", ", conditions: {ready: false}") ", "
		  AT("10.1.0.4", ", conditions: {ready: false, serving: true, terminating: true}") ", "
		  "{addresses: [10.1.0.5], nodeName: n2}, {addresses: [10.1.0.6]}")
	    SLICE("b", "", "IPv4", AT("10.1.0.1", ""))
	    SLICE("c", "", "IPv6", AT("fd00::1", "")));
	expect(true, 2, true, 1);
}

static void what_is_asked_follows_the_objects(void **state)
{
	say(SERVICE("web", ASKED DUAL));
	expect(true, 0, true, 0);
	say(SERVICE("web", ASKED DUAL) SLICE("a", "", "IPv4", AT("10.1.0.1", "")));
	expect(true, 1, true, 0);
	say(SERVICE("web", "type: ClusterIP" DUAL)
	    SLICE("a", "", "IPv4", AT("10.1.0.1", "")));
	assert_int_equal(world.m->nr_health_ports, 0);
	say(SERVICE("web", ASKED DUAL) SLICE("a", "", "IPv4", AT("10.1.0.1", "")));
	expect(true, 1, true, 0);
	say("services: []");
	assert_int_equal(world.m->nr_health_ports, 0);
}

static void several_services_have_one_each(void **state)
{
	say("---\n{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.96.0.2, ports: [{port: 80}], type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 32001}}\n"
	    "---\n{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {clusterIP: 10.96.0.3, ports: [{port: 80}], type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 32002}}\n"
	    SERVICE("web", ASKED));
	assert_int_equal(world.m->nr_health_ports, 3);
	say("---\n{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.96.0.2, ports: [{port: 80}], type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 32001}}\n"
	    SERVICE("web", ASKED));
	assert_int_equal(world.m->nr_health_ports, 2);
}

static void a_node_stays_or_leaves(void **state)
{
	say("services: []");
	assert_int_equal(world.m->node_state, MODEL_NODE_UNKNOWN);
	say(NODE("", ""));
	assert_int_equal(world.m->node_state, MODEL_NODE_FINE);
	say(NODE("", "taints: [{key: other, effect: NoSchedule}]"));
	assert_int_equal(world.m->node_state, MODEL_NODE_FINE);
	say(NODE("", "taints: [{key: other}, {key: ToBeDeletedByClusterAutoscaler, value: '1', effect: NoSchedule}]"));
	assert_int_equal(world.m->node_state, MODEL_NODE_LEAVES);
	say(NODE("", ""));
	assert_int_equal(world.m->node_state, MODEL_NODE_FINE);
	say(NODE(", deletionTimestamp: '2026-11-30T00:00:00Z'", ""));
	assert_int_equal(world.m->node_state, MODEL_NODE_LEAVES);
	say("---\n{apiVersion: v1, kind: Node, metadata: {name: n2}}");
	assert_int_equal(world.m->node_state, MODEL_NODE_UNKNOWN);
}

#define TRIGGER(time) ", annotations: " \
	"{endpoints.kubernetes.io/last-change-trigger-time: '" time "'}"

static void changes_are_news(void **state)
{
	struct kube_news *n;

	say(SERVICE("web", ASKED)
	    SLICE("a", TRIGGER("2026-11-30T01:02:03.5Z"), "IPv4",
		  AT("10.1.0.1", "")));
	n = definitions_news(world.said.d);
	assert_int_equal(n->changes[KUBE_SERVICE], 1);
	assert_int_equal(n->changes[KUBE_SLICE], 1);
	assert_int_equal(n->nr_triggers, 1);
	assert_int_equal(n->triggers_us[0], 1796000523500000);
	n->nr_triggers = 0;

	/* the time alone is no change */
	say(SERVICE("web", ASKED)
	    SLICE("a", TRIGGER("2026-11-30T01:02:04Z"), "IPv4",
		  AT("10.1.0.1", "")));
	assert_int_equal(n->changes[KUBE_SLICE], 1);
	assert_int_equal(n->nr_triggers, 0);

	/* one that is no time does not count, the slice does */
	say(SERVICE("web", ASKED)
	    SLICE("a", TRIGGER("yesterday"), "IPv4", AT("10.1.0.2", "")));
	assert_int_equal(world.m->services[0]->nr_backends, 1);
	assert_int_equal(n->changes[KUBE_SLICE], 2);
	assert_int_equal(n->nr_triggers, 0);
	say(SERVICE("web", ASKED));
	assert_int_equal(n->changes[KUBE_SLICE], 3);
	assert_int_equal(n->changes[KUBE_SERVICE], 1);
}

static void times_of_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		__s64 us;	/* -1: none */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-30T01:02:03.123456789Z", 1796000523123456 },
		{ "2026-11-30T01:02:03.5Z", 1796000523500000 },
		{ "2026-11-30T03:02:03+02:00", 1796000523000000 },
		{ "2026-11-29T23:32:03-01:30", 1796000523000000 },
		{ "", -1 }, { "2026", -1 }, { "2026-11-30", -1 },
		{ "2026-11-30T01:02:03", -1 }, { "2026-11-30T01:02:03z ", -1 },
		{ "2026-11-30T01:02:03+2", -1 },
		{ "2026-11-30T01:02:03+02:00Z", -1 },
		{ "2026-13-30T01:02:03Z", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		__s64 us = -1;

		assert_int_equal(kube_time(rows[i].text, &us),
				 rows[i].us >= 0);
		assert_int_equal(us, rows[i].us);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_some_services_are_asked_about),
		TEST(endpoints_here_are_counted_by_address),
		TEST(what_is_asked_follows_the_objects),
		TEST(several_services_have_one_each),
		TEST(a_node_stays_or_leaves),
		TEST(changes_are_news),
		cmocka_unit_test(times_of_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
