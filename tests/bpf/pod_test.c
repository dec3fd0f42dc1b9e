// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The interfaces of pods: what one sends to a service, and what it gets back,
 * as Kubernetes has it. Whole packets, both ways.
 */
#include <linux/pkt_cls.h>

#include "model/conns.h"
#include "family.h"

#define TCX_NEXT (-1)
#define POD_PORT 8080

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

/* A cluster IP, of one backend if there is no other word. */
static struct service_words cluster_ip(const struct family *f, uint8_t proto)
{
	return (struct service_words){
		.addr = f->vip, .port = 80, .proto = proto,
		.algorithm = ALGORITHM_RANDOM, .kind = KIND_CLUSTER_IP,
		.backends = { f->backend }, .backend_port = POD_PORT,
	};
}

/* Who comes by a pod's interface is one, unless a test says how else to
 * tell. */
static void define(const struct service_words *words)
{
	if (!world_model(world)->pods4.is_set)
		world_model(world)->detect_local = DETECT_INTERFACES;
	world_define(world, words);
	world_apply(world);
}

static void serve(const struct family *f, uint8_t proto)
{
	struct service_words words = cluster_ip(f, proto);

	define(&words);
}

/* The tag that the other side is to use from now on: as packets have it. */
static const uint8_t tag_of_init[16] = { 0x60, 0x0d, 0xca, 0xfe };

static enum conn_state conn_state_of(const struct family *f)
{
	const struct flow flow = {
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(4321), .dport = htons(80),
		.proto = IPPROTO_SCTP,
	};
	struct conn_entry e;

	assert_true(conns_find(world_tables(world), &flow, &e));
	return conn_entry_state(&e);
}

static struct packet l4(uint8_t proto, const char *src, uint16_t sport,
			const char *dst, uint16_t dport)
{
	return packet_of(l4_words(proto, src, sport, dst, dport),
			 .payload = 33, .flags = SYN, .chunk = SCTP_INIT,
			 .options = 12,
			 .extensions = { EXTENSION_DESTINATION });
}

/* What a program makes of in; it returns verdict, and counts so. */
static struct packet run(const char *program, const struct packet *in,
			 int verdict, __u64 reasons)
{
	char text[DESCRIPTION_MAX];
	struct outcome got;
	int ret = world_run_tc(world, program, in, &got);

	assert_true(world_agrees_tc(world, program, in, &got));
	if (ret != verdict || got.reasons != reasons) {
		fprintf(stderr, "  in: %s\n", packet_describe(in, text));
		for (int i = 0; i < NR_REASONS; i++)
			if (got.reasons & 1ull << i)
				fprintf(stderr, "  got: %s\n", reason_name(i));
		fprintf(stderr, "  returned %d\n", ret);
	}
	assert_int_equal(ret, verdict);
	assert_int_equal(got.reasons, reasons);
	return got.packet;
}

static void expect_same(const struct packet *want, const struct packet *got)
{
	if (packet_eq(want, got))
		return;
	packet_diff(want, got);
	fail();
}

static void expect(const char *program, const struct packet *in, int verdict,
		   __u64 reasons, const struct packet *want)
{
	struct packet got = run(program, in, verdict, reasons);

	expect_same(want, &got);
}

/* Translated, and the host's stack brings it on its way. */
#define expect_from_pod(in, want)					\
	expect("fl_pod_in", in, TCX_NEXT, REASON_BIT(FORWARDED), want)
#define expect_to_pod(in, want)						\
	expect("fl_pod_out", in, TCX_NEXT, REASON_BIT(RETURNED), want)
#define expect_dropped(in, why)						\
	run("fl_pod_in", in, TC_ACT_SHOT, REASON_BIT(why))
#define expect_left_alone(program, in)					\
	expect(program, in, TCX_NEXT, 0, in)

static void a_pod_keeps_its_address(void **state)
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

		world_reset(world);
		serve(f, protos[i]);
		expect_left_alone("fl_pod_out", &reply);
		for (int j = 0; j < 2; j++) {
			expect_from_pod(&in, &sent);
			expect_to_pod(&reply, &back);
		}
		/* the stack has it: at the backend's pod nothing is done */
		expect_left_alone("fl_pod_out", &sent);
		expect_left_alone("fl_pod_in", &reply);
	}
}

/* Also the ports that NAT's own addresses do not lend. */
static void a_pod_keeps_its_port(void **state)
{
	const struct family *f = *state;

	for (uint16_t port = 1; port < 3000; port += 500) {
		struct packet in = tcp(f->client, port, f->vip, 80,
				       .flags = SYN);
		struct packet sent = tcp(f->client, port, f->backend, POD_PORT,
					 .flags = SYN);

		world_reset(world);
		world_model(world)->nat_port_first = 61000;
		world_model(world)->nat_port_last = 62000;
		serve(f, IPPROTO_TCP);
		expect_from_pod(&in, &sent);
	}
}

static uint16_t source_port(const struct packet *p)
{
	struct layers l;

	packet_layers(p, &l);
	return get16(p->data + l.l4);
}

/* One source port to two services that one pod serves at one port. */
static void a_port_that_is_taken_is_another(void **state)
{
	const struct family *f = *state;
	struct service_words other = cluster_ip(f, IPPROTO_TCP);

	other.name = "other";
	other.addr = f->vip2;
	serve(f, IPPROTO_TCP);
	define(&other);
	for (int i = 0; i < 2; i++) {
		const char *vip = i ? f->vip2 : f->vip;
		struct packet in = tcp(f->client, 4321, vip, 80, .flags = SYN);
		struct packet back = tcp(vip, 80, f->client, 4321,
					 .flags = SYN | ACK);
		struct packet sent, reply;
		uint16_t port;

		sent = run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		assert_true(packet_checksums_ok(&sent));
		port = source_port(&sent);
		assert_int_equal(port == 4321, !i);
		reply = tcp(f->backend, POD_PORT, f->client, port,
			    .flags = SYN | ACK);
		expect_to_pod(&reply, &back);
	}
}

/* From a pod to the service and back, TCP or an association. */
static void pod_says(const struct family *f, uint8_t proto, struct words w)
{
	struct words to = { l4_words(proto, f->client, 4321, f->vip, 80) };
	struct packet p;

	w.proto = to.proto;
	w.src = to.src;
	w.dst = to.dst;
	w.sport = to.sport;
	w.dport = to.dport;
	p = packet_build(&w);
	run("fl_pod_in", &p, TCX_NEXT, REASON_BIT(FORWARDED));
}

/* What the backend says comes from the service, or not. */
static void backend_says(const struct family *f, uint8_t proto,
			 bool is_service, struct words w)
{
	struct words from = { l4_words(proto, f->backend, POD_PORT, f->client,
				       4321) };
	struct packet p;

	w.proto = from.proto;
	w.src = from.src;
	w.dst = from.dst;
	w.sport = from.sport;
	w.dport = from.dport;
	p = packet_build(&w);
	if (is_service)
		run("fl_pod_out", &p, TCX_NEXT, REASON_BIT(RETURNED));
	else
		expect_left_alone("fl_pod_out", &p);
}

#define POD_SAYS(...) pod_says(f, proto, (struct words){ __VA_ARGS__ })
#define SERVICE_SAYS(...)						\
	backend_says(f, proto, true, (struct words){ __VA_ARGS__ })
