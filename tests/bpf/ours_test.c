// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is ours and what is not; headers cut, lying and forged. */
#include <arpa/inet.h>

#include <fairlead/hash.h>

#include "family.h"

static struct packet to(const char *src, const char *dst)
{
	return tcp(src, 4321, dst, 80, .flags = SYN, .payload = 6);
}

static void l2_service(const struct family *f)
{
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_L2, .backends = { f->backend });
}

static void what_is_not_ip_passes_untouched(void **state)
{
	const struct family *f = *state;
	static const uint16_t types[] = { 0x0806, 0x88cc, 0x0060, 0x8847 };
	struct packet p = to(f->client, f->vip);

	l2_service(f);
	for (int i = 0; i < 4; i++) {
		put16(p.data + 12, types[i]);
		expect_untouched(&p, NOT_IP);
	}
	p = tcp(f->client, 1, f->vip, 80,
		.vlan = { { 0x8100, 1 }, { 0x8100, 2 } });
	put16(p.data + 20, 0x8100);	/* a third tag */
	expect_untouched(&p, NOT_IP);
}

static void frame_to(struct packet *p, const uint8_t *mac)
{
	memcpy(p->data, mac, MAC_LEN);
}

/* One of each way that a packet to a can be dealt with. */
static void expect_all_untouched(const struct family *f, const char *a,
				 const uint8_t *mac)
{
	struct addr router = addr(f->router), to_a = addr(a);
	struct packet quote = tcp(a, 80, f->client, 4321, .payload = 40);
	struct packet p[] = {
		to(f->client, a),
		tcp(f->client, 1, a, 81, .flags = ACK),
		udp(f->client, 1, a, 53),
		tcp(f->client, 4321, a, 80, .ttl = 1),
		echo_request(f->client, a, 1, 9),
		icmp_error(&router, &to_a, f->v6 ? 1 : 3, 0, 0, &quote, 60),
		to(f->client, a),
	};

	p[6].data[ETH_LEN] ^= 0x50;	/* malformed */
	for (int i = 0; i < 7; i++) {
		frame_to(&p[i], mac);
		expect_untouched(&p[i], OTHER_MAC);
	}
}

static void frames_to_other_mac_addresses_pass_untouched(void **state)
{
	const struct family *f = *state;
	static const uint8_t macs[][MAC_LEN] = {
		{ 0x02, 0, 0, 0, 0, 0x99 },	/* another host's */
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0, 0x5e, 0, 0, 1 },	/* groups */
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 0x02, 0, 0, 0, 0x11, 2 },	/* of another link */
		{},
	};

	for (int forward = 0; forward <= FORWARD_GENEVE; forward++) {
		fresh_world(state);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = forward, .backends = { f->backend });
		for (size_t i = 0; i < sizeof(macs) / MAC_LEN; i++) {
			expect_all_untouched(f, f->vip, macs[i]);
			expect_all_untouched(f, f->nat, macs[i]);
		}
	}
}

static void a_second_mac_address_is_served(void **state)
{
	const struct family *f = *state;
	static const uint8_t router[] = { 0, 0, 0x5e, 0, 1, 7 };
	static const uint8_t vlans[] = { 0x02, 0, 0, 0, 0, 0x77 };
	const struct vlan seven = { 0x8100, 7 }, eight = { 0x8100, 0xe008 };
	struct packet p = to(f->client, f->vip);

	l2_service(f);
	world_takes(world, router, -1);
	world_takes(world, vlans, 7);
	frame_to(&p, router);
	expect_reason(&p, FORWARDED);
	p = echo_request(f->client, f->vip, 1, 9);
	frame_to(&p, router);
	expect_reason(&p, ECHO);
	frame_to(&p, vlans);
	expect_untouched(&p, OTHER_MAC);

	p = tcp(f->client, 1, f->vip, 80, .vlan = { seven });
	expect_reason(&p, FORWARDED);
	frame_to(&p, vlans);
	expect_reason(&p, FORWARDED);
	p = tcp(f->client, 1, f->vip, 80, .vlan = { { 0x8100, 0xf007 } });
	frame_to(&p, vlans);
	expect_reason(&p, FORWARDED);
	p = tcp(f->client, 1, f->vip, 80, .vlan = { eight, seven });
	frame_to(&p, vlans);
	expect_untouched(&p, OTHER_MAC);
}

