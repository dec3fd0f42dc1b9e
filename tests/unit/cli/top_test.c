// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What was between two looks at backends, and in which order it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/top_rows.h"

static struct top_row row(const char *service, const char *endpoint,
			  __u64 packets, __u64 bytes, __u64 connections)
{
	struct top_row r = {
		.state = "active", .weight = 100, .packets = packets,
		.bytes = bytes, .connections = connections,
	};

	strcpy(r.service, service);
	strcpy(r.endpoint, endpoint);
	return r;
}

static void rates(void **state)
{
	struct top_row was[] = {
		row("web", "b", 100, 1000, 10), row("web", "a", 0, 0, 0),
		row("gone", "a", 7, 7, 7),
	};
	struct top_row is[] = {
		row("web", "a", 50, 5000, 5), row("web", "b", 40, 400, 4),
		row("new", "a", 900, 900, 900),
	};

	top_rates(is, 3, was, 3, 500);
	assert_int_equal(is[0].packets_s, 100);
	assert_int_equal(is[0].bits_s, 80000);
	assert_int_equal(is[0].new_s, 10);
	/* it began anew; it was not there */
	assert_int_equal(is[1].packets_s, 0);
	assert_int_equal(is[2].packets_s, 0);
	/* no time, nobody before, nobody at all */
	top_rates(is, 3, was, 3, 0);
	assert_int_equal(is[0].packets_s, 100);
	top_rates(is, 3, NULL, 0, 500);
	top_rates(NULL, 0, NULL, 0, 500);
}

static void order(void **state)
{
	struct top_row r[] = {
		row("a", "2", 0, 0, 0), row("a", "1", 0, 0, 0),
		row("b", "1", 0, 0, 0),
	};

	r[2].packets_s = 5;
	r[0].new_s = 9;
	top_sort(r, 3, TOP_BY_PACKETS);
	assert_string_equal(r[0].service, "b");
	assert_string_equal(r[1].endpoint, "1");
	top_sort(r, 3, TOP_BY_NEW);
	assert_string_equal(r[0].endpoint, "2");
	top_sort(r, 3, TOP_BY_NAME);
	assert_string_equal(r[2].service, "b");
	for (int i = 0; i < NR_TOP_ORDERS; i++) {
		assert_non_null(top_order_name(i));
		top_sort(NULL, 0, i);
	}
}

static void down(void **state)
{
	struct top_row r = row("a", "1", 0, 0, 0);

	assert_false(top_is_down(&r));
	r.weight = 0;
	assert_true(top_is_down(&r));
	r.weight = 1;
	r.state = "drain";
	assert_true(top_is_down(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(order),
		cmocka_unit_test(down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