#define BACKEND_SAYS(...)						\
	backend_says(f, proto, false, (struct words){ __VA_ARGS__ })

/* A connection that lived: how is the last one over? */
enum end { BOTH_CLOSE, CLIENT_RESETS, BACKEND_RESETS, ABORT, NR_ENDS };

static uint8_t connection_that_ends(const struct family *f, enum end end)
{
	const uint8_t proto = end == ABORT ? IPPROTO_SCTP : IPPROTO_TCP;

	world_reset(world);
	serve(f, proto);
	POD_SAYS(.flags = SYN, .chunk = SCTP_INIT);
	SERVICE_SAYS(.flags = SYN | ACK, .seq = 1000, .chunk = SCTP_INIT_ACK,
		     .payload = 16, .content = tag_of_init);
	POD_SAYS(.flags = ACK, .ack = 1001, .chunk = SCTP_COOKIE_ACK,
		 .payload = 16, .content = tag_of_init);
	if (end == BACKEND_RESETS)
		SERVICE_SAYS(.flags = RST, .seq = 1001);
	else
		POD_SAYS(.flags = end == BOTH_CLOSE ? FIN | ACK : RST,
			 .ack = 1001, .chunk = SCTP_ABORT);
	if (end == BOTH_CLOSE)
		SERVICE_SAYS(.flags = FIN | ACK, .seq = 1001);
	return proto;
}

/* Not the service, from the port that its last connection had. */
static void who_dials_the_backend_itself_hears_from_it(void **state)
{
	const struct family *f = *state;

	for (enum end end = 0; end < NR_ENDS; end++) {
		uint8_t proto = connection_that_ends(f, end);
		struct packet direct = l4(proto, f->client, 4321, f->backend,
					  POD_PORT);

		expect_left_alone("fl_pod_in", &direct);
		for (int i = 0; i < 2; i++)
			BACKEND_SAYS(.flags = SYN | ACK, .seq = 2000,
				     .chunk = SCTP_INIT_ACK, .payload = 16,
				     .content = tag_of_init);
		BACKEND_SAYS(.flags = ACK | PSH, .payload = 100,
			     .chunk = SCTP_DATA);
		BACKEND_SAYS(.flags = FIN | ACK, .chunk = SCTP_SHUTDOWN);
	}
}

/* And who dials the service from there once more, from that. */
static void who_begins_anew_hears_from_the_service(void **state)
{
	const struct family *f = *state;

	for (enum end end = 0; end < NR_ENDS; end++) {
		uint8_t proto = connection_that_ends(f, end);

		for (int i = 0; i < 3; i++) {
			POD_SAYS(.flags = SYN, .chunk = SCTP_INIT);
			SERVICE_SAYS(.flags = SYN | ACK, .seq = 2000,
				     .chunk = SCTP_INIT_ACK, .payload = 16,
				     .content = tag_of_init);
			SERVICE_SAYS(.flags = SYN | ACK, .seq = 2000,
				     .chunk = SCTP_INIT_ACK, .payload = 16,
				     .content = tag_of_init);
		}
		POD_SAYS(.flags = ACK, .ack = 2001, .chunk = SCTP_COOKIE_ACK,
			 .payload = 16, .content = tag_of_init);
		SERVICE_SAYS(.flags = ACK | PSH, .payload = 100,
			     .chunk = SCTP_DATA);
	}
}

/* Nobody makes it live by guessing what the backend has yet to offer. */
static void what_begins_anew_is_not_live_by_a_guess(void **state)
{
	const struct family *f = *state;
	const uint8_t proto = connection_that_ends(f, CLIENT_RESETS);
	const struct flow flow = {
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(4321), .dport = htons(80),
		.proto = IPPROTO_TCP,
	};
	struct conn_entry e;

	POD_SAYS(.flags = SYN);
	for (uint32_t ack = 0; ack < 3; ack++)
		POD_SAYS(.flags = ACK, .ack = ack);
	POD_SAYS(.flags = ACK, .ack = 1001);
	assert_true(conns_find(world_tables(world), &flow, &e));
	assert_int_equal(conn_entry_state(&e), CONN_CLOSING);
}

static void each_connection_chooses_anew(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	int got[2] = {};

	words.backends[1] = f->backend2;
	define(&words);
	for (int i = 0; i < 200; i++) {
		struct packet in = tcp(f->client, 2000 + i, f->vip, 80,
				       .flags = SYN), sent;
		struct addr first = addr(f->backend);
		struct layers l;

		sent = run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		packet_layers(&sent, &l);
		got[!memcmp(&l.dst, &first, sizeof(first))]++;
	}
	assert_in_range(got[0], 50, 150);
}

/* One hop less, to the MAC that the world gives a backend, from the link's. */
static struct packet routed_by(struct words w, const char *to, int link)
{
	struct packet p;

	w.ttl = 63;
	p = packet_build(&w);
	return framed_to(&p, to, link);
}

static struct packet routed(struct words w, const char *to)
{
	return routed_by(w, to, LINK_TX);
}

/* As the client sent it, and goes back to it: see framed_to(). */
static struct packet returned(struct words w)
{
	const struct link *l = &world_tables(world)->links[LINK_TX];
	struct packet p;

	w.ttl = 63;
	p = packet_build(&w);
	return packet_framed(&p, mac_client, l->mac, w.vlan);
}

/* The pod itself is the backend: it cannot get a packet from itself. */
static void a_pod_reaches_itself(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct service_words words = cluster_ip(f, protos[i]);
		struct words in = { l4_words(protos[i], f->client, 4321,
					     f->vip, 80) };
		struct words sent = { l4_words(protos[i], f->nat, 4321,
					       f->client, POD_PORT) };
		struct words reply = { l4_words(protos[i], f->client, POD_PORT,
						f->nat, 4321) };
		struct words back = { l4_words(protos[i], f->vip, 80,
					       f->client, 4321) };
		struct packet p, want;

		world_reset(world);
		words.backends[0] = f->client;
		define(&words);
		p = packet_build(&in);
		want = routed(sent, f->client);
		expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(FORWARDED),
		       &want);
		p = want;
		expect_left_alone("fl_pod_out", &p);
		p = packet_build(&reply);
		want = returned(back);
		expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(RETURNED),
		       &want);
		p = want;
		expect_left_alone("fl_pod_out", &p);
	}
}

