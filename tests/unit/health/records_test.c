// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the two processes say to one another: it arrives as it was said, and
 * what cannot be is refused. And what is kept in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/kept_verdicts.h"
#include "health/health.h"

#define TEST(name) static void name(void **state_)

static struct health_order order(void)
{
	return (struct health_order){
		.id = 7,
		.state = CHECK_DOWN,
		.check = {
			.spec = { .kind = PROBE_TCP, .port = 80,
				  .timeout_ms = 1000,
				  .send = { "a\0b", 3 }, .host = "h",
				  .argv = { "x", "y" } },
			.interval_ms = 2000,
			.fast_ms = 1000,
			.rise = 2,
			.fall = 3,
		},
	};
}

static struct record parse(const struct bytes_out *b)
{
	const char *why = NULL;
	struct record r;

	assert_true(record_parse(b->data, b->len, &r, &why) > 0);
	return r;
}

TEST(an_order_arrives_as_it_was_said)
{
	struct health_order o = order(), got;
	struct bytes_out b = {};
	struct record r;

	assert_true(health_order_put(&b, &o));
	r = parse(&b);
	assert_null(health_order_get(&r, &got));
	assert_int_equal(got.id, 7);
	assert_int_equal(got.check.spec.send.len, 3);
	assert_memory_equal(got.check.spec.send.data, "a\0b", 3);
	assert_string_equal(got.check.spec.host, "h");
	assert_string_equal(got.check.spec.argv[1], "y");
	assert_null(got.check.spec.sni);
	assert_int_equal(probe_spec_digest(&got.check.spec),
			 probe_spec_digest(&o.check.spec));
	probe_spec_clear(&got.check.spec);
	bytes_free(&b);
}

static void refused(const struct health_order *o)
{
	struct health_order got;
	struct bytes_out b = {};
	struct record r;

	assert_true(health_order_put(&b, o));
	r = parse(&b);
	assert_non_null(health_order_get(&r, &got));
	bytes_free(&b);
}

TEST(orders_that_cannot_be_are_refused)
{
	struct health_order o = order();

	o.id = HEALTH_CHECKS_MAX, refused(&o), o = order();
	o.id = 0, refused(&o), o = order();
	o.state = NR_CHECK_STATES, refused(&o), o = order();
	o.check.spec.kind = NR_PROBE_KINDS, refused(&o), o = order();
	o.check.rise = 0, refused(&o), o = order();
	o.check.interval_ms = 0, refused(&o), o = order();
	o.check.jitter = 101, refused(&o), o = order();
	memset(o.check.spec.interface, 'a', sizeof(o.check.spec.interface));
	refused(&o);
}

static bool result_is_taken(const struct health_result *said)
{
	struct health_result got;
	struct bytes_out b = {};
	struct record r;
	bool ret;

	health_result_put(&b, said);
	r = parse(&b);
	ret = health_result_get(&r, &got);
	bytes_free(&b);
	return ret;
}

TEST(results_that_cannot_be_are_refused)
{
	const struct health_result fine = { .id = 1, .state = CHECK_UP,
					    .why = "refused" };
	struct health_result r = fine;

	assert_true(result_is_taken(&r));
	r.id = 0;
	assert_false(result_is_taken(&r));
	r.id = HEALTH_CHECKS_MAX;
	assert_false(result_is_taken(&r));
	r = fine, r.outcome = PROBE_NO_RESULT + 1;
	assert_false(result_is_taken(&r));
	r = fine, r.state = NR_CHECK_STATES;
	assert_false(result_is_taken(&r));
	r = fine, r.why[1] = '\n';
	assert_false(result_is_taken(&r));
	memset(r.why, 'a', sizeof(r.why));
	assert_false(result_is_taken(&r));
}

TEST(digests_tell_targets_and_questions_apart)
{
	struct probe_spec s = order().check.spec;
	const __u64 was = probe_spec_digest(&s);

	s.timeout_ms = 5;
	assert_int_equal(probe_spec_digest(&s), was);
	s.port = 81;
	assert_int_not_equal(probe_spec_digest(&s), was);
	s = order().check.spec;
	s.sni = s.host, s.host = NULL;
	assert_int_not_equal(probe_spec_digest(&s), was);
}

TEST(verdicts_are_kept_for_ten_minutes)
{
	char path[64];
	struct kept_verdict list[] = { { .digest = 9, .state = CHECK_DOWN,
					 .why = "refused" },
				       { .digest = 3, .state = CHECK_UP } };
	struct kept_verdicts k = { list, 2 }, got;

	snprintf(path, sizeof(path), "/tmp/kept-verdicts-%d", getpid());
	assert_int_equal(kept_verdicts_write(path, 1000, &k), 0);
	assert_int_equal(kept_verdicts_read(path, 1600, &got), 0);
	assert_int_equal(kept_verdicts_find(&got, 9)->state, CHECK_DOWN);
	assert_null(kept_verdicts_find(&got, 4));
	kept_verdicts_clear(&got);
	assert_true(kept_verdicts_read(path, 1601, &got) < 0);
	assert_int_equal(got.count, 0);
	assert_true(kept_verdicts_read(path, 999, &got) < 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_true(kept_verdicts_read(path, 1000, &got) < 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_arrives_as_it_was_said),
		cmocka_unit_test(orders_that_cannot_be_are_refused),
		cmocka_unit_test(results_that_cannot_be_are_refused),
		cmocka_unit_test(digests_tell_targets_and_questions_apart),
		cmocka_unit_test(verdicts_are_kept_for_ten_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
