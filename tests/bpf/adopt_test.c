// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a daemon makes of maps that another version of it has pinned. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "kernel/dp.h"

#define CPUS_MAX 1024

static char root[64];
static struct dp *dp;
static struct counter values[CPUS_MAX];

static int try_open(void)
{
	struct dp_opts opts = {
		.pin_root = root,
		.sizes = { .services = 64, .backends = 64, .slots = 1 << 10,
			   .cell_buckets = 64, .conn_buckets = 64 },
	};

	return dp_open(&opts, &dp);
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/sys/fs/bpf/fl-adopt-test-%d", getpid());
	dp = NULL;
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
	snprintf(path, sizeof(path), "%s/%d/%s", root, FAIRLEAD_ABI, name);
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

static void a_second_open_takes_over_the_first_ones_maps(void **state)
{
	struct dp *first = dp;

	dp_tables(first)->backends[3].weight = 77;
	assert_int_equal(try_open(), 0);
	assert_int_equal(dp_tables(dp)->backends[3].weight, 77);
	dp_close(first);
}

/* Pins of program arrays; name: of one of them. */
static int arrays(char name[static 64])
{
	char path[128];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%d", root, FAIRLEAD_ABI);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "xdp_programs_", 13))
			continue;
		snprintf(name, 64, "%.63s", entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

/* Is each program in the array whose pin has the name? */
static bool is_whole(const char *name)
{
	char path[256];
	__u32 id;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", root, FAIRLEAD_ABI, name);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	for (__u32 i = 0; i < NR_XDP_PROGRAMS; i++) {
		if (bpf_map_lookup_elem(fd, &i, &id))
			return false;
	}
	close(fd);
	return true;
}

/* What is attached needs it, also when nobody runs who has it open. */
static void programs_outlive_who_loaded_them(void **state)
{
	char name[64];

	dp_close(dp);
	dp = NULL;
	assert_int_equal(arrays(name), 1);
	assert_true(is_whole(name));
}

static void programs_go_when_others_have_taken_over(void **state)
{
	struct dp *first = dp;
	char old[64], new[64];

	assert_int_equal(arrays(old), 1);
	assert_int_equal(try_open(), 0);
	assert_int_equal(arrays(new), 1);
	assert_string_not_equal(old, new);
	assert_true(is_whole(new));
	dp_close(first);
	assert_true(is_whole(new));
}

static void programs_follow_larger_tables(void **state)
{
	struct table_sizes sizes = {
		.services = 128, .backends = 64, .slots = 1 << 10,
		.cell_buckets = 64, .conn_buckets = 64,
	};
	char old[64], new[64];

	assert_int_equal(arrays(old), 1);
	assert_int_equal(dp_grow(dp, &sizes), 0);
	/* killed here, what is attached has what it had */
	assert_int_equal(arrays(new), 1);
	assert_string_equal(old, new);
	assert_true(is_whole(old));
	assert_int_equal(dp_switch(dp), 0);
	assert_int_equal(arrays(new), 1);
	assert_string_not_equal(old, new);
	assert_true(is_whole(new));
}

static void programs_of_one_that_was_killed_are_removed(void **state)
{
	char name[64], path[256];
	int fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, NULL, sizeof(__u32),
				sizeof(__u32), NR_XDP_PROGRAMS, NULL);

	snprintf(path, sizeof(path), "%s/%d/xdp_programs_0", root,
		 FAIRLEAD_ABI);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
	dp_close(dp);
	dp = NULL;
	assert_int_equal(try_open(), 0);
	assert_int_equal(arrays(name), 1);
	assert_true(is_whole(name));
}

#define ADOPT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADOPT(reasons_that_an_older_version_counted_go_on),
		ADOPT(a_view_of_an_older_version_shows_what_it_counts),
		ADOPT(maps_with_other_fields_are_refused),
		ADOPT(a_second_open_takes_over_the_first_ones_maps),
		ADOPT(programs_outlive_who_loaded_them),
		ADOPT(programs_go_when_others_have_taken_over),
		ADOPT(programs_follow_larger_tables),
		ADOPT(programs_of_one_that_was_killed_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
