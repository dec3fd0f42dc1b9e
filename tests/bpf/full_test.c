// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node whose table of connections is as full as it was made for: what pods
 * begin, who makes room for that, and what those notice who live.
 */
#include <arpa/inet.h>

#include "kernel/dp.h"
#include "model/conns.h"
#include "family.h"

#define POD_PORT 8080
#define NEW 400
#define OLD_S 40		/* well below what stamps tell apart */
#define YOUNG_S 1

static struct tables *t;

static void serve(const struct family *f, uint8_t proto)
{
	t = world_tables(world);
	world_model(world)->detect_local = DETECT_INTERFACES;
	world_service(world, .addr = f->vip, .port = 80, .proto = proto,
		      .algorithm = ALGORITHM_RANDOM, .kind = KIND_CLUSTER_IP,
		      .backends = { f->backend }, .backend_port = POD_PORT);
}

static __u32 the_backend(void)
{
	__u32 id = 1;

	while (t->backends[id].state != BACKEND_ACTIVE)
		id++;
	return id;
}

/* A pod's, of so many; each has two ports. */
static struct flow flow_of(const struct family *f, uint8_t proto, __u32 number)
{
	struct flow flow = {
		.src = addr(f->client), .dst = addr(f->vip),
		.sport = htons(1000 + (number & 1)), .dport = htons(80),
		.proto = proto,
	};

	flow.src.word[3] = htonl(ntohl(flow.src.word[3]) + number / 2);
	return flow;
}

/* False: there is no room, where there is room for others. */
static bool put(const struct family *f, uint8_t proto, __u32 number,
		enum conn_state state, __u32 age_s)
{
	struct flow flow = flow_of(f, proto, number);
	__u32 id = the_backend(), now_s = dp_now_s() - age_s;
	struct conn_entry e = {
		.conn = {
			.client = flow.src, .vip = flow.dst,
			.cport = flow.sport, .vport = flow.dport,
			.what = conn_what(&flow) | CONN_NAT,
			.nat_port = flow.sport,
			.backend = conn_backend_word(id,
						t->backends[id].generation),
			.time = conn_time(now_s, conn_life_from(900)),
		},
		.word = (now_s * 8 & CONN_STAMP_MASK) << CONN_STAMP_SHIFT |
			state,
	};

	return conns_insert(t, &e);
}

static __u64 count_of(enum conn_state state)
{
	struct conns_usage u;

	assert_int_equal(conns_usage(t, &u), 0);
	return state == CONN_HALF    ? u.half :
	       state == CONN_CLOSING ? u.closing :
				       u.live;
}

/* So many live ones, of those numbers. */
static void fill(const struct family *f, uint8_t proto, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		assert_true(put(f, proto, i, CONN_LIVE, 0));
	assert_int_equal(count_of(CONN_LIVE), count);
}

/* And one that ended or never began, wherever there is room for it: the longest
 * ago, and just now. */
static void fill_rest(const struct family *f, uint8_t proto)
{
	__u32 room = t->conn_buckets * CONN_WAYS;

	for (__u32 i = 0; i < 8 * room; i++)
		put(f, proto, room + i, i & 1 ? CONN_HALF : CONN_CLOSING,
		    i & 1 ? OLD_S : YOUNG_S);
	assert_true(count_of(CONN_LIVE) + count_of(CONN_HALF) +
		    count_of(CONN_CLOSING) > room - room / 100);
}

static void runs(const char *program, const struct packet *p, __u64 reason)
{
	struct outcome got;

	world_run_tc(world, program, p, &got);
	assert_int_equal(got.reasons, reason);
}

/* A connection that nobody has heard of, both sides. */
static void begin(const struct family *f, uint8_t proto, uint16_t port)
{
	struct words to = { l4_words(proto, f->client, port, f->vip, 80),
			    .flags = SYN };
	struct words from = { l4_words(proto, f->backend, POD_PORT, f->client,
				       port),
			      .flags = SYN | ACK, .seq = 1000 };
	struct packet p = packet_build(&to);

	runs("fl_pod_in", &p, REASON_BIT(FORWARDED));
	p = packet_build(&from);
	runs("fl_pod_out", &p, REASON_BIT(RETURNED));
	to.flags = ACK;
	to.ack = 1001;
	p = packet_build(&to);
	runs("fl_pod_in", &p, REASON_BIT(FORWARDED));
}

/* Of these shares of what it was made for, in percent. */
static const __u32 shares[] = { 75, 100 };

static void who_comes_now_gets_in(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	const struct family *f = *state;
	__u32 live;

	for (int i = 0; i < 4; i++) {
		uint8_t proto = protos[i & 1];

		world_reset(world);
		serve(f, proto);
		live = conns_for(t->conn_buckets) * shares[i / 2] / 100;
		fill(f, proto, live);
		for (int n = 0; n < NEW; n++)
			begin(f, proto, 2000 + n);
		assert_int_equal(count_of(CONN_LIVE), live + NEW);
	}
}

static void what_waited_for_longest_makes_room(void **state)
{
	const struct family *f = *state;
	__u64 old, young;
	__u32 live;

	serve(f, IPPROTO_TCP);
	live = conns_for(t->conn_buckets);
	fill(f, IPPROTO_TCP, live);
	fill_rest(f, IPPROTO_TCP);
	old = count_of(CONN_HALF);
	young = count_of(CONN_CLOSING);
	for (int n = 0; n < NEW; n++)
		begin(f, IPPROTO_TCP, 2000 + n);
	assert_int_equal(count_of(CONN_LIVE), live + NEW);
	assert_in_range(old - count_of(CONN_HALF), NEW * 9 / 10, NEW);
	assert_in_range(young - count_of(CONN_CLOSING), 0, NEW / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(who_comes_now_gets_in),
		BOTH(what_waited_for_longest_makes_room),
	};

	return run_both(tests);
}
