// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Network policy at the interfaces of pods: tables filled by hand as policy.h
 * describes them, whole packets, each decision at both hooks. What the tables
 * have to say of policies is user/policy's matter, and has tests there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <bpf/libbpf.h>

#include "model/conns.h"
#include "model/words.h"
#include "family.h"

#define TCX_NEXT (-1)
#define POD_PORT 8080
#define LOOPBACK_IFINDEX 1
#define EPOCH 7

/* The workload that is looked at, and another one here. */
enum { W = 1, V };
/* Its targets, and the other's. */
enum { W_OUT = 11, W_IN, V_OUT, V_IN, NEXT };
/* Classes of peers and of ports. */
enum { NOBODY, FRIEND, OTHER, OUTSIDE };
enum { NO_PORT, HTTP, DNS };

static struct tables *tables(void)
{
	return world_tables(world);
}

/* --- tables --- */

static void set_entry(enum table_id id, const void *key, const void *value)
{
	int err = tables()->entry_set(tables(), id, key, value);

	if (err)
		fail_msg("entry_set: %s", strerror(-err));
}

struct keys {
	char key[4096][32];
	size_t size, count;
};

static int keep_key(void *arg, const void *key, const void *value)
{
	struct keys *k = arg;

	memcpy(k->key[k->count++], key, k->size);
	return 0;
}

static void clear_entries(enum table_id id, size_t size)
{
	static struct keys k;

	k.size = size;
	k.count = 0;
	assert_int_equal(tables()->entries_each(tables(), id, keep_key, &k),
			 0);
	for (size_t i = 0; i < k.count; i++)
		assert_int_equal(tables()->entry_del(tables(), id, k.key[i]),
				 0);
}

static void clear_limits(void)
{
	struct workload_limit full = {};

	for (__u32 i = W; i <= V; i++)
		set_entry(TABLE_workload_limits, &i, &full);
}

static int clear_policy(void **state)
{
	world_reset(world);
	memset(tables()->workloads, 0,
	       WORKLOADS_MAX * sizeof(struct workload));
	memset(tables()->workload_cells, 0,
	       WORKLOAD_BUCKETS * sizeof(struct word_bucket));
	memset(tables()->port_classes, 0, PORT_CLASSES * sizeof(__u16));
	clear_entries(TABLE_peers, sizeof(struct addr));
	clear_entries(TABLE_peer_prefixes, sizeof(struct prefix_key));
	clear_entries(TABLE_targets, 4);
	clear_entries(TABLE_peer_masks, sizeof(struct mask_key));
	clear_entries(TABLE_port_masks, sizeof(struct mask_key));
	clear_entries(TABLE_policy_hits, sizeof(struct hit_key));
	clear_limits();
	return 0;
}

static void peer_is(const char *text, __u32 class)
{
	struct addr a = addr(text);

	set_entry(TABLE_peers, &a, &class);
}

/* bits: of the family's address. */
static void prefix_is(const char *text, unsigned int bits, __u32 class)
{
	struct prefix_key key = { .addr = addr(text) };

	key.len = bits + (addr_v6(&key.addr) ? 0 : 96);
	set_entry(TABLE_peer_prefixes, &key, &class);
}

static void port_is(uint8_t proto, uint16_t port, __u16 class)
{
	tables()->port_classes[policy_port_index(proto, port)] = class;
}

static struct rule_mask bit(unsigned int rule)
{
	struct rule_mask m = {};

	m.word[rule / 64] = 1ull << (rule & 63);
	return m;
}

static void add_bit(struct rule_mask *m, unsigned int rule)
{
	m->word[rule / 64] |= 1ull << (rule & 63);
}

static void set_target(__u32 id, const struct target *t)
{
	set_entry(TABLE_targets, &id, t);
}

static void set_peers(__u32 target, __u32 class, struct rule_mask rules)
{
	struct mask_key key = { target, class };

	set_entry(TABLE_peer_masks, &key, &rules);
}

static void set_ports(__u32 target, enum policy_proto proto, __u32 class,
		      struct rule_mask rules)
{
	struct mask_key key = { target, port_class_key(proto, class) };

	set_entry(TABLE_port_masks, &key, &rules);
}

/* Everything matches rule, which denies: as isolation does. */
static struct target isolation(unsigned int rule)
{
	return (struct target){
		.peer_any = bit(rule), .port_any = bit(rule), .deny = bit(rule),
		.words = rule / 64 + 1,
	};
}

static void isolate(__u32 id)
{
	struct target t = isolation(1);

	set_target(id, &t);
}

/* Isolated, but for rule 0: class at TCP's HTTP. */
static void allow(__u32 id, __u32 class)
{
	isolate(id);
	set_peers(id, class, bit(0));
	set_ports(id, POLICY_TCP, HTTP, bit(0));
}

/* Isolated, but for rule 0: class at all ports, of all protocols. */
static void allow_all_ports(__u32 id, __u32 class)
{
	struct target t = isolation(1);

	add_bit(&t.port_any, 0);
	set_target(id, &t);
	set_peers(id, class, bit(0));
}

static struct workload *workload(__u32 index)
{
	return &tables()->workloads[index];
}

static void set_workload(__u32 index, __u32 ifindex, const char *address)
{
	struct workload *w = workload(index);

	w->addr[0] = addr(address);
	w->ifindex = ifindex;
	w->id = index;
	assert_non_null(words_put(tables()->workload_cells, WORKLOAD_BUCKETS,
				  workload_word(ifindex, index)));
}

static void set_targets(__u32 index, __u32 in, __u32 out)
{
	workload(index)->target.in = in;
	workload(index)->target.out = out;
}

static void next_epoch(void)
{
	tables()->runtime->policy_epoch++;
}

/* W is f->client, V f->backend; of the peers' classes, V is FRIEND, W OTHER. */
static void police(const struct family *f)
{
	set_workload(W, LINK_POD, f->client);
	set_workload(V, LINK_POD2, f->backend);
	peer_is(f->backend, FRIEND | PEER_POD);
	peer_is(f->client, OTHER | PEER_POD);
	port_is(IPPROTO_TCP, 80, HTTP);
	port_is(IPPROTO_TCP, POD_PORT, HTTP);
	port_is(IPPROTO_UDP, 53, DNS);
	tables()->runtime->policing = POLICE_WORKLOADS;
	tables()->runtime->policy_epoch = EPOCH;
}

/* --- packets --- */

static int run(const char *program, __u32 ifindex, __u32 from,
	       const struct packet *in, struct outcome *got)
{
	world_place(world, ifindex, from);
	return world_run_tc(world, program, in, got);
}

static void expect_at(const char *program, __u32 ifindex, __u32 from,
		      const struct packet *in, int verdict, __u64 reasons,
		      const struct packet *want, int line)
{
	char text[DESCRIPTION_MAX];
	struct outcome got;
	int ret = run(program, ifindex, from, in, &got);

	if (ret != verdict || got.reasons != reasons) {
		fprintf(stderr, "  in: %s\n", packet_describe(in, text));
		for (int i = 0; i < NR_REASONS; i++)
			if (got.reasons & 1ull << i)
				fprintf(stderr, "  got: %s\n", reason_name(i));
		fprintf(stderr, "  %s returned %d\n", program, ret);
		_fail(__FILE__, line);
	}
	if (verdict != TC_ACT_SHOT && !packet_eq(want, &got.packet)) {
		packet_diff(want, &got.packet);
		_fail(__FILE__, line);
	}
}

static __u32 link_of(__u32 index)
{
	return index == W ? LINK_POD : LINK_POD2;
}

/* From or to a workload: passed on as it is, or dropped. */
#define passes_from(index, in)						\
	expect_at("fl_pod_in", link_of(index), 0, in, TCX_NEXT, 0, in,	\
		  __LINE__)
#define passes_to(index, in)						\
	expect_at("fl_pod_out", link_of(index), LINK_REDIRECT, in,	\
		  TCX_NEXT, 0, in, __LINE__)
#define drops_from(index, in, why)					\
	expect_at("fl_pod_in", link_of(index), 0, in, TC_ACT_SHOT,	\
		  REASON_BIT(why), NULL, __LINE__)
#define drops_to(index, in, why)					\
	expect_at("fl_pod_out", link_of(index), LINK_REDIRECT, in,	\
		  TC_ACT_SHOT, REASON_BIT(why), NULL, __LINE__)

static struct packet turned(struct words w)
{
	struct addr src = w.src;
	uint16_t port = w.sport;

	w.src = w.dst;
	w.dst = src;
	w.sport = w.dport;
	w.dport = port;
	return packet_build(&w);
}

static struct packet syn(const char *src, const char *dst, uint16_t port)
{
	return tcp(src, 4321, dst, port, .flags = SYN);
}

static struct packet other_proto(const char *src, const char *dst)
{
	return packet_of(.src = addr(src), .dst = addr(dst), .proto = 47,
			 .payload = 20);
}

static struct packet echo_reply(const struct family *f, const char *src,
				const char *dst, uint16_t id)
{
	struct packet p = echo_request(src, dst, id, 8);
	struct layers l;

	packet_layers(&p, &l);
	p.data[l.l4] = f->v6 ? 129 : 0;
	packet_sum(&p);
	return p;
}

/* --- what is recorded --- */

