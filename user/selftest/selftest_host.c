// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of `selftest` that need no network: rights, bpffs, programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/vfs.h>

#include <linux/capability.h>
#include <linux/magic.h>

#include "kernel/dp_selftest.h"
#include "selftest.h"

#define PIN_ROOT "/sys/fs/bpf/selftest"

static __u64 capabilities_effective(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (__u64)data[1].effective << 32;
}

void selftest_privileges(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);

	row->weight = SELFTEST_NEEDED;
	if (selftest_capabilities(capabilities_effective(), row->text))
		row->result = SELFTEST_NO;
}

/* Pins of this test go to a bpffs of its own: the machine's is not touched,
 * and they are gone with us. */
void selftest_bpffs(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);
	struct statfs fs;
	bool is_mounted = !statfs("/sys/fs/bpf", &fs) &&
			  fs.f_type == BPF_FS_MAGIC;
	int err = selftest_net_mount();

	row->weight = SELFTEST_NEEDED;
	if (!err)
		t->pin_root = PIN_ROOT;
	if (is_mounted)
		strcpy(row->mode, "mounted");
	else if (err)
		selftest_say(row, SELFTEST_NO, "not mounted on /sys/fs/bpf, "
			     "and cannot be: %s", strerror(-err));
	else
		selftest_say(row, SELFTEST_OK, "not mounted on /sys/fs/bpf "
			     "yet: Fairlead mounts it");
}

void selftest_btf(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		selftest_say(row, SELFTEST_NOT_NEEDED, "the kernel does not "
			     "describe its types, which freplace alone needs");
}

void selftest_jit(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);
	int on = dp_selftest_jit();

	if (on < 0)
		selftest_say(row, SELFTEST_NO, "cannot be told: no program can "
			     "be loaded: %s", strerror(-on));
	else if (!on)
		selftest_say(row, SELFTEST_NO, "programs are interpreted, "
			     "which costs each packet several times as much; "
			     "\"sysctl net.core.bpf_jit_enable=1\" changes it");
	else
		strcpy(row->mode, "on");
}

void selftest_memlock(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);
	int err = dp_selftest_memlock();

	if (!err)
		selftest_say(row, SELFTEST_NOT_NEEDED, "maps count as memory "
			     "of the cgroup, not as locked memory");
	else
		selftest_say(row, SELFTEST_NO, "maps count as locked memory "
			     "(%s): raise the limit, \"ulimit -l\"",
			     strerror(-err));
}

static void program_check(struct selftest *t, const char *program)
{
	struct selftest_row *row = selftest_add(t, program);
	char why[DP_SELFTEST_WHY_MAX];
	unsigned int ms = 0;
	int err = dp_selftest_load(program, &ms, why);

	if (err)
		selftest_say(row, SELFTEST_NO, "does not load: %s",
			     *why ? why : strerror(-err));
	else
		selftest_say(row, SELFTEST_OK, "loaded in %u ms", ms);
}

void selftest_programs(struct selftest *t, const char *name)
{
	static const struct {
		const char *program, *otherwise;
	} programs[] = {
		{ "fl_xdp", NULL },
		{ "fl_uplink_out", NULL },
		{ "fl_sock", NULL },
		{ "fl_decap_xdp", "backend hosts decapsulate on tc" },
		{ "fl_decap_tc", "backend hosts decapsulate on XDP" },
	};
	struct selftest_row *row;

	t->does_load = true;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		program_check(t, programs[i].program);
		row = &t->rows[t->nr_rows - 1];
		if (programs[i].otherwise)
			continue;
		row->weight = SELFTEST_NEEDED;
		if (row->result != SELFTEST_OK)
			t->does_load = false;
	}
}

/* Where the other way is as good, nothing is lost. */
static bool is_equal(const struct dp_feature *feature)
{
	return !strcmp(feature->name, "tcx");
}

void selftest_features(struct selftest *t, const char *name)
{
	struct dp_feature list[DP_FEATURES_MAX];
	int count = dp_features(list);

	for (int i = 0; i < count; i++) {
		struct selftest_row *row = selftest_add(t, list[i].name);

		if (!list[i].has)
			selftest_say(row, is_equal(&list[i]) ?
				     SELFTEST_NOT_NEEDED : SELFTEST_NO, "%s",
				     list[i].otherwise);
	}
}
