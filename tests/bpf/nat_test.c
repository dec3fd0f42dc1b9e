// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* NAT, both ways: addresses, ports, checksums, and ICMP errors about it. */
#include <fairlead/hash.h>

#include "model/conns.h"
#include "bytes.h"
#include "family.h"

static void service(const struct family *f, uint8_t proto)
{
	world_service(world, .addr = f->vip, .port = 80, .proto = proto,
		      .forward = FORWARD_NAT, .backends = { f->backend },
		      .backend_port = 8080);
}

static struct packet l4(uint8_t proto, const char *src, uint16_t sport,
			const char *dst, uint16_t dport, uint8_t ttl)
{
	return packet_of(l4_words(proto, src, sport, dst, dport),
			 .payload = 33, .flags = SYN, .chunk = SCTP_INIT,
			 .ttl = ttl, .options = 12,
			 .extensions = { EXTENSION_DESTINATION });
}

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

/* Run a reply; compare all but the Ethernet header. */
static void expect_reply(const struct packet *in, const struct packet *want,
			 unsigned int reasons)
{
	struct outcome got;
	struct packet a, b;

	assert_true(world_check(world, in, &got));
	assert_true(got.reasons & reasons);
	a = packet_framed(want, mac_us, mac_us, NULL);
	b = packet_framed(&got.packet, mac_us, mac_us, NULL);
	if (packet_eq(&a, &b))
		return;
	packet_diff(&a, &b);
	fail();
}

static void both_directions_are_translated(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80,
				      64);
		struct packet out = l4(protos[i], f->nat, 4321, f->backend,
				       8080, 63);
		struct packet reply = l4(protos[i], f->backend, 8080, f->nat,
					 4321, 64);
		struct packet back = l4(protos[i], f->vip, 80, f->client, 4321,
					63);

		world_reset(world);
		service(f, protos[i]);
		out = framed_to(&out, f->backend, LINK_TX);
		expect_packet(&in, FORWARDED, &out);
		expect_reply(&reply, &back, REASON_BIT(RETURNED));
		expect_packet(&in, FORWARDED, &out);
	}
}

/* The client is on a link that we know: its MAC is learnt. */
static void replies_go_back_to_where_the_client_came_from(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet reply = tcp(f->backend, 8080, f->nat, 4321,
				  .flags = SYN | ACK, .smac = { 2, 3 });
	struct outcome got;

	service(f, IPPROTO_TCP);
	expect_reason(&in, FORWARDED);
	got = expect_reason(&reply, RETURNED);
	assert_int_equal(got.actions, 1 << XDP_TX);
	assert_memory_equal(got.packet.data, mac_client, MAC_LEN);
	assert_memory_equal(got.packet.data + MAC_LEN,
			    world_tables(world)->links[LINK_TX].mac, MAC_LEN);
}

static void the_clients_port_is_kept_if_it_is_free(void **state)
{
	const struct family *f = *state;
	struct packet a = tcp(f->client, 5000, f->vip, 80, .flags = SYN);
	struct packet b = tcp(f->client2, 5000, f->vip, 80, .flags = SYN);
	struct packet low = tcp(f->client, 80, f->vip, 80, .flags = SYN);
	struct outcome got;
	struct layers l;

	service(f, IPPROTO_TCP);
	got = expect_reason(&a, FORWARDED);
	packet_layers(&got.packet, &l);
	assert_int_equal(get16(got.packet.data + l.l4), 5000);
	got = expect_reason(&b, FORWARDED);
	assert_int_not_equal(get16(got.packet.data + l.l4), 5000);
	got = expect_reason(&low, FORWARDED);
	assert_true(get16(got.packet.data + l.l4) >= 1024);
}

/* The rest of a handshake whose SYN has been sent on from port. */
static void confirm(const struct family *f, const struct packet *syn,
		    const char *backend, uint16_t port)
{
	struct packet answer = tcp(backend, 8080, f->nat, port,
				   .flags = SYN | ACK, .seq = 1000);
	struct packet ack = *syn;
	struct layers l;

	packet_layers(syn, &l);
	put32(ack.data + l.l4 + 8, 1001);
	ack.data[l.l4 + 13] = ACK;
	packet_sum(&ack);
	expect_reason(&answer, RETURNED);
	expect_reason(&ack, FORWARDED);
}