static bool record_of(const char *src, uint16_t sport, const char *dst,
		      uint16_t dport, uint8_t proto, struct conn_entry *ret)
{
	struct flow f = {
		.src = addr(src), .dst = addr(dst), .sport = htons(sport),
		.dport = htons(dport), .proto = proto,
	}, key;

	peers_flow(&f, &key);
	return conns_find(tables(), &key, ret);
}

static __u64 hits(__u32 target, __u16 rule, bool denied,
		  enum policy_direction direction);

struct hit_search {
	struct hit_key key;
	__u64 count;
};

static int find_hit(void *arg, const void *key, const void *value)
{
	struct hit_search *s = arg;

	if (!memcmp(&s->key, key, sizeof(s->key)))
		s->count = *(const __u64 *)value;
	return 0;
}

static __u64 hits(__u32 target, __u16 rule, bool denied,
		  enum policy_direction direction)
{
	struct hit_search s = { .key = { target, rule, denied, direction } };

	tables()->entries_each(tables(), TABLE_policy_hits, find_hit, &s);
	return s.count;
}

struct heard {
	struct policy_event last;
	int count;
};

static int hear(void *arg, void *data, size_t size)
{
	struct heard *h = arg;

	assert_int_equal(size, sizeof(h->last));
	memcpy(&h->last, data, sizeof(h->last));
	h->count++;
	return 0;
}

/* How many events there were since it was asked last, and the last of them. */
static int events(struct policy_event *ret)
{
	static struct ring_buffer *ring;
	static struct heard h;
	int fd;

	if (!ring) {
		fd = world_map(world, "fl_tc_judge", "events");
		ring = ring_buffer__new(fd, hear, &h, NULL);
		assert_non_null(ring);
	}
	h.count = 0;
	ring_buffer__consume(ring);
	if (ret)
		*ret = h.last;
	return h.count;
}

/* --- tests --- */

/* What nobody is told to police is none of policy's business. */
static void nobody_is_policed_unless_it_is_said(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->stranger, f->client2, 80);

	police(f);
	isolate(W_OUT);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	tables()->runtime->policing = POLICE_NOBODY;
	passes_from(W, &p);
	passes_to(W, &p);
}

/* Nor is an interface that has no workload. */
static void others_are_not_policed(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->stranger, f->client2, 80);

	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	expect_at("fl_pod_in", LINK_VLAN, 0, &p, TCX_NEXT, 0, &p, __LINE__);
	expect_at("fl_pod_out", LINK_VLAN, 2, &p, TCX_NEXT, 0, &p, __LINE__);
}

static void who_is_not_isolated_may_all(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->client2, 80);
	struct packet in = syn(f->client2, f->client, 80);
	struct conn_entry e;

	police(f);
	passes_from(W, &out);
	passes_to(W, &in);
	assert_false(record_of(f->client, 4321, f->client2, 80, IPPROTO_TCP,
			       &e));
}

static void isolation_denies_every_protocol(void **state)
{
	const struct family *f = *state;
	struct packet out[] = {
		syn(f->client, f->backend, 80),
		tcp(f->client, 4321, f->backend, 80, .flags = ACK),
		udp(f->client, 4321, f->backend, 53),
		sctp(f->client, 4321, f->backend, 80, .chunk = SCTP_INIT),
		echo_request(f->client, f->backend, 5, 8),
		other_proto(f->client, f->backend),
	};
	struct packet in[] = {
		syn(f->backend, f->client, 80),
		tcp(f->backend, 4321, f->client, 80, .flags = ACK),
		udp(f->backend, 4321, f->client, 53),
		sctp(f->backend, 4321, f->client, 80, .chunk = SCTP_INIT),
		echo_request(f->backend, f->client, 5, 8),
		other_proto(f->backend, f->client),
	};

	police(f);
	isolate(W_OUT);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	for (int i = 0; i < 6; i++) {
		drops_from(W, &out[i], POLICY);
		drops_to(W, &in[i], POLICY);
	}
	assert_int_equal(hits(W_OUT, 1, true, POLICY_OUT), 6);
	assert_int_equal(hits(W_IN, 1, true, POLICY_IN), 6);
}

/* Each direction has its own. */
static void directions_are_independent(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet in = tcp(f->backend, 99, f->client, 80, .flags = SYN);

	police(f);
	isolate(W_OUT);
	set_targets(W, 0, W_OUT);
	drops_from(W, &out, POLICY);
	passes_to(W, &in);
	set_targets(W, W_OUT, 0);
	next_epoch();
	passes_from(W, &out);
	drops_to(W, &in, POLICY);
}

static void a_rule_is_peers_and_ports(void **state)
{
	const struct family *f = *state;
	struct packet right = syn(f->client, f->backend, 80);
	struct packet port = syn(f->client, f->backend, 81);
	struct packet peer = syn(f->client, f->backend2, 80);
	struct packet proto = udp(f->client, 4321, f->backend, 80);

	police(f);
	allow(W_OUT, FRIEND);
	set_targets(W, 0, W_OUT);
	passes_from(W, &right);
	passes_from(W, &right);
	drops_from(W, &port, POLICY);
	drops_from(W, &peer, POLICY);
	drops_from(W, &proto, POLICY);
	assert_int_equal(hits(W_OUT, 0, false, POLICY_OUT), 1);
	assert_int_equal(hits(W_OUT, 1, true, POLICY_OUT), 3);
}

/* To the workload, its own port counts. */
static void ingress_is_by_the_source(void **state)
{
	const struct family *f = *state;
	struct packet right = syn(f->backend, f->client, 80);
	struct packet port = syn(f->backend, f->client, 81);
	struct packet peer = syn(f->backend2, f->client, 80);
	struct packet source = tcp(f->backend, 80, f->client, 4321,
				   .flags = SYN);

	police(f);
	allow(W_IN, FRIEND);
	set_targets(W, W_IN, 0);
	passes_to(W, &right);
	drops_to(W, &port, POLICY);
	drops_to(W, &peer, POLICY);
	drops_to(W, &source, POLICY);
}

/* (FRIEND, HTTP) and (OTHER, DNS) do not give (FRIEND, DNS). */
static void rules_do_not_mix(void **state)
{
	const struct family *f = *state;
	struct target t = isolation(2);
	struct packet p;

	police(f);
	peer_is(f->backend2, OTHER | PEER_POD);
	set_target(W_OUT, &t);
	set_peers(W_OUT, FRIEND, bit(0));
	set_ports(W_OUT, POLICY_TCP, HTTP, bit(0));
	set_peers(W_OUT, OTHER, bit(1));
	set_ports(W_OUT, POLICY_UDP, DNS, bit(1));
	set_targets(W, 0, W_OUT);
	p = syn(f->client, f->backend, 80);
	passes_from(W, &p);
	p = udp(f->client, 4321, f->backend2, 53);
	passes_from(W, &p);
	p = udp(f->client, 4321, f->backend, 53);
	drops_from(W, &p, POLICY);
	p = syn(f->client, f->backend2, 80);
	drops_from(W, &p, POLICY);
}

static void everybody_and_every_pod_are_no_classes(void **state)
{
	const struct family *f = *state;
	struct target t = isolation(2);
	struct packet pod = udp(f->client, 4321, f->backend, 9);
	struct packet outside = udp(f->client, 4321, f->client2, 9);
	struct packet http = syn(f->client, f->client2, 80);

	police(f);
	add_bit(&t.peer_pod, 0);	/* every pod, at every port */
	add_bit(&t.port_any, 0);
	add_bit(&t.peer_any, 1);	/* everybody, at HTTP */
	set_target(W_OUT, &t);
	set_ports(W_OUT, POLICY_TCP, HTTP, bit(1));
	set_targets(W, 0, W_OUT);
	passes_from(W, &pod);
	drops_from(W, &outside, POLICY);
	passes_from(W, &http);
}

/* Of who is no workload, the longest prefix says the class. */
static void others_have_the_class_of_their_prefix(void **state)
{
	const struct family *f = *state;
	struct packet inside = syn(f->client, f->client2, 80);
	struct packet router = syn(f->client, f->router, 80);

	police(f);
	prefix_is(f->client2, f->v6 ? 48 : 16, OUTSIDE);
	allow(W_OUT, OUTSIDE);
	set_targets(W, 0, W_OUT);
	drops_from(W, &router, POLICY);
	passes_from(W, &inside);
	prefix_is(f->client2, f->v6 ? 64 : 24, OTHER);
	next_epoch();
	drops_from(W, &inside, POLICY);
	peer_is(f->client2, OUTSIDE);
	next_epoch();
	passes_from(W, &inside);
}

/* Both directions are isolated: what was begun has its answers. */
static void replies_pass(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP,
					  IPPROTO_SCTP };
	const struct family *f = *state;

	for (int i = 0; i < 3; i++) {
		struct words w = { l4_words(protos[i], f->client, 4321,
					    f->backend, 80), .flags = SYN,
				   .chunk = SCTP_INIT, .payload = 8 };
		struct packet out = packet_build(&w), back;

		w.flags = SYN | ACK;
		w.chunk = SCTP_INIT_ACK;
		back = turned(w);
		clear_policy(state);
		police(f);
		allow_all_ports(W_OUT, FRIEND);
		isolate(W_IN);
		allow_all_ports(V_IN, OTHER);
		isolate(V_OUT);
		set_targets(W, W_IN, W_OUT);
		set_targets(V, V_IN, V_OUT);
		drops_to(W, &back, POLICY);
		drops_from(V, &back, POLICY);
		for (int j = 0; j < 3; j++) {
			passes_from(W, &out);
			passes_to(V, &out);
			passes_from(V, &back);
			passes_to(W, &back);
		}
	}
}