/* Whose source is replaced, as kube-proxy does it for a pod of this node. */
static void some_front_ends_masquerade(void **state)
{
	static const struct {
		enum service_kind kind;
		__u16 flags;
		bool masquerades;
	} rows[] = {
		{ KIND_CLUSTER_IP, 0, false },
		{ KIND_CLUSTER_IP, SERVICE_MASQUERADE, true },
		{ KIND_NODE_PORT, 0, true },
		{ KIND_LB_VIP, 0, true },
		{ KIND_EXTERNAL_IP, 0, true },
		{ KIND_NODE_PORT, SERVICE_POLICY_LOCAL, false },
		{ KIND_LB_VIP, SERVICE_POLICY_LOCAL, false },
		{ KIND_EXTERNAL_IP, SERVICE_POLICY_LOCAL, false },
		{ KIND_EXTERNAL_IP,
		  SERVICE_POLICY_LOCAL | SERVICE_MASQUERADE, true },
	};
	const struct family *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct service_words words = cluster_ip(f, IPPROTO_TCP);
		struct words in = { l4_words(IPPROTO_TCP, f->client, 4321,
					     f->vip, 80), .flags = SYN };
		struct words sent = in;
		struct packet p = packet_build(&in), want;

		world_reset(world);
		words.kind = rows[i].kind;
		words.flags = rows[i].flags;
		define(&words);
		sent.dst = addr(f->backend);
		sent.dport = POD_PORT;
		want = packet_build(&sent);
		if (rows[i].masquerades) {
			sent.src = addr(f->nat);
			want = routed(sent, f->backend);
		}
		expect("fl_pod_in", &p,
		       rows[i].masquerades ? TC_ACT_REDIRECT : TCX_NEXT,
		       REASON_BIT(FORWARDED), &want);
	}
}

/* Sources of pods, as the cluster's CIDR has them; without any, nobody who
 * dials a cluster IP is masqueraded, and to other addresses none is a pod. */
static void pods_are_told_by_their_source(void **state)
{
	static const struct {
		bool is_set, is_pod;
		enum service_kind kind;
		__u16 flags;
		bool masquerades;
	} rows[] = {
		{ true, true, KIND_CLUSTER_IP, 0, false },
		{ true, false, KIND_CLUSTER_IP, 0, true },
		{ false, false, KIND_CLUSTER_IP, 0, false },
		{ true, true, KIND_LB_VIP, SERVICE_POLICY_LOCAL, false },
		{ true, true, KIND_LB_VIP, 0, true },
		{ false, true, KIND_LB_VIP, 0, true },
	};
	const struct family *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct service_words words = cluster_ip(f, IPPROTO_TCP);
		struct packet in = tcp(f->client, 4321, f->vip, 80,
				       .flags = SYN);
		struct model_prefix pods = {
			.addr = addr(rows[i].is_pod ? f->client : f->client2),
			.len = rows[i].is_pod ? 100 : 128,
			.is_set = rows[i].is_set,
		};

		world_reset(world);
		world_model(world)->pods4 = pods;
		world_model(world)->pods6 = pods;
		words.kind = rows[i].kind;
		words.flags = rows[i].flags;
		world_define(world, &words);
		world_apply(world);
		run("fl_pod_in", &in,
		    rows[i].masquerades ? TC_ACT_REDIRECT : TCX_NEXT,
		    REASON_BIT(FORWARDED));
	}
}

/* The local set is for others: who is no pod, by its source, is one of them. */
static void who_is_no_pod_takes_no_short_circuit(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);

	words.kind = KIND_LB_VIP;
	words.flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS;
	world_define(world, &words);
	world_apply(world);
	expect_dropped(&in, NO_LOCAL);
}

/* XDP gives it to tc untouched, which translates it past the stack. */
static void pods_get_packets_from_outside(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct words in = { l4_words(IPPROTO_TCP, f->client, 4321, f->vip, 80),
			    .flags = SYN };
	struct words sent = { l4_words(IPPROTO_TCP, f->nat, 4321, f->backend,
				       POD_PORT), .flags = SYN };
	struct words reply = { l4_words(IPPROTO_TCP, f->backend, POD_PORT,
					f->nat, 4321), .flags = SYN | ACK };
	struct words back = { l4_words(IPPROTO_TCP, f->vip, 80, f->client,
				       4321), .flags = SYN | ACK };
	struct packet p = packet_build(&in);
	struct packet want = routed_by(sent, f->backend, LINK_POD);

	world_link(world, LINK_POD);
	words.kind = KIND_NODE_PORT;
	define(&words);
	for (int i = 0; i < 2; i++) {
		expect_untouched(&p, HANDED_ON);
		expect("fl_uplink_in", &p, TC_ACT_REDIRECT,
		       REASON_BIT(FORWARDED), &want);
	}
	p = packet_build(&reply);
	want = returned(back);
	expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(RETURNED), &want);
}

/* Here the stack brings it on, and fl_uplink_out the answer back. */
static void policy_local_shows_pods_the_client(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet sent = tcp(f->client, 4321, f->backend, POD_PORT,
				 .flags = SYN);
	struct packet reply = tcp(f->backend, POD_PORT, f->client, 4321,
				  .flags = SYN | ACK);
	struct packet back = tcp(f->vip, 80, f->client, 4321,
				 .flags = SYN | ACK);

	world_link(world, LINK_POD);
	world_local(world, f->backend);
	words.kind = KIND_LB_VIP;
	words.flags = SERVICE_POLICY_LOCAL;
	define(&words);
	world_tables(world)->runtime->has_local = 1;
	expect("fl_uplink_in", &in, TCX_NEXT, REASON_BIT(FORWARDED), &sent);
	expect_left_alone("fl_pod_in", &reply);
	expect("fl_uplink_out", &reply, TCX_NEXT, REASON_BIT(RETURNED), &back);
}

/* Not its pod's interface: so not to there either. */
static void nobody_outside_can_move_a_pod(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct words in = { l4_words(IPPROTO_TCP, f->client, 4321, f->vip, 80),
			    .flags = SYN };
	struct words forged = in;
	struct words reply = { l4_words(IPPROTO_TCP, f->backend, POD_PORT,
					f->nat, 4321), .flags = SYN | ACK };
	struct words back = { l4_words(IPPROTO_TCP, f->vip, 80, f->client,
				       4321), .flags = SYN | ACK, .ttl = 63 };
	const struct link *pod = &world_tables(world)->links[LINK_POD];
	struct packet p = packet_build(&in), want;
	struct outcome got;

	words.kind = KIND_NODE_PORT;
	define(&words);
	world_pod(world, true);
	run("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(FORWARDED));
	world_pod(world, false);
	forged.smac[0] = 0x66;
	p = packet_build(&forged);
	world_run(world, &p, &got);
	p = packet_build(&reply);
	want = packet_build(&back);
	want = packet_framed(&want, mac_client, pod->mac,
			     (struct vlan[VLANS_MAX]){});
	expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(RETURNED), &want);
	p = packet_build(&reply);
	world_run(world, &p, &got);
	assert_int_equal(got.reasons, REASON_BIT(HANDED_ON));
	expect_same(&p, &got.packet);
}

/* What is told of the host's own is in force, and its packets are seen. */
static void define_for_host(const struct service_words *words)
{
	define(words);
	world_tables(world)->runtime->has_local = 1;
	world_tables(world)->runtime->has_node = 1;
}

/* As if it had come in by the link that its route to the service leads to. */
static struct packet to_host(const struct packet *p)
{
	const struct link *l = &world_tables(world)->links[LINK_TX];

	return packet_framed(p, l->mac, l->mac, (struct vlan[VLANS_MAX]){});
}

