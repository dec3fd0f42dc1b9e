// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See family.h. */
#include <stdio.h>

#include <arpa/inet.h>

#include "family.h"

const struct family families[2] = {
	{
		.client = "192.0.2.7", .client2 = "198.51.100.9",
		.vip = "10.96.0.1", .vip2 = "10.96.0.2",
		.stranger = "10.97.0.1", .router = "203.0.113.1",
		.backend = "10.1.0.1", .backend2 = "10.1.0.2",
		.backend3 = "10.1.0.3", .nat = "10.9.9.1",
		.outer4 = "10.2.0.1", .outer6 = "fd00:2::1",
	}, {
		.v6 = true,
		.client = "2001:db8::7", .client2 = "2001:db8:1::9",
		.vip = "fd00:96::1", .vip2 = "fd00:96::2",
		.stranger = "fd00:97::1", .router = "2001:db8:ffff::1",
		.backend = "fd00:1::1", .backend2 = "fd00:1::2",
		.backend3 = "fd00:1::3", .nat = "fd00:99::1",
		.outer4 = "10.2.0.1", .outer6 = "fd00:2::1",
	},
};

struct world *world;

int open_world(void **state)
{
	world = world_open();
	return 0;
}

int close_world(void **state)
{
	world_close(world);
	return 0;
}

int fresh_world(void **state)
{
	world_reset(world);
	return 0;
}

struct outcome expect_reason_at(const struct packet *in, enum reason why,
				const char *file, int line)
{
	struct outcome got;
	char text[DESCRIPTION_MAX];
	bool same = world_check(world, in, &got);

	if (got.reasons != 1ull << why) {
		fprintf(stderr, "  in:   %s\n", packet_describe(in, text));
		fprintf(stderr, "  want reason %s, got", reason_name(why));
		for (int i = 0; i < NR_REASONS; i++) {
			if (got.reasons & 1ull << i)
				fprintf(stderr, " %s", reason_name(i));
		}
		fputc('\n', stderr);
		_fail(file, line);
	}
	if (!same)
		_fail(file, line);
	return got;
}

void expect_packet_at(const struct packet *in, enum reason why,
		      const struct packet *want, const char *file, int line)
{
	struct outcome got = expect_reason_at(in, why, file, line);

	if (packet_eq(want, &got.packet))
		return;
	packet_diff(want, &got.packet);
	_fail(file, line);
}

struct addr sent_to(const struct packet *in)
{
	struct outcome got = expect_reason(in, FORWARDED);
	struct layers l;
	struct addr a;

	packet_layers(in, &l);
	a = addr(l.v6 ? families[1].backend : families[0].backend);
	a.word[3] = htonl(get32(got.packet.data + 2));
	return a;
}

struct packet framed_to(const struct packet *p, const char *backend, int link)
{
	struct addr a = addr(backend);
	const struct link *l = &world_tables(world)->links[link];
	struct vlan vlan[VLANS_MAX] = {
		{ ntohs(l->vlan_proto), ntohs(l->vlan_id) },
	};
	uint8_t mac[MAC_LEN] = { 0x02, 0xbb };

	put32(mac + 2, ntohl(a.word[3]));
	return packet_framed(p, mac, l->mac, vlan);
}
