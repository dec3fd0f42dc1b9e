// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of connections under load: at its limit, in blocks, in random
 * lives, under floods, and with two CPUs at once. What must hold of it then:
 * every record is found by both of its keys, no key is there twice, nothing
 * stays locked, no cell is left behind.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include <fairlead/config.h>
#include <fairlead/hash.h>

#include "conns.h"
#include "conns.skel.h"
#include "model/conns.h"

#define LIMIT (1u << 15)
#define BACKENDS 20
#define OFFERED 1001

static struct conns_bpf *skel;
static struct tables tables;	/* mapped whole */
static struct conn_bucket *buckets;
static struct reply_bucket *cells;
static struct step *steps;
static struct script *scripts;
static struct service *service;
static struct conn_entry *list;	/* of all records */
static struct flow *keys;
static __u64 next_flow;

static struct conn_bucket *conns_at(struct tables *t, __u32 first, __u32 count)
{
	return (__u64)first + count > t->conn_buckets ? NULL :
							 buckets + first;
}

static struct reply_bucket *replies_at(struct tables *t, __u32 first,
				       __u32 count)
{
	return (__u64)first + count > t->reply_buckets ? NULL : cells + first;
}

static void *map_all(struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__max_entries(map) *
		      ((bpf_map__value_size(map) + 7) & ~7u);
	void *at = mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE,
			MAP_SHARED, bpf_map__fd(map), 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static struct addr addr4(__u32 host_order)
{
	return (struct addr){ { 0, 0, htonl(0xffff), htonl(host_order) } };
}

/* One service of many backends, every slot of which is a backend's. */
static void fill_tables(void)
{
	struct slot *slots = map_all(skel->maps.slots);
	struct link *links = map_all(skel->maps.links);

	tables = (struct tables){
		.hash_key = (const __u32 *)skel->rodata->cfg.hash_key,
		.runtime = map_all(skel->maps.runtime),
		.backends = map_all(skel->maps.backends),
		.nat_addrs = map_all(skel->maps.nat_addrs),
		.nr_backends = BACKENDS + 1,
		.conn_buckets = skel->rodata->cfg.conn_buckets,
		.reply_buckets = skel->rodata->cfg.reply_buckets,
		.conns = conns_at,
		.replies = replies_at,
	};
	*tables.runtime = (struct runtime){
		.nat_port_first = 1024, .nat_port_last = 65535,
		.nat_addrs4 = 1, .syn_s = 60, .half_closed_s = 3600,
		.closing_s = 10,
	};
	tables.nat_addrs[1] = addr4(0x0a090901);
	links[1] = (struct link){ .ifindex = 1, .mtu = 1500, .nat4 = 1 };
	for (int i = 1; i <= BACKENDS; i++) {
		tables.backends[i] = (struct backend){
			.addr = addr4(0x0a010000 + i), .hop = { .link = 1 },
			.generation = 1, .port = htons(8080),
			.state = BACKEND_ACTIVE,
		};
		slots[i] = (struct slot){ .backend = i };
	}
	service = (struct service *)map_all(skel->maps.services) + 1;
	*service = (struct service){
		.forward = FORWARD_NAT, .algorithm = ALGORITHM_RANDOM,
		.flags = SERVICE_TRACKED, .slot_base = 1,
		.slot_count = BACKENDS, .idle_life = conn_life_from(900),
	};
}

static int open_conns(void **state)
{
	__u32 wanted = conn_buckets_for(LIMIT);
	struct fairlead_config *cfg;

	skel = conns_bpf__open();
	assert_non_null(skel);
	bpf_map__set_max_entries(skel->maps.conns, wanted);
	bpf_map__set_max_entries(skel->maps.replies,
				 reply_buckets_for(wanted));
	cfg = (void *)&skel->rodata->cfg;
	for (int i = 0; i < 16; i++)
		cfg->hash_key[i] = 0x9e3779b9u * (i + 1);
	cfg->hz_reciprocal = (1ull << 32) / sysconf(_SC_CLK_TCK);
	cfg->cell_buckets = 64;
	cfg->conn_buckets = wanted;
	cfg->reply_buckets = reply_buckets_for(wanted);
	assert_int_equal(conns_bpf__load(skel), 0);
	fill_tables();
	buckets = map_all(skel->maps.conns);
	cells = map_all(skel->maps.replies);
	steps = map_all(skel->maps.steps);
	scripts = map_all(skel->maps.scripts);
	list = calloc((size_t)wanted * CONN_WAYS, sizeof(*list));
	keys = calloc((size_t)wanted * CONN_WAYS, sizeof(*keys));
	assert_true(list && keys);
	return 0;
}

static int close_conns(void **state)
{
	free(list);
	free(keys);
	conns_bpf__destroy(skel);
	return 0;
}

/* As if nothing had been. */
static int empty(void **state)
{
	memset(scripts, 0, CPUS * sizeof(*scripts));
	service->slot_count = BACKENDS;
	tables.runtime->nat_port_first = 1024;
	tables.runtime->nat_port_last = 65535;
	return conns_clear(&tables);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run(struct bpf_program *program, __u32 repeat)
{
	static __u8 packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet,
		.data_size_in = sizeof(packet),
		.repeat = repeat,
	);

	if (repeat)
		assert_int_equal(bpf_prog_test_run_opts(
			bpf_program__fd(program), &opts), 0);
}

/* Run the first so many steps on this CPU. */
static void run_steps(__u32 count)
{
	for (int i = 0; i < CPUS; i++)
		scripts[i] = (struct script){ .mask = ~0u };
	run(skel->progs.conns_in_a_row, count);
}

static __u64 results(enum result what)
{
	return scripts[0].results[what] + scripts[1].results[what];
}

static struct flow client_flow(__u64 number)
{
	__u64 hash = hash_mix(number * 0x9e3779b97f4a7c15ull + 1);

	return (struct flow){
		.src = addr4(0x0b000000 | (hash >> 40)),
		.dst = addr4(0x0a600001),
		.sport = htons(1024 + (hash & 0xffff) % 64512),
		.dport = htons(80),
		.proto = IPPROTO_TCP,
	};
}

static struct flow reply_flow(const struct conn *c)
{
	return (struct flow){
		.src = tables.backends[conn_backend(c)].addr,
		.dst = tables.nat_addrs[1],
		.sport = htons(8080),
		.dport = c->nat_port,
		.proto = IPPROTO_TCP,
	};
}

static int list_add(void *arg, const struct conn_entry *e)
{
	size_t *count = arg;

	list[(*count)++] = *e;
	return 0;
}

static size_t list_all(void)
{
	size_t count = 0;

	assert_int_equal(conns_each(&tables, list_add, &count), 0);
	return count;
}

static size_t count_of(enum conn_state state)
{
	size_t all = list_all(), count = 0;

	for (size_t i = 0; i < all; i++)
		count += conn_entry_state(&list[i]) == state;
	return count;
}

/* First packets of new clients, as steps from at on. */
static void steps_open(__u32 at, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		steps[at + i] = (struct step){
			.flow = client_flow(next_flow++), .kind = STEP_OPEN,
		};
}

static void open_new(__u32 count)
{
	steps_open(0, count);
	run_steps(count);
}

/* Backends answer all that is half open, and its clients confirm it. */
static void confirm_all(void)
{
	size_t all = list_all();
	__u32 count = 0;

	for (size_t i = 0; i < all; i++)
		if (conn_entry_state(&list[i]) == CONN_HALF)
			steps[count++] = (struct step){
				.flow = reply_flow(&list[i].conn),
				.number = OFFERED, .kind = STEP_REPLY,
			};
	run_steps(count);
	assert_int_equal(results(RESULT_DONE), count);
	for (size_t i = 0; i < count; i++)
		steps[i].kind = STEP_CLIENT;
	count = 0;
	for (size_t i = 0; i < all; i++)
		if (conn_entry_state(&list[i]) == CONN_HALF)
			steps[count++].flow = conn_flow(&list[i].conn);
	run_steps(count);
	assert_int_equal(results(RESULT_DONE), count);
}

/* Invariants */

static __u64 hash_of(const struct flow *f)
{
	return flow_hash(tables.hash_key, hash_dst(tables.hash_key, &f->dst),
			 f);
}

static bool is_found(const struct conn_entry *e)
{
	struct flow f = conn_flow(&e->conn);
	struct conn_entry found;

	return conns_find(&tables, &f, &found) &&
	       found.position == e->position;
}

static bool reply_is_found(const struct conn_entry *e)
{
	struct flow f = reply_flow(&e->conn);
	__u64 hash = hash_of(&f), word;
	__u32 idx = e->conn.reply / REPLY_CELLS;

	word = cells[idx].cell[e->conn.reply % REPLY_CELLS];
	return word == ((__u64)reply_tag(hash) << 32 | e->position) &&
	       (idx == conn_bucket1(hash, tables.reply_buckets) ||
		idx == conn_bucket2(hash, tables.reply_buckets));
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct flow));
}