/* With its cookie a client is served at once (RFC 7413), and what it says next
 * may acknowledge more than the SYN-ACK; of a connection that was forgotten
 * nobody sends a SYN-ACK again. Mere ACKs a backend sends for old ones too. */
static void data_of_the_backend_confirms_as_well(void **state)
{
	const struct family *f = *state;
	static const struct {
		uint8_t syn_ack, flags;
		uint16_t payload;
		bool confirms;
	} cases[] = {
		{ SYN | ACK, ACK, 1000, true }, { 0, ACK | PSH, 1000, true },
		{ SYN | ACK, ACK, 0, false },
		{ SYN | ACK, SYN | ACK, 99, false },
		{ SYN | ACK, RST | ACK, 99, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet syn = tcp(f->client, 5000, f->vip, 80,
					.flags = SYN, .payload = 9);
		struct packet answer = tcp(f->backend, 8080, f->nat, 5000,
					   .flags = cases[i].syn_ack ?: ACK,
					   .seq = 1000);
		struct packet data = tcp(f->backend, 8080, f->nat, 5000,
					 .flags = cases[i].flags, .seq = 1001,
					 .payload = cases[i].payload);
		struct packet ack = tcp(f->client, 5000, f->vip, 80,
					.flags = ACK, .ack = 2001);
		struct packet other = tcp(f->client2, 5000, f->vip, 80,
					  .flags = SYN);

		world_reset(world);
		world_model(world)->nat_port_first = 5000;
		world_model(world)->nat_port_last = 5000;
		service(f, IPPROTO_TCP);
		expect_reason(&syn, FORWARDED);
		expect_reason(&answer, RETURNED);
		expect_reason(&data, RETURNED);
		expect_reason(&ack, FORWARDED);
		if (cases[i].confirms)
			expect_reason(&other, NO_PORT);
		else
			expect_reason(&other, FORWARDED);
	}
}

static void no_port_left_is_a_reason_of_its_own(void **state)
{
	const struct family *f = *state;
	struct packet a = tcp(f->client, 5000, f->vip, 80, .flags = SYN);
	struct packet b = tcp(f->client2, 5000, f->vip, 80, .flags = SYN);
	struct packet other = tcp(f->client2, 5000, f->vip, 81, .flags = SYN);

	world_model(world)->nat_port_first = 5000;
	world_model(world)->nat_port_last = 5000;
	world_define(world, &(struct service_words){
		.name = "other", .addr = f->vip, .port = 81,
		.forward = FORWARD_NAT, .backends = { f->backend2 } });
	service(f, IPPROTO_TCP);
	expect_reason(&a, FORWARDED);
	confirm(f, &a, f->backend, 5000);
	expect_reason(&b, NO_PORT);
	expect_reason(&a, FORWARDED);
	expect_reason(&other, FORWARDED); /* another backend: free there */
}

static void every_port_of_a_small_range_is_found(void **state)
{
	const struct family *f = *state;
	bool seen[8] = {};

	world_model(world)->nat_port_first = 6000;
	world_model(world)->nat_port_last = 6007;
	service(f, IPPROTO_UDP);
	for (int i = 0; i < 8; i++) {
		struct packet p = udp(f->client, 100 + i, f->vip, 80);
		struct outcome got = expect_reason(&p, FORWARDED);
		struct layers l;
		uint16_t port;

		packet_layers(&got.packet, &l);
		port = get16(got.packet.data + l.l4);
		assert_in_range(port, 6000, 6007);
		assert_false(seen[port - 6000]);
		seen[port - 6000] = true;
	}
}

static const char *const nat_list[2][3] = {
	{ "10.9.9.1", "10.9.9.2", "10.9.9.3" },
	{ "fd00:99::1", "fd00:99::2", "fd00:99::3" },
};

/* How often each of nat_list is the source of new connections. */
static void count_sources(const struct family *f, int used[static 3])
{
	service(f, IPPROTO_TCP);
	for (int i = 0; i < 150; i++) {
		struct packet p = tcp(f->client, 3000 + i, f->vip, 80,
				      .flags = SYN);
		struct outcome got = expect_reason(&p, FORWARDED);
		struct layers l;

		packet_layers(&got.packet, &l);
		for (int j = 0; j < 3; j++) {
			struct addr a = addr(nat_list[f->v6][j]);

			used[j] += !memcmp(&a, &l.src, sizeof(a));
		}
	}
}

static void several_addresses_are_all_used(void **state)
{
	const struct family *f = *state;
	int used[3] = {};

	world_nat(world, nat_list[f->v6], 3);
	count_sources(f, used);
	for (int j = 0; j < 3; j++)
		assert_in_range(used[j], 20, 90);
}

static void a_links_own_address_is_the_source(void **state)
{
	const struct family *f = *state;
	struct link *link = &world_tables(world)->links[LINK_TX];
	int used[3] = {};

	world_nat(world, nat_list[f->v6], 3);
	link->nat4 = 2;
	link->nat6 = NAT_ADDRS_MAX + 2;
	count_sources(f, used);
	link->nat4 = link->nat6 = 0;
	assert_int_equal(used[1], 150);
}

/* An entry of links that is new, until user space has said what its NAT comes
 * from: nothing is opened meanwhile. */
static void without_a_source_nothing_is_opened(void **state)
{
	const struct family *f = *state;
	struct packet syn = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct link *link = &world_tables(world)->links[LINK_TX];

	world_link(world, LINK_TX);
	service(f, IPPROTO_TCP);
	link->nat4 = link->nat6 = NAT_SOURCE_NONE;
	expect_reason(&syn, NO_SOURCE);
	link->nat4 = link->nat6 = 0;
	expect_reason(&syn, FORWARDED);
}

/* Replies leave by the VLAN that the client is in, where nobody else is; not
 * at all where this host has no interface for it. */
static void replies_leave_by_the_clients_vlan(void **state)
{
	const struct family *f = *state;
	struct packet syn = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet reply = tcp(f->backend, 8080, f->nat, 4321);
	struct vlan vlan[VLANS_MAX] = { { 0x8100, 8 } };
	struct outcome got;
	struct layers l;

	service(f, IPPROTO_TCP);
	syn = packet_framed(&syn, mac_us, mac_client, vlan);
	expect_reason(&syn, NO_NEXT_HOP);
	vlan[0].id = CLIENT_VLAN;
	syn = packet_framed(&syn, mac_us, mac_client, vlan);
	expect_reason(&syn, FORWARDED);
	got = expect_reason(&reply, RETURNED);
	packet_layers(&got.packet, &l);
	assert_int_equal(l.vlans, 1);
	assert_int_equal(got.packet.data[15], CLIENT_VLAN);
}

/* Every possible checksum, so the zeros as well; and UDP without one. */
static void checksums_are_right_in_their_corners(void **state)
{
	const struct family *f = *state;
	struct layers l;
	struct outcome got;

	service(f, IPPROTO_UDP);
	for (unsigned int i = 0; i < 65536; i += i < 65000 ? 97 : 1) {
		uint8_t bytes[2] = { i >> 8, i };
		struct packet p = udp(f->client, 7000, f->vip, 80,
				      .payload = 2, .content = bytes);

		world_run(world, &p, &got);
		packet_layers(&got.packet, &l);
		assert_true(packet_checksums_ok(&got.packet));
		assert_int_not_equal(get16(got.packet.data + l.l4 + 6), 0);
	}
	if (!f->v6) {
		struct packet p = udp(f->client, 7000, f->vip, 80,
				      .payload = 9, .unsummed = true);

		got = expect_reason(&p, FORWARDED);
		packet_layers(&got.packet, &l);
		assert_int_equal(get16(got.packet.data + l.l4 + 6), 0);
	}
}

/* The payload with which what we send a backend, and what it answers, has a
 * checksum of 0: UDP must send 0xffff. */
static void payload_of_sum_zero(const struct family *f, uint8_t bytes[2])
{
	size_t sum = ETH_LEN + (f->v6 ? 40 : 20) + 6;
	struct packet p;

	for (unsigned int i = 0; i < 65536; i++) {
		put16(bytes, i);
		p = udp(f->nat, 7000, f->backend, 8080, .payload = 2,
			.content = bytes);
		if (get16(p.data + sum) == 0xffff)
			return;
	}
	fail();
}

static void a_sum_of_zero_is_sent_as_ffff(void **state)
{
	const struct family *f = *state;
	struct packet in, out;
	uint8_t bytes[2];

	service(f, IPPROTO_UDP);
	payload_of_sum_zero(f, bytes);
	in = udp(f->client, 7000, f->vip, 80, .payload = 2, .content = bytes);
	out = udp(f->nat, 7000, f->backend, 8080, .payload = 2,
		  .content = bytes, .ttl = 63);
	out = framed_to(&out, f->backend, LINK_TX);
	expect_packet(&in, FORWARDED, &out);
}

/* 0 would say that the quoted packet had no checksum. */
static void a_quoted_sum_of_zero_is_ffff(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	size_t ip = f->v6 ? 40 : 20, sum = ETH_LEN + ip + 8 + ip + 6;
	struct packet open, reply, error;
	struct outcome got;
	uint8_t bytes[2];

	service(f, IPPROTO_UDP);
	payload_of_sum_zero(f, bytes);
	open = udp(f->client, 7000, f->vip, 80);
	expect_reason(&open, FORWARDED);
	reply = udp(f->vip, 80, f->client, 7000, .payload = 2,
		    .content = bytes);
	error = icmp_error(&router, &vip, f->v6 ? 1 : 3, 0, 0, &reply,
			   PACKET_MAX);
	got = expect_reason(&error, ICMP_FORWARDED);
	assert_int_equal(get16(got.packet.data + sum), 0xffff);
}

/* A wrong checksum must not be made right on the way. */
static void wrong_checksums_stay_wrong(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet p = l4(protos[i], f->client, 4321, f->vip, 80,
				     64);
		struct outcome got;

		world_reset(world);
		service(f, protos[i]);
		p.data[p.len - 1] ^= 0x10;
		got = expect_reason_at(&p, REASON_FORWARDED, __FILE__,
				       __LINE__);
		assert_false(packet_checksums_ok(&got.packet));
	}
}

