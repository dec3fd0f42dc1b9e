// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which backend: Maglev slots and their past, chance, turns, affinity. */
#include <stdio.h>

#include "model/conns.h"
#include "family.h"

#define CLIENTS 300

static struct service_words l2_service(const struct family *f)
{
	return (struct service_words){
		.addr = f->vip, .port = 80, .forward = FORWARD_L2,
		.backends = { f->backend, f->backend2 },
	};
}

/* The i-th connection's packet. */
static struct packet packet_from(const struct family *f, int i, uint8_t flags)
{
	return tcp(f->client, 2000 + i, f->vip, 80, .flags = flags);
}

static struct addr backend_of(const struct family *f, int i, uint8_t flags)
{
	struct packet p = packet_from(f, i, flags);

	return sent_to(&p);
}

/* Every connection's next packet goes where its first one went. */
static void expect_still_at(const struct family *f, const struct addr *first)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct addr now = backend_of(f, i, ACK);

		assert_memory_equal(&now, &first[i], sizeof(now));
	}
}

static bool is(struct addr a, const char *text)
{
	struct addr b = addr(text);

	return !memcmp(&a, &b, sizeof(a));
}

/* How many entries of conns are in use. */
static unsigned int conns_used(void)
{
	struct conns_usage u;

	assert_int_equal(conns_usage(world_tables(world), &u), 0);
	return u.half + u.live + u.closing;
}

static void settled_slots_need_no_table(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr first[CLIENTS];
	int mine = 0;

	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	for (int i = 0; i < CLIENTS; i++) {
		first[i] = backend_of(f, i, SYN);
		mine += is(first[i], f->backend);
	}
	expect_still_at(f, first);
	assert_int_equal(conns_used(), 0);
	assert_in_range(mine, CLIENTS / 4, CLIENTS * 3 / 4);
}

static void connections_survive_a_new_backend(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr before[CLIENTS];
	int moved = 0;

	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	for (int i = 0; i < CLIENTS; i++)
		before[i] = backend_of(f, i, SYN);
	words.backends[2] = f->backend3;
	world_define(world, &words);
	world_apply(world);
	expect_still_at(f, before);
	for (int i = CLIENTS; i < 2 * CLIENTS; i++)
		moved += is(backend_of(f, i, SYN), f->backend3);
	assert_in_range(moved, CLIENTS / 8, CLIENTS * 2 / 3);
}

static void new_connections_of_tracked_slots_stay_where_they_began(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr began[CLIENTS];

	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	words.backends[2] = f->backend3;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++)
		began[i] = backend_of(f, i, SYN);
	expect_still_at(f, began);
	words.backends[2] = NULL;	/* and another change */
	world_define(world, &words);
	world_apply(world);
	expect_still_at(f, began);
}

/* conns still has what NAT made of the same ports. */
static void connections_after_nat_stay_where_they_began(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr began[CLIENTS];
	struct outcome got;
	struct packet p;

	world_nat(world, &f->nat, 1);
	words.forward = FORWARD_NAT;
	words.backends[1] = NULL;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++) {
		p = packet_from(f, i, SYN);
		assert_true(world_check(world, &p, &got));
		p = packet_from(f, i, FIN | ACK);
		assert_true(world_check(world, &p, &got));
	}
	words = l2_service(f);
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++)
		began[i] = backend_of(f, i, SYN);
	words.backends[2] = f->backend3;
	world_define(world, &words);
	world_apply(world);
	expect_still_at(f, began);
}

/* A backend in state gets no new connection, and keeps or loses the old. */
static void after_state(const struct family *f, enum backend_state state,
			bool keeps)
{
	struct service_words words = l2_service(f);
	bool had[CLIENTS];
	int kept = 0;

	world_reset(world);
	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	for (int i = 0; i < CLIENTS; i++)
		had[i] = is(backend_of(f, i, SYN), f->backend2);
	if (state == BACKEND_LEAVING) {
		words.backends[1] = NULL;
		world_define(world, &words);
		world_apply(world);
	} else {
		world_backend_state(world, f->backend2, state);
	}
	for (int i = 0; i < CLIENTS; i++) {
		bool has = is(backend_of(f, i, ACK), f->backend2);

		assert_int_equal(has, keeps && had[i]);
		kept += has;
	}
	assert_int_equal(kept > 0, keeps);
	for (int i = CLIENTS; i < 2 * CLIENTS; i++)
		assert_true(is(backend_of(f, i, SYN), f->backend));
}

