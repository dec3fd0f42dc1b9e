// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * IPv4 packets in pieces, by RFC 791: section 3.2 for lengths and offsets, 3.1
 * for the options, RFC 1812 5.2.2 for what must be discarded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"
#include "kernel/cut.h"
#include "pkt.h"

#define PIECES_MAX 64

struct pieces {
	struct packet packet[PIECES_MAX];
	size_t count;
};

static struct pieces pieces;

static void take(void *arg, const __u8 *frame, size_t len)
{
	struct pieces *p = arg;

	assert_true(p->count < PIECES_MAX);
	p->packet[p->count].len = len;
	memcpy(p->packet[p->count++].data, frame, len);
}

static int cut(const struct packet *p, size_t l3, size_t mtu)
{
	pieces.count = 0;
	return cut_ip4(p->data, p->len, l3, mtu, take, &pieces);
}

static struct packet datagram(uint16_t payload)
{
	return udp("192.0.2.7", 1000, "10.96.0.1", 80, .payload = payload,
		   .id = 0xabcd, .tos = 0x28, .ttl = 9);
}

static const uint8_t *ip(size_t i)
{
	return pieces.packet[i].data + ETH_LEN;
}

static size_t head(size_t i)
{
	return (ip(i)[0] & 15) * 4;
}

static size_t offset(size_t i)
{
	return (get16(ip(i) + 6) & 0x1fff) * 8;
}

static bool more(size_t i)
{
	return ip(i)[6] & 0x20;
}

/* Each byte of p's payload once, in order; every header right. */
static void assert_whole(const struct packet *p, size_t mtu)
{
	const uint8_t *from = p->data + ETH_LEN;
	size_t skip = (from[0] & 15) * 4;
	size_t first = (get16(from + 6) & 0x1fff) * 8;
	size_t total = get16(from + 2) - skip, at = 0;

	for (size_t i = 0; i < pieces.count; i++) {
		size_t len = get16(ip(i) + 2) - head(i);

		assert_true(get16(ip(i) + 2) <= mtu);
		assert_int_equal(pieces.packet[i].len,
				 ETH_LEN + get16(ip(i) + 2));
		assert_int_equal(fold16(sum16(0, ip(i), head(i))), 0xffff);
		assert_int_equal(offset(i), first + at);
		assert_memory_equal(ip(i) + head(i), from + skip + at, len);
		assert_memory_equal(ip(i) + 4, from + 4, 2);	/* id */
		assert_memory_equal(ip(i) + 8, from + 8, 2);	/* TTL, proto */
		assert_memory_equal(ip(i) + 12, from + 12, 8);
		assert_int_equal(ip(i)[1], from[1]);
		assert_memory_equal(pieces.packet[i].data, p->data, ETH_LEN);
		if (i + 1 < pieces.count) {
			assert_true(more(i));
			assert_int_equal(len % 8, 0);
		}
		at += len;
	}
	assert_int_equal(at, total);
}

static void pieces_hold_every_byte_once(void **state)
{
	for (size_t mtu = 68; mtu < 1500; mtu += 37) {
		struct packet p = datagram(1400);

		assert_int_equal(cut(&p, ETH_LEN, mtu), 0);
		assert_whole(&p, mtu);
		assert_false(more(pieces.count - 1));
	}
}

static void padding_of_the_frame_is_not_cut_along(void **state)
{
	struct packet p = datagram(200);

	p.len += 30;
	assert_int_equal(cut(&p, ETH_LEN, 100), 0);
	p.len -= 30;
	assert_whole(&p, 100);
}

static void tags_are_before_every_piece(void **state)
{
	const struct vlan tags[2] = { { 0x88a8, 5 }, { 0x8100, 6 } };
	struct packet p = datagram(200);

	p = packet_framed(&p, mac_us, mac_client, tags);
	assert_int_equal(cut(&p, ETH_LEN + 8, 100), 0);
	assert_int_equal(pieces.count, 3);
	for (size_t i = 0; i < pieces.count; i++)
		assert_memory_equal(pieces.packet[i].data, p.data, ETH_LEN + 8);
}

