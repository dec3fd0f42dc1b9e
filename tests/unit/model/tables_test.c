// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/tables.h"

static void what_is_large_enough_stays(void **state)
{
	assert_int_equal(table_size_grown(1024, 0), 1024);
	assert_int_equal(table_size_grown(1024, 1023), 1024);
	assert_int_equal(table_size_grown(1024, 1024), 1024);
}

static void one_more_than_there_is_doubles_and_no_more(void **state)
{
	assert_int_equal(table_size_grown(1024, 1025), 2048);
	assert_int_equal(table_size_grown(1, 2), 2);
}

static void many_more_get_a_quarter_to_spare(void **state)
{
	assert_int_equal(table_size_grown(1024, 100000), 125000);
	assert_int_equal(table_size_grown(0, 100), 125);
}

static void nothing_wraps(void **state)
{
	assert_int_equal(table_size_grown(1u << 31, (1u << 31) + 1ull),
			 UINT32_MAX);
	assert_int_equal(table_size_grown(UINT32_MAX, UINT32_MAX), UINT32_MAX);
	assert_int_equal(table_size_grown(1024, 1ull << 33), UINT32_MAX);
}

/* Once is enough: what was grown for n has room for n. */
static void growing_twice_is_growing_once(void **state)
{
	for (__u64 needed = 1; needed < 1ull << 31; needed = needed * 3 + 1) {
		__u32 size = table_size_grown(64, needed);

		assert_true(size >= needed);
		assert_int_equal(table_size_grown(size, needed), size);
	}
}

static void each_table_has_its_row(void **state)
{
	for (int id = 0; id < NR_TABLES; id++) {
		const struct table_row *row = &table_rows[id];

		assert_non_null(row->name);
		assert_in_range(strlen(row->name), 1, 15);
		assert_true(row->size < NR_TABLE_SIZES);
		/* what has one size has nothing to grow by */
		if (row->size == TABLE_SIZE_fixed)
			assert_true(row->growth == TABLE_SAME ||
				    row->growth == TABLE_OWN);
	}
}

static void each_size_has_a_place_and_a_default(void **state)
{
	struct table_sizes sizes = table_sizes_default;

	assert_null(table_size_at(&sizes, TABLE_SIZE_fixed));
	for (int i = TABLE_SIZE_fixed + 1; i < NR_TABLE_SIZES; i++)
		assert_true(*table_size_at(&sizes, i) > 0);
	*table_size_at(&sizes, TABLE_SIZE_backends) = 7;
	assert_int_equal(sizes.backends, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_large_enough_stays),
		cmocka_unit_test(one_more_than_there_is_doubles_and_no_more),
		cmocka_unit_test(many_more_get_a_quarter_to_spare),
		cmocka_unit_test(nothing_wraps),
		cmocka_unit_test(growing_twice_is_growing_once),
		cmocka_unit_test(each_table_has_its_row),
		cmocka_unit_test(each_size_has_a_place_and_a_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