/* What one end is allowed the other may not be. */
static void both_ends_are_asked(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet back = tcp(f->backend, 80, f->client, 4321,
				 .flags = SYN | ACK);
	struct addr client = addr(f->client), backend = addr(f->backend);
	struct packet error = icmp_error(&backend, &client, f->v6 ? 1 : 3,
					 f->v6 ? 4 : 3, 0, &out, PACKET_MAX);
	struct conn_entry e;

	police(f);
	allow(W_OUT, FRIEND);
	isolate(V_IN);
	isolate(V_OUT);
	set_targets(W, 0, W_OUT);
	set_targets(V, V_IN, V_OUT);
	passes_from(W, &out);
	drops_to(V, &out, POLICY);
	/* the server was not allowed to be one: nor to answer */
	drops_from(V, &back, POLICY);
	drops_from(V, &error, POLICY);
	assert_true(record_of(f->client, 4321, f->backend, 80, IPPROTO_TCP,
			      &e));
	assert_int_equal(e.conn.epoch[0], policy_stamp(EPOCH, W));
	assert_int_equal(e.conn.epoch[1], 0);
}

static void a_connection_becomes_live_and_ends(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->client, f->backend, 80);
	struct conn_entry e;

	police(f);
	allow(W_OUT, FRIEND);
	set_targets(W, 0, W_OUT);
	passes_from(W, &p);
	assert_true(record_of(f->client, 4321, f->backend, 80, IPPROTO_TCP,
			      &e));
	assert_int_equal(conn_entry_state(&e), CONN_HALF);
	p = tcp(f->backend, 80, f->client, 4321, .flags = SYN | ACK, .seq = 9);
	passes_to(W, &p);
	p = tcp(f->client, 4321, f->backend, 80, .flags = ACK, .ack = 10);
	passes_from(W, &p);
	assert_true(record_of(f->client, 4321, f->backend, 80, IPPROTO_TCP,
			      &e));
	assert_int_equal(conn_entry_state(&e), CONN_LIVE);
	p = tcp(f->client, 4321, f->backend, 80, .flags = FIN | ACK, .ack = 10);
	passes_from(W, &p);
	p = tcp(f->backend, 80, f->client, 4321, .flags = FIN | ACK);
	passes_to(W, &p);
	assert_true(record_of(f->client, 4321, f->backend, 80, IPPROTO_TCP,
			      &e));
	assert_int_equal(conn_entry_state(&e), CONN_CLOSING);
	/* over: a server that begins now is a client */
	p = tcp(f->backend, 80, f->client, 4321, .flags = SYN);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	drops_to(W, &p, POLICY);
}

/* Whoever sends next. */
static void a_change_cuts_what_it_denies(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet back = tcp(f->backend, 80, f->client, 4321,
				 .flags = ACK, .payload = 30);
	struct packet more = tcp(f->client, 4321, f->backend, 80,
				 .flags = ACK, .payload = 30);

	for (int is_back = 0; is_back < 2; is_back++) {
		clear_policy(state);
		police(f);
		allow(W_OUT, FRIEND);
		allow(V_IN, OTHER);
		set_targets(W, 0, W_OUT);
		set_targets(V, V_IN, 0);
		passes_from(W, &out);
		passes_to(V, &out);
		passes_from(V, &back);
		passes_to(W, &back);
		/* nothing changed for them */
		next_epoch();
		passes_from(W, &more);
		passes_to(V, &more);
		passes_from(V, &back);
		passes_to(W, &back);
		/* the client's policy, and then the server's alone */
		isolate(NEXT);
		set_targets(W, 0, is_back ? W_OUT : NEXT);
		set_targets(V, is_back ? NEXT : V_IN, 0);
		next_epoch();
		if (is_back) {
			passes_from(W, &more);
			drops_to(V, &more, POLICY);
			drops_from(V, &back, POLICY);
			assert_int_equal(hits(NEXT, 1, true, POLICY_IN), 2);
		} else {
			drops_to(W, &back, POLICY);
			drops_from(W, &more, POLICY);
			assert_int_equal(hits(NEXT, 1, true, POLICY_OUT), 2);
		}
		/* and may again */
		set_targets(W, 0, W_OUT);
		set_targets(V, V_IN, 0);
		next_epoch();
		passes_from(V, &back);
		passes_to(W, &back);
		passes_from(W, &more);
		passes_to(V, &more);
	}
}

/* What two of them get is allowed by each, or not. */
static void nobody_is_allowed_by_another_workload(void **state)
{
	const struct family *f = *state;
	struct packet p = udp(f->backend2, 5353,
			      f->v6 ? "ff02::fb" : "224.0.0.251", 53);

	police(f);
	allow_all_ports(W_IN, NOBODY);
	isolate(V_IN);
	set_targets(W, W_IN, 0);
	set_targets(V, V_IN, 0);
	for (int i = 0; i < 2; i++) {
		passes_to(W, &p);
		drops_to(V, &p, POLICY);
	}
}

static void what_is_forgotten_is_judged_anew(void **state)
{
	const struct family *f = *state;
	struct packet out = udp(f->client, 4321, f->backend, 53);
	struct packet back = udp(f->backend, 53, f->client, 4321);

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	passes_from(W, &out);
	passes_to(W, &back);
	world_forget(world);
	drops_to(W, &back, POLICY);
	passes_from(W, &out);
	passes_to(W, &back);
	world_age(world, 1000);
	drops_to(W, &back, POLICY);
}

/* Without room, each packet is asked about; nothing that is allowed is lost. */
static void a_full_table_lets_pass_what_is_allowed(void **state)
{
	const struct family *f = *state;
	struct packet out = udp(f->client, 4321, f->backend, 53);
	struct packet denied = udp(f->client, 4321, f->backend2, 53);
	struct conn_entry e;

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	set_targets(W, 0, W_OUT);
	for (__u32 i = 0; i < tables()->conn_buckets; i++) {
		struct conn_bucket *b = tables()->conns(tables(), i, 1);

		for (int way = 0; way < CONN_WAYS; way++) {
			b->head[way] = CONN_TAG_BIT | CONN_LIVE;
			b->conn[1 + way].time = conn_time(0, CONN_LIFE_MAX);
		}
	}
	for (int i = 0; i < 3; i++) {
		passes_from(W, &out);
		drops_from(W, &denied, POLICY);
	}
	assert_false(record_of(f->client, 4321, f->backend, 53, IPPROTO_UDP,
			       &e));
	assert_int_equal(hits(W_OUT, 0, false, POLICY_OUT), 3);
}

static __u32 now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Of what is older than the policy, either end may have been the client. */
static void older_connections_are_adopted(void **state)
{
	const struct family *f = *state;
	struct packet out = tcp(f->client, 80, f->backend, 999, .flags = ACK,
				.payload = 100);
	struct packet back = tcp(f->backend, 999, f->client, 80,
				 .flags = ACK);
	struct packet begins = tcp(f->client, 80, f->backend, 999,
				   .flags = SYN);
	struct packet other = tcp(f->client, 81, f->backend, 999,
				  .flags = ACK);

	for (int adopts = 0; adopts < 2; adopts++) {
		clear_policy(state);
		police(f);
		allow(W_IN, FRIEND);
		isolate(W_OUT);
		set_targets(W, W_IN, W_OUT);
		workload(W)->adopt_until_s = now_s() + (adopts ? 3600 : -1);
		drops_from(W, &begins, POLICY);
		drops_from(W, &other, POLICY);
		if (!adopts) {
			drops_from(W, &out, POLICY);
			continue;
		}
		passes_from(W, &out);
		workload(W)->adopt_until_s = 0;
		passes_from(W, &out);
		passes_to(W, &back);
		next_epoch();
		passes_from(W, &out);
	}
}

/* The client's port tells which end that was: what may not go on is cut. */
static void older_connections_are_judged_by_their_ports(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->backend, 40000, f->client, 80,
			       .flags = ACK);
	struct packet answer = tcp(f->client, 80, f->backend, 40000,
				   .flags = ACK);
	struct packet out = tcp(f->client, 50000, f->backend, 443,
				.flags = ACK);
	struct packet back = tcp(f->backend, 443, f->client, 50000,
				 .flags = ACK);

	police(f);
	isolate(W_IN);
	set_targets(W, W_IN, 0);
	workload(W)->adopt_until_s = now_s() + 3600;
	drops_to(W, &in, POLICY);
	drops_from(W, &answer, POLICY);
	passes_to(W, &back);
	passes_from(W, &out);
}

/* Of datagrams each may begin a flow: none is older than the policy. */
static void datagrams_are_not_adopted(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->backend, 999, f->client, 80);

	police(f);
	isolate(W_IN);
	set_targets(W, W_IN, 0);
	workload(W)->adopt_until_s = now_s() + 3600;
	drops_to(W, &in, POLICY);
}

