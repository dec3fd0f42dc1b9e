// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which routes are wanted, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "announce/announce.h"
#include "base/addr.h"

#define HOLD_MS 10000
#define LINGER_MS 5000

static const char *const vips[] = { "192.0.2.10", "2001:db8::10" };

struct fixture {
	struct model_announce settings;
	struct announcer announcer;
	struct announce_service services[4];
	struct announce_input in;
	struct addr vip;
};

static void setup(struct fixture *f, const char *vip)
{
	*f = (struct fixture){
		.settings = { .table = 6180, .protocol = 178, .metric = 100,
			      .hold_s = HOLD_MS / 1000,
			      .linger_s = LINGER_MS / 1000 },
		.in = { .is_known = true, .now_ms = 1000000 },
	};
	assert_true(addr_parse(vip, &f->vip));
}

/* What services at the address are like, a letter each: works, fails, is not
 * known. Then what time it is, so much later. */
static const struct announce_address *
after(struct fixture *f, __u64 ms, const char *services)
{
	size_t count = strlen(services);

	f->in.now_ms += ms;
	f->in.settings = &f->settings;
	f->in.services = f->services;
	f->in.nr_services = count;
	for (size_t i = 0; i < count; i++)
		f->services[i] = (struct announce_service){
			.addr = f->vip, .len = 128, .name = "web",
			.verdict = services[i] == 'w' ? ANNOUNCE_WORKS :
				   services[i] == 'f' ? ANNOUNCE_FAILS :
							ANNOUNCE_UNKNOWN,
		};
	assert_int_equal(announce_decide(&f->announcer, &f->in), 0);
	return announce_find(&f->announcer, &f->vip, 128);
}

static __u32 metric_after(struct fixture *f, __u64 ms, const char *services)
{
	const struct announce_address *at = after(f, ms, services);

	return at ? at->metric : 0;
}

/* A test of each family, with its address. */
#define TEST(name) \
	static void name##_at(struct fixture *f); \
	static void name(void **state) \
	{ \
		for (size_t i = 0; i < 2; i++) { \
			struct fixture f; \
			setup(&f, vips[i]); \
			name##_at(&f); \
			announcer_clear(&f.announcer); \
		} \
	} \
	static void name##_at(struct fixture *f)

TEST(what_works_at_first_is_announced_at_once)
{
	assert_int_equal(metric_after(f, 0, "w"), 100);
	assert_string_equal(announce_state_name(f->announcer.list[0].state),
			    "announced");
}

TEST(what_is_not_checked_yet_is_not_announced)
{
	char why[ANNOUNCE_WHY_MAX];
	const struct announce_address *at = after(f, 0, "u");

	assert_int_equal(at->metric, 0);
	assert_string_equal(announce_why(at, f->in.now_ms, why),
			    "service \"web\" is not checked yet");
	assert_int_equal(metric_after(f, 2000, "w"), 100);
}

TEST(what_falls_is_withdrawn_and_held_before_it_returns)
{
	char why[ANNOUNCE_WHY_MAX];
	const struct announce_address *at;

	after(f, 0, "w");
	assert_int_equal(metric_after(f, 1000, "f"), 0);
	at = after(f, 1000, "w");
	assert_int_equal(at->state, ANNOUNCE_HELD);
	assert_string_equal(announce_why(at, f->in.now_ms, why),
			    "it works again: announced in 10 s");
	assert_int_equal(metric_after(f, HOLD_MS - 1, "w"), 0);
	assert_int_equal(metric_after(f, 1, "w"), 100);
}

TEST(what_fails_while_it_is_held_is_held_anew)
{
	after(f, 0, "w");
	after(f, 1000, "f");
	after(f, 1000, "w");
	after(f, HOLD_MS / 2, "f");
	after(f, 1000, "w");
	assert_int_equal(metric_after(f, HOLD_MS - 1, "w"), 0);
	assert_int_equal(metric_after(f, 1, "w"), 100);
}

TEST(a_hold_of_nothing_holds_nothing)
{
	f->settings.hold_s = 0;
	after(f, 0, "w");
	after(f, 1000, "f");
	assert_int_equal(metric_after(f, 1000, "w"), 100);
}

TEST(one_of_several_services_does)
{
	assert_int_equal(metric_after(f, 0, "fw"), 100);
	assert_int_equal(metric_after(f, 0, "wf"), 100);
	assert_int_equal(metric_after(f, 0, "uf"), 100);
	assert_int_equal(metric_after(f, 0, "ff"), 0);
}

TEST(all_of_several_services_if_so_required)
{
	f->settings.require_all = true;
	assert_int_equal(metric_after(f, 0, "wu"), 0);
	assert_int_equal(metric_after(f, 0, "ww"), 100);
	assert_int_equal(metric_after(f, 0, "wf"), 0);
}

