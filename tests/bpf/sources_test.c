// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who may use a service, in every mode. */
#include <arpa/inet.h>

#include "model/conns.h"
#include "family.h"

static const enum forward modes[] = {
	FORWARD_NAT, FORWARD_L2, FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE,
	FORWARD_GENEVE,
};

#define NR_MODES (sizeof(modes) / sizeof(*modes))

/* In client's network, and its closer surroundings. */
static const char *net(const struct family *f)
{
	return f->v6 ? "2001:db8::/48" : "192.0.2.0/24";
}

static const char *subnet(const struct family *f)
{
	return f->v6 ? "2001:db8::/125" : "192.0.2.0/29";
}

static const char *everybody(const struct family *f)
{
	return f->v6 ? "::/0" : "0.0.0.0/0";
}

/* Also in net(), but not in subnet(). */
static const char *neighbour(const struct family *f)
{
	return f->v6 ? "2001:db8::9" : "192.0.2.9";
}

static struct packet from(const char *client, const struct family *f)
{
	return tcp(client, 4321, f->vip, 80, .flags = SYN);
}

static void expect_from(const char *client, const struct family *f,
			enum reason why)
{
	struct packet in = from(client, f);

	expect_reason_at(&in, why, __FILE__, __LINE__);
}

static void only_who_is_allowed_may_come(void **state)
{
	static const uint8_t protos[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
	};
	const struct family *f = *state;

	for (size_t i = 0; i < NR_MODES * 3; i++) {
		struct words w = {
			l4_words(protos[i % 3], f->client, 4321, f->vip, 80),
			.flags = SYN, .chunk = SCTP_INIT,
		};
		struct packet in = packet_build(&w);

		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .proto = protos[i % 3], .forward = modes[i / 3],
			      .backends = { f->backend },
			      .allow = { net(f) });
		expect_reason(&in, FORWARDED);
		w.src = addr(f->client2);
		in = packet_build(&w);
		expect_reason(&in, SOURCE);
	}
}

static void who_is_denied_may_not_come(void **state)
{
	const struct family *f = *state;

	for (size_t i = 0; i < NR_MODES; i++) {
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = modes[i], .backends = { f->backend },
			      .deny = { net(f) });
		expect_from(f->client, f, REASON_SOURCE);
		expect_from(f->client2, f, REASON_FORWARDED);
	}
}

static void the_longest_prefix_decides(void **state)
{
	const struct family *f = *state;

	for (size_t i = 0; i < NR_MODES; i++) {
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = modes[i], .backends = { f->backend },
			      .allow = { net(f) }, .deny = { subnet(f) });
		expect_from(f->client, f, REASON_SOURCE);
		expect_from(neighbour(f), f, REASON_FORWARDED);
		expect_from(f->client2, f, REASON_SOURCE);
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = modes[i], .backends = { f->backend },
			      .allow = { subnet(f), everybody(f) },
			      .deny = { net(f), f->client });
		expect_from(f->client, f, REASON_SOURCE);
		expect_from(f->v6 ? "2001:db8::6" : "192.0.2.6", f,
			    REASON_FORWARDED);
		expect_from(neighbour(f), f, REASON_SOURCE);
		expect_from(f->client2, f, REASON_FORWARDED);
	}
}

static void every_service_has_its_own(void **state)
{
	const struct family *f = *state;
	struct packet in;

	world_service(world, .addr = f->vip, .port = 80, .name = "a",
		      .forward = FORWARD_L2, .backends = { f->backend },
		      .allow = { f->client });
	world_service(world, .addr = f->vip, .port = 81, .name = "b",
		      .forward = FORWARD_L2, .backends = { f->backend },
		      .deny = { f->client });
	world_service(world, .addr = f->vip, .port = 82, .name = "c",
		      .forward = FORWARD_L2, .backends = { f->backend });
	for (int i = 0; i < 6; i++) {
		bool may_come = (i == 0) || (i == 4) || i % 3 == 2;

		in = tcp(i < 3 ? f->client : f->client2, 1, f->vip,
			 80 + i % 3);
		if (may_come)
			expect_reason(&in, FORWARDED);
		else
			expect_reason(&in, SOURCE);
	}
	in = tcp(f->client2, 1, f->vip, 83);
	expect_reason(&in, NO_SERVICE);
	in = echo_request(f->client2, f->vip, 1, 1);
	expect_reason(&in, ECHO);
}

/* The addresses of a network are one service. */
static void a_network_is_closed_at_each_of_its_addresses(void **state)
{
	const struct family *f = *state;

	world_service(world, .addr = f->v6 ? "fd00:96::" : "10.96.0.0",
		      .prefix_len = f->v6 ? 64 : 16, .forward = FORWARD_L2,
		      .backends = { f->backend }, .allow = { f->client });
	for (uint16_t port = 1; port < 2000; port += 333) {
		struct packet in = tcp(f->client, 1, f->vip2, port);

		expect_reason(&in, FORWARDED);
		in = tcp(f->client2, 1, f->vip2, port);
		expect_reason(&in, SOURCE);
	}
}

static void refused_clients_learn_nothing_of_backends(void **state)
{
	const struct family *f = *state;

	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .allow = { f->client });
	expect_from(f->client, f, REASON_NO_BACKEND);
	expect_from(f->client2, f, REASON_SOURCE);
}