/* What a server begins towards its client's port is not an answer. */
/* Of two that use one port for both, who may speak does, whoever tried first. */
static void who_spoke_first_is_not_all(void **state)
{
	const struct family *f = *state;
	struct packet there = udp(f->client, 7946, f->backend, 7946);
	struct packet back = udp(f->backend, 7946, f->client, 7946);

	police(f);
	isolate(W_IN);
	allow_all_ports(W_OUT, FRIEND);
	isolate(V_IN);
	allow_all_ports(V_OUT, OTHER);
	set_targets(W, 0, W_OUT);
	set_targets(V, V_IN, V_OUT);
	passes_from(W, &there);
	drops_to(V, &there, POLICY);
	passes_from(V, &back);
	passes_to(W, &back);
	passes_from(W, &there);
	passes_to(V, &there);
	/* what was allowed once is cut for what it was */
	isolate(NEXT);
	set_targets(V, V_IN, NEXT);
	next_epoch();
	drops_from(V, &back, POLICY);
	drops_to(V, &there, POLICY);
}

static void a_server_that_begins_is_judged(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet begins = tcp(f->backend, 80, f->client, 4321,
				   .flags = SYN);
	struct packet back = tcp(f->backend, 80, f->client, 4321,
				 .flags = ACK);

	police(f);
	allow(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	passes_from(W, &out);
	drops_to(W, &begins, POLICY);
	passes_to(W, &back);
}

static struct packet arp(const uint8_t *mac, const char *sender,
			 const char *target)
{
	struct packet p = tcp(sender, 1, target, 1);
	struct addr s = addr(sender), t = addr(target);
	uint8_t *a = p.data + ETH_LEN;

	memcpy(p.data + 6, mac, 6);
	put16(p.data + 12, 0x0806);
	memcpy(a, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
	memcpy(a + 8, mac, 6);
	memcpy(a + 14, &s.word[3], 4);
	memset(a + 18, 0, 6);
	memcpy(a + 24, &t.word[3], 4);
	p.len = 60;
	return p;
}

static const uint8_t foreign_mac[MAC_LEN] = { 2, 6, 6, 6, 6, 6 };

static void nobody_sends_from_others_addresses(void **state)
{
	const struct family *f = *state;
	struct packet right = syn(f->client, f->backend, 80);
	struct packet forged = syn(f->client2, f->backend, 80);
	struct packet mac = tcp(f->client, 1, f->backend, 80,
				.smac = { 2, 6, 6, 6, 6, 6 });
	struct packet mapped = right;
	struct addr client4 = addr(families[0].client);

	police(f);
	passes_from(W, &mac);
	memcpy(workload(W)->mac, mac_client, MAC_LEN);
	passes_from(W, &right);
	drops_from(W, &forged, SPOOFED);
	drops_from(W, &mac, SPOOFED);
	assert_int_equal(hits(0, POLICY_SPOOFED, true, POLICY_OUT), 2);
	workload(W)->addr[3] = addr(f->client2);
	passes_from(W, &forged);
	workload(W)->flags = WORKLOAD_SPOOFS;
	forged = syn(f->stranger, f->backend, 80);
	passes_from(W, &forged);
	passes_from(W, &mac);
	if (!f->v6)
		return;
	/* IPv4's addresses do not stand in IPv6's headers */
	workload(W)->flags = 0;
	workload(W)->addr[1] = client4;
	memcpy(mapped.data + ETH_LEN + 8, &client4, sizeof(client4));
	packet_sum(&mapped);
	drops_from(W, &mapped, SPOOFED);
}

/* Nor where it is looked for by neighbours. */
static void nobody_answers_for_others_by_arp(void **state)
{
	const struct family *f = *state;
	const char *own = families[0].client, *other = families[0].client2;
	struct packet right = arp(mac_client, own, other);
	struct packet probe = arp(mac_client, "0.0.0.0", other);
	struct packet forged = arp(mac_client, other, own);
	struct packet mac = arp(foreign_mac, own, other);
	struct packet inner = right;

	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	workload(W)->addr[2] = addr(own);
	memcpy(workload(W)->mac, mac_client, MAC_LEN);
	memcpy(inner.data + ETH_LEN + 8, foreign_mac, MAC_LEN);
	passes_from(W, &right);
	passes_from(W, &probe);
	drops_from(W, &forged, SPOOFED);
	drops_from(W, &mac, SPOOFED);
	drops_from(W, &inner, SPOOFED);
	passes_to(W, &forged);
	workload(W)->flags = WORKLOAD_SPOOFS;
	passes_from(W, &forged);
}

static void who_has_no_address_yet_may_ask_for_one(void **state)
{
	const struct family *f = *state;
	struct packet dhcp = udp("0.0.0.0", 68, "255.255.255.255", 67);
	struct packet other = udp("0.0.0.0", 68, "255.255.255.255", 68);
	struct packet unicast = udp("0.0.0.0", 68, families[0].backend, 67);
	struct addr tentative = addr("fe80::7");
	struct packet dad = packet_of(.src = addr("::"),
		.dst = addr("ff02::1:ff00:7"), .proto = IPPROTO_ICMPV6,
		.type = 135, .ttl = 255, .payload = 16,
		.content = (uint8_t *)&tentative);
	struct packet link = udp("fe80::1", 546, "ff02::1:2", 547);
	struct packet far = udp("::", 546, families[1].backend, 547);

	police(f);
	passes_from(W, &dhcp);
	drops_from(W, &other, SPOOFED);
	drops_from(W, &unicast, SPOOFED);
	passes_from(W, &dad);
	passes_from(W, &link);
	drops_from(W, &far, SPOOFED);
}

/* Neighbour discovery, of a target if it is about one. */
static struct packet neighbour(uint8_t type, const char *target, uint8_t ttl)
{
	struct addr a = addr(target);

	return packet_of(.src = addr("fe80::1"), .dst = addr("fe80::2"),
			 .proto = IPPROTO_ICMPV6, .type = type, .ttl = ttl,
			 .payload = sizeof(a), .content = (uint8_t *)&a);
}

/* However much is denied. */
static void neighbours_are_always_heard(void **state)
{
	const struct family *f = *state;

	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	for (int closed = 0; closed < 2; closed++) {
		workload(W)->flags = closed ? WORKLOAD_CLOSED : 0;
		for (uint8_t type = 133; type <= 137; type++) {
			struct packet p = neighbour(type, "fe80::1", 255);

			if (type != 134 && type != 137)
				passes_from(W, &p);
			passes_to(W, &p);
			p = neighbour(type, "fe80::1", 254);
			expect_at("fl_pod_out", LINK_POD, LINK_REDIRECT, &p,
				  TC_ACT_SHOT, closed ? REASON_BIT(CLOSED) :
							REASON_BIT(POLICY),
				  NULL, __LINE__);
		}
	}
}

/* Who is asked by a neighbour answers him; a router would send it on, with what
 * there is in it. */
static void neighbours_are_on_the_link(void **state)
{
	static const uint8_t bridge[MAC_LEN] = { 2, 0, 0, 0, 0, 9 };
	const char *host = "2001:db8:ffff::1", *far = "2001:db8:9::1";
	const struct family *f = *state;
	struct packet p = neighbour(136, "fe80::1", 255), q;
	struct addr to[] = { addr(host), addr(far) };

	police(f);
	peer_is(host, PEER_HOST);
	isolate(W_OUT);
	set_targets(W, 0, W_OUT);
	for (int i = 0; i < 2; i++) {
		memcpy(p.data + ETH_LEN + 24, &to[i], sizeof(to[i]));
		packet_sum(&p);
		if (i)
			drops_from(W, &p, POLICY);
		else
			passes_from(W, &p);
		q = packet_framed(&p, bridge, mac_client, NULL);
		passes_from(W, &q);
	}
}

/* Isolated or not. */
static void nobody_speaks_for_his_neighbours(void **state)
{
	static const char *const own = "2001:db8::7";
	const struct family *f = *state;
	struct packet right = neighbour(136, own, 255);
	struct packet forged = neighbour(136, "2001:db8::8", 255);
	struct packet router = neighbour(134, own, 255);
	struct packet redirect = neighbour(137, own, 255);
	struct packet asks = neighbour(135, "2001:db8::8", 255);
	struct words hidden = {
		.src = addr("fe80::1"), .dst = addr("fe80::2"),
		.proto = IPPROTO_ICMPV6, .type = 134, .ttl = 255,
		.payload = 16, .extensions = { EXTENSION_DESTINATION,
					       EXTENSION_HOP },
	};
	struct packet p = packet_build(&hidden);

	police(f);
	workload(W)->addr[1] = addr(own);
	passes_from(W, &right);
	passes_from(W, &asks);
	drops_from(W, &forged, SPOOFED);
	drops_from(W, &router, SPOOFED);
	drops_from(W, &redirect, SPOOFED);
	drops_from(W, &p, SPOOFED);
	workload(W)->flags = WORKLOAD_SPOOFS;
	passes_from(W, &forged);
	passes_from(W, &router);
}

/* Be it who has not told us what addresses he has, or who he is. */
static void nobody_speaks_for_the_host(void **state)
{
	const char *host = "2001:db8:ffff::1", *link = "fe80::9";
	struct packet gateway = neighbour(136, host, 255);
	struct packet router = neighbour(134, host, 255);
	struct packet by_link = neighbour(136, link, 255);
	struct packet asks = packet_of(.src = addr(link),
		.dst = addr("ff02::1"), .proto = IPPROTO_ICMPV6, .type = 135,
		.ttl = 255, .payload = 16);
	const char *host4 = "203.0.113.1";
	struct packet by_arp = arp(mac_client, host4, "192.0.2.9");
	const struct family *f = *state;
	__u32 ifindex[] = { LINK_POD, LINK_POD, LINK_VLAN };

	police(f);
	peer_is(host, PEER_HOST);
	peer_is(host4, PEER_HOST);
	peer_is(link, PEER_HOST);
	tables()->runtime->policing = POLICE_ALL;
	for (int i = 0; i < 3; i++) {
		const struct packet *p[] = { &gateway, &router, &by_link,
					     &by_arp, &asks };

		if (i)
			workload(W)->addr[0] = (struct addr){};
		workload(W)->flags = i ? WORKLOAD_CLOSED : 0;
		for (int j = 0; j < (i ? 4 : 5); j++)
			expect_at("fl_pod_in", ifindex[i], 0, p[j], TC_ACT_SHOT,
				  REASON_BIT(SPOOFED), NULL, __LINE__);
	}
}

/* Who asks from nowhere for an address makes its owner give it up. */
static void nobody_is_kept_from_having_an_address(void **state)
{
	const struct family *f = *state;
	const char *own = "2001:db8::7", *other = "2001:db8::8";
	struct addr target[] = { addr(own), addr(other) };

	police(f);
	workload(W)->addr[1] = addr(own);
	for (int i = 0; i < 2; i++) {
		struct packet p = packet_of(.src = addr("::"),
			.dst = addr("ff02::1:ff00:7"), .proto = IPPROTO_ICMPV6,
			.type = 135, .ttl = 255, .payload = 16,
			.content = (uint8_t *)&target[i]);

		if (i)
			drops_from(W, &p, SPOOFED);
		else
			passes_from(W, &p);
	}
}

/* By where it comes from: its address may be forged. */
static void the_host_is_never_blocked(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->router, f->client, 80);
	struct packet out = syn(f->client, f->router, 22);

	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	peer_is(f->router, PEER_HOST);
	for (int closed = 0; closed < 2; closed++) {
		workload(W)->flags = closed ? WORKLOAD_CLOSED : 0;
		expect_at("fl_pod_out", LINK_POD, 0, &in, TCX_NEXT, 0, &in,
			  __LINE__);
		passes_from(W, &out);
		expect_at("fl_pod_out", LINK_POD, LINK_REDIRECT, &in,
			  TC_ACT_SHOT, closed ? REASON_BIT(CLOSED) :
						REASON_BIT(POLICY), NULL,
			  __LINE__);
	}
}

/* It sends by itself what it dials of services of its own. And who says that a
 * part of a packet came from nowhere has to be asked who sent that. */
static void the_host_is_known_by_where_it_sends(void **state)
{
	const struct family *f = *state;
	struct packet own = syn(f->router, f->client, 80);
	struct packet p = udp(f->router, 4321, f->client, 53, .payload = 400);
	struct packet q = udp(f->backend, 4321, f->client, 53, .payload = 400);
	struct packet hosts = packet_fragment(&p, 0, 200, 7);
	struct packet other = packet_fragment(&q, 0, 200, 7);

	police(f);
	isolate(W_IN);
	set_targets(W, W_IN, 0);
	peer_is(f->router, PEER_HOST);
	expect_at("fl_pod_out", LINK_POD, LOOPBACK_IFINDEX, &own, TCX_NEXT, 0,
		  &own, __LINE__);
	expect_at("fl_pod_out", LINK_POD, 0, &hosts, TCX_NEXT, 0, &hosts,
		  __LINE__);
	if (f->v6)
		expect_at("fl_pod_out", LINK_POD, 0, &other, TC_ACT_SHOT,
			  REASON_BIT(POLICY), NULL, __LINE__);
}

static void nobody_is_kept_from_himself(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->client, f->client, 80);

	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	passes_from(W, &in);
	/* by another's interface, it is forged */
	drops_to(W, &in, POLICY);
	/* back by where it came in: a port of a bridge that sends it so */
	in = syn(f->vip, f->client, 80);
	expect_at("fl_pod_out", LINK_POD, LINK_POD, &in, TCX_NEXT, 0, &in,
		  __LINE__);
}