TEST(drained_it_is_avoided_then_withdrawn)
{
	after(f, 0, "w");
	f->in.is_drained = true;
	f->in.drained_ms = f->in.now_ms + 1;
	assert_int_equal(metric_after(f, 1, "w"), 1000);
	assert_int_equal(metric_after(f, LINGER_MS - 1, "w"), 1000);
	assert_int_equal(metric_after(f, 1, "w"), 0);
	assert_int_equal(f->announcer.list[0].state, ANNOUNCE_DRAINED);
	f->in.is_drained = false;
	assert_int_equal(metric_after(f, 1, "w"), 100);
}

TEST(what_was_not_announced_is_not_while_it_is_drained)
{
	f->in.is_drained = true;
	f->in.drained_ms = f->in.now_ms;
	assert_int_equal(metric_after(f, 1, "w"), 0);
}

TEST(a_service_that_fails_while_it_is_drained_goes_at_once)
{
	after(f, 0, "w");
	f->in.is_drained = true;
	f->in.drained_ms = f->in.now_ms;
	after(f, 1, "w");
	assert_int_equal(metric_after(f, 1, "f"), 0);
}

TEST(without_a_way_in_nothing_is_announced)
{
	after(f, 0, "w");
	f->in.is_cut_off = true;
	assert_int_equal(metric_after(f, 1, "w"), 0);
	f->in.is_cut_off = false;
	assert_int_equal(metric_after(f, 1, "w"), 0);
	assert_int_equal(metric_after(f, HOLD_MS, "w"), 100);
}

TEST(withdrawn_by_hand_until_that_is_taken_back)
{
	after(f, 0, "w");
	f->in.is_withdrawn = true;
	assert_int_equal(metric_after(f, 1, "w"), 0);
	f->in.is_withdrawn = false;
	assert_int_equal(metric_after(f, 1, "w"), 100);
}

TEST(a_route_from_before_stays_until_it_is_known_to_fail)
{
	assert_int_equal(announce_adopt(&f->announcer, &f->vip, 128, 100), 0);
	assert_int_equal(metric_after(f, 0, "u"), 100);
	assert_int_equal(metric_after(f, 1000, "f"), 0);
}

TEST(a_route_from_before_stays_until_all_definitions_are_known)
{
	assert_int_equal(announce_adopt(&f->announcer, &f->vip, 128, 100), 0);
	f->in.is_known = false;
	assert_int_equal(metric_after(f, 0, ""), 100);
	f->in.is_known = true;
	assert_null(after(f, 0, ""));
}

TEST(another_metric_is_another_route)
{
	after(f, 0, "w");
	f->settings.metric = 200;
	assert_int_equal(metric_after(f, 0, "w"), 200);
}

static void addresses_do_not_share_their_fates(void **state)
{
	struct fixture f;
	struct addr last;

	setup(&f, "192.0.2.20");
	assert_true(addr_parse("192.0.2.30", &last));
	announce_adopt(&f.announcer, &last, 128, 100);
	assert_true(addr_parse("192.0.2.10", &last));
	announce_adopt(&f.announcer, &last, 128, 100);
	f.in.is_known = false;
	assert_int_equal(metric_after(&f, 0, "f"), 0);
	assert_int_equal(f.announcer.count, 3);
	assert_int_equal(f.announcer.list[0].metric, 100);
	assert_int_equal(f.announcer.list[2].metric, 100);
	f.in.is_known = true;
	assert_int_equal(metric_after(&f, 0, "w"), 100);
	assert_int_equal(f.announcer.count, 1);
	announcer_clear(&f.announcer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_works_at_first_is_announced_at_once),
		cmocka_unit_test(what_is_not_checked_yet_is_not_announced),
		cmocka_unit_test(
			what_falls_is_withdrawn_and_held_before_it_returns),
		cmocka_unit_test(what_fails_while_it_is_held_is_held_anew),
		cmocka_unit_test(a_hold_of_nothing_holds_nothing),
		cmocka_unit_test(one_of_several_services_does),
		cmocka_unit_test(all_of_several_services_if_so_required),
		cmocka_unit_test(drained_it_is_avoided_then_withdrawn),
		cmocka_unit_test(
			what_was_not_announced_is_not_while_it_is_drained),
		cmocka_unit_test(
			a_service_that_fails_while_it_is_drained_goes_at_once),
		cmocka_unit_test(without_a_way_in_nothing_is_announced),
		cmocka_unit_test(withdrawn_by_hand_until_that_is_taken_back),
		cmocka_unit_test(
			a_route_from_before_stays_until_it_is_known_to_fail),
		cmocka_unit_test(
		    a_route_from_before_stays_until_all_definitions_are_known),
		cmocka_unit_test(another_metric_is_another_route),
		cmocka_unit_test(addresses_do_not_share_their_fates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
