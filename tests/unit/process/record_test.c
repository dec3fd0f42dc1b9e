// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records as they are, cut anywhere, and with every length that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "process/record.h"

static struct bytes_out b;

static int tear_down(void **state)
{
	bytes_free(&b);
	return 0;
}

static void one_record(void)
{
	size_t begin = record_begin(&b, RECORD_PUT, 2);

	record_text(&b, RECORD_KEY, "metadata");
	record_field(&b, RECORD_MAP, NULL, 0);
	assert_true(record_end(&b, begin));
}

static void what_goes_in_comes_out(void **state)
{
	const char *why;
	struct record_field f;
	struct record r;

	one_record();
	assert_int_equal(record_parse(b.data, b.len, &r, &why), b.len);
	assert_int_equal(r.type, RECORD_PUT);
	assert_int_equal(r.of, 2);
	assert_int_equal(record_next(&r, &f), 1);
	assert_int_equal(f.id, RECORD_KEY);
	assert_int_equal(f.len, 8);
	assert_memory_equal(f.data, "metadata", 8);
	assert_int_equal(record_next(&r, &f), 1);
	assert_int_equal(f.id, RECORD_MAP);
	assert_int_equal(f.len, 0);
	assert_int_equal(record_next(&r, &f), 0);
}

static void one_that_is_not_whole_is_waited_for(void **state)
{
	const char *why;
	struct record r;

	one_record();
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(record_parse(b.data, len, &r, &why), 0);
}

static void several_stand_one_behind_the_other(void **state)
{
	const char *why;
	struct record r;
	size_t first;

	one_record();
	first = b.len;
	one_record();
	assert_int_equal(record_parse(b.data, b.len, &r, &why), first);
	assert_int_equal(record_parse(b.data + first, b.len - first, &r, &why),
			 first);
}

static void header_is(struct record_header h)
{
	memcpy(b.data, &h, sizeof(h));
}

static void a_header_that_lies(void **state)
{
	const struct record_header lies[] = {
		{ .len = 0, .type = RECORD_PUT },
		{ .len = 7, .type = RECORD_PUT },
		{ .len = RECORD_MAX + 1, .type = RECORD_PUT },
		{ .len = 0xffffffff, .type = RECORD_PUT },
		{ .len = 16, .type = 0 },
		{ .len = 16, .type = NR_RECORD_TYPES },
		{ .len = 16, .type = RECORD_PUT, .zero = 1 },
	};

	one_record();
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const char *why = NULL;
		struct record r;

		header_is(lies[i]);
		assert_int_equal(record_parse(b.data, b.len, &r, &why),
				 -EBADMSG);
		assert_non_null(why);
	}
}

/* Every length of the first field that is not the right one. */
static void a_field_that_lies(void **state)
{
	const struct record_field_header zero = { 8, RECORD_KEY, 1 };
	struct record_field f;
	const char *why;
	struct record r;

	one_record();
	for (__u32 len = 17; len < 64; len++) {
		memcpy(b.data + sizeof(struct record_header), &len, 4);
		record_parse(b.data, b.len, &r, &why);
		assert_int_equal(record_next(&r, &f), -EBADMSG);
	}
	for (__u32 len = 9; len < 16; len++) {
		memcpy(b.data + sizeof(struct record_header), &len, 4);
		record_parse(b.data, b.len, &r, &why);
		assert_int_equal(record_next(&r, &f), 1);
		assert_int_equal(record_next(&r, &f), -EBADMSG);
	}
	memcpy(b.data + sizeof(struct record_header), &zero, sizeof(zero));
	record_parse(b.data, b.len, &r, &why);
	assert_int_equal(record_next(&r, &f), -EBADMSG);
}

static void one_that_is_too_long_is_taken_back(void **state)
{
	static char large[RECORD_MAX];
	size_t before, begin;

	one_record();
	before = b.len;
	begin = record_begin(&b, RECORD_PUT, 0);
	record_field(&b, RECORD_STRING, large, sizeof(large));
	assert_false(record_end(&b, begin));
	assert_int_equal(b.len, before);
	one_record();
	assert_int_equal(b.len, 2 * before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_goes_in_comes_out, tear_down),
		cmocka_unit_test_teardown(one_that_is_not_whole_is_waited_for,
					  tear_down),
		cmocka_unit_test_teardown(several_stand_one_behind_the_other,
					  tear_down),
		cmocka_unit_test_teardown(a_header_that_lies, tear_down),
		cmocka_unit_test_teardown(a_field_that_lies, tear_down),
		cmocka_unit_test_teardown(one_that_is_too_long_is_taken_back,
					  tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
