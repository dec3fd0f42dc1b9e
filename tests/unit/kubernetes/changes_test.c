// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Objects that come, change and go: what each change costs, what stays, and
 * what an object that is wrong leaves alone. One file is read again and again;
 * and the reader of objects is told values one by one, as a stream would.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "kubernetes/endpoints.h"
#include "kubernetes/reader.h"
#include "said.h"

#define SERVICE(name, rest) \
	"---\n{apiVersion: v1, kind: Service, metadata: {name: " name \
	"}, spec: {" rest ", ports: [{name: p, port: 80}]}}\n"
#define DUAL(last) "clusterIP: 10.96.0." #last ", clusterIPs: [10.96.0." #last \
	", 'fd00:96::" #last "'], ipFamilies: [IPv4, IPv6]"
#define SLICE(name, service, endpoints) \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " \
	name ", labels: {kubernetes.io/service-name: " service "}}, " \
	"addressType: IPv4, ports: [{name: p, port: 8080}], endpoints: [" \
	endpoints "]}\n"
#define AT(last) "{addresses: [10.244.0." #last "]}"
#define NODE(zone) \
	"---\n{apiVersion: v1, kind: Node, metadata: {name: n1, labels: " \
	"{topology.kubernetes.io/zone: " zone "}}}\n"

static struct {
	struct said said;
	struct model *was, *is;
	char *errors;
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
	model_free(world.was);
	model_free(world.is);
	free(world.errors);
	memset(&world, 0, sizeof(world));
	return 0;
}

/* The file says text now; the model before is kept for a comparison. */
static void say(const char *text)
{
	model_free(world.was);
	world.was = take_ptr(world.is);
	free(world.errors);
	assert_int_equal(said_now(&world.said, text, &world.is, &world.errors),
			 0);
}

static const struct model_service *find(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nr_services; i++)
		if (!strcmp(m->services[i]->name, name))
			return m->services[i];
	return NULL;
}

static const struct model_service *now(const char *name)
{
	const struct model_service *s = find(world.is, name);

	assert_non_null(s);
	return s;
}

static bool is_same(const char *name)
{
	return find(world.was, name) == now(name);
}

#define TWO \
	SERVICE("a", DUAL(1)) SERVICE("b", DUAL(2)) SLICE("b-1", "b", AT(9))

static void a_change_of_a_slice_costs_its_port_alone(void **state)
{
	say(TWO SLICE("a-1", "a", AT(2)));
	assert_string_equal(world.errors, "");
	assert_int_equal(world.is->nr_services, 4);
	say(TWO SLICE("a-1", "a", AT(2) ", " AT(3)));
	assert_int_equal(now("default/a:p/tcp")->nr_backends, 2);
	assert_false(is_same("default/a:p/tcp"));
	assert_true(is_same("default/a:p/tcp6"));
	assert_true(is_same("default/b:p/tcp"));
	assert_true(is_same("default/b:p/tcp6"));
}

/* Of fields that nobody reads, or of where it stands. */
static void what_changes_nothing_is_the_same(void **state)
{
	say(TWO);
	say("# a line more\n" TWO
	    SERVICE("c", "clusterIP: None"));
	assert_true(is_same("default/a:p/tcp"));
	assert_true(is_same("default/b:p/tcp"));
	say(SERVICE("b", DUAL(2) ", selector: {app: b}")
	    SLICE("b-1", "b", AT(9)) SERVICE("a", DUAL(1)));
	assert_true(is_same("default/a:p/tcp"));
	assert_true(is_same("default/b:p/tcp"));
}

static void a_slice_goes_from_one_service_to_another(void **state)
{
	say(TWO);
	say(SERVICE("a", DUAL(1)) SERVICE("b", DUAL(2))
	    SLICE("b-1", "a", AT(9)));
	assert_int_equal(now("default/a:p/tcp")->nr_backends, 1);
	assert_int_equal(now("default/b:p/tcp")->nr_backends, 0);
	say(SERVICE("a", DUAL(1)) SERVICE("b", DUAL(2)));
	assert_int_equal(now("default/a:p/tcp")->nr_backends, 0);
}

/* It may come before its Service, and outlive it. */
static void a_slice_waits_for_its_service(void **state)
{
	say("services: []\n" SLICE("a-1", "a", AT(2)));
	assert_int_equal(world.is->nr_services, 0);
	say(SERVICE("a", DUAL(1)) SLICE("a-1", "a", AT(2)));
	assert_int_equal(now("default/a:p/tcp")->nr_backends, 1);
	say("services: []\n" SLICE("a-1", "a", AT(2)));
	assert_int_equal(world.is->nr_services, 0);
}