/* Who looks for an address sends from none, which is none of theirs. */
static void no_address_is_nobodys(void **state)
{
	struct packet in = udp("::", 4321, "ff02::1", 80);
	const struct family *f = *state;

	police(f);
	isolate(W_IN);
	set_targets(W, W_IN, 0);
	drops_to(W, &in, POLICY);
}

static void fragments_go_the_way_of_their_first(void **state)
{
	const struct family *f = *state;
	struct packet out = udp(f->client, 4321, f->backend, 53,
				.payload = 400);
	struct packet in = udp(f->backend2, 4321, f->client, 53,
			       .payload = 400);
	struct packet bad = udp(f->client, 4321, f->backend, 54,
				.payload = 400);
	struct packet first, later;

	police(f);
	isolate(W_OUT);
	isolate(W_IN);
	set_peers(W_OUT, FRIEND, bit(0));
	set_ports(W_OUT, POLICY_UDP, DNS, bit(0));
	set_targets(W, W_IN, W_OUT);
	first = packet_fragment(&out, 0, 200, 7);
	later = packet_fragment(&out, 200, 200, 7);
	drops_from(W, &later, FRAGMENT_EARLY);
	passes_from(W, &first);
	passes_from(W, &later);
	first = packet_fragment(&bad, 0, 200, 8);
	later = packet_fragment(&bad, 200, 200, 8);
	drops_from(W, &first, POLICY);
	drops_from(W, &later, POLICY);
	first = packet_fragment(&in, 0, 200, 9);
	later = packet_fragment(&in, 200, 200, 9);
	drops_to(W, &later, FRAGMENT_LOST);
	drops_to(W, &first, POLICY);
	drops_to(W, &later, POLICY);
	allow_all_ports(NEXT, NOBODY);
	set_targets(W, NEXT, W_OUT);
	next_epoch();
	passes_to(W, &first);
	passes_to(W, &later);
}

/* Whichever way, and from whomever: by what they quote. */
static void errors_about_known_flows_pass(void **state)
{
	const struct family *f = *state;
	struct addr client = addr(f->client), backend = addr(f->backend);
	struct addr router = addr(f->router);
	struct packet out = udp(f->client, 4321, f->backend, 53,
				.payload = 40);
	struct packet back = udp(f->backend, 53, f->client, 4321,
				 .payload = 40);
	struct packet other = udp(f->client, 4322, f->backend, 53,
				  .payload = 40);
	uint8_t unreachable = f->v6 ? 1 : 3;
	struct packet about_out = icmp_error(&router, &client, unreachable, 1,
					     0, &out, PACKET_MAX);
	struct packet about_back = icmp_error(&client, &backend, unreachable,
					      3, 0, &back, PACKET_MAX);
	struct packet about_other = icmp_error(&router, &client, unreachable,
					       1, 0, &other, PACKET_MAX);
	struct packet size = icmp_error(&router, &client, f->v6 ? 2 : 3,
					f->v6 ? 0 : 4, 1400, &other,
					PACKET_MAX);

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	drops_to(W, &about_out, POLICY);
	passes_from(W, &out);
	passes_to(W, &about_out);
	passes_from(W, &about_back);
	drops_to(W, &about_other, POLICY);
	passes_to(W, &size);
	/* about nothing that is known: as anything from who sends it */
	peer_is(f->router, OTHER);
	allow_all_ports(NEXT, OTHER);
	set_targets(W, NEXT, W_OUT);
	next_epoch();
	passes_to(W, &about_other);
}

/* Of no packet but one that came to oneself; who is no router has nothing to
 * say of sizes either. */
static void errors_are_no_way_out(void **state)
{
	const struct family *f = *state;
	struct addr client = addr(f->client), router = addr(f->router);
	struct packet theirs = udp(f->router, 53, f->backend, 4321,
				   .payload = 40);
	struct packet mine = udp(f->router, 53, f->client, 4321,
				 .payload = 40);
	struct packet answer = udp(f->backend, 4321, f->router, 53);
	struct packet meddling = icmp_error(&client, &router, f->v6 ? 1 : 3, 1,
					    0, &theirs, PACKET_MAX);
	struct packet size = icmp_error(&client, &router, f->v6 ? 2 : 3,
					f->v6 ? 0 : 4, 1400, &mine,
					PACKET_MAX);

	police(f);
	isolate(W_OUT);
	set_targets(W, 0, W_OUT);
	allow_all_ports(V_IN, NOBODY);
	set_targets(V, V_IN, 0);
	passes_to(V, &theirs);
	passes_from(V, &answer);
	drops_from(W, &meddling, SPOOFED);
	drops_from(W, &size, POLICY);
	workload(W)->flags = WORKLOAD_SPOOFS;
	passes_from(W, &meddling);
	passes_from(W, &size);
}

/* Nor are parts of an error one. */
static void a_part_of_an_error_is_none(void **state)
{
	const struct family *f = *state;
	struct addr client = addr(f->client), router = addr(f->router);
	struct packet out = udp(f->client, 4321, f->backend, 53,
				.payload = 80);
	struct packet error = icmp_error(&router, &client, f->v6 ? 2 : 3,
					 f->v6 ? 0 : 4, 1400, &out, PACKET_MAX);
	struct packet part = packet_fragment(&error, 0, 88, 7);

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	passes_from(W, &out);
	passes_to(W, &error);
	drops_to(W, &part, POLICY);
}

