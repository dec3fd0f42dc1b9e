// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a connection: what begins it, ends it and keeps it, and to whom
 * its client's next one goes. Translated ones, of which both directions are
 * seen, and choices, of which only the client's is.
 */
#include <time.h>

#include "model/conns.h"
#include "bytes.h"
#include "family.h"

#define CLOSING_S 10	/* the settings' defaults */
#define IDLE_S 900
#define HALF_CLOSED_S 3600
#define PORT 4321

static struct flow client_flow(const struct family *f)
{
	return (struct flow){
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(PORT), .dport = htons(80),
		.proto = IPPROTO_TCP,
	};
}

static struct conn_entry entry(const struct family *f)
{
	struct flow flow = client_flow(f);
	struct conn_entry e;

	assert_true(conns_find(world_tables(world), &flow, &e));
	return e;
}

static enum conn_state state_of(const struct family *f)
{
	struct conn_entry e = entry(f);

	return conn_entry_state(&e);
}

static __u32 backend_of(const struct family *f)
{
	struct conn_entry e = entry(f);

	return conn_backend(&e.conn);
}

static const char *name_of(const struct family *f, __u32 backend)
{
	const struct backend *b = &world_tables(world)->backends[backend];
	struct addr a = addr(f->backend);

	return memcmp(&b->addr, &a, sizeof(a)) ? f->backend2 : f->backend;
}

static void client_says(const struct family *f, uint8_t flags, uint32_t ack)
{
	struct packet p = tcp(f->client, PORT, f->vip, 80, .flags = flags,
			      .ack = ack);

	expect_reason(&p, FORWARDED);
}

static struct packet of_backend(const struct family *f, uint8_t flags,
				uint32_t seq)
{
	return tcp(name_of(f, backend_of(f)), 8080, f->nat, PORT,
		   .flags = flags, .seq = seq);
}

static void backend_says(const struct family *f, uint8_t flags, uint32_t seq)
{
	struct packet p = of_backend(f, flags, seq);

	expect_reason(&p, RETURNED);
}

/* By NAT, with one backend. */
static void serve_one(const struct family *f)
{
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_NAT, .backends = { f->backend },
		      .backend_port = 8080);
}

/* To NAT, from first to last. */
static void leave_ports(__u16 first, __u16 last)
{
	world_model(world)->nat_port_first = first;
	world_model(world)->nat_port_last = last;
}

/* To one of two backends, by chance. */
static void define(const struct family *f, enum forward forward)
{
	world_service(world, .addr = f->vip, .port = 80, .forward = forward,
		      .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend, f->backend2 },
		      .backend_port = forward == FORWARD_NAT ? 8080 : 0);
}

static void handshake(const struct family *f, uint32_t seq)
{
	client_says(f, SYN, 0);
	backend_says(f, SYN | ACK, seq);
	client_says(f, ACK, seq + 1);
}

static void establish(const struct family *f)
{
	define(f, FORWARD_NAT);
	handshake(f, 1000);
	assert_int_equal(state_of(f), CONN_LIVE);
}

/* Does what a backend says still find its client, so many seconds later? */
static bool lasts(const struct family *f, __u32 seconds)
{
	struct packet p = of_backend(f, ACK, 5000);
	struct outcome got;

	world_age(world, seconds);
	world_run(world, &p, &got);
	return got.reasons & REASON_BIT(RETURNED);
}

/* Translated */

static void one_sides_end_is_not_the_others(void **state)
{
	const struct family *f = *state;

	for (int backend = 0; backend < 2; backend++) {
		world_reset(world);
		establish(f);
		for (int i = 0; i < 3; i++) {	/* and sent again */
			if (backend)
				backend_says(f, FIN | ACK, 1001);
			else
				client_says(f, FIN | ACK, 1001);
			assert_int_equal(state_of(f), CONN_HALF_CLOSED);
		}
		client_says(f, ACK, 1001);
		backend_says(f, ACK, 1001);
		assert_int_equal(state_of(f), CONN_HALF_CLOSED);
		assert_true(lasts(f, IDLE_S - 10));
		assert_true(lasts(f, IDLE_S - 10));
		assert_false(lasts(f, 2 * IDLE_S));
	}
}