/* When the label comes or goes, the service is added or removed live. */
static void another_proxy_s_label_comes_and_goes(void **state)
{
	static const char other[] =
		"---\n{apiVersion: v1, kind: Service, metadata: {name: a, labels: "
		"{service.kubernetes.io/service-proxy-name: x}}, spec: {"
		DUAL(1) ", ports: [{name: p, port: 80}]}}\n";

	say(SERVICE("a", DUAL(1)));
	assert_int_equal(world.is->nr_services, 2);
	say(other);
	assert_int_equal(world.is->nr_services, 0);
	say(SERVICE("a", DUAL(1)));
	assert_int_equal(world.is->nr_services, 2);
}

/* Node label change (zone): all services are recomputed. */
static void another_zone_is_another_choice(void **state)
{
#define ZONES SERVICE("a", DUAL(1)) \
	SLICE("a-1", "a", "{addresses: [10.244.0.2], hints: {forZones: [{name: z1}]}}, " \
	      "{addresses: [10.244.0.3], hints: {forZones: [{name: z2}]}}")
	say(NODE("z1") ZONES);
	assert_int_equal(now("default/a:p/tcp")->backends[0].state,
			 BACKEND_ACTIVE);
	assert_int_equal(now("default/a:p/tcp")->backends[1].state,
			 BACKEND_DRAIN);
	say(NODE("z2") ZONES);
	assert_int_equal(now("default/a:p/tcp")->backends[0].state,
			 BACKEND_DRAIN);
	assert_int_equal(now("default/a:p/tcp")->backends[1].state,
			 BACKEND_ACTIVE);
	assert_true(is_same("default/a:p/tcp6"));
	say(ZONES);
	assert_int_equal(now("default/a:p/tcp")->backends[0].state,
			 BACKEND_ACTIVE);
	assert_int_equal(now("default/a:p/tcp")->backends[1].state,
			 BACKEND_ACTIVE);
}

/* What was in force of it stays, the rest goes on. */
static void a_wrong_object_leaves_what_was(void **state)
{
	say(TWO SLICE("a-1", "a", AT(2)));
	say(SERVICE("a", DUAL(1)) SERVICE("b", "clusterIP: nonsense")
	    SLICE("b-1", "b", AT(9)) SLICE("a-1", "a", AT(3)));
	assert_int_equal(world.is->nr_refused, 1);
	assert_non_null(strstr(world.errors, "Service default/b"));
	assert_true(is_same("default/b:p/tcp"));
	assert_false(is_same("default/a:p/tcp"));
	assert_false(world.is->is_partial);
	/* said each time, for as long as it is there */
	say(SERVICE("a", DUAL(1)) SERVICE("b", "clusterIP: nonsense")
	    SLICE("b-1", "b", AT(8)) SLICE("a-1", "a", AT(3)));
	assert_int_equal(world.is->nr_refused, 1);
	assert_false(is_same("default/b:p/tcp"));	/* its slice is right */
	say(SERVICE("a", DUAL(1)) SLICE("b-1", "b", AT(8))
	    SLICE("a-1", "a", AT(3)));
	assert_int_equal(world.is->nr_refused, 0);
	assert_null(find(world.is, "default/b:p/tcp"));
}

/* What it was is not known: so of what is in force nothing is withdrawn. */
static void a_start_with_a_wrong_object_withdraws_nothing(void **state)
{
	say(SERVICE("a", DUAL(1)) SERVICE("b", "clusterIP: nonsense"));
	assert_true(world.is->is_partial);
	say(SERVICE("a", DUAL(1)) SERVICE("b", "clusterIP: nonsense")
	    SERVICE("c", DUAL(3)));
	assert_true(world.is->is_partial);
	say(SERVICE("a", DUAL(1)) SERVICE("b", DUAL(2)));
	assert_false(world.is->is_partial);
	/* one that comes later was never in force */
	say(SERVICE("a", DUAL(1)) SERVICE("d", "clusterIP: nonsense"));
	assert_false(world.is->is_partial);
	assert_int_equal(world.is->nr_refused, 1);
}

static void a_wrong_object_that_goes_leaves_nothing_open(void **state)
{
	say(SERVICE("a", DUAL(1)) SERVICE("b", "clusterIP: nonsense"));
	assert_true(world.is->is_partial);
	say(SERVICE("a", DUAL(1)));
	assert_false(world.is->is_partial);
	assert_int_equal(world.is->nr_refused, 0);
}

