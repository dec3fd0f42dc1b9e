// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node whose table of connections is as full as it was made for, or as it can
 * get: what pods, the host and others begin, who makes room for that, and what
 * those notice who live.
 */
#include <arpa/inet.h>

#include <fairlead/hash.h>

#include "kernel/dp.h"
#include "model/conns.h"
#include "family.h"

#define POD_PORT 8080
#define NEW 400
#define IDLE_S 900		/* a life of every protocol */
#define OLD_S 40		/* well below what stamps tell apart */
#define YOUNG_S 1
#define PORT_FIRST 40000	/* where NAT has few ports to lend: so many */
#define PORTS 2000

static struct tables *t;

/* By which way somebody comes, and to which address. */
static const struct way {
	const char *program;
	__u32 ifindex, from;	/* see world_place() */
	bool is_outside;
} ways[] = {
	{ "fl_pod_in", LINK_POD, LINK_POD, false },
	{ "fl_uplink_out", LINK_TX, 0, false },
	{ "fl_uplink_in", LINK_TX, LINK_TX, true },
};

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

static const char *who(const struct family *f, const struct way *way)
{
	return way->is_outside ? f->client2 : way->from ? f->client : f->nat;
}

static const char *where(const struct family *f, const struct way *way)
{
	return way->is_outside ? f->vip2 : f->vip;
}

/* A cluster IP for who is here, and an address for who is not. */
static void serve(const struct family *f, uint8_t proto)
{
	struct model *m = world_model(world);

	t = world_tables(world);
	m->detect_local = DETECT_INTERFACES;
	m->idle_tcp_s = m->idle_udp_s = IDLE_S;
	world_host(world, f->nat);
	world_define(world, &(struct service_words){
		.name = "inside", .addr = f->vip, .port = 80, .proto = proto,
		.algorithm = ALGORITHM_RANDOM, .kind = KIND_CLUSTER_IP,
		.backends = { f->backend }, .backend_port = POD_PORT });
	world_define(world, &(struct service_words){
		.name = "outside", .addr = f->vip2, .port = 80, .proto = proto,
		.algorithm = ALGORITHM_RANDOM, .kind = KIND_LB_VIP,
		.backends = { f->backend }, .backend_port = POD_PORT });
	world_apply(world);
	t->runtime->has_local = t->runtime->has_node = 1;
	/* all at once: what lies in it is mapped already from here on */
	assert_non_null(t->conns(t, 0, t->conn_buckets));
	assert_non_null(t->replies(t, 0, t->reply_buckets));
}