static size_t twice(size_t count)
{
	size_t ret = 0;

	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++)
		ret += !memcmp(&keys[i - 1], &keys[i], sizeof(*keys));
	return ret;
}

static size_t locked(void)
{
	size_t ret = 0;

	for (__u32 i = 0; i < tables.conn_buckets; i++)
		for (int way = 0; way < CONN_WAYS; way++)
			ret += buckets[i].head[way] == CONN_BUSY;
	return ret;
}

static void check_whole(void)
{
	size_t count = list_all();
	struct conns_usage usage;

	for (size_t i = 0; i < count; i++) {
		assert_true(is_found(&list[i]));
		assert_true(reply_is_found(&list[i]));
		keys[i] = conn_flow(&list[i].conn);
	}
	assert_int_equal(twice(count), 0);
	for (size_t i = 0; i < count; i++)
		keys[i] = reply_flow(&list[i].conn);
	assert_int_equal(twice(count), 0);
	assert_int_equal(locked(), 0);
	assert_int_equal(conns_usage(&tables, &usage), 0);
	assert_int_equal(usage.cells, count);
}

/* Room */

static void at_the_limit_nothing_is_refused(void **state)
{
	for (int round = 0; round < 50; round++) {
		empty(NULL);
		open_new(LIMIT);
		assert_int_equal(results(RESULT_DONE), LIMIT);
		assert_int_equal(list_all(), LIMIT);
	}
	check_whole();
}