/* More addresses than a bucket has room for, at places of all kinds. */
static void mac_addresses_of_one_bucket_are_told_apart(void **state)
{
	const struct family *f = *state;
	struct packet p = to(f->client, f->vip);
	__u64 word, us = ingress_mac_word(1, mac_number(mac_us),
					  INGRESS_ANY_VLAN);
	__u32 bucket = word_bucket_of(us, INGRESS_BUCKETS), found = 0;
	uint8_t mac[MAC_LEN] = { 0x02, 0xee };

	l2_service(f);
	for (uint32_t i = 0; found < WORD_WAYS + 2; i++) {
		put32(mac + 2, i);
		word = ingress_mac_word(1, mac_number(mac), INGRESS_ANY_VLAN);
		if (word_bucket_of(word, INGRESS_BUCKETS) != bucket)
			continue;
		frame_to(&p, mac);
		expect_untouched(&p, OTHER_MAC);
		world_takes(world, mac, -1);
		expect_reason(&p, FORWARDED);
		found++;
	}
}

/* Too short for any IP header, which may be counted as no IP at all. */
static void expect_passed(const struct packet *in)
{
	struct outcome got;

	assert_true(world_check(world, in, &got));
	assert_int_equal(got.actions, 1 << XDP_PASS);
	assert_true(packet_eq(in, &got.packet));
}

static void strangers_pass_untouched_whatever_they_are(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 1, f->stranger, 80, .options = 8,
			      .payload = 64, .extensions = { EXTENSION_HOP });
	struct packet part;

	l2_service(f);
	expect_untouched(&p, NOT_OURS);
	part = packet_fragment(&p, 32, 64, 7);
	expect_untouched(&part, NOT_OURS);
	part = echo_request(f->client, f->stranger, 1, 5);
	expect_untouched(&part, NOT_OURS);
	for (size_t len = ETH_LEN; len < p.len; len++) {
		part = packet_cut(&p, len);
		expect_passed(&part);
	}
	for (size_t at = ETH_LEN; at < ETH_LEN + 8; at++) {
		part = p;
		part.data[at] ^= 0xff;
		expect_untouched(&part, NOT_OURS);
	}
}

/* Every way in which a packet to a can be malformed, or stranger than most. */
static void expect_all_passed(const struct family *f, const char *a)
{
	static const char *const bad[] = { "127.0.0.1", "::1" };
	size_t l4 = ETH_LEN + (f->v6 ? 40 : 20);
	struct addr router = addr(f->router), to_a = addr(a);
	struct packet whole[] = {
		to(f->client, a),
		to(bad[f->v6], a),
		udp(f->client, 1, a, 53, .payload = 4, .options = 12,
		    .extensions = { EXTENSION_HOP, EXTENSION_ROUTING }),
		sctp(f->client, 1, a, 9, .payload = 4),
		echo_request(f->client, a, 1, 9),
		packet_of(.src = addr(f->client), .dst = to_a, .ttl = 1,
			  .proto = IPPROTO_GRE, .payload = 20),
		tcp(a, 80, f->client, 4321, .payload = 40),
	};

	whole[6] = icmp_error(&router, &to_a, f->v6 ? 1 : 3, 0, 0, &whole[6],
			      PACKET_MAX);
	for (int i = 0; i < 7; i++) {
		struct packet parts[] = {
			packet_fragment(&whole[i], 0, 8, 7),
			packet_fragment(&whole[i], 8, 8, 7),
			packet_fragment(&whole[i], 8, 8, 99),
		};

		for (size_t len = ETH_LEN; len <= whole[i].len; len++) {
			struct packet p = packet_cut(&whole[i], len);

			expect_passed(&p);
		}
		for (int j = 0; j < 3; j++)
			expect_passed(&parts[j]);
		for (size_t at = ETH_LEN; at < l4 + 16; at++) {
			if (at >= l4 - (f->v6 ? 16 : 4) && at < l4)
				continue;	/* another destination */
			whole[i].data[at] ^= 0xff;
			expect_passed(&whole[i]);
			whole[i].data[at] ^= 0xff;
		}
	}
}

