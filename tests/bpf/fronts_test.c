// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A service at several addresses, and what a node's services do that those at
 * the edge do not: policies, and flows of UDP that go on at another backend.
 */
#include <stdio.h>

#include "family.h"

#define CLIENTS 40

static struct service_words node_service(const struct family *f)
{
	return (struct service_words){
		.addr = f->vip, .also = { f->vip2 }, .port = 80,
		.algorithm = ALGORITHM_RANDOM, .kind = KIND_CLUSTER_IP,
		.backends = { f->backend, f->backend2, f->backend3 },
	};
}

/* Pods are told by their interfaces: nobody who comes in here is one. */
static void define(const struct service_words *words)
{
	world_model(world)->detect_local = DETECT_INTERFACES;
	world_define(world, words);
	world_apply(world);
}

/* Where a packet that was forwarded went, by tc if its client is to keep its
 * address. */
static struct addr went_to(const struct packet *p)
{
	struct outcome got;
	struct layers l;

	assert_true(world_check(world, p, &got));
	if (got.reasons == REASON_BIT(HANDED_ON))
		world_run_tc(world, "fl_uplink_in", p, &got);
	assert_int_equal(got.reasons, REASON_BIT(FORWARDED));
	packet_layers(&got.packet, &l);
	return l.dst;
}

static bool is(struct addr a, const char *text)
{
	struct addr b = addr(text);

	return !memcmp(&a, &b, sizeof(a));
}

static void every_address_leads_to_the_same_backends(void **state)
{
	const struct family *f = *state;
	const char *const vips[] = { f->vip, f->vip2 };
	struct service_words words = node_service(f);

	for (int kind = KIND_EDGE; kind <= KIND_EXTERNAL_IP; kind++) {
		unsigned int seen = 0;

		world_reset(world);
		words.kind = kind;
		define(&words);
		/* of 3 backends, one is missed in 2^33 runs */
		for (int i = 0; i < 3 * CLIENTS; i++) {
			struct packet p = tcp(f->client, 2000 + i, vips[i & 1],
					      80, .flags = SYN);
			struct addr to = went_to(&p);

			for (int b = 0; b < 3; b++)
				if (is(to, words.backends[b]))
					seen |= 1 << b << 3 * (i & 1);
		}
		assert_int_equal(seen, 077);
	}
}

static void clients_stick_at_whichever_address(void **state)
{
	static const enum algorithm algorithms[] = {
		ALGORITHM_MAGLEV, ALGORITHM_RANDOM, ALGORITHM_ROUND_ROBIN,
	};
	const struct family *f = *state;
	struct service_words words = node_service(f);

	words.affinity_s = 3600;
	for (int how = 0; how < 3; how++) {
		struct addr first;
		struct packet p;

		world_reset(world);
		words.algorithm = algorithms[how];
		define(&words);
		p = tcp(f->client, 1, f->vip, 80, .flags = SYN);
		first = went_to(&p);
		for (int i = 0; i < CLIENTS; i++) {
			struct addr to;

			p = tcp(f->client, 2000 + i, i & 1 ? f->vip : f->vip2,
				80, .flags = SYN);
			to = went_to(&p);
			assert_memory_equal(&to, &first, sizeof(to));
		}
	}
}

/* Affinity holds within the set: who may go to this host's alone leaves the
 * one that it stuck to elsewhere. */
static void affinity_does_not_lead_out_of_the_local_set(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);
	struct packet p = tcp(f->client, 1, f->vip, 80, .flags = SYN);
	struct model_service *s;

	world_local(world, f->backend2);
	words.affinity_s = 3600;
	words.kind = KIND_LB_VIP;
	define(&words);
	s = world_model(world)->services[0];
	s->fronts[1].flags = SERVICE_POLICY_LOCAL;
	s->backends[0].weight = s->backends[2].weight = 1000;
	world_apply(world);
	for (int i = 0; i < CLIENTS; i++) {
		bool first_is_vip = is(s->fronts[0].addr, f->vip);

		p = tcp(f->client, 1, first_is_vip ? f->vip : f->vip2, 80,
			.flags = SYN);
		world_check(world, &p, NULL);
		p = tcp(f->client, 2000 + i, first_is_vip ? f->vip2 : f->vip,
			80, .flags = SYN);
		expect_reason(&p, LOCAL);
	}
}

static void define_outside(struct service_words words)
{
	words.kind = KIND_LB_VIP;
	define(&words);
	/* one front end of each policy */
	world_model(world)->services[0]->fronts[1].flags = SERVICE_POLICY_LOCAL;
	world_apply(world);
}