static void strange_packets_to_our_nat_address_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct addr nat = addr(f->nat);
	struct packet p[] = {
		tcp(f->backend, 8080, f->nat, 999, .flags = ACK),
		udp(f->client, 1, f->nat, 53, .payload = 7),
		echo_request(f->client, f->nat, 1, 10),
		packet_of(.src = addr(f->client), .dst = nat, .proto = 89,
			  .payload = 20),
	};

	service(f, IPPROTO_TCP);
	for (int i = 0; i < 4; i++)
		expect_untouched(&p[i], NO_CONN);
}

/*
 * Quoted checksums that stay as they were: half of TCP's, of which 17 bytes
 * are quoted; and SCTP's, as what it covers is rarely quoted whole, and who
 * gets the error looks at the verification tag instead.
 */
static void keep_quoted_sum(struct packet *quoted, const struct packet *was,
			    uint8_t proto, size_t len)
{
	size_t l4 = ETH_LEN + (was->data[12] == 0x86 ? 40 : 20);

	if (proto == IPPROTO_SCTP)
		memcpy(quoted->data + l4 + 8, was->data + l4 + 8, 4);
	if (proto == IPPROTO_TCP)
		memcpy(quoted->data + l4 + 16, was->data + l4 + 16,
		       len == 17 ? 2 : 0);
}

