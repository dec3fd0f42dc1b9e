// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps with keys: as the kernel's, which tests/bpf/policy_test.c asks alike. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_tables.h"

static int count_one(void *arg, const void *key, const void *value)
{
	__u64 *sum = arg;

	*sum += *(const __u32 *)value + (1ull << 32);
	return 0;
}

static int stop(void *arg, const void *key, const void *value)
{
	return 7;
}

static void entries_are_set_found_and_deleted(void **state)
{
	struct fake *f = fake_new((struct fake_sizes){ 1, 1, 1, 1, 1 });
	struct tables *t = &f->t;
	struct addr a = {};
	__u64 sum = 0;

	assert_int_equal(t->entry_del(t, TABLE_peers, &a), -ENOENT);
	for (__u32 i = 0; i < 1000; i++) {
		a.word[3] = i;
		assert_int_equal(t->entry_set(t, TABLE_peers, &a, &i), 0);
		assert_int_equal(t->entry_set(t, TABLE_peers, &a, &i), 0);
	}
	assert_int_equal(t->entries_each(t, TABLE_peers, count_one, &sum), 0);
	assert_int_equal(sum >> 32, 1000);
	assert_int_equal(sum & 0xffffffff, 999 * 500);
	assert_int_equal(t->entries_each(t, TABLE_peers, stop, NULL), 7);
	assert_int_equal(*(const __u32 *)fake_entry(f, TABLE_peers, &a), 999);
	assert_int_equal(t->entry_del(t, TABLE_peers, &a), 0);
	assert_null(fake_entry(f, TABLE_peers, &a));
	fake_free(f);
}

static void a_full_map_refuses_more(void **state)
{
	struct fake *f = fake_new((struct fake_sizes){ 1, 1, 1, 1, 1 });
	struct tables *t = &f->t;
	struct mask_key key = {};
	struct rule_mask mask = {};

	f->max_entries[TABLE_peer_masks] = 1;
	assert_int_equal(t->entry_set(t, TABLE_peer_masks, &key, &mask), 0);
	key.class = 1;
	assert_int_equal(t->entry_set(t, TABLE_peer_masks, &key, &mask),
			 -E2BIG);
	key.class = 0;
	assert_int_equal(t->entry_set(t, TABLE_peer_masks, &key, &mask), 0);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_set_found_and_deleted),
		cmocka_unit_test(a_full_map_refuses_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
