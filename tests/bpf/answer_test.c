// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a VIP itself says: echo, resets, ICMP errors; and when it must not. */
#include <stdio.h>
#include <time.h>

#include "family.h"

static void vip_only(const struct family *f)
{
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .backends = { f->backend });
}

static void empty_service(const struct family *f)
{
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP);
}

static void echo_requests_are_answered(void **state)
{
	const struct family *f = *state;
	struct packet in = echo_request(f->client, f->vip, 77, 56);
	struct packet want = packet_of(
		.src = addr(f->vip), .dst = addr(f->client),
		.proto = f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.type = f->v6 ? 129 : 0, .rest = 77 << 16 | 1, .payload = 56);

	vip_only(f);
	want = packet_framed(&want, mac_client, mac_us, NULL);
	expect_packet(&in, ECHO, &want);
}

static void answers_keep_the_vlan_tags(void **state)
{
	const struct family *f = *state;
	const struct vlan tags[2] = { { 0x88a8, 100 }, { 0x8100, 0x6007 } };
	struct packet in[] = {
		echo_request(f->client, f->vip, 77, 5),
		tcp(f->client, 9, f->vip, 81, .flags = SYN),
		udp(f->client, 9, f->vip, 81, .payload = 20),
	};
	struct outcome got;
	struct layers l;

	vip_only(f);
	for (int i = 0; i < 3; i++) {
		in[i] = packet_framed(&in[i], mac_us, mac_client, tags);
		got = expect_reason_at(&in[i], i ? REASON_NO_SERVICE :
				       REASON_ECHO, __FILE__, __LINE__);
		packet_layers(&got.packet, &l);
		assert_int_equal(l.vlans, 2);
		assert_memory_equal(got.packet.data + 12, in[i].data + 12, 8);
		assert_memory_equal(got.packet.data, mac_client, MAC_LEN);
		assert_memory_equal(got.packet.data + 6, mac_us, MAC_LEN);
	}
}

/* Our reset, but for the fields of the IP header that are free. */
static void expect_reset(const struct family *f, const struct packet *in,
			 uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct outcome got = expect_reason(in, NO_SERVICE);
	struct layers l;
	const uint8_t *t;

	packet_layers(&got.packet, &l);
	t = got.packet.data + l.l4;
	assert_int_equal(got.actions, 1 << XDP_TX);
	assert_addr(l.src, f->vip);
	assert_addr(l.dst, f->client);
	assert_int_equal(get16(t), 81);
	assert_int_equal(get16(t + 2), 4321);
	assert_int_equal(t[13], flags);
	assert_int_equal(get32(t + 4), seq);
	assert_int_equal(get32(t + 8), ack);
	assert_int_equal(got.packet.data[l.l3 + (f->v6 ? 7 : 8)], 64);
	assert_true(packet_checksums_ok(&got.packet));
}

static void tcp_to_a_port_without_service_is_reset(void **state)
{
	const struct family *f = *state;
	struct packet p;

	vip_only(f);
	p = tcp(f->client, 4321, f->vip, 81, .flags = SYN, .seq = 1000);
	expect_reset(f, &p, RST | ACK, 0, 1001);
	p = tcp(f->client, 4321, f->vip, 81, .flags = SYN | FIN,
		.seq = 0xffffffff, .payload = 10, .tcp_options = 40);
	expect_reset(f, &p, RST | ACK, 0, 11);
	p = tcp(f->client, 4321, f->vip, 81, .flags = ACK | PSH, .seq = 5,
		.ack = 0xdeadbeef, .payload = 100);
	expect_reset(f, &p, RST, 0xdeadbeef, 0);
	p = tcp(f->client, 4321, f->vip, 81, .seq = 7, .payload = 3);
	expect_reset(f, &p, RST | ACK, 0, 10);
	p = tcp(f->client, 4321, f->vip, 81, .flags = SYN, .seq = 1,
		.options = 40, .payload = 1200,
		.extensions = { EXTENSION_DESTINATION });
	expect_reset(f, &p, RST | ACK, 0, 1202);
}

