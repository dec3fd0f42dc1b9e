// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files that are wrong beside a source of objects, as an API server is one:
 * what the files said before stands as a whole, the objects go on, and both of
 * it is said.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "definitions/definitions.h"

#define WEB(addr, endpoint) \
	"---\n{apiVersion: v1, kind: Service, metadata: {name: web}, " \
	"spec: {clusterIP: " addr ", ports: [{name: p, port: 80}]}}\n" \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, " \
	"metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, " \
	"addressType: IPv4, ports: [{name: p, port: 80}], endpoints: [" \
	"{addresses: [" endpoint "]}]}\n"
#define DB "---\n{apiVersion: v1, kind: Service, metadata: {name: db}, " \
	"spec: {clusterIP: 10.96.0.7, ports: [{name: p, port: 80}]}}\n"
#define EDGE(rest) "node: a\nservices:\n" \
	"- {name: edge, address: 192.0.2.1, port: 80" rest "}\n"
#define EDGE_IS "edge 192.0.2.1:80/tcp\n"
#define DB_IS "default/db:p/tcp 10.96.0.7:80/tcp\n"
#define WEB_IS(addr, endpoint) \
	"default/web:p/tcp " addr ":80/tcp>" endpoint "\n"

/* A file of definitions that says something else each time. */
struct file {
	int fd;
	char path[64];
};

static struct {
	struct file files, objects;
	struct source *source;	/* of the objects */
	struct definitions *d;
	struct model *m;	/* the last one that there was */
	char *errors;
	int err;
	bool has_changed;
} world;

static int file_open(struct file *f)
{
	f->fd = memfd_create("said.yaml", MFD_CLOEXEC);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	return f->fd < 0 ? -1 : 0;
}

static void file_say(const struct file *f, const char *text)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, text, strlen(text), 0), strlen(text));
}

static int open_both(void)
{
	if (definitions_open(&(struct definitions_from){
				.path = world.files.path }, &world.d) ||
	    files_new(world.objects.path, FILES_FOLLOWED, &world.source))
		return -1;
	world.source->is_of_objects = true;
	return definitions_add(world.d, world.source);
}

static int set_up(void **state)
{
	memset(&world, 0, sizeof(world));
	if (file_open(&world.files) || file_open(&world.objects))
		return -1;
	return open_both();
}

static int tear_down(void **state)
{
	definitions_close(world.d);
	close(world.files.fd);
	close(world.objects.fd);
	model_free(world.m);
	free(world.errors);
	return 0;
}

static void reload(void)
{
	struct model *m = NULL;
	size_t len;
	FILE *out;

	free(world.errors);
	out = open_memstream(&world.errors, &len);
	world.err = definitions_reload(world.d, &m, out, &world.has_changed);
	fclose(out);
	if (!m)
		return;
	model_free(world.m);
	world.m = m;
}

static void objects_say(const char *text)
{
	file_say(&world.objects, text);
	reload();
}

static void files_say(const char *text)
{
	file_say(&world.files, text);
	reload();
}

