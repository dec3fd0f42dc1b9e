// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Models put in force on tables from calloc, and what packets then find. */
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "model/conns.h"
#include "model/words.h"
#include "engine_world.h"

#define VIP 0xc000020au		/* 192.0.2.10 */
#define HOST 0x0a000001u	/* 10.0.0.1, the first backend */
#define CLIENT 0xc6336401u	/* 198.51.100.1 */
#define FLOWS 2000
#define IDLE_TCP 896	/* 7 << 7: a life that conn_life_from() does not round */

static void setup_of(struct world *w, struct fake_sizes sizes)
{
	setup_sizes(w, sizes);
	w->m->idle_tcp_s = IDLE_TCP;
}

static void setup(struct world *w)
{
	setup_of(w, (struct fake_sizes){ 64, 256, 1 << 18, 64, 4096 });
}

static struct model_service *web(struct world *w, int backends)
{
	struct model_service *svc = fake_service(w->m, "web", VIP, 443,
						 IPPROTO_TCP);

	for (int i = 0; i < backends; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	return svc;
}

static struct flow flow_of(int i)
{
	struct addr vip = fake_addr4(VIP);

	return fake_flow(&vip, 443, IPPROTO_TCP, CLIENT + i / 100,
			 1024 + i % 100);
}

/* Of each flow, in ret; all have one if must is set. */
static void send_flows(struct world *w, __u32 *ret, bool opens, bool must)
{
	for (int i = 0; i < FLOWS; i++) {
		struct flow flow = flow_of(i);

		ret[i] = fake_packet(w->f, &flow, opens, w->now_s);
		if (must)
			assert_int_not_equal(ret[i], 0);
	}
}

static void check_same_backends(struct world *w, const __u32 *expected)
{
	__u32 now[FLOWS];

	send_flows(w, now, false, true);
	assert_memory_equal(now, expected, sizeof(now));
}

static const struct service *find(struct world *w, __u32 addr, __u16 port,
				  __u8 proto)
{
	struct addr a = fake_addr4(addr);

	return fake_find(w->f, &a, port, proto);
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

static unsigned int slots_with(struct world *w, __u32 backend, bool previous)
{
	const struct service *e = find(w, VIP, 443, IPPROTO_TCP);
	const struct slot *slot = w->f->slot_memory + e->slot_base;
	unsigned int nr = 0;

	for (__u32 i = 0; i < e->slot_count; i++, slot++)
		nr += (previous ? slot->previous : slot->backend) == backend;
	return nr;
}

static unsigned int tracked_slots(struct world *w)
{
	return find(w, VIP, 443, IPPROTO_TCP)->slot_count -
	       slots_with(w, 0, true);
}

static void service_is_found_and_serves(void **state)
{
	struct world w;
	__u32 owners[FLOWS], seen[4] = {};
	const struct service *e;

	setup(&w);
	web(&w, 3);
	apply(&w);
	assert_int_equal(w.r.added, 1);
	assert_int_equal(w.r.backends_added, 3);
	e = find(&w, VIP, 443, IPPROTO_TCP);
	assert_non_null(e);
	assert_int_equal(e->idle_s, IDLE_TCP);
	assert_int_equal(e->slot_count, 512);
	assert_true(find(&w, VIP, 80, IPPROTO_TCP)->flags & SERVICE_VIP);
	assert_null(find(&w, VIP + 1, 443, IPPROTO_TCP));
	send_flows(&w, owners, true, true);
	for (int i = 0; i < FLOWS; i++)
		seen[owners[i]]++;
	for (int i = 1; i <= 3; i++)
		assert_in_range(seen[i], FLOWS / 4, FLOWS / 2);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_int_equal(w.r.slots_written, 0);
	teardown(&w);
}

static void restart_rewrites_nothing(void **state)
{
	struct world w;
	struct addr nat = fake_addr4(HOST - 1);
	__u64 before;

	setup(&w);
	web(&w, 5)->backends[2].weight = 20;
	fake_service(w.m, "net", 0x0a090000, 53, IPPROTO_UDP)
		->fronts->prefix_len = 112;
	fake_backend(fake_service(w.m, "nat", VIP, 80, IPPROTO_TCP), HOST, 0,
		     1);
	w.m->services[0]->forward = FORWARD_NAT;
	fake_service(w.m, "ports", VIP, 8000, IPPROTO_UDP)
		->fronts->port_last = 8099;
	apply(&w);
	assert_int_equal(state_nat_addrs(w.s, &nat, 1), 0);
	fake_backend_remove(w.m->services[3], HOST + 1, 8443);
	apply(&w);
	pass(&w, 3);
	before = fake_digest(w.f);
	restart(&w);
	assert_true(fake_digest(w.f) == before);
	apply(&w);
	assert_int_equal(w.r.slots_written, 0);
	assert_int_equal(w.r.unchanged, 4);
	assert_true(fake_digest(w.f) == before);
	teardown(&w);
}

static void old_flows_stay_through_any_number_of_changes(void **state)
{
	struct world w;
	__u32 owners[FLOWS];
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 3);
	apply(&w);
	send_flows(&w, owners, true, true);
	for (int i = 3; i < 9; i++) {
		fake_backend(svc, HOST + i, 8443, 100);
		apply(&w);
		assert_true(w.r.slots_written > 0);
		pass(&w, 1);
	}
	fake_backend_remove(svc, HOST, 8443);
	svc->backends[0].weight = 0;
	apply(&w);
	assert_int_equal(w.r.backends_removed, 1);
	restart(&w);
	apply(&w);
	check_same_backends(&w, owners);
	teardown(&w);
}

static void flows_seen_while_tracked_survive_settling(void **state)
{
	struct world w;
	__u32 owners[FLOWS], settled;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 3);
	apply(&w);
	send_flows(&w, owners, true, true);
	fake_backend(svc, HOST + 3, 8443, 100);
	apply(&w);
	for (int i = 0; i < 10; i++) {
		pass(&w, IDLE_TCP / 4);
		check_same_backends(&w, owners);
	}
	assert_true(tracked_slots(&w) > 0);
	settled = pass(&w, IDLE_TCP + IDLE_TCP / 16 + 20);
	assert_true(settled > 0);
	assert_int_equal(tracked_slots(&w), 0);
	assert_int_equal(pass(&w, 100), 0);
	teardown(&w);
}

