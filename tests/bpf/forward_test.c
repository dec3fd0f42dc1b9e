// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Each way to a backend, packets compared whole. NAT has its own file. */
#include <stdio.h>

#include "family.h"

#define SPREAD 512

static void l2_sends_to_the_backends_mac(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
			       .payload = 20, .options = 8, .ttl = 17,
			       .extensions = { EXTENSION_HOP });
	struct packet want = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
				 .payload = 20, .options = 8, .ttl = 16,
				 .extensions = { EXTENSION_HOP });

	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_L2, .backends = { f->backend });
	want = framed_to(&want, f->backend, LINK_TX);
	expect_packet(&in, FORWARDED, &want);
}

/* The choice of the link decides the verdict and the tag. */
static void frames_leave_by_the_backends_link(void **state)
{
	const struct family *f = *state;
	static const int action[] = { 0, XDP_TX, XDP_REDIRECT, XDP_REDIRECT };
	const struct vlan tags[] = { { 0x88a8, 5 }, { 0x8100, 6 } };
	struct packet bare = tcp(f->client, 1, f->vip, 80, .payload = 5);
	struct packet less = tcp(f->client, 1, f->vip, 80, .payload = 5,
				 .ttl = 63);

	for (int link = LINK_TX; link <= LINK_VLAN; link++) {
		struct packet want = framed_to(&less, f->backend, link);
		struct packet in = bare;
		struct outcome got;

		world_link(world, link);
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = FORWARD_L2,
			      .backends = { f->backend });
		expect_packet(&in, FORWARDED, &want);
		in = packet_framed(&bare, mac_us, mac_client, tags);
		expect_packet(&in, FORWARDED, &want);
		got = expect_reason(&in, FORWARDED);
		assert_int_equal(got.actions, 1 << action[link]);
	}
}

/* What comes in by a veth is not sent back by XDP_TX, which may not wake the
 * other end; neither is what the balancer answers by itself. */
static void a_link_that_redirects(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 1, f->vip, 80, .payload = 5);
	struct packet closed = udp(f->client, 1, f->vip, 81, .payload = 5);
	struct outcome got;

	for (int link = LINK_TX; link <= LINK_CLIENTS; link++)
		world_tables(world)->links[link].flags = LINK_REDIRECTS;
	world_service(world, .addr = f->vip, .port = 80, .proto = IPPROTO_UDP,
		      .forward = FORWARD_L2, .backends = { f->backend });
	got = expect_reason(&in, FORWARDED);
	assert_int_equal(got.actions, 1 << XDP_REDIRECT);
	got = expect_reason(&closed, NO_SERVICE);
	assert_int_equal(got.actions, 1 << XDP_REDIRECT);
}

/* Through one tunnel, in a frame that says where each header must be. */
static void through(const struct family *f, enum forward forward,
		    const char *to, const char *from, int link)
{
	struct packet in = udp(f->client, 4321, f->vip, 53, .payload = 31,
			       .tos = 0xb9, .ttl = 9, .df = true);
	struct packet want = udp(f->client, 4321, f->vip, 53, .payload = 31,
				 .tos = 0xb9, .ttl = 8, .df = true);
	struct tunnel t = { .forward = forward, .src = addr(from),
			    .dst = addr(to), .tos = 0xb9, .df = true,
			    .vni = 0xabcdef,
			    .dport = forward == FORWARD_GUE ? 6080 : 6081 };
	bool outer_v6 = addr_v6(&t.dst);
	struct outcome got;
	const uint8_t *ip;

	world_reset(world);
	world_link(world, link);
	world_model(world)->geneve_vni = 0xabcdef;
	world_service(world, .addr = f->vip, .port = 53, .proto = IPPROTO_UDP,
		      .forward = forward, .backends = { to });
	got = expect_reason(&in, FORWARDED);
	ip = got.packet.data + ETH_LEN + (link == LINK_VLAN ? 4 : 0);
	t.label = outer_v6 ? get32(ip) & 0xfffff : 0;
	if (forward == FORWARD_GUE || forward == FORWARD_GENEVE)
		t.sport = get16(ip + (outer_v6 ? 40 : 20));
	want = packet_tunneled(&want, &t);
	want = framed_to(&want, to, link);
	expect_packet(&in, FORWARDED, &want);
}

