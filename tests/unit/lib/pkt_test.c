// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The packet builder against bytes that another program made, and the checks
 * of checksums against every single flipped bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bytes.h"
#include "pkt.h"

static const uint8_t syn4[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00, 0xc1,
	0x08, 0x00, 0x46, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06,
	0x6b, 0x62, 0xc0, 0x00, 0x02, 0x07, 0x0a, 0x60, 0x00, 0x01, 0x01, 0x01,
	0x01, 0x01, 0x10, 0xe1, 0x00, 0x50, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
	0x00, 0x00, 0x50, 0x02, 0xfa, 0xf0, 0xd7, 0x57, 0x00, 0x00,
};

static const uint8_t vlan6[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00, 0xc1,
	0x81, 0x00, 0x00, 0x07, 0x86, 0xdd, 0x6b, 0x80, 0x00, 0x00, 0x00, 0x13,
	0x00, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0xfd, 0x00, 0x00, 0x96, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x11, 0x00,
	0x01, 0x04, 0x00, 0x00, 0x00, 0x00, 0x10, 0xe1, 0x00, 0x35, 0x00, 0x0b,
	0xff, 0x07, 0x61, 0x62, 0x63,
};

static const uint8_t echo6[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00, 0xc1,
	0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x3a, 0x40, 0x20, 0x01,
	0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x07, 0xfd, 0x00, 0x00, 0x96, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x80, 0x00, 0xf2, 0xf6, 0x00, 0x09,
	0x00, 0x01, 0x61, 0x62,
};

static void assert_bytes(const struct packet *p, const uint8_t *want,
			 size_t len)
{
	assert_int_equal(p->len, len);
	assert_memory_equal(p->data, want, len);
	assert_null(packet_checksums_wrong(p));
}

static void known_packets_come_out_to_the_byte(void **state)
{
	struct packet p;

	p = tcp("192.0.2.7", 4321, "10.96.0.1", 80, .flags = SYN, .seq = 1,
		.options = 4, .df = true);
	assert_bytes(&p, syn4, sizeof(syn4));
	p = udp("2001:db8::7", 4321, "fd00:96::1", 53, .tos = 0xb8,
		.payload = 3, .extensions = { EXTENSION_HOP },
		.vlan = { { 0x8100, 7 } });
	assert_bytes(&p, vlan6, sizeof(vlan6));
	p = echo_request("2001:db8::7", "fd00:96::1", 9, 2);
	assert_bytes(&p, echo6, sizeof(echo6));
}