static void slots_without_flows_settle_after_idle(void **state)
{
	struct world w;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 2);
	apply(&w);
	fake_backend(svc, HOST + 2, 8443, 100);
	apply(&w);
	assert_int_equal(pass(&w, IDLE_TCP), 0);
	assert_true(tracked_slots(&w) > 0);
	assert_true(pass(&w, 12) > 0);
	assert_int_equal(tracked_slots(&w), 0);
	teardown(&w);
}

static void growth_splits_slots(void **state)
{
	struct world w;
	__u32 owners[FLOWS], base;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 1);
	apply(&w);
	base = find(&w, VIP, 443, IPPROTO_TCP)->slot_base;
	send_flows(&w, owners, true, true);
	for (int i = 1; i < 40; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	apply(&w);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->slot_count, 4096);
	assert_int_not_equal(find(&w, VIP, 443, IPPROTO_TCP)->slot_base, base);
	check_same_backends(&w, owners);
	svc->nr_backends = 2;
	apply(&w);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->slot_count, 4096);
	check_same_backends(&w, owners);
	teardown(&w);
}

static void backend_that_left_is_freed_when_unnamed(void **state)
{
	struct world w;
	struct model_service *svc;
	__u32 id, generation;

	setup(&w);
	svc = web(&w, 2);
	apply(&w);
	id = backend_at(&w, HOST);
	generation = w.f->t.backends[id].generation;
	assert_true(generation > 0);
	fake_backend_remove(svc, HOST, 8443);
	apply(&w);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_LEAVING);
	assert_int_equal(slots_with(&w, id, false), 0);
	assert_true(slots_with(&w, id, true) > 0);
	pass(&w, IDLE_TCP);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_LEAVING);
	pass(&w, 40);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_FREE);
	fake_backend(svc, HOST + 9, 8443, 100);
	apply(&w);
	assert_int_equal(backend_at(&w, HOST + 9), id);
	assert_int_equal(w.f->t.backends[id].generation, generation + 1);
	teardown(&w);
}

static void backend_that_comes_back_is_the_same(void **state)
{
	struct world w;
	__u32 owners[FLOWS], id, generation;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 3);
	apply(&w);
	send_flows(&w, owners, true, true);
	id = backend_at(&w, HOST);
	generation = w.f->t.backends[id].generation;
	fake_backend_remove(svc, HOST, 8443);
	apply(&w);
	pass(&w, 100);
	fake_backend(svc, HOST, 8443, 100);
	apply(&w);
	assert_int_equal(backend_at(&w, HOST), id);
	assert_int_equal(w.f->t.backends[id].generation, generation);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_ACTIVE);
	check_same_backends(&w, owners);
	teardown(&w);
}

/* Of flow, by NAT to the backend at HOST. flags: of enum conn_flag. */
static void record(struct world *w, const struct flow *flow, __u8 flags,
		   __u32 life, enum conn_state state)
{
	const struct conn_entry e = {
		.conn = {
			.client = flow->src, .vip = flow->dst,
			.cport = flow->sport, .vport = flow->dport,
			.what = conn_what(flow) | CONN_NAT | flags,
			.nat_port = flow->sport,
			.backend = conn_backend_word(backend_at(w, HOST), 1),
			.time = conn_time(w->now_s, life),
		},
		.word = state,
	};

	assert_true(conns_insert(&w->f->t, &e));
}

static void live_nat_flows_hold_a_backend_that_left(void **state)
{
	struct world w;
	struct model_service *svc;
	struct flow flow = flow_of(0);
	struct conn_entry e;
	__u32 id;

	setup(&w);
	svc = web(&w, 2);
	svc->forward = FORWARD_NAT;
	apply(&w);
	id = backend_at(&w, HOST);
	record(&w, &flow, 0, conn_life_from(IDLE_TCP), CONN_LIVE);
	fake_backend_remove(svc, HOST, 8443);
	apply(&w);
	assert_int_equal(tracked_slots(&w), 0);
	pass(&w, IDLE_TCP - 20);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_LEAVING);
	pass(&w, 40 + IDLE_TCP / 16);
	assert_int_equal(w.f->t.backends[id].state, BACKEND_FREE);
	assert_false(conns_find(&w.f->t, &flow, &e));
	teardown(&w);
}

/* Both sides have closed it, and its backend may remember that. */
static void a_port_rests_after_its_connection(void **state)
{
	struct flow flow = flow_of(1);
	struct model_service *svc;
	struct conn_entry e;
	struct world w;

	for (int i = 0; i < 3; i++) {
		setup(&w);
		svc = web(&w, 2);
		svc->forward = FORWARD_NAT;
		apply(&w);
		record(&w, &flow, i == 1 ? CONN_CLIENT_FIN : CONN_BOTH_FINS, 0,
		       CONN_CLOSING);
		if (i == 2) {	/* who leaves is not waited for */
			fake_backend_remove(svc, HOST, 8443);
			apply(&w);
		}
		pass(&w, 50);
		assert_int_equal(conns_find(&w.f->t, &flow, &e), !i);
		pass(&w, 50);
		assert_false(conns_find(&w.f->t, &flow, &e));
		teardown(&w);
	}
}

/* It may go on, as a reset can be forged; but its backend does not stay for it,
 * nor does the service. */
static void what_was_reset_holds_nobody_who_leaves(void **state)
{
	struct flow flow = flow_of(1);
	struct model_service *svc;
	struct conn_entry e;
	struct world w;

	for (int leaves = 0; leaves < 2; leaves++) {
		setup(&w);
		svc = web(&w, 2);
		svc->forward = FORWARD_NAT;
		apply(&w);
		record(&w, &flow, CONN_RESET, conn_life_from(900),
		       CONN_CLOSING);
		if (leaves) {
			fake_backend_remove(svc, HOST, 8443);
			apply(&w);
		}
		pass(&w, 5);
		assert_true(conns_find(&w.f->t, &flow, &e));
		pass(&w, 50);
		assert_int_equal(conns_find(&w.f->t, &flow, &e), !leaves);
		pass(&w, 2000);
		assert_false(conns_find(&w.f->t, &flow, &e));
		teardown(&w);
	}
}