static void the_host_reaches_pods(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct service_words words = cluster_ip(f, protos[i]);
		struct packet in = l4(protos[i], f->nat, 4321, f->vip, 80);
		struct packet sent = l4(protos[i], f->nat, 4321, f->backend,
					POD_PORT);
		struct packet reply = l4(protos[i], f->backend, POD_PORT,
					 f->nat, 4321);
		struct packet back = l4(protos[i], f->vip, 80, f->nat, 4321);
		struct outcome got;

		world_reset(world);
		world_host(world, f->nat);
		define_for_host(&words);
		sent = framed_to(&sent, f->backend, LINK_TX);
		expect("fl_uplink_out", &in, TC_ACT_REDIRECT,
		       REASON_BIT(FORWARDED), &sent);
		expect_left_alone("fl_pod_out", &sent);
		back = to_host(&back);
		expect("fl_pod_in", &reply, TC_ACT_REDIRECT,
		       REASON_BIT(RETURNED), &back);
		expect_left_alone("fl_uplink_in", &back);
		world_run(world, &reply, &got);
		assert_int_equal(got.reasons, REASON_BIT(HANDED_ON));
		expect_same(&reply, &got.packet);
		expect("fl_uplink_in", &reply, TC_ACT_REDIRECT,
		       REASON_BIT(RETURNED), &back);
	}
}

/* Its sockets have ports that NAT might give to others. */
static void the_hosts_own_connections_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet own[] = {
		tcp(f->nat, 4321, f->stranger, 80, .flags = SYN),
		tcp(f->nat, 4321, f->backend, POD_PORT, .flags = SYN),
		tcp(f->nat, 22, f->client, 4321, .flags = SYN | ACK),
		tcp(f->nat, 22, f->nat, 4321, .flags = SYN | ACK),
		echo_request(f->nat, f->client, 1, 10),
	};
	struct packet replies[] = {
		tcp(f->backend, POD_PORT, f->nat, 4321, .flags = SYN | ACK),
		tcp(f->client, 4321, f->nat, 22, .flags = SYN),
		echo_request(f->client, f->nat, 1, 10),
	};

	world_host(world, f->nat);
	define_for_host(&words);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		expect_left_alone("fl_uplink_out", &own[i]);
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		expect_left_alone("fl_pod_in", &replies[i]);
		expect_left_alone("fl_uplink_in", &replies[i]);
	}
}

static void the_host_is_refused_as_well(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->nat, 4321, f->vip, 80, .flags = SYN,
			       .seq = 99);
	struct packet want = tcp(f->vip, 80, f->nat, 4321, .df = true,
				 .flags = RST | ACK, .ack = 100);

	put16(want.data + want.len - 6, 0);
	packet_sum(&want);
	want = packet_framed(&want, mac_client, mac_us,
			     (struct vlan[VLANS_MAX]){});
	words.backends[0] = NULL;
	world_host(world, f->nat);
	define_for_host(&words);
	expect("fl_uplink_out", &in, TC_ACT_REDIRECT, REASON_BIT(NO_BACKEND),
	       &want);
}

static struct service_words node_port(const struct family *f, uint8_t proto)
{
	struct service_words words = cluster_ip(f, proto);

	words.addr = f->v6 ? "::" : "0.0.0.0";
	words.port = 30080;
	words.kind = KIND_NODE_PORT;
	return words;
}

/* What it sends to its own addresses never leaves but by the loopback. */
static void the_host_reaches_its_own_node_ports(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct service_words words = node_port(f, protos[i]);
		struct packet in = l4(protos[i], f->nat, 4321, f->nat, 30080);
		struct packet sent = l4(protos[i], f->nat, 4321, f->backend,
					POD_PORT);
		struct packet reply = l4(protos[i], f->backend, POD_PORT,
					 f->nat, 4321);
		struct packet back = l4(protos[i], f->nat, 30080, f->nat,
					4321);

		world_reset(world);
		world_node(world, f->nat);
		define_for_host(&words);
		sent = framed_to(&sent, f->backend, LINK_TX);
		back = to_host(&back);
		for (int j = 0; j < 2; j++) {
			expect("fl_host_out", &in, TC_ACT_REDIRECT,
			       REASON_BIT(FORWARDED), &sent);
			expect("fl_pod_in", &reply, TC_ACT_REDIRECT,
			       REASON_BIT(RETURNED), &back);
		}
	}
}

/* A pod in the host's network: packets stay where they are. */
static void the_host_is_its_own_backend(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct service_words words = node_port(f, protos[i]);
		struct packet in = l4(protos[i], f->nat, 4321, f->nat, 30080);
		struct packet sent = l4(protos[i], f->nat, 4321, f->backend,
					POD_PORT);
		struct packet reply = l4(protos[i], f->backend, POD_PORT,
					 f->nat, 4321);
		struct packet back = l4(protos[i], f->nat, 30080, f->nat,
					4321);

		world_reset(world);
		world_node(world, f->nat);
		world_local(world, f->backend);
		define_for_host(&words);
		for (int j = 0; j < 2; j++) {
			expect("fl_host_out", &in, TCX_NEXT,
			       REASON_BIT(FORWARDED), &sent);
			expect("fl_host_out", &reply, TCX_NEXT,
			       REASON_BIT(RETURNED), &back);
		}
	}
}

static void what_the_host_tells_itself_is_left_alone(void **state)
{
	const struct family *f = *state;
	const char *loopback = f->v6 ? "::1" : "127.0.0.1";
	struct service_words words = node_port(f, IPPROTO_TCP);
	struct packet own[] = {
		tcp(loopback, 4321, loopback, 30080, .flags = SYN),
		tcp(f->nat, 4321, loopback, 30080, .flags = SYN),
		tcp(f->nat, 4321, f->nat, 22, .flags = SYN),
		tcp(f->nat, 22, f->nat, 4321, .flags = SYN | ACK),
		udp(f->nat, 53, f->nat, 4321, .payload = 3),
		echo_request(f->nat, f->nat, 1, 10),
	};

	world_node(world, f->nat);
	define_for_host(&words);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		expect_left_alone("fl_host_out", &own[i]);
}

static void the_hosts_own_node_port_refuses_it(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_port(f, IPPROTO_TCP);
	struct packet in = tcp(f->nat, 4321, f->nat, 30080, .flags = SYN,
			       .seq = 99);
	struct packet want = tcp(f->nat, 30080, f->nat, 4321, .df = true,
				 .flags = RST | ACK, .ack = 100);

	put16(want.data + want.len - 6, 0);
	packet_sum(&want);
	want = packet_framed(&want, mac_client, mac_us,
			     (struct vlan[VLANS_MAX]){});
	words.backends[0] = NULL;
	world_node(world, f->nat);
	define_for_host(&words);
	expect("fl_host_out", &in, TC_ACT_REDIRECT, REASON_BIT(NO_BACKEND),
	       &want);
}

/* Of an edge's services they are left alone, as nothing tells of a node. */
static void on_the_edge_the_host_is_nobodys_client(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->nat, 4321, f->vip, 80, .flags = SYN);

	define(&words);
	world_tables(world)->runtime->has_local = 1;
	expect_left_alone("fl_uplink_out", &in);
}

