// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a Service wants and somebody else has: who keeps it, that both are
 * named, and that nothing else is refused with it. Files are before objects,
 * cluster IPs before endpoints, and these before any other address.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "said.h"

#define SERVICE(name, rest) \
	"---\n{apiVersion: v1, kind: Service, metadata: {name: " name \
	"}, spec: {" rest ", ports: [{name: p, port: 80}]}}\n"
#define SLICE(service, port, endpoints) \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " \
	service "-1, labels: {kubernetes.io/service-name: " service "}}, " \
	"addressType: IPv4, ports: [{name: p, port: " #port "}], endpoints: [" \
	"{addresses: [" endpoints "]}]}\n"
#define SLICE6(service, port, endpoints) \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " \
	service "-6, labels: {kubernetes.io/service-name: " service "}}, " \
	"addressType: IPv6, ports: [{name: p, port: " #port "}], endpoints: [" \
	"{addresses: ['" endpoints "']}]}\n"
#define NATIVE(name, rest) \
	"services:\n- {name: " name ", " rest "}\n"
#define A SERVICE("a", "clusterIP: 10.96.0.1")
#define WEB SERVICE("web", "clusterIP: 10.96.0.9") \
	SLICE("web", 8080, "10.244.0.9")

static struct {
	struct said said;
	struct model *m;
	char *errors;
} world;

static int set_up(void **state)
{
	return said_open(&world.said, NULL);
}

static int tear_down(void **state)
{
	said_close(&world.said);
	model_free(world.m);
	free(world.errors);
	memset(&world, 0, sizeof(world));
	return 0;
}

static void say(const char *text)
{
	model_free(world.m);
	free(world.errors);
	world.m = NULL;
	if (said_now(&world.said, text, &world.m, &world.errors))
		fail_msg("refused as a whole:\n%s", world.errors);
}

