// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs on sockets: what they may touch, and what attaching them to a cgroup
 * leaves behind. What they do to a socket has no test run in the kernel:
 * tests/e2e/node_sockets.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "kernel/dp.h"

#define PROGRAMS 8
#define MAPS_MAX 64

static char root[64], mount_dir[64], cgroup[128];
static struct dp *dp;
static __u32 id;	/* of the cgroup, as dp_cgroup_open() has it */

static void open_dp(void)
{
	struct dp_opts opts = {
		.pin_root = root,
		.sizes = { .services = 64, .backends = 64, .slots = 1 << 10,
			   .cell_buckets = 64, .conn_buckets = 64 },
	};

	assert_int_equal(dp_open(&opts, &dp), 0);
}

static void attach_all(void)
{
	assert_int_equal(dp_cgroup_open(dp, cgroup, &id), 0);
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_SOCKET)
			assert_int_equal(dp_attach(dp, hook, id), 0);
}

static void detach_all(void)
{
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_SOCKET &&
		    dp_is_attached(dp, hook, id))
			assert_int_equal(dp_detach(dp, hook, id), 0);
}

/* All cases have one datapath: to load it is what takes time. */
static int load(void **state)
{
	snprintf(root, sizeof(root), "/sys/fs/bpf/fl-sockets-test-%d",
		 getpid());
	open_dp();
	return 0;
}

static int unload(void **state)
{
	dp_close(dp);
	return dp_cleanup(root, false);
}

/* A hierarchy of its own place, as not every machine has one mounted. */
static int setup(void **state)
{
	strcpy(mount_dir, "/tmp/fl-sockets-test-XXXXXX");
	assert_non_null(mkdtemp(mount_dir));
	assert_int_equal(mount("none", mount_dir, "cgroup2", 0, NULL), 0);
	snprintf(cgroup, sizeof(cgroup), "%s/fl-test-%d", mount_dir, getpid());
	assert_int_equal(mkdir(cgroup, 0700), 0);
	return 0;
}

static int teardown(void **state)
{
	detach_all();
	rmdir(cgroup);
	umount2(mount_dir, MNT_DETACH);	/* dp has the cgroup open */
	return rmdir(mount_dir);
}

/* How many of ours the cgroup itself knows, at all of its places. */
static unsigned int attached(void)
{
	static const enum bpf_attach_type types[] = {
		BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT,
		BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG,
		BPF_CGROUP_UDP4_RECVMSG, BPF_CGROUP_UDP6_RECVMSG,
		BPF_CGROUP_INET4_GETPEERNAME, BPF_CGROUP_INET6_GETPEERNAME,
	};
	int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u32 programs[4], count;
	unsigned int all = 0;

	assert_true(dir >= 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		count = 4;
		assert_int_equal(bpf_prog_query(dir, types[i], 0, NULL,
						programs, &count), 0);
		all += count;
	}
	close(dir);
	return all;
}

static void expect_listed(int count)
{
	struct dp_attachment list[2 * PROGRAMS], others[4];

	assert_int_equal(dp_sockets(dp, list, 2 * PROGRAMS), count);
	for (int i = 0; i < count; i++) {
		assert_int_equal(list[i].ifindex, id);
		assert_int_equal(list[i].mechanism, DP_CGROUP);
		assert_true(dp_is_attached(dp, list[i].hook, id));
	}
	assert_int_equal(dp_attachments(dp, others, 4), 0);
}

static bool uses(const char *program, const char *map)
{
	__u32 maps[MAPS_MAX];
	struct bpf_prog_info info = {
		.nr_map_ids = MAPS_MAX, .map_ids = (__u64)(unsigned long)maps,
	};
	__u32 len = sizeof(info);
	bool ret = false;

	assert_int_equal(bpf_obj_get_info_by_fd(dp_program_fd(dp, program),
						&info, &len), 0);
	assert_in_range(info.nr_map_ids, 1, MAPS_MAX);
	for (__u32 i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info of = {};
		int fd = bpf_map_get_fd_by_id(maps[i]);

		len = sizeof(of);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &of, &len), 0);
		close(fd);
		ret |= !strcmp(of.name, map);
	}
	return ret;
}