/* At the front end with or without policy Local. */
static struct addr went_by(const struct family *f, bool local, int i)
{
	const struct model_front *front =
		&world_model(world)->services[0]->fronts[local];
	const char *vip = is(front->addr, f->vip) ? f->vip : f->vip2;
	struct packet p = tcp(f->client, 2000 + i, vip, 80, .flags = SYN);

	return went_to(&p);
}

/* It is going, while others are ready elsewhere; or hints say so. */
static void a_local_backend_may_be_for_the_local_set_alone(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);

	for (int sticks = 0; sticks < 2; sticks++) {
		world_reset(world);
		world_in_sets(world, f->backend3,
			      BACKEND_IN_LOCAL | BACKEND_NOT_IN_CLUSTER);
		words.affinity_s = 3600 * sticks;
		define_outside(words);
		for (int i = 0; i < CLIENTS; i++) {
			assert_true(is(went_by(f, true, i), f->backend3));
			assert_false(is(went_by(f, false, i), f->backend3));
		}
	}
}

/* No translation of the source: what a node's own backend gets is the
 * client's packet, but for where it goes. */
static void policy_local_stays_here_and_keeps_the_source(void **state)
{
	static const enum service_kind kinds[] = {
		KIND_NODE_PORT, KIND_LB_VIP, KIND_EXTERNAL_IP,
	};
	const struct family *f = *state;
	struct service_words words = node_service(f);

	words.flags = SERVICE_POLICY_LOCAL;
	for (int kind = 0; kind < 3; kind++) {
		world_reset(world);
		world_local(world, f->backend3);
		words.kind = kinds[kind];
		define(&words);
		for (int i = 0; i < CLIENTS; i++) {
			struct packet p = tcp(f->client, 2000 + i, f->vip, 80,
					      .flags = SYN);
			struct packet want = tcp(f->client, 2000 + i,
						 f->backend3, 80, .flags = SYN);

			expect_packet(&p, LOCAL, &want);
		}
	}
}

/* A client that is not of this node's pods is answered by way of the node. */
static void a_cluster_ip_from_elsewhere_is_masqueraded(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);
	struct packet p = tcp(f->client, 5000, f->vip, 80, .flags = SYN);
	struct outcome got;
	struct layers l;

	define(&words);
	got = expect_reason(&p, FORWARDED);
	packet_layers(&got.packet, &l);
	assert_addr(l.src, f->nat);
}

static void nobody_here_is_rejected_or_dropped(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);
	struct packet p = tcp(f->client, 1, f->vip, 80, .flags = SYN);

	for (int kind = KIND_CLUSTER_IP; kind <= KIND_EXTERNAL_IP; kind++) {
		words.kind = kind;
		words.flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS;
		define(&words);
		expect_reason(&p, NO_LOCAL);
		words.flags = SERVICE_POLICY_LOCAL;
		define(&words);
		expect_reason(&p, NO_BACKEND);
	}
}

/* Without f's backend, where the flow has been so far. */
static void define_without(const struct service_words *words,
			   const char *backend)
{
	struct service_words less = *words;
	int nr = 0;

	memset(less.backends, 0, sizeof(less.backends));
	for (int i = 0; words->backends[i]; i++)
		if (words->backends[i] != backend)
			less.backends[nr++] = words->backends[i];
	define(&less);
}

static const char *text_of(const struct service_words *words, struct addr a)
{
	for (int i = 0; words->backends[i]; i++)
		if (is(a, words->backends[i]))
			return words->backends[i];
	fail_msg("not to a backend");
	return NULL;
}

static void udp_of_a_node_moves_when_its_backend_is_gone(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);
	struct packet p = udp(f->client, 5000, f->vip, 80);
	struct addr first, next;

	words.proto = IPPROTO_UDP;
	define(&words);
	first = went_to(&p);
	next = went_to(&p);
	assert_memory_equal(&next, &first, sizeof(next));
	define_without(&words, text_of(&words, first));
	next = went_to(&p);
	assert_memory_not_equal(&next, &first, sizeof(next));
	memset(words.backends, 0, sizeof(words.backends));
	define(&words);
	expect_reason(&p, NO_BACKEND);
}