/* A record has but eight bits of a generation, and an entry that is given away
 * might come to have the same ones. */
static void ids_that_records_name_are_not_given_away_after_a_restart(
	void **state)
{
	struct world w;
	struct model_service *svc;
	struct flow flow = flow_of(0);
	struct conn_entry e;
	__u32 old, new;

	setup(&w);
	svc = web(&w, 1);
	fake_backend(svc, HOST + 1, 8443, 100);
	apply(&w);
	old = backend_at(&w, HOST + 1);
	fake_backend_remove(svc, HOST + 1, 8443);
	apply(&w);
	pass(&w, 2 * IDLE_TCP);
	assert_int_equal(w.f->t.backends[old].state, BACKEND_FREE);
	e = (struct conn_entry){
		.conn = {
			.client = flow.src, .vip = flow.dst,
			.cport = flow.sport, .vport = flow.dport,
			.what = conn_what(&flow),
			.backend = conn_backend_word(
				old, w.f->t.backends[old].generation + 1),
			.time = conn_time(w.now_s, conn_life_from(IDLE_TCP)),
		},
		.word = CONN_LIVE,
	};
	assert_true(conns_insert(&w.f->t, &e));
	restart(&w);
	fake_backend(svc, HOST + 2, 8443, 100);
	apply(&w);
	new = backend_at(&w, HOST + 2);
	assert_int_not_equal(new, 0);
	assert_int_not_equal(new, old);
	/* when it is swept, it is as good as others */
	pass(&w, 60);
	assert_false(conns_find(&w.f->t, &flow, &e));
	for (int i = 3; i < 250; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	apply(&w);
	assert_int_not_equal(w.f->t.backends[old].state, BACKEND_FREE);
	teardown(&w);
}

static void slots_are_tracked_when_their_service_is_not(void **state)
{
	struct world w;
	struct model_service *svc;
	__u32 id;

	setup(&w);
	svc = web(&w, 2);
	svc->algorithm = ALGORITHM_RANDOM;
	apply(&w);
	assert_true(find(&w, VIP, 443, IPPROTO_TCP)->flags & SERVICE_TRACKED);
	id = find(&w, VIP, 443, IPPROTO_TCP)->id;
	svc->algorithm = ALGORITHM_MAGLEV;
	apply(&w);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->id, id);
	assert_int_equal(tracked_slots(&w), 256);
	assert_true(pass(&w, IDLE_TCP + 12) == 256);
	teardown(&w);
}

/* What conns holds of NAT, or from before a service was stateless, may be of
 * the tuple of a later connection: that one has to be recorded over it. */
static void slots_are_tracked_when_there_were_none_to_ask(void **state)
{
	struct world w;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 2);
	svc->forward = FORWARD_NAT;
	apply(&w);
	svc->forward = FORWARD_L2;
	apply(&w);
	assert_int_equal(tracked_slots(&w), 256);
	svc->stateless = true;
	apply(&w);
	assert_int_equal(tracked_slots(&w), 0);
	svc->stateless = false;
	apply(&w);
	assert_int_equal(tracked_slots(&w), 256);
	teardown(&w);
}

static void flags_and_idle_follow_the_definition(void **state)
{
	struct world w;
	struct model_service *svc;

	setup(&w);
	svc = web(&w, 2);
	svc->affinity_s = 60;
	svc->idle_s = 7;
	svc = fake_service(w.m, "udp", VIP, 53, IPPROTO_UDP);
	svc->stateless = true;
	apply(&w);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->flags,
			 SERVICE_AFFINITY | SERVICE_TRACKED);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->idle_s, 7);
	assert_int_equal(find(&w, VIP, 53, IPPROTO_UDP)->flags,
			 SERVICE_STATELESS);
	assert_int_equal(find(&w, VIP, 53, IPPROTO_UDP)->idle_s, 60);
	assert_int_equal(find(&w, VIP, 53, IPPROTO_UDP)->slot_count, 0);
	teardown(&w);
}

static void set_by_hand_wins_until_unset(void **state)
{
	struct world w;
	struct addr a = fake_addr4(HOST);
	struct backend *b;
	__u32 id;

	setup(&w);
	web(&w, 2);
	apply(&w);
	id = backend_at(&w, HOST);
	b = &w.f->t.backends[id];
	assert_int_equal(state_backend_set_state(w.s, "web", &a, 8443,
						 BACKEND_DRAIN, w.now_s), 0);
	assert_int_equal(slots_with(&w, id, false), 0);
	w.m->services[0]->backends[0].weight = 50;
	apply(&w);
	restart(&w);
	apply(&w);
	assert_int_equal(b->state, BACKEND_DRAIN);
	assert_int_equal(b->weight, 50);
	assert_int_equal(state_backend_unset(w.s, "web", &a, 8443,
					     BACKEND_SET_STATE, w.now_s), 0);
	assert_int_equal(b->state, BACKEND_ACTIVE);
	assert_int_equal(slots_with(&w, id, false), 171);
	assert_int_equal(state_backend_set_weight(w.s, "web", &a, 8443, 0,
						  w.now_s), 0);
	assert_int_equal(b->state, BACKEND_DRAIN);
	assert_int_equal(slots_with(&w, id, false), 0);
	apply(&w);
	assert_int_equal(w.r.slots_written, 0);
	assert_int_equal(state_backend_unset(w.s, "web", &a, 8443,
					     BACKEND_SET_WEIGHT, w.now_s), 0);
	assert_int_equal(b->weight, 50);
	assert_int_equal(slots_with(&w, id, false), 171);
	assert_int_equal(state_backend_unset(w.s, "web", &a, 1, 0, w.now_s),
			 -ENOENT);
	assert_int_equal(state_backend_set_weight(w.s, "web", &a, 8443, 1001,
						  w.now_s), -EINVAL);
	teardown(&w);
}