/* A router between client and us complains about a reply of the VIP. */
static void errors_about_replies_reach_the_backend(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct addr nat = addr(f->nat), backend = addr(f->backend);
	size_t least = f->v6 ? 48 : 28;

	for (int i = 0; i < 3; i++) {
		struct packet open = packet_of(
			l4_words(protos[i], f->client, 4321, f->vip, 80),
			.flags = SYN, .chunk = SCTP_INIT);
		struct packet reply = packet_of(
			l4_words(protos[i], f->vip, 80, f->client, 4321),
			.payload = 40);
		struct packet whole = packet_of(
			l4_words(protos[i], f->backend, 8080, f->nat, 4321),
			.payload = 40);

		world_reset(world);
		service(f, protos[i]);
		expect_reason(&open, FORWARDED);
		for (size_t cut = least; cut < 110; cut++) {
			struct packet in = icmp_error(&router, &vip,
				f->v6 ? 2 : 3, f->v6 ? 0 : 4, 1400, &reply,
				cut);
			struct packet inner = whole, want;

			keep_quoted_sum(&inner, &reply, protos[i],
					cut - least + 8);
			want = icmp_error(&nat, &backend, f->v6 ? 2 : 3,
					  f->v6 ? 0 : 4, 1400, &inner, cut);
			want.data[ETH_LEN + (f->v6 ? 7 : 8)]--;
			packet_sum(&want);
			want = framed_to(&want, f->backend, LINK_TX);
			expect_packet(&in, ICMP_FORWARDED, &want);
		}
	}
}