/* Long-lived ones that came together, then short ones. */
static void a_block_of_long_lived_ones_is_in_nobodys_way(void **state)
{
	const __u32 some = LIMIT / 16;
	__u64 refused = 0;

	open_new(LIMIT);
	confirm_all();
	for (int i = 0; i < 64; i++) {
		open_new(some);
		refused += some - results(RESULT_DONE);
		for (__u32 j = 0; j < some; j++)
			steps[j].kind = STEP_DROP;
		run_steps(some);
	}
	assert_int_equal(refused, 0);
	assert_int_equal(count_of(CONN_LIVE), LIMIT);
	check_whole();
}

static void a_flood_takes_nothing_from_who_is_live(void **state)
{
	__u64 refused = 0;

	open_new(LIMIT);
	confirm_all();
	for (int i = 0; i < 16; i++) {
		open_new(LIMIT / 2);
		refused += LIMIT / 2 - results(RESULT_DONE);
	}
	assert_in_range(refused, 0, 8 * LIMIT / 1000);
	assert_int_equal(count_of(CONN_LIVE), LIMIT);
	check_whole();
}

/* Steps, from at on, of a handshake's rest: of those that are still there. */
static __u32 steps_confirm(__u32 at, const struct flow *flows, __u32 count)
{
	struct conn_entry e;
	__u32 found = 0;

	for (__u32 i = 0; i < count; i++) {
		if (!conns_find(&tables, &flows[i], &e))
			continue;
		steps[at + found++] = (struct step){
			.flow = reply_flow(&e.conn), .number = OFFERED,
			.kind = STEP_REPLY,
		};
		steps[at + found++] = (struct step){
			.flow = flows[i], .number = OFFERED,
			.kind = STEP_CLIENT,
		};
	}
	return found;
}

