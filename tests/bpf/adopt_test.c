// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a daemon makes of maps that are pinned already: by one that is gone, by
 * another version, by one that lives. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "kernel/dp.h"

#define CPUS_MAX 1024

static char root[64];
static struct dp *dp;
static struct table_sizes wanted;
static struct counter values[CPUS_MAX];

static int try_open(void)
{
	struct dp_opts opts = {
		.pin_root = root,
		.sizes = wanted,
	};

	return dp_open(&opts, &dp);
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/sys/fs/bpf/fl-adopt-test-%d", getpid());
	dp = NULL;
	wanted = (struct table_sizes){
		.services = 64,
		.backends = 64,
		.slots = 1 << 10,
		.cell_buckets = 64,
		.conn_buckets = 64,
	};
	return try_open();
}

static int teardown(void **state)
{
	dp_close(dp);
	return dp_cleanup(root, false);
}

/* Another map where the pin of name is. Returns its descriptor. */
static int replace_pin(const char *name, enum bpf_map_type type,
		       __u32 value_size, __u32 entries)
{
	char path[128];
	int fd = bpf_map_create(type, name, sizeof(__u32), value_size, entries,
				NULL);

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/%d/tables/%s", root, FAIRLEAD_ABI,
		 name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	return fd;
}

static void reasons_that_an_older_version_counted_go_on(void **state)
{
	struct counter sums[NR_REASONS];
	__u32 why = REASON_ECHO;
	int fd;

	dp_close(dp);
	dp = NULL;
	fd = replace_pin("counters", BPF_MAP_TYPE_PERCPU_ARRAY,
			 sizeof(struct counter), NR_REASONS - 3);
	values[0] = (struct counter){ .packets = 7, .bytes = 700 };
	assert_int_equal(bpf_map_update_elem(fd, &why, values, 0), 0);
	close(fd);

	assert_int_equal(try_open(), 0);
	assert_int_equal(dp_counters(dp, sums), 0);
	assert_int_equal(sums[REASON_ECHO].packets, 7);
	assert_int_equal(sums[REASON_ECHO].bytes, 700);
	assert_int_equal(sums[NR_REASONS - 1].packets, 0);
}

static void a_view_of_an_older_version_shows_what_it_counts(void **state)
{
	struct counter sums[NR_REASONS];
	struct dp *view = NULL;

	close(replace_pin("counters", BPF_MAP_TYPE_PERCPU_ARRAY,
			  sizeof(struct counter), NR_REASONS - 3));
	assert_int_equal(dp_view(root, &view), 0);
	assert_int_equal(dp_counters(view, sums), 0);
	assert_int_equal(sums[NR_REASONS - 1].packets, 0);
	dp_close(view);
}

static void maps_with_other_fields_are_refused(void **state)
{
	dp_close(dp);
	dp = NULL;
	close(replace_pin("backends", BPF_MAP_TYPE_ARRAY,
			  sizeof(struct backend) + 8, 64));
	assert_int_equal(try_open(), -EPROTO);
	assert_null(dp);
}

static void close_first(void)
{
	dp_close(dp);
	dp = NULL;
}

static void a_second_open_takes_over_the_first_ones_maps(void **state)
{
	dp_tables(dp)->backends[3].weight = 77;
	close_first();
	assert_int_equal(try_open(), 0);
	assert_int_equal(dp_tables(dp)->backends[3].weight, 77);
}

static void while_one_works_on_them_nobody_else_does(void **state)
{
	struct dp *first = dp;

	dp = NULL;
	assert_int_equal(try_open(), -EBUSY);
	assert_int_equal(dp_cleanup(root, false), -EBUSY);
	dp = first;
	dp_tables(dp)->backends[3].weight = 77;
	close_first();
	assert_int_equal(try_open(), 0);
	assert_int_equal(dp_tables(dp)->backends[3].weight, 77);
}

static __u32 entries_of(enum table_id id)
{
	struct dp_map maps[DP_MAPS_MAX];

	assert_int_equal(dp_maps(dp, maps), NR_TABLES);
	return maps[id].entries;
}

/* Writing by an index of one would go past the end of the other. */
static void maps_that_do_not_fit_each_other_are_refused(void **state)
{
	close_first();
	close(replace_pin("services", BPF_MAP_TYPE_ARRAY,
			  sizeof(struct service), 128));
	assert_int_equal(try_open(), -EPROTO);
	assert_null(dp);
}