/* Half-closed ones have a limit of their own, under that of the service. */
static void half_closed_lasts_no_longer_than_it_may(void **state)
{
	const struct family *f = *state;

	world_model(world)->idle_tcp_s = 24 * 3600;
	establish(f);
	client_says(f, FIN | ACK, 1001);
	assert_true(lasts(f, HALF_CLOSED_S - 10));
	assert_false(lasts(f, 2 * HALF_CLOSED_S));

	world_reset(world);
	world_model(world)->half_closed_s = 20;
	establish(f);
	client_says(f, FIN | ACK, 1001);
	assert_true(lasts(f, 18));
	assert_false(lasts(f, 40));
}

static void what_both_sides_end_is_over_soon(void **state)
{
	const struct family *f = *state;

	for (int first = 0; first < 2; first++) {
		world_reset(world);
		establish(f);
		if (first)
			backend_says(f, FIN | ACK, 1001);
		client_says(f, FIN | ACK, 1001);
		if (!first)
			backend_says(f, FIN | ACK, 1001);
		assert_int_equal(state_of(f), CONN_CLOSING);
		/* the last acknowledgement, and what is sent again */
		client_says(f, ACK, 1002);
		client_says(f, ACK, 1001);
		backend_says(f, FIN | ACK, 1001);
		backend_says(f, ACK, 1002);
		assert_int_equal(state_of(f), CONN_CLOSING);
		assert_true(lasts(f, CLOSING_S - 2));
		assert_false(lasts(f, CLOSING_S + 1));
	}
}

/* The only port: who makes room for another client? */
static void only_what_is_over_makes_room(void **state)
{
	const struct family *f = *state;
	struct packet other = tcp(f->client2, PORT, f->vip, 80, .flags = SYN);

	leave_ports(PORT, PORT);
	serve_one(f);
	handshake(f, 1000);
	expect_reason(&other, NO_PORT);
	client_says(f, FIN | ACK, 1001);
	expect_reason(&other, NO_PORT);
	backend_says(f, FIN | ACK, 1001);
	expect_reason(&other, FORWARDED);
}

/* Also at another service, of which the same server is a backend. */
static void what_never_began_makes_room_whose_ever_it_is(void **state)
{
	const struct family *f = *state;
	struct packet other = tcp(f->client2, PORT, f->vip2, 80, .flags = SYN);
	struct packet answer = tcp(f->backend, 8080, f->nat, PORT,
				   .flags = SYN | ACK, .seq = 1000);
	struct packet want = tcp(f->vip2, 80, f->client2, PORT, .ttl = 63,
				 .flags = SYN | ACK, .seq = 1000);
	struct outcome got;

	leave_ports(PORT, PORT);
	for (int i = 0; i < 2; i++)
		world_service(world, .name = i ? "b" : "a",
			      .addr = i ? f->vip2 : f->vip, .port = 80,
			      .forward = FORWARD_NAT,
			      .backends = { f->backend },
			      .backend_port = 8080);
	client_says(f, SYN, 0);
	expect_reason(&other, FORWARDED);
	got = expect_reason(&answer, RETURNED);
	want = packet_framed(&want, got.packet.data, got.packet.data + MAC_LEN,
			     (struct vlan[VLANS_MAX]){});
	assert_true(packet_eq(&want, &got.packet));
	handshake(f, 1000);
	expect_reason(&other, NO_PORT);
}

/* A FIN before anything was confirmed can be anybody's. */
static void a_fin_confirms_by_its_number_alone(void **state)
{
	const struct family *f = *state;

	define(f, FORWARD_NAT);
	client_says(f, SYN, 0);
	backend_says(f, SYN | ACK, 1000);
	client_says(f, FIN | ACK, 999);
	backend_says(f, FIN | ACK, 1001);
	assert_int_equal(state_of(f), CONN_HALF);
	client_says(f, FIN | ACK, 1001);
	assert_int_equal(state_of(f), CONN_HALF_CLOSED);
}

/* Who was reset says nothing more, so it was not. */
static void a_forged_reset_is_disproved_by_the_backend(void **state)
{
	const struct family *f = *state;
	static const uint8_t resets[] = { RST, RST | ACK, RST | FIN };

	for (int i = 0; i < 3; i++) {
		world_reset(world);
		establish(f);
		client_says(f, resets[i], 1001);
		assert_int_equal(state_of(f), CONN_CLOSING);
		client_says(f, ACK | PSH, 2001);
		backend_says(f, ACK, 2001);
		assert_int_equal(state_of(f), CONN_LIVE);
		assert_true(lasts(f, IDLE_S - 10));
	}
	/* by what it says when a SYN comes in between (RFC 5961, 4) */
	client_says(f, RST, 0);
	client_says(f, SYN, 0);
	backend_says(f, ACK, 2001);
	assert_int_equal(state_of(f), CONN_LIVE);
	/* what was half-closed is so again */
	client_says(f, FIN | ACK, 2001);
	client_says(f, RST, 0);
	backend_says(f, ACK | PSH, 2001);
	assert_int_equal(state_of(f), CONN_HALF_CLOSED);
}

