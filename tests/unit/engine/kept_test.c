// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Services and front ends of a node that go while connections to them live:
 * what these need stays, for as long as a record names it, through restarts and
 * whatever takes their place; and nothing stays longer.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "model/conns.h"
#include "engine_world.h"

#define VIP 0xc000020au		/* 192.0.2.10 */
#define NODE 0xc0000201u
#define HOST 0x0a000001u	/* 10.0.0.1, the first backend */
#define CLIENT 0xc6336401u	/* 198.51.100.1 */
#define GRACE 2
#define WALKS 60		/* seconds after which all has been looked at */
#define IDLE 896		/* 7 << 7: a life that need not be rounded */

static void setup(struct world *w)
{
	setup_sizes(w, (struct fake_sizes){ 64, 256, 1 << 16, 64, 4096 });
}

/* At VIP and on, with two backends that are nobody else's. */
static struct model_service *cluster_ip(struct world *w, const char *name,
					int fronts, __u8 proto)
{
	struct model_service *svc = fake_service(w->m, name, VIP, 443, proto);

	for (int i = 1; i < fronts; i++)
		fake_front(svc, VIP + i, 443);
	svc->forward = FORWARD_NAT;
	svc->algorithm = ALGORITHM_RANDOM;
	svc->idle_s = IDLE;
	for (int i = 0; i < fronts; i++)
		svc->fronts[i].kind = KIND_CLUSTER_IP;
	fake_backend(svc, HOST, 8443, 100);
	fake_backend(svc, HOST + 1, 8443, 100);
	return svc;
}

static __u32 backend_at(struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	for (__u32 i = 1; i < w->f->t.nr_backends; i++)
		if (w->f->t.backends[i].state != BACKEND_FREE &&
		    !addr_compare(&w->f->t.backends[i].addr, &a))
			return i;
	return 0;
}

static __u8 state_of(struct world *w, __u32 backend)
{
	return w->f->t.backends[backend].state;
}

/* Are packets to an address looked up in conns? */
static bool is_looked_at(struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	return w->f->t.vip_filter[vip_filter_index(
		hash_dst(w->f->hash_key, &a))] & VIP_CONNS;
}

static bool is_served(struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	return fake_find(w->f, &a, 443, IPPROTO_TCP) != NULL;
}

static struct flow flow_to(__u32 addr, __u16 port, __u8 proto)
{
	struct addr a = fake_addr4(addr);

	return fake_flow(&a, port, proto, CLIENT, 4321);
}

/* A live connection to a front end, which backend has. */
static struct flow connect_to(struct world *w, __u32 addr, __u16 port,
			      __u8 proto, __u32 backend)
{
	struct flow flow = flow_to(addr, port, proto);
	struct conn_entry e = {
		.conn = {
			.client = flow.src, .vip = flow.dst,
			.cport = flow.sport, .vport = flow.dport,
			.what = conn_what(&flow) | CONN_NAT,
			.nat_port = flow.sport,
			.backend = conn_backend_word(backend,
				w->f->t.backends[backend].generation),
			.time = conn_time(w->now_s, conn_life_from(IDLE)),
		},
		.word = CONN_LIVE,
	};

	assert_true(conns_insert(&w->f->t, &e));
	return flow;
}

static bool lives(struct world *w, const struct flow *flow)
{
	struct conn_entry e;

	return conns_find(&w->f->t, flow, &e);
}