/* A random share of those that are live ends. */
static void end_some(__u32 one_in)
{
	size_t all = list_all();
	__u32 count = 0;

	for (size_t i = 0; i < all; i++)
		if (conn_entry_state(&list[i]) == CONN_LIVE &&
		    !(random() % one_in))
			steps[count++] = (struct step){
				.flow = conn_flow(&list[i].conn),
				.kind = STEP_DROP,
			};
	run_steps(count);
}

/* Lives of any length at the limit, eight forged first packets for each. */
static void handshakes_succeed_in_a_flood_at_the_limit(void **state)
{
	static struct flow flows[LIMIT / 64];
	__u64 lost = 0, refused = 0, all = 0;

	open_new(LIMIT);
	confirm_all();
	for (int round = 0; round < 64; round++) {
		__u32 want = 0;

		end_some(64);
		want = LIMIT - count_of(CONN_LIVE);
		if (want > LIMIT / 64)
			want = LIMIT / 64;
		steps_open(0, 9 * want);
		for (__u32 i = 0; i < want; i++)
			flows[i] = steps[9 * i].flow;
		run_steps(9 * want);
		refused += 9 * want - results(RESULT_DONE);
		run_steps(steps_confirm(0, flows, want));
		lost += want - results(RESULT_DONE) / 2;
		all += want;
	}
	assert_in_range(lost, 0, all / 100);
	assert_in_range(refused, 0, all / 100);
	check_whole();
}

/* Ports */

static void ports_of_half_open_ones_are_given_away(void **state)
{
	service->slot_count = 1;
	tables.runtime->nat_port_last = 2023;
	for (int i = 0; i < 20; i++) {
		open_new(2000);
		assert_int_equal(results(RESULT_DONE), 2000);
	}
	assert_in_range(list_all(), 990, 1000);
	check_whole();
}

static void the_port_that_waited_for_longest_goes_first(void **state)
{
	static struct flow flows[100];
	__u32 survived;

	service->slot_count = 1;
	tables.runtime->nat_port_last = 2023;
	open_new(1000);
	usleep(300000);		/* stamps are eighths of a second */
	open_new(100);
	for (int i = 0; i < 100; i++)
		flows[i] = steps[i].flow;
	open_new(500);
	survived = steps_confirm(0, flows, 100) / 2;
	assert_in_range(survived, 95, 100);
}

static void ports_of_live_ones_stay_theirs(void **state)
{
	service->slot_count = 1;
	tables.runtime->nat_port_last = 1024 + 15;
	open_new(16);
	confirm_all();
	assert_int_equal(count_of(CONN_LIVE), 16);
	open_new(1000);
	assert_int_equal(results(RESULT_NO_PORT), 1000);
	assert_int_equal(count_of(CONN_LIVE), 16);
	assert_int_equal(list_all(), 16);
	check_whole();
}

/* The oldest goes, not the one in the first way: at any speed of arrival. */
static void the_really_oldest_makes_room(void **state)
{
	__u32 young;

	open_new(LIMIT * 3 / 2);
	usleep(300000);
	open_new(LIMIT / 4);
	young = results(RESULT_DONE);
	for (__u32 i = 0; i < LIMIT / 4; i++)
		steps[i + LIMIT] = steps[i];
	open_new(LIMIT / 4);
	for (__u32 i = 0; i < LIMIT / 4; i++) {
		steps[i] = steps[i + LIMIT];
		steps[i].kind = STEP_CLIENT;
	}
	run_steps(LIMIT / 4);
	assert_in_range(results(RESULT_DONE), young * 99 / 100, young);
}

/* Two CPUs */

struct worker {
	pthread_t thread;
	struct bpf_program *program;
	__u32 repeat;
	int cpu;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	stay_on(w->cpu);
	run(w->program, w->repeat);
	return NULL;
}

/* Both run program, each its own steps, if base1 is not 0. */
static void run_on_both(struct bpf_program *program, __u32 repeat, __u32 count,
			__u32 base1)
{
	struct worker workers[CPUS];

	for (int i = 0; i < CPUS; i++) {
		scripts[i] = (struct script){
			.mask = count - 1, .base = i ? base1 : 0,
		};
		workers[i] = (struct worker){
			.program = program, .repeat = repeat, .cpu = i,
		};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]), 0);
	}
	for (int i = 0; i < CPUS; i++)
		pthread_join(workers[i].thread, NULL);
	stay_on(0);
}