static void tunnels_carry_the_packet_with_one_hop_less(void **state)
{
	const struct family *f = *state;
	static const char *const from[] = { NULL, "10.9.9.1", "10.9.9.2",
					    "10.9.9.3" };
	static const char *const from6[] = { NULL, "fd00:99::1", "fd00:99::2",
					     "fd00:99::3" };

	for (int how = FORWARD_IPIP; how <= FORWARD_GENEVE; how++) {
		for (int link = LINK_TX; link <= LINK_VLAN; link++) {
			through(f, how, "10.1.0.1", from[link], link);
			through(f, how, "fd00:1::1", from6[link], link);
		}
	}
}

static void padding_stays_outside_of_tunnels(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 1, f->vip, 80);
	struct outcome got;
	struct layers l;

	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .backends = { "10.1.0.1" });
	in.len += 6;
	got = expect_reason(&in, FORWARDED);
	packet_layers(&got.packet, &l);
	assert_int_equal(l.state, LAYERS_OK);
	assert_int_equal(l.end - l.l4, in.len - 6 - ETH_LEN);
}

static void outer_packets_may_be_cut_only_if_they_must(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 1, f->vip, 80, .payload = 1445);
	struct outcome got;

	if (f->v6)		/* IPv6 is never cut on the way */
		return;
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_GUE, .backends = { "10.1.0.1" });
	expect_reason(&in, CUT);
	for (int df = 0; df < 2; df++) {	/* it fits: nobody need cut */
		in = tcp(f->client, 1, f->vip, 80, .payload = 100, .df = df);
		got = expect_reason(&in, FORWARDED);
		assert_int_equal(got.packet.data[ETH_LEN + 6] & 0x40, 0x40);
	}
}

/* How many different values of 32 bits at at flows have in the outer header,
 * under mask; the same flow twice must have the same. */
static int spread(const struct family *f, size_t at, uint32_t mask)
{
	static uint32_t seen[SPREAD];
	int count = 0;

	for (int i = 0; i < SPREAD; i++) {
		struct packet in = tcp(f->client, 1000 + i, f->vip, 80);
		struct outcome got = expect_reason(&in, FORWARDED), again;
		uint32_t value = get32(got.packet.data + at) & mask;
		int j;

		again = expect_reason(&in, FORWARDED);
		assert_int_equal(get32(again.packet.data + at) & mask, value);
		for (j = 0; j < count && seen[j] != value; j++)
			;
		if (j == count)
			seen[count++] = value;
	}
	return count;
}

static void flows_spread_over_ports_labels_and_sources(void **state)
{
	const struct family *f = *state;
	struct model *m = world_model(world);

	m->tunnel4 = addr("172.16.0.0");
	m->tunnel4_bits = 8;
	m->tunnel6 = addr("fd00:aaaa::");
	m->tunnel6_bits = 32;
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_GUE, .backends = { "10.1.0.1" });
	assert_true(spread(f, ETH_LEN + 12, ~0u) > 200);
	assert_true(spread(f, ETH_LEN + 20, 0xffff0000) > SPREAD * 9 / 10);
	world_undefine(world, "web");
	world_apply(world);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .backends = { "fd00:1::1" });
	assert_true(spread(f, ETH_LEN, 0xfffff) > SPREAD * 9 / 10);
	assert_true(spread(f, ETH_LEN + 20, ~0u) > SPREAD * 9 / 10);
}

static void backends_on_this_host_get_the_packet_from_the_stack(void **state)
{
	const struct family *f = *state;
	static const enum forward ways[] = {
		FORWARD_L2, FORWARD_IPIP, FORWARD_GENEVE, FORWARD_NAT,
	};
	struct packet in = tcp(f->client, 1, f->vip, 80, .flags = SYN);
	struct outcome got;
	struct layers l;

	world_local(world, f->backend);
	for (int i = 0; i < 4; i++) {
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = ways[i], .backends = { f->backend });
		got = expect_reason(&in, LOCAL);
		assert_int_equal(got.actions, 1 << XDP_PASS);
		packet_layers(&got.packet, &l);
		assert_addr(l.dst, ways[i] ? f->vip : f->backend);
		assert_addr(l.src, f->client);
		assert_true(packet_checksums_ok(&got.packet));
	}
}

/* The stack would take what comes from one of our own addresses for a martian:
 * never is anything left to it. */
