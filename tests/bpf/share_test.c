// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * XDP on an interface that others use as well: through libxdp's dispatcher,
 * beside a neighbour; alone, by a link, on a kernel that cannot have it. What
 * the interface really runs is put to the test.
 */
#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <xdp/libxdp.h>

#include "kernel/dp.h"
#include "entry.skel.h"

#define LO 1
#define VETH 7766		/* no other namespace has that index */

static char root[64];
static struct dp *dp;
static struct {			/* passes or drops everything */
	struct entry_bpf *skel;
	struct xdp_program *program;
} neighbour;

static void open_dp(void)
{
	struct dp_opts opts = {
		.pin_root = root,
		.sizes = { .services = 64, .backends = 64, .slots = 1 << 10,
			   .cell_buckets = 64, .conn_buckets = 64 },
	};

	assert_int_equal(dp_open(&opts, &dp), 0);
}

static void reopen_dp(void)
{
	dp_close(dp);
	dp = NULL;
	open_dp();
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/sys/fs/bpf/fl-share-test-%d", getpid());
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	open_dp();
	return 0;
}

static struct xdp_multiprog *everybody(int ifindex)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);

	return libxdp_get_error(all) ? NULL : all;
}

static void neighbour_forget(void)
{
	xdp_program__close(neighbour.program);
	entry_bpf__destroy(neighbour.skel);
	memset(&neighbour, 0, sizeof(neighbour));
}

/* What is left on lo goes, for libxdp's pins outlive the namespace. */
static int teardown(void **state)
{
	struct xdp_multiprog *all;

	dp_close(dp);
	dp = NULL;
	assert_int_equal(dp_cleanup(root, false), 0);
	all = everybody(LO);
	if (all)
		xdp_multiprog__detach(all);
	xdp_multiprog__close(all);
	neighbour_forget();
	return 0;
}

static int typed_program(int verdict, enum bpf_attach_type type)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "verdict", "GPL", insns, 2,
			       &opts);

	assert_true(fd >= 0);
	return fd;
}

static int verdict_program(int verdict)
{
	return typed_program(verdict, 0);
}

static void neighbour_says(int verdict)
{
	int program = verdict_program(verdict);
	const __u32 first = 0;

	assert_int_equal(bpf_map_update_elem(
		bpf_map__fd(neighbour.skel->maps.program), &first, &program,
		BPF_ANY), 0);
	close(program);
}

/* A program like ours, which is not ours. False: it is there, but alone, as
 * this kernel has no dispatcher. Skips where it cannot come at all: since 6.13
 * what changes packets may not take the place of what does not, and the
 * dispatcher of an older libxdp does not. */
static bool neighbour_comes(unsigned int priority)
{
	struct xdp_multiprog *all;
	bool is_shared;

	neighbour.skel = entry_bpf__open();
	assert_non_null(neighbour.skel);
	neighbour.program = xdp_program__from_bpf_obj(neighbour.skel->obj,
						      "xdp");
	assert_int_equal(libxdp_get_error(neighbour.program), 0);
	xdp_program__set_run_prio(neighbour.program, priority);
	if (xdp_program__attach(neighbour.program, LO, XDP_MODE_SKB, 0)) {
		neighbour_forget();
		skip();
	}
	all = everybody(LO);
	is_shared = !xdp_multiprog__is_legacy(all);
	xdp_multiprog__close(all);
	return is_shared;
}

static void neighbour_goes(void)
{
	assert_int_equal(xdp_program__detach(neighbour.program, LO,
					     XDP_MODE_SKB, 0), 0);
	neighbour_forget();
}

static void need_dispatcher(void)
{
	bool is_shared = neighbour_comes(50);

	neighbour_goes();
	if (!is_shared)
		skip();
}

static __u64 counted(void)
{
	struct counter counters[NR_REASONS];

	assert_int_equal(dp_counters(dp, counters), 0);
	return counters[REASON_NOT_IP].packets;
}

/* A frame of no service's through all that an interface runs. */
static int run(int ifindex)
{
	__u8 frame[64] = { [12] = 0x88, 0xb5 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = 1);
	__u32 id = 0;
	int fd;

	assert_int_equal(bpf_xdp_query_id(ifindex, 0, &id), 0);
	if (!id)
		return XDP_PASS;
	fd = bpf_prog_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
	return opts.retval;
}

static void expect_counted(int ifindex, int verdict)
{
	__u64 before = counted();

	assert_int_equal(run(ifindex), verdict);
	assert_int_equal(counted(), before + 1);
}

static void expect_not_counted(int ifindex, int verdict)
{
	__u64 before = counted();

	assert_int_equal(run(ifindex), verdict);
	assert_int_equal(counted(), before);
}