/* A byte of vip_filter may be there for another address than a packet's. */
static void strangers_pass_untouched_at_a_byte_of_ours(void **state)
{
	const struct family *f = *state;
	struct tables *t = world_tables(world);
	struct addr a = addr(f->stranger);
	__u8 *class = &t->vip_filter[vip_filter_index(
		hash_dst(t->hash_key, &a))];

	l2_service(f);
	for (*class = 1; *class <= (VIP_SERVICE | VIP_CONNS); ++*class)
		expect_all_passed(f, f->stranger);
	world_service(world, .name = "net", .port = 80,
		      .addr = f->v6 ? "fd00:98::" : "10.98.0.0",
		      .prefix_len = f->v6 ? 64 : 16, .forward = FORWARD_NAT,
		      .backends = { f->backend });
	for (*class = 0; *class <= (VIP_SERVICE | VIP_CONNS); ++*class)
		expect_all_passed(f, f->stranger);
}

static void cut_packets_are_dropped_unless_nobody_knows_whose(void **state)
{
	const struct family *f = *state;
	struct packet whole[] = {
		to(f->client, f->vip),
		udp(f->client, 1, f->vip, 53, .payload = 4, .options = 12,
		    .extensions = { EXTENSION_HOP, EXTENSION_ROUTING }),
		sctp(f->client, 1, f->vip, 9, .payload = 4),
		echo_request(f->client, f->vip, 1, 9),
	};
	size_t header = ETH_LEN + (f->v6 ? 40 : 20);

	l2_service(f);
	for (int i = 0; i < 4; i++) {
		for (size_t len = ETH_LEN; len < whole[i].len; len++) {
			struct packet p = packet_cut(&whole[i], len);

			if (len < header)
				expect_passed(&p);
			else
				expect_reason(&p, TRUNCATED);
		}
	}
}

/* IP length right, but it ends within the L4 header. */
static void short_l4_headers_are_dropped(void **state)
{
	const struct family *f = *state;
	size_t l4 = ETH_LEN + (f->v6 ? 40 : 20);
	struct packet whole[] = {
		tcp(f->client, 1, f->vip, 80), udp(f->client, 1, f->vip, 80),
		sctp(f->client, 1, f->vip, 80),
		echo_request(f->client, f->vip, 1, 0),
	};
	static const size_t least[] = { 20, 8, 12, 8 };

	l2_service(f);
	for (int i = 0; i < 4; i++) {
		for (size_t len = 0; len < least[i]; len++) {
			struct packet p = packet_cut(&whole[i], l4 + len);

			put16(p.data + ETH_LEN + (f->v6 ? 4 : 2),
			      len + (f->v6 ? 0 : 20));
			expect_reason(&p, TRUNCATED);
			p.len += 60;	/* padding is no header */
			expect_reason(&p, TRUNCATED);
		}
	}
}