/* Ethernet pads short frames; the pad is no payload. */
static void padding_is_not_acknowledged(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 4321, f->vip, 81, .flags = SYN,
			      .seq = 1000);

	vip_only(f);
	p.len += 20;
	expect_reset(f, &p, RST | ACK, 0, 1001);
}

static void expect_error(const struct family *f, const struct packet *in,
			 enum reason why, uint8_t type, uint8_t code,
			 uint32_t rest)
{
	struct outcome got = expect_reason_at(in, why, __FILE__, __LINE__);
	struct layers l, m;
	const uint8_t *icmp;

	packet_layers(in, &m);
	packet_layers(&got.packet, &l);
	icmp = got.packet.data + l.l4;
	assert_int_equal(got.actions, 1 << XDP_TX);
	assert_addr(l.src, f->vip);
	assert_addr(l.dst, f->client);
	assert_int_equal(l.proto, f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	assert_int_equal(icmp[0], type);
	assert_int_equal(icmp[1], code);
	assert_int_equal(get32(icmp + 4), rest);
	assert_true(l.end - l.l4 - 8 >= m.l4 - m.l3 + 8 ||
		    l.end - l.l4 - 8 == m.end - m.l3);
	assert_memory_equal(icmp + 8, in->data + m.l3, l.end - l.l4 - 8);
	assert_true(packet_checksums_ok(&got.packet));
}

static void other_protocols_get_port_unreachable(void **state)
{
	const struct family *f = *state;
	uint8_t type = f->v6 ? 1 : 3, code = f->v6 ? 4 : 3;
	static const uint16_t payloads[] = { 0, 1, 3, 17, 100, 1400 };
	struct packet p;

	vip_only(f);
	for (int i = 0; i < 6; i++) {
		p = udp(f->client, 1, f->vip, 53, .payload = payloads[i]);
		expect_error(f, &p, REASON_NO_SERVICE, type, code, 0);
		p = sctp(f->client, 1, f->vip, 80, .payload = payloads[i],
			 .options = 20, .extensions = { EXTENSION_HOP });
		expect_error(f, &p, REASON_NO_SERVICE, type, code, 0);
	}
	p = udp(f->client, 1, f->vip, 80, .payload = 5);
	expect_error(f, &p, REASON_NO_SERVICE, type, code, 0);
}

static void services_without_backend_reject(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .flags = SYN);

	empty_service(f);
	expect_reason(&p, NO_BACKEND);
	world_define(world, &(struct service_words){
		.name = "dns", .proto = IPPROTO_UDP, .addr = f->vip,
		.port = 53, .forward = FORWARD_NAT });
	world_apply(world);
	p = udp(f->client, 1, f->vip, 53, .payload = 4);
	expect_error(f, &p, REASON_NO_BACKEND, f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0);
}

static void services_whose_backends_are_all_down_reject(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .flags = SYN);

	vip_only(f);
	expect_reason(&p, FORWARDED);
	world_backend_state(world, f->backend, BACKEND_DOWN);
	expect_reason(&p, NO_BACKEND);
	world_backend_state(world, f->backend, BACKEND_ACTIVE);
	expect_reason(&p, FORWARDED);
}

static void packets_at_their_last_hop_are_complained_about(void **state)
{
	const struct family *f = *state;
	static const enum forward ways[] = {
		FORWARD_NAT, FORWARD_L2, FORWARD_IPIP, FORWARD_GUE,
	};

	for (int i = 0; i < 4; i++) {
		struct packet p = tcp(f->client, 1, f->vip, 80, .ttl = 1,
				      .flags = SYN, .payload = 30);

		world_service(world, .addr = f->vip, .port = 80,
			      .forward = ways[i], .backends = { f->backend });
		expect_error(f, &p, REASON_HOPS_EXCEEDED, f->v6 ? 3 : 11, 0,
			     0);
		p = udp(f->client, 1, f->vip, 80, .ttl = 1);
		expect_error(f, &p, REASON_NO_SERVICE, f->v6 ? 1 : 3,
			     f->v6 ? 4 : 3, 0);
		p = tcp(f->client, 1, f->vip, 80, .ttl = 2);
		expect_reason(&p, FORWARDED);
	}
}

