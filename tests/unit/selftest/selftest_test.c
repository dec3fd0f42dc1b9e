// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What `selftest` says of rows, rights, logs and packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "base/addr.h"
#include "host/device.h"
#include "kernel/dp_selftest.h"
#include "pkt.h"
#include "selftest/selftest.h"
#include "selftest/selftest_packet.h"

static struct selftest test;
static char said[SELFTEST_VERDICT_MAX];

static void begin(bool works_native, bool works_generic)
{
	test = (struct selftest){ .works_native = works_native,
				  .works_generic = works_generic };
}

static void no(const char *name, enum selftest_weight weight, const char *why)
{
	struct selftest_row *row = selftest_add(&test, name);

	row->weight = weight;
	selftest_say(row, SELFTEST_NO, "%s", why);
}

static void where_all_is_well_the_verdict_is_short(void **state)
{
	begin(true, true);
	selftest_add(&test, "JIT");
	selftest_say(selftest_add(&test, "tcx"), SELFTEST_NOT_NEEDED, "x");
	assert_true(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead works here, with XDP in native "
				  "mode.");
}

static void what_is_wanted_is_a_but(void **state)
{
	begin(true, true);
	no("JIT", SELFTEST_WANTED, "it is off");
	no("freplace", SELFTEST_WANTED, "XDP is alone");
	assert_true(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead works here, but JIT: it is off; "
				  "freplace: XDP is alone.");
}

static void generic_xdp_alone_is_said(void **state)
{
	begin(false, true);
	assert_true(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead works here, but XDP works in "
				  "generic mode alone, which costs each "
				  "packet more.");
}

static void what_is_needed_is_told_alone(void **state)
{
	begin(true, true);
	no("JIT", SELFTEST_WANTED, "it is off");
	no("fl_xdp", SELFTEST_NEEDED, "R1 is bad");
	strcpy(test.rows[1].mode, "xdp");
	assert_false(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead does not work here: fl_xdp (xdp): "
				  "R1 is bad.");
}

static void no_packet_no_work(void **state)
{
	begin(false, false);
	assert_false(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead does not work here: no packet came "
				  "through by XDP.");
	no("nat", SELFTEST_WANTED, "lost");
	assert_false(selftest_verdict(&test, said));
	assert_string_equal(said, "Fairlead does not work here: nat: lost.");
}

static void many_rows_are_counted(void **state)
{
	begin(true, true);
	for (int i = 0; i < 5; i++)
		no("a", SELFTEST_WANTED, "b");
	selftest_verdict(&test, said);
	assert_string_equal(said, "Fairlead works here, but a: b; a: b; a: b; "
				  "and 2 more.");
}

static void more_rows_than_fit_harm_nobody(void **state)
{
	begin(true, true);
	for (int i = 0; i < 2 * SELFTEST_ROWS_MAX; i++)
		selftest_add(&test, "a");
	assert_int_equal(test.nr_rows, SELFTEST_ROWS_MAX);
}

static void capabilities_are_named(void **state)
{
	const __u64 all = ~0ull;
	char text[SELFTEST_TEXT_MAX];

	assert_int_equal(selftest_capabilities(all, text), 0);
	assert_string_equal(text, "");
	assert_int_equal(selftest_capabilities(all & ~(1ull << CAP_NET_ADMIN),
					       text), 1);
	assert_string_equal(text, "CAP_NET_ADMIN is missing, to attach "
				  "programs to interfaces");
	assert_int_equal(selftest_capabilities(0, text), 5);
	assert_non_null(strstr(text, "; CAP_NET_RAW is missing"));
}

static void who_administrates_may_load(void **state)
{
	const __u64 some = 1ull << CAP_SYS_ADMIN | 1ull << CAP_NET_ADMIN |
			   1ull << CAP_NET_RAW;
	char text[SELFTEST_TEXT_MAX];

	assert_int_equal(selftest_capabilities(some, text), 0);
}

static void drivers_need_redirect_too(void **state)
{
	struct selftest_row row = {};

	selftest_xdp_words(&row, DEVICE_XDP_BASIC | DEVICE_XDP_REDIRECT);
	assert_int_equal(row.result, SELFTEST_OK);
	assert_string_equal(row.mode, "native");
	selftest_xdp_words(&row, DEVICE_XDP_BASIC);
	assert_int_equal(row.result, SELFTEST_NO);
	assert_string_equal(row.mode, "generic");
	assert_non_null(strstr(row.text, "no native XDP redirect"));
}