static void headers_that_contradict_themselves_are_dropped(void **state)
{
	const struct family *f = *state;
	size_t l4 = ETH_LEN + (f->v6 ? 40 : 20);
	struct packet p = to(f->client, f->vip);

	l2_service(f);
	p.data[l4 + 12] = 4 << 4;
	expect_reason(&p, BAD_HEADER);
	p = to(f->client, f->vip);
	p.data[l4 + 12] = 15 << 4;
	expect_reason(&p, TRUNCATED);
	p = to(f->client, f->vip);
	p.data[ETH_LEN] = 0x55;
	expect_reason(&p, BAD_HEADER);
	p = udp(f->client, 1, f->vip, 80, .payload = 4);
	put16(p.data + l4 + 4, 7);
	expect_reason(&p, BAD_HEADER);
	put16(p.data + l4 + 4, 13);
	expect_reason(&p, TRUNCATED);
	if (f->v6)
		return;
	p = to(f->client, f->vip);
	p.data[ETH_LEN] = 0x44;
	expect_reason(&p, BAD_HEADER);
	p = to(f->client, f->vip);
	put16(p.data + ETH_LEN + 2, 19);
	expect_reason(&p, BAD_HEADER);
}

/* Loose and strict source routes that are not used up (RFC 7126, 4.3, 4.4);
 * what has arrived at the end of its route has arrived (RFC 1122, 3.2.1.8). */
static void source_routes_are_not_followed(void **state)
{
	const struct family *f = *state;
	static const struct {
		uint8_t options[12];
		bool bad;
	} cases[] = {
		{ { 131, 7, 4, 10, 0, 0, 1, 0 }, true },
		{ { 137, 7, 4, 10, 0, 0, 1, 0 }, true },
		{ { 1, 1, 148, 4, 0, 0, 131, 6, 4 }, true },
		{ { 137, 11, 8, 0, 0, 0, 0, 10, 0, 0, 1 }, true },
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 131, 3, 3 }, true },
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 131, 3 }, true },
		{ { 131, 2, 200, 1 }, true },
		{ { 131, 7, 8, 10, 0, 0, 1, 0 }, false },
		{ { 137, 7, 255, 10, 0, 0, 1, 0 }, false },
		{ { 7, 7, 4, 0, 0, 0, 0, 0 }, false },	/* records only */
		{ { 0, 131, 7, 4 }, false },	/* behind the end */
		{ { 68, 8, 131, 7, 4, 10, 0, 0 }, false }, /* in another */
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 131 }, false },
		{ { 148, 1, 131, 7, 4 }, false },	/* makes no sense */
	};

	l2_service(f);
	for (size_t i = 0; !f->v6 && i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet p = tcp(f->client, 1, f->vip, 80, .flags = SYN,
				      .options = 12,
				      .options_content = cases[i].options);
		struct packet other = tcp(f->client, 1, f->stranger, 80,
					  .options = 12,
					  .options_content = cases[i].options);

		if (cases[i].bad)
			expect_reason(&p, BAD_HEADER);
		else
			expect_reason(&p, FORWARDED);
		expect_untouched(&other, NOT_OURS);
	}
}

static void sources_that_nobody_has_are_dropped(void **state)
{
	const struct family *f = *state;
	static const char *const bad[2][9] = {
		{ "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3",
		  "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255" },
		{ "::", "::1", "ff02::1", "ff0e::7", "::ffff:192.0.2.7",
		  "::ffff:0.0.0.0" },
	};

	l2_service(f);
	for (int i = 0; bad[f->v6][i]; i++) {
		struct packet p = to(f->client, f->vip), q;
		struct in6_addr a = {};

		q = to(f->client, f->stranger);
		if (f->v6) {
			inet_pton(AF_INET6, bad[1][i], &a);
			memcpy(p.data + ETH_LEN + 8, &a, 16);
			memcpy(q.data + ETH_LEN + 8, &a, 16);
		} else {
			inet_pton(AF_INET, bad[0][i], &a);
			memcpy(p.data + ETH_LEN + 12, &a, 4);
			memcpy(q.data + ETH_LEN + 12, &a, 4);
		}
		expect_reason(&p, BAD_ADDR);
		expect_untouched(&q, NOT_OURS);
	}
}

