// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node's front ends whose packets from outside go on in a tunnel: what the
 * first node sends, and what the endpoint's node makes of it. Whole packets.
 */
#include <linux/pkt_cls.h>

#include "family.h"

#define TCX_NEXT (-1)
#define POD_PORT 8080

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
static const enum forward tunnels[] = {
	FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE, FORWARD_GENEVE,
};

static struct packet l4(uint8_t proto, const char *src, uint16_t sport,
			const char *dst, uint16_t dport)
{
	return packet_of(l4_words(proto, src, sport, dst, dport),
			 .payload = 33, .flags = SYN, .chunk = SCTP_INIT);
}

/* An endpoint at backend, a pod of this node with BACKEND_IN_LOCAL. */
static void serve(const struct family *f, uint8_t proto, enum forward tunnel,
		  enum service_kind kind, __u8 sets)
{
	world_in_sets(world, f->backend, sets);
	world_service(world, .addr = f->vip, .port = 80, .proto = proto,
		      .algorithm = ALGORITHM_RANDOM, .kind = kind,
		      .tunnel = tunnel, .backends = { f->backend },
		      .backend_port = POD_PORT);
}

/* By tc: what becomes of in. The reference is asked, unless the packet is in a
 * tunnel, which it does not know. */
static struct packet tc(const char *program, const struct packet *in,
			int verdict, __u64 reasons, bool is_known)
{
	struct outcome got;

	assert_int_equal(world_run_tc(world, program, in, &got), verdict);
	assert_int_equal(got.reasons, reasons);
	if (is_known)
		assert_true(world_agrees_tc(world, program, in, &got));
	return got.packet;
}

static void expect_same(const struct packet *want, const struct packet *got)
{
	if (packet_eq(want, got))
		return;
	packet_diff(want, got);
	fail();
}

/* As the other node wraps in, which it has routed. */
static struct packet wrapped(const struct family *f, const struct packet *in,
			     enum forward forward, const char *from)
{
	struct tunnel t = {
		.forward = forward, .src = addr(from), .dst = addr(f->backend),
		.sport = 0xc123, .df = true,
		.dport = forward == FORWARD_GENEVE ? 6081 : 6080,
	};

	return packet_tunneled(in, &t);
}

/* Every packet of a flow, and each kind of tunnel; the reference knows what it
 * looks like. */
static void an_endpoint_elsewhere_gets_it_in_a_tunnel(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++) {
			struct packet in = l4(protos[i], f->client, 4321,
					      f->vip, 80);

			world_reset(world);
			serve(f, protos[i], tunnels[j], KIND_LB_VIP, 0);
			for (int k = 0; k < 2; k++)
				expect_reason(&in, FORWARDED);
		}
}

/* A node port's comes from the address that was dialled, in each packet. */
static void a_node_ports_tunnel_comes_from_there(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct addr vip = addr(f->vip);
	struct outcome got;
	struct layers l;

	serve(f, IPPROTO_TCP, FORWARD_IPIP, KIND_NODE_PORT, 0);
	for (int i = 0; i < 2; i++) {
		got = expect_reason(&in, FORWARDED);
		packet_layers(&got.packet, &l);
		assert_memory_equal(&l.src, &vip, sizeof(vip));
	}
}

/* A pod here: fl_xdp leaves it to tc, which shows it the client. */
static void an_endpoint_here_sees_the_client(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet sent = l4(protos[i], f->client, 4321, f->backend,
					POD_PORT);
		struct packet reply = l4(protos[i], f->backend, POD_PORT,
					 f->client, 4321);
		struct packet back = l4(protos[i], f->vip, 80, f->client,
					4321);
		struct packet got;

		world_reset(world);
		world_link(world, LINK_POD);
		serve(f, protos[i], FORWARD_IPIP, KIND_LB_VIP,
		      BACKEND_IN_LOCAL);
		world_tables(world)->runtime->has_local = 1;
		for (int j = 0; j < 2; j++) {
			expect_untouched(&in, HANDED_ON);
			got = tc("fl_uplink_in", &in, TCX_NEXT,
				 REASON_BIT(FORWARDED), true);
			expect_same(&sent, &got);
			got = tc("fl_uplink_out", &reply, TCX_NEXT,
				 REASON_BIT(RETURNED), true);
			expect_same(&back, &got);
		}
	}
}

