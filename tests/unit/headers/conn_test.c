// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a record and its head are made of: lives are no shorter than they were
 * asked to be, ages are right over the turn of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fairlead/conn.h>
#include <fairlead/hash.h>

#include "definitions/value.h"

static void a_life_is_as_long_as_asked_for_and_a_quarter_at_most(void **state)
{
	for (__u32 s = 4; s <= SECONDS_MAX; s += 1 + s / 100) {
		__u32 life_s = conn_life_s(conn_life_from(s));

		assert_in_range(life_s, s, s + s / 4 + 1);
	}
	assert_int_equal(conn_life_s(conn_life_from(0)), 4);
	assert_true(conn_life_s(conn_life_from(UINT32_MAX)) >= SECONDS_MAX);
}

static void parts_come_back_as_they_went_in(void **state)
{
	for (__u32 life = 0; life <= CONN_LIFE_MAX; life++) {
		__u32 time = conn_time(123456, life);

		assert_int_equal(conn_life(time), life);
		assert_int_equal(conn_age(time, 123456 + 789), 789);
	}
}

static void an_age_is_right_over_the_turn_of_the_clock(void **state)
{
	const __u32 turn = 1u << CONN_SECONDS_BITS;
	__u32 time = conn_time(turn - 10, 5);

	assert_int_equal(conn_age(time, turn + 20), 30);
	assert_int_equal(conn_age(time, 20), 30);
	assert_int_equal(conn_age(time, turn - 10 + SECONDS_MAX), SECONDS_MAX);
}

/* A clock that is ahead, or one that came round: never an age of years. */
static void seen_in_the_future_is_seen_now(void **state)
{
	__u32 time = conn_time(1000, 5);

	assert_int_equal(conn_age(time, 999), 0);
	assert_int_equal(conn_age(conn_time(0, 5), UINT32_MAX), 0);
}

/* A live one's life counts from when it was seen last, which is not written
 * down at once. */
static void each_state_has_a_limit_of_its_own(void **state)
{
	static const struct runtime rt = {
		.syn_s = 30, .half_closed_s = 800, .closing_s = 10,
	};
	const __u8 fin = CONN_CLIENT_FIN, nat = CONN_NAT;
	__u32 time = conn_time(9, conn_life_from(896));
	__u32 brief = conn_time(9, conn_life_from(640));

	assert_int_equal(conn_limit(CONN_HALF, nat, time, &rt), 30);
	assert_int_equal(conn_limit(CONN_LIVE, nat, time, &rt), 896 + 56);
	assert_int_equal(conn_limit(CONN_CLOSING, nat, time, &rt), 10);
	assert_int_equal(conn_limit(CONN_CLOSING, nat | fin, time, &rt), 10);
	/* one side may have more to say, but not for longer than ever */
	assert_int_equal(conn_limit(CONN_HALF_CLOSED, nat, time, &rt),
			 800 + 50);
	assert_int_equal(conn_limit(CONN_HALF_CLOSED, nat, brief, &rt),
			 640 + 40);
	/* nor has a choice's backend ended, as far as can be seen */
	assert_int_equal(conn_limit(CONN_CLOSING, 0, time, &rt), 10);
	assert_int_equal(conn_limit(CONN_CLOSING, fin, time, &rt), 800);
	assert_int_equal(conn_limit(CONN_CLOSING, fin, brief, &rt), 640);
	/* and a reset may be forged */
	assert_int_equal(conn_limit(CONN_CLOSING, nat | CONN_RESET, time, &rt),
			 800);
	assert_int_equal(conn_limit(CONN_CLOSING, CONN_RESET, brief, &rt), 640);
}

static struct flow flow_of(__u8 proto, enum flow_kind kind)
{
	return (struct flow){ .proto = proto, .kind = kind };
}

static void a_record_says_what_it_is_of(void **state)
{
	static const __u8 protos[] = { 6, 17, 132, FLOW_PROTO_OTHER };

	for (int i = 0; i < 4; i++)
		for (int kind = FLOW_PACKET; kind <= FLOW_PEERS; kind++) {
			struct flow f = flow_of(protos[i], kind);
			struct conn c = { .what = conn_what(&f) | CONN_NAT };

			assert_int_equal(conn_proto(&c), protos[i]);
			assert_int_equal(conn_kind(&c), kind);
		}
}

/* Neither is what stands for empty or busy, and both stay in their range. */
static void no_hash_is_mistaken_for_something_else(void **state)
{
	__u64 hash = 0;

	for (int i = 0; i < 100000; i++) {
		assert_true(conn_tag(hash) > CONN_BUSY);
		assert_int_equal(conn_tag(hash) & ~CONN_TAG_MASK, 0);
		assert_true(reply_tag(hash));
		assert_true(conn_guess(conn_tag(hash)) < CONN_WAYS);
		assert_true(conn_bucket1(hash, 1000) < 1000);
		assert_true(conn_bucket2(hash, 1000) < 1000);
		hash = hash_mix(hash + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_life_is_as_long_as_asked_for_and_a_quarter_at_most),
		cmocka_unit_test(parts_come_back_as_they_went_in),
		cmocka_unit_test(an_age_is_right_over_the_turn_of_the_clock),
		cmocka_unit_test(seen_in_the_future_is_seen_now),
		cmocka_unit_test(each_state_has_a_limit_of_its_own),
		cmocka_unit_test(a_record_says_what_it_is_of),
		cmocka_unit_test(no_hash_is_mistaken_for_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