static void mapped_destination_on_the_wire_is_no_vip(void **state)
{
	const struct family *f = *state;
	struct packet p = to(families[1].client, families[1].vip);
	struct addr mapped = addr(families[0].vip);

	world_service(world, .addr = families[0].vip, .port = 80,
		      .forward = FORWARD_L2,
		      .backends = { families[0].backend });
	l2_service(f);
	memcpy(p.data + ETH_LEN + 24, &mapped, 16);
	expect_untouched(&p, NOT_OURS);
}

static void protocols_without_ports_are_dropped_at_a_vip(void **state)
{
	const struct family *f = *state;
	static const uint8_t protos[] = { 47, 50, 51, 89, 103, 132 + 1, 255 };

	l2_service(f);
	for (size_t i = 0; i < sizeof(protos); i++) {
		struct packet p = packet_of(.src = addr(f->client),
					    .dst = addr(f->vip),
					    .proto = protos[i], .payload = 30);

		expect_reason(&p, PROTOCOL);
	}
}

static void addresses_that_the_host_owns_keep_their_other_ports(void **state)
{
	const struct family *f = *state;
	struct packet p[] = {
		tcp(f->client, 1, f->vip, 22, .flags = SYN),
		udp(f->client, 1, f->vip, 53, .payload = 9),
		sctp(f->client, 1, f->vip, 80),
		echo_request(f->client, f->vip, 7, 3),
		packet_of(.src = addr(f->client), .dst = addr(f->vip),
			  .proto = 89, .payload = 30),
	};
	struct packet web = to(f->client, f->vip);

	world_host(world, f->vip);
	l2_service(f);
	for (int i = 0; i < 5; i++)
		expect_untouched(&p[i], HOST_PORT);
	expect_reason(&web, FORWARDED);
}

static void extension_headers_and_options_are_walked(void **state)
{
	const struct family *f = *state;
	struct packet p;

	l2_service(f);
	p = tcp(f->client, 1, f->vip, 80, .options = 40, .payload = 5,
		.extensions = { EXTENSION_HOP, EXTENSION_ROUTING,
				EXTENSION_DESTINATION, EXTENSION_FRAGMENT });
	expect_reason(&p, FORWARDED);
}

/* Seven destination options headers, of which the last ends behind the packet:
 * after six it is given up (RFC 8504, 5.3), whatever follows. */
static void too_many_extension_headers_are_dropped(void **state)
{
	const struct family *f = *state;
	struct packet p, error, quote = udp(f->vip, 80, f->client, 1,
					    .payload = 200);
	struct addr vip = addr(f->vip), router = addr(f->router);

	if (!f->v6)
		return;
	l2_service(f);
	p = udp(f->client, 1, f->vip, 80, .payload = 200);
	for (int last = 0; last < 2; last++) {
		for (int i = 0; i < 7; i++) {
			p.data[ETH_LEN + 40 + 8 * i] = i < 6 ? 60 : 17;
			p.data[ETH_LEN + 41 + 8 * i] = i < 6 ? 0 : 255 * last;
		}
		p.data[ETH_LEN + 6] = 60;
		expect_reason(&p, PROTOCOL);
		memcpy(quote.data + ETH_LEN + 40, p.data + ETH_LEN + 40, 56);
		quote.data[ETH_LEN + 6] = 60;
		error = icmp_error(&router, &vip, 1, 0, 0, &quote, PACKET_MAX);
		assert_true(world_check(world, &error, NULL));
	}
}