static void fragments_are_cut_on_from_their_offset(void **state)
{
	struct packet p = datagram(1400), part;

	part = packet_fragment(&p, 400, 800, 7);
	assert_int_equal(cut(&part, ETH_LEN, 300), 0);
	assert_whole(&part, 300);
	assert_int_equal(offset(0), 400);
	assert_true(more(pieces.count - 1)); /* its own last is not the last */

	part = packet_fragment(&p, 800, 608, 7);
	assert_int_equal(cut(&part, ETH_LEN, 300), 0);
	assert_whole(&part, 300);
	assert_false(more(pieces.count - 1));
}

/* NOPs become these; the header's checksum is made right. */
static struct packet with_options(const uint8_t *options, size_t len)
{
	struct packet p = udp("192.0.2.7", 1000, "10.96.0.1", 80,
			      .payload = 300, .options = len);

	memcpy(p.data + ETH_LEN + 20, options, len);
	packet_sum_ip4(&p, ETH_LEN);
	return p;
}

/* Record route (7) only in the first; router alert (148) and a source route
 * (131) in all. */
static void options_are_copied_where_their_type_says_so(void **state)
{
	static const uint8_t all[20] = {
		148, 4, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0, 131, 3, 4, 1, 1, 0,
	};
	static const uint8_t copied[8] = { 148, 4, 0, 0, 131, 3, 4 };
	struct packet p = with_options(all, sizeof(all));

	assert_int_equal(cut(&p, ETH_LEN, 140), 0);
	assert_whole(&p, 140);
	assert_true(pieces.count > 2);
	assert_int_equal(head(0), 40);
	assert_memory_equal(ip(0) + 20, all, sizeof(all));
	for (size_t i = 1; i < pieces.count; i++) {
		assert_int_equal(head(i), 28);
		assert_memory_equal(ip(i) + 20, copied, sizeof(copied));
	}
}