/* What nobody had confirmed yet. */
static void a_reset_ends_a_handshake(void **state)
{
	const struct family *f = *state;

	for (int backend = 0; backend < 2; backend++) {
		world_reset(world);
		define(f, FORWARD_NAT);
		client_says(f, SYN, 0);
		backend_says(f, SYN | ACK, 1000);
		if (backend)
			backend_says(f, RST, 1001);
		else
			client_says(f, RST, 1001);
		for (int i = 0; i < 3; i++) {
			/* old ones, which keep nothing */
			world_age(world, CLOSING_S / 5);
			client_says(f, ACK, 1001);
			client_says(f, ACK | PSH, 1500);
		}
		assert_int_equal(state_of(f), CONN_CLOSING);
		assert_false(lasts(f, CLOSING_S / 2));
	}
}

/* Its number decides whether it is believed, and nobody asks the two who know
 * before they speak: so it lasts as long as what one side has closed. */
static void an_idle_connection_outlives_a_forged_reset(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 4; i++) {
		enum conn_state before = i & 2 ? CONN_HALF_CLOSED : CONN_LIVE;

		world_reset(world);
		world_model(world)->idle_tcp_s = 24 * 3600;
		establish(f);
		if (i & 2)
			client_says(f, FIN | ACK, 1001);
		for (int j = 0; j < 2; j++) {
			if (i & 1)
				backend_says(f, RST, 77);
			else
				client_says(f, RST, 77);
		}
		assert_int_equal(state_of(f), CONN_CLOSING);
		world_age(world, HALF_CLOSED_S - 10);
		client_says(f, ACK | PSH, 2001);
		assert_int_equal(state_of(f), CONN_CLOSING);
		backend_says(f, ACK, 2001);
		assert_int_equal(state_of(f), before);
		assert_true(lasts(f, HALF_CLOSED_S - 10));
		client_says(f, RST, 77);
		assert_false(lasts(f, 2 * HALF_CLOSED_S));
	}
}

/* But it makes room, as it has ended if nobody speaks. */
static void what_was_reset_makes_room(void **state)
{
	const struct family *f = *state;
	struct packet other = tcp(f->client2, PORT, f->vip, 80, .flags = SYN);

	leave_ports(PORT, PORT);
	serve_one(f);
	handshake(f, 1000);
	expect_reason(&other, NO_PORT);
	client_says(f, RST, 1001);
	expect_reason(&other, FORWARDED);
}

/* The number of an earlier handshake is no proof that this one is done. */
static void a_new_handshake_needs_its_own_number(void **state)
{
	const struct family *f = *state;

	establish(f);
	client_says(f, RST, 1001);
	client_says(f, SYN, 0);
	client_says(f, ACK, 1001);
	assert_int_equal(state_of(f), CONN_CLOSING);
	backend_says(f, SYN | ACK, 2000);
	client_says(f, ACK, 1001);
	assert_int_equal(state_of(f), CONN_CLOSING);
	client_says(f, ACK, 2001);
	assert_int_equal(state_of(f), CONN_LIVE);
}

/* One side had closed the earlier one; the later one is whole. */
static void a_new_connection_has_both_sides_again(void **state)
{
	const struct family *f = *state;

	establish(f);
	backend_says(f, FIN | ACK, 1001);
	client_says(f, RST, 1001);
	handshake(f, 2000);
	assert_int_equal(state_of(f), CONN_LIVE);
	client_says(f, FIN | ACK, 2001);
	assert_int_equal(state_of(f), CONN_HALF_CLOSED);
}

/* A reset can be forged, and a client's FIN: the client's next connection goes
 * the same way, so that a live one is moved by neither. */
static void nobody_is_moved_by_what_can_be_forged(void **state)
{
	const struct family *f = *state;
	__u32 first;

	establish(f);
	first = backend_of(f);
	world_tables(world)->backends[first].state = BACKEND_DRAIN;
	for (int i = 0; i < 20; i++) {
		client_says(f, i & 1 ? RST : FIN | ACK, 0);
		client_says(f, SYN, 0);
		assert_int_equal(backend_of(f), first);
	}
}

