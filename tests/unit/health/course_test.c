// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Outcomes to verdicts, when the next probe is due, and what becomes of the
 * backends of a service: on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "health/course.h"
#include "health/rule.h"

#define TEST(name) static void name(void **state_)

static const struct model_check check = {
	.spec = { .kind = PROBE_TCP, .timeout_ms = 1000 },
	.interval_ms = 2000,
	.fast_ms = 1000,
	.rise = 2,
	.fall = 3,
	.jitter = 10,
};

/* A letter an outcome: p, f, or n for no result. */
static void take(struct course *c, const char *outcomes, __u64 now_ms)
{
	for (; *outcomes; outcomes++)
		course_take(c, &check, *outcomes == 'p' ? PROBE_PASS :
				       *outcomes == 'f' ? PROBE_FAIL :
							  PROBE_NO_RESULT,
			    now_ms);
}

TEST(first_pass_says_up)
{
	struct course c = {};

	take(&c, "ffp", 0);
	assert_int_equal(c.state, CHECK_UP);
}

TEST(nothing_is_known_until_fall_failures)
{
	struct course c = {};

	take(&c, "ff", 0);
	assert_int_equal(c.state, CHECK_UNKNOWN);
	take(&c, "f", 0);
	assert_int_equal(c.state, CHECK_DOWN);
}

TEST(any_pass_resets_failures)
{
	struct course c = { .state = CHECK_UP };

	for (int i = 0; i < 100; i++)
		take(&c, "ffp", i);
	assert_int_equal(c.state, CHECK_UP);
	take(&c, "fff", 100);
	assert_int_equal(c.state, CHECK_DOWN);
}

TEST(any_failure_resets_passes)
{
	struct course c = { .state = CHECK_DOWN };

	for (int i = 0; i < 100; i++)
		take(&c, "pf", i);
	assert_int_equal(c.state, CHECK_DOWN);
	take(&c, "pp", 100);
	assert_int_equal(c.state, CHECK_UP);
}

TEST(no_result_counts_for_nothing)
{
	struct course c = { .state = CHECK_UP };

	take(&c, "nnnnnnnn", 0);
	assert_int_equal(c.state, CHECK_UP);
	take(&c, "fnfnf", 0);
	assert_int_equal(c.state, CHECK_DOWN);
	c = (struct course){};
	take(&c, "nnnnnnnn", 0);
	assert_int_equal(c.state, CHECK_UNKNOWN);
}

TEST(who_flaps_needs_more_passes)
{
	struct course c = { .state = CHECK_UP };
	const __u32 needed[] = { 2, 4, 8, 16, 32, 32 };
	__u64 now = 1000;

	for (int i = 0; i < 6; i++, now += 1000) {
		take(&c, "fff", now);
		assert_int_equal(course_needs(&c, &check, PROBE_PASS),
				 needed[i]);
		for (__u32 n = 0; n < needed[i]; n++) {
			assert_int_equal(c.state, CHECK_DOWN);
			take(&c, "p", now);
		}
		assert_int_equal(c.state, CHECK_UP);
	}
	take(&c, "fff", now + COURSE_FLAP_MS);
	assert_int_equal(course_needs(&c, &check, PROBE_PASS), 2);
}

TEST(it_is_asked_faster_while_a_verdict_is_pending)
{
	struct course c = { .state = CHECK_UP };

	assert_int_equal(course_pause_ms(&c, &check, 0), 2000);
	take(&c, "f", 0);
	assert_int_equal(course_pause_ms(&c, &check, 0), 1000);
	take(&c, "p", 0);
	assert_int_equal(course_pause_ms(&c, &check, 0), 2000);
	c.state = CHECK_UNKNOWN;
	assert_int_equal(course_pause_ms(&c, &check, 0), 1000);
}

