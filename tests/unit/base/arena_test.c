// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	unsigned char *pieces[3000], first = 0;
	struct arena a = {};

	for (size_t i = 0; i < 3000; i++) {
		size_t len = 1 + i % 999;

		pieces[i] = arena_alloc(&a, len, 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t),
				 0);
		for (size_t j = 0; j < len; j++)
			first |= pieces[i][j];
		memset(pieces[i], i % 255 + 1, len);
	}
	assert_int_equal(first, 0);
	for (size_t i = 0; i < 3000; i++)
		for (size_t j = 0; j < 1 + i % 999; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
	arena_clear(&a);
	arena_clear(&a);
}

static void a_large_piece_has_room(void **state)
{
	struct arena a = {};
	char *p = arena_alloc(&a, 3 << 20, 2);

	assert_non_null(p);
	p[(6 << 20) - 1] = 1;
	assert_non_null(arena_alloc(&a, 0, 8));
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX, 1));
	arena_clear(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_large_piece_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