static void no_number_is_reused_within_the_grace_period(void **state)
{
	struct world w;
	const struct service *old, *new;

	setup(&w);
	web(&w, 2);
	apply(&w);
	old = find(&w, VIP, 443, IPPROTO_TCP);
	fake_service_remove(w.m, "web");
	apply(&w);
	assert_int_equal(w.r.removed, 1);
	assert_null(find(&w, VIP, 443, IPPROTO_TCP));
	web(&w, 2);
	pass(&w, 1);
	apply(&w);
	new = find(&w, VIP, 443, IPPROTO_TCP);
	assert_ptr_not_equal(new, old);
	assert_int_not_equal(new->id, 1);
	assert_int_not_equal(new->slot_base, 0);
	assert_int_equal(backend_at(&w, HOST), 1);
	assert_int_equal(w.f->t.backends[1].state, BACKEND_LEAVING);
	pass(&w, 2);
	assert_int_equal(w.f->t.backends[1].state, BACKEND_FREE);
	teardown(&w);
}

static void services_exchange_addresses_without_a_gap(void **state)
{
	struct world w;
	struct addr a;
	__u32 id;

	setup(&w);
	web(&w, 1);
	fake_backend(fake_service(w.m, "other", VIP + 1, 443, IPPROTO_TCP),
		     HOST, 1, 1);
	apply(&w);
	id = find(&w, VIP, 443, IPPROTO_TCP)->id;
	a = w.m->services[0]->fronts->addr;
	w.m->services[0]->fronts->addr = w.m->services[1]->fronts->addr;
	w.m->services[1]->fronts->addr = a;
	apply(&w);
	assert_int_equal(w.r.changed, 2);
	assert_int_equal(find(&w, VIP + 1, 443, IPPROTO_TCP)->id, id);
	assert_non_null(find(&w, VIP, 443, IPPROTO_TCP));
	assert_int_not_equal(find(&w, VIP, 443, IPPROTO_TCP)->id, id);
	teardown(&w);
}

static void ports_of_a_range_and_every_port(void **state)
{
	struct world w;
	struct table_sizes used;

	setup(&w);
	fake_service(w.m, "range", VIP, 8000, IPPROTO_TCP)
		->fronts->port_last = 8009;
	fake_service(w.m, "every", VIP, 0, IPPROTO_UDP)
		->fronts->port_last = 65535;
	apply(&w);
	state_usage(w.s, &used);
	assert_int_equal(used.cell_buckets, 2);	/* 10 + 1 + 1 cells */
	assert_int_equal(used.services, 3);
	for (int port = 8000; port < 8010; port++)
		assert_int_equal(find(&w, VIP, port, IPPROTO_TCP)->proto,
				 IPPROTO_TCP);
	assert_true(find(&w, VIP, 8010, IPPROTO_TCP)->flags & SERVICE_VIP);
	assert_int_equal(find(&w, VIP, 9, IPPROTO_UDP)->proto, IPPROTO_UDP);
	w.m->services[1]->fronts->port_last = 8004;
	apply(&w);
	assert_true(find(&w, VIP, 8005, IPPROTO_TCP)->flags & SERVICE_VIP);
	assert_int_equal(find(&w, VIP, 8004, IPPROTO_TCP)->proto, IPPROTO_TCP);
	fake_service_remove(w.m, "range");
	fake_service_remove(w.m, "every");
	apply(&w);
	assert_null(find(&w, VIP, 9, IPPROTO_UDP));
	for (size_t i = 0; i < 64 * SERVICE_CELLS; i++)
		assert_int_equal(w.f->t.cells[i].service, 0);
	teardown(&w);
}

static void cidr_is_served_by_its_prefix(void **state)
{
	struct world w;

	setup(&w);
	fake_service(w.m, "net", 0x0a090000, 53, IPPROTO_UDP)
		->fronts->prefix_len = 120;
	apply(&w);
	assert_int_equal(w.f->t.runtime->has_prefixes, 1);
	assert_int_equal(w.f->prefixes[0].value.class, VIP_SERVICE);
	assert_int_equal(find(&w, 0x0a0900ff, 53, IPPROTO_UDP)->proto,
			 IPPROTO_UDP);
	assert_null(find(&w, 0x0a090100, 53, IPPROTO_UDP));
	w.m->services[0]->forward = FORWARD_NAT;
	apply(&w);
	assert_int_equal(w.f->prefixes[0].value.class,
			 VIP_SERVICE | VIP_CONNS);
	restart(&w);
	fake_service_remove(w.m, "net");
	apply(&w);
	assert_int_equal(w.f->nr_prefixes, 0);
	assert_int_equal(w.f->t.runtime->has_prefixes, 0);
	teardown(&w);
}

static __u8 class_at(struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	return w->f->t.vip_filter[vip_filter_index(hash_dst(w->f->hash_key,
							    &a))];
}

static void filter_knows_services_nat_and_its_addresses(void **state)
{
	struct addr nat[3] = { fake_addr4(HOST), fake_addr4(HOST + 1),
			       { { htonl(0x20010db8), 0, 0, htonl(1) } } };
	struct world w;

	setup(&w);
	web(&w, 1);
	fake_service(w.m, "nat", VIP, 80, IPPROTO_TCP)->forward = FORWARD_NAT;
	apply(&w);
	assert_int_equal(class_at(&w, VIP), VIP_SERVICE | VIP_CONNS);
	fake_service_remove(w.m, "nat");
	apply(&w);
	assert_int_equal(class_at(&w, VIP), VIP_SERVICE);
	assert_int_equal(state_nat_addrs(w.s, nat, 3), 0);
	assert_int_equal(w.f->t.runtime->nat_addrs4, 2);
	assert_int_equal(w.f->t.runtime->nat_addrs6, 1);
	assert_int_equal(class_at(&w, HOST), VIP_REPLIES);
	assert_int_equal(state_nat_addrs(w.s, nat + 1, 1), 0);
	assert_int_equal(class_at(&w, HOST), VIP_REPLIES);
	pass(&w, 120);
	assert_int_equal(class_at(&w, HOST), 0);
	assert_int_equal(class_at(&w, HOST + 1), VIP_REPLIES);
	assert_int_equal(state_nat_addrs(w.s, nat, 2), 0);
	assert_memory_equal(&w.f->t.nat_addrs[1], &nat[0], sizeof(nat[0]));
	assert_memory_equal(&w.f->t.nat_addrs[2], &nat[1], sizeof(nat[1]));
	assert_int_equal(w.f->t.runtime->nat_addrs6, 0);
	teardown(&w);
}