static void an_echo_is_a_protocol_without_ports(void **state)
{
	const struct family *f = *state;
	struct packet out = echo_request(f->client, f->backend, 5, 8);
	struct packet back = echo_reply(f, f->backend, f->client, 5);
	struct packet other = echo_reply(f, f->backend, f->client, 6);
	struct addr client = addr(f->client), router = addr(f->router);
	struct packet error = icmp_error(&router, &client, f->v6 ? 1 : 3, 1, 0,
					 &out, PACKET_MAX);

	police(f);
	allow(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	drops_from(W, &out, POLICY);
	allow_all_ports(NEXT, FRIEND);
	set_targets(W, W_IN, NEXT);
	next_epoch();
	drops_to(W, &back, POLICY);
	passes_from(W, &out);
	passes_to(W, &back);
	drops_to(W, &other, POLICY);
	passes_to(W, &error);
}

static void other_protocols_have_answers_too(void **state)
{
	const struct family *f = *state;
	struct packet out = other_proto(f->client, f->backend);
	struct packet back = other_proto(f->backend, f->client);

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	drops_to(W, &back, POLICY);
	passes_from(W, &out);
	passes_to(W, &back);
}

/* Reported, and that is all. */
static void an_audit_denies_nothing(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct target t = isolation(0);
	struct policy_event e;

	police(f);
	tables()->runtime->policy_events = POLICY_EVENTS_DENIED;
	t.audit = bit(0);
	set_target(W_OUT, &t);
	set_targets(W, 0, W_OUT);
	events(NULL);
	passes_from(W, &out);
	passes_from(W, &out);
	assert_int_equal(events(&e), 1);
	assert_int_equal(e.flags, POLICY_EVENT_AUDIT);
	assert_int_equal(e.rule, 0);
	assert_int_equal(e.target, W_OUT);
	assert_int_equal(hits(W_OUT, 0, true, POLICY_OUT), 1);
	assert_int_equal(hits(W_OUT, POLICY_NO_RULE, false, POLICY_OUT), 1);
	/* one that is in force behind it is */
	add_bit(&t.peer_any, 1);
	add_bit(&t.port_any, 1);
	add_bit(&t.deny, 1);
	set_target(NEXT, &t);
	set_targets(W, 0, NEXT);
	next_epoch();
	drops_from(W, &out, POLICY);
	assert_int_equal(events(&e), 1);
	assert_int_equal(e.flags, POLICY_EVENT_DENIED | POLICY_EVENT_LIVE);
	assert_int_equal(e.rule, 1);
}

/* Admin: 0 denies FRIEND's DNS, 1 passes FRIEND, 2 accepts OTHER. Network: 3
 * allows FRIEND's HTTP, 4 denies the rest. Baseline: 5 denies all. */
static void tiers_are_asked_in_turn(void **state)
{
	const struct family *f = *state;
	struct target t = { .words = 1, .network = 3 };
	struct packet p;

	police(f);
	peer_is(f->backend2, OTHER | PEER_POD);
	t.port_any = bit(1);
	for (int rule = 2; rule <= 5; rule++)
		if (rule != 3)
			add_bit(&t.port_any, rule);
	t.peer_any = bit(4);
	add_bit(&t.peer_any, 5);
	t.deny = bit(0);
	add_bit(&t.deny, 4);
	add_bit(&t.deny, 5);
	t.pass = bit(1);
	set_target(W_OUT, &t);
	t.peer_any = bit(5);	/* no NetworkPolicy selects it */
	set_target(NEXT, &t);
	for (__u32 id = W_OUT; id; id = id == W_OUT ? NEXT : 0) {
		struct rule_mask friend = bit(0);

		add_bit(&friend, 1);
		add_bit(&friend, 3);
		set_peers(id, FRIEND, friend);
		set_peers(id, OTHER, bit(2));
		set_ports(id, POLICY_UDP, DNS, bit(0));
		set_ports(id, POLICY_TCP, HTTP, bit(3));
	}
	set_targets(W, 0, W_OUT);
	p = udp(f->client, 4321, f->backend, 53);
	drops_from(W, &p, POLICY);
	assert_int_equal(hits(W_OUT, 0, true, POLICY_OUT), 1);
	p = syn(f->client, f->backend, 80);
	passes_from(W, &p);
	assert_int_equal(hits(W_OUT, 3, false, POLICY_OUT), 1);
	p = syn(f->client, f->backend, 81);
	drops_from(W, &p, POLICY);
	assert_int_equal(hits(W_OUT, 4, true, POLICY_OUT), 1);
	p = syn(f->client, f->backend2, 81);
	passes_from(W, &p);
	assert_int_equal(hits(W_OUT, 2, false, POLICY_OUT), 1);
	set_targets(W, 0, NEXT);
	next_epoch();
	p = syn(f->client, f->client2, 80);
	drops_from(W, &p, POLICY);
	assert_int_equal(hits(NEXT, 5, true, POLICY_OUT), 1);
}

/* Each of them decides where it is the only one. */
static void a_target_has_1024_rules(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->client, f->backend, 80);

	police(f);
	set_targets(W, 0, W_OUT);
	for (unsigned int rule = 0; rule < POLICY_RULES_MAX; rule += 31) {
		struct target t = isolation(POLICY_RULES_MAX - 1);

		set_target(W_OUT, &t);
		set_peers(W_OUT, FRIEND, bit(rule));
		set_ports(W_OUT, POLICY_TCP, HTTP, bit(rule));
		next_epoch();
		if (rule == POLICY_RULES_MAX - 1)
			break;
		passes_from(W, &p);
		assert_int_equal(hits(W_OUT, rule, false, POLICY_OUT), 1);
	}
	set_ports(W_OUT, POLICY_TCP, HTTP, (struct rule_mask){});
	next_epoch();
	drops_from(W, &p, POLICY);
	assert_int_equal(hits(W_OUT, POLICY_RULES_MAX - 1, true, POLICY_OUT),
			 1);
}

/* A target that is not there allows nothing. */
static void what_is_missing_denies(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->client, f->backend, 80);

	police(f);
	set_targets(W, 0, 99);
	drops_from(W, &p, POLICY);
	assert_int_equal(hits(99, POLICY_UNKNOWN, true, POLICY_OUT), 1);
}

/* How many of count packets pass, at once. */
static int passed(const struct packet *list, int count, int step)
{
	struct outcome got;
	int ret = 0;

	for (int i = 0; i < count; i++) {
		int verdict = run("fl_pod_in", LINK_POD, 0, &list[i * step],
				  &got);

		if (verdict == TCX_NEXT)
			ret++;
		else
			assert_int_equal(got.reasons,
					 REASON_BIT(WORKLOAD_LIMIT));
	}
	return ret;
}

/* A second's worth at once; tests take less than a second. */
static void what_a_workload_sends_is_limited(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->client, f->backend, 80);
	struct packet in = syn(f->backend, f->client, 80);

	police(f);
	workload(W)->packets_per_s = 5;
	assert_in_range(passed(&p, 50, 0), 5, 9);
	passes_to(W, &in);
	assert_true(hits(0, POLICY_LIMITED, true, POLICY_OUT) >= 41);
	clear_limits();
	put16(p.data + 12, 0x88cc);
	assert_in_range(passed(&p, 50, 0), 5, 9);
	p = syn(f->client, f->backend, 80);
	workload(W)->packets_per_s = 0;
	workload(W)->bytes_per_s = 10 * p.len;
	assert_in_range(passed(&p, 50, 0), 10, 16);
	workload(W)->bytes_per_s = 0;
	assert_int_equal(passed(&p, 50, 0), 50);
}

static void what_a_workload_begins_is_limited(void **state)
{
	static struct packet list[50];
	const struct family *f = *state;
	struct packet in = syn(f->backend, f->client, 80);

	police(f);
	for (int i = 0; i < 50; i++)
		list[i] = udp(f->client, 1000 + i, f->backend, 53);
	workload(W)->conns_per_s = 5;
	assert_in_range(passed(list, 50, 1), 5, 9);
	assert_int_equal(passed(list, 50, 0), 50);	/* known */
	passes_to(W, &in);
	workload(W)->conns_per_s = 0;
	workload(W)->flags = WORKLOAD_FULL;
	assert_int_equal(passed(list, 1, 0), 1);
	assert_int_equal(passed(list + 40, 10, 1), 0);
	workload(W)->flags = WORKLOAD_COUNTED;
	assert_int_equal(passed(list + 40, 10, 1), 10);
}

static void who_is_not_known_yet_is_closed(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet in = syn(f->backend, f->client, 80);
	struct packet a = arp(mac_client, families[0].client,
			      families[0].client2);

	police(f);
	workload(W)->flags = WORKLOAD_CLOSED;
	workload(W)->addr[0] = (struct addr){};
	drops_from(W, &out, CLOSED);
	drops_to(W, &in, CLOSED);
	passes_from(W, &a);
	passes_to(W, &a);
	assert_int_equal(hits(0, POLICY_UNKNOWN, true, POLICY_OUT), 1);
	assert_int_equal(hits(0, POLICY_UNKNOWN, true, POLICY_IN), 1);
	/* an interface that nobody has said anything of */
	expect_at("fl_pod_in", LINK_VLAN, 0, &out, TCX_NEXT, 0, &out,
		  __LINE__);
	tables()->runtime->policing = POLICE_ALL;
	expect_at("fl_pod_in", LINK_VLAN, 0, &out, TC_ACT_SHOT,
		  REASON_BIT(CLOSED), NULL, __LINE__);
	expect_at("fl_pod_out", LINK_VLAN, 2, &in, TC_ACT_SHOT,
		  REASON_BIT(CLOSED), NULL, __LINE__);
	expect_at("fl_pod_in", LINK_VLAN, 0, &a, TCX_NEXT, 0, &a, __LINE__);
	/* one whose number another had before */
	workload(V)->ifindex = LINK_VLAN;
	drops_from(V, &in, CLOSED);
}