/* What both have closed was a connection; the next one is another, and chance
 * decides again. */
static void what_both_have_closed_begins_anew(void **state)
{
	const struct family *f = *state;
	bool moved = false, stayed = false;
	__u32 first;

	establish(f);
	for (int i = 0; i < 64 && !(moved && stayed); i++) {
		first = backend_of(f);
		client_says(f, FIN | ACK, 1001);
		backend_says(f, FIN | ACK, 1001);
		client_says(f, ACK, 1002);
		handshake(f, 1000);
		moved |= backend_of(f) != first;
		stayed |= backend_of(f) == first;
	}
	assert_true(moved && stayed);
}

static void who_is_drained_gets_no_new_ones(void **state)
{
	const struct family *f = *state;
	__u32 first;

	establish(f);
	first = backend_of(f);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_NAT, .algorithm = ALGORITHM_RANDOM,
		      .backends = { strcmp(name_of(f, first), f->backend) ?
					    f->backend : f->backend2 },
		      .backend_port = 8080);
	backend_says(f, ACK, 1001);
	client_says(f, FIN | ACK, 1001);
	backend_says(f, FIN | ACK, 1001);
	handshake(f, 1000);
	assert_int_not_equal(backend_of(f), first);
}

/* Another client, with the same port: its backend may remember who had it. */
static void a_port_is_not_given_away_while_others_are_free(void **state)
{
	const struct family *f = *state;
	struct packet other = tcp(f->client2, PORT, f->vip, 80, .flags = SYN);
	struct outcome got;
	struct layers l;

	serve_one(f);
	handshake(f, 1000);
	client_says(f, FIN | ACK, 1001);
	backend_says(f, FIN | ACK, 1001);
	world_age(world, 3 * CLOSING_S);
	world_run(world, &other, &got);
	assert_int_equal(got.reasons, REASON_BIT(FORWARDED));
	packet_layers(&got.packet, &l);
	assert_int_not_equal(get16(got.packet.data + l.l4), PORT);
	/* its own client has it again */
	client_says(f, SYN, 0);
	assert_int_equal(ntohs(entry(f).conn.nat_port), PORT);
}

/* Where no port was left a moment ago, few are tried: until this is over. */
static void let_no_port_be_forgotten(void)
{
	struct timespec now;
	long begin = -1, eighth;

	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		eighth = now.tv_sec * 8 + now.tv_nsec / 125000000;
		if (begin < 0)
			begin = eighth;
	} while (eighth < begin + 2);
}

/* Of those that had a port, who ended first loses it first. */
static void the_port_that_rests_for_longest_goes_first(void **state)
{
	const struct family *f = *state;
	struct packet p, answer, last;
	struct outcome got;
	struct layers l;

	let_no_port_be_forgotten();
	leave_ports(6000, 6007);
	serve_one(f);
	for (int i = 0; i < 8; i++) {
		int port = 6000 + i * 3 % 8;

		p = tcp(f->client, port, f->vip, 80, .flags = SYN);
		expect_reason(&p, FORWARDED);
		answer = tcp(f->backend, 8080, f->nat, port,
			     .flags = SYN | ACK, .seq = 1000);
		expect_reason(&answer, RETURNED);
		last = tcp(f->client, port, f->vip, 80, .flags = FIN | ACK,
			   .ack = 1001);
		expect_reason(&last, FORWARDED);
		answer = tcp(f->backend, 8080, f->nat, port,
			     .flags = FIN | ACK, .seq = 1001);
		expect_reason(&answer, RETURNED);
		world_age(world, 2);
	}
	world_age(world, 2 * CLOSING_S);
	for (int i = 0; i < 8; i++) {
		p = tcp(f->client2, 100 + i, f->vip, 80, .flags = SYN);
		world_run(world, &p, &got);
		assert_int_equal(got.reasons, REASON_BIT(FORWARDED));
		packet_layers(&got.packet, &l);
		assert_int_equal(get16(got.packet.data + l.l4),
				 6000 + i * 3 % 8);
	}
}

/* Choices */

static void choose(const struct family *f)
{
	define(f, FORWARD_L2);
	client_says(f, SYN, 0);
	client_says(f, ACK, 1);
	assert_int_equal(state_of(f), CONN_LIVE);
}