static void checksums_are_those_of_the_standards(void **state)
{
	static const uint8_t ip[] = {	/* checksum 0xb861 left out */
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
	};

	assert_int_equal((uint16_t)~fold16(sum16(0, ip, sizeof(ip))), 0xb861);
	assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

/* Flip each bit from start on: each must be noticed. */
static void assert_every_bit_counts(const struct packet *p, size_t start)
{
	for (size_t bit = start * 8; bit < p->len * 8; bit++) {
		struct packet wrong = *p;

		wrong.data[bit / 8] ^= 1 << bit % 8;
		assert_false(packet_checksums_ok(&wrong));
	}
}

static void every_bit_of_a_payload_is_summed(void **state)
{
	static const struct { const char *client, *vip; } families[] = {
		{ "192.0.2.7", "10.96.0.1" }, { "2001:db8::7", "fd00:96::1" },
	};

	for (int i = 0; i < 2; i++) {
		const char *client = families[i].client, *vip = families[i].vip;
		struct packet all[] = {
			tcp(client, 1, vip, 2, .payload = 5),
			udp(client, 1, vip, 2, .payload = 5),
			sctp(client, 1, vip, 2, .payload = 5),
			echo_request(client, vip, 1, 5),
		};

		for (int j = 0; j < 4; j++) {
			assert_true(packet_checksums_ok(&all[j]));
			assert_every_bit_counts(&all[j], all[j].len - 5);
		}
	}
}

static void fragments_hold_the_whole_payload(void **state)
{
	static const char *const vips[] = { "10.96.0.1", "fd00:96::1" };
	static const char *const clients[] = { "192.0.2.7", "2001:db8::7" };

	for (int i = 0; i < 2; i++) {
		struct packet p = udp(clients[i], 1, vips[i], 2, .payload = 92);
		struct packet a = packet_fragment(&p, 0, 64, 77);
		struct packet b = packet_fragment(&p, 64, 64, 77);
		struct layers whole, l, m;

		packet_layers(&p, &whole);
		packet_layers(&a, &l);
		packet_layers(&b, &m);
		assert_int_equal(l.state, LAYERS_OK);
		assert_true(l.more && l.fragment && !l.fragment_offset);
		assert_true(m.fragment && !m.more);
		assert_int_equal(m.fragment_offset, 64);
		assert_int_equal(l.fragment_id, 77);
		assert_int_equal(m.proto, IPPROTO_UDP);
		assert_true(packet_checksums_ok(&a) && packet_checksums_ok(&b));
		assert_memory_equal(p.data + whole.l4, a.data + l.l4, 64);
		assert_memory_equal(p.data + whole.l4 + 64, b.data + m.l4, 36);
	}
}

static void assert_tunnel(enum forward forward, const char *client,
			  const char *vip, const char *from, const char *to)
{
	struct packet in = tcp(client, 1, vip, 2, .payload = 7);
	struct tunnel t = { .forward = forward, .src = addr(from),
			    .dst = addr(to), .sport = 0xc001,
			    .dport = forward == FORWARD_GUE ? 6080 : 6081 };
	size_t overhead = tunnel_overhead(forward, addr_v6(&t.dst));
	struct packet out = packet_tunneled(&in, &t);

	assert_int_equal(out.len, in.len + overhead);
	assert_true(packet_checksums_ok(&out));
	assert_memory_equal(in.data + ETH_LEN, out.data + ETH_LEN + overhead,
			    in.len - ETH_LEN);
	assert_every_bit_counts(&out, out.len - 7);
}

static void tunnels_hold_their_packet(void **state)
{
	for (int f = FORWARD_IPIP; f <= FORWARD_GENEVE; f++) {
		assert_tunnel(f, "192.0.2.7", "10.96.0.1", "10.0.0.1",
			      "10.0.0.2");
		assert_tunnel(f, "192.0.2.7", "10.96.0.1", "fd00::1",
			      "fd00::2");
		assert_tunnel(f, "2001:db8::7", "fd00:96::1", "10.0.0.1",
			      "10.0.0.2");
		assert_tunnel(f, "2001:db8::7", "fd00:96::1", "fd00::1",
			      "fd00::2");
	}
}

static void cut_packets_are_seen_as_such(void **state)
{
	struct packet p = tcp("2001:db8::7", 1, "fd00:96::1", 2,
			      .extensions = { EXTENSION_HOP, EXTENSION_ROUTING,
					      EXTENSION_DESTINATION });
	struct layers l;

	packet_layers(&p, &l);
	assert_int_equal(l.state, LAYERS_OK);
	assert_int_equal(l.l4, ETH_LEN + 40 + 8 + 24 + 16);
	for (size_t len = ETH_LEN + 40; len < p.len; len++) {
		struct packet cut = packet_cut(&p, len);

		packet_layers(&cut, &l);
		assert_int_equal(l.state, LAYERS_TRUNCATED);
	}
}

static void padding_is_no_difference_and_the_two_zeros_are(void **state)
{
	struct packet a = udp("192.0.2.7", 1, "10.96.0.1", 2), b = a;

	b.len += 18;
	assert_true(packet_eq(&a, &b));
	b.data[20]++;
	assert_false(packet_eq(&a, &b));
	a = b = tcp("2001:db8::7", 1, "fd00:96::1", 2);
	put16(a.data + 54 + 16, 0);
	put16(b.data + 54 + 16, 0xffff);
	assert_false(packet_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_packets_come_out_to_the_byte),
		cmocka_unit_test(checksums_are_those_of_the_standards),
		cmocka_unit_test(every_bit_of_a_payload_is_summed),
		cmocka_unit_test(fragments_hold_the_whole_payload),
		cmocka_unit_test(tunnels_hold_their_packet),
		cmocka_unit_test(cut_packets_are_seen_as_such),
		cmocka_unit_test(padding_is_no_difference_and_the_two_zeros_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