TEST(jitter_is_never_later)
{
	struct course c = { .state = CHECK_UP };
	__u32 least = 2000, most = 0;

	for (__u32 chance = 0; chance < 5000; chance++) {
		__u32 ms = course_pause_ms(&c, &check, chance * 2654435761u);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_in_range(most, 1990, 2000);
	assert_in_range(least, 1800, 1810);
}

TEST(first_round_is_spread)
{
	unsigned int tenths[10] = {};

	for (__u32 i = 0; i < 10000; i++)
		tenths[course_first_ms(&check, i * 2654435761u) / 200]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 800, 1200);
}

TEST(detection_is_bound)
{
	struct model_check c = check;

	assert_int_equal(check_detection_ms(&c), 5100);
	c.spec.timeout_ms = 1500;
	assert_int_equal(check_detection_ms(&c), 2000 + 2 * 1500 + 1600);
}

TEST(what_is_unknown_waits_beside_what_is_up)
{
	struct rule_member list[] = { { 100, CHECK_UP, 9 },
				      { 100, CHECK_UNKNOWN, 9 },
				      { 100, CHECK_DOWN, 9 } };
	struct model_health h = { .minimum = 1 };
	struct rule_found found;

	rule_find(&h, list, 3, &found);
	assert_int_equal(list[0].said, 0);
	assert_int_equal(list[1].said, BACKEND_DRAIN);
	assert_int_equal(list[2].said, BACKEND_DOWN);
	assert_true(found.works && !found.is_known);
	list[0].verdict = CHECK_DOWN;
	rule_find(&h, list, 3, &found);
	assert_int_equal(list[1].said, 0);
	assert_false(found.works);
}

TEST(all_unknown_serve_but_do_not_work_yet)
{
	struct rule_member list[] = { { 100, CHECK_UNKNOWN, 9 },
				      { 100, CHECK_UNKNOWN, 9 } };
	struct model_health h = { .minimum = 1 };
	struct rule_found found;

	rule_find(&h, list, 2, &found);
	assert_int_equal(list[0].said, 0);
	assert_int_equal(list[1].said, 0);
	assert_false(found.works || found.is_known);
}

TEST(dead_ones_serve_only_if_asked_to)
{
	struct rule_member list[] = { { 100, CHECK_DOWN, 9 },
				      { 100, CHECK_DOWN, 9 } };
	struct model_health h = { .minimum = 1 };
	struct rule_found found;

	rule_find(&h, list, 2, &found);
	assert_int_equal(list[0].said, BACKEND_DOWN);
	h.all_down = ALL_DOWN_KEEP;
	rule_find(&h, list, 2, &found);
	assert_int_equal(list[0].said, 0);
	assert_false(found.works);
	list[1].verdict = CHECK_UP;
	h.on_down = ON_DOWN_LEAVE;
	rule_find(&h, list, 2, &found);
	assert_int_equal(list[0].said, BACKEND_DRAIN);
}

TEST(minimum_is_of_weight_that_is_up)
{
	struct rule_member list[] = { { 100, CHECK_UP, 9 },
				      { 50, CHECK_UP, 9 },
				      { 0, CHECK_UP, 9 } };
	struct model_health h = { .minimum = 150 };
	struct rule_found found;

	rule_find(&h, list, 3, &found);
	assert_true(found.works && found.is_known);
	h.minimum = 151;
	rule_find(&h, list, 3, &found);
	assert_false(found.works);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_pass_says_up),
		cmocka_unit_test(nothing_is_known_until_fall_failures),
		cmocka_unit_test(any_pass_resets_failures),
		cmocka_unit_test(any_failure_resets_passes),
		cmocka_unit_test(no_result_counts_for_nothing),
		cmocka_unit_test(who_flaps_needs_more_passes),
		cmocka_unit_test(it_is_asked_faster_while_a_verdict_is_pending),
		cmocka_unit_test(jitter_is_never_later),
		cmocka_unit_test(first_round_is_spread),
		cmocka_unit_test(detection_is_bound),
		cmocka_unit_test(what_is_unknown_waits_beside_what_is_up),
		cmocka_unit_test(all_unknown_serve_but_do_not_work_yet),
		cmocka_unit_test(dead_ones_serve_only_if_asked_to),
		cmocka_unit_test(minimum_is_of_weight_that_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
