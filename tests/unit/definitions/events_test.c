// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What comes of a long sequence of changes, each put in force by what differs,
 * is what comes of the last state by itself: services and objects at random,
 * in conflict with one another more often than not.
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
#include "base/cleanup.h"
#include "definitions/definitions.h"
#include "engine/reconcile.h"
#include "fake_tables.h"

#define STEPS 10000
#define SERVICES 7
#define EDGES 3
#define POOL 9

/* One address or another, that services, endpoints and files have in common. */
static const char *const pool[POOL] = {
	"10.96.0.0", "10.96.0.1", "10.96.0.2", "10.96.0.3", "192.0.2.1",
	"203.0.113.1", "10.244.0.1", "10.244.0.2", "10.244.0.3",
};

/* What is said of a Service, and of a service in a file. Zero: nothing. */
struct object {
	bool is_there, is_udp, has_affinity;
	int cluster_ip, external[2], endpoint[3], endpoint_port;
};

struct edge {
	bool is_there, has_name;
	int address, len, first, last, backend, backend_port;
};

static struct {
	struct object objects[SERVICES];
	struct edge edges[EDGES];
	bool has_nat;
	int fd;
	char path[64];
	struct definitions *d;
	struct fake *f;
	struct state *s;
	__u32 now_s;
	unsigned int in_force, refused;
} world;

static int any(int count)
{
	return rand() % count;
}

static void object_change(struct object *o)
{
	switch (o->is_there ? any(6) : 0) {
	case 0:
		*o = (struct object){
			.is_there = !o->is_there, .is_udp = !any(5),
			.cluster_ip = any(4), .external = { any(POOL), 0 },
		};
		break;
	case 1:
		o->external[any(2)] = any(POOL);
		break;
	case 2:
		o->has_affinity = !o->has_affinity;
		break;
	default:
		o->endpoint[any(3)] = any(2) ? any(POOL) : 0;
		o->endpoint_port = any(4) ? 8080 : 80;
	}
}

static void edge_change(struct edge *e)
{
	*e = (struct edge){
		.is_there = !e->is_there, .has_name = !any(4),
		.address = any(POOL), .len = any(3) ? 32 : 30,
		.first = any(3) ? 80 : 70, .last = any(2) ? 80 : 90,
		.backend = any(POOL), .backend_port = any(2) ? 80 : 0,
	};
}

static void put_object(FILE *out, int i)
{
	const struct object *o = &world.objects[i];
	const char *proto = o->is_udp ? "UDP" : "TCP";

	if (!o->is_there)
		return;
	fprintf(out, "---\n{apiVersion: v1, kind: Service, metadata: {name: s%d,"
		" creationTimestamp: '2026-01-%02dT00:00:00Z'}, spec: {"
		"clusterIP: %s, externalIPs: [203.0.113.9", i,
		1 + (i * 5 + 3) % SERVICES, pool[o->cluster_ip]);
	for (int j = 0; j < 2; j++)
		if (o->external[j])
			fprintf(out, ", %s", pool[o->external[j]]);
	fprintf(out, "], sessionAffinity: %s, ports: [{name: p, port: 80, "
		"protocol: %s}]}}\n", o->has_affinity ? "ClientIP" : "None",
		proto);
	fprintf(out, "---\n{apiVersion: discovery.k8s.io/v1, kind: "
		"EndpointSlice, metadata: {name: s%d-1, labels: {"
		"kubernetes.io/service-name: s%d}}, addressType: IPv4, "
		"ports: [{name: p, port: %d, protocol: %s}], endpoints: [",
		i, i, o->endpoint_port ?: 8080, proto);
	for (int j = 0, count = 0; j < 3; j++)
		if (o->endpoint[j])
			fprintf(out, "%s{addresses: [%s]}",
				count++ ? ", " : "", pool[o->endpoint[j]]);
	fprintf(out, "]}\n");
}

static void put_edge(FILE *out, int i)
{
	const struct edge *e = &world.edges[i];

	if (!e->is_there)
		return;
	if (e->has_name)
		fprintf(out, "- name: default/s%d:p/tcp\n", i);
	else
		fprintf(out, "- name: edge%d\n", i);
	if (e->len < 32)
		fprintf(out, "  address: 10.96.0.%d/%d\n", i * 4, e->len);
	else
		fprintf(out, "  address: %s\n", pool[e->address]);
	fprintf(out, "  port: %d-%d\n  backends:\n  - {address: %s", e->first,
		e->last, pool[e->backend]);
	if (e->backend_port)
		fprintf(out, ", port: %d", e->backend_port);
	fprintf(out, "}\n");
}