/* A pod in the host's own network has the host's address, and sees all. */
static void the_host_as_backend_sees_the_client(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet sent = tcp(f->client, 4321, f->backend, POD_PORT,
				 .flags = SYN);
	struct packet reply = tcp(f->backend, POD_PORT, f->client, 4321,
				  .flags = SYN | ACK);
	struct packet back = tcp(f->vip, 80, f->client, 4321,
				 .flags = SYN | ACK);

	world_local(world, f->backend);
	for (int kind = KIND_CLUSTER_IP; kind <= KIND_EXTERNAL_IP; kind++) {
		words.kind = kind;
		world_forget(world);
		define(&words);
		expect_from_pod(&in, &sent);
		expect_to_pod(&reply, &back);
	}
	world_forget(world);
	world_tables(world)->runtime->has_local = 1;
	expect_packet(&in, LOCAL, &sent);
	expect("fl_uplink_out", &reply, TCX_NEXT, REASON_BIT(RETURNED), &back);
}

static void clients_stick_whoever_they_are(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct addr first;

	words.also[0] = f->vip2;
	words.backends[1] = f->backend2;
	words.backends[2] = f->backend3;
	words.affinity_s = 3600;
	define(&words);
	for (int i = 0; i < 60; i++) {
		struct packet in = tcp(f->client, 2000 + i,
				       i & 1 ? f->vip2 : f->vip, 80,
				       .flags = SYN), sent;
		struct layers l;

		sent = run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		packet_layers(&sent, &l);
		if (!i)
			first = l.dst;
		assert_memory_equal(&first, &l.dst, sizeof(first));
	}
}

/* Where the next connection of the client goes, so many seconds later (of which
 * the reference knows nothing). */
static struct addr next_backend(const struct family *f, uint8_t proto,
				uint16_t port, __u32 seconds)
{
	struct packet in = l4(proto, f->client, port, f->vip, 80);
	struct outcome got;
	struct layers l;

	world_age(world, seconds);
	assert_int_equal(world_run_tc(world, "fl_pod_in", &in, &got), TCX_NEXT);
	assert_int_equal(got.reasons, REASON_BIT(FORWARDED));
	packet_layers(&got.packet, &l);
	return l.dst;
}

/* Each new connection begins it anew; afterwards it is chance again. */
static void a_client_is_free_when_its_time_is_over(void **state)
{
	const struct family *f = *state;
	static const __u32 limits[] = { 1, 10, 10800 };

	for (int i = 0; i < 9; i++) {
		struct service_words words = cluster_ip(f, protos[i % 3]);
		__u32 limit = limits[i / 3];
		struct addr first, next;
		bool has_moved = false;

		world_reset(world);
		words.backends[1] = f->backend2;
		words.affinity_s = limit;
		define(&words);
		first = next_backend(f, words.proto, 1000, 0);
		for (int j = 1; j < 20; j++) {
			next = next_backend(f, words.proto, 1000 + j,
					    limit / 2);
			assert_memory_equal(&first, &next, sizeof(first));
		}
		for (int j = 20; j < 60 && !has_moved; j++) {
			next = next_backend(f, words.proto, 1000 + j,
					    limit + 1);
			has_moved = memcmp(&first, &next, sizeof(first));
		}
		assert_true(has_moved);
	}
}

/* An association, to its end, at a cluster IP and at a node port that puts the
 * node's address in the client's place. */
static void an_association_begins_and_ends(void **state)
{
	static const struct { uint8_t chunk; bool is_reply; } chunks[] = {
		{ SCTP_INIT, false }, { SCTP_INIT_ACK, true },
		{ 10 /* COOKIE ECHO */, false }, { SCTP_COOKIE_ACK, true },
		{ SCTP_DATA, false }, { SCTP_SACK, true },
		{ SCTP_DATA, true }, { SCTP_SACK, false },
		{ SCTP_SHUTDOWN, false }, { 8 /* SHUTDOWN ACK */, true },
		{ SCTP_SHUTDOWN_COMPLETE, false },
	};
	const struct family *f = *state;
	const size_t count = sizeof(chunks) / sizeof(*chunks);

	for (int is_nat = 0; is_nat < 2; is_nat++) {
		struct service_words words = cluster_ip(f, IPPROTO_SCTP);
		const char *seen = is_nat ? f->nat : f->client;

		world_reset(world);
		words.kind = is_nat ? KIND_LB_VIP : KIND_CLUSTER_IP;
		define(&words);
		for (size_t i = 0; i < count; i++) {
			struct words from = { l4_words(IPPROTO_SCTP, f->client,
						       4321, f->vip, 80),
					      .chunk = chunks[i].chunk,
					      .payload = 16,
					      .content = tag_of_init };
			struct words to = from;
			struct packet p, want;

			if (chunks[i].is_reply) {
				to.src = addr(f->vip);
				to.dst = addr(f->client);
				to.sport = 80;
				to.dport = 4321;
				from = to;
				from.src = addr(f->backend);
				from.dst = addr(seen);
				from.sport = POD_PORT;
			} else {
				to.src = addr(seen);
				to.dst = addr(f->backend);
				to.dport = POD_PORT;
			}
			p = packet_build(&from);
			want = packet_build(&to);
			if (is_nat)
				want = chunks[i].is_reply ?
					       returned(to) :
					       routed(to, f->backend);
			expect(is_nat || !chunks[i].is_reply ? "fl_pod_in" :
							       "fl_pod_out",
			       &p, is_nat ? TC_ACT_REDIRECT : TCX_NEXT,
			       chunks[i].is_reply ? REASON_BIT(RETURNED) :
						    REASON_BIT(FORWARDED),
			       &want);
			if (i == 2)
				assert_int_equal(conn_state_of(f), CONN_LIVE);
		}
		assert_int_equal(conn_state_of(f), CONN_CLOSING);
	}
}

/* From the pod's interface straight back into it. */
static void expect_answer(const struct packet *in, enum reason why,
			  const struct packet *want)
{
	struct packet back = packet_framed(want, mac_client, mac_us,
					   (struct vlan[VLANS_MAX]){});

	expect("fl_pod_in", in, TC_ACT_REDIRECT, 1ull << why, &back);
}

/* RFC 9293, 3.10.7.1: what the segment has, acknowledged. */
static struct packet reset(const struct family *f, uint16_t vport,
			   uint32_t ack)
{
	struct packet p = tcp(f->vip, vport, f->client, 4321, .df = true,
			      .flags = RST | ACK, .ack = ack);

	put16(p.data + p.len - 6, 0);	/* no window */
	packet_sum(&p);
	return p;
}

static struct packet unreachable(const struct family *f,
				 const struct packet *about)
{
	struct addr vip = addr(f->vip), client = addr(f->client);
	size_t head = (f->v6 ? 40 : 20) + 8, have = about->len - ETH_LEN;
	size_t least = f->v6 ? 48 : 28;
	struct packet p;

	p = icmp_error(&vip, &client, f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0, about,
		       (have > head + least ? have - head : least) & ~3u);
	if (!f->v6) {
		put16(p.data + ETH_LEN + 6, 0x4000);
		packet_sum_ip4(&p, ETH_LEN);
	}
	return p;
}

static void nobody_there_is_refused_at_once(void **state)
{
	const struct family *f = *state;

	for (int port = 80; port < 82; port++) {
		const enum reason why = port == 80 ? REASON_NO_BACKEND :
						     REASON_NO_SERVICE;

		for (int i = 0; i < 3; i++) {
			struct service_words words = cluster_ip(f, protos[i]);
			struct packet in = packet_of(
				l4_words(protos[i], f->client, 4321, f->vip,
					 port),
				.flags = SYN, .seq = 999, .payload = 100);
			struct packet want = i ? unreachable(f, &in) :
						 reset(f, port, 1100);

			world_reset(world);
			words.backends[0] = NULL;
			define(&words);
			expect_answer(&in, why, &want);
		}
	}
}