/* A live record of the flow that names this place in nat_addrs. */
static struct conn *translated(struct world *w, int flow_number, __u8 place)
{
	struct flow flow = flow_of(flow_number);
	struct conn_entry e;
	struct conn *c;

	assert_int_not_equal(fake_packet(w->f, &flow, true, w->now_s), 0);
	assert_true(conns_find(&w->f->t, &flow, &e));
	c = &w->f->conn_memory[e.position / (CONN_WAYS + 1)]
		     .conn[e.position % (CONN_WAYS + 1)];
	c->what |= CONN_NAT;
	c->nat_addr = place;
	return c;
}

/* Neither a definition nor an interface that loses its address moves what is
 * established; a restart as little. New connections have other sources. */
static void nat_address_keeps_its_place_while_records_name_it(void **state)
{
	const struct addr nat[2] = { fake_addr4(HOST + 70),
				     fake_addr4(HOST + 71) };
	const struct addr none = {};
	struct runtime *rt;
	struct conn *c;
	struct world w;

	setup(&w);
	web(&w, 1)->algorithm = ALGORITHM_ROUND_ROBIN;
	apply(&w);
	rt = w.f->t.runtime;
	assert_int_equal(state_nat_addrs(w.s, nat, 1), 0);
	c = translated(&w, 0, 1);
	assert_int_equal(state_nat_addrs(w.s, nat + 1, 1), 0);
	for (int i = 0; i < 2; i++) {
		assert_memory_equal(&w.f->t.nat_addrs[1], &nat[0],
				    sizeof(nat[0]));
		assert_memory_equal(&w.f->t.nat_addrs[2], &nat[1],
				    sizeof(nat[1]));
		assert_int_equal(rt->nat_addrs4, 1);
		for (int j = 0; j <= NAT_ADDRS_MAX; j++)
			assert_int_equal(rt->nat_pick4[j], 2);
		pass(&w, 120);
		assert_int_equal(class_at(&w, HOST + 70), VIP_REPLIES);
		restart(&w);
		apply(&w);
	}
	c->nat_addr = 2;
	pass(&w, 120);
	assert_memory_equal(&w.f->t.nat_addrs[1], &none, sizeof(none));
	assert_int_equal(class_at(&w, HOST + 70), 0);
	assert_int_equal(class_at(&w, HOST + 71), VIP_REPLIES);
	teardown(&w);
}

static bool is_own(const struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);
	__u64 sum = hash_src(w->f->hash_key, &a);
	__u32 bit = own_bit(sum);
	bool is_set = w->f->t.own_filter[bit / 64] >> bit % 64 & 1;
	bool is_there = words_find(w->f->t.own, OWN_BUCKETS, own_word(sum));

	assert_int_equal(is_set, is_there);
	return is_there;
}

static bool port_is_known(const struct world *w, __u16 port)
{
	return w->f->t.port_filter[port / 64] >> port % 64 & 1;
}

static bool may_be_backend(const struct world *w, const struct addr *a)
{
	__u32 bit = own_bit(hash_src(w->f->hash_key, a));

	return w->f->t.backend_filter[bit / 64] >> bit % 64 & 1;
}

/* Those of services and of NAT, from before a packet can come for them. */
static void ports_and_backends_are_known(void **state)
{
	struct addr backend;
	struct world w;

	setup(&w);
	w.m->nat_port_first = 2000;
	w.m->nat_port_last = 2100;
	apply(&w);
	assert_false(port_is_known(&w, 2000));
	web(&w, 1);
	apply(&w);
	assert_true(port_is_known(&w, w.m->services[0]->fronts[0].port_first));
	for (int port = 1990; port < 2110; port++)
		assert_int_equal(port_is_known(&w, port),
				 port >= 2000 && port <= 2100);
	backend = w.m->services[0]->backends[0].addr;
	assert_true(may_be_backend(&w, &backend));
	restart(&w);
	assert_true(port_is_known(&w, 2100));
	assert_true(may_be_backend(&w, &backend));
	teardown(&w);
}

/* Not before nobody can get an answer from there any more. */
static void backends_are_forgotten_at_last(void **state)
{
	struct addr backend;
	struct world w;

	setup(&w);
	web(&w, 2);
	apply(&w);
	backend = w.m->services[0]->backends[1].addr;
	w.m->services[0]->nr_backends--;
	apply(&w);
	assert_true(may_be_backend(&w, &backend));
	pass(&w, 2 * IDLE_TCP + 200);
	assert_false(may_be_backend(&w, &backend));
	teardown(&w);
}

static void one_host_addr(void *arg,
			  void (*f)(void *data, const struct addr *a),
			  void *data)
{
	struct addr a = fake_addr4(*(__u32 *)arg);

	f(data, &a);
}

static void our_own_addresses_are_followed(void **state)
{
	struct addr nat = fake_addr4(HOST + 7);
	__u32 host = HOST + 8;
	struct world w;

	setup(&w);
	web(&w, 1);
	apply(&w);
	assert_true(is_own(&w, VIP));
	assert_false(is_own(&w, VIP + 1));
	assert_int_equal(state_nat_addrs(w.s, &nat, 1), 0);
	assert_true(is_own(&w, HOST + 7));
	assert_int_equal(state_nat_addrs(w.s, &nat, 0), 0);
	state_set_host(w.s, &(struct state_host){
		.each_addr = one_host_addr,
		.arg = &host,
	});
	state_host_addrs(w.s, w.now_s);
	assert_true(is_own(&w, HOST + 8));
	host = HOST + 9;
	state_host_addrs(w.s, w.now_s);
	assert_false(is_own(&w, HOST + 8));
	assert_true(is_own(&w, HOST + 9));
	fake_service_remove(w.m, "web");
	apply(&w);
	assert_false(is_own(&w, VIP));
	teardown(&w);
}

/* As many as services of a large cluster. */
static void fifty_thousand_addresses_are_our_own(void **state)
{
	struct model_service *svc;
	struct world w;
	char name[16];

	setup_of(&w, (struct fake_sizes){ 1 << 17, 64, 1 << 18, 1 << 16,
					     64 });
	for (int i = 0; i < 200; i++) {
		svc = model_service_add(w.m);
		svc->proto = IPPROTO_TCP;
		sprintf(name, "s%03d", i);
		svc->name = strdup(name);
		svc->nr_fronts = 250;
		svc->fronts = calloc(250, sizeof(*svc->fronts));
		for (int j = 0; j < 250; j++)
			svc->fronts[j] = (struct model_front){
				.addr = fake_addr4(VIP + 250 * i + j),
				.port_first = 80,
				.port_last = 80,
				.prefix_len = 128,
			};
	}
	apply(&w);
	for (int i = 0; i < 50000; i++)
		assert_true(is_own(&w, VIP + i));
	teardown(&w);
}