#define BROKEN "---\n{apiVersion: v1, kind: Service, metadata: {name: b\n"

/* Not even YAML, so it is not known what it says: what its file said before of
 * objects that it does not say now stays, the rest goes on. */
static void a_document_that_is_broken_leaves_what_was(void **state)
{
	say(TWO SLICE("a-1", "a", AT(2)));
	for (int i = 0; i < 2; i++) {
		say(SERVICE("a", DUAL(1)) BROKEN
		    SLICE("b-1", "b", AT(9)) SLICE("a-1", "a", AT(3)));
		assert_int_equal(world.is->nr_refused, 1);
		assert_non_null(strstr(world.errors, "a Kubernetes manifest: "));
		assert_true(is_same("default/b:p/tcp"));
		assert_int_equal(is_same("default/a:p/tcp"), i);
		assert_false(world.is->is_partial);
	}
	say(SERVICE("a", DUAL(1)) SLICE("a-1", "a", AT(3)));
	assert_int_equal(world.is->nr_refused, 0);
	assert_int_equal(world.is->nr_services, 2);
}

static void an_object_that_lost_its_name_leaves_what_was(void **state)
{
	say(TWO);
	say(SERVICE("a", DUAL(1)) SLICE("b-1", "b", AT(9)) SERVICE("''", DUAL(2)));
	assert_true(world.is->nr_refused > 0);
	assert_true(is_same("default/b:p/tcp"));
	say(TWO);
	assert_int_equal(world.is->nr_refused, 0);
	assert_true(is_same("default/b:p/tcp"));
}

static void a_start_with_a_broken_document_withdraws_nothing(void **state)
{
	say(SERVICE("a", DUAL(1)) BROKEN);
	assert_true(world.is->is_partial);
	assert_int_equal(world.is->nr_services, 2);
	say(SERVICE("a", DUAL(1)) SERVICE("c", DUAL(3)) BROKEN);
	assert_true(world.is->is_partial);
	say(SERVICE("a", DUAL(1)));
	assert_false(world.is->is_partial);
	say(SERVICE("a", DUAL(1)) BROKEN);
	assert_false(world.is->is_partial);
}

#define CREATED(name, when, spec) \
	"---\n{apiVersion: v1, kind: Service, metadata: {name: " name \
	", creationTimestamp: '" when "'}, spec: {" spec \
	", externalIPs: [203.0.113.1], ports: [{name: p, port: 80}]}}\n"

static size_t fronts(const char *name)
{
	return now(name)->nr_fronts;
}

/* The one that was made first has it; when it goes, the other one. */
static void an_address_that_two_name_is_the_older_ones(void **state)
{
	say(CREATED("a", "2026-02-01T00:00:00Z", "clusterIP: 10.96.0.1")
	    CREATED("b", "2026-01-01T00:00:00Z", "clusterIP: 10.96.0.2"));
	assert_int_equal(fronts("default/a:p/tcp"), 1);
	assert_int_equal(fronts("default/b:p/tcp"), 2);
	assert_int_equal(world.is->nr_refused, 1);
	say(CREATED("a", "2026-02-01T00:00:00Z", "clusterIP: 10.96.0.1"));
	assert_int_equal(fronts("default/a:p/tcp"), 2);
	assert_int_equal(world.is->nr_refused, 0);
	/* and an older one takes it from who has it */
	say(CREATED("a", "2026-02-01T00:00:00Z", "clusterIP: 10.96.0.1")
	    CREATED("c", "2026-01-01T00:00:00Z", "clusterIP: 10.96.0.3"));
	assert_int_equal(fronts("default/a:p/tcp"), 1);
	assert_int_equal(fronts("default/c:p/tcp"), 2);
}