static void say(void)
{
	static char text[1 << 16];
	FILE *out = fmemopen(text, sizeof(text), "w");
	long len;

	assert_non_null(out);
	if (world.has_nat)
		fputs("nat: {addresses: [203.0.113.1]}\n", out);
	fputs("services:\n", out);
	for (int i = 0; i < EDGES; i++)
		put_edge(out, i);
	fputs("- {name: z, address: 192.0.2.9, port: 1, backends: []}\n", out);
	for (int i = 0; i < SERVICES; i++)
		put_object(out, i);
	len = ftell(out);
	fclose(out);
	assert_int_equal(ftruncate(world.fd, 0), 0);
	assert_int_equal(pwrite(world.fd, text, len, 0), len);
}

static void put_model(FILE *out, const struct model *m)
{
	char text[FRONT_TEXT_MAX], addr[ADDR_TEXT_MAX];

	for (size_t i = 0; i < m->nr_services; i++) {
		const struct model_service *s = m->services[i];

		fprintf(out, "%s affinity %u:", s->name, s->affinity_s);
		for (size_t j = 0; j < s->nr_fronts; j++)
			fprintf(out, " %s", model_front_text(&s->fronts[j],
							     s->proto, text));
		for (size_t j = 0; j < s->nr_backends; j++)
			fprintf(out, " > %s %u", addr_format(
					&s->backends[j].addr, addr),
				s->backends[j].port);
		fputs("\n", out);
	}
	fprintf(out, "%u refused\n", m->nr_refused);
}

static void check_same(const struct model *a, const struct model *b)
{
	static char x[1 << 16], y[1 << 16];
	FILE *out = fmemopen(x, sizeof(x), "w");

	put_model(out, a);
	fclose(out);
	out = fmemopen(y, sizeof(y), "w");
	put_model(out, b);
	fclose(out);
	assert_string_equal(x, y);
}

static void apply(const struct model *m)
{
	char text[RECONCILE_TEXT_MAX];
	struct reconcile_result r;
	int err = -ENOSPC;

	for (int i = 0; i < 4 && err == -ENOSPC; i++) {
		err = reconcile(world.s, m, world.now_s, &r, text);
		if (err == -ENOSPC)
			fake_grow(world.f, (struct fake_sizes){
				r.needed.services, r.needed.backends,
				r.needed.slots, r.needed.cell_buckets, 0 });
	}
	if (err)
		fail_msg("%s: %s", strerror(-err), text);
	assert_int_equal(state_nat_addrs(world.s, m->nat4, m->nr_nat4), 0);
	world.in_force++;
}

/* Nothing differs in the tables from what m says, looked at as a whole. */
static void check_tables(const struct model *m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	unsigned int count = reconcile_diff(world.s, m, out);

	fclose(out);
	if (count)
		fail_msg("in force is something else:\n%s", text);
	free(text);
}

static void check(void)
{
	const struct definitions_from from = { .path = world.path };
	__cleanup(model_freep) struct model *m = NULL, *alone = NULL;
	char *errors = NULL, *alone_errors = NULL;
	bool has_changed;
	size_t len;
	FILE *out = open_memstream(&errors, &len);
	int err = definitions_reload(world.d, &m, out, &has_changed);

	fclose(out);
	out = open_memstream(&alone_errors, &len);
	assert_int_equal(definitions_load(&from, &alone, out), err);
	fclose(out);
	if (!err) {
		check_same(m, alone);
		apply(m);
		check_tables(alone);
		world.refused += m->nr_refused;
	}
	free(errors);
	free(alone_errors);
}

static void step(void)
{
	for (int i = any(3); i >= 0; i--) {
		if (any(40))
			object_change(&world.objects[any(SERVICES)]);
		else if (any(4))
			edge_change(&world.edges[any(EDGES)]);
		else
			world.has_nat = !world.has_nat;
	}
	world.now_s += any(3);
	reconcile_tick(world.s, world.now_s);
}

static void events_end_where_the_last_state_begins(void **state)
{
	struct definitions_from from = { .path = world.path };

	srand(11);
	world.fd = memfd_create("mixed.yaml", MFD_CLOEXEC);
	snprintf(world.path, sizeof(world.path), "/proc/self/fd/%d", world.fd);
	assert_int_equal(definitions_open(&from, &world.d), 0);
	world.now_s = 1000;
	world.f = fake_new((struct fake_sizes){ 64, 64, 1 << 12, 64, 64 });
	assert_int_equal(state_load(&world.f->t, world.now_s, &world.s, NULL),
			 0);
	for (int i = 0; i < STEPS; i++) {
		step();
		say();
		check();
	}
	print_message("%u of %u in force, %u refusals\n", world.in_force,
		      STEPS, world.refused);
	assert_true(world.in_force > STEPS / 2);
	definitions_close(world.d);
	state_free(world.s);
	fake_free(world.f);
	close(world.fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_end_where_the_last_state_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