static const enum extension chains[][3] = {
	{ EXTENSION_HOP },
	{ EXTENSION_ROUTING, EXTENSION_DESTINATION },
	{ EXTENSION_HOP, EXTENSION_DESTINATION, EXTENSION_FRAGMENT },
};

/* Headers between, and as little of L4 as there may be: 8 bytes. */
static void quoted_headers_are_walked_through(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct addr nat = addr(f->nat), backend = addr(f->backend);
	struct words reply = { l4_words(IPPROTO_UDP, f->vip, 80, f->client,
					4321), .options = 24, .payload = 40 };
	struct words inner = { l4_words(IPPROTO_UDP, f->backend, 8080, f->nat,
					4321), .options = 24, .payload = 40 };
	struct packet open = udp(f->client, 4321, f->vip, 80);

	for (int i = 0; i < 3; i++) {
		struct packet about, want, in;
		struct layers l;

		memcpy(reply.extensions, chains[i], sizeof(chains[i]));
		memcpy(inner.extensions, chains[i], sizeof(chains[i]));
		world_reset(world);
		service(f, IPPROTO_UDP);
		expect_reason(&open, FORWARDED);
		about = packet_build(&reply);
		packet_layers(&about, &l);
		for (size_t cut = l.l4 + 8; cut <= l.end; cut++) {
			in = icmp_error(&router, &vip, f->v6 ? 2 : 3,
					f->v6 ? 0 : 4, 1400, &about,
					cut - l.l3);
			want = packet_build(&inner);
			want = icmp_error(&nat, &backend, f->v6 ? 2 : 3,
					  f->v6 ? 0 : 4, 1400, &want,
					  cut - l.l3);
			want.data[ETH_LEN + (f->v6 ? 7 : 8)]--;
			packet_sum(&want);
			want = framed_to(&want, f->backend, LINK_TX);
			expect_packet(&in, ICMP_FORWARDED, &want);
		}
		in = icmp_error(&router, &vip, f->v6 ? 2 : 3, f->v6 ? 0 : 4,
				1400, &about, l.l4 + 7 - l.l3);
		expect_reason(&in, ICMP_UNRELATED);
	}
}

/* Whose the packet was at its end, only the addresses to come could say. */
static void quotes_that_were_to_be_sent_on_are_nobodys(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct packet open = udp(f->client, 4321, f->vip, 80);
	struct packet reply = udp(f->vip, 80, f->client, 4321,
				  .extensions = { EXTENSION_ROUTED });
	struct packet in = icmp_error(&router, &vip, f->v6 ? 1 : 3, 0, 0,
				      &reply, PACKET_MAX);

	service(f, IPPROTO_UDP);
	expect_reason(&open, FORWARDED);
	if (f->v6)
		expect_reason(&in, ICMP_UNRELATED);
}

/* RFC 9260: ABORT ends an association as RST does a connection, SHUTDOWN
 * COMPLETE as the last FIN; control chunks may come before an ABORT. */