static void serve(const struct family *f, enum forward forward,
		  const char *denied)
{
	world_service(world, .addr = f->vip, .port = 80, .forward = forward,
		      .backends = { f->backend }, .deny = { denied });
}

static void without_nat_each_packet_is_judged(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = ACK);

	for (size_t i = 1; i < NR_MODES; i++) {
		serve(f, modes[i], f->client2);
		expect_from(f->client, f, REASON_FORWARDED);
		expect_reason(&in, FORWARDED);
		serve(f, modes[i], f->client);
		expect_reason(&in, SOURCE);
		serve(f, modes[i], NULL);
		expect_reason(&in, FORWARDED);
	}
}

static void with_nat_only_new_connections_are_judged(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = ACK);
	struct packet reply = tcp(f->backend, 80, f->nat, 4321, .flags = ACK);
	struct packet other = tcp(f->client, 4322, f->vip, 80, .flags = SYN);
	struct packet end = tcp(f->client, 4321, f->vip, 80, .flags = RST);

	serve(f, FORWARD_NAT, NULL);
	expect_from(f->client, f, REASON_FORWARDED);
	expect_reason(&reply, RETURNED);
	serve(f, FORWARD_NAT, f->client);
	expect_reason(&in, FORWARDED);
	expect_reason(&reply, RETURNED);
	expect_reason(&other, SOURCE);
	expect_reason(&end, FORWARDED);
	expect_from(f->client, f, REASON_SOURCE);	/* the next one */
}

/* That a connection ended can be forged, and so can the next one's first
 * packet: it moves neither the state nor the way of who is connected. */
static void who_may_not_begin_anew_changes_nothing(void **state)
{
	const struct family *f = *state;
	const struct flow flow = {
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(4321), .dport = htons(80),
		.proto = IPPROTO_TCP,
	};
	struct packet end = tcp(f->client, 4321, f->vip, 80, .flags = RST);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
			       .smac = { 0x66 });
	struct packet reply = tcp(f->backend, 80, f->nat, 4321,
				  .flags = SYN | ACK);
	struct conn_entry before, after;

	serve(f, FORWARD_NAT, NULL);
	expect_from(f->client, f, REASON_FORWARDED);
	expect_reason(&end, FORWARDED);
	expect_reason(&reply, RETURNED);
	serve(f, FORWARD_NAT, f->client);
	world_age(world, 3);
	assert_true(conns_find(world_tables(world), &flow, &before));
	expect_reason(&in, SOURCE);
	assert_true(conns_find(world_tables(world), &flow, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	serve(f, FORWARD_NAT, NULL);
	expect_reason(&in, FORWARDED);
	assert_true(conns_find(world_tables(world), &flow, &after));
	assert_memory_not_equal(&before, &after, sizeof(before));
}

/* A router says what to about a packet that the service sent to client. */
static struct packet error_about(const struct family *f, const char *client,
				 uint16_t port)
{
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct packet sent = tcp(f->vip, 80, client, port, .flags = ACK);

	return icmp_error(&router, &vip, f->v6 ? 1 : 3, 1, 0, &sent,
			  PACKET_MAX);
}

/* Wherever the router is. */
static void errors_are_judged_by_the_client_they_are_about(void **state)
{
	const struct family *f = *state;

	for (size_t i = 1; i < NR_MODES; i++) {
		struct packet in = error_about(f, f->client, 4321);

		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = modes[i], .backends = { f->backend },
			      .allow = { f->client });
		expect_reason(&in, ICMP_FORWARDED);
		in = error_about(f, f->client2, 4321);
		expect_reason(&in, SOURCE);
	}
}

static void errors_about_a_connection_of_nat_follow_it(void **state)
{
	const struct family *f = *state;
	struct packet in = error_about(f, f->client, 4321);
	struct packet unknown = error_about(f, f->client, 4322);

	serve(f, FORWARD_NAT, NULL);
	expect_from(f->client, f, REASON_FORWARDED);
	serve(f, FORWARD_NAT, f->client);
	expect_reason(&in, ICMP_FORWARDED);
	expect_reason(&unknown, SOURCE);
}

static void all_fragments_are_refused(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 1, f->vip, 80, .payload = 900);
	struct packet first = packet_fragment(&in, 0, 400, 7);
	struct packet later = packet_fragment(&in, 400, 400, 7);

	world_service(world, .addr = f->vip, .port = 80, .proto = IPPROTO_UDP,
		      .forward = FORWARD_L2, .backends = { f->backend },
		      .deny = { f->client });
	expect_reason(&first, SOURCE);
	expect_reason(&later, SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(only_who_is_allowed_may_come),
		BOTH(who_is_denied_may_not_come),
		BOTH(the_longest_prefix_decides),
		BOTH(every_service_has_its_own),
		BOTH(a_network_is_closed_at_each_of_its_addresses),
		BOTH(refused_clients_learn_nothing_of_backends),
		BOTH(without_nat_each_packet_is_judged),
		BOTH(with_nat_only_new_connections_are_judged),
		BOTH(who_may_not_begin_anew_changes_nothing),
		BOTH(errors_are_judged_by_the_client_they_are_about),
		BOTH(errors_about_a_connection_of_nat_follow_it),
		BOTH(all_fragments_are_refused),
	};

	return run_both(tests);
}