static void without_options_to_copy_later_headers_are_short(void **state)
{
	static const uint8_t options[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	struct packet p = with_options(options, sizeof(options));

	assert_int_equal(cut(&p, ETH_LEN, 140), 0);
	assert_whole(&p, 140);
	assert_int_equal(head(0), 28);
	assert_int_equal(head(1), 20);
}

static void malformed_options_are_dropped(void **state)
{
	static const uint8_t bad[][4] = {
		{ 148, 0, 0, 0 }, { 148, 1, 0, 0 }, { 148, 5, 0, 0 },
		{ 1, 1, 1, 148 }, { 7, 0, 0, 0 }, { 1, 7, 200, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct packet p = with_options(bad[i], 4);

		assert_int_equal(cut(&p, ETH_LEN, 140), -EBADMSG);
		assert_int_equal(pieces.count, 0);
	}
}

static void a_wrong_header_checksum_is_not_repaired(void **state)
{
	struct packet p = datagram(300);

	p.data[ETH_LEN + 10] ^= 1;
	assert_int_equal(cut(&p, ETH_LEN, 140), -EBADMSG);
	p = datagram(300);
	p.data[ETH_LEN + 8]--;
	assert_int_equal(cut(&p, ETH_LEN, 140), -EBADMSG);
	assert_int_equal(pieces.count, 0);
}

static void what_must_not_be_cut_is_not(void **state)
{
	struct packet p = datagram(300);

	p.data[ETH_LEN + 6] |= 0x40;
	packet_sum_ip4(&p, ETH_LEN);
	assert_int_equal(cut(&p, ETH_LEN, 140), -EMSGSIZE);
	p = datagram(300);
	assert_int_equal(cut(&p, ETH_LEN, 27), -EMSGSIZE);
	assert_int_equal(pieces.count, 0);
	assert_int_equal(cut(&p, ETH_LEN, 28), 0);
	assert_whole(&p, 28);
}

/* Past 65535 bytes the offset would run into the flags. */
static void offsets_do_not_run_over(void **state)
{
	struct packet p = datagram(600), part;

	part = packet_fragment(&p, 0, 608, 7);
	put16(part.data + ETH_LEN + 6, 0x1fff);
	packet_sum_ip4(&part, ETH_LEN);
	assert_int_equal(cut(&part, ETH_LEN, 140), -EBADMSG);
	assert_int_equal(pieces.count, 0);
	put16(part.data + ETH_LEN + 6, (65535 - 628) / 8);
	packet_sum_ip4(&part, ETH_LEN);
	assert_int_equal(cut(&part, ETH_LEN, 140), 0);
	assert_whole(&part, 140);
}

static void what_is_cut_short_is_dropped(void **state)
{
	struct packet p = datagram(300);

	pieces.count = 0;
	for (size_t len = 0; len < p.len; len++) {
		assert_int_equal(cut_ip4(p.data, len, ETH_LEN, 140, take,
					 &pieces), -EBADMSG);
		assert_int_equal(pieces.count, 0);
	}
}

/* As an interface leaves it whose peer is to sum up. */
static struct packet left_to_a_device(const struct packet *p)
{
	struct packet ret = *p;
	size_t l4 = ETH_LEN + (p->data[ETH_LEN] & 15) * 4;
	size_t len = get16(p->data + ETH_LEN + 2) - (l4 - ETH_LEN);
	uint8_t proto = p->data[ETH_LEN + 9];
	uint32_t sum = sum16(proto + len, p->data + ETH_LEN + 12, 8);

	put16(ret.data + l4 + (proto == IPPROTO_TCP ? 16 : 6), fold16(sum));
	return ret;
}

static void checksums_left_to_a_device_are_made(void **state)
{
	const struct packet whole[] = {
		datagram(1400), datagram(1399), datagram(0),
		tcp("192.0.2.7", 1000, "10.96.0.1", 80, .payload = 333),
		udp("192.0.2.7", 1000, "10.96.0.1", 80, .payload = 333,
		    .options = 12),
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		struct packet p = left_to_a_device(&whole[i]);

		assert_false(packet_checksums_ok(&p));
		cut_complete(p.data, p.len, ETH_LEN);
		assert_true(packet_eq(&whole[i], &p));
	}
}

/* Right, missing or wrong, or of a part: who gets it all shall judge it. */
static void other_checksums_stay(void **state)
{
	struct packet wrong = datagram(100), right = datagram(100);
	struct packet none = udp("192.0.2.7", 1000, "10.96.0.1", 80,
				 .payload = 33, .unsummed = true);
	struct packet part = left_to_a_device(&right), cut_off = part;
	const struct packet *all[] = { &wrong, &right, &none, &part };

	wrong.data[60] ^= 1;
	put16(part.data + ETH_LEN + 6, 0x2000);
	packet_sum_ip4(&part, ETH_LEN);
	for (size_t i = 0; i < 4; i++) {
		struct packet p = *all[i];

		cut_complete(p.data, p.len, ETH_LEN);
		assert_memory_equal(p.data, all[i]->data, p.len);
	}
	for (size_t len = 0; len < part.len; len++) {
		struct packet p = cut_off;

		cut_complete(p.data, len, ETH_LEN);
		assert_memory_equal(p.data, cut_off.data, p.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_hold_every_byte_once),
		cmocka_unit_test(padding_of_the_frame_is_not_cut_along),
		cmocka_unit_test(tags_are_before_every_piece),
		cmocka_unit_test(fragments_are_cut_on_from_their_offset),
		cmocka_unit_test(options_are_copied_where_their_type_says_so),
		cmocka_unit_test(without_options_to_copy_later_headers_are_short),
		cmocka_unit_test(malformed_options_are_dropped),
		cmocka_unit_test(a_wrong_header_checksum_is_not_repaired),
		cmocka_unit_test(what_must_not_be_cut_is_not),
		cmocka_unit_test(offsets_do_not_run_over),
		cmocka_unit_test(what_is_cut_short_is_dropped),
		cmocka_unit_test(checksums_left_to_a_device_are_made),
		cmocka_unit_test(other_checksums_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