static void of_two_without_an_age_the_first_one_has_it(void **state)
{
	say(SERVICE("b", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]"));
	say(SERVICE("a", "clusterIP: 10.96.0.2, externalIPs: [203.0.113.1]")
	    SERVICE("b", "clusterIP: 10.96.0.1, externalIPs: [203.0.113.1]"));
	assert_int_equal(fronts("default/a:p/tcp"), 1);
	assert_int_equal(fronts("default/b:p/tcp"), 2);
	assert_true(is_same("default/b:p/tcp"));
}

/* An object said twice counts once, and goes on when one of both goes. */
static void who_says_it_first_says_it(void **state)
{
	say(SERVICE("a", DUAL(1)) SERVICE("a", DUAL(2)));
	assert_int_equal(world.is->nr_refused, 1);
	assert_int_equal(now("default/a:p/tcp")->fronts[0].addr.word[3],
			 htonl(0x0a600001));
	say(SERVICE("a", DUAL(2)));
	assert_int_equal(world.is->nr_refused, 0);
	assert_int_equal(now("default/a:p/tcp")->fronts[0].addr.word[3],
			 htonl(0x0a600002));
}

/* Words that begin with "<" are keys, "{", "[" and "}" open and close. */
static void tell(struct kube_reader *r, const char *const *words)
{
	for (; *words; words++) {
		const char *w = *words;

		if (!strcmp(w, "{"))
			kube_read_map(r);
		else if (!strcmp(w, "["))
			kube_read_list(r);
		else if (!strcmp(w, "}"))
			kube_read_end(r);
		else if (*w == '<')
			kube_read_key(r, w + 1, strlen(w + 1));
		else if (*w == '#')
			kube_read_scalar(r, KUBE_NUMBER, w + 1, strlen(w + 1));
		else
			kube_read_scalar(r, KUBE_STRING, w, strlen(w));
	}
}

static size_t members(const struct kube_object *slice, const char *port)
{
	const struct kube_question q = { port, IPPROTO_TCP, true };
	const struct kube_here here = { .node = "n1" };
	struct kube_members m;
	size_t count;

	assert_int_equal(kube_members_collect(&m, &slice, 1, &q, &here), 0);
	count = m.count;
	kube_members_clear(&m);
	return count;
}

/* "Entries with no name pointer are ignored": a server fills it in. */
static void a_slice_s_port_without_a_name_is_none(void **state)
{
	static const char *const words[] = {
		"{", "<metadata", "{", "<name", "a", "<annotations", "{",
		"<name", "b", "}", "}", "<addressType", "IPv4", "<ports", "[",
		"{", "<port", "#8080", "}", "}", "<endpoints", "[", "{",
		"<addresses", "[", "10.244.0.2", "}", "<other", "[", "{", "<ready",
		"#1", "}", "[", "}", "}", "}", "}", "}", NULL
	};
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(KUBE_SLICE);
	struct kube_reader r = { .object = o };

	tell(&r, words);
	assert_int_equal(r.depth, 0);
	assert_null(o->mistakes);
	assert_string_equal(o->name, "a");
	assert_int_equal(o->slice.endpoints.count, 1);
	assert_int_equal(members(o, ""), 0);
	assert_int_equal(kube_object_default(o), 0);
	assert_int_equal(members(o, ""), 1);
}

/* The digest is of what is read, so that another one is another object. */
static void what_is_not_read_is_not_in_the_digest(void **state)
{
	static const char *const words[2][20] = {
		{ "{", "<metadata", "{", "<name", "a", "}", "<spec", "{",
		  "<clusterIP", "10.96.0.1", "}", "}" },
		{ "{", "<metadata", "{", "<name", "a", "<uid", "x", "}",
		  "<spec", "{", "<clusterIP", "10.96.0.1", "<selector", "{",
		  "<a", "b", "}", "}", "}" },
	};
	__u64 digest[2];

	for (int i = 0; i < 2; i++) {
		__cleanup(kube_object_freep) struct kube_object *o =
			kube_object_new(KUBE_SERVICE);
		struct kube_reader r = { .object = o };

		tell(&r, words[i]);
		digest[i] = o->digest;
	}
	assert_true(digest[0] == digest[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_of_a_slice_costs_its_port_alone),
		TEST(what_changes_nothing_is_the_same),
		TEST(a_slice_goes_from_one_service_to_another),
		TEST(a_slice_waits_for_its_service),
		TEST(another_proxy_s_label_comes_and_goes),
		TEST(another_zone_is_another_choice),
		TEST(a_wrong_object_leaves_what_was),
		TEST(a_start_with_a_wrong_object_withdraws_nothing),
		TEST(a_wrong_object_that_goes_leaves_nothing_open),
		TEST(a_document_that_is_broken_leaves_what_was),
		TEST(an_object_that_lost_its_name_leaves_what_was),
		TEST(a_start_with_a_broken_document_withdraws_nothing),
		TEST(an_address_that_two_name_is_the_older_ones),
		TEST(of_two_without_an_age_the_first_one_has_it),
		TEST(who_says_it_first_says_it),
		cmocka_unit_test(a_slice_s_port_without_a_name_is_none),
		cmocka_unit_test(what_is_not_read_is_not_in_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