static __u32 room(void)
{
	return t->conn_buckets * CONN_WAYS;
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

/* What became of so many, and how long ago. */
struct fate {
	uint8_t proto;
	enum conn_state state;
	__u32 age_s;
};

static struct conn_entry entry_of(const struct flow *flow,
				  const struct fate *fate)
{
	__u32 id = the_backend(), now_s = dp_now_s() - fate->age_s;

	return (struct conn_entry){
		.conn = {
			.client = flow->src, .vip = flow->dst,
			.cport = flow->sport, .vport = flow->dport,
			.what = conn_what(flow) | CONN_NAT,
			.nat_port = flow->sport,
			.backend = conn_backend_word(id,
						t->backends[id].generation),
			.time = conn_time(now_s, conn_life_from(IDLE_S)),
		},
		.word = (now_s * 8 & CONN_STAMP_MASK) << CONN_STAMP_SHIFT |
			fate->state,
	};
}

/* False: there is no room, where there is room for others. */
static bool put(const struct family *f, const struct fate *fate, __u32 number)
{
	struct flow flow = flow_of(f, fate->proto, number);
	struct conn_entry e = entry_of(&flow, fate);

	return conns_insert(t, &e);
}

/* So many, in turn of one fate and of the other, wherever there is room. */
static void fill(const struct family *f, const struct fate *a,
		 const struct fate *b, __u32 count)
{
	__u32 there = 0, i;

	for (i = 0; there < count && i < 12 * room(); i++)
		there += put(f, i & 1 ? b : a, i);
	assert_int_equal(there, count);
}

/* How many live ones nobody has heard of for less than so many seconds. */
struct younger {
	__u32 age_s, count;
};

static int is_younger(void *arg, const struct conn_entry *e)
{
	struct younger *y = arg;

	y->count += conn_entry_state(e) == CONN_LIVE &&
		    conn_age(e->conn.time, dp_now_s()) < y->age_s;
	return 0;
}

static __u32 count_younger(__u32 age_s)
{
	struct younger y = { .age_s = age_s };

	assert_int_equal(conns_each(t, is_younger, &y), 0);
	return y.count;
}

static __u64 count_of(enum conn_state state)
{
	struct conns_usage u;

	assert_int_equal(conns_usage(t, &u), 0);
	return state == CONN_HALF    ? u.half :
	       state == CONN_CLOSING ? u.closing :
				       u.live;
}

static __u64 run(const struct way *way, const struct packet *p)
{
	struct outcome got;

	world_place(world, way->ifindex, way->from);
	world_run_tc(world, way->program, p, &got);
	return got.reasons;
}

static __u64 first_packet(const struct family *f, const struct way *way,
			  uint8_t proto, uint16_t port)
{
	struct words w = { l4_words(proto, who(f, way), port, where(f, way),
				    80), .flags = SYN };
	struct packet p = packet_build(&w);

	return run(way, &p);
}

/* How many of those that nobody has heard of get in, from everywhere; all
 * others are told of as why. */
static int begin(const struct family *f, uint8_t proto, int count, __u64 why)
{
	__u64 reason;
	int in = 0;

	for (int n = 0; n < count; n++) {
		reason = first_packet(f, &ways[n % NR_WAYS], proto, 5000 + n);
		if (reason == REASON_BIT(FORWARDED))
			in++;
		else
			assert_int_equal(reason, why);
	}
	return in;
}

/* A pod's connection, until it is one. */
static void establish(const struct family *f, uint8_t proto, uint16_t port)
{
	static const struct way back = { "fl_pod_out", LINK_POD, LINK_POD2,
					 false };
	struct words to = { l4_words(proto, f->client, port, f->vip, 80),
			    .flags = ACK, .ack = 1001 };
	struct words from = { l4_words(proto, f->backend, POD_PORT, f->client,
				       port),
			      .flags = SYN | ACK, .seq = 1000 };
	struct packet p = packet_build(&from);

	assert_int_equal(first_packet(f, ways, proto, port),
			 REASON_BIT(FORWARDED));
	assert_int_equal(run(&back, &p), REASON_BIT(RETURNED));
	p = packet_build(&to);
	assert_int_equal(run(ways, &p), REASON_BIT(FORWARDED));
}

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };

/* Of these shares of what it was made for, in percent. */
static const __u32 shares[] = { 75, 90, 100 };

static void who_comes_now_gets_in(void **state)
{
	const struct family *f = *state;
	__u32 live;

	for (int i = 0; i < 6; i++) {
		const struct fate idle = { protos[i & 1], CONN_LIVE, 600 };

		world_reset(world);
		serve(f, idle.proto);
		live = conns_for(t->conn_buckets) * shares[i / 2] / 100;
		fill(f, &idle, &idle, live);
		for (int n = 0; n < NEW; n++)
			establish(f, idle.proto, 2000 + n);
		assert_int_equal(count_of(CONN_LIVE), live + NEW);
		assert_int_equal(begin(f, idle.proto, 1000, 0), 1000);
		assert_int_equal(count_of(CONN_LIVE), live + NEW);
	}
}