/* "name address:port>backend backend | ..." of all that is served. */
static const char *served(void)
{
	static char text[4096];
	char a[FRONT_TEXT_MAX], b[ADDR_TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	for (size_t i = 0; i < world.m->nr_services; i++) {
		const struct model_service *s = world.m->services[i];

		fprintf(out, "%s", s->name);
		for (size_t j = 0; j < s->nr_fronts; j++)
			fprintf(out, " %s", model_front_text(&s->fronts[j],
							     s->proto, a));
		for (size_t j = 0; j < s->nr_backends; j++)
			fprintf(out, ">%s", addr_format(&s->backends[j].addr,
							b));
		fputs("\n", out);
	}
	fclose(out);
	return text;
}

#define WEB_IS "default/web:p/tcp 10.96.0.9:80/tcp>10.244.0.9\n"
#define A_IS "default/a:p/tcp 10.96.0.1:80/tcp\n"

/* What is said, what is served, and what is refused, a line each. */
struct conflict {
	const char *text, *served, *refused;
};

static void check(const struct conflict *c)
{
	unsigned int lines = 0;
	char *expected = strdup(c->refused), *at = expected, *line;

	say(c->text);
	assert_string_equal(served(), c->served);
	while ((line = strsep(&at, "\n")))
		if (*line) {
			if (!strstr(world.errors, line))
				fail_msg("\"%s\" is not in\n%s", line,
					 world.errors);
			lines++;
		}
	assert_int_equal(world.m->nr_refused, lines);
	free(expected);
}

static const struct conflict conflicts[] = {
	/* the same address and port */
	{ NATIVE("edge", "address: 10.96.0.1, port: 80, backends: [{address: 10.0.0.1}]")
	  A WEB,
	  WEB_IS "edge 10.96.0.1:80/tcp>10.0.0.1\n",
	  "Service default/a: 10.96.0.1:80/tcp is that of service \"edge\" at " },
	/* another port is another matter */
	{ NATIVE("edge", "address: 10.96.0.1, port: 81, backends: [{address: 10.0.0.1}]")
	  A WEB,
	  A_IS WEB_IS "edge 10.96.0.1:81/tcp>10.0.0.1\n", "" },
	/* a range, and a network */
	{ NATIVE("edge", "address: 10.96.0.0/29, port: 70-90, forward: l2, backends: [{address: 10.0.0.1}]")
	  A WEB,
	  WEB_IS "edge 10.96.0.0/29:70-90/tcp>10.0.0.1\n",
	  "Service default/a: 10.96.0.1:80/tcp overlaps 10.96.0.0/29:70-90/tcp of service \"edge\" at " },
	{ NATIVE("edge", "address: 10.96.0.0/29, port: 70-79, forward: l2, backends: [{address: 10.0.0.1}]")
	  A WEB,
	  A_IS WEB_IS "edge 10.96.0.0/29:70-79/tcp>10.0.0.1\n", "" },
	/* tables know a network by its first address */
	{ NATIVE("edge", "address: 10.96.0.0/29, port: 70-79, forward: l2, backends: [{address: 10.0.0.1}]")
	  SERVICE("a", "clusterIP: 10.96.0.0") WEB,
	  WEB_IS "edge 10.96.0.0/29:70-79/tcp>10.0.0.1\n",
	  "Service default/a: 10.96.0.0:80/tcp is at the first address of 10.96.0.0/29:70-79/tcp of service \"edge\" at " },
	/* one of several addresses */
	{ NATIVE("edge", "address: 203.0.113.1, port: 80, backends: [{address: 10.0.0.1}]")
	  SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1, 203.0.113.2]")
	  WEB,
	  "default/a:p/tcp 10.96.0.1:80/tcp 203.0.113.2:80/tcp\n" WEB_IS
	  "edge 203.0.113.1:80/tcp>10.0.0.1\n",
	  "Service default/a: 203.0.113.1:80/tcp is that of service \"edge\" at " },
	/* of one family alone */
	{ NATIVE("edge", "address: 'fd00:96::1', port: 80, backends: [{address: 'fd00::1'}]")
	  SERVICE("a", "clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00:96::1'], ipFamilies: [IPv4, IPv6]")
	  WEB,
	  A_IS WEB_IS "edge [fd00:96::1]:80/tcp>fd00::1\n",
	  "Service default/a: [fd00:96::1]:80/tcp is that of service \"edge\" at " },
	/* a name */
	{ NATIVE("'default/a:p/tcp'", "address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]")
	  A WEB,
	  "default/a:p/tcp 192.0.2.1:80/tcp>10.0.0.1\n" WEB_IS,
	  "Service default/a: service \"default/a:p/tcp\" is defined already at " },
	/* an address of NAT, and of a backend in a file */
	{ "nat: {addresses: [203.0.113.1]}\n"
	  SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]") WEB,
	  A_IS WEB_IS,
	  "Service default/a: 203.0.113.1:80/tcp is an address of \"nat: addresses\" at " },
	{ NATIVE("edge", "address: 192.0.2.1, port: 80, backends: [{address: 203.0.113.1}]")
	  SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]") WEB,
	  A_IS WEB_IS "edge 192.0.2.1:80/tcp>203.0.113.1\n",
	  "Service default/a: 203.0.113.1:80/tcp is a backend of service \"edge\" at " },
	{ NATIVE("edge", "address: 192.0.2.1, port: 80, backends: [{address: 203.0.113.1, port: 81}]")
	  SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]") WEB,
	  "default/a:p/tcp 10.96.0.1:80/tcp 203.0.113.1:80/tcp\n" WEB_IS
	  "edge 192.0.2.1:80/tcp>203.0.113.1\n", "" },
	/* a backend in a file may be an endpoint, too */
	{ NATIVE("edge", "address: 192.0.2.1, port: 80, backends: [{address: 10.244.0.9, port: 8080}]")
	  WEB,
	  WEB_IS "edge 192.0.2.1:80/tcp>10.244.0.9\n", "" },
	/* endpoints where a file's service is */
	{ NATIVE("edge", "address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]")
	  A SLICE("a", 80, "192.0.2.1") WEB,
	  A_IS WEB_IS "edge 192.0.2.1:80/tcp>10.0.0.1\n",
	  "Service default/a: endpoint 192.0.2.1:80/tcp is that of service \"edge\" at " },
	/* ... where a cluster IP is: another one's, or its own */
	{ A SLICE("a", 80, "10.96.0.9") WEB, A_IS WEB_IS,
	  "Service default/a: endpoint 10.96.0.9:80/tcp is that of Service default/web at " },
	{ A SLICE("a", 80, "10.96.0.1") WEB, A_IS WEB_IS,
	  "Service default/a: endpoint 10.96.0.1:80/tcp is that of Service default/a at " },
	{ A SLICE("a", 81, "10.96.0.9") WEB,
	  "default/a:p/tcp 10.96.0.1:80/tcp>10.96.0.9\n" WEB_IS, "" },
	{ SERVICE("a", "clusterIP: 'fd00:96::1'") SLICE6("a", 80, "fd00:96::1")
	  WEB,
	  "default/a:p/tcp6 [fd00:96::1]:80/tcp\n" WEB_IS,
	  "Service default/a: endpoint [fd00:96::1]:80/tcp is that of Service default/a at " },
	/* ... or any other address of a Service, which loses it */
	{ SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [10.244.0.7]")
	  SERVICE("b", "clusterIP: 10.96.0.2") SLICE("b", 80, "10.244.0.7"),
	  A_IS "default/b:p/tcp 10.96.0.2:80/tcp>10.244.0.7\n",
	  "Service default/a: 10.244.0.7:80/tcp is an endpoint of Service default/b at " },
	{ SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [10.244.0.7]")
	  SLICE("a", 80, "10.244.0.7"),
	  "default/a:p/tcp 10.96.0.1:80/tcp>10.244.0.7\n",
	  "Service default/a: 10.244.0.7:80/tcp is an endpoint of Service default/a at " },
	/* nobody takes a cluster IP by an external one */
	{ SERVICE("a", "clusterIP: 10.96.0.1, externalIPs: [10.96.0.9]") WEB,
	  A_IS WEB_IS,
	  "Service default/a: 10.96.0.9:80/tcp is that of Service default/web at " },
};