/* As with anything else at the edge, and of TCP and SCTP anywhere. */
static void other_flows_stay_with_a_backend_that_left(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_service(f);
	struct addr first, next;

	for (int i = 0; i < 2; i++) {
		struct packet open = i ?
			tcp(f->client, 5000, f->vip, 80, .flags = SYN) :
			udp(f->client, 5000, f->vip, 80);
		struct packet later = i ?
			tcp(f->client, 5000, f->vip, 80, .flags = ACK) : open;

		world_reset(world);
		words.proto = i ? IPPROTO_TCP : IPPROTO_UDP;
		words.kind = i ? KIND_CLUSTER_IP : KIND_EDGE;
		define(&words);
		first = went_to(&open);
		define_without(&words, text_of(&words, first));
		next = went_to(&later);
		assert_memory_equal(&next, &first, sizeof(next));
	}
}

static struct service_words node_port(const struct family *f)
{
	struct service_words words = node_service(f);

	words.addr = f->v6 ? "::" : "0.0.0.0";
	words.also[0] = NULL;
	words.port = 30080;
	words.backend_port = 8080;
	words.kind = KIND_NODE_PORT;
	return words;
}

/* Whichever of them: f->vip and f->vip2 are the host's here. */
static void node_ports_are_at_every_address_of_the_node(void **state)
{
	const struct family *f = *state;
	const char *const nodes[] = { f->vip, f->vip2 };
	struct service_words words = node_port(f);

	world_node(world, f->vip);
	world_node(world, f->vip2);
	define(&words);
	for (int i = 0; i < CLIENTS; i++) {
		struct packet p = tcp(f->client, 2000 + i, nodes[i & 1], 30080,
				      .flags = SYN);
		struct packet reply;
		struct outcome got = expect_reason(&p, FORWARDED);
		struct layers l;

		packet_layers(&got.packet, &l);
		reply = tcp(words.backends[0], 8080, f->nat, 2000 + i,
			    .flags = SYN | ACK);
		if (!is(l.dst, words.backends[0]))
			continue;
		got = expect_reason(&reply, RETURNED);
		packet_layers(&got.packet, &l);
		assert_true(is(l.src, nodes[i & 1]));
	}
}

/* SSH, kubelet, overlays. */
static void other_ports_of_the_node_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_port(f);
	struct packet ssh = tcp(f->client, 2000, f->vip, 22, .flags = SYN);
	struct packet udp_too = udp(f->client, 2000, f->vip, 30080);
	struct packet elsewhere = tcp(f->client, 2000, f->vip2, 30080,
				      .flags = SYN);

	world_node(world, f->vip);
	define(&words);
	expect_packet(&ssh, HOST_PORT, &ssh);
	expect_packet(&udp_too, HOST_PORT, &udp_too);
	expect_packet(&elsewhere, NOT_OURS, &elsewhere);
}

static void a_node_port_without_backends_rejects(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_port(f);
	struct packet p = tcp(f->client, 2000, f->vip, 30080, .flags = SYN);

	world_node(world, f->vip);
	words.backends[0] = NULL;
	define(&words);
	expect_reason(&p, NO_BACKEND);
	words.flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS;
	define(&words);
	expect_reason(&p, NO_LOCAL);
}

/* A service that has its port there goes before a node port. */
static void a_vip_may_be_an_address_of_the_node(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_port(f);
	struct packet p = tcp(f->client, 2000, f->vip, 80, .flags = SYN);
	struct packet q = tcp(f->client, 2001, f->vip, 30080, .flags = SYN);
	struct packet ssh = tcp(f->client, 2000, f->vip, 22, .flags = SYN);

	world_node(world, f->vip);
	define(&words);
	words = node_service(f);
	words.name = "other";
	words.also[0] = NULL;
	words.kind = KIND_LB_VIP;
	define(&words);
	expect_reason(&p, FORWARDED);
	expect_reason(&q, FORWARDED);
	expect_packet(&ssh, HOST_PORT, &ssh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(every_address_leads_to_the_same_backends),
		BOTH(clients_stick_at_whichever_address),
		BOTH(affinity_does_not_lead_out_of_the_local_set),
		BOTH(a_local_backend_may_be_for_the_local_set_alone),
		BOTH(policy_local_stays_here_and_keeps_the_source),
		BOTH(a_cluster_ip_from_elsewhere_is_masqueraded),
		BOTH(nobody_here_is_rejected_or_dropped),
		BOTH(udp_of_a_node_moves_when_its_backend_is_gone),
		BOTH(other_flows_stay_with_a_backend_that_left),
		BOTH(node_ports_are_at_every_address_of_the_node),
		BOTH(other_ports_of_the_node_are_left_alone),
		BOTH(a_node_port_without_backends_rejects),
		BOTH(a_vip_may_be_an_address_of_the_node),
	};

	return run_both(tests);
}