/* The host's end of a veth is many answers' way: nobody else is reached. */
static void refusals_to_pods_have_no_limit(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet want = reset(f, 80, 1);

	words.backends[0] = NULL;
	world_model(world)->answers_per_s = 1;
	world_model(world)->answers_network_per_s = 1;
	define(&words);
	for (int i = 0; i < 50; i++)
		expect_answer(&in, REASON_NO_BACKEND, &want);
}

static void a_reset_has_no_options(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet want = reset(f, 80, 1 + 700);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
			       .options = 40, .tcp_options = 40,
			       .payload = 700,
			       .extensions = { EXTENSION_DESTINATION });

	words.backends[0] = NULL;
	define(&words);
	expect_answer(&in, REASON_NO_BACKEND, &want);
}

static void a_local_policy_that_has_nobody_drops(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);

	words.flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS;
	define(&words);
	expect_dropped(&in, NO_LOCAL);
}

/* External traffic policies are for who comes from outside. */
static void pods_may_take_a_short_circuit(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet sent = tcp(f->client, 4321, f->backend, POD_PORT,
				 .flags = SYN);

	words.kind = KIND_LB_VIP;
	words.flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS;
	define(&words);
	expect_from_pod(&in, &sent);
}

static void sources_are_asked_first(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);

	words.kind = KIND_LB_VIP;
	words.allow[0] = f->client2;
	define(&words);
	expect_dropped(&in, SOURCE);
	words.backends[0] = NULL;
	define(&words);
	expect_dropped(&in, SOURCE);
}

/* Nor does who is refused move the way of whom he says that he is. */
static void who_may_not_begin_anew_moves_nobody(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet end = tcp(f->client, 4321, f->vip, 80, .flags = RST);
	struct packet forged = tcp(f->client, 4321, f->vip, 80, .flags = SYN,
				   .smac = { 0x66 });
	struct packet reply = tcp(f->backend, POD_PORT, f->nat, 4321,
				  .flags = ACK);
	struct words back = { l4_words(IPPROTO_TCP, f->vip, 80, f->client,
				       4321), .flags = ACK };
	struct packet want = returned(back);

	words.kind = KIND_LB_VIP;
	define(&words);
	run("fl_pod_in", &in, TC_ACT_REDIRECT, REASON_BIT(FORWARDED));
	run("fl_pod_in", &end, TC_ACT_REDIRECT, REASON_BIT(FORWARDED));
	words.deny[0] = f->client;
	define(&words);
	expect_dropped(&forged, SOURCE);
	expect("fl_pod_in", &reply, TC_ACT_REDIRECT, REASON_BIT(RETURNED),
	       &want);
}

static void strangers_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet own[] = {
		tcp(f->client, 4321, f->stranger, 80, .flags = SYN),
		tcp(f->client, 4321, f->backend, POD_PORT, .flags = SYN),
		tcp(f->client, 4321, f->nat, 22, .flags = SYN),
		udp(f->backend, 53, f->client, 4321, .payload = 3),
		echo_request(f->backend, f->client, 1, 10),
	};
	struct packet arp = own[0];

	serve(f, IPPROTO_TCP);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		expect_left_alone("fl_pod_in", &own[i]);
		expect_left_alone("fl_pod_out", &own[i]);
	}
	put16(arp.data + 12, 0x0806);
	expect_left_alone("fl_pod_in", &arp);
	expect_left_alone("fl_pod_out", &arp);
}

/* Balancers have services as well, which are XDP's. */
static void services_at_the_edge_are_left_alone(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct service_words words = cluster_ip(f, IPPROTO_TCP);

	words.kind = KIND_EDGE;
	define(&words);
	expect_left_alone("fl_pod_in", &in);
}

static void echo_requests_are_answered(void **state)
{
	const struct family *f = *state;
	struct packet in = echo_request(f->client, f->vip, 7, 40);
	struct packet got;
	struct layers l;

	serve(f, IPPROTO_TCP);
	got = run("fl_pod_in", &in, TC_ACT_REDIRECT, REASON_BIT(ECHO));
	packet_layers(&got, &l);
	assert_addr(l.src, f->vip);
	assert_addr(l.dst, f->client);
	assert_int_equal(got.data[l.l4], f->v6 ? 129 : 0);
	assert_true(packet_checksums_ok(&got));
}

/* What the host, a router or the backend says about what the client sent: it
 * knows nothing but the service. */
static void errors_about_requests_reach_the_pod(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), client = addr(f->client);
	struct addr vip = addr(f->vip);
	size_t least = f->v6 ? 48 : 28;

	for (int i = 0; i < 2; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet sent = packet_of(
			l4_words(protos[i], f->client, 4321, f->backend,
				 POD_PORT), .payload = 40);
		struct packet inner = packet_of(
			l4_words(protos[i], f->client, 4321, f->vip, 80),
			.payload = 40);

		world_reset(world);
		serve(f, protos[i]);
		run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		for (size_t cut = least; cut < 110; cut += 20) {
			struct packet error = icmp_error(&router, &client,
				f->v6 ? 2 : 3, f->v6 ? 0 : 4, 1400, &sent, cut);
			struct packet want = icmp_error(&vip, &client,
				f->v6 ? 2 : 3, f->v6 ? 0 : 4, 1400, &inner,
				cut);

			expect("fl_pod_out", &error, TCX_NEXT,
			       REASON_BIT(ICMP_FORWARDED), &want);
		}
	}
}

/* And what the client says about answers, which came from the service. */
static void errors_about_answers_reach_the_backend(void **state)
{
	const struct family *f = *state;
	struct addr client = addr(f->client), vip = addr(f->vip);
	struct addr backend = addr(f->backend);

	for (int i = 0; i < 2; i++) {
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet back = packet_of(
			l4_words(protos[i], f->vip, 80, f->client, 4321),
			.payload = 40);
		struct packet reply = packet_of(
			l4_words(protos[i], f->backend, POD_PORT, f->client,
				 4321), .payload = 40);
		struct packet error = icmp_error(&client, &vip, f->v6 ? 1 : 3,
			f->v6 ? 4 : 3, 0, &back, PACKET_MAX);
		struct packet want = icmp_error(&client, &backend,
			f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0, &reply, PACKET_MAX);

		world_reset(world);
		serve(f, protos[i]);
		run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		expect("fl_pod_in", &error, TCX_NEXT,
		       REASON_BIT(ICMP_FORWARDED), &want);
	}
}

