// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NAT to a backend on the balancer itself: fl_xdp gives it the packet, and
 * fl_uplink_out makes its answer the service's.
 */
#include <linux/pkt_cls.h>

#include "family.h"

#define TCX_NEXT (-1)

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

static void services(const struct family *f, uint8_t proto)
{
	world_local(world, f->backend);
	world_define(world, &(struct service_words){
		.name = "other", .addr = f->vip2, .port = 81, .proto = proto,
		.forward = FORWARD_NAT, .backends = { f->backend },
		.backend_port = 8080 });
	world_service(world, .addr = f->vip, .port = 80, .proto = proto,
		      .forward = FORWARD_NAT, .backends = { f->backend },
		      .backend_port = 8080);
	world_tables(world)->runtime->has_local = 1;
}

static struct packet l4(uint8_t proto, const char *src, uint16_t sport,
			const char *dst, uint16_t dport)
{
	return packet_of(l4_words(proto, src, sport, dst, dport),
			 .payload = 33, .flags = SYN, .chunk = SCTP_INIT,
			 .options = 12,
			 .extensions = { EXTENSION_DESTINATION });
}

/* A client opens a connection; the port that the backend sees. */
static uint16_t opened(const struct packet *in)
{
	struct outcome got = expect_reason(in, LOCAL);
	struct layers l;

	packet_layers(&got.packet, &l);
	assert_true(packet_checksums_ok(&got.packet));
	return get16(got.packet.data + l.l4);
}

/* What leaves for in. */
static struct packet out(const struct packet *in, unsigned int reasons)
{
	struct outcome got;

	assert_int_equal(world_run_tc(world, "fl_uplink_out", in, &got),
			 TCX_NEXT);
	assert_int_equal(got.reasons, reasons);
	return got.packet;
}

static void expect_out(const struct packet *in, unsigned int reasons,
		       const struct packet *want)
{
	struct packet got = out(in, reasons);

	if (packet_eq(want, &got))
		return;
	packet_diff(want, &got);
	fail();
}

#define expect_returned(in, want)					\
	expect_out(in, REASON_BIT(RETURNED), want)

static void expect_left_alone(const struct packet *in)
{
	struct packet got = out(in, 0);

	assert_int_equal(got.len, in->len);
	assert_memory_equal(got.data, in->data, in->len);
}

static void answers_come_from_the_service(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet reply = l4(protos[i], f->backend, 8080,
					 f->client, 4321);
		struct packet want = l4(protos[i], f->vip, 80, f->client,
					4321);

		world_reset(world);
		services(f, protos[i]);
		expect_left_alone(&reply);
		assert_int_equal(opened(&in), 4321);
		expect_returned(&reply, &want);
		expect_returned(&reply, &want);
	}
}

/* The backend's port is taken by the client's other connection. */
static void ports_of_the_client_are_its_own_again(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet one = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet two = l4(protos[i], f->client, 4321, f->vip2,
				       81);
		struct packet want = l4(protos[i], f->vip2, 81, f->client,
					4321);
		struct packet reply;
		uint16_t port;

		world_reset(world);
		services(f, protos[i]);
		assert_int_equal(opened(&one), 4321);
		port = opened(&two);
		assert_int_not_equal(port, 4321);
		reply = l4(protos[i], f->backend, 8080, f->client, port);
		expect_returned(&reply, &want);
	}
}

static void a_tagged_frame_stays_tagged(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	const struct vlan tags[VLANS_MAX] = { { 0x88a8, 3 }, { 0x8100, 7 } };
	struct packet reply = tcp(f->backend, 8080, f->client, 4321,
				  .flags = SYN | ACK,
				  .vlan = { tags[0], tags[1] });
	struct packet want = tcp(f->vip, 80, f->client, 4321,
				 .flags = SYN | ACK,
				 .vlan = { tags[0], tags[1] });

	services(f, IPPROTO_TCP);
	opened(&in);
	expect_returned(&reply, &want);
}

/* Nobody pays for a service that has no backend here. */
static void nothing_is_done_unless_a_backend_is_here(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet reply = l4(IPPROTO_TCP, f->backend, 8080, f->client,
				 4321);

	services(f, IPPROTO_TCP);
	opened(&in);
	world_tables(world)->runtime->has_local = 0;
	expect_left_alone(&reply);
}

static void what_the_host_says_itself_is_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet reply = l4(IPPROTO_TCP, f->backend, 8080, f->client,
				 4321);
	struct addr backend = addr(f->backend), client = addr(f->client);
	struct packet own[] = {
		tcp(f->backend, 8080, f->client, 4322, .flags = ACK),
		tcp(f->backend, 8081, f->client, 4321, .flags = ACK),
		tcp(f->backend, 8080, f->client2, 4321, .flags = ACK),
		tcp(f->client, 4321, f->vip, 80, .flags = ACK),
		udp(f->backend, 8080, f->client, 4321, .payload = 3),
		echo_request(f->backend, f->client, 1, 10),
		packet_of(.src = backend, .dst = client, .proto = 89,
			  .payload = 20),
	};

	services(f, IPPROTO_TCP);
	opened(&in);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		expect_left_alone(&own[i]);
	reply.data[12] = 8;
	reply.data[13] = 6;	/* ARP */
	expect_left_alone(&reply);
}

/* A backend elsewhere answers to our own address, past which nothing of it
 * comes by; and what would have to go elsewhere then is not touched. */
static void replies_of_other_backends_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet reply = l4(IPPROTO_TCP, f->backend2, 8080, f->nat,
				 4321);

	services(f, IPPROTO_TCP);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_NAT, .backends = { f->backend2 },
		      .backend_port = 8080);
	expect_reason(&in, FORWARDED);
	expect_left_alone(&reply);
}

