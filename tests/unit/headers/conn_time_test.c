// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The time word of a connection: lives are no shorter than they were asked to
 * be, ages are right over the turn of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fairlead/conn_time.h>

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
	for (__u32 life = 0; life <= CONN_LIFE_MAX; life++)
		for (int s = CONN_NEW; s <= CONN_CLOSING; s++) {
			__u32 time = conn_time(123456, life, s);

			assert_int_equal(conn_state(time), s);
			assert_int_equal(conn_life(time), life);
			assert_int_equal(conn_age(time, 123456 + 789), 789);
		}
}

static void an_age_is_right_over_the_turn_of_the_clock(void **state)
{
	const __u32 turn = 1u << (32 - CONN_SECONDS_SHIFT);
	__u32 time = conn_time(turn - 10, 5, CONN_LIVE);

	assert_int_equal(conn_age(time, turn + 20), 30);
	assert_int_equal(conn_age(time, 20), 30);
	assert_int_equal(conn_age(time, turn - 10 + SECONDS_MAX), SECONDS_MAX);
}

/* Another CPU's jiffies may be a moment ahead. */
static void seen_in_the_future_is_seen_now(void **state)
{
	__u32 time = conn_time(1000, 5, CONN_LIVE);

	assert_int_equal(conn_age(time, 999), 0);
	assert_int_equal(conn_age(conn_time(0, 5, CONN_LIVE), UINT32_MAX), 0);
}

static void each_state_has_a_limit_of_its_own(void **state)
{
	__u32 life = conn_life_from(896);

	assert_int_equal(conn_limit(conn_time(9, life, CONN_NEW), 30, 10), 30);
	assert_int_equal(conn_limit(conn_time(9, life, CONN_LIVE), 30, 10),
			 896);
	assert_int_equal(conn_limit(conn_time(9, life, CONN_CLOSING), 30, 10),
			 10);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
