// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The allocator of slot ranges: nothing given twice, nothing lost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ranges.h"

#define SIZE 65536

static void whole_space_can_be_given_away_and_comes_back(void **state)
{
	struct ranges r = {};
	__u32 base;

	assert_int_equal(ranges_grow(&r, SIZE), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SIZE / 64; i++) {
			assert_int_equal(ranges_alloc(&r, 64, &base), 0);
			assert_int_equal(base, i * 64);
		}
		assert_int_equal(ranges_alloc(&r, 64, &base), -ENOSPC);
		assert_int_equal(r.used, SIZE);
		for (int i = 0; i < SIZE / 64; i++)
			ranges_free(&r, i * 64 ^ 64, 64);
		assert_int_equal(r.used, 0);
	}
	assert_int_equal(ranges_alloc(&r, SIZE, &base), 0);
	ranges_clear(&r);
}

static void what_a_count_leaves_of_its_block_goes_to_smaller_ones(void **state)
{
	struct ranges r = {};
	__u32 base, given = 0;

	assert_int_equal(ranges_grow(&r, SIZE), 0);
	assert_int_equal(ranges_block(10), 16);
	assert_int_equal(ranges_block(16), 16);
	assert_int_equal(ranges_block(1), 1);
	while (!ranges_alloc(&r, 10, &base))
		given++;
	assert_int_equal(given, SIZE / 16);
	assert_int_equal(r.used, 10 * given);
	/* what is left over has room for smaller ones */
	for (given = 0; !ranges_alloc(&r, 6, &base); given++)
		assert_true(base % 16 >= 8 || base % 16 == 10);
	assert_int_equal(given, 0);
	for (given = 0; !ranges_alloc(&r, 4, &base); given++)
		assert_int_equal(base % 16, 12);
	assert_int_equal(given, SIZE / 16);
	for (given = 0; !ranges_alloc(&r, 2, &base); given++)
		assert_int_equal(base % 16, 10);
	assert_int_equal(given, SIZE / 16);
	assert_int_equal(r.used, SIZE);
	ranges_clear(&r);
}

static void growth_adds_room_and_joins_it(void **state)
{
	struct ranges r = {};
	__u32 base;

	assert_int_equal(ranges_grow(&r, 64 * 5 + 7), 0);
	assert_int_equal(ranges_alloc(&r, 512, &base), -ENOSPC);
	assert_int_equal(ranges_grow(&r, 1024), 0);
	assert_int_equal(ranges_alloc(&r, 1024, &base), 0);
	assert_int_equal(base, 0);
	assert_int_equal(ranges_grow(&r, 4096), 0);
	assert_int_equal(ranges_alloc(&r, 2048, &base), 0);
	assert_int_equal(base, 2048);
	ranges_clear(&r);
}

static void reserved_ranges_are_not_given_away(void **state)
{
	struct ranges r = {};
	__u32 base;

	assert_int_equal(ranges_grow(&r, 1024), 0);
	assert_int_equal(ranges_reserve(&r, 256, 256), 0);
	assert_int_equal(ranges_reserve(&r, 256, 256), -EBUSY);
	assert_int_equal(ranges_reserve(&r, 320, 64), -EBUSY);
	assert_int_equal(ranges_reserve(&r, 0, 512), -EBUSY);
	assert_int_equal(ranges_reserve(&r, 64, 128), -EINVAL);
	assert_int_equal(ranges_reserve(&r, 1024, 64), -EINVAL);
	assert_int_equal(ranges_reserve(&r, 0xffffffc0, 64), -EINVAL);
	assert_int_equal(ranges_alloc(&r, 256, &base), 0);
	assert_int_equal(base, 0);
	assert_int_equal(ranges_alloc(&r, 512, &base), 0);
	assert_int_equal(base, 512);
	assert_int_equal(ranges_alloc(&r, 64, &base), -ENOSPC);
	ranges_clear(&r);
}

static void reserving_what_is_taken_in_part_changes_nothing(void **state)
{
	struct ranges r = {};
	__u32 base;

	assert_int_equal(ranges_grow(&r, 64), 0);
	assert_int_equal(ranges_reserve(&r, 6, 1), 0);
	assert_int_equal(ranges_reserve(&r, 0, 7), -EBUSY);
	assert_int_equal(ranges_reserve(&r, 0, 6), 0);
	assert_int_equal(ranges_reserve(&r, 0, 0), -EINVAL);
	assert_int_equal(r.used, 7);
	assert_int_equal(ranges_alloc(&r, 1, &base), 0);
	assert_int_equal(base, 7);
	ranges_clear(&r);
}

static void random_use_never_overlaps(void **state)
{
	static __u8 taken[SIZE];
	struct { __u32 base, count; } given[64] = {};
	struct ranges r = {};

	srand(1);
	assert_int_equal(ranges_grow(&r, SIZE), 0);
	for (int step = 0; step < 200000; step++) {
		int i = rand() % 64;
		__u32 count = 1 + rand() % (1 << rand() % 13);

		if (given[i].count) {
			memset(taken + given[i].base, 0, given[i].count);
			ranges_free(&r, given[i].base, given[i].count);
			given[i].count = 0;
		} else if (!ranges_alloc(&r, count, &given[i].base)) {
			given[i].count = count;
			assert_int_equal(given[i].base % ranges_block(count),
					 0);
			assert_true(given[i].base + count <= SIZE);
			for (__u32 u = 0; u < count; u++)
				assert_false(taken[given[i].base + u]++);
		}
	}
	for (int i = 0; i < 64; i++)
		if (given[i].count)
			ranges_free(&r, given[i].base, given[i].count);
	assert_int_equal(ranges_reserve(&r, 0, SIZE), 0);
	ranges_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_space_can_be_given_away_and_comes_back),
		cmocka_unit_test(what_a_count_leaves_of_its_block_goes_to_smaller_ones),
		cmocka_unit_test(growth_adds_room_and_joins_it),
		cmocka_unit_test(reserved_ranges_are_not_given_away),
		cmocka_unit_test(reserving_what_is_taken_in_part_changes_nothing),
		cmocka_unit_test(random_use_never_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