static void drained_backends_keep_their_connections(void **state)
{
	after_state(*state, BACKEND_DRAIN, true);
}

static void leaving_backends_keep_their_connections(void **state)
{
	after_state(*state, BACKEND_LEAVING, true);
}

static void failed_backends_lose_their_connections(void **state)
{
	after_state(*state, BACKEND_DOWN, false);
}

/* A SYN that is also an ACK, a FIN or nothing opens no connection. */
static void only_a_bare_syn_is_new(void **state)
{
	const struct family *f = *state;
	static const uint8_t older[] = { 0, ACK, SYN | ACK, FIN | ACK, RST };
	struct service_words words = l2_service(f);

	words.backends[1] = NULL;
	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	words.backends[0] = f->backend2;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < 5; i++)
		assert_true(is(backend_of(f, i, older[i]), f->backend));
	assert_true(is(backend_of(f, 10, SYN), f->backend2));
	assert_true(is(backend_of(f, 11, SYN | PSH), f->backend2));
	assert_true(is(backend_of(f, 10, ACK), f->backend2));
}

static void sctp_init_is_new(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct packet p;

	words.proto = IPPROTO_SCTP;
	words.backends[1] = NULL;
	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	words.backends[0] = f->backend2;
	world_define(world, &words);
	world_apply(world);
	p = sctp(f->client, 5, f->vip, 80, .payload = 16);
	assert_true(is(sent_to(&p), f->backend));
	p = sctp(f->client, 6, f->vip, 80, .payload = 16, .chunk = SCTP_INIT);
	assert_true(is(sent_to(&p), f->backend2));
	p = sctp(f->client, 6, f->vip, 80, .payload = 16);
	assert_true(is(sent_to(&p), f->backend2));
}

/* UDP has no SYN: a flow nobody knows may be an old one. */
static void unknown_udp_flows_go_to_the_previous_backend(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct packet p = udp(f->client, 5, f->vip, 80, .payload = 3);

	words.proto = IPPROTO_UDP;
	words.backends[1] = NULL;
	world_define(world, &words);
	world_apply(world);
	world_settle(world);
	words.backends[0] = f->backend2;
	world_define(world, &words);
	world_apply(world);
	assert_true(is(sent_to(&p), f->backend));
	world_settle(world);
	assert_true(is(sent_to(&p), f->backend2));
}

static void stateless_udp_follows_the_slot_alone(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct packet p = udp(f->client, 5, f->vip, 80, .payload = 3);

	words.proto = IPPROTO_UDP;
	words.stateless = true;
	words.backends[1] = NULL;
	world_define(world, &words);
	world_apply(world);
	assert_true(is(sent_to(&p), f->backend));
	words.backends[0] = f->backend2;
	world_define(world, &words);
	world_apply(world);
	assert_true(is(sent_to(&p), f->backend2));
	assert_int_equal(conns_used(), 0);
}

static void random_spreads_connections_and_keeps_each(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr began[CLIENTS];
	int mine = 0;

	words.algorithm = ALGORITHM_RANDOM;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++) {
		began[i] = backend_of(f, i, SYN);
		mine += is(began[i], f->backend);
	}
	assert_in_range(mine, CLIENTS / 3, CLIENTS * 2 / 3);
	expect_still_at(f, began);
}

static void round_robin_takes_turns(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	int counts[3] = {};

	words.algorithm = ALGORITHM_ROUND_ROBIN;
	words.backends[2] = f->backend3;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < 1024; i++) {
		struct addr a = backend_of(f, i, SYN);

		counts[is(a, f->backend) ? 0 : is(a, f->backend2) ? 1 : 2]++;
		a = backend_of(f, i, ACK);
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(counts[i], 1024 / 3 - 60, 1024 / 3 + 60);
}

static void clients_stick_while_affinity_lasts(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr first, now;

	words.affinity_s = 3600;
	words.backends[2] = f->backend3;
	for (int algorithm = 0; algorithm < 3; algorithm++) {
		world_reset(world);
		words.algorithm = algorithm;
		world_define(world, &words);
		world_apply(world);
		first = backend_of(f, 0, SYN);
		for (int i = 1; i < 50; i++) {
			now = backend_of(f, i, SYN);
			assert_memory_equal(&now, &first, sizeof(now));
			now = backend_of(f, i, ACK);
			assert_memory_equal(&now, &first, sizeof(now));
		}
	}
}