static bool serves(const struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	return state_serves(w->s, &a);
}

static void addresses_that_are_served_are_known(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	assert_false(serves(&w, VIP));
	web(&w, 1);
	svc = fake_service(w.m, "net", HOST & ~255u, 443, IPPROTO_TCP);
	svc->fronts->prefix_len = 120;
	fake_backend(svc, HOST, 8443, 100);
	apply(&w);
	assert_true(serves(&w, VIP));
	assert_false(serves(&w, VIP + 1));
	assert_true(serves(&w, HOST));
	assert_true(serves(&w, HOST | 255));
	assert_false(serves(&w, HOST + 256));
	restart(&w);
	assert_true(serves(&w, VIP));
	assert_true(serves(&w, HOST));
	fake_service_remove(w.m, "web");
	fake_service_remove(w.m, "net");
	apply(&w);
	assert_false(serves(&w, VIP));
	assert_false(serves(&w, HOST));
	teardown(&w);
}

static bool vip_is_host(void *arg, const struct addr *a)
{
	struct addr vip = fake_addr4(VIP);

	return !addr_compare(a, &vip);
}

static void host_flag_is_on_the_address_alone(void **state)
{
	struct world w;

	setup(&w);
	web(&w, 1);
	apply(&w);
	state_set_host(w.s, &(struct state_host){
		.is_host = vip_is_host,
		.arg = NULL,
	});
	state_host_addrs(w.s, w.now_s);
	assert_int_equal(find(&w, VIP, 1, IPPROTO_TCP)->flags,
			 SERVICE_VIP | SERVICE_HOST);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->flags, 0);
	teardown(&w);
}

static void first_is_here(void *arg, __u32 index, struct backend *b)
{
	struct addr host = fake_addr4(HOST);

	if (!addr_compare(&b->addr, &host))
		b->flags |= BACKEND_LOCAL;
}

/* Also while it leaves: its connections go on. */
static void nobody_is_here(void *arg, __u32 index, struct backend *b)
{
	b->flags &= ~BACKEND_LOCAL;
}

static void only_nat_must_know_of_backends_here(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	state_set_host(w.s, &(struct state_host){ .way = first_is_here });
	svc = web(&w, 2);
	svc->forward = FORWARD_L2;
	apply(&w);
	assert_false(state_has_local_nat(w.s));
	svc->forward = FORWARD_NAT;
	apply(&w);
	assert_true(state_has_local_nat(w.s));
	restart(&w);
	assert_true(state_has_local_nat(w.s));
	svc->forward = FORWARD_L2;
	apply(&w);
	assert_false(state_has_local_nat(w.s));
	svc->forward = FORWARD_NAT;
	apply(&w);
	state_each_backend(w.s, nobody_is_here, NULL);
	assert_false(state_has_local_nat(w.s));
	state_set_host(w.s, &(struct state_host){ .way = first_is_here });
	state_each_backend(w.s, first_is_here, NULL);
	assert_true(state_has_local_nat(w.s));
	fake_service_remove(w.m, "web");
	apply(&w);
	assert_false(state_has_local_nat(w.s));
	svc = web(&w, 1);
	svc->forward = FORWARD_NAT;
	apply(&w);
	assert_true(state_has_local_nat(w.s));
	svc->backends[0].addr = fake_addr4(HOST + 1);
	apply(&w);
	assert_true(state_has_local_nat(w.s));
	pass(&w, 100000);
	assert_false(state_has_local_nat(w.s));
	teardown(&w);
}

static unsigned int resets[256];

static void count_reset(struct tables *t, __u32 backend)
{
	resets[backend]++;
}

/* A table that is new has none, and a million of them take a second. */
static void statistics_of_an_id_that_was_used_are_reset(void **state)
{
	unsigned int used_again = 0;
	struct world w;

	setup(&w);
	memset(resets, 0, sizeof(resets));
	w.f->t.backend_stats_reset = count_reset;
	web(&w, 1);
	apply(&w);
	for (__u32 i = 1; i < w.f->t.nr_backends; i++)
		assert_int_equal(resets[i], 0);
	for (int i = 0; i < 20; i++) {
		fake_service_remove(w.m, "web");
		apply(&w);
		pass(&w, 100);
		restart(&w);
		web(&w, 1);
		apply(&w);
	}
	for (__u32 i = 1; i < w.f->t.nr_backends; i++) {
		__u32 times = w.f->t.backends[i].generation;

		assert_int_equal(resets[i], times ? times - 1 : 0);
		used_again += resets[i];
	}
	assert_true(used_again > 0);
	teardown(&w);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct world w;
	struct fake_sizes more;
	__u64 before;
	char name[16];

	setup_of(&w, (struct fake_sizes){ 8, 8, 512, 2, 0 });
	web(&w, 1);
	apply(&w);
	before = fake_digest(w.f);
	for (int i = 0; i < 30; i++) {
		sprintf(name, "s%d", i);
		fake_backend(fake_service(w.m, name, VIP + i, 443 - !i,
					  IPPROTO_TCP), HOST, 1, 1);
	}
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -ENOSPC);
	assert_true(fake_digest(w.f) == before);
	assert_true(w.r.needed.services >= 62);
	assert_true(w.r.needed.backends >= 32);
	assert_true(w.r.needed.slots >= 31 * 64);
	assert_true(w.r.needed.cell_buckets >= 32);
	more = (struct fake_sizes){ w.r.needed.services, w.r.needed.backends,
				    w.r.needed.slots, w.r.needed.cell_buckets,
				    0 };
	fake_grow(w.f, more);
	apply(&w);
	for (int i = 1; i < 30; i++)
		assert_int_equal(find(&w, VIP + i, 443, IPPROTO_TCP)->proto,
				 IPPROTO_TCP);
	assert_non_null(find(&w, VIP, 443, IPPROTO_TCP));
	teardown(&w);
}