/* RFC 792: the complement of the sum of nothing but zeros is 0xffff. */
static void echo_replies_of_zeros_have_a_checksum_that_holds(void **state)
{
	const struct family *f = *state;
	static const uint8_t zeros[1000];
	const uint32_t rest[] = { 0, 0xffff0000, 0x0000ffff, 0x12345678,
				  0x0001fffe };

	empty_service(f);
	for (int i = 0; i < 5; i++) {
		for (uint16_t len = 0; len < 1000; len += 333) {
			struct packet p = packet_of(
				.src = addr(f->client), .dst = addr(f->vip),
				.proto = f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				.type = f->v6 ? 128 : 8, .rest = rest[i],
				.payload = len, .content = zeros);
			struct outcome got = expect_reason(&p, ECHO);

			assert_null(packet_checksums_wrong(&got.packet));
			if (!f->v6 && !rest[i])
				assert_int_equal(get16(got.packet.data + 36),
						 0xffff);
		}
	}
}

/* RFC 1122, 3.2.1.2: a wrong header checksum is discarded in silence. What is
 * sent on is as wrong as it came. */
static void broken_headers_are_not_answered(void **state)
{
	const struct family *f = *state;
	static const uint8_t lengths[] = { 0, 4, 40 };

	if (f->v6)		/* has no such checksum */
		return;
	vip_only(f);
	for (int i = 0; i < 3; i++) {
		uint8_t options = lengths[i];
		struct packet in[] = {
			echo_request(f->client, f->vip, 77, 5),
			tcp(f->client, 9, f->vip, 81, .flags = SYN,
			    .options = options),
			udp(f->client, 9, f->vip, 81, .options = options),
			sctp(f->client, 9, f->vip, 81, .options = options),
			tcp(f->client, 9, f->vip, 80, .flags = SYN, .ttl = 1,
			    .options = options),
			tcp(f->client, 9, f->vip, 80, .payload = 1480,
			    .df = true),
		};

		for (int k = 0; k < 6; k++) {
			in[k].data[ETH_LEN + 10 + k % 2] ^= 0x20;
			expect_reason(&in[k], BAD_HEADER);
		}
	}
}

static void what_must_not_be_answered_is_dropped(void **state)
{
	const struct family *f = *state;
	struct packet p, part;

	empty_service(f);
	p = tcp(f->client, 1, f->vip, 81, .flags = RST);
	expect_reason(&p, UNANSWERED);
	p = tcp(f->client, 1, f->vip, 80, .flags = RST | ACK);
	expect_reason(&p, UNANSWERED);

	p = udp(f->client, 1, f->vip, 81, .payload = 100);
	part = packet_fragment(&p, 0, 64, 1);
	assert_true(world_check(world, &part, NULL));
	part = packet_fragment(&p, 64, 64, 1);
	assert_true(world_check(world, &part, NULL));
}

/* An error about our answer must not make another. */
static void errors_at_their_last_hop_are_not_answered(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct packet about = tcp(f->vip, 80, f->client, 1, .flags = ACK);
	struct packet p = icmp_error(&router, &vip, f->v6 ? 1 : 3, 0, 0,
				     &about, PACKET_MAX);

	vip_only(f);
	p.data[ETH_LEN + (f->v6 ? 7 : 8)] = 1;
	packet_sum(&p);
	expect_reason(&p, UNANSWERED);
}

