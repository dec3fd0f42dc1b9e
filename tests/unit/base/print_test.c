// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/types.h>

#include "base/print.h"

struct animal {
	const char *name;
	__u64 legs;
	bool flies;
	double share;
};

static const struct column columns[] = {
	COLUMN("name", "NAME", TEXT, struct animal, name),
	COLUMN("flies", NULL, BOOL, struct animal, flies),
	COLUMN("legs", "LEGS", COUNT, struct animal, legs),
	COLUMN("share", "SHARE", SHARE, struct animal, share),
	COLUMNS_END,
};

static const struct animal animals[] = {
	{ "ant", 6, false, 0.5 },
	{ "albatross", 2, true, 0.125 },
	{ NULL, COUNT_UNKNOWN, false, 0 },
};

/* The caller frees. */
static char *printed(bool json, const struct animal *rows, size_t count)
{
	struct print *table;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(print_open(out, json, columns, &table), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(print_row(table, &rows[i]), 0);
	assert_int_equal(print_close(table), 0);
	fclose(out);
	return text;
}

static void columns_are_aligned_and_numbers_stand_right(void **state)
{
	char *text = printed(false, animals, 3);

	assert_string_equal(text,
			    "NAME       LEGS  SHARE\n"
			    "ant           6  50.0%\n"
			    "albatross     2  12.5%\n"
			    "-             -   0.0%\n");
	free(text);
}

static void no_row_leaves_the_titles(void **state)
{
	char *text = printed(false, animals, 0);

	assert_string_equal(text, "NAME  LEGS  SHARE\n");
	free(text);
}

static void json_has_every_column(void **state)
{
	char *text = printed(true, animals, 3);
	json_t *list = json_loads(text, 0, NULL);
	json_t *want = json_pack("[{s:s,s:b,s:i,s:f},{s:s,s:b,s:i,s:f},"
				 "{s:n,s:b,s:n,s:f}]",
				 "name", "ant", "flies", 0, "legs", 6,
				 "share", 0.5, "name", "albatross", "flies", 1,
				 "legs", 2, "share", 0.125, "name", "flies", 0,
				 "legs", "share", 0.0);

	assert_non_null(list);
	assert_true(json_equal(list, want));
	json_decref(list);
	json_decref(want);
	free(text);
}

static void an_empty_list_is_json_too(void **state)
{
	char *text = printed(true, animals, 0);

	assert_string_equal(text, "[]\n");
	free(text);
}

static void json_of_text_that_needs_escapes_can_be_read_back(void **state)
{
	const struct animal odd = { "a \"b\"\n\\", 1, false, 0 };
	char *text = printed(true, &odd, 1);
	json_t *list = json_loads(text, 0, NULL);
	json_t *name = json_object_get(json_array_get(list, 0), "name");

	assert_string_equal(json_string_value(name), odd.name);
	json_decref(list);
	free(text);
}

/* Longer than what is held in memory at once. */
static void long_lists_lose_no_row(void **state)
{
	static struct animal rows[3000];
	unsigned int lines = 0;
	json_t *list;
	char *text;

	for (size_t i = 0; i < 3000; i++)
		rows[i] = (struct animal){ "x", i, false, 0 };
	text = printed(false, rows, 3000);
	for (char *at = text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 3001);
	assert_non_null(strstr(text, " 2999 "));
	free(text);

	text = printed(true, rows, 3000);
	list = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(list), 3000);
	json_decref(list);
	free(text);
}

static void text_becomes_a_list_of_lines(void **state)
{
	char text[] = "one\ntwo\n\xff\n";
	json_t *list = lines_json(text);
	json_t *want = json_pack("[s,s,s]", "one", "two", "not UTF-8");

	assert_true(json_equal(list, want));
	json_decref(list);
	json_decref(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_and_numbers_stand_right),
		cmocka_unit_test(no_row_leaves_the_titles),
		cmocka_unit_test(json_has_every_column),
		cmocka_unit_test(an_empty_list_is_json_too),
		cmocka_unit_test(json_of_text_that_needs_escapes_can_be_read_back),
		cmocka_unit_test(long_lists_lose_no_row),
		cmocka_unit_test(text_becomes_a_list_of_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