#define NR_CONFLICTS (sizeof(conflicts) / sizeof(*conflicts))

/* Each alone, and each after each other one: who was there first among those
 * of different ranks makes no difference. */
static void a_conflict_harms_who_lost_alone(void **state)
{
	for (size_t i = 0; i < NR_CONFLICTS; i++) {
		check(&conflicts[i]);
		for (size_t j = 0; j < NR_CONFLICTS; j++) {
			check(&conflicts[j]);
			check(&conflicts[i]);
		}
	}
}

static void what_is_free_again_is_served(void **state)
{
	for (size_t i = 0; i < NR_CONFLICTS; i++) {
		check(&conflicts[i]);
		say("services: []\n" A WEB);
		assert_string_equal(served(), A_IS WEB_IS);
		assert_int_equal(world.m->nr_refused, 0);
	}
}

/* Both are of people who can be asked to agree: nothing of it is in force. */
static void two_files_in_conflict_are_refused_as_a_whole(void **state)
{
	static const char text[] =
		"services:\n"
		"- {name: x, address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]}\n"
		"- {name: y, address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]}\n" WEB;
	struct model *m = NULL;
	char *errors;

	say("services: []\n" WEB);
	assert_int_equal(said_now(&world.said, text, &m, &errors), -EINVAL);
	assert_non_null(strstr(errors, "overlaps"));
	assert_null(m);
	free(errors);
	say("services: []\n" WEB A);
	assert_string_equal(served(), A_IS WEB_IS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_conflict_harms_who_lost_alone),
		TEST(what_is_free_again_is_served),
		TEST(two_files_in_conflict_are_refused_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