static void sctp_ends_with_its_last_chunk(void **state)
{
	const struct family *f = *state;
	static const uint8_t tag[16] = { 0x60, 0x0d, 0xca, 0xfe };
	static const uint8_t bundle[] = {
		SCTP_COOKIE_ACK, 0, 0, 4,
		SCTP_ERROR, 0, 0, 6, 1, 2, 0, 0,
		SCTP_ABORT, 0, 0, 4,
	};
	const struct {
		uint8_t chunk;
		uint16_t len;
		uint16_t payload;
		bool ends;
	} cases[] = {
		{ SCTP_ABORT, 0, 0, true },
		{ SCTP_SHUTDOWN_COMPLETE, 0, 0, true },
		{ SCTP_SACK, 4, sizeof(bundle), true },
		{ SCTP_SACK, 3, sizeof(bundle), false }, /* too short */
		{ SCTP_SACK, 0, sizeof(bundle), false }, /* all one chunk */
		{ SCTP_SACK, 4, sizeof(bundle) - 4, false },
		{ SCTP_DATA, 4, sizeof(bundle), false }, /* after data: no */
		{ SCTP_SHUTDOWN, 0, 4, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet init = sctp(f->client, 5000, f->vip, 80,
					  .chunk = SCTP_INIT, .payload = 16);
		struct packet ack = sctp(f->backend, 8080, f->nat, 5000,
					 .chunk = SCTP_INIT_ACK, .payload = 16,
					 .content = tag);
		struct packet data = sctp(f->client, 5000, f->vip, 80);
		struct packet last = sctp(f->client, 5000, f->vip, 80,
					  .chunk = cases[i].chunk,
					  .first_chunk = cases[i].len,
					  .payload = cases[i].payload,
					  .content = bundle);
		struct packet other = sctp(f->client2, 5000, f->vip, 80,
					   .chunk = SCTP_INIT, .payload = 16);

		world_reset(world);
		world_model(world)->nat_port_first = 5000;
		world_model(world)->nat_port_last = 5000;
		service(f, IPPROTO_SCTP);
		expect_reason(&init, FORWARDED);
		assert_true(world_check(world, &ack, NULL));
		expect_reason(&data, FORWARDED);
		expect_reason(&last, FORWARDED);
		/* one that ended makes room, its only port too */
		if (cases[i].ends)
			expect_reason(&other, FORWARDED);
		else
			expect_reason(&other, NO_PORT);
	}
}

/* A router between us and the backend complains about what we sent. */
static void errors_about_requests_reach_the_client(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), nat = addr(f->nat);
	struct addr vip = addr(f->vip), client = addr(f->client);
	size_t least = f->v6 ? 48 : 28;

	for (int i = 0; i < 3; i++) {
		struct packet open = packet_of(
			l4_words(protos[i], f->client, 4321, f->vip, 80),
			.flags = SYN, .chunk = SCTP_INIT);
		struct packet sent = packet_of(
			l4_words(protos[i], f->nat, 4321, f->backend, 8080),
			.payload = 40);
		struct packet whole = packet_of(
			l4_words(protos[i], f->client, 4321, f->vip, 80),
			.payload = 40);

		world_reset(world);
		service(f, protos[i]);
		expect_reason(&open, FORWARDED);
		for (size_t cut = least; cut < 110; cut++) {
			struct packet in = icmp_error(&router, &nat,
				f->v6 ? 1 : 11, 0, 0, &sent, cut);
			struct packet inner = whole, want;

			keep_quoted_sum(&inner, &sent, protos[i],
					cut - least + 8);
			want = icmp_error(&vip, &client, f->v6 ? 1 : 11, 0, 0,
					  &inner, cut);
			want.data[ETH_LEN + (f->v6 ? 7 : 8)]--;
			packet_sum(&want);
			expect_reply(&in, &want, REASON_BIT(ICMP_FORWARDED));
		}
	}
}

/* TCP's checksum would be there, were padding part of the packet. */
static void padding_behind_a_quote_is_none_of_it(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct packet open = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet reply = tcp(f->vip, 80, f->client, 4321, .payload = 40);
	struct outcome got;

	service(f, IPPROTO_TCP);
	expect_reason(&open, FORWARDED);
	for (size_t l4 = 0; l4 <= 20; l4++) {
		struct packet in = icmp_error(&router, &vip, f->v6 ? 2 : 3,
					      f->v6 ? 0 : 4, 1400, &reply,
					      (f->v6 ? 40 : 20) + l4);

		memset(in.data + in.len, 0xa5, 40);
		in.len += 40;
		got = expect_reason_at(&in, l4 < 8 ? REASON_ICMP_UNRELATED :
				       REASON_ICMP_FORWARDED, __FILE__,
				       __LINE__);
		assert_true(l4 < 8 || packet_checksums_ok(&got.packet));
	}
}