static void the_verifiers_reason_is_its_last_line(void **state)
{
	char why[DP_SELFTEST_WHY_MAX];

	dp_selftest_last_line("0: (b7) r0 = 0\nR1 invalid mem access\n"
			      "processed 9 insns (limit 1000000)\n"
			      "verification time 3 usec\n", why);
	assert_string_equal(why, "R1 invalid mem access");
	dp_selftest_last_line("", why);
	assert_string_equal(why, "");
	dp_selftest_last_line("no newline", why);
	assert_string_equal(why, "no newline");
}

/* Packets */

static const struct sides {
	const char *client, *vip, *own, *backend;
} sides[] = {
	{ "203.0.113.5", "192.0.2.10", "198.51.100.2", "198.51.100.11" },
	{ "2001:db8:3::5", "2001:db8:1::10", "2001:db8:2::2",
	  "2001:db8:2::11" },
};

#define for_each_side(s) \
	for (const struct sides *s = sides; s < sides + 2; s++)

static struct datagram datagram(const char *src, const char *dst)
{
	return (struct datagram){
		.from = { 2, 1 }, .to = { 2, 2 }, .src = addr(src),
		.dst = addr(dst), .sport = 4321, .dport = 8080, .token = 77,
	};
}

static struct arrival nat(const struct sides *s)
{
	return (struct arrival){
		.forward = FORWARD_NAT, .to = { 2, 2 }, .token = 77,
		.outer_dst = addr(s->backend), .src = addr(s->own),
		.dport = 8080,
	};
}

static void what_comes_as_it_must_is_right(void **state)
{
	for_each_side(s) {
		struct datagram d = datagram(s->own, s->backend);
		struct arrival want = nat(s);
		__u8 frame[DATAGRAM_BYTES_MAX];
		size_t len = datagram_build(&d, frame);

		assert_null(arrival_judge(&want, frame, len));
		want.forward = FORWARD_L2;
		assert_null(arrival_judge(&want, frame, len));
	}
}

static void what_comes_otherwise_is_named(void **state)
{
	for_each_side(s) {
		struct datagram d = datagram(s->own, s->backend);
		struct arrival want = nat(s);
		__u8 frame[DATAGRAM_BYTES_MAX];
		size_t len = datagram_build(&d, frame);

		want.token++;
		assert_ptr_equal(arrival_judge(&want, frame, len),
				 ARRIVAL_STRANGER);
		want = nat(s);
		want.to[5]++;
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came to another MAC address");
		want = nat(s);
		want.outer_dst = addr(s->vip);
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came to another address");
		want = nat(s);
		want.src = addr(s->client);
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came from another address");
		want = nat(s);
		want.dport++;
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came to another port");
		want = nat(s);
		want.forward = FORWARD_IPIP;
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came without its tunnel");
		want = nat(s);
		frame[len - 8]++;
		assert_string_equal(arrival_judge(&want, frame, len),
				    "the packet came with a wrong checksum");
	}
}

static void what_is_cut_is_a_strangers(void **state)
{
	for_each_side(s) {
		struct datagram d = datagram(s->own, s->backend);
		struct arrival want = nat(s);
		__u8 frame[DATAGRAM_BYTES_MAX];
		size_t len = datagram_build(&d, frame);

		for (size_t cut = 0; cut < len; cut++)
			assert_non_null(arrival_judge(&want, frame, cut));
	}
}

static void an_answer_goes_back(void **state)
{
	for_each_side(s) {
		struct datagram d = datagram(s->own, s->backend), back = {};
		__u8 frame[DATAGRAM_BYTES_MAX];

		datagram_build(&d, frame);
		datagram_answer(frame, &back);
		assert_int_equal(back.sport, 8080);
		assert_int_equal(back.dport, 4321);
		assert_memory_equal(back.to, d.from, 6);
		assert_memory_equal(back.from, d.to, 6);
		assert_int_equal(addr_compare(&back.dst, &d.src), 0);
		assert_int_equal(addr_compare(&back.src, &d.dst), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_all_is_well_the_verdict_is_short),
		cmocka_unit_test(what_is_wanted_is_a_but),
		cmocka_unit_test(generic_xdp_alone_is_said),
		cmocka_unit_test(what_is_needed_is_told_alone),
		cmocka_unit_test(no_packet_no_work),
		cmocka_unit_test(many_rows_are_counted),
		cmocka_unit_test(more_rows_than_fit_harm_nobody),
		cmocka_unit_test(capabilities_are_named),
		cmocka_unit_test(who_administrates_may_load),
		cmocka_unit_test(drivers_need_redirect_too),
		cmocka_unit_test(the_verifiers_reason_is_its_last_line),
		cmocka_unit_test(what_comes_as_it_must_is_right),
		cmocka_unit_test(what_comes_otherwise_is_named),
		cmocka_unit_test(what_is_cut_is_a_strangers),
		cmocka_unit_test(an_answer_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