/* A VIP's, NAT's, the host's: forged, or gone round in a circle. */
static void sources_that_are_ours_are_dropped(void **state)
{
	const struct family *f = *state;
	const char *host = f->v6 ? "2001:db8:5::5" : "192.0.2.55";
	const char *net = f->v6 ? "fd00:98::" : "10.98.0.0";
	const char *own[] = { f->vip, f->vip2, f->nat, host, net,
			      f->v6 ? "fd00:98::77" : "10.98.0.77" };

	for (int forward = 0; forward <= FORWARD_GENEVE; forward++) {
		world_reset(world);
		world_host(world, host);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = forward, .backends = { f->backend });
		world_service(world, .name = "dns", .addr = f->vip, .port = 53,
			      .proto = IPPROTO_UDP, .forward = forward,
			      .backends = { f->backend });
		world_service(world, .name = "two", .addr = f->vip2,
			      .port = 80, .backends = { f->backend });
		world_service(world, .name = "net", .addr = net, .port = 80,
			      .prefix_len = f->v6 ? 64 : 16,
			      .backends = { f->backend });
		for (int i = 0; i < 6; i++) {
			struct packet p[] = {
				udp(own[i], 53, f->vip, 53, .payload = 9),
				tcp(own[i], 80, f->vip, 80, .flags = SYN),
				tcp(own[i], 80, f->vip, 80, .flags = ACK),
				udp(own[i], 1, f->vip, 1),
				echo_request(own[i], f->vip, 1, 9),
			};

			for (int j = 0; j < 5; j++)
				expect_reason(&p[j], OWN_SOURCE);
		}
		world_undefine(world, "two");
		world_undefine(world, "net");
		world_apply(world);
		for (int i = 1; i < 6; i++) {	/* ours no more, but two */
			struct packet p = udp(own[i], 53, f->vip, 53);

			if (i == 2 || i == 3)
				expect_reason(&p, OWN_SOURCE);
			else
				expect_reason(&p, FORWARDED);
		}
	}
}

/* A bit that another address of ours has set. */
static void sources_that_share_a_bit_with_ours_are_served(void **state)
{
	const struct family *f = *state;
	struct tables *t = world_tables(world);
	struct packet p = to(f->client, f->vip);

	l2_service(f);
	memset(t->own_filter, 0xff, OWN_BITS / 8);
	expect_reason(&p, FORWARDED);
}

/* Neighbour discovery, membership: the host's, whoever has the address. */
static void what_neighbours_say_to_each_other_passes(void **state)
{
	const struct family *f = *state;
	static const uint8_t types[] = { 130, 131, 132, 133, 134, 135, 136,
					 137, 143 };
	struct packet arp = to(f->client, f->vip);

	if (!f->v6) {		/* ARP is no IP */
		l2_service(f);
		put16(arp.data + 12, 0x0806);
		expect_untouched(&arp, NOT_IP);
		return;
	}
	for (int forward = 0; forward <= FORWARD_GENEVE; forward++) {
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = forward, .backends = { f->backend });
		for (size_t i = 0; i < sizeof(types); i++) {
			struct packet p = packet_of(
				.src = addr("fe80::7"), .dst = addr(f->vip),
				.proto = IPPROTO_ICMPV6, .ttl = 255,
				.type = types[i], .payload = 24);

			expect_untouched(&p, NOT_OURS);
		}
	}
}

static void expect_routed(const struct family *f, const struct packet *in,
			  uint32_t pointer)
{
	struct outcome got = expect_reason(in, ROUTED);
	struct layers l;

	packet_layers(&got.packet, &l);
	assert_int_equal(l.proto, IPPROTO_ICMPV6);
	assert_int_equal(get16(got.packet.data + l.l4), 4 << 8);
	assert_int_equal(get32(got.packet.data + l.l4 + 4), pointer);
	assert_addr(l.src, f->vip);
	assert_addr(l.dst, f->client);
	assert_true(packet_checksums_ok(&got.packet));
}