static void expect_attached(__u32 ifindex, enum dp_mechanism mechanism)
{
	struct dp_attachment list[4];

	assert_int_equal(dp_attachments(dp, list, 4), 1);
	assert_int_equal(list[0].ifindex, ifindex);
	assert_int_equal(list[0].hook, DP_HOOK_fl_xdp);
	assert_int_equal(list[0].mechanism, mechanism);
}

static void expect_nothing(void)
{
	struct dp_attachment list[4];

	assert_int_equal(dp_attachments(dp, list, 4), 0);
}

static int count_files(const char *pattern)
{
	glob_t found;
	int count = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;

	globfree(&found);
	return count;
}

/* A link goes a little later than its last pin. */
static void wait_until_free(int ifindex)
{
	__u32 id = 1;

	for (int i = 0; i < 5000 && id; i++) {
		usleep(1000);
		assert_int_equal(bpf_xdp_query_id(ifindex, 0, &id), 0);
	}
	assert_int_equal(id, 0);
}

static void the_dispatcher_is_taken_if_the_kernel_has_it(void **state)
{
	bool is_shared = neighbour_comes(50);

	neighbour_goes();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_attached(LO, is_shared ? DP_XDP_DISPATCHER_GENERIC :
					DP_XDP_GENERIC);
	expect_counted(LO, XDP_PASS);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_nothing();
	wait_until_free(LO);
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_xdp, LO), 0);
}

static void what_is_passed_reaches_who_was_there_before(void **state)
{
	need_dispatcher();
	neighbour_comes(70);
	neighbour_says(XDP_DROP);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_DROP);
	neighbour_says(XDP_PASS);
	expect_counted(LO, XDP_PASS);
	neighbour_says(XDP_DROP);
	assert_int_equal(dp_detach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_nothing();
	expect_not_counted(LO, XDP_DROP);
}

static void what_another_drops_first_does_not_reach_us(void **state)
{
	need_dispatcher();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	neighbour_comes(10);
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_PASS);
	neighbour_says(XDP_DROP);
	expect_not_counted(LO, XDP_DROP);
	neighbour_goes();
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_PASS);
}

static void replacing_the_program_leaves_the_dispatcher_alone(void **state)
{
	struct table_sizes larger = {
		.services = 128,
		.backends = 128,
		.slots = 1 << 11,
		.cell_buckets = 128,
		.conn_buckets = 64,
	};
	__u32 before = 0, after = 0;

	need_dispatcher();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	neighbour_comes(70);
	neighbour_says(XDP_DROP);
	assert_int_equal(bpf_xdp_query_id(LO, 0, &before), 0);
	reopen_dp();
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_DROP);
	assert_int_equal(dp_grow(dp, &larger), 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	assert_int_equal(dp_switch(dp), 0);
	expect_counted(LO, XDP_DROP);
	assert_int_equal(bpf_xdp_query_id(LO, 0, &after), 0);
	assert_int_equal(before, after);
}

/* Whose number is in the array behind our component; 0: none's. */
static __u32 program_in_entry(int ifindex)
{
	const __u32 first = 0;
	char path[128];
	__u32 id = 0;
	int map;

	snprintf(path, sizeof(path), "%s/%d/fl_xdp_entry_%d", root, FAIRLEAD_ABI,
		 ifindex);
	map = bpf_obj_get(path);
	if (map < 0)
		return 0;
	bpf_map_lookup_elem(map, &first, &id);
	close(map);
	return id;
}

static __u32 our_program(void)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(dp_program_fd(dp, "fl_xdp"),
						&info, &len), 0);
	return info.id;
}

static void larger_tables_wait_for_the_switch(void **state)
{
	struct table_sizes larger = {
		.services = 128,
		.backends = 128,
		.slots = 1 << 11,
		.cell_buckets = 128,
		.conn_buckets = 64,
	};
	__u32 before;

	need_dispatcher();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	before = our_program();
	assert_int_equal(program_in_entry(LO), before);
	assert_int_equal(dp_grow(dp, &larger), 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	assert_int_equal(program_in_entry(LO), before);
	assert_int_equal(dp_switch(dp), 0);
	assert_int_not_equal(our_program(), before);
	assert_int_equal(program_in_entry(LO), our_program());
}

static void cleanup_leaves_the_others(void **state)
{
	need_dispatcher();
	neighbour_comes(70);
	neighbour_says(XDP_DROP);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	dp_close(dp);
	assert_int_equal(dp_cleanup(root, false), 0);
	open_dp();
	expect_not_counted(LO, XDP_DROP);
	expect_nothing();
}

static void who_was_thrown_out_comes_back(void **state)
{
	struct xdp_multiprog *all;

	need_dispatcher();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	all = everybody(LO);
	assert_int_equal(xdp_multiprog__detach(all), 0);
	xdp_multiprog__close(all);
	expect_nothing();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_PASS);
}