static void connections_outlive_their_service(void **state)
{
	static const __u8 kinds[] = { KIND_CLUSTER_IP, KIND_LB_VIP,
				      KIND_EXTERNAL_IP };
	static const __u8 protos[] = { IPPROTO_TCP, IPPROTO_SCTP };

	for (int i = 0; i < 6; i++) {
		__u8 proto = protos[i % 2];
		__u32 backend, other;
		struct world w;
		struct flow flow;

		setup(&w);
		cluster_ip(&w, "web", 1, proto)->fronts[0].kind = kinds[i / 2];
		apply(&w);
		assert_false(state_keeps(w.s));
		backend = backend_at(&w, HOST);
		other = backend_at(&w, HOST + 1);
		flow = connect_to(&w, VIP, 443, proto, backend);
		fake_service_remove(w.m, "web");
		apply(&w);
		assert_int_equal(w.r.removed, 1);
		assert_int_equal(w.r.backends_removed, 2);
		assert_true(state_keeps(w.s));
		assert_false(is_served(&w, VIP));
		assert_int_equal(state_services(w.s, NULL, 0), 0);
		pass(&w, IDLE - 10);
		assert_true(is_looked_at(&w, VIP));
		assert_int_equal(state_of(&w, backend), BACKEND_LEAVING);
		assert_int_equal(state_of(&w, other), BACKEND_FREE);
		pass(&w, WALKS + 10 + IDLE / 16);
		assert_false(lives(&w, &flow));
		pass(&w, WALKS);
		assert_false(is_looked_at(&w, VIP));
		assert_int_equal(state_of(&w, backend), BACKEND_FREE);
		assert_false(state_keeps(w.s));
		teardown(&w);
	}
}

/* UDP, the edge's, and what nobody is connected to. */
static void nothing_is_kept_for_others(void **state)
{
	static const struct { __u8 proto, kind; __u32 seconds; } cases[] = {
		{ IPPROTO_TCP, KIND_CLUSTER_IP, WALKS },
		{ IPPROTO_UDP, KIND_CLUSTER_IP, GRACE },
		{ IPPROTO_TCP, KIND_EDGE, GRACE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct table_sizes used;
		struct world w;
		__u32 backend;

		setup(&w);
		cluster_ip(&w, "web", 1, cases[i].proto)->fronts[0].kind =
			cases[i].kind;
		apply(&w);
		backend = backend_at(&w, HOST);
		if (i)
			connect_to(&w, VIP, 443, cases[i].proto, backend);
		fake_service_remove(w.m, "web");
		apply(&w);
		assert_int_equal(state_keeps(w.s), !i);
		pass(&w, cases[i].seconds);
		assert_int_equal(state_of(&w, backend), BACKEND_FREE);
		assert_false(is_looked_at(&w, VIP));
		assert_false(state_keeps(w.s));
		pass(&w, WALKS);
		state_usage(w.s, &used);
		assert_int_equal(used.backends + used.services + used.slots, 0);
		assert_string_equal(w.f->t.infos[1].name, "");
		teardown(&w);
	}
}

/* Not a moment without: packets are seen while the daemon is away, and before
 * it knows its definitions. */
static void a_restart_keeps_what_was_kept(void **state)
{
	struct world w;
	struct flow flow;
	__u32 backend;

	setup(&w);
	cluster_ip(&w, "web", 2, IPPROTO_TCP);
	apply(&w);
	backend = backend_at(&w, HOST);
	flow = connect_to(&w, VIP + 1, 443, IPPROTO_TCP, backend);
	fake_service_remove(w.m, "web");
	apply(&w);
	for (int i = 0; i < 3; i++) {
		restart(&w);
		assert_true(state_keeps(w.s));
		assert_true(is_looked_at(&w, VIP + 1));
		apply(&w);
		assert_true(is_looked_at(&w, VIP + 1));
		pass(&w, 4 * WALKS);
		assert_true(is_looked_at(&w, VIP + 1));
		assert_false(is_looked_at(&w, VIP));
		assert_int_equal(state_of(&w, backend), BACKEND_LEAVING);
		assert_true(lives(&w, &flow));
	}
	pass(&w, IDLE + 2 * WALKS);
	assert_false(lives(&w, &flow));
	assert_false(is_looked_at(&w, VIP + 1));
	assert_false(state_keeps(w.s));
	teardown(&w);
}

/* As a Service that is deleted and made again: a new one beside what the old
 * connections have, which they keep. */
static void the_same_again_is_another(void **state)
{
	__u32 old, new, old_id, new_id;
	struct world w;
	struct flow flow;

	setup(&w);
	cluster_ip(&w, "web", 1, IPPROTO_TCP);
	apply(&w);
	old = backend_at(&w, HOST);
	old_id = w.f->t.backends[old].service;
	flow = connect_to(&w, VIP, 443, IPPROTO_TCP, old);
	for (int i = 0; i < 10; i++) {
		fake_service_remove(w.m, "web");
		apply(&w);
		assert_false(is_served(&w, VIP));
		cluster_ip(&w, "web", 1, IPPROTO_TCP);
		apply(&w);
		assert_int_equal(w.r.added, 1);
		assert_true(is_served(&w, VIP));
		assert_int_equal(state_of(&w, old), BACKEND_LEAVING);
		pass(&w, WALKS);
	}
	assert_true(lives(&w, &flow));
	assert_int_equal(state_services(w.s, NULL, 0), 1);
	w.f->t.backends[old].state = BACKEND_FREE;
	new = backend_at(&w, HOST);
	w.f->t.backends[old].state = BACKEND_LEAVING;
	new_id = w.f->t.backends[new].service;
	assert_int_not_equal(new, old);
	assert_int_not_equal(new_id, old_id);
	assert_int_equal(state_of(&w, new), BACKEND_ACTIVE);
	assert_string_equal(w.f->t.infos[old_id].name, "web");
	restart(&w);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_int_equal(state_of(&w, old), BACKEND_LEAVING);
	pass(&w, IDLE + WALKS);
	assert_int_equal(state_of(&w, old), BACKEND_FREE);
	assert_true(is_looked_at(&w, VIP));
	assert_string_equal(w.f->t.infos[old_id].name, "");
	teardown(&w);
}

static void nothing_that_is_named_is_given_away(void **state)
{
	__u32 old, old_id;
	char name[16];
	struct world w;

	setup(&w);
	cluster_ip(&w, "web", 1, IPPROTO_TCP);
	apply(&w);
	old = backend_at(&w, HOST);
	old_id = w.f->t.backends[old].service;
	connect_to(&w, VIP, 443, IPPROTO_TCP, old);
	fake_service_remove(w.m, "web");
	apply(&w);
	pass(&w, WALKS);
	/* as many as there is room for */
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "other-%02d", i);
		fake_service(w.m, name, VIP + 1 + i, 443, IPPROTO_TCP)
			->fronts[0].kind = KIND_CLUSTER_IP;
		fake_backend(w.m->services[i], HOST, 8443, 100);
		apply(&w);
		if (i == 15)
			restart(&w);
	}
	assert_int_equal(w.f->t.backends[old].service, old_id);
	assert_int_equal(state_of(&w, old), BACKEND_LEAVING);
	for (__u32 i = 1; i < w.f->t.nr_services; i++)
		if (!(w.f->t.services[i].flags & SERVICE_VIP) &&
		    w.f->t.services[i].addr.word[3] != htonl(VIP))
			assert_int_not_equal(w.f->t.services[i].id, old_id);
	teardown(&w);
}