/* Every record is used; by those who live, every other one at least. */
static void what_is_nobodys_makes_room(void **state)
{
	static const struct fate fates[] = {
		{ IPPROTO_TCP, CONN_CLOSING, 5 },
		{ IPPROTO_TCP, CONN_HALF, 5 },
		{ IPPROTO_TCP, CONN_LIVE, 2 * IDLE_S },
		{ IPPROTO_TCP, CONN_HALF_CLOSED, 3 * IDLE_S },
		{ IPPROTO_UDP, CONN_LIVE, 2 * IDLE_S },
	};
	const struct family *f = *state;
	__u32 live;

	for (size_t i = 0; i < sizeof(fates) / sizeof(*fates); i++) {
		const struct fate idle = { fates[i].proto, CONN_LIVE, 600 };

		world_reset(world);
		serve(f, idle.proto);
		fill(f, &idle, &fates[i], room());
		live = count_younger(IDLE_S);
		assert_in_range(live, room() * 2 / 5, room() * 3 / 5);
		assert_int_equal(begin(f, idle.proto, 1000, 0), 1000);
		assert_int_equal(count_younger(IDLE_S), live);
	}
}

static void what_is_idle_for_longest_goes_first(void **state)
{
	const struct fate old = { IPPROTO_TCP, CONN_LIVE, 3 * IDLE_S };
	const struct fate young = { IPPROTO_TCP, CONN_LIVE, 2 * IDLE_S };
	const struct family *f = *state;
	__u64 live;
	__u32 left;

	serve(f, old.proto);
	fill(f, &old, &young, room());
	live = count_of(CONN_LIVE);
	left = count_younger(3 * IDLE_S);
	assert_int_equal(begin(f, old.proto, 1000, 0), 1000);
	assert_int_equal(count_of(CONN_LIVE), live - 1000);
	assert_in_range(count_younger(3 * IDLE_S), left - 10, left);
}

/* Who lives is never taken from; who is turned away is told of. */
static void no_room_is_a_reason(void **state)
{
	const struct family *f = *state;

	for (int i = 0; i < 2; i++) {
		const struct fate idle = { protos[i], CONN_LIVE, 600 };

		world_reset(world);
		serve(f, protos[i]);
		fill(f, &idle, &idle, room());
		assert_int_equal(begin(f, protos[i], 1000,
				       REASON_BIT(NO_ROOM)), 0);
		assert_int_equal(count_younger(IDLE_S), room());
	}
}

static void what_waited_for_longest_makes_room(void **state)
{
	const struct fate idle = { IPPROTO_TCP, CONN_LIVE, 0 };
	const struct fate old = { IPPROTO_TCP, CONN_HALF, OLD_S };
	const struct fate young = { IPPROTO_TCP, CONN_CLOSING, YOUNG_S };
	const struct family *f = *state;
	__u64 half, closing;
	__u32 live;

	serve(f, IPPROTO_TCP);
	live = conns_for(t->conn_buckets);
	fill(f, &idle, &idle, live);
	for (__u32 i = live; i < 9 * room(); i++)
		put(f, i & 1 ? &old : &young, i);
	half = count_of(CONN_HALF);
	closing = count_of(CONN_CLOSING);
	assert_true(live + half + closing > room() - room() / 100);
	for (int n = 0; n < NEW; n++)
		establish(f, IPPROTO_TCP, 2000 + n);
	assert_int_equal(count_of(CONN_LIVE), live + NEW);
	assert_in_range(half - count_of(CONN_HALF), NEW * 9 / 10, NEW);
	assert_in_range(closing - count_of(CONN_CLOSING), 0, NEW / 10);
}

/* Who is told that nobody is there needs no room: a handshake that waits loses
 * nothing by him. */
static void who_is_refused_takes_no_room(void **state)
{
	const struct fate half = { IPPROTO_TCP, CONN_HALF, 5 };
	const struct family *f = *state;
	__u64 there;

	serve(f, IPPROTO_TCP);
	fill(f, &half, &half, room());
	there = count_of(CONN_HALF);
	world_service(world, .name = "outside", .addr = f->vip2, .port = 80,
		      .algorithm = ALGORITHM_RANDOM, .kind = KIND_LB_VIP);
	for (int n = 0; n < NEW; n++)
		assert_int_equal(first_packet(f, &ways[2], IPPROTO_TCP,
					      5000 + n),
				 REASON_BIT(NO_BACKEND));
	assert_int_equal(count_of(CONN_HALF), there);
}

