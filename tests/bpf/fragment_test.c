// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Fragments go where their first one went, translated alike. */
#include "family.h"

static const enum forward ways[] = {
	FORWARD_NAT, FORWARD_L2, FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE,
	FORWARD_GENEVE,
};

static void service(const struct family *f, enum forward forward, uint8_t proto)
{
	world_service(world, .addr = f->vip, .port = 80, .proto = proto,
		      .forward = forward,
		      .backends = { f->backend, f->backend2, f->backend3 },
		      .backend_port = forward ? 0 : 8080);
}

static struct packet whole(const struct family *f, uint8_t proto, uint16_t port)
{
	return packet_of(l4_words(proto, f->client, port, f->vip, 80),
			 .flags = SYN, .payload = 900, .options = 4,
			 .extensions = { EXTENSION_HOP });
}

static void fragments_follow_their_first(void **state)
{
	const struct family *f = *state;
	static const uint8_t protos[] = { IPPROTO_UDP, IPPROTO_TCP };

	for (int i = 0; i < 12; i++) {
		uint8_t proto = protos[i & 1];

		world_reset(world);
		service(f, ways[i / 2], proto);
		for (int port = 5000; port < 5020; port++) {
			struct packet p = whole(f, proto, port), part;
			struct outcome first, got;

			part = packet_fragment(&p, 0, 400, port);
			first = expect_reason(&part, FORWARDED);
			for (int at = 400; at < 1000; at += 200) {
				part = packet_fragment(&p, at, 200, port);
				got = expect_reason(&part, FORWARDED);
				assert_memory_equal(got.packet.data,
						    first.packet.data,
						    ETH_LEN);
			}
		}
	}
}

/* The connection is known already when its fragments come. */
static void fragments_of_known_connections_follow_too(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 6; i++) {
		struct packet p = whole(f, IPPROTO_UDP, 5000), part;

		world_reset(world);
		service(f, ways[i], IPPROTO_UDP);
		expect_reason(&p, FORWARDED);
		part = packet_fragment(&p, 0, 400, 3);
		expect_reason(&part, FORWARDED);
		part = packet_fragment(&p, 400, 600, 3);
		expect_reason(&part, FORWARDED);
	}
}

static void fragments_of_replies_are_translated_back(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 5000, f->vip, 80);
	struct packet reply, part;
	struct outcome got;
	struct layers l;

	world_service(world, .addr = f->vip, .port = 80, .proto = IPPROTO_UDP,
		      .forward = FORWARD_NAT, .backends = { f->backend },
		      .backend_port = 8080);
	expect_reason(&in, FORWARDED);
	reply = udp(f->backend, 8080, f->nat, 5000, .payload = 900);
	for (int at = 0; at < 900; at += 304) {
		part = packet_fragment(&reply, at, 304, 77);
		assert_true(world_check(world, &part, &got));
		assert_true(got.reasons & REASON_BIT(RETURNED));
		packet_layers(&got.packet, &l);
		assert_addr(l.src, f->vip);
		assert_addr(l.dst, f->client);
	}
}

static void early_fragments_are_kept_for_their_first(void **state)
{
	const struct family *f = *state;
	struct packet p = whole(f, IPPROTO_UDP, 5000);
	struct packet first = packet_fragment(&p, 0, 400, 9);
	struct packet later = packet_fragment(&p, 400, 200, 9);
	struct packet other = packet_fragment(&p, 400, 200, 10);

	service(f, FORWARD_IPIP, IPPROTO_UDP);
	expect_reason(&later, FRAGMENT_EARLY);
	expect_reason(&first, FORWARDED);
	expect_reason(&later, FORWARDED);
	expect_reason(&other, FRAGMENT_EARLY);
}

/* Options behind the fragment header are part of what is cut: the header names
 * them, and only the first fragment has what comes after (RFC 8200, 4.5). */
static void fragments_with_options_in_them_follow_their_first(void **state)
{
	const struct family *f = *state;
	static const uint8_t protos[] = { IPPROTO_UDP, IPPROTO_TCP };

	for (int i = 0; i < 12; i++) {
		struct packet p = packet_of(
			l4_words(protos[i & 1], f->client, 5000, f->vip, 80),
			.flags = SYN, .payload = 900,
			.extensions = { EXTENSION_HOP, EXTENSION_DESTINATION });
		struct packet first = packet_fragment(&p, 0, 400, 5);
		struct packet later = packet_fragment(&p, 400, 1000, 5);

		world_reset(world);
		service(f, ways[i / 2], protos[i & 1]);
		expect_reason(&later, FRAGMENT_EARLY);
		expect_reason(&first, FORWARDED);
		expect_reason(&later, FORWARDED);
	}
}