/* A Service's type, its external addresses, a node port: the rest goes on. */
static void connections_outlive_their_front_end(void **state)
{
	struct model_service *svc;
	__u32 backend;
	struct world w;

	setup(&w);
	svc = cluster_ip(&w, "web", 3, IPPROTO_TCP);
	apply(&w);
	backend = backend_at(&w, HOST);
	connect_to(&w, VIP + 2, 443, IPPROTO_TCP, backend);
	fake_front_remove(svc, 1);
	fake_front_remove(svc, 1);
	apply(&w);
	assert_true(state_keeps(w.s));
	assert_false(is_served(&w, VIP + 2));
	pass(&w, 2 * WALKS);
	assert_true(is_looked_at(&w, VIP + 2));
	assert_false(is_looked_at(&w, VIP + 1));
	restart(&w);
	apply(&w);
	assert_true(is_looked_at(&w, VIP + 2));
	/* it comes back, and goes again */
	fake_front(svc, VIP + 2, 443)->kind = KIND_CLUSTER_IP;
	apply(&w);
	pass(&w, WALKS);
	fake_front_remove(svc, 1);
	apply(&w);
	pass(&w, WALKS);
	assert_true(is_looked_at(&w, VIP + 2));
	assert_int_equal(state_of(&w, backend), BACKEND_ACTIVE);
	pass(&w, IDLE + 2 * WALKS);
	assert_false(is_looked_at(&w, VIP + 2));
	assert_false(state_keeps(w.s));
	teardown(&w);
}