static void fragments_follow_their_first_one(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 4321, f->vip, 80, .payload = 400);
	struct packet sent = udp(f->client, 4321, f->backend, POD_PORT,
				 .payload = 400);
	struct packet reply = udp(f->backend, POD_PORT, f->client, 4321,
				  .payload = 400);
	struct packet back = udp(f->vip, 80, f->client, 4321, .payload = 400);

	serve(f, IPPROTO_UDP);
	for (size_t at = 0; at < 400; at += 200) {
		struct packet lone = packet_fragment(&in, 200, 200, 78);
		struct packet p = packet_fragment(&in, at, 200, 77);
		struct packet want = packet_fragment(&sent, at, 200, 77);

		expect_dropped(&lone, FRAGMENT_EARLY);
		expect_from_pod(&p, &want);
	}
	for (size_t at = 0; at < 400; at += 200) {
		struct packet lone = packet_fragment(&reply, 200, 200, 80);
		struct packet p = packet_fragment(&reply, at, 200, 79);
		struct packet want = packet_fragment(&back, at, 200, 79);

		expect_left_alone("fl_pod_out", &lone);
		expect_to_pod(&p, &want);
	}
}

/* What the device is to cut is as long as its largest piece. */
static void many_packets_in_one_fit_if_each_does(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct words in = { l4_words(IPPROTO_TCP, f->client, 4321, f->vip, 80),
			    .flags = SYN, .payload = 1900 };
	struct words sent = in;
	struct packet p = packet_build(&in), want;

	words.kind = KIND_NODE_PORT;
	define(&words);
	sent.src = addr(f->nat);
	sent.dst = addr(f->backend);
	sent.dport = POD_PORT;
	want = routed(sent, f->backend);
	in.df = true;
	p = packet_build(&in);
	run("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(TOO_BIG));
	in.df = false;
	p = packet_build(&in);
	world_gso(world, 1500 - (f->v6 ? 60 : 40));
	expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(FORWARDED), &want);
	world_gso(world, 1501 - (f->v6 ? 60 : 40));
	run("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(TOO_BIG));
}

static void udp_moves_when_its_backend_is_gone(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_UDP);
	struct packet in = udp(f->client, 4321, f->vip, 80, .payload = 9);
	struct packet sent = udp(f->client, 4321, f->backend, POD_PORT,
				 .payload = 9);
	struct packet moved = udp(f->client, 4321, f->backend2, POD_PORT,
				  .payload = 9);
	struct packet want = unreachable(f, &in);

	define(&words);
	expect_from_pod(&in, &sent);
	words.backends[0] = f->backend2;
	define(&words);
	expect_from_pod(&in, &moved);
	expect_from_pod(&in, &moved);
	words.backends[0] = NULL;
	define(&words);
	expect_answer(&in, REASON_NO_BACKEND, &want);
}

static void tcp_stays_whatever_changes(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet sent = tcp(f->client, 4321, f->backend, POD_PORT,
				 .flags = SYN);
	struct packet later = tcp(f->client, 4321, f->vip, 80, .flags = ACK,
				  .payload = 10);
	struct packet later_sent = tcp(f->client, 4321, f->backend, POD_PORT,
				       .flags = ACK, .payload = 10);

	define(&words);
	expect_from_pod(&in, &sent);
	words.backends[0] = f->backend2;
	define(&words);
	expect_from_pod(&later, &later_sent);
	words.backends[0] = NULL;
	words.deny[0] = f->client;
	define(&words);
	expect_from_pod(&later, &later_sent);
}

/* The Service is deleted, but not what goes on: both ways, at each hook. What
 * begins now is nobody's. */
static void connections_outlive_their_service(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct service_words words = cluster_ip(f, protos[i]);
		struct packet in = l4(protos[i], f->client, 4321, f->vip, 80);
		struct packet sent = l4(protos[i], f->client, 4321, f->backend,
					POD_PORT);
		struct packet reply = l4(protos[i], f->backend, POD_PORT,
					 f->client, 4321);
		struct packet back = l4(protos[i], f->vip, 80, f->client,
					4321);
		struct packet other = l4(protos[i], f->client, 4322, f->vip,
					 80);

		world_reset(world);
		define(&words);
		expect_from_pod(&in, &sent);
		expect_to_pod(&reply, &back);
		world_undefine(world, "web");
		world_apply(world);
		expect_left_alone("fl_pod_in", &other);
		if (protos[i] == IPPROTO_UDP) {
			expect_left_alone("fl_pod_in", &in);
			continue;
		}
		for (int j = 0; j < 2; j++) {
			expect_from_pod(&in, &sent);
			expect_to_pod(&reply, &back);
		}
		/* made again, with another backend: for others alone */
		words.backends[0] = f->backend2;
		define(&words);
		sent = l4(protos[i], f->client, 4322, f->backend2, POD_PORT);
		expect_from_pod(&other, &sent);
		expect_to_pod(&reply, &back);
	}
}

/* What begins anew where one ended is the service's, and that is no more; or
 * has another port, and refuses it. */
static void what_outlived_its_service_does_not_begin_anew(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet last = tcp(f->client, 4321, f->vip, 80, .flags = RST);

	for (int i = 0; i < 2; i++) {
		world_reset(world);
		words.port = 80;
		define(&words);
		run("fl_pod_in", &in, TCX_NEXT, REASON_BIT(FORWARDED));
		world_undefine(world, "web");
		world_apply(world);
		run("fl_pod_in", &last, TCX_NEXT, REASON_BIT(FORWARDED));
		if (!i) {
			expect_left_alone("fl_pod_in", &in);
			continue;
		}
		words.port = 81;
		define(&words);
		run("fl_pod_in", &in, TC_ACT_REDIRECT, REASON_BIT(NO_SERVICE));
	}
}

/* From outside, to a pod here by tc, and to one of another node by XDP. */
static void connections_from_outside_outlive_their_service(void **state)
{
	const struct family *f = *state;

	for (int is_here = 0; is_here < 2; is_here++) {
		struct service_words words = cluster_ip(f, IPPROTO_TCP);
		struct words in = { l4_words(IPPROTO_TCP, f->client, 4321,
					     f->vip, 80), .flags = SYN };
		struct words sent = { l4_words(IPPROTO_TCP, f->nat, 4321,
					       f->backend, POD_PORT),
				      .flags = SYN };
		struct packet p = packet_build(&in), other, want;
		struct outcome got;

		in.sport = 4322;
		other = packet_build(&in);
		world_reset(world);
		world_link(world, is_here ? LINK_POD : LINK_TX);
		words.kind = KIND_LB_VIP;
		define(&words);
		want = routed_by(sent, f->backend,
				 is_here ? LINK_POD : LINK_TX);
		for (int i = 0; i < 3; i++) {
			world_run(world, &p, &got);
			assert_int_equal(got.reasons, is_here ?
					 REASON_BIT(HANDED_ON) :
					 REASON_BIT(FORWARDED));
			expect_same(is_here ? &p : &want, &got.packet);
			if (is_here)
				expect("fl_uplink_in", &p, TC_ACT_REDIRECT,
				       REASON_BIT(FORWARDED), &want);
			world_undefine(world, "web");
			world_apply(world);
		}
		world_run(world, &other, &got);
		assert_int_equal(got.reasons, REASON_BIT(NO_CONN));
		expect_left_alone("fl_uplink_in", &other);
	}
}