/* Is a packet of the client's sent where its connection is, so many seconds
 * later, every time? By chance it may be. */
static bool stays(const struct family *f, uint8_t flags, __u32 seconds)
{
	struct packet p = tcp(f->client, PORT, f->vip, 80, .flags = flags);
	struct conn_entry before = entry(f);
	struct outcome got;

	world_age(world, seconds);
	world_run(world, &p, &got);
	return backend_of(f) == conn_backend(&before.conn) &&
	       state_of(f) != CONN_HALF;
}

/* Its client may listen for long. */
static void a_choice_outlives_its_clients_end(void **state)
{
	const struct family *f = *state;

	choose(f);
	client_says(f, FIN | ACK, 1);
	assert_int_equal(state_of(f), CONN_CLOSING);
	assert_true(stays(f, ACK, IDLE_S - 10));
	assert_true(stays(f, ACK, IDLE_S - 10));
	assert_true(stays(f, FIN | ACK, IDLE_S - 10));
	assert_false(stays(f, ACK, 2 * IDLE_S));
}

static void a_reset_ends_a_choice_that_was_not_in_use(void **state)
{
	const struct family *f = *state;

	define(f, FORWARD_L2);
	client_says(f, SYN, 0);
	client_says(f, RST, 1);
	client_says(f, RST, 1);
	assert_false(stays(f, ACK, CLOSING_S + 1));
}

static void an_idle_choice_outlives_a_forged_reset(void **state)
{
	const struct family *f = *state;

	for (int has_ended = 0; has_ended < 2; has_ended++) {
		world_reset(world);
		choose(f);
		if (has_ended)
			client_says(f, FIN | ACK, 1);
		client_says(f, RST, 77);
		client_says(f, RST, 77);
		assert_true(stays(f, ACK, IDLE_S - 10));
		assert_true(stays(f, ACK, IDLE_S - 10));
		client_says(f, RST, 77);
		assert_false(stays(f, ACK, 2 * IDLE_S));
	}
}

/* But not if its client goes on as before: it was none of it. */
static void a_choices_reset_is_disproved_by_its_client(void **state)
{
	const struct family *f = *state;

	choose(f);
	client_says(f, RST, 1);
	client_says(f, ACK, 1);		/* the last ones, overtaken by it */
	assert_int_equal(state_of(f), CONN_CLOSING);
	assert_true(stays(f, ACK, CLOSING_S / 2));
	assert_int_equal(state_of(f), CONN_LIVE);
	assert_true(stays(f, ACK, IDLE_S - 10));
}

/* A client that is done uses its port again; one whose FIN was forged, or who
 * listens, does not. */
static void a_choice_is_made_anew_after_an_end(void **state)
{
	const struct family *f = *state;

	choose(f);
	client_says(f, FIN | ACK, 1);
	assert_true(stays(f, SYN, CLOSING_S - 2));
	client_says(f, ACK, 1);
	assert_int_equal(state_of(f), CONN_LIVE);
	client_says(f, FIN | ACK, 1);
	assert_false(stays(f, SYN, CLOSING_S + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(one_sides_end_is_not_the_others),
		BOTH(half_closed_lasts_no_longer_than_it_may),
		BOTH(what_both_sides_end_is_over_soon),
		BOTH(only_what_is_over_makes_room),
		BOTH(what_never_began_makes_room_whose_ever_it_is),
		BOTH(a_fin_confirms_by_its_number_alone),
		BOTH(a_forged_reset_is_disproved_by_the_backend),
		BOTH(a_reset_ends_a_handshake),
		BOTH(an_idle_connection_outlives_a_forged_reset),
		BOTH(what_was_reset_makes_room),
		BOTH(a_new_handshake_needs_its_own_number),
		BOTH(a_new_connection_has_both_sides_again),
		BOTH(nobody_is_moved_by_what_can_be_forged),
		BOTH(what_both_have_closed_begins_anew),
		BOTH(who_is_drained_gets_no_new_ones),
		BOTH(a_port_is_not_given_away_while_others_are_free),
		BOTH(the_port_that_rests_for_longest_goes_first),
		BOTH(a_choice_outlives_its_clients_end),
		BOTH(a_reset_ends_a_choice_that_was_not_in_use),
		BOTH(an_idle_choice_outlives_a_forged_reset),
		BOTH(a_choices_reset_is_disproved_by_its_client),
		BOTH(a_choice_is_made_anew_after_an_end),
	};

	return run_both(tests);
}