static void own_limits_are_told_with_numbers(void **state)
{
	struct world w;
	__u64 before;

	setup(&w);
	web(&w, 3);
	before = fake_digest(w.f);
	w.m->max_backends = 2;
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -E2BIG);
	assert_string_equal(w.text,
			    "3 backends are defined, but max_backends is 2");
	w.m->max_backends = 3;
	w.m->max_slots = 511;
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -E2BIG);
	assert_true(fake_digest(w.f) == before);
	w.m->max_slots = 512;
	apply(&w);
	teardown(&w);
}

static void slots_that_cannot_be_mapped_are_tried_again(void **state)
{
	struct world w;
	__u32 owners[FLOWS];

	setup(&w);
	web(&w, 3);
	w.f->slots_fail = true;
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -ENOMEM);
	assert_null(find(&w, VIP, 443, IPPROTO_TCP));
	pass(&w, 20);
	w.f->slots_fail = false;
	apply(&w);
	send_flows(&w, owners, true, true);
	w.f->slots_fail = true;
	fake_backend(w.m->services[0], HOST + 3, 8443, 100);
	fake_backend(w.m->services[0], HOST + 4, 8443, 100);
	fake_backend(w.m->services[0], HOST + 5, 8443, 100);
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -ENOMEM);
	check_same_backends(&w, owners);
	w.f->slots_fail = false;
	apply(&w);
	assert_int_equal(find(&w, VIP, 443, IPPROTO_TCP)->slot_count, 1024);
	check_same_backends(&w, owners);
	fake_service_remove(w.m, "web");
	apply(&w);
	teardown(&w);
}

static void diff_says_what_and_does_nothing(void **state)
{
	struct world w;
	char *said = NULL;
	size_t size = 0;
	__u64 before;
	FILE *out = open_memstream(&said, &size);

	setup(&w);
	web(&w, 2);
	fake_service(w.m, "old", VIP, 1, IPPROTO_TCP);
	apply(&w);
	fake_service_remove(w.m, "old");
	w.m->services[0]->algorithm = ALGORITHM_RANDOM;
	w.m->services[0]->backends[1].weight = 7;
	fake_backend_remove(w.m->services[0], HOST, 8443);
	fake_backend(w.m->services[0], HOST + 5, 0, 100);
	fake_service(w.m, "new", VIP, 2, IPPROTO_UDP);
	before = fake_digest(w.f);
	assert_int_equal(reconcile_diff(w.s, w.m, out), 6);
	fclose(out);
	assert_string_equal(said,
		"+ service new: 192.0.2.10:2/udp, ipip, maglev\n"
		"~ service web: algorithm maglev -> random\n"
		"- backend web: 10.0.0.1:8443\n"
		"~ backend web: 10.0.0.2:8443, weight 100 -> 7, "
		"active -> active\n"
		"+ backend web: 10.0.0.6:0, weight 100, active\n"
		"- service old: 192.0.2.10:1/tcp, ipip, maglev\n");
	assert_true(fake_digest(w.f) == before);
	free(said);
	teardown(&w);
}

static void garbage_in_the_tables_is_survived(void **state)
{
	struct world w;
	unsigned int dropped;
	__u8 *byte;

	srand(7);
	for (int round = 0; round < 300; round++) {
		setup(&w);
		web(&w, 3);
		fake_service(w.m, "dns", VIP, 53, IPPROTO_UDP)
		->fronts->port_last = 60;
		fake_backend(w.m->services[0], HOST, 53, 1);
		apply(&w);
		for (int i = 0; i < 40; i++) {
			byte = i % 4 == 0 ? (__u8 *)w.f->t.services :
			       i % 4 == 1 ? (__u8 *)w.f->t.backends :
			       i % 4 == 2 ? (__u8 *)w.f->t.infos :
					    (__u8 *)w.f->slot_memory;
			byte[rand() % 512] = rand();
		}
		for (int i = 0; i < 20; i++)
			w.f->t.cells[rand() % 512].service = rand() % 70;
		state_free(w.s);
		assert_int_equal(state_load(&w.f->t, w.now_s, &w.s, &dropped),
				 0);
		reconcile_tick(w.s, w.now_s + 2000);
		w.now_s += 2000;
		apply(&w);
		assert_non_null(find(&w, VIP, 443, IPPROTO_TCP));
		assert_false(find(&w, VIP, 55, IPPROTO_UDP)->flags &
			     SERVICE_VIP);
		pass(&w, 20);
		apply(&w);
		assert_int_equal(w.r.slots_written, 0);
		teardown(&w);
	}
}

static size_t heap_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void ten_thousand_services(void **state)
{
	struct world w;
	size_t heap;
	char name[32];

	w = (struct world){ .now_s = 1000, .m = model_new() };
	w.f = fake_new((struct fake_sizes){ 32768, 131072, 1 << 24, 16384, 0 });
	memset(w.f->slot_memory, 0, (size_t)w.f->t.nr_slots * 8);
	for (int i = 0; i < 10000; i++) {
		struct model_service *svc;

		sprintf(name, "namespace/service-%05d", i);
		svc = fake_service(w.m, name, 0x0a000000 + i, 80, IPPROTO_TCP);
		for (int j = 0; j < 10; j++)
			fake_backend(svc, 0x0b000000 + i * 10 + j, 80, 100);
	}
	heap = heap_used();
	assert_int_equal(state_load(&w.f->t, w.now_s, &w.s, NULL), 0);
	apply(&w);
	print_message("books of 10000 services, 100000 backends: %.1f MB\n",
		      (heap_used() - heap) / 1e6);
	assert_true(heap_used() - heap < 16e6);
	assert_int_equal(w.r.added, 10000);
	fake_backend(w.m->services[5000], 0x0c000000, 80, 100);
	apply(&w);
	assert_int_equal(w.r.changed, 1);
	assert_int_equal(w.r.backends_added, 1);
	assert_true(w.r.slots_written <= find(&w, 0x0a000000 + 5000, 80,
					      IPPROTO_TCP)->slot_count);
	pass(&w, 1);
	restart(&w);
	apply(&w);
	assert_int_equal(w.r.slots_written, 0);
	assert_int_equal(w.r.unchanged, 10000);
	teardown(&w);
}