static bool has_two_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) >= CPUS;
}

#define RACE_STEPS 8192
#define RACE_ROUNDS 10

static void one_flow_on_two_cpus_is_one_connection(void **state)
{
	__u64 known = 0;

	if (!has_two_cpus())
		skip();
	for (int round = 0; round < RACE_ROUNDS; round++) {
		empty(NULL);
		steps_open(0, RACE_STEPS);
		run_on_both(skel->progs.conns_at_once, 300000, RACE_STEPS, 0);
		known += results(RESULT_KNOWN);
		assert_int_equal(results(RESULT_OTHER), 0);
		check_whole();
	}
	assert_true(known);
}

/* Two clients with the same port: the same tuple towards the backend. */
static void one_tuple_on_two_cpus_is_one_clients(void **state)
{
	if (!has_two_cpus())
		skip();
	for (int round = 0; round < RACE_ROUNDS; round++) {
		empty(NULL);
		service->slot_count = 1;
		steps_open(0, RACE_STEPS);
		for (__u32 i = 0; i < RACE_STEPS; i++) {
			steps[i].flow.sport = htons(1024 + i);
			steps[RACE_STEPS + i] = steps[i];
			steps[RACE_STEPS + i].flow.src.word[3] ^= 0x01010100;
		}
		run_on_both(skel->progs.conns_at_once, 300000, RACE_STEPS,
			    RACE_STEPS);
		assert_int_equal(results(RESULT_OTHER), 0);
		check_whole();
	}
}

/* Neither side's FIN is lost, when both close in the same moment. */
static void what_both_sides_close_at_once_is_closing(void **state)
{
	size_t both = 0;

	if (!has_two_cpus())
		skip();
	for (int round = 0; round < RACE_ROUNDS; round++) {
		empty(NULL);
		open_new(RACE_STEPS);
		confirm_all();
		assert_int_equal(list_all(), RACE_STEPS);
		for (__u32 i = 0; i < RACE_STEPS; i++) {
			const struct conn *c = &list[i].conn;

			steps[i] = (struct step){ .flow = conn_flow(c),
						  .kind = STEP_CLIENT_FIN };
			steps[RACE_STEPS + i] = (struct step){
				.flow = reply_flow(c), .kind = STEP_REPLY_FIN,
			};
		}
		run_on_both(skel->progs.conns_at_once, 300000, RACE_STEPS,
			    RACE_STEPS);
		for (__u32 i = 0; i < RACE_STEPS; i++) {
			if (steps[i].kind != STEP_NONE ||
			    steps[RACE_STEPS + i].kind != STEP_NONE)
				continue;
			both++;
			assert_true(conns_find(&tables, &steps[i].flow,
					       &list[0]));
			assert_int_equal(conn_entry_state(&list[0]),
					 CONN_CLOSING);
			assert_int_equal(list[0].conn.what & CONN_BOTH_FINS,
					 CONN_BOTH_FINS);
		}
	}
	assert_true(both > RACE_STEPS);
}

/* Opened, used both ways, dropped, taken over; few ports, so that they clash;
 * and user space takes out what it likes. */
static void whatever_two_cpus_do_the_table_stays_whole(void **state)
{
	if (!has_two_cpus())
		skip();
	service->slot_count = 2;
	tables.runtime->nat_port_last = 1024 + 3000 - 1;
	for (int round = 0; round < RACE_ROUNDS; round++) {
		size_t count = list_all();
		__u32 some = count < 100 ? count : 100;

		steps_open(0, RACE_STEPS);
		for (__u32 i = 0; count && i < RACE_STEPS; i += 4) {
			const struct conn *c = &list[random() % count].conn;

			steps[i] = (struct step){
				.flow = reply_flow(c), .number = OFFERED,
				.kind = STEP_REPLY,
			};
			steps[i + 1] = (struct step){
				.flow = conn_flow(c), .number = OFFERED,
				.kind = i & 4 ? STEP_CLIENT : STEP_OPEN,
			};
		}
		run_on_both(skel->progs.conns_at_random, 500000, RACE_STEPS,
			    0);
		assert_int_equal(results(RESULT_OTHER), 0);
		conns_free(&tables, list, some);
		check_whole();
	}
}