static void cut_packets_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet reply = l4(IPPROTO_TCP, f->backend, 8080, f->client,
				 4321);
	struct layers l;

	services(f, IPPROTO_TCP);
	opened(&in);
	packet_layers(&reply, &l);
	/* less than a header of IP is no packet for a test run */
	for (size_t len = l.l3 + (f->v6 ? 40 : 20); len < l.l4 + 20; len++) {
		struct packet cut = packet_cut(&reply, len);

		expect_left_alone(&cut);
	}
}

/* Every possible checksum, so the zeros as well; and UDP without one. */
static void checksums_are_right_in_their_corners(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 7000, f->vip, 80);
	struct packet got;
	struct layers l;

	services(f, IPPROTO_UDP);
	opened(&in);
	for (unsigned int i = 0; i < 65536; i++) {
		uint8_t bytes[2] = { i >> 8, i };
		struct packet reply = udp(f->backend, 8080, f->client, 7000,
					  .payload = 2, .content = bytes);

		got = out(&reply, REASON_BIT(RETURNED));
		packet_layers(&got, &l);
		assert_true(packet_checksums_ok(&got));
		assert_int_not_equal(get16(got.data + l.l4 + 6), 0);
	}
	if (!f->v6) {
		struct packet reply = udp(f->backend, 8080, f->client, 7000,
					  .payload = 9, .unsummed = true);

		got = out(&reply, REASON_BIT(RETURNED));
		packet_layers(&got, &l);
		assert_int_equal(get16(got.data + l.l4 + 6), 0);
	}
}

/* A wrong checksum must not be made right on the way. */
static void wrong_checksums_stay_wrong(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet reply = l4(protos[i], f->backend, 8080,
					 f->client, 4321), got;

		world_reset(world);
		services(f, protos[i]);
		opened(&in);
		reply.data[reply.len - 1] ^= 0x10;
		got = out(&reply, REASON_BIT(RETURNED));
		assert_false(packet_checksums_ok(&got));
	}
}

/* Nobody listens, or the path is too narrow: what the host complains about is
 * the packet as it got it. */
static void errors_about_requests_reach_the_client(void **state)
{
	const struct family *f = *state;
	struct addr backend = addr(f->backend), client = addr(f->client);
	struct addr vip = addr(f->vip);
	size_t least = f->v6 ? 48 : 28;

	for (int i = 0; i < 3; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet sent = packet_of(
			l4_words(protos[i], f->client, 4321, f->backend, 8080),
			.payload = 40);
		struct packet inner = packet_of(
			l4_words(protos[i], f->client, 4321, f->vip, 80),
			.payload = 40);

		world_reset(world);
		services(f, protos[i]);
		opened(&in);
		for (size_t cut = least; cut < 110; cut++) {
			struct packet error = icmp_error(&backend, &client,
				f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0, &sent, cut);
			struct packet want = icmp_error(&vip, &client,
				f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0, &inner, cut);
			struct packet got;

			got = out(&error, REASON_BIT(ICMP_FORWARDED));
			assert_true(packet_checksums_ok(&got));
			if (protos[i] != IPPROTO_SCTP && cut != least + 9)
				assert_true(packet_eq(&want, &got));
		}
	}
}

static void errors_about_anything_else_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_UDP, f->client, 4321, f->vip, 80);
	struct addr backend = addr(f->backend), client = addr(f->client);
	struct packet known = udp(f->client, 4321, f->backend, 8080,
				  .payload = 40);
	struct packet other = udp(f->client, 4322, f->backend, 8080,
				  .payload = 40);
	struct addr client2 = addr(f->client2);
	struct packet p;

	services(f, IPPROTO_UDP);
	opened(&in);
	p = icmp_error(&backend, &client, f->v6 ? 1 : 3, 3, 0, &other,
		       PACKET_MAX);
	expect_left_alone(&p);
	p = icmp_error(&backend, &client2, f->v6 ? 1 : 3, 3, 0, &known,
		       PACKET_MAX);
	expect_left_alone(&p);
	for (size_t cut = 0; cut < (f->v6 ? 48 : 28); cut++) {
		p = icmp_error(&backend, &client, f->v6 ? 1 : 3, 3, 0, &known,
			       cut);
		expect_left_alone(&p);
	}
}

static void every_fragment_of_an_answer_is_the_services(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 4321, f->vip, 80);
	struct packet reply = udp(f->backend, 8080, f->client, 4321,
				  .payload = 400);
	struct packet want = udp(f->vip, 80, f->client, 4321, .payload = 400);

	services(f, IPPROTO_UDP);
	opened(&in);
	for (size_t at = 0; at < 400; at += 200) {
		struct packet piece = packet_fragment(&reply, at, 200, 77);
		struct packet wanted = packet_fragment(&want, at, 200, 77);
		struct packet lone = packet_fragment(&reply, 200, 200, 78);

		expect_returned(&piece, &wanted);
		expect_left_alone(&lone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(answers_come_from_the_service),
		BOTH(ports_of_the_client_are_its_own_again),
		BOTH(a_tagged_frame_stays_tagged),
		BOTH(nothing_is_done_unless_a_backend_is_here),
		BOTH(what_the_host_says_itself_is_left_alone),
		BOTH(replies_of_other_backends_are_left_alone),
		BOTH(cut_packets_are_left_alone),
		BOTH(checksums_are_right_in_their_corners),
		BOTH(wrong_checksums_stay_wrong),
		BOTH(errors_about_requests_reach_the_client),
		BOTH(errors_about_anything_else_are_left_alone),
		BOTH(every_fragment_of_an_answer_is_the_services),
	};

	return run_both(tests);
}