/* Behind an interface that XDP does not send by, and elsewhere: as ever. */
static void an_endpoint_behind_an_overlay_sees_the_node(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80), got;
	struct addr nat = addr(f->nat);
	struct layers l;

	world_link(world, LINK_POD);
	serve(f, IPPROTO_TCP, FORWARD_IPIP, KIND_LB_VIP, 0);
	expect_untouched(&in, HANDED_ON);
	got = tc("fl_uplink_in", &in, TC_ACT_REDIRECT, REASON_BIT(FORWARDED),
		 true);
	packet_layers(&got, &l);
	assert_memory_equal(&l.src, &nat, sizeof(nat));
}

/* The endpoint's node: to the pod; and its answer comes from the service. */
static void it_comes_out_of_the_tunnel(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++) {
			struct packet inner = l4(protos[i], f->client, 4321,
						 f->vip, 80);
			struct packet in = wrapped(f, &inner, tunnels[j],
						   f->stranger);
			struct packet sent = l4(protos[i], f->client, 4321,
						f->backend, POD_PORT);
			struct packet reply = l4(protos[i], f->backend,
						 POD_PORT, f->client, 4321);
			struct packet back = l4(protos[i], f->vip, 80,
						f->client, 4321);
			struct packet got;

			world_reset(world);
			serve(f, protos[i], FORWARD_IPIP, KIND_LB_VIP,
			      BACKEND_IN_LOCAL);
			world_tables(world)->runtime->has_local = 1;
			for (int k = 0; k < 2; k++) {
				got = tc("fl_uplink_in", &in, TCX_NEXT,
					 REASON_BIT(FORWARDED), false);
				expect_same(&sent, &got);
				got = tc("fl_uplink_out", &reply, TCX_NEXT,
					 REASON_BIT(RETURNED), false);
				expect_same(&back, &got);
			}
		}
}

/* Of a node port at another node's address, which the answer comes from. */
static void another_nodes_node_port_comes_out(void **state)
{
	const struct family *f = *state;
	struct packet inner = l4(IPPROTO_TCP, f->client, 4321, f->router, 80);
	struct packet in = wrapped(f, &inner, FORWARD_IPIP, f->router);
	struct packet other = wrapped(f, &inner, FORWARD_IPIP, f->stranger);
	struct packet sent = l4(IPPROTO_TCP, f->client, 4321, f->backend,
				POD_PORT);
	struct packet reply = l4(IPPROTO_TCP, f->backend, POD_PORT, f->client,
				 4321);
	struct packet back = l4(IPPROTO_TCP, f->router, 80, f->client, 4321);
	struct packet got;

	world_in_sets(world, f->backend, BACKEND_IN_LOCAL);
	world_service(world, .addr = f->v6 ? "::" : "0.0.0.0", .port = 80,
		      .algorithm = ALGORITHM_RANDOM, .kind = KIND_NODE_PORT,
		      .tunnel = FORWARD_IPIP, .backends = { f->backend },
		      .backend_port = POD_PORT);
	world_tables(world)->runtime->has_local = 1;
	/* who says that it is another's is not believed */
	got = tc("fl_uplink_in", &other, TCX_NEXT, 0, false);
	expect_same(&other, &got);
	got = tc("fl_uplink_in", &in, TCX_NEXT, REASON_BIT(FORWARDED), false);
	expect_same(&sent, &got);
	got = tc("fl_uplink_out", &reply, TCX_NEXT, REASON_BIT(RETURNED),
		 false);
	expect_same(&back, &got);
}

/* The endpoint is gone: who asked hears it, but no more than others are told in
 * a second. */
static void without_an_endpoint_it_is_refused(void **state)
{
	const struct family *f = *state;
	struct packet inner = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet in = wrapped(f, &inner, FORWARD_IPIP, f->router), got;
	struct addr vip = addr(f->vip);
	struct layers l;

	serve(f, IPPROTO_TCP, FORWARD_IPIP, KIND_LB_VIP, 0);
	world_model(world)->answers_per_s = 1;
	world_apply(world);
	got = tc("fl_uplink_in", &in, TC_ACT_REDIRECT, REASON_BIT(NO_BACKEND),
		 false);
	packet_layers(&got, &l);
	assert_memory_equal(&l.src, &vip, sizeof(vip));
	tc("fl_uplink_in", &in, TC_ACT_SHOT, REASON_BIT(LIMITED), false);
}