/* No node port is left, and nobody looks at the node's address for one. */
static void connections_outlive_their_node_port(void **state)
{
	const struct family *f = *state;
	struct service_words words = node_port(f, IPPROTO_TCP);
	struct words in = { l4_words(IPPROTO_TCP, f->client, 4321, f->nat,
				     30080), .flags = SYN };
	struct words sent = { l4_words(IPPROTO_TCP, f->nat, 4321, f->backend,
				       POD_PORT), .flags = SYN };
	struct packet p = packet_build(&in), other;
	struct packet want = routed(sent, f->backend);

	in.sport = 4322;
	other = packet_build(&in);
	world_node(world, f->nat);
	define(&words);
	for (int i = 0; i < 3; i++) {
		expect("fl_pod_in", &p, TC_ACT_REDIRECT, REASON_BIT(FORWARDED),
		       &want);
		if (i == 1) {	/* a cluster IP alone */
			words = cluster_ip(f, IPPROTO_TCP);
			define(&words);
		} else {
			world_undefine(world, "web");
			world_apply(world);
		}
		expect_left_alone("fl_pod_in", &other);
	}
}

/* Who comes from outside keeps his address where nothing tells pods from
 * others: through the host's stack, which XDP leaves it to. */
static void without_a_detector_nobody_is_masqueraded(void **state)
{
	const struct family *f = *state;
	struct service_words words = cluster_ip(f, IPPROTO_TCP);
	struct packet in = tcp(f->client, 4321, f->vip, 80, .flags = SYN);
	struct packet sent = tcp(f->client, 4321, f->backend, POD_PORT,
				 .flags = SYN);
	struct packet reply = tcp(f->backend, POD_PORT, f->client, 4321,
				  .flags = SYN | ACK);
	struct packet back = tcp(f->vip, 80, f->client, 4321,
				 .flags = SYN | ACK);

	world_define(world, &words);
	world_apply(world);
	world_tables(world)->runtime->has_local = 1;
	for (int i = 0; i < 2; i++) {
		expect_untouched(&in, HANDED_ON);
		expect("fl_uplink_in", &in, TCX_NEXT, REASON_BIT(FORWARDED),
		       &sent);
		expect_left_alone("fl_uplink_in", &reply);
		expect("fl_uplink_out", &reply, TCX_NEXT, REASON_BIT(RETURNED),
		       &back);
	}
}

/* Pods of other nodes, by the cluster's CIDR, are as good as those here. */
static void pods_of_other_nodes_come_by_uplinks(void **state)
{
	static const struct {
		bool is_pod;
		enum service_kind kind;
		__u16 flags;
		bool masquerades;
	} rows[] = {
		{ true, KIND_CLUSTER_IP, 0, false },
		{ true, KIND_CLUSTER_IP, SERVICE_MASQUERADE, true },
		{ true, KIND_LB_VIP, SERVICE_POLICY_LOCAL, false },
		{ true, KIND_LB_VIP, 0, true },
		{ false, KIND_CLUSTER_IP, 0, true },
		{ false, KIND_LB_VIP, 0, true },
	};
	const struct family *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct service_words words = cluster_ip(f, IPPROTO_TCP);
		struct words in = { l4_words(IPPROTO_TCP, f->client, 4321,
					     f->vip, 80), .flags = SYN };
		struct words sent = in;
		struct packet p = packet_build(&in), want;
		struct model_prefix pods = {
			.addr = addr(rows[i].is_pod ? f->client : f->client2),
			.len = rows[i].is_pod ? 100 : 128,
			.is_set = true,
		};

		world_reset(world);
		world_model(world)->pods4 = pods;
		world_model(world)->pods6 = pods;
		words.kind = rows[i].kind;
		words.flags = rows[i].flags;
		world_define(world, &words);
		world_apply(world);
		sent.dst = addr(f->backend);
		sent.dport = POD_PORT;
		want = packet_build(&sent);
		if (rows[i].masquerades) {
			sent.src = addr(f->nat);
			want = routed(sent, f->backend);
			expect_packet(&p, FORWARDED, &want);
			continue;
		}
		expect_untouched(&p, HANDED_ON);
		expect("fl_uplink_in", &p, TCX_NEXT, REASON_BIT(FORWARDED),
		       &want);
	}
}

static void every_cut_packet_is_dropped(void **state)
{
	const struct family *f = *state;
	struct packet in = l4(IPPROTO_TCP, f->client, 4321, f->vip, 80);
	struct outcome got;
	struct layers l;

	serve(f, IPPROTO_TCP);
	packet_layers(&in, &l);
	/* less than a header of IP is no packet for a test run */
	for (size_t len = l.l3 + (f->v6 ? 40 : 20); len < in.len; len++) {
		struct packet cut = packet_cut(&in, len);

		assert_int_equal(world_run_tc(world, "fl_pod_in", &cut, &got),
				 TC_ACT_SHOT);
		assert_int_equal(got.reasons, REASON_BIT(TRUNCATED));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_pod_keeps_its_address),
		BOTH(a_pod_keeps_its_port),
		BOTH(a_port_that_is_taken_is_another),
		BOTH(who_dials_the_backend_itself_hears_from_it),
		BOTH(who_begins_anew_hears_from_the_service),
		BOTH(what_begins_anew_is_not_live_by_a_guess),
		BOTH(each_connection_chooses_anew),
		BOTH(a_pod_reaches_itself),
		BOTH(some_front_ends_masquerade),
		BOTH(pods_are_told_by_their_source),
		BOTH(who_is_no_pod_takes_no_short_circuit),
		BOTH(pods_get_packets_from_outside),
		BOTH(policy_local_shows_pods_the_client),
		BOTH(nobody_outside_can_move_a_pod),
		BOTH(the_host_reaches_pods),
		BOTH(the_hosts_own_connections_are_left_alone),
		BOTH(the_host_is_refused_as_well),
		BOTH(the_host_reaches_its_own_node_ports),
		BOTH(the_host_is_its_own_backend),
		BOTH(what_the_host_tells_itself_is_left_alone),
		BOTH(the_hosts_own_node_port_refuses_it),
		BOTH(on_the_edge_the_host_is_nobodys_client),
		BOTH(the_host_as_backend_sees_the_client),
		BOTH(clients_stick_whoever_they_are),
		BOTH(a_client_is_free_when_its_time_is_over),
		BOTH(an_association_begins_and_ends),
		BOTH(nobody_there_is_refused_at_once),
		BOTH(refusals_to_pods_have_no_limit),
		BOTH(a_reset_has_no_options),
		BOTH(a_local_policy_that_has_nobody_drops),
		BOTH(pods_may_take_a_short_circuit),
		BOTH(sources_are_asked_first),
		BOTH(who_may_not_begin_anew_moves_nobody),
		BOTH(strangers_are_left_alone),
		BOTH(services_at_the_edge_are_left_alone),
		BOTH(echo_requests_are_answered),
		BOTH(errors_about_requests_reach_the_pod),
		BOTH(errors_about_answers_reach_the_backend),
		BOTH(fragments_follow_their_first_one),
		BOTH(many_packets_in_one_fit_if_each_does),
		BOTH(udp_moves_when_its_backend_is_gone),
		BOTH(tcp_stays_whatever_changes),
		BOTH(connections_outlive_their_service),
		BOTH(what_outlived_its_service_does_not_begin_anew),
		BOTH(connections_from_outside_outlive_their_service),
		BOTH(connections_outlive_their_node_port),
		BOTH(without_a_detector_nobody_is_masqueraded),
		BOTH(pods_of_other_nodes_come_by_uplinks),
		BOTH(every_cut_packet_is_dropped),
	};

	return run_both(tests);
}