static void a_view_refuses_them_too(void **state)
{
	struct dp *view = NULL;

	close(replace_pin("services", BPF_MAP_TYPE_ARRAY,
			  sizeof(struct service), 32));
	assert_int_equal(dp_view(root, &view), -EPROTO);
	assert_null(view);
}

/* Whoever removed it did not say how large the others are. */
static void a_map_that_is_missing_is_made_as_large_as_its_like(void **state)
{
	char path[128];

	close_first();
	snprintf(path, sizeof(path), "%s/%d/tables/backend_stats", root,
		 FAIRLEAD_ABI);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/%d/tables/infos", root, FAIRLEAD_ABI);
	assert_int_equal(unlink(path), 0);
	wanted.services = 256;
	wanted.backends = 256;
	assert_int_equal(try_open(), 0);
	assert_int_equal(entries_of(TABLE_infos), 64);
	assert_int_equal(entries_of(TABLE_backend_stats), 64);
}

static int count_pins(const char *pattern)
{
	char all[160];
	glob_t found;
	int ret;

	snprintf(all, sizeof(all), "%s/%s", root, pattern);
	ret = glob(all, 0, NULL, &found) ? 0 : (int)found.gl_pathc;
	if (ret)
		globfree(&found);
	return ret;
}

static void one_generation_stays(void **state)
{
	const struct table_sizes larger = { .services = 128, .slots = 1 << 11 };

	assert_int_equal(count_pins("*/*/services"), 2); /* and by its link */
	assert_int_equal(dp_grow(dp, &larger), 0);
	assert_int_equal(entries_of(TABLE_services), 128);
	assert_int_equal(entries_of(TABLE_infos), 128);
	assert_int_equal(entries_of(TABLE_backends), 64);
	assert_true(dp_must_switch(dp));
	assert_int_equal(dp_switch(dp), 0);
	assert_false(dp_must_switch(dp));
	assert_int_equal(count_pins("*/*/services"), 2);
	close_first();
	assert_int_equal(try_open(), 0);
	assert_int_equal(entries_of(TABLE_services), 128);
	assert_int_equal(count_pins("*/*/services"), 2);
}

/* It dies after the larger maps are pinned: they are not in force. */
static void larger_maps_count_when_they_are_switched_to(void **state)
{
	const struct table_sizes larger = { .services = 128 };

	dp_tables(dp)->services[7].id = 7;
	assert_int_equal(dp_grow(dp, &larger), 0);
	dp_tables(dp)->services[7].id = 8;
	close_first();
	assert_int_equal(try_open(), 0);
	assert_int_equal(entries_of(TABLE_services), 64);
	assert_int_equal(dp_tables(dp)->services[7].id, 7);
	assert_int_equal(count_pins("*/*/services"), 2);
}

/* What is mapped already may serve for the next window, but no other's. */
static void windows_show_the_entries_that_they_are_of(void **state)
{
	struct tables *t = dp_tables(dp);
	const __u32 nr = t->nr_slots;
	struct slot *slots;

	for (__u32 i = 0; i < nr; i++) {
		slots = t->slots(t, i, 1);
		assert_non_null(slots);
		slots->backend = i + 1;
	}
	for (__u32 i = nr; i--;) {
		slots = t->slots(t, i, nr - i);
		assert_non_null(slots);
		assert_int_equal(slots[0].backend, i + 1);
		assert_int_equal(slots[nr - i - 1].backend, nr);
	}
	assert_non_null(t->slots(t, 0, nr));
	assert_null(t->slots(t, 0, nr + 1));
	assert_null(t->slots(t, nr, 1));
	assert_null(t->slots(t, ~0u, 1));
}

static void a_window_is_of_the_table_in_force(void **state)
{
	struct tables *t = dp_tables(dp);
	const struct table_sizes larger = { .slots = 1 << 18 };

	t->slots(t, 8, 1)->backend = 7;
	assert_int_equal(dp_grow(dp, &larger), 0);
	t = dp_tables(dp);
	assert_int_equal(t->slots(t, 8, 1)->backend, 7);
	t->slots(t, (1 << 18) - 1, 1)->backend = 9;
	assert_int_equal(t->slots(t, (1 << 18) - 1, 1)->backend, 9);
	assert_int_equal(t->slots(t, 8, 1)->backend, 7);
}