/* A generic link whose program drops all, pinned as ours. */
static void pin_link(enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = 1 << 1);
	int program = typed_program(XDP_DROP, type);
	int link = bpf_link_create(program, LO, BPF_XDP, &opts);
	char path[128];

	assert_true(link >= 0);
	snprintf(path, sizeof(path), "%s/%d/fl_xdp_link_1", root, FAIRLEAD_ABI);
	assert_int_equal(bpf_obj_pin(link, path), 0);
	close(link);
	close(program);
}

/* Of a time when nothing better could be had. */
static void a_link_that_is_pinned_stays(void **state)
{
	pin_link(0);
	assert_int_equal(run(LO), XDP_DROP);
	reopen_dp();
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	expect_attached(LO, DP_XDP_GENERIC);
	expect_counted(LO, XDP_PASS);
}

static void a_link_that_takes_no_program_of_ours_is_renewed(void **state)
{
	bool is_shared = neighbour_comes(50);

	neighbour_goes();
	pin_link(BPF_XDP);
	assert_int_equal(run(LO), XDP_DROP);
	reopen_dp();
	expect_attached(LO, is_shared ? DP_XDP_DISPATCHER_GENERIC :
					DP_XDP_GENERIC);
	expect_counted(LO, XDP_PASS);
}

static void a_program_without_a_dispatcher_keeps_the_interface(void **state)
{
	int program = verdict_program(XDP_DROP);
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = 1 << 1);
	int link = bpf_link_create(program, LO, BPF_XDP, &opts);

	assert_true(link >= 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), -EBUSY);
	expect_nothing();
	assert_int_equal(run(LO), XDP_DROP);
	close(link);
	assert_int_equal(bpf_xdp_attach(LO, program, 1 << 1, NULL), 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), -EBUSY);
	expect_nothing();
	assert_int_equal(run(LO), XDP_DROP);
	close(program);
}

static void an_interface_that_is_gone_leaves_nothing(void **state)
{
	bool is_shared = neighbour_comes(50);
	char pins[128];

	neighbour_goes();
	snprintf(pins, sizeof(pins), "%s/%d/*_%d", root, FAIRLEAD_ABI, VETH);
	assert_int_equal(system("ip link add fl0 index 7766 type veth peer fl1"),
			 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, VETH), 0);
	expect_attached(VETH, is_shared ? DP_XDP_DISPATCHER : DP_XDP_NATIVE);
	expect_counted(VETH, XDP_PASS);
	assert_int_equal(count_files("/sys/fs/bpf/xdp/dispatch-7766-*"),
			 is_shared);
	assert_int_equal(count_files(pins), 1);

	assert_int_equal(system("ip link del fl0"), 0);
	expect_nothing();
	reopen_dp();
	assert_int_equal(count_files("/sys/fs/bpf/xdp/dispatch-7766-*"), 0);
	assert_int_equal(count_files(pins), 0);
}

static void decapsulation_shares_it_too(void **state)
{
	struct dp_decap_opts decap = { .ifindex = LO, .gue_port = 6080,
				       .geneve_port = 6081, .pin_root = root };
	struct xdp_multiprog *all;

	need_dispatcher();
	assert_int_equal(dp_decap_attach(&decap), 0);
	assert_int_equal(dp_attach(dp, DP_HOOK_fl_xdp, LO), 0);
	assert_int_equal(dp_decap_attach(&decap), 0);
	all = everybody(LO);
	assert_int_equal(xdp_multiprog__program_count(all), 2);
	xdp_multiprog__close(all);
	expect_counted(LO, XDP_PASS);
	assert_int_equal(dp_decap_detach(&decap), 0);
	assert_int_equal(dp_decap_detach(&decap), -ENOENT);
	expect_attached(LO, DP_XDP_DISPATCHER_GENERIC);
	expect_counted(LO, XDP_PASS);
}

#define WITH_DP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DP(the_dispatcher_is_taken_if_the_kernel_has_it),
		WITH_DP(what_is_passed_reaches_who_was_there_before),
		WITH_DP(what_another_drops_first_does_not_reach_us),
		WITH_DP(replacing_the_program_leaves_the_dispatcher_alone),
		WITH_DP(larger_tables_wait_for_the_switch),
		WITH_DP(cleanup_leaves_the_others),
		WITH_DP(who_was_thrown_out_comes_back),
		WITH_DP(a_link_that_is_pinned_stays),
		WITH_DP(a_link_that_takes_no_program_of_ours_is_renewed),
		WITH_DP(a_program_without_a_dispatcher_keeps_the_interface),
		WITH_DP(an_interface_that_is_gone_leaves_nothing),
		WITH_DP(decapsulation_shares_it_too),
	};

	libbpf_set_print(NULL);
	libxdp_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
