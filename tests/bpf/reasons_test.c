// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every reason in headers/fairlead/reasons.h is reached: a new one without a
 * packet here fails. INTERNAL alone cannot be provoked.
 */
#include <stdio.h>

#include "model/words.h"
#include "family.h"

static void run(struct packet p)
{
	struct outcome got;

	world_run(world, &p, &got);
}

static void serve(const struct family *f, enum forward forward, uint8_t proto)
{
	world_reset(world);
	world_service(world, .addr = f->vip, .port = 80, .forward = forward,
		      .proto = proto, .backends = { f->backend });
}

/* Passed on, answered or dropped at a VIP with a service that has backends. */
static void at_a_service(const struct family *f)
{
	struct packet p;

	serve(f, FORWARD_GUE, IPPROTO_TCP);
	p = tcp(f->client, 1, f->vip, 80);
	put16(p.data + 12, 0x0806);
	run(p);						/* NOT_IP */
	run(tcp(f->client, 1, f->stranger, 80));	/* NOT_OURS */
	run(tcp(f->client, 1, f->vip, 80));		/* FORWARDED */
	run(tcp(f->vip, 1, f->vip, 80));		/* OWN_SOURCE */
	run(tcp(f->client, 1, f->vip, 80,		/* OTHER_MAC */
		.dmac = { 0x02, 0, 0, 0, 0, 0x99 }));
	run(echo_request(f->client, f->vip, 1, 1));	/* ECHO */
	run(tcp(f->client, 1, f->vip, 81));		/* NO_SERVICE */
	/* UNANSWERED */
	run(tcp(f->client, 1, f->vip, 81, .flags = RST));
	run(tcp(f->client, 1, f->vip, 80, .ttl = 1));	/* HOPS_EXCEEDED */
	run(tcp(f->client, 1, f->vip, 80, .df = true,	/* TOO_BIG */
		.payload = 1480));
	if (!f->v6)
		run(tcp(f->client, 1, f->vip, 80,	/* CUT */
			.payload = 1480));
	run(tcp(f->client, 1, f->vip, 80,		/* ROUTED */
		.extensions = { EXTENSION_ROUTED }));
	p = tcp(f->client, 1, f->vip, 80);
	p.len -= 4;
	run(p);						/* TRUNCATED */
	p.len += 4;
	p.data[p.len - 8] = 0x40;
	run(p);						/* BAD_HEADER */
	p = tcp(f->v6 ? "ff02::1" : "127.0.0.1", 1, f->vip, 80);
	run(p);						/* BAD_ADDR */
	run(packet_of(.src = addr(f->client), .dst = addr(f->vip),
		      .proto = 89, .payload = 9));	/* PROTOCOL */
	run(packet_of(.src = addr(f->client), .dst = addr(f->vip),
		      .proto = f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		      .type = f->v6 ? 1 : 3));		/* ICMP_UNRELATED */
}

static void without_a_part(const struct family *f)
{
	const enum xdp_program part = f->v6 ? XDP_PROGRAM_xdp6 :
					      XDP_PROGRAM_xdp4;

	serve(f, FORWARD_GUE, IPPROTO_TCP);
	world_hide_program(world, part);
	run(tcp(f->client, 1, f->vip, 80));		/* NO_PROGRAM */
	world_show_program(world, part);
}

static void with_a_limit(const struct family *f)
{
	serve(f, FORWARD_GUE, IPPROTO_TCP);
	world_model(world)->answers_per_s = 1;
	world_apply(world);
	for (int i = 0; i < 2; i++)
		run(tcp(f->client, 1, f->vip, 81, .flags = SYN)); /* LIMITED */
}

static void about_a_tunnel(const struct family *f)
{
	struct addr router = addr(f->router);
	struct packet p = tcp(f->client, 1, f->vip, 80);
	struct outcome got;
	struct layers l;

	serve(f, FORWARD_IPIP, IPPROTO_TCP);
	world_run(world, &p, &got);
	packet_layers(&got.packet, &l);
	run(icmp_error(&router, &l.src, f->v6 ? 2 : 3, f->v6 ? 0 : 4, 1400,
		       &got.packet, PACKET_MAX));	/* TUNNEL_ERROR */
}

