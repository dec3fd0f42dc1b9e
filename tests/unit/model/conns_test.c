// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of connections from user space: what is put in, goes over into a
 * larger one, and is left by who was killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fairlead/hash.h>

#include "fake_tables.h"
#include "model/conns_move.h"
#include "model/conns_repair.h"

#define BUCKETS 64
#define RECORDS 600		/* of 960 */
#define NOW_S 5000

static struct fake *from, *to;
static struct conns_move move;
static int waits;

static int setup(void **state)
{
	from = fake_new((struct fake_sizes){ 64, 64, 64, 64, BUCKETS });
	to = fake_new((struct fake_sizes){ 64, 64, 64, 64, 2 * BUCKETS });
	to->t.hash_key = from->t.hash_key;
	for (struct fake *f = from; f; f = f == from ? to : NULL) {
		f->t.runtime->syn_s = 60;
		f->t.runtime->closing_s = 10;
		for (__u32 i = 1; i < 64; i++)
			f->t.backends[i] = (struct backend){
				.addr = fake_addr4(0x0a000000 + i),
				.port = htons(8080), .generation = 1,
				.state = BACKEND_ACTIVE,
			};
		f->t.nat_addrs[1] = fake_addr4(0x0a090901);
	}
	move = (struct conns_move){
		.conns = to->conn_memory, .replies = to->reply_memory,
		.from = from->conn_memory, .from_buckets = BUCKETS,
	};
	assert_int_equal(conns_move_begin(&move, &to->t), 0);
	waits = 0;
	return 0;
}

static int teardown(void **state)
{
	conns_move_end(&move);
	fake_free(from);
	fake_free(to);
	return 0;
}

/* The ith client's; every third is a choice without NAT. */
static struct conn_entry entry(int i, enum conn_state state)
{
	struct addr vip = fake_addr4(0xc000020a);
	struct flow f = fake_flow(&vip, 80, IPPROTO_TCP, 0x0b000000 + i,
				  1024 + i);

	return (struct conn_entry){
		.conn = {
			.client = f.src, .vip = f.dst,
			.cport = f.sport, .vport = f.dport,
			.what = conn_what(&f) | (i % 3 ? CONN_NAT : 0),
			.nat_addr = 1, .nat_port = htons(1024 + i),
			.backend = conn_backend_word(1 + i % 7, 1),
			.time = conn_time(NOW_S, conn_life_from(900)),
		},
		.word = state,
	};
}

static bool find(struct fake *f, int i, struct conn_entry *ret)
{
	struct conn_entry e = entry(i, CONN_LIVE);
	struct flow flow = conn_flow(&e.conn);

	return conns_find(&f->t, &flow, ret);
}

static __u32 *head_of(struct fake *f, const struct conn_entry *e)
{
	return &f->conn_memory[e->position / 16].head[e->position % 16 - 1];
}

static struct conn *record_of(struct fake *f, const struct conn_entry *e)
{
	return &f->conn_memory[e->position / 16].conn[e->position % 16];
}

static struct conns_usage usage(struct fake *f)
{
	struct conns_usage ret;

	assert_int_equal(conns_usage(&f->t, &ret), 0);
	return ret;
}

static void put(int first, int count, enum conn_state state)
{
	for (int i = first; i < first + count; i++) {
		struct conn_entry e = entry(i, state);

		assert_true(conns_insert(&from->t, &e));
	}
}

static void a_key_is_there_once_and_so_is_a_reply(void **state)
{
	struct conn_entry e = entry(1, CONN_LIVE);

	assert_true(conns_insert(&from->t, &e));
	assert_false(conns_insert(&from->t, &e));
	e.conn.cport = htons(9);	/* another client, the same reply */
	assert_false(conns_insert(&from->t, &e));
	assert_int_equal(usage(from).live, 1);
	assert_int_equal(usage(from).cells, 1);
}

static void all_go_over_as_they_are(void **state)
{
	struct conn_entry e, there;

	put(0, RECORDS / 3, CONN_LIVE);
	put(RECORDS / 3, RECORDS / 3, CONN_HALF);
	put(2 * RECORDS / 3, RECORDS / 3, CONN_CLOSING);
	assert_int_equal(conns_move_pass(&move, NOW_S), RECORDS);
	assert_int_equal(conns_move_pass(&move, NOW_S), 0);
	assert_int_equal(move.lost, 0);
	for (int i = 0; i < RECORDS; i++) {
		assert_true(find(from, i, &e));
		assert_true(find(to, i, &there));
		assert_int_equal(e.word, there.word);
		if (e.conn.what & CONN_NAT)
			assert_int_equal(conns_reply_holder(&to->t, &e.conn),
					 there.position);
		e.conn.reply = there.conn.reply;
		assert_memory_equal(&e.conn, &there.conn, sizeof(e.conn));
	}
	assert_int_equal(usage(to).live, RECORDS / 3);
	assert_int_equal(usage(to).cells, usage(from).cells);
}