/* A source that has not delivered its first list may be about to name what is
 * in force: nothing of that goes, and a restart changes nothing of it. */
static void what_may_be_named_yet_is_not_withdrawn(void **state)
{
	struct world w;

	setup(&w);
	web(&w, 2);
	fake_service(w.m, "old", VIP + 1, 80, IPPROTO_TCP);
	w.m->node4 = fake_addr4(HOST + 1);
	w.m->pods4 = (struct model_prefix){ fake_addr4(HOST), 96 + 24, true };
	apply(&w);
	model_free(w.m);
	w.m = model_new();
	assert_non_null(w.m);
	w.m->idle_tcp_s = IDLE_TCP;
	w.m->is_partial = true;
	fake_backend(fake_service(w.m, "new", VIP + 2, 80, IPPROTO_TCP),
		     HOST + 9, 80, 100);
	restart(&w);
	for (int i = 0; i < 2; i++) {
		apply(&w);
		assert_int_equal(w.r.added, !i);
		assert_int_equal(w.r.removed, 0);
		assert_int_equal(w.r.unchanged, 2 + i);
		assert_non_null(find(&w, VIP, 443, IPPROTO_TCP));
		assert_non_null(find(&w, VIP + 1, 80, IPPROTO_TCP));
		assert_non_null(find(&w, VIP + 2, 80, IPPROTO_TCP));
		assert_int_equal(w.f->t.backends[backend_at(&w, HOST)].state,
				 BACKEND_ACTIVE);
		assert_false(addr_is_zero(&w.f->t.runtime->node4));
		assert_int_equal(w.f->t.runtime->pods4_len, 96 + 24);
	}
	w.m->is_partial = false;
	apply(&w);
	assert_true(addr_is_zero(&w.f->t.runtime->node4));
	assert_int_equal(w.f->t.runtime->pods4_len, 0);
	assert_int_equal(w.r.removed, 2);
	assert_null(find(&w, VIP, 443, IPPROTO_TCP));
	assert_non_null(find(&w, VIP + 2, 80, IPPROTO_TCP));
	teardown(&w);
}

static void a_diff_names_settings(void **state)
{
	struct world w;
	char *text = NULL;
	size_t len;
	FILE *out;

	setup(&w);
	web(&w, 1);
	apply(&w);
	out = open_memstream(&text, &len);
	assert_int_equal(reconcile_diff(w.s, w.m, out), 0);
	w.m->has_hash_key = true;
	w.m->tunnel4 = fake_addr4(0x0a090000);
	w.m->tunnel4_bits = 16;
	w.m->nat_port_first = 2048;
	w.m->gue_port = 7000;
	w.m->syn_s = 5;
	w.m->nat4[w.m->nr_nat4++] = fake_addr4(VIP + 7);
	assert_int_equal(reconcile_diff(w.s, w.m, out), 6);
	fclose(out);
	assert_string_equal(text,
		"~ setting hash-key: another one, which needs \"fairlead cleanup\" first\n"
		"~ setting nat: addresses: the interface's own -> 192.0.2.17\n"
		"~ setting tunnel-source: the interface's own -> 10.9.0.0/16\n"
		"~ setting nat: ports: 1024-65535 -> 2048-65535\n"
		"~ setting gue-port: 6080 -> 7000\n"
		"~ setting timeouts: syn: 60 s -> 5 s\n");
	free(text);
	w.m->has_hash_key = false;
	w.m->nr_nat4 = 0;
	apply(&w);
	out = open_memstream(&text, &len);
	reconcile_diff(w.s, w.m, out);
	fclose(out);
	assert_string_equal(text, "");
	free(text);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_is_found_and_serves),
		cmocka_unit_test(restart_rewrites_nothing),
		cmocka_unit_test(old_flows_stay_through_any_number_of_changes),
		cmocka_unit_test(flows_seen_while_tracked_survive_settling),
		cmocka_unit_test(slots_without_flows_settle_after_idle),
		cmocka_unit_test(growth_splits_slots),
		cmocka_unit_test(backend_that_left_is_freed_when_unnamed),
		cmocka_unit_test(backend_that_comes_back_is_the_same),
		cmocka_unit_test(live_nat_flows_hold_a_backend_that_left),
		cmocka_unit_test(a_port_rests_after_its_connection),
		cmocka_unit_test(what_was_reset_holds_nobody_who_leaves),
		cmocka_unit_test(
			ids_that_records_name_are_not_given_away_after_a_restart),
		cmocka_unit_test(slots_are_tracked_when_their_service_is_not),
		cmocka_unit_test(slots_are_tracked_when_there_were_none_to_ask),
	cmocka_unit_test(flags_and_idle_follow_the_definition),
		cmocka_unit_test(set_by_hand_wins_until_unset),
		cmocka_unit_test(no_number_is_reused_within_the_grace_period),
		cmocka_unit_test(services_exchange_addresses_without_a_gap),
		cmocka_unit_test(ports_of_a_range_and_every_port),
		cmocka_unit_test(cidr_is_served_by_its_prefix),
		cmocka_unit_test(filter_knows_services_nat_and_its_addresses),
		cmocka_unit_test(nat_address_keeps_its_place_while_records_name_it),
		cmocka_unit_test(our_own_addresses_are_followed),
		cmocka_unit_test(ports_and_backends_are_known),
		cmocka_unit_test(backends_are_forgotten_at_last),
		cmocka_unit_test(fifty_thousand_addresses_are_our_own),
		cmocka_unit_test(addresses_that_are_served_are_known),
		cmocka_unit_test(host_flag_is_on_the_address_alone),
		cmocka_unit_test(only_nat_must_know_of_backends_here),
		cmocka_unit_test(statistics_of_an_id_that_was_used_are_reset),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(own_limits_are_told_with_numbers),
		cmocka_unit_test(slots_that_cannot_be_mapped_are_tried_again),
		cmocka_unit_test(diff_says_what_and_does_nothing),
		cmocka_unit_test(garbage_in_the_tables_is_survived),
		cmocka_unit_test(ten_thousand_services),
		cmocka_unit_test(what_may_be_named_yet_is_not_withdrawn),
		cmocka_unit_test(a_diff_names_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