/* A tunnel of a pod's own, to which nothing of ours is in it, is left alone. */
static void other_tunnels_are_not_ours(void **state)
{
	const struct family *f = *state;
	struct packet inner = l4(IPPROTO_TCP, f->client, 4321, f->stranger, 80);
	struct packet ours = l4(IPPROTO_TCP, f->client, 4321, f->vip, 81);
	struct packet in, got;

	serve(f, IPPROTO_TCP, FORWARD_IPIP, KIND_LB_VIP, BACKEND_IN_LOCAL);
	for (int i = 0; i < 4; i++) {
		in = wrapped(f, &inner, tunnels[i], f->router);
		got = tc("fl_uplink_in", &in, TCX_NEXT, 0, false);
		expect_same(&in, &got);
		/* at our address, but at no service's port */
		in = wrapped(f, &ours, tunnels[i], f->router);
		tc("fl_uplink_in", &in, TC_ACT_SHOT, REASON_BIT(STRAY_TUNNEL),
		   false);
	}
}

/* And while no service goes in tunnels, nothing is looked into. */
static void without_a_service_nothing_comes_out(void **state)
{
	const struct family *f = *state;
	struct packet inner = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet in = wrapped(f, &inner, FORWARD_IPIP, f->router), got;

	serve(f, IPPROTO_TCP, FORWARD_NAT, KIND_LB_VIP, BACKEND_IN_LOCAL);
	got = tc("fl_uplink_in", &in, TCX_NEXT, 0, false);
	expect_same(&in, &got);
}

/* The annotation goes: connections stay in their tunnel, others get none. */
static void connections_stay_as_they_were_begun(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet new = l4(IPPROTO_TCP, f->client2, 4321, f->vip, 80);
	struct packet later = tcp(f->client, 4321, f->vip, 80, .flags = ACK);
	struct outcome got;
	struct layers l;

	serve(f, IPPROTO_TCP, FORWARD_GRE, KIND_LB_VIP, 0);
	expect_reason(&in, FORWARDED);
	serve(f, IPPROTO_TCP, FORWARD_NAT, KIND_LB_VIP, 0);
	got = expect_reason(&later, FORWARDED);
	packet_layers(&got.packet, &l);
	assert_int_equal(l.proto, 47);
	got = expect_reason(&new, FORWARDED);
	packet_layers(&got.packet, &l);
	assert_int_equal(l.proto, IPPROTO_TCP);
}

/* The way to its endpoint is one of those that XDP does not send by, for now: it
 * waits for another. What begins goes there in the node's name. */
static void a_connection_waits_for_its_tunnel(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct packet new = l4(IPPROTO_TCP, f->client2, 4321, f->vip, 80);
	struct packet later = tcp(f->client, 4321, f->vip, 80, .flags = ACK);

	serve(f, IPPROTO_TCP, FORWARD_GRE, KIND_LB_VIP, 0);
	expect_reason(&in, FORWARDED);
	expect_reason(&later, FORWARDED);
	world_link(world, LINK_POD);
	world_apply(world);
	expect_untouched(&later, HANDED_ON);
	tc("fl_uplink_in", &later, TC_ACT_SHOT, REASON_BIT(NO_NEXT_HOP), true);
	expect_untouched(&new, HANDED_ON);
	tc("fl_uplink_in", &new, TC_ACT_REDIRECT, REASON_BIT(FORWARDED), true);
	world_link(world, LINK_TX);
	world_apply(world);
	expect_reason(&later, FORWARDED);
}

/* Too large for the tunnel: who sent it is told what fits. */
static void too_large_ones_are_refused(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = ACK,
			       .payload = 1440, .df = true);

	serve(f, IPPROTO_TCP, FORWARD_GENEVE, KIND_LB_VIP, 0);
	expect_reason(&in, TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(an_endpoint_elsewhere_gets_it_in_a_tunnel),
		BOTH(a_node_ports_tunnel_comes_from_there),
		BOTH(an_endpoint_here_sees_the_client),
		BOTH(an_endpoint_behind_an_overlay_sees_the_node),
		BOTH(it_comes_out_of_the_tunnel),
		BOTH(another_nodes_node_port_comes_out),
		BOTH(without_an_endpoint_it_is_refused),
		BOTH(other_tunnels_are_not_ours),
		BOTH(without_a_service_nothing_comes_out),
		BOTH(connections_stay_as_they_were_begun),
		BOTH(a_connection_waits_for_its_tunnel),
		BOTH(too_large_ones_are_refused),
	};

	return run_both(tests);
}