static void no_other_protocols_of_ethernet_go_by(void **state)
{
	const struct family *f = *state;
	struct packet p = syn(f->client, f->backend, 80);

	put16(p.data + 12, 0x88cc);
	police(f);
	passes_from(W, &p);
	passes_to(W, &p);
	/* where a bridge looks for others is none of theirs to say */
	memcpy(workload(W)->mac, foreign_mac, MAC_LEN);
	drops_from(W, &p, SPOOFED);
	workload(W)->flags = WORKLOAD_SPOOFS;
	passes_from(W, &p);
	workload(W)->flags = 0;
	memcpy(workload(W)->mac, mac_client, MAC_LEN);
	passes_from(W, &p);
	isolate(W_OUT);
	set_targets(W, 0, W_OUT);
	drops_from(W, &p, POLICY);
	drops_to(W, &p, POLICY);
	workload(W)->flags = WORKLOAD_CLOSED;
	drops_from(W, &p, CLOSED);
	drops_to(W, &p, CLOSED);
}

/* What cannot be judged is not let through, and says why. */
static void what_cannot_be_read_is_dropped(void **state)
{
	const struct family *f = *state;
	struct packet p = tcp(f->client, 4321, f->backend, 80, .payload = 9);

	police(f);
	allow_all_ports(W_OUT, FRIEND);
	set_targets(W, W_OUT, W_OUT);
	p.len -= 4;
	drops_from(W, &p, TRUNCATED);
	drops_to(W, &p, TRUNCATED);
}

/* More headers than are walked through; and what asks to be sent on, to where no
 * policy was asked about. All is allowed here. */
static void nothing_hides_behind_headers(void **state)
{
	static const uint8_t route[] = { 131, 7, 4, 10, 9, 9, 9, 1 };
	static const uint8_t more[48] = {	/* options, options, TCP */
		IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0,
		IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0,
		IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0,
	};
	const struct family *f = *state;
	struct words w = {
		l4_words(IPPROTO_TCP, f->backend, 4321, f->client, 22),
		.flags = SYN,
	};
	struct packet p;

	police(f);
	allow_all_ports(W_IN, FRIEND);
	set_targets(W, W_IN, 0);
	if (f->v6)
		w.extensions[0] = EXTENSION_ROUTED;
	else
		w.options = sizeof(route), w.options_content = route;
	p = packet_build(&w);
	drops_to(W, &p, BAD_HEADER);
	if (!f->v6)
		return;
	for (int i = 0; i < EXTENSIONS_MAX; i++)
		w.extensions[i] = EXTENSION_DESTINATION;
	w.proto = IPPROTO_DSTOPTS;
	w.payload = sizeof(more);
	w.content = more;
	p = packet_build(&w);
	drops_to(W, &p, BAD_HEADER);
}

static void events_say_what_was_denied(void **state)
{
	const struct family *f = *state;
	struct packet out = syn(f->client, f->backend, 80);
	struct packet allowed = syn(f->client, f->backend2, 80);
	struct policy_event e;
	struct addr a;

	police(f);
	peer_is(f->backend2, OTHER);
	allow(W_OUT, OTHER);
	set_targets(W, 0, W_OUT);
	events(NULL);
	drops_from(W, &out, POLICY);
	assert_int_equal(events(NULL), 0);
	tables()->runtime->policy_events = POLICY_EVENTS_DENIED;
	passes_from(W, &allowed);
	assert_int_equal(events(NULL), 0);
	drops_from(W, &out, POLICY);
	assert_int_equal(events(&e), 1);
	assert_int_equal(e.workload, W);
	assert_int_equal(e.ifindex, LINK_POD);
	assert_int_equal(e.target, W_OUT);
	assert_int_equal(e.rule, 1);
	assert_int_equal(e.direction, POLICY_OUT);
	assert_int_equal(e.flags, POLICY_EVENT_DENIED);
	a = addr(f->client);
	assert_memory_equal(&e.flow.src, &a, sizeof(a));
	a = addr(f->backend);
	assert_memory_equal(&e.flow.dst, &a, sizeof(a));
	assert_int_equal(e.flow.sport, htons(4321));
	assert_int_equal(e.flow.dport, htons(80));
	assert_int_equal(e.flow.proto, IPPROTO_TCP);
	tables()->runtime->policy_events = POLICY_EVENTS_ALL;
	next_epoch();
	passes_from(W, &allowed);
	assert_int_equal(events(&e), 1);
	assert_int_equal(e.flags, POLICY_EVENT_LIVE);
}

/* --- services --- */

static void serve_prefix(const struct family *f, enum service_kind kind,
			 const char *backend, unsigned int prefix_len)
{
	world_model(world)->detect_local = DETECT_INTERFACES;
	world_link(world, LINK_POD2);
	world_service(world, .addr = f->vip, .port = 80, .kind = kind,
		      .algorithm = ALGORITHM_RANDOM, .backends = { backend },
		      .backend_port = POD_PORT, .prefix_len = prefix_len);
}

static void serve(const struct family *f, enum service_kind kind,
		  const char *backend)
{
	serve_prefix(f, kind, backend, 0);
}

static struct packet with(const char *src, uint16_t sport, const char *dst,
			  uint16_t dport, uint8_t flags)
{
	return tcp(src, sport, dst, dport, .flags = flags);
}

/* As the packet is behind the service: its port there, its backend. */
static void services_are_judged_by_their_backends(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->client, f->vip, 80);
	struct packet sent = with(f->client, 4321, f->backend, POD_PORT, SYN);
	struct packet reply = with(f->backend, POD_PORT, f->client, 4321,
				   SYN | ACK);
	struct packet back = with(f->vip, 80, f->client, 4321, SYN | ACK);

	serve(f, KIND_CLUSTER_IP, f->backend);
	police(f);
	peer_is(f->vip, OTHER);
	allow(W_OUT, OTHER);	/* who may do all to its address */
	isolate(W_IN);
	allow(V_IN, OTHER);
	isolate(V_OUT);
	set_targets(W, W_IN, W_OUT);
	set_targets(V, V_IN, V_OUT);
	drops_from(W, &in, POLICY);
	allow(NEXT, FRIEND);
	set_targets(W, W_IN, NEXT);
	next_epoch();
	for (int i = 0; i < 2; i++) {
		expect_at("fl_pod_in", LINK_POD, 0, &in, TCX_NEXT,
			  REASON_BIT(FORWARDED), &sent, __LINE__);
		passes_to(V, &sent);
		passes_from(V, &reply);
		expect_at("fl_pod_out", LINK_POD, LINK_POD2, &reply, TCX_NEXT,
			  REASON_BIT(RETURNED), &back, __LINE__);
	}
	isolate(W_OUT);
	set_targets(W, W_IN, W_OUT);
	next_epoch();
	drops_from(W, &in, POLICY);
	drops_to(W, &reply, POLICY);
}

static struct packet hop(struct packet p, const char *to, int link)
{
	struct layers l;

	packet_layers(&p, &l);
	p.data[ETH_LEN + (l.v6 ? 7 : 8)]--;
	packet_sum(&p);
	return framed_to(&p, to, link);
}

/* From an address of ours: policy sees the client that is behind it. */
static void masquerade(const struct family *f, unsigned int prefix_len)
{
	struct packet in = syn(f->client, f->vip, 80);
	struct packet sent = with(f->nat, 4321, f->backend, POD_PORT, SYN);
	struct packet reply = with(f->backend, POD_PORT, f->nat, 4321,
				   SYN | ACK);
	struct packet back = with(f->vip, 80, f->client, 4321, SYN | ACK);
	struct policy_event e;
	struct addr client = addr(f->client);
	struct outcome got;

	serve_prefix(f, KIND_LB_VIP, f->backend, prefix_len);
	police(f);
	peer_is(f->nat, PEER_HOST);
	allow(W_OUT, FRIEND);
	isolate(W_IN);
	allow(V_IN, OTHER);
	isolate(V_OUT);
	set_targets(W, W_IN, W_OUT);
	set_targets(V, V_IN, V_OUT);
	for (int i = 0; i < 2; i++) {
		struct packet want = hop(sent, f->backend, LINK_POD2);

		expect_at("fl_pod_in", LINK_POD, 0, &in, TC_ACT_REDIRECT,
			  REASON_BIT(FORWARDED), &want, __LINE__);
		expect_at("fl_pod_out", LINK_POD2, LINK_POD, &sent, TCX_NEXT,
			  0, &sent, __LINE__);
		assert_int_equal(run("fl_pod_in", LINK_POD2, 0, &reply, &got),
				 TC_ACT_REDIRECT);
		assert_int_equal(got.reasons, REASON_BIT(RETURNED));
		expect_at("fl_pod_out", LINK_POD, LINK_POD2, &back, TCX_NEXT,
			  0, &back, __LINE__);
	}
	isolate(NEXT);
	set_targets(V, NEXT, V_OUT);
	next_epoch();
	tables()->runtime->policy_events = POLICY_EVENTS_DENIED;
	events(NULL);
	expect_at("fl_pod_out", LINK_POD2, LINK_POD, &sent, TC_ACT_SHOT,
		  REASON_BIT(POLICY), NULL, __LINE__);
	assert_int_equal(events(&e), 1);
	assert_memory_equal(&e.flow.src, &client, sizeof(client));
	expect_at("fl_pod_in", LINK_POD2, 0, &reply, TC_ACT_SHOT,
		  REASON_BIT(POLICY), NULL, __LINE__);
	/* nobody is behind this port */
	sent = with(f->nat, 5555, f->backend, POD_PORT, SYN);
	expect_at("fl_pod_out", LINK_POD2, LINK_POD, &sent, TC_ACT_SHOT,
		  REASON_BIT(POLICY), NULL, __LINE__);
}