static void pins_that_are_removed_come_back(void **state)
{
	struct dp *view = NULL;
	char command[160];

	assert_true(dp_pin_is_whole(dp));
	dp_tables(dp)->backends[3].weight = 77;
	snprintf(command, sizeof(command), "rm %s/%d/tables/slots", root,
		 FAIRLEAD_ABI);
	assert_int_equal(system(command), 0);
	assert_int_equal(dp_view(root, &view), -ENOENT);
	assert_false(dp_pin_is_whole(dp));
	assert_int_equal(dp_pin_repair(dp), 0);
	assert_true(dp_pin_is_whole(dp));
	assert_int_equal(count_pins("*/*/slots"), 2);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
	assert_false(dp_pin_is_whole(dp));
	assert_int_equal(dp_pin_repair(dp), 0);
	assert_int_equal(dp_view(root, &view), 0);
	assert_int_equal(dp_tables(view)->backends[3].weight, 77);
	dp_close(view);
	assert_int_equal(dp_cleanup(root, false), -EBUSY);
}

static void tables_of_another_abi_are_not_served_beside_ours(void **state)
{
	char path[128];

	close_first();
	snprintf(path, sizeof(path), "%s/1", root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(try_open(), -EPROTO);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(try_open(), 0);
}

/* The id of the program array in force; 0: it lacks a program. */
static __u32 array_in_force(void)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), id;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%d/tables/xdp_programs", root,
		 FAIRLEAD_ABI);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	for (__u32 i = 0; i < NR_XDP_PROGRAMS; i++)
		if (bpf_map_lookup_elem(fd, &i, &id))
			info.id = 0;
	close(fd);
	return info.id;
}

static int arrays(void)
{
	return count_pins("*/[0-9]*/xdp_programs");
}

/* What is attached needs it, also when nobody runs who has it open. */
static void programs_outlive_who_loaded_them(void **state)
{
	close_first();
	assert_int_equal(arrays(), 1);
	assert_int_not_equal(array_in_force(), 0);
}

static void programs_go_when_others_have_taken_over(void **state)
{
	__u32 old = array_in_force(), new;

	close_first();
	assert_int_equal(try_open(), 0);
	new = array_in_force();
	assert_int_not_equal(new, 0);
	assert_int_not_equal(old, new);
	assert_int_equal(arrays(), 1);
}

static void programs_follow_larger_tables(void **state)
{
	const struct table_sizes larger = { .services = 128 };
	__u32 old = array_in_force(), new;

	assert_int_equal(dp_grow(dp, &larger), 0);
	/* killed here, what is attached has what it had */
	assert_int_equal(array_in_force(), old);
	assert_int_equal(arrays(), 2);
	assert_int_equal(dp_switch(dp), 0);
	new = array_in_force();
	assert_int_not_equal(new, 0);
	assert_int_not_equal(old, new);
	assert_int_equal(arrays(), 1);
}

static void programs_of_one_that_was_killed_are_removed(void **state)
{
	char path[128];
	int fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, NULL, sizeof(__u32),
				sizeof(__u32), NR_XDP_PROGRAMS, NULL);

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/%d/77", root, FAIRLEAD_ABI);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/xdp_programs");
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
	close_first();
	assert_int_equal(try_open(), 0);
	assert_int_equal(arrays(), 1);
	assert_int_not_equal(array_in_force(), 0);
}

#define ADOPT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADOPT(reasons_that_an_older_version_counted_go_on),
		ADOPT(a_view_of_an_older_version_shows_what_it_counts),
		ADOPT(maps_with_other_fields_are_refused),
		ADOPT(a_second_open_takes_over_the_first_ones_maps),
		ADOPT(while_one_works_on_them_nobody_else_does),
		ADOPT(maps_that_do_not_fit_each_other_are_refused),
		ADOPT(a_view_refuses_them_too),
		ADOPT(a_map_that_is_missing_is_made_as_large_as_its_like),
		ADOPT(one_generation_stays),
		ADOPT(larger_maps_count_when_they_are_switched_to),
		ADOPT(windows_show_the_entries_that_they_are_of),
		ADOPT(a_window_is_of_the_table_in_force),
		ADOPT(pins_that_are_removed_come_back),
		ADOPT(tables_of_another_abi_are_not_served_beside_ours),
		ADOPT(programs_outlive_who_loaded_them),
		ADOPT(programs_go_when_others_have_taken_over),
		ADOPT(programs_follow_larger_tables),
		ADOPT(programs_of_one_that_was_killed_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