static void errors_about_nothing_are_dropped(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct addr other = addr(f->vip2);
	struct packet reply = tcp(f->vip, 80, f->client, 4321, .flags = ACK);
	size_t head = f->v6 ? 40 : 20;
	struct packet p;

	service(f, IPPROTO_TCP);
	p = icmp_error(&router, &vip, f->v6 ? 1 : 3, 1, 0, &reply, PACKET_MAX);
	expect_reason(&p, ICMP_UNRELATED);	/* no such connection */
	for (size_t cut = 0; cut < head + 8; cut++) {
		p = icmp_error(&router, &vip, f->v6 ? 1 : 3, 1, 0, &reply,
			       cut);
		expect_reason(&p, ICMP_UNRELATED);
	}
	reply = tcp(f->stranger, 80, f->client, 4321);
	p = icmp_error(&router, &vip, f->v6 ? 1 : 3, 1, 0, &reply, PACKET_MAX);
	expect_reason(&p, ICMP_UNRELATED);
	p = icmp_error(&router, &other, f->v6 ? 1 : 3, 1, 0, &reply,
		       PACKET_MAX);
	expect_untouched(&p, NOT_OURS);
}

static void errors_follow_their_flow_in_the_direct_modes(void **state)
{
	const struct family *f = *state;
	static const enum forward ways[] = {
		FORWARD_L2, FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE,
		FORWARD_GENEVE,
	};
	struct addr router = addr(f->router), vip = addr(f->vip);

	for (int i = 0; i < 5; i++) {
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = ways[i],
			      .backends = { f->backend, f->backend2,
					    f->backend3 });
		world_settle(world);
		for (int port = 1; port < 40; port++) {
			struct packet reply = tcp(f->vip, 80, f->client, port,
				.extensions = { chains[port % 3][0],
						chains[port % 3][1] });
			struct packet p = icmp_error(&router, &vip,
				f->v6 ? 3 : 11, 0, 0, &reply,
				f->v6 ? 88 : 28);
			struct packet flow = tcp(f->client, port, f->vip, 80);
			struct outcome a = expect_reason(&p, ICMP_FORWARDED);
			struct outcome b = expect_reason(&flow, FORWARDED);

			assert_memory_equal(a.packet.data, b.packet.data,
					    MAC_LEN);
		}
	}
}

static void a_closed_connections_port_serves_again(void **state)
{
	const struct family *f = *state;
	struct packet syn = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet fin = tcp(f->client, 4321, f->vip, 80,
				.flags = FIN | ACK);

	service(f, IPPROTO_TCP);
	expect_reason(&syn, FORWARDED);
	expect_reason(&fin, FORWARDED);
	expect_reason(&syn, FORWARDED);
	expect_reason(&syn, FORWARDED);
}

/* A byte of vip_filter is of many addresses, not all of NAT. */
static void connections_to_a_prefix_survive_a_shared_byte(void **state)
{
	const struct family *f = *state;
	struct tables *t = world_tables(world);
	struct addr vip = addr(f->vip);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
			       .ttl = 64);
	struct packet out = tcp(f->nat, 4321, f->backend, 8080, .flags = SYN,
				.ttl = 63);

	world_service(world, .addr = f->v6 ? "fd00:96::" : "10.96.0.0",
		      .prefix_len = f->v6 ? 64 : 16, .port = 80,
		      .forward = FORWARD_NAT, .backends = { f->backend },
		      .backend_port = 8080);
	t->vip_filter[vip_filter_index(hash_dst(t->hash_key, &vip))] =
		VIP_SERVICE;
	out = framed_to(&out, f->backend, LINK_TX);
	for (int i = 0; i < 3; i++)
		expect_packet(&in, FORWARDED, &out);
}

/* As its packet was too big, only the next one shows who has its port. */
static void a_rejected_packets_translation_stays(void **state)
{
	const struct family *f = *state;
	struct packet big = udp(f->client, 4321, f->vip, 80, .payload = 1400,
				.df = true);
	struct packet small = udp(f->client, 4321, f->vip, 80, .ttl = 64);
	struct packet other = udp(f->client2, 4321, f->vip, 80);
	struct packet out = udp(f->nat, 4321, f->backend, 8080, .ttl = 63);

	service(f, IPPROTO_UDP);
	world_tables(world)->links[LINK_TX].mtu = 1300;
	expect_reason(&big, TOO_BIG);
	expect_reason(&other, FORWARDED);
	out = framed_to(&out, f->backend, LINK_TX);
	expect_packet(&small, FORWARDED, &out);
}

/* Which backend has the connection of f's client from port 4321? */
static __u32 chosen(const struct family *f)
{
	struct flow flow = {
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(4321), .dport = htons(80),
		.proto = IPPROTO_TCP,
	};
	struct conn_entry e;

	assert_true(conns_find(world_tables(world), &flow, &e));
	return conn_backend(&e.conn);
}