static bool host_has(void *arg, const struct addr *a)
{
	return addr_is4(a) && ntohl(a->word[3]) == NODE;
}

static void each_of_host(void *arg,
			 void (*f)(void *data, const struct addr *a),
			 void *data)
{
	struct addr a = fake_addr4(NODE);

	f(data, &a);
}

static const struct state_host host = {
	.is_host = host_has, .each_addr = each_of_host,
};

/* The last node port goes, and with it all interest in the node's address. */
static void connections_outlive_their_node_port(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = cluster_ip(&w, "web", 1, IPPROTO_TCP);
	fake_front(svc, 0, 30080)->kind = KIND_NODE_PORT;
	w.m->node4 = fake_addr4(NODE);
	state_set_host(w.s, &host);
	apply(&w);
	connect_to(&w, NODE, 30080, IPPROTO_TCP, backend_at(&w, HOST));
	fake_front_remove(svc, 0);
	apply(&w);
	for (int i = 0; i < 2; i++) {
		assert_true(is_looked_at(&w, NODE));
		pass(&w, 2 * WALKS);
		assert_true(is_looked_at(&w, NODE));
		restart(&w);
		state_set_host(w.s, &host);
		assert_int_equal(state_host_addrs(w.s, w.now_s), 0);
		assert_true(is_looked_at(&w, NODE));
		apply(&w);
	}
	pass(&w, IDLE + 2 * WALKS);
	assert_false(is_looked_at(&w, NODE));
	teardown(&w);
}

static void count(void *arg, __u32 index, struct backend *b)
{
	unsigned int *seen = arg;

	*seen += b->state == BACKEND_LEAVING;
}

static void ways_to_what_is_kept_are_followed(void **state)
{
	unsigned int seen = 0;
	struct world w;

	setup(&w);
	cluster_ip(&w, "web", 1, IPPROTO_TCP);
	apply(&w);
	fake_service_remove(w.m, "web");
	apply(&w);
	state_each_backend(w.s, count, &seen);
	assert_int_equal(seen, 2);
	teardown(&w);
}

/* A thousand at once, and again and again, leave nothing. */
static void churn_leaves_nothing(void **state)
{
	struct table_sizes used;
	struct world w;
	char name[16];

	setup(&w);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "web-%02d", i);
			if (round & 1) {
				fake_service_remove(w.m, name);
				continue;
			}
			fake_service(w.m, name, VIP + i, 443, IPPROTO_TCP)
				->fronts[0].kind = KIND_CLUSTER_IP;
		}
		if (!(round & 1))
			for (int i = 0; i < 20; i++)
				fake_backend(w.m->services[i], HOST + i, 8443,
					     100);
		apply(&w);
		pass(&w, round & 1 ? 20 : 1);
	}
	pass(&w, 2 * WALKS);
	state_usage(w.s, &used);
	assert_int_equal(used.backends + used.services + used.slots, 0);
	assert_false(state_keeps(w.s));
	for (size_t i = 0; i < VIP_FILTER_SIZE; i++)
		assert_int_equal(w.f->t.vip_filter[i], 0);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_outlive_their_service),
		cmocka_unit_test(nothing_is_kept_for_others),
		cmocka_unit_test(a_restart_keeps_what_was_kept),
		cmocka_unit_test(the_same_again_is_another),
		cmocka_unit_test(nothing_that_is_named_is_given_away),
		cmocka_unit_test(connections_outlive_their_front_end),
		cmocka_unit_test(connections_outlive_their_node_port),
		cmocka_unit_test(ways_to_what_is_kept_are_followed),
		cmocka_unit_test(churn_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