static void with_nat(const struct family *f)
{
	struct addr router = addr(f->router), vip = addr(f->vip);
	struct packet reply = tcp(f->vip, 80, f->client, 5000);

	serve(f, FORWARD_NAT, IPPROTO_TCP);
	run(tcp(f->client, 5000, f->vip, 80, .flags = SYN));
	run(tcp(f->backend, 80, f->nat, 5000));		/* RETURNED */
	run(icmp_error(&router, &vip, f->v6 ? 1 : 3, 0, 0, &reply,
		       PACKET_MAX));			/* ICMP_FORWARDED */
	run(tcp(f->client, 1, f->nat, 2));		/* NO_CONN */
	run(tcp(f->backend, 80, f->nat, 5000, .flags = SYN | ACK));
	run(tcp(f->client, 5000, f->vip, 80, .flags = ACK, .ack = 1));
	world_model(world)->nat_port_first = 5000;
	world_model(world)->nat_port_last = 5000;
	world_apply(world);
	run(tcp(f->client2, 5000, f->vip, 80, .flags = SYN)); /* NO_PORT */
}

static void with_policy_local(const struct family *f)
{
	world_reset(world);
	world_service(world, .addr = f->vip, .port = 80,
		      .algorithm = ALGORITHM_RANDOM, .kind = KIND_NODE_PORT,
		      .flags = SERVICE_POLICY_LOCAL | SERVICE_EMPTY_DROPS,
		      .backends = { f->backend });
	run(tcp(f->client, 1, f->vip, 80, .flags = SYN)); /* NO_LOCAL */
}

static void with_pods(const struct family *f)
{
	world_reset(world);
	world_link(world, LINK_POD);
	world_service(world, .addr = f->vip, .port = 80,
		      .kind = KIND_NODE_PORT, .backends = { f->backend });
	run(tcp(f->client, 1, f->vip, 80, .flags = SYN)); /* HANDED_ON */
}

/* STRAY_TUNNEL: the service goes in none. */
static void in_a_tunnel(const struct family *f)
{
	struct tunnel t = {
		.forward = FORWARD_IPIP, .src = addr(f->stranger),
		.dst = addr(f->backend),
	};
	struct packet inner = tcp(f->client, 1, f->vip, 80, .flags = SYN);
	struct packet p = packet_tunneled(&inner, &t);
	struct outcome got;

	world_reset(world);
	world_service(world, .addr = f->vip, .port = 80,
		      .algorithm = ALGORITHM_RANDOM, .kind = KIND_LB_VIP,
		      .backends = { f->backend });
	world_tables(world)->runtime->has_tunnels = 1;
	world_run_tc(world, "fl_uplink_in", &p, &got);
}

static void with_special_backends(const struct family *f)
{
	serve(f, FORWARD_IPIP, IPPROTO_TCP);
	world_backend_state(world, f->backend, BACKEND_DOWN);
	run(tcp(f->client, 1, f->vip, 80));		/* NO_BACKEND */

	world_reset(world);
	world_host(world, f->vip);
	world_local(world, f->backend);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_L2, .backends = { f->backend });
	run(tcp(f->client, 1, f->vip, 80));		/* LOCAL */
	run(tcp(f->client, 1, f->vip, 22));		/* HOST_PORT */
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_L2, .backends = { f->backend },
		      .deny = { f->client });
	run(tcp(f->client, 1, f->vip, 80));		/* SOURCE */

	world_reset(world);
	world_link(world, 0);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_NAT, .backends = { f->backend });
	run(tcp(f->client, 1, f->vip, 80));		/* NO_NEXT_HOP */
	world_service(world, .addr = f->vip2, .port = 80, .name = "l2",
		      .forward = FORWARD_L2, .backends = { f->backend });
	run(tcp(f->client, 1, f->vip2, 80));		/* NO_NEXT_HOP */

	world_reset(world);
	world_link(world, LINK_TX);
	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .backends = { f->backend });
	world_tables(world)->links[LINK_TX].addr4 = (struct addr){};
	world_tables(world)->links[LINK_TX].addr6 = (struct addr){};
	run(tcp(f->client, 1, f->vip, 80));		/* NO_SOURCE */
	world_reset(world);
}