static void what_comes_meanwhile_goes_with_the_next_pass(void **state)
{
	struct conn_entry e;

	put(0, 10, CONN_LIVE);
	assert_int_equal(conns_move_pass(&move, NOW_S), 10);
	put(10, 10, CONN_HALF);
	assert_int_equal(conns_move_pass(&move, NOW_S), 10);
	assert_true(find(to, 19, &e));
}

static void what_is_dead_stays_behind(void **state)
{
	struct conn_entry e;

	put(0, 10, CONN_LIVE);
	put(10, 10, CONN_CLOSING);
	conns_move_pass(&move, NOW_S + 100);
	assert_true(find(to, 0, &e));
	assert_false(find(to, 10, &e));
}

/* A program that did not find it in the new table yet has gone on in the old
 * one; and one that did has gone on in the new one. */
static void the_later_state_counts(void **state)
{
	struct conn_entry e;

	put(0, 2, CONN_HALF);
	conns_move_pass(&move, NOW_S);
	for (int i = 0; i < 2; i++) {
		assert_true(find(from, i, &e));
		*head_of(from, &e) = e.word ^ CONN_HALF ^ CONN_LIVE;
	}
	assert_true(find(to, 1, &e));
	*head_of(to, &e) = e.word ^ CONN_HALF ^ CONN_CLOSING;
	conns_move_pass(&move, NOW_S);
	assert_true(find(to, 0, &e));
	assert_int_equal(conn_entry_state(&e), CONN_LIVE);
	assert_true(find(to, 1, &e));
	assert_int_equal(conn_entry_state(&e), CONN_CLOSING);
}

/* Two that were opened at once, one in each table. */
static void a_live_one_has_its_port_before_a_half_open_one(void **state)
{
	struct conn_entry e = entry(1, CONN_HALF), live;

	e.conn.cport = htons(9);
	assert_true(conns_insert(&to->t, &e));
	put(1, 1, CONN_LIVE);
	conns_move_pass(&move, NOW_S);
	assert_true(find(to, 1, &live));
	assert_int_equal(conns_reply_holder(&to->t, &live.conn),
			 live.position);
	assert_int_equal(usage(to).half, 0);
	assert_int_equal(move.lost, 0);
}

static void nobody_waits(void)
{
	waits++;
}

static void who_was_killed_leaves_no_lock(void **state)
{
	struct conns_repaired repaired;
	struct conn_entry e;

	put(0, 20, CONN_LIVE);
	for (int i = 1; i < 3; i++) {
		assert_true(find(from, i, &e));
		*head_of(from, &e) = CONN_BUSY;
	}
	assert_int_equal(conns_repair(&from->t, nobody_waits, &repaired), 0);
	assert_int_equal(repaired.locks, 2);
	assert_true(waits > 0);
	assert_int_equal(usage(from).live, 18);
	assert_int_equal(usage(from).cells, 11); /* 0 to 19, thirds less 1, 2 */
	put(1, 2, CONN_LIVE);
	assert_int_equal(conns_repair(&from->t, nobody_waits, &repaired), 0);
	assert_int_equal(repaired.locks + repaired.cells, 0);
}

static struct conn *at_work;

/* A program: it had the lock, ended, and another one has it now. */
static void another_comes(void)
{
	at_work->cport ^= 1;
}

static void who_is_at_work_keeps_its_lock(void **state)
{
	struct conns_repaired repaired;
	struct conn_entry e;

	put(0, 1, CONN_LIVE);
	assert_true(find(from, 0, &e));
	at_work = record_of(from, &e);
	*head_of(from, &e) = CONN_BUSY;
	assert_int_equal(conns_repair(&from->t, another_comes, &repaired), 0);
	assert_int_equal(repaired.locks, 0);
	assert_int_equal(*head_of(from, &e), CONN_BUSY);
}

static void cells_that_name_nobody_go(void **state)
{
	struct conns_repaired repaired;
	struct conn_entry e;

	put(1, 1, CONN_LIVE);
	assert_true(find(from, 1, &e));
	from->reply_memory[3].cell[2] = 7ull << 32 | 999; /* an empty way */
	from->reply_memory[4].cell[1] = 9ull << 32 | e.position;
	from->reply_memory[5].cell[0] = 9ull << 32 | ~0u;
	assert_int_equal(conns_repair(&from->t, nobody_waits, &repaired), 0);
	assert_int_equal(repaired.cells, 3);
	assert_int_equal(usage(from).cells, 1);
	assert_int_equal(conns_reply_holder(&from->t, &e.conn), e.position);
}

#define CONNS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONNS(a_key_is_there_once_and_so_is_a_reply),
		CONNS(all_go_over_as_they_are),
		CONNS(what_comes_meanwhile_goes_with_the_next_pass),
		CONNS(what_is_dead_stays_behind),
		CONNS(the_later_state_counts),
		CONNS(a_live_one_has_its_port_before_a_half_open_one),
		CONNS(who_was_killed_leaves_no_lock),
		CONNS(who_is_at_work_keeps_its_lock),
		CONNS(cells_that_name_nobody_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