/* They can be interrupted by those of packets, in the middle of a use. */
static void none_uses_what_packets_have(void **state)
{
	assert_true(uses("fl_pod_in", "scratch"));
	assert_true(uses("fl_sock_connect4", "services"));
	for (int hook = 0; hook < NR_DP_HOOKS; hook++)
		if (dp_hook_need(hook) == DP_NEED_SOCKET)
			assert_false(uses(dp_hook_name(hook), "scratch"));
}

static void they_outlive_their_daemon(void **state)
{
	attach_all();
	expect_listed(PROGRAMS);
	assert_int_equal(attached(), PROGRAMS);
	attach_all();
	assert_int_equal(attached(), PROGRAMS);
	dp_close(dp);
	assert_int_equal(attached(), PROGRAMS);
	open_dp();
	expect_listed(PROGRAMS);
}

static void each_is_detached(void **state)
{
	attach_all();
	detach_all();
	expect_listed(0);
	assert_int_equal(attached(), 0);
}

static void cleanup_detaches(void **state)
{
	attach_all();
	dp_close(dp);
	assert_int_equal(dp_cleanup(root, false), 0);
	assert_int_equal(attached(), 0);
	open_dp();
}

/* What is made under its name is another one. */
static void a_cgroup_that_is_made_anew(void **state)
{
	__u32 old;

	attach_all();
	old = id;
	assert_int_equal(rmdir(cgroup), 0);
	assert_int_equal(mkdir(cgroup, 0700), 0);
	attach_all();
	assert_int_not_equal(id, old);
	assert_int_equal(attached(), PROGRAMS);
	/* the kernel takes its time */
	for (int i = 0; i < 1000; i++) {
		if (!dp_is_attached(dp, DP_HOOK_fl_sock_connect4, old))
			return;
		usleep(10000);
	}
	fail_msg("still attached to what is gone");
}

static void what_is_no_cgroup_is_said(void **state)
{
	int err;

	assert_int_equal(dp_cgroup_open(dp, "/tmp", &id), -EINVAL);
	assert_int_equal(dp_cgroup_open(dp, "/nowhere", &id), -ENOENT);
	err = dp_cgroup_open(dp, NULL, &id);
	assert_true(!err || err == -EXDEV);	/* in a container, its part */
}

static bool kept(void *arg, __u64 cookie)
{
	return cookie == *(__u64 *)arg;
}

static bool none(void *arg, __u64 cookie)
{
	fail();
	return false;
}

static bool count(void *arg, __u64 cookie)
{
	++*(unsigned int *)arg;
	return true;
}

static void pods_that_are_gone_go(void **state)
{
	const struct socket_pod pod = {};
	__u64 stays = 7;
	unsigned int left = 0;

	for (__u64 cookie = 1; cookie < 100; cookie++)
		assert_int_equal(dp_socket_pod_set(dp, cookie, &pod), 0);
	dp_socket_pods_sift(dp, kept, &stays);
	dp_socket_pods_sift(dp, count, &left);
	assert_int_equal(left, 1);
	stays = 0;
	dp_socket_pods_sift(dp, kept, &stays);
	dp_socket_pods_sift(dp, none, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(none_uses_what_packets_have),
		CASE(they_outlive_their_daemon),
		CASE(each_is_detached),
		CASE(cleanup_detaches),
		CASE(a_cgroup_that_is_made_anew),
		CASE(what_is_no_cgroup_is_said),
		CASE(pods_that_are_gone_go),
	};

	if (geteuid()) {
		puts("1..0 # SKIP loading programs needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, load, unload);
}