/* RFC 8200, 4.4: discarded, and the sender told which type is meant. */
static void what_is_to_be_sent_on_is_rejected(void **state)
{
	const struct family *f = *state;
	struct words w = { l4_words(IPPROTO_TCP, f->client, 1, f->vip, 80),
			   .flags = SYN };
	struct packet p, quote = tcp(f->vip, 80, f->client, 1);
	struct addr vip = addr(f->vip), router = addr(f->router);

	if (!f->v6)
		return;
	for (int forward = 0; forward <= FORWARD_GENEVE; forward++) {
		world_reset(world);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = forward, .backends = { f->backend });
		w.extensions[0] = EXTENSION_ROUTED;
		w.extensions[1] = EXTENSION_NONE;
		p = packet_build(&w);
		for (int type = 0; type < 256; type++) {
			p.data[ETH_LEN + 42] = type;
			expect_routed(f, &p, 42);
			p.data[ETH_LEN + 43] = 0;	/* used up */
			expect_reason(&p, FORWARDED);
			p.data[ETH_LEN + 43] = 1 + type % 255;
		}
		w.extensions[0] = EXTENSION_HOP;
		w.extensions[1] = EXTENSION_ROUTED;
		p = packet_build(&w);
		expect_routed(f, &p, 50);
	}
	p = echo_request(f->client, f->vip, 1, 1);
	w = (struct words){ .src = addr(f->client), .dst = vip, .type = 128,
			    .proto = IPPROTO_ICMPV6, .payload = 4,
			    .extensions = { EXTENSION_ROUTED } };
	p = packet_build(&w);
	expect_routed(f, &p, 42);
	/* of errors, redirects and later parts nobody is told */
	for (w.type = 0; w.type < 128; w.type += 1) {
		p = packet_build(&w);
		expect_reason(&p, UNANSWERED);
	}
	w.type = 137;
	p = packet_build(&w);
	expect_reason(&p, UNANSWERED);
	p = icmp_error(&router, &vip, 1, 0, 0, &quote, PACKET_MAX);
	expect_reason(&p, ICMP_FORWARDED);
	p = udp(f->client, 1, f->vip, 80, .payload = 100,
		.extensions = { EXTENSION_ROUTED });
	p = packet_fragment(&p, 40, 40, 1);
	expect_reason(&p, UNANSWERED);
}

static void every_flipped_bit_has_the_expected_verdict(void **state)
{
	const struct family *f = *state;
	struct packet whole = tcp(f->client, 1, f->vip, 80, .options = 4,
				  .extensions = { EXTENSION_HOP });

	l2_service(f);
	for (size_t bit = 0; bit < whole.len * 8; bit++) {
		struct packet p = whole;

		p.data[bit / 8] ^= 1 << bit % 8;
		assert_true(world_check(world, &p, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(what_is_not_ip_passes_untouched),
		BOTH(frames_to_other_mac_addresses_pass_untouched),
		BOTH(a_second_mac_address_is_served),
		BOTH(mac_addresses_of_one_bucket_are_told_apart),
		BOTH(strangers_pass_untouched_whatever_they_are),
		BOTH(strangers_pass_untouched_at_a_byte_of_ours),
		BOTH(cut_packets_are_dropped_unless_nobody_knows_whose),
		BOTH(short_l4_headers_are_dropped),
		BOTH(headers_that_contradict_themselves_are_dropped),
		BOTH(sources_that_nobody_has_are_dropped),
		BOTH(mapped_destination_on_the_wire_is_no_vip),
		BOTH(protocols_without_ports_are_dropped_at_a_vip),
		BOTH(addresses_that_the_host_owns_keep_their_other_ports),
		BOTH(extension_headers_and_options_are_walked),
		BOTH(source_routes_are_not_followed),
		BOTH(too_many_extension_headers_are_dropped),
		BOTH(sources_that_are_ours_are_dropped),
		BOTH(sources_that_share_a_bit_with_ours_are_served),
		BOTH(what_neighbours_say_to_each_other_passes),
		BOTH(what_is_to_be_sent_on_is_rejected),
		BOTH(every_flipped_bit_has_the_expected_verdict),
	};

	return run_both(tests);
}