static void packets_too_big_for_the_way_are_complained_about(void **state)
{
	const struct family *f = *state;
	static const enum forward ways[] = {
		FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE, FORWARD_GENEVE,
	};

	for (int i = 0; i < 8; i++) {
		const char *to = i & 1 ? families[1].backend :
					 families[0].backend;
		size_t room = 1500 - tunnel_overhead(ways[i / 2], i & 1);
		size_t head = f->v6 ? 60 : 40;
		struct packet p = tcp(f->client, 1, f->vip, 80, .df = true,
				      .payload = room - head);

		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = ways[i / 2], .backends = { to });
		expect_reason(&p, FORWARDED);
		p = tcp(f->client, 1, f->vip, 80, .df = true,
			.payload = room - head + 1);
		expect_error(f, &p, REASON_TOO_BIG, f->v6 ? 2 : 3,
			     f->v6 ? 0 : 4, room);
		p = tcp(f->client, 1, f->vip, 80, .payload = room - head + 1);
		expect_reason_at(&p, f->v6 ? REASON_TOO_BIG : REASON_CUT,
				 __FILE__, __LINE__);
	}
}

static void the_mtu_told_is_never_below_the_least_of_ipv6(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .df = true,
			      .payload = 1250);

	vip_only(f);
	world_tables(world)->links[LINK_TX].mtu = 1285;
	expect_error(f, &p, REASON_TOO_BIG, f->v6 ? 2 : 3, f->v6 ? 0 : 4,
		     f->v6 ? 1280 : 1265);
}

/* Without a tunnel the link's MTU counts all the same. */
static void ipv4_that_may_be_cut_is_not_complained_about(void **state)
{
	const struct family *f = *state;
	static const enum forward ways[] = { FORWARD_L2, FORWARD_NAT };
	struct packet p;

	for (int i = 0; i < 2; i++) {
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = ways[i], .backends = { f->backend });
		world_tables(world)->links[LINK_TX].mtu = 1400;
		p = tcp(f->client, 1, f->vip, 80, .payload = 1400, .df = true);
		expect_error(f, &p, REASON_TOO_BIG, f->v6 ? 2 : 3,
			     f->v6 ? 0 : 4, 1400);
		p = tcp(f->client, 1, f->vip, 80, .payload = 1400);
		expect_reason_at(&p, f->v6 ? REASON_TOO_BIG : REASON_CUT,
				 __FILE__, __LINE__);
	}
}

/* RFC 2003, 4, and RFC 4459: what does not fit the way is told to its sender,
 * with what would have fitted inside the tunnel. */
static void what_is_known_of_the_way_counts_like_the_link(void **state)
{
	const struct family *f = *state;
	size_t head = f->v6 ? 60 : 40;

	for (int how = FORWARD_NAT; how <= FORWARD_GENEVE; how++) {
		for (int v6 = 0; v6 < 2; v6++) {
			const char *to = how >= FORWARD_IPIP ?
				families[v6].backend : f->backend;
			size_t room = 1400 - tunnel_overhead(how, v6);
			struct packet p = tcp(f->client, 1, f->vip, 80,
					      .df = true, .flags = SYN,
					      .payload = room - head);

			world_reset(world);
			world_path_mtu(world, 1400);
			world_service(world, .addr = f->vip, .port = 80,
				      .forward = how, .backends = { to });
			expect_reason(&p, FORWARDED);
			p = tcp(f->client, 1, f->vip, 80, .df = true,
				.payload = room - head + 1);
			expect_error(f, &p, REASON_TOO_BIG, f->v6 ? 2 : 3,
				     f->v6 ? 0 : 4, room);
			p = tcp(f->client, 1, f->vip, 80,
				.payload = room - head + 1);
			expect_reason_at(&p, f->v6 ? REASON_TOO_BIG :
					 REASON_CUT, __FILE__, __LINE__);
		}
	}
}

/* The link's own is the limit however wide the way behind it. */
static void a_wider_way_does_not_widen_the_link(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .df = true,
			      .payload = 1450);

	world_path_mtu(world, 9000);
	vip_only(f);
	expect_error(f, &p, REASON_TOO_BIG, f->v6 ? 2 : 3, f->v6 ? 0 : 4,
		     1500 - (f->v6 ? 40 : 20));
}