/* Both of its buckets are one, where it can be but once. */
static struct flow flow_of_one_bucket(const struct family *f)
{
	struct flow flow = flow_of(f, IPPROTO_TCP, 0);
	__u64 hash;

	flow.sport = htons(1000);
	do {
		flow.sport = htons(ntohs(flow.sport) + 1);
		hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &flow.dst),
				 &flow);
	} while (conn_bucket1(hash, t->conn_buckets) !=
		 conn_bucket2(hash, t->conn_buckets));
	return flow;
}

/* The backend is down, and may come back: its answers are yet the service's. */
static void who_is_refused_loses_nothing(void **state)
{
	const struct family *f = *state;
	struct conn_entry e;
	struct flow flow;

	serve(f, IPPROTO_TCP);
	flow = flow_of_one_bucket(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(first_packet(f, ways, IPPROTO_TCP,
					      ntohs(flow.sport)),
				 i ? REASON_BIT(NO_BACKEND) :
				     REASON_BIT(FORWARDED));
		assert_true(conns_find(t, &flow, &e));
		world_backend_state(world, f->backend, BACKEND_DOWN);
		t->runtime->has_local = t->runtime->has_node = 1;
	}
}

static __u8 nat_index(const char *text)
{
	struct addr a = addr(text);
	__u8 i = 1;

	while (memcmp(&t->nat_addrs[i], &a, sizeof(a)))
		i++;
	return i;
}

static void serve_with_few_ports(const struct family *f)
{
	serve(f, IPPROTO_TCP);
	world_model(world)->nat_port_first = PORT_FIRST;
	world_model(world)->nat_port_last = PORT_FIRST + PORTS - 1;
	world_apply(world);
}

/* To so many clients from outside, a port of ours each. */
static void lend(const struct family *f, __u32 count)
{
	const struct fate idle = { IPPROTO_TCP, CONN_LIVE, 600 };
	struct conn_entry e;
	struct flow flow;

	for (__u32 i = 0; i < count; i++) {
		flow = flow_of(f, IPPROTO_TCP, i);
		flow.dst = addr(f->vip2);
		e = entry_of(&flow, &idle);
		e.conn.nat_addr = nat_index(f->nat);
		e.conn.nat_port = htons(PORT_FIRST + i);
		assert_true(conns_insert(t, &e));
	}
}

/* Towards one backend, where eight and then nine of ten are lent. */
static void ports_that_are_left_are_found(void **state)
{
	const struct family *f = *state;

	serve_with_few_ports(f);
	lend(f, PORTS * 8 / 10);
	for (int n = 0; n < PORTS / 10; n++)
		assert_int_equal(first_packet(f, &ways[2], IPPROTO_TCP,
					      5000 + n),
				 REASON_BIT(FORWARDED));
	assert_int_equal(count_younger(IDLE_S), PORTS * 8 / 10);
}

static void no_port_is_a_reason(void **state)
{
	const struct family *f = *state;

	serve_with_few_ports(f);
	lend(f, PORTS);
	for (int n = 0; n < PORTS / 10; n++)
		assert_int_equal(first_packet(f, &ways[2], IPPROTO_TCP,
					      5000 + n),
				 REASON_BIT(NO_PORT));
	assert_int_equal(count_younger(IDLE_S), PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(who_comes_now_gets_in),
		BOTH(what_is_nobodys_makes_room),
		BOTH(what_is_idle_for_longest_goes_first),
		BOTH(no_room_is_a_reason),
		BOTH(what_waited_for_longest_makes_room),
		BOTH(who_is_refused_takes_no_room),
		BOTH(who_is_refused_loses_nothing),
		BOTH(ports_that_are_left_are_found),
		BOTH(no_port_is_a_reason),
	};

	return run_both(tests);
}