/* Which protocol a later one names says nothing. */
static void ipv6_names_a_packet_without_its_protocol(void **state)
{
	const struct family *f = *state;
	struct packet p = whole(f, IPPROTO_UDP, 5000);
	struct packet first = packet_fragment(&p, 0, 400, 5);
	struct packet later = packet_fragment(&p, 400, 1000, 5);
	struct layers l;

	if (!f->v6)
		return;
	service(f, FORWARD_L2, IPPROTO_UDP);
	expect_reason(&first, FORWARDED);
	packet_layers(&later, &l);
	for (int proto = 0; proto < 256; proto++) {
		later.data[l.l4 - 8] = proto;
		expect_reason(&later, FORWARDED);
	}
}

/* Same id, but another client, or (IPv4: RFC 791) another protocol: another
 * packet. */
static void fragments_of_others_do_not_mix(void **state)
{
	const struct family *f = *state;
	struct packet p = whole(f, IPPROTO_UDP, 5000), part;

	service(f, FORWARD_L2, IPPROTO_UDP);
	part = packet_fragment(&p, 0, 400, 9);
	expect_reason(&part, FORWARDED);
	p = whole(f, IPPROTO_TCP, 5000);
	part = packet_fragment(&p, 400, 200, 9);
	if (!f->v6)
		expect_reason(&part, FRAGMENT_EARLY);
	p = udp(f->client2, 5000, f->vip, 80, .payload = 900);
	part = packet_fragment(&p, 400, 200, 9);
	expect_reason(&part, FRAGMENT_EARLY);
}

static void first_fragments_without_a_whole_header_are_dropped(void **state)
{
	const struct family *f = *state;
	struct packet p = whole(f, IPPROTO_TCP, 5000), part;

	service(f, FORWARD_L2, IPPROTO_TCP);
	for (size_t len = 0; len <= 16; len += 8) {
		part = packet_fragment(&p, 0, len, 9);
		expect_reason(&part, TRUNCATED);
	}
	part = packet_fragment(&p, 0, 24, 9);
	expect_reason(&part, FORWARDED);
}

static void the_host_gets_the_fragments_of_its_own_ports(void **state)
{
	const struct family *f = *state;
	struct packet p = udp(f->client, 5000, f->vip, 53, .payload = 900);
	struct packet first = packet_fragment(&p, 0, 400, 9);
	struct packet later = packet_fragment(&p, 400, 200, 9);

	world_host(world, f->vip);
	service(f, FORWARD_NAT, IPPROTO_UDP);
	expect_untouched(&later, HOST_PORT);
	expect_untouched(&first, HOST_PORT);
	expect_untouched(&later, HOST_PORT);
}

static void packets_of_one_fragment_are_whole(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 5, f->vip, 80, .flags = SYN,
			      .extensions = { EXTENSION_FRAGMENT });

	if (!f->v6)		/* RFC 6946 */
		return;
	for (int i = 0; i < 6; i++) {
		world_reset(world);
		service(f, ways[i], IPPROTO_TCP);
		expect_reason(&p, FORWARDED);
	}
}

/* Pieces get new checksums, which must not hide that the packet was broken. */
static void packets_with_a_broken_header_are_not_cut(void **state)
{
	const struct family *f = *state;

	if (f->v6)		/* has no such checksum, and is never cut */
		return;
	for (int i = 0; i < 6; i++) {
		for (int options = 0; options <= 40; options += 20) {
			struct packet p = udp(f->client, 5000, f->vip, 80,
					      .payload = 1440,
					      .options = options);

			world_reset(world);
			service(f, ways[i], IPPROTO_UDP);
			world_tables(world)->links[LINK_TX].mtu = 1400;
			expect_reason(&p, CUT);
			p.data[ETH_LEN + 5] ^= 1;
			expect_reason(&p, BAD_HEADER);
			p.data[ETH_LEN + 5] ^= 1;
			p.data[ETH_LEN + 19 + options] ^= options ? 0x20 : 0;
			p.data[ETH_LEN + 10] ^= options ? 0 : 0x20;
			expect_reason(&p, BAD_HEADER);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(fragments_follow_their_first),
		BOTH(fragments_of_known_connections_follow_too),
		BOTH(fragments_of_replies_are_translated_back),
		BOTH(early_fragments_are_kept_for_their_first),
		BOTH(fragments_with_options_in_them_follow_their_first),
		BOTH(ipv6_names_a_packet_without_its_protocol),
		BOTH(fragments_of_others_do_not_mix),
		BOTH(first_fragments_without_a_whole_header_are_dropped),
		BOTH(the_host_gets_the_fragments_of_its_own_ports),
		BOTH(packets_of_one_fragment_are_whole),
		BOTH(packets_with_a_broken_header_are_not_cut),
	};

	return run_both(tests);
}