/* RFC 8200, 5: nobody needs to send less than 1280 bytes. That what is known
 * of the way says so stops nobody, as it may be forged. */
static void the_least_packet_of_ipv6_is_never_refused(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .payload = 1220);

	if (!f->v6)
		return;
	for (int how = FORWARD_NAT; how <= FORWARD_GENEVE; how++) {
		world_reset(world);
		world_path_mtu(world, 600);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = how, .backends = { f->backend });
		p = tcp(f->client, 1, f->vip, 80, .flags = SYN,
			.payload = 1220);
		expect_reason(&p, FORWARDED);
		p = tcp(f->client, 1, f->vip, 80, .payload = 1221);
		expect_error(f, &p, REASON_TOO_BIG, 2, 0, 1280);
	}
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void set_limits(const struct family *f, __u32 per_s, __u32 network_per_s)
{
	world_model(world)->answers_per_s = per_s;
	world_model(world)->answers_network_per_s = network_per_s;
	vip_only(f);
}

/* Network 1, 2, ...: the same one for addresses 0 to 255. */
static const char *in_network(const struct family *f, int network, int n,
			      char text[static 40])
{
	snprintf(text, 40, f->v6 ? "2001:db8:0:%x::%x" : "198.51.%d.%d",
		 network, n);
	return text;
}

/* count packets that are rejected from so many networks in turn; how many got
 * an answer. All else is counted as LIMITED. */
static int answered(const struct family *f, int networks, int count)
{
	int answers = 0;
	char text[40];

	for (int i = 0; i < count; i++) {
		const char *from = in_network(f, 1 + i % networks, i & 0xff,
					      text);
		struct packet p = i & 1 ? tcp(from, 9, f->vip, 81) :
					  udp(from, 9, f->vip, 81);
		struct outcome got;

		assert_true(world_check(world, &p, &got));
		if (got.reasons == REASON_BIT(NO_SERVICE))
			answers++;
		else
			assert_int_equal(got.reasons, REASON_BIT(LIMITED));
	}
	return answers;
}

/* RFC 4443, 2.4 f: a second's worth at once, and then a rate. How long it takes
 * to see that is up to the machine. */
static void expect_answered(const struct family *f, int networks, int count,
			    __u32 per_s)
{
	__u64 start = now_ms();
	int answers = answered(f, networks, count);
	__u64 seconds = (now_ms() - start) / 1000 + 1;

	assert_in_range(answers, per_s, per_s + per_s * seconds);
}

static void answers_to_one_network_are_limited(void **state)
{
	const struct family *f = *state;

	set_limits(f, 0, 10);
	expect_answered(f, 1, 300, 10);
	expect_answered(f, 1, 2, 0);
}

static void each_network_has_a_limit_of_its_own(void **state)
{
	const struct family *f = *state;

	set_limits(f, 0, 10);
	expect_answered(f, 1, 100, 10);
	set_limits(f, 0, 5);
	world_reset(world);
	set_limits(f, 0, 5);
	expect_answered(f, 20, 1000, 5 * 20);
}

static void answers_to_all_are_limited(void **state)
{
	const struct family *f = *state;

	set_limits(f, 30, 10);
	expect_answered(f, 200, 600, 30);
}

/* One network takes its share, and leaves the others theirs. */
static void one_network_does_not_take_the_answers_of_all(void **state)
{
	const struct family *f = *state;
	char text[40];
	struct packet p;

	set_limits(f, 30, 10);
	expect_answered(f, 1, 300, 10);
	p = udp(in_network(f, 2, 1, text), 9, f->vip, 81);
	expect_reason(&p, NO_SERVICE);
}