/* FRAGMENT_EARLY, and FRAGMENT_LOST when there is no room for more: nobody
 * reads what is kept. */
static void with_many_fragments(const struct family *f)
{
	struct packet p = udp(f->client, 1, f->vip, 80, .payload = 900);

	serve(f, FORWARD_L2, IPPROTO_UDP);
	for (int i = 0; i < 1000; i++)
		run(packet_fragment(&p, 400, 200, i));
}

/* Datagrams of ever more clients, two of each. Live ones are never pushed out,
 * so the table fills up: UNRECORDED. */
static void fill_connections(const struct family *f)
{
	struct outcome got;
	struct packet p;

	world_service(world, .name = "datagrams", .addr = f->vip2, .port = 53,
		      .proto = IPPROTO_UDP, .forward = FORWARD_L2,
		      .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend2 });
	for (int i = 0; i < 120000; i++) {
		p = udp(i & 1 ? f->client : f->client2, 1024 + i / 2, f->vip2,
			53);
		world_run(world, &p, &got);
		world_run(world, &p, &got);
	}
}

/* Then there is NO_ROOM for a translation. */
static void with_many_connections(const struct family *f)
{
	struct outcome got = {};
	struct packet p;

	serve(f, FORWARD_NAT, IPPROTO_TCP);
	fill_connections(f);
	for (int i = 0; i < 60000 && !(got.reasons & REASON_BIT(NO_ROOM));
	     i++) {
		p = tcp(f->client, 1024 + i, f->vip, 80, .flags = SYN);
		world_run(world, &p, &got);
	}
}

static void from_a_workload(const struct packet *p)
{
	struct outcome got;

	world_place(world, LINK_POD, 0);
	world_run_tc(world, "fl_pod_in", p, &got);
}

static void with_policy(const struct family *f)
{
	struct tables *t = world_tables(world);
	struct workload *w = &t->workloads[1];
	struct packet p = tcp(f->client, 1, f->stranger, 80);
	struct packet forged = tcp(f->client2, 1, f->stranger, 80);
	__u64 *cell;

	world_reset(world);
	*w = (struct workload){ .ifindex = LINK_POD,
				.addr = { addr(f->client) } };
	cell = words_put(t->workload_cells, WORKLOAD_BUCKETS,
			 workload_word(LINK_POD, 1));
	t->runtime->policing = POLICE_WORKLOADS;
	t->runtime->policy_epoch = 1;
	from_a_workload(&forged);			/* SPOOFED */
	w->target.out = 9;	/* which is not there, and allows nothing */
	from_a_workload(&p);				/* POLICY */
	w->flags = WORKLOAD_CLOSED;
	from_a_workload(&p);				/* CLOSED */
	w->packets_per_s = 1;
	for (int i = 0; i < 2; i++)
		from_a_workload(&p);			/* WORKLOAD_LIMIT */
	words_drop(cell);
	*w = (struct workload){};
}

static void every_reason_is_reached(void **state)
{
	const struct family *f = *state;
	/* nobody but IPv6's sender cuts, and IPv4 has no such header */
	/* sockets have no test run, see tests/e2e/node_sockets.sh */
	__u64 seen, never = REASON_BIT(INTERNAL) | REASON_BIT(SOCKET) |
				   (f->v6 ? REASON_BIT(CUT) :
					    REASON_BIT(ROUTED));

	world_forget_seen(world);
	at_a_service(f);
	without_a_part(f);
	with_a_limit(f);
	about_a_tunnel(f);
	with_nat(f);
	with_policy_local(f);
	with_pods(f);
	in_a_tunnel(f);
	with_special_backends(f);
	with_policy(f);
	with_many_fragments(f);
	with_many_connections(f);
	seen = world_seen(world);
	for (int why = 0; why < NR_REASONS; why++) {
		if (!((seen | never) & 1ull << why))
			fprintf(stderr, "  never seen: %s\n", reason_name(why));
	}
	assert_int_equal(seen ^ never, ~0ull >> (64 - NR_REASONS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(every_reason_is_reached),
	};

	return run_both(tests);
}