/* "name address:port>backend" of all that is served, a line each. */
static const char *served(void)
{
	static char text[4096];
	char a[FRONT_TEXT_MAX], b[ADDR_TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	for (size_t i = 0; i < world.m->nr_services; i++) {
		const struct model_service *s = world.m->services[i];

		fprintf(out, "%s %s", s->name,
			model_front_text(&s->fronts[0], s->proto, a));
		for (size_t j = 0; j < s->nr_backends; j++)
			fprintf(out, ">%s",
				addr_format(&s->backends[j].addr, b));
		fputs("\n", out);
	}
	fclose(out);
	return text;
}

/* What is in force, and in the first line of what is wrong; NULL: nothing is. */
static void expect(const char *services, const char *wrong)
{
	if (world.err)
		fail_msg("refused as a whole:\n%s", world.errors);
	assert_string_equal(served(), services);
	assert_string_equal(world.m->node, "a");
	if (!wrong) {
		assert_string_equal(world.errors, "");
		assert_int_equal(world.m->nr_refused, 0);
		return;
	}
	world.errors[strcspn(world.errors, "\n")] = 0;
	if (!strstr(world.errors, wrong))
		fail_msg("\"%s\" is not said, but:\n%s", wrong, world.errors);
	assert_true(world.m->nr_refused > 0);
}

static void begin(void)
{
	file_say(&world.objects, WEB("10.96.0.9", "10.244.0.1"));
	files_say(EDGE(""));
	expect(WEB_IS("10.96.0.9", "10.244.0.1") EDGE_IS, NULL);
}

static void objects_go_on_while_a_file_is_wrong(void **state)
{
	begin();
	files_say(EDGE(", colour: blue"));
	expect(WEB_IS("10.96.0.9", "10.244.0.1") EDGE_IS, "colour");
	assert_false(world.has_changed);
	objects_say(WEB("10.96.0.9", "10.244.0.2"));
	expect(WEB_IS("10.96.0.9", "10.244.0.2") EDGE_IS, "colour");
	assert_true(world.has_changed);
	files_say("node: [\n");
	objects_say(DB);
	expect(DB_IS EDGE_IS, ":2:1: ");
	files_say("");
	objects_say(WEB("10.96.0.9", "10.244.0.3"));
	expect(WEB_IS("10.96.0.9", "10.244.0.3") EDGE_IS, "says nothing");
}

static void a_file_that_is_right_again_is_in_force(void **state)
{
	begin();
	files_say("services: 7\n");
	objects_say(DB);
	files_say(EDGE(", backends: [{address: 192.0.2.9}]"));
	expect(DB_IS "edge 192.0.2.1:80/tcp>192.0.2.9\n", NULL);
	assert_true(world.has_changed);
	files_say(EDGE(", backends: [{address: 192.0.2.9}"));
	files_say("node: a\nservices: []\n");
	expect(DB_IS, NULL);
	files_say(EDGE(""));
	expect(DB_IS EDGE_IS, NULL);
}

static void files_that_contradict_themselves_stand_as_they_were(void **state)
{
	begin();
	files_say(EDGE("") "- {name: edge, address: 192.0.2.2, port: 80}\n"
		  "- {name: other, address: 192.0.2.3, port: 80}\n");
	expect(WEB_IS("10.96.0.9", "10.244.0.1") EDGE_IS, "defined already");
	objects_say(DB);
	expect(DB_IS EDGE_IS, "defined already");
	files_say(EDGE("") "---\nnode: b\n");
	expect(DB_IS EDGE_IS, "\"node\" is set differently");
	files_say("node: a\nservices:\n"
		  "- {name: other, address: 192.0.2.3, port: 80}\n");
	expect(DB_IS "other 192.0.2.3:80/tcp\n", NULL);
}

/* It is in the file that stands, whatever became of the file. */
static void an_address_in_force_is_not_given_away(void **state)
{
	begin();
	files_say("node: b\nservices:\n"
		  "- {name: edge, address: 192.0.2.1, port: 80, colour: blue}\n"
		  "- {name: late, address: 10.96.0.7, port: 80}\n");
	objects_say(WEB("192.0.2.1", "10.244.0.1") DB);
	expect(DB_IS EDGE_IS, "colour");
}

/* Objects of files that are wrong stand, too. */
static void objects_of_files_stand_with_them(void **state)
{
	begin();
	files_say(EDGE("") DB);
	expect(DB_IS WEB_IS("10.96.0.9", "10.244.0.1") EDGE_IS, NULL);
	files_say(EDGE(", colour: blue"));
	objects_say(WEB("10.96.0.9", "10.244.0.2"));
	expect(DB_IS WEB_IS("10.96.0.9", "10.244.0.2") EDGE_IS, "colour");
	reload();
	expect(DB_IS WEB_IS("10.96.0.9", "10.244.0.2") EDGE_IS, "colour");
	files_say(EDGE(""));
	expect(WEB_IS("10.96.0.9", "10.244.0.2") EDGE_IS, NULL);
}

static void network_policy_of_files_stands_with_them(void **state)
{
	begin();
	files_say(EDGE("") "namespaces:\n- {name: x}\n");
	expect(WEB_IS("10.96.0.9", "10.244.0.1") EDGE_IS, NULL);
	assert_int_equal(world.m->policy->nr_namespaces, 1);
	files_say(EDGE("") "namespaces:\n- {name: x}\n- {name: y}\n"
		  "- {name: x}\n");
	objects_say(DB);
	expect(DB_IS EDGE_IS, "namespace \"x\" is defined already at");
	assert_int_equal(world.m->policy->nr_namespaces, 1);
	files_say(EDGE("") "namespaces:\n- {name: x}\n- {name: y}\n");
	expect(DB_IS EDGE_IS, NULL);
	assert_int_equal(world.m->policy->nr_namespaces, 2);
}

static void what_was_never_right_is_nothing_to_stand_on(void **state)
{
	file_say(&world.objects, DB);
	files_say(EDGE(", colour: blue"));
	assert_int_equal(world.err, -EINVAL);
	files_say(EDGE(""));
	expect(DB_IS EDGE_IS, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Where every other pod is closed, one that is refused lacks nothing that may
 * have been in force: anybody may make one. Nor does a policy: it is closed. */
static void a_refused_pod_keeps_nothing_waiting(void **state)
{
	static const char pod[] = "---\n{apiVersion: v1, kind: Pod, metadata: "
		"{name: a, annotations: {fairlead.io/interface: a/b}}}\n";
	static const char policy[] = "---\n{apiVersion: networking.k8s.io/v1, "
		"kind: NetworkPolicy, metadata: {name: p}, "
		"spec: {podSelector: {}, ingress: [{from: [{}]}]}}\n";

	file_say(&world.objects, pod);
	files_say("node: a\n");
	assert_int_equal(world.m->nr_refused, 1);
	assert_true(world.m->policy->lacks_refused);
	world.source->knows_pods = true;
	reload();
	assert_int_equal(world.m->nr_refused, 1);
	assert_false(world.m->policy->lacks_refused);

	definitions_close(world.d);
	assert_int_equal(open_both(), 0);
	world.source->knows_pods = true;
	objects_say(policy);
	assert_int_equal(world.m->nr_refused, 1);
	assert_int_equal(world.m->policy->nr_policies, 1);
	assert_false(world.m->policy->lacks_refused);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(objects_go_on_while_a_file_is_wrong),
		TEST(a_file_that_is_right_again_is_in_force),
		TEST(files_that_contradict_themselves_stand_as_they_were),
		TEST(an_address_in_force_is_not_given_away),
		TEST(objects_of_files_stand_with_them),
		TEST(network_policy_of_files_stands_with_them),
		TEST(what_was_never_right_is_nothing_to_stand_on),
		TEST(a_refused_pod_keeps_nothing_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