static void every_error_and_reset_counts_to_the_limit(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80, .ttl = 1);

	for (int i = 0; i < 4; i++) {
		world_reset(world);
		set_limits(f, 1, 0);
		expect_reason(&p, HOPS_EXCEEDED);
		if (i == 0)
			p = tcp(f->client, 1, f->vip, 81);
		else if (i == 1)
			p = udp(f->client, 1, f->vip, 81);
		else if (i == 2)
			p = tcp(f->client, 1, f->vip, 80, .df = true,
				.payload = 1450);
		expect_reason(&p, LIMITED);
		p = tcp(f->client, 1, f->vip, 80, .ttl = 1);
	}
}

/* Nor does Linux count them: an echo is no error, and no larger than what it
 * answers. */
static void echo_replies_are_not_limited(void **state)
{
	const struct family *f = *state;
	struct packet p = echo_request(f->client, f->vip, 1, 56);

	set_limits(f, 1, 1);
	for (int i = 0; i < 100; i++)
		expect_reason(&p, ECHO);
}

/* What is forwarded is nobody's answer. */
static void what_is_served_is_not_limited(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->vip, 80);

	set_limits(f, 1, 1);
	for (int i = 0; i < 100; i++)
		expect_reason(&p, FORWARDED);
}

/* Larger only by what a quote must have: the IP header and 8 bytes, RFC 792;
 * no more than 576 bytes of IPv4, 1280 of IPv6 (RFC 1812, RFC 4443). */
static void errors_are_no_larger_than_their_cause(void **state)
{
	const struct family *f = *state;
	size_t head = f->v6 ? 48 : 28;
	struct outcome got;
	struct layers l;

	vip_only(f);
	for (size_t payload = 0; payload <= 1400; payload += payload < 200 ?
						  1 : 100) {
		struct packet p = udp(f->client, 1, f->vip, 81,
				      .payload = payload);
		size_t len = p.len - ETH_LEN, least = 2 * head;

		got = expect_reason(&p, NO_SERVICE);
		packet_layers(&got.packet, &l);
		assert_true(l.end - l.l3 <= (len > least ? len : least));
		assert_true(l.end - l.l3 <= (f->v6 ? 1280u : 576u));
		assert_true(packet_checksums_ok(&got.packet));
	}
	for (int options = 0; options <= 40; options += 4) {
		struct packet p = udp(f->client, 1, f->vip, 81,
				      .payload = options, .options = options);

		if (f->v6)
			return;
		got = expect_reason(&p, NO_SERVICE);
		packet_layers(&got.packet, &l);
		assert_true(l.end - l.l3 >= (size_t)(28 + 20 + options + 8));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(echo_requests_are_answered),
		BOTH(answers_keep_the_vlan_tags),
		BOTH(tcp_to_a_port_without_service_is_reset),
		BOTH(padding_is_not_acknowledged),
		BOTH(other_protocols_get_port_unreachable),
		BOTH(services_without_backend_reject),
		BOTH(services_whose_backends_are_all_down_reject),
		BOTH(packets_at_their_last_hop_are_complained_about),
		BOTH(echo_replies_of_zeros_have_a_checksum_that_holds),
		BOTH(broken_headers_are_not_answered),
		BOTH(what_must_not_be_answered_is_dropped),
		BOTH(errors_at_their_last_hop_are_not_answered),
		BOTH(packets_too_big_for_the_way_are_complained_about),
		BOTH(the_mtu_told_is_never_below_the_least_of_ipv6),
		BOTH(ipv4_that_may_be_cut_is_not_complained_about),
		BOTH(answers_to_one_network_are_limited),
		BOTH(each_network_has_a_limit_of_its_own),
		BOTH(answers_to_all_are_limited),
		BOTH(one_network_does_not_take_the_answers_of_all),
		BOTH(every_error_and_reset_counts_to_the_limit),
		BOTH(echo_replies_are_not_limited),
		BOTH(what_is_served_is_not_limited),
		BOTH(errors_are_no_larger_than_their_cause),
		BOTH(what_is_known_of_the_way_counts_like_the_link),
		BOTH(a_wider_way_does_not_widen_the_link),
		BOTH(the_least_packet_of_ipv6_is_never_refused),
	};

	return run_both(tests);
}