/* A drained backend loses its clients' new connections, not the old ones. */
static void affinity_ends_with_the_backend(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr first;
	const char *other;

	words.affinity_s = 3600;
	world_define(world, &words);
	world_apply(world);
	first = backend_of(f, 0, SYN);
	other = is(first, f->backend) ? f->backend2 : f->backend;
	world_backend_state(world, other == f->backend ? f->backend2 :
			    f->backend, BACKEND_DRAIN);
	assert_true(is(backend_of(f, 1, SYN), other));
	assert_false(is(backend_of(f, 0, ACK), other));
	assert_true(is(backend_of(f, 2, SYN), other));
}

static void affinity_is_each_clients_own(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	int mine = 0;

	words.affinity_s = 3600;
	world_define(world, &words);
	world_apply(world);
	for (int i = 1; i <= 100; i++) {
		char text[40];
		struct packet p;

		snprintf(text, sizeof(text), f->v6 ? "2001:db8:5::%x" :
			 "203.0.113.%d", i);
		p = tcp(text, 1, f->vip, 80, .flags = SYN);
		mine += is(sent_to(&p), f->backend);
	}
	assert_in_range(mine, 25, 75);
}

/* A RST can be forged, and its client begins anew in good faith. */
static void a_reset_and_a_new_beginning_move_nobody(void **state)
{
	const struct family *f = *state;
	struct service_words words = l2_service(f);
	struct addr began[CLIENTS];

	words.algorithm = ALGORITHM_ROUND_ROBIN;
	words.backends[2] = f->backend3;
	world_define(world, &words);
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++) {
		began[i] = backend_of(f, i, SYN);
		backend_of(f, i, ACK);
		backend_of(f, i, RST);
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct addr again = backend_of(f, i, SYN);

		assert_memory_equal(&again, &began[i], sizeof(again));
	}
	expect_still_at(f, began);
}

/* Datagrams of ever more clients, two of each: all that there is room for is
 * live, and stays. */
static void fill_conns(const struct family *f)
{
	struct outcome got;
	struct packet p;

	world_service(world, .name = "datagrams", .addr = f->vip2, .port = 53,
		      .proto = IPPROTO_UDP, .forward = FORWARD_L2,
		      .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend2 });
	for (int i = 0; i < 120000; i++) {
		p = udp(i & 1 ? f->client : f->client2, 1024 + i / 2, f->vip2,
			53);
		world_run(world, &p, &got);
		world_run(world, &p, &got);
	}
}

static void what_finds_no_room_goes_by_its_hash(void **state)
{
	const struct family *f = *state;
	static const enum algorithm algorithms[] = {
		ALGORITHM_ROUND_ROBIN, ALGORITHM_RANDOM, ALGORITHM_MAGLEV,
	};
	struct service_words words = l2_service(f);
	struct outcome first, later;
	unsigned int unrecorded = 0;
	struct packet p;

	fill_conns(f);
	for (size_t j = 0; j < 3; j++) {
		words.algorithm = algorithms[j];
		words.backends[2] = j == 2 ? f->backend3 : NULL;
		world_define(world, &words);
		world_apply(world);
		for (int i = 0; i < CLIENTS; i++) {
			p = packet_from(f, j * CLIENTS + i, SYN);
			world_run(world, &p, &first);
			p = packet_from(f, j * CLIENTS + i, ACK);
			world_run(world, &p, &later);
			unrecorded += !!(first.reasons &
					 REASON_BIT(UNRECORDED));
			assert_memory_equal(first.packet.data,
					    later.packet.data, MAC_LEN);
		}
	}
	assert_true(unrecorded > CLIENTS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(settled_slots_need_no_table),
		BOTH(connections_survive_a_new_backend),
		BOTH(new_connections_of_tracked_slots_stay_where_they_began),
		BOTH(connections_after_nat_stay_where_they_began),
		BOTH(drained_backends_keep_their_connections),
		BOTH(leaving_backends_keep_their_connections),
		BOTH(failed_backends_lose_their_connections),
		BOTH(only_a_bare_syn_is_new),
		BOTH(sctp_init_is_new),
		BOTH(unknown_udp_flows_go_to_the_previous_backend),
		BOTH(stateless_udp_follows_the_slot_alone),
		BOTH(random_spreads_connections_and_keeps_each),
		BOTH(round_robin_takes_turns),
		BOTH(clients_stick_while_affinity_lasts),
		BOTH(affinity_ends_with_the_backend),
		BOTH(affinity_is_each_clients_own),
		BOTH(a_reset_and_a_new_beginning_move_nobody),
		BOTH(what_finds_no_room_goes_by_its_hash),
	};

	return run_both(tests);
}
