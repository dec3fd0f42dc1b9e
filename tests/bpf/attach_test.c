// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fl_uplink_out on an interface: by tcx, and by clsact where tcx takes no
 * more; what a new daemon, larger tables and cleanup make of either.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "kernel/compat.h"
#include "kernel/dp.h"

#define LO 1
#define TCX_MAX 64		/* programs at one place: BPF_MPROG_MAX */
#define HANDLE 1
#define PRIORITY 0xf1

static char root[64];
static struct dp *dp;
static int crowd[TCX_MAX];	/* links */
static int nobody = -1;		/* a program */

static void open_dp(void)
{
	struct dp_opts opts = {
		.pin_root = root,
		.sizes = { .services = 64, .backends = 64, .slots = 1 << 10,
			   .cell_buckets = 64, .conn_buckets = 64 },
	};

	assert_int_equal(dp_open(&opts, &dp), 0);
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/sys/fs/bpf/fl-attach-test-%d", getpid());
	memset(crowd, -1, sizeof(crowd));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	open_dp();
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < TCX_MAX; i++)
		if (crowd[i] >= 0)
			close(crowd[i]);
	if (nobody >= 0)
		close(nobody);
	memset(crowd, -1, sizeof(crowd));
	nobody = -1;
	dp_close(dp);
	return dp_cleanup(root, false);
}

/* Passes everything. */
static int program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nobody", "GPL", insns,
			     2, NULL);
}

/* As on a kernel without tcx: it takes no more. (Nor a program twice.) */
static void crowd_tcx(void)
{
	int fd;

	nobody = program();
	assert_true(nobody >= 0);
	for (int i = 0; i < TCX_MAX; i++) {
		fd = program();
		crowd[i] = bpf_link_create(fd, LO, COMPAT_TCX_EGRESS, NULL);
		close(fd);
	}
}

static void expect_attached(enum dp_mechanism mechanism)
{
	struct dp_attachment list[4];

	assert_int_equal(dp_attachments(dp, list, 4), 1);
	assert_int_equal(list[0].ifindex, LO);
	assert_int_equal(list[0].hook, DP_HOOK_fl_uplink_out);
	assert_int_equal(list[0].mechanism, mechanism);
}

static void expect_nothing(void)
{
	struct dp_attachment list[4];

	assert_int_equal(dp_attachments(dp, list, 4), 0);
}

/* The id of the program in our filter; 0: there is none. */
static __u32 filter(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE,
		    .priority = PRIORITY);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

/* The id of the program that dp has now. */
static __u32 ours(void)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(
		dp_program_fd(dp, "fl_uplink_out"), &info, &len), 0);
	return info.id;
}

static void tcx_is_taken_if_the_kernel_has_it(void **state)
{
	int probe = program();
	int link = bpf_link_create(probe, LO, COMPAT_TCX_EGRESS, NULL);

	close(probe);
	if (link < 0)
		skip();
	close(link);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	expect_attached(DP_TCX);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	dp_close(dp);
	open_dp();
	expect_attached(DP_TCX);
	assert_int_equal(filter(), 0);
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	expect_nothing();
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_uplink_out, LO), 0);
}

static void else_clsact(void **state)
{
	crowd_tcx();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	expect_attached(DP_CLSACT);
	assert_int_equal(filter(), ours());
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	assert_int_equal(filter(), ours());
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	expect_nothing();
	assert_int_equal(filter(), 0);
}

/* Whether this process may do what takes CAP_SYS_ADMIN; it may change back. */
static void sys_admin_set(int is_on)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].effective |= is_on << CAP_SYS_ADMIN;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* Who may not ask for a program by its number knows his own all the same. */
static void a_filter_is_known_without_sys_admin(void **state)
{
	__u32 before;

	crowd_tcx();
	sys_admin_set(0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	expect_attached(DP_CLSACT);
	dp_close(dp);
	open_dp();
	expect_attached(DP_CLSACT);
	before = ours();
	assert_int_equal(filter(), before);
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	sys_admin_set(1);
	assert_int_equal(filter(), 0);
}

static void a_filter_outlives_its_daemon_and_is_replaced(void **state)
{
	struct table_sizes larger = {
		.services = 128,
		.backends = 128,
		.slots = 1 << 11,
		.cell_buckets = 128,
		.conn_buckets = 64,
	};
	__u32 before;

	crowd_tcx();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	before = ours();
	dp_close(dp);
	assert_int_equal(filter(), before);
	open_dp();
	assert_int_not_equal(ours(), before);
	assert_int_equal(filter(), ours());
	before = ours();
	assert_int_equal(dp_grow(dp, &larger), 0);
	assert_int_equal(filter(), before);
	assert_int_equal(dp_switch(dp), 0);
	assert_int_not_equal(ours(), before);
	assert_int_equal(filter(), ours());
	expect_attached(DP_CLSACT);
}

static void cleanup_removes_filters(void **state)
{
	crowd_tcx();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	dp_close(dp);
	dp = NULL;
	assert_int_equal(dp_cleanup(root, false), 0);
	assert_int_equal(filter(), 0);
}

/* Whoever put it there knows why. */
static void the_filter_of_another_stays(void **state)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE,
		    .priority = PRIORITY, .flags = BPF_TC_F_REPLACE);

	crowd_tcx();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	opts.prog_fd = nobody;
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	expect_nothing();
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_uplink_out, LO), 0);
	assert_int_not_equal(filter(), 0);
}

#define WITH_DP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DP(tcx_is_taken_if_the_kernel_has_it),
		WITH_DP(else_clsact),
		WITH_DP(a_filter_is_known_without_sys_admin),
		WITH_DP(a_filter_outlives_its_daemon_and_is_replaced),
		WITH_DP(cleanup_removes_filters),
		WITH_DP(the_filter_of_another_stays),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