static void without_a_next_hop_all_is_refused(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 1, f->vip, 80, .flags = SYN);

	world_link(world, 0);
	for (enum forward how = FORWARD_NAT; how <= FORWARD_GENEVE; how++) {
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = how, .backends = { f->backend });
		expect_reason(&in, NO_NEXT_HOP);
	}
}

/* No address on the link, and none that is configured. */
static void tunnel_without_a_source_is_refused(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 1, f->vip, 80, .flags = SYN);
	struct link *link = &world_tables(world)->links[LINK_TX];

	world_link(world, LINK_TX);
	for (enum forward how = FORWARD_IPIP; how <= FORWARD_GENEVE; how++) {
		world_service(world, .addr = f->vip, .port = 80,
			      .forward = how, .backends = { f->backend });
		link->addr4 = link->addr6 = (struct addr){};
		expect_reason(&in, NO_SOURCE);
		world_model(world)->tunnel4 = addr("10.9.0.1");
		world_model(world)->tunnel6 = addr("fd00:9::1");
		world_apply(world);
		expect_reason(&in, FORWARDED);
		world_model(world)->tunnel4 = (struct addr){};
		world_model(world)->tunnel6 = (struct addr){};
		world_apply(world);
	}
}

static void port_ranges_and_every_port_are_found(void **state)
{
	const struct family *f = *state;
	struct packet p;

	world_define(world, &(struct service_words){
		.name = "range", .addr = f->vip, .port = 8000,
		.port_last = 8009, .forward = FORWARD_L2,
		.backends = { f->backend } });
	world_define(world, &(struct service_words){
		.name = "all", .addr = f->vip2, .forward = FORWARD_L2,
		.backends = { f->backend2 } });
	world_define(world, &(struct service_words){
		.name = "one", .addr = f->vip2, .port = 443,
		.forward = FORWARD_L2, .backends = { f->backend3 } });
	world_apply(world);
	for (int port = 7999; port <= 8010; port++) {
		p = tcp(f->client, 1, f->vip, port);
		expect_reason_at(&p, port < 8000 || port > 8009 ?
				 REASON_NO_SERVICE : REASON_FORWARDED,
				 __FILE__, __LINE__);
	}
	p = tcp(f->client, 1, f->vip2, 65535);
	assert_addr(sent_to(&p), f->backend2);
	p = tcp(f->client, 1, f->vip2, 0);
	assert_addr(sent_to(&p), f->backend2);
	p = tcp(f->client, 1, f->vip2, 443);
	assert_addr(sent_to(&p), f->backend3);
	p = udp(f->client, 1, f->vip2, 443);
	expect_reason(&p, NO_SERVICE);
}

static void every_address_of_a_prefix_is_served(void **state)
{
	const struct family *f = *state;
	static const char *const vips[2][4] = {
		{ "10.200.0.0", "10.200.0.1", "10.200.3.255", "10.200.4.0" },
		{ "fd01::", "fd01::1", "fd01::3ff", "fd01::400" },
	};
	struct packet p;

	world_service(world, .addr = vips[f->v6][0], .port = 80,
		      .prefix_len = f->v6 ? 118 : 22, .forward = FORWARD_L2,
		      .backends = { f->backend });
	for (int i = 0; i < 3; i++) {
		p = tcp(f->client, 1, vips[f->v6][i], 80, .flags = SYN);
		expect_reason(&p, FORWARDED);
		p = udp(f->client, 1, vips[f->v6][i], 80);
		expect_reason(&p, NO_SERVICE);
		p = echo_request(f->client, vips[f->v6][i], 1, 1);
		expect_reason(&p, ECHO);
	}
	p = tcp(f->client, 1, vips[f->v6][3], 80, .flags = SYN);
	expect_untouched(&p, NOT_OURS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(l2_sends_to_the_backends_mac),
		BOTH(frames_leave_by_the_backends_link),
		BOTH(a_link_that_redirects),
		BOTH(tunnels_carry_the_packet_with_one_hop_less),
		BOTH(padding_stays_outside_of_tunnels),
		BOTH(outer_packets_may_be_cut_only_if_they_must),
		BOTH(flows_spread_over_ports_labels_and_sources),
		BOTH(backends_on_this_host_get_the_packet_from_the_stack),
		BOTH(without_a_next_hop_all_is_refused),
		BOTH(tunnel_without_a_source_is_refused),
		BOTH(port_ranges_and_every_port_are_found),
		BOTH(every_address_of_a_prefix_is_served),
	};

	return run_both(tests);
}