static void who_is_masqueraded_is_judged_as_himself(void **state)
{
	const struct family *f = *state;

	masquerade(f, 0);
	clear_policy(state);
	masquerade(f, f->v6 ? 120 : 24);	/* the service of a CIDR */
}

/* By a service that one is the backend of. */
static void a_hairpin_is_never_blocked(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->client, f->vip, 80);
	struct packet sent = with(f->nat, 4321, f->client, POD_PORT, SYN);
	struct packet reply = with(f->client, POD_PORT, f->nat, 4321,
				   SYN | ACK);
	struct packet back = with(f->vip, 80, f->client, 4321, SYN | ACK);
	struct packet want = hop(sent, f->client, LINK_POD);
	struct outcome got;

	serve(f, KIND_CLUSTER_IP, f->client);
	world_link(world, LINK_POD);
	world_apply(world);
	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	expect_at("fl_pod_in", LINK_POD, 0, &in, TC_ACT_REDIRECT,
		  REASON_BIT(FORWARDED), &want, __LINE__);
	expect_at("fl_pod_out", LINK_POD, LINK_POD, &sent, TCX_NEXT, 0, &sent,
		  __LINE__);
	assert_int_equal(run("fl_pod_in", LINK_POD, 0, &reply, &got),
			 TC_ACT_REDIRECT);
	assert_int_equal(got.reasons, REASON_BIT(RETURNED));
	expect_at("fl_pod_out", LINK_POD, LINK_POD, &back, TCX_NEXT, 0, &back,
		  __LINE__);
}

/* Nobody forges a client of a service either. */
static void services_are_not_asked_for_the_forged(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->client2, f->vip, 80);

	serve(f, KIND_CLUSTER_IP, f->backend);
	police(f);
	drops_from(W, &in, SPOOFED);
}

/* Answers are ours: to who asks, whatever it may reach. */
static void who_is_refused_is_told_so(void **state)
{
	const struct family *f = *state;
	struct packet in = syn(f->client, f->vip, 81);
	struct outcome got;

	serve(f, KIND_CLUSTER_IP, f->backend);
	police(f);
	isolate(W_OUT);
	set_targets(W, W_OUT, W_OUT);
	assert_int_equal(run("fl_pod_in", LINK_POD, 0, &in, &got),
			 TC_ACT_REDIRECT);
	assert_int_equal(got.reasons, REASON_BIT(NO_SERVICE));
	expect_at("fl_pod_out", LINK_POD, LINK_POD, &got.packet, TCX_NEXT, 0,
		  &got.packet, __LINE__);
}

static void errors_go_by_services_as_well(void **state)
{
	const struct family *f = *state;
	struct addr client = addr(f->client), backend = addr(f->backend);
	struct addr vip = addr(f->vip);
	struct packet in = syn(f->client, f->vip, 80);
	struct packet sent = with(f->client, 4321, f->backend, POD_PORT, SYN);
	struct packet back = udp(f->vip, 80, f->client, 4321, .payload = 40);
	struct packet reply = udp(f->backend, POD_PORT, f->client, 4321,
				  .payload = 40);
	struct packet error, want;

	back = with(f->vip, 80, f->client, 4321, ACK);
	reply = with(f->backend, POD_PORT, f->client, 4321, ACK);
	error = icmp_error(&client, &vip, f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0,
			   &back, PACKET_MAX);
	want = icmp_error(&client, &backend, f->v6 ? 1 : 3, f->v6 ? 4 : 3, 0,
			  &reply, PACKET_MAX);
	serve(f, KIND_CLUSTER_IP, f->backend);
	police(f);
	allow(W_OUT, FRIEND);
	set_targets(W, 0, W_OUT);
	expect_at("fl_pod_in", LINK_POD, 0, &in, TCX_NEXT,
		  REASON_BIT(FORWARDED), &sent, __LINE__);
	expect_at("fl_pod_in", LINK_POD, 0, &error, TCX_NEXT,
		  REASON_BIT(ICMP_FORWARDED), &want, __LINE__);
	world_forget(world);
	isolate(NEXT);
	set_targets(W, 0, NEXT);
	next_epoch();
	drops_from(W, &in, POLICY);	/* NAT knows it, policy does not */
	drops_from(W, &error, POLICY);
}

/* While connections go over to a larger table, and after; what begins then has
 * its answers as well. The last test, as the tables stay so. */
static void replies_pass_while_tables_grow(void **state)
{
	const struct family *f = *state;
	struct words first = { l4_words(IPPROTO_UDP, f->client, 4321,
					f->backend, 53) }, second = first;
	struct packet out[2], back[2];

	second.sport = 4322;
	out[0] = packet_build(&first);
	out[1] = packet_build(&second);
	back[0] = turned(first);
	back[1] = turned(second);
	police(f);
	allow_all_ports(W_OUT, FRIEND);
	isolate(W_IN);
	set_targets(W, W_IN, W_OUT);
	passes_from(W, &out[0]);
	drops_to(W, &back[1], POLICY);
	world_grow(world, f->v6 ? 90000 : 60000);
	for (int grown = 0; grown < 2; grown++) {
		passes_to(W, &back[0]);
		passes_from(W, &out[1]);
		passes_to(W, &back[1]);
		passes_from(W, &out[0]);
		if (!grown)
			world_grown(world);
	}
	isolate(NEXT);
	set_targets(W, W_IN, NEXT);
	next_epoch();
	drops_to(W, &back[0], POLICY);
	drops_from(W, &out[1], POLICY);
}

#define TEST(f)								\
	{ #f ", IPv4", f, clear_policy, NULL, (void *)&families[0] },	\
	{ #f ", IPv6", f, clear_policy, NULL, (void *)&families[1] }

static const struct CMUnitTest tests[] = {
	TEST(nobody_is_policed_unless_it_is_said),
	TEST(others_are_not_policed),
	TEST(who_is_not_isolated_may_all),
	TEST(isolation_denies_every_protocol),
	TEST(directions_are_independent),
	TEST(a_rule_is_peers_and_ports),
	TEST(ingress_is_by_the_source),
	TEST(rules_do_not_mix),
	TEST(everybody_and_every_pod_are_no_classes),
	TEST(others_have_the_class_of_their_prefix),
	TEST(replies_pass),
	TEST(both_ends_are_asked),
	TEST(a_connection_becomes_live_and_ends),
	TEST(a_change_cuts_what_it_denies),
	TEST(nobody_is_allowed_by_another_workload),
	TEST(what_is_forgotten_is_judged_anew),
	TEST(a_full_table_lets_pass_what_is_allowed),
	TEST(older_connections_are_adopted),
	TEST(older_connections_are_judged_by_their_ports),
	TEST(datagrams_are_not_adopted),
	TEST(who_spoke_first_is_not_all),
	TEST(a_server_that_begins_is_judged),
	TEST(nobody_sends_from_others_addresses),
	TEST(nobody_answers_for_others_by_arp),
	TEST(who_has_no_address_yet_may_ask_for_one),
	TEST(neighbours_are_always_heard),
	TEST(neighbours_are_on_the_link),
	TEST(nobody_speaks_for_his_neighbours),
	TEST(nobody_speaks_for_the_host),
	TEST(nobody_is_kept_from_having_an_address),
	TEST(the_host_is_never_blocked),
	TEST(the_host_is_known_by_where_it_sends),
	TEST(nobody_is_kept_from_himself),
	TEST(no_address_is_nobodys),
	TEST(fragments_go_the_way_of_their_first),
	TEST(errors_about_known_flows_pass),
	TEST(errors_are_no_way_out),
	TEST(a_part_of_an_error_is_none),
	TEST(an_echo_is_a_protocol_without_ports),
	TEST(other_protocols_have_answers_too),
	TEST(an_audit_denies_nothing),
	TEST(tiers_are_asked_in_turn),
	TEST(a_target_has_1024_rules),
	TEST(what_is_missing_denies),
	TEST(what_a_workload_sends_is_limited),
	TEST(what_a_workload_begins_is_limited),
	TEST(who_is_not_known_yet_is_closed),
	TEST(no_other_protocols_of_ethernet_go_by),
	TEST(what_cannot_be_read_is_dropped),
	TEST(nothing_hides_behind_headers),
	TEST(events_say_what_was_denied),
	TEST(services_are_judged_by_their_backends),
	TEST(who_is_masqueraded_is_judged_as_himself),
	TEST(a_hairpin_is_never_blocked),
	TEST(services_are_not_asked_for_the_forged),
	TEST(who_is_refused_is_told_so),
	TEST(errors_go_by_services_as_well),
	TEST(replies_pass_while_tables_grow),
};

int main(void)
{
	return run_both(tests);
}