struct sweeper {
	pthread_t thread;
	bool stop;
	__u64 freed;
};

/* Everything that is there, over and over. */
static void *sweep(void *arg)
{
	static struct conn_entry some[64 * CONN_WAYS];
	struct sweeper *s = arg;
	struct conn_walk w;
	__u32 first = 0;
	size_t count;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		count = 0;
		if (conn_walk_start(&w, &tables, first, 64))
			while (conn_walk_next(&w, &some[count]))
				count++;
		s->freed += conns_free(&tables, some, count);
		first = (first + 64) % (tables.conn_buckets - 64);
	}
	return NULL;
}

static void what_is_swept_meanwhile_is_gone_whole(void **state)
{
	struct sweeper s = {};

	if (!has_two_cpus())
		skip();
	steps_open(0, RACE_STEPS);
	assert_int_equal(pthread_create(&s.thread, NULL, sweep, &s), 0);
	for (int i = 0; i < RACE_ROUNDS / 2; i++)
		run_on_both(skel->progs.conns_at_random, 500000, RACE_STEPS,
			    0);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(s.thread, NULL);
	assert_true(s.freed);
	check_whole();
}

/* Time */

static void a_live_one_is_dead_after_its_life_and_stays_so(void **state)
{
	struct conn *c;

	open_new(1);
	confirm_all();
	assert_int_equal(list_all(), 1);
	c = &buckets[list[0].position / (CONN_WAYS + 1)]
		     .conn[list[0].position % (CONN_WAYS + 1)];
	steps[0] = (struct step){ .flow = conn_flow(&list[0].conn),
				  .kind = STEP_CLIENT };
	c->time = conn_time(c->time - 850, conn_life(c->time));
	run_steps(1);
	assert_int_equal(results(RESULT_DONE), 1);
	c->time = conn_time(c->time - 1100, conn_life(c->time));
	run_steps(1);
	assert_int_equal(results(RESULT_MISSING), 1);
	steps[0].flow = reply_flow(&list[0].conn);
	steps[0].kind = STEP_REPLY;
	run_steps(1);
	assert_int_equal(results(RESULT_MISSING), 1);
}

/* Neither a number that is not the one, nor the backend's word alone. */
static void only_the_right_number_confirms(void **state)
{
	const __u32 wrong[] = { 0, OFFERED - 1, OFFERED + 1 };

	open_new(1);
	list_all();
	steps[0] = (struct step){ .flow = reply_flow(&list[0].conn),
				  .number = OFFERED, .kind = STEP_REPLY };
	run_steps(1);
	assert_int_equal(count_of(CONN_HALF), 1);
	for (int i = 0; i < 4; i++) {
		steps[0] = (struct step){
			.flow = conn_flow(&list[0].conn), .kind = STEP_CLIENT,
			.number = i < 3 ? wrong[i] : OFFERED,
		};
		run_steps(1);
		assert_int_equal(count_of(i < 3 ? CONN_HALF : CONN_LIVE), 1);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, empty)
	const struct CMUnitTest tests[] = {
		TEST(at_the_limit_nothing_is_refused),
		TEST(a_block_of_long_lived_ones_is_in_nobodys_way),
		TEST(a_flood_takes_nothing_from_who_is_live),
		TEST(handshakes_succeed_in_a_flood_at_the_limit),
		TEST(ports_of_half_open_ones_are_given_away),
		TEST(the_port_that_waited_for_longest_goes_first),
		TEST(ports_of_live_ones_stay_theirs),
		TEST(the_really_oldest_makes_room),
		TEST(one_flow_on_two_cpus_is_one_connection),
		TEST(one_tuple_on_two_cpus_is_one_clients),
		TEST(what_both_sides_close_at_once_is_closing),
		TEST(whatever_two_cpus_do_the_table_stays_whole),
		TEST(what_is_swept_meanwhile_is_gone_whole),
		TEST(a_live_one_is_dead_after_its_life_and_stays_so),
		TEST(only_the_right_number_confirms),
	};

	stay_on(0);
	return cmocka_run_group_tests(tests, open_conns, close_conns);
}