static const char *name_of(const struct family *f, __u32 backend)
{
	const struct backend *b = &world_tables(world)->backends[backend];
	struct addr a = addr(f->backend);

	return memcmp(&b->addr, &a, sizeof(a)) ? f->backend2 : f->backend;
}

/* A connection by chance to one of two backends, confirmed. */
static __u32 open_by_chance(const struct family *f, const struct packet *open)
{
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_NAT, .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend, f->backend2 },
		      .backend_port = 8080);
	expect_reason(open, FORWARDED);
	confirm(f, open, name_of(f, chosen(f)), 4321);
	return chosen(f);
}

/* A client's RST can be forged: within the closing time its next connection
 * goes the same way, from the same port, so that a live one is moved by
 * none. */
static void the_next_one_of_an_ended_connection_goes_its_way(void **state)
{
	const struct family *f = *state;
	struct packet open = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet close = tcp(f->client, 4321, f->vip, 80,
				  .flags = RST);
	__u32 first = open_by_chance(f, &open);

	for (int i = 0; i < 20; i++) {
		expect_reason(&close, FORWARDED);
		expect_reason(&open, FORWARDED);
		assert_int_equal(chosen(f), first);
	}
}

/* More flows than there is room for, each of two packets. */
static void flood_with_datagrams(const struct family *f)
{
	struct outcome got;
	struct packet p;

	for (int i = 0; i < 120000; i++) {
		p = udp(i & 1 ? f->client : f->client2, 1024 + i / 2, f->vip2,
			53);
		world_run(world, &p, &got);
		world_run(world, &p, &got);
	}
}

/* Longer than datagrams may: they do not take it for dead. */
static void an_idle_connection_outlives_a_flood_of_datagrams(void **state)
{
	const struct family *f = *state;
	struct packet open = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet reply = tcp(f->backend, 8080, f->nat, 4321,
				  .flags = SYN | ACK, .ttl = 64);
	struct packet back = tcp(f->vip, 80, f->client, 4321,
				 .flags = SYN | ACK, .ttl = 63);

	world_model(world)->idle_udp_s = 60;
	world_service(world, .name = "datagrams", .addr = f->vip2, .port = 53,
		      .proto = IPPROTO_UDP, .forward = FORWARD_L2,
		      .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend2 });
	service(f, IPPROTO_TCP);
	expect_reason(&open, FORWARDED);
	confirm(f, &open, f->backend, 4321);
	world_age(world, 200);
	flood_with_datagrams(f);
	expect_reply(&reply, &back, REASON_BIT(RETURNED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(both_directions_are_translated),
		BOTH(replies_go_back_to_where_the_client_came_from),
		BOTH(the_clients_port_is_kept_if_it_is_free),
		BOTH(no_port_left_is_a_reason_of_its_own),
		BOTH(every_port_of_a_small_range_is_found),
		BOTH(several_addresses_are_all_used),
		BOTH(a_links_own_address_is_the_source),
		BOTH(without_a_source_nothing_is_opened),
		BOTH(replies_leave_by_the_clients_vlan),
		BOTH(checksums_are_right_in_their_corners),
		BOTH(a_sum_of_zero_is_sent_as_ffff),
		BOTH(a_quoted_sum_of_zero_is_ffff),
		BOTH(wrong_checksums_stay_wrong),
		BOTH(strange_packets_to_our_nat_address_are_left_alone),
		BOTH(errors_about_replies_reach_the_backend),
		BOTH(errors_about_requests_reach_the_client),
		BOTH(padding_behind_a_quote_is_none_of_it),
		BOTH(errors_about_nothing_are_dropped),
		BOTH(errors_follow_their_flow_in_the_direct_modes),
		BOTH(quoted_headers_are_walked_through),
		BOTH(quotes_that_were_to_be_sent_on_are_nobodys),
		BOTH(sctp_ends_with_its_last_chunk),
		BOTH(data_of_the_backend_confirms_as_well),
		BOTH(a_closed_connections_port_serves_again),
		BOTH(connections_to_a_prefix_survive_a_shared_byte),
		BOTH(a_rejected_packets_translation_stays),
		BOTH(an_idle_connection_outlives_a_flood_of_datagrams),
		BOTH(the_next_one_of_an_ended_connection_goes_its_way),
	};

	return run_both(tests);
}
