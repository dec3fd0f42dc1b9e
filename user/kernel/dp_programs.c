// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which programs are the datapath, and the array by which those of XDP call
 * one another. Every load of the programs (a start, an upgrade, larger tables)
 * has an array of its own. A program array is emptied when its last file
 * descriptor and pin go, so it is pinned before a link leads to its programs,
 * and that of the programs before goes when no CPU can run them any more:
 * whenever we are killed, what is attached finds all of its parts.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "dp_private.h"
#include "base/cleanup.h"
#include "base/log.h"

/* Pins: this, and the id of the array. */
#define ARRAY_PREFIX "xdp_programs_"

#define NOT_CALLED (-1)		/* by other programs; attached instead */

/* fl_uplink_out too, though few need it: a backend on this host may come at
 * any time. fl_clock and decapsulation have users of their own. */
static const struct dp_program {
	const char *name;
	int index;		/* in xdp_programs */
} programs[] = {
	{ "fl_xdp", NOT_CALLED },
#define X(name) { "fl_" #name, XDP_PROGRAM_##name },
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
	{ "fl_uplink_out", NOT_CALLED },
};

#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static struct bpf_program *program_find(const struct fairlead_bpf *skel,
					size_t i)
{
	return bpf_object__find_program_by_name(skel->obj, programs[i].name);
}

void dp_programs_choose(struct fairlead_bpf *skel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		prog = program_find(skel, i);
		bpf_program__set_autoload(prog, true);
		if (bpf_program__type(prog) == BPF_PROG_TYPE_XDP)
			dp_xdp_prepare(prog);
	}
}

int dp_programs_fill(struct fairlead_bpf *skel)
{
	int map = bpf_map__fd(skel->maps.xdp_programs), fd;

	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		__u32 index = programs[i].index;

		if (programs[i].index == NOT_CALLED)
			continue;
		fd = bpf_program__fd(program_find(skel, i));
		if (bpf_map_update_elem(map, &index, &fd, BPF_ANY))
			return log_error(-errno, "cannot link program \"%s\"",
					 programs[i].name);
	}
	return 0;
}

static int array_id(const struct dp *dp, __u32 *ret)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_map__fd(dp->skel->maps.xdp_programs),
				   &info, &len))
		return -errno;
	*ret = info.id;
	return 0;
}

static void array_name(__u32 id, char name[static 32])
{
	snprintf(name, 32, ARRAY_PREFIX "%u", id);
}

int dp_programs_pin(const struct dp *dp)
{
	char path[DP_PATH_MAX], name[32];
	__u32 id;
	int err = array_id(dp, &id);

	array_name(id, name);
	snprintf(path, sizeof(path), "%s/%s", dp->dir, name);
	if (!err)
		err = dp_pin_over(bpf_map__fd(dp->skel->maps.xdp_programs),
				  path);
	return err ? log_error(err, "cannot pin \"%s\"", path) : 0;
}

static void free_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A program that a link does not lead to any more may still be at work on
 * another CPU: wait for a grace period of RCU. A kernel without the system
 * call lets it finish in the time that the next lines take, most probably. */
static void wait_for_all_cpus(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

int dp_programs_forget_others(const struct dp *dp)
{
	__cleanup(free_dir) DIR *dir = opendir(dp->dir);
	char path[DP_PATH_MAX + 256], ours[32];
	struct dirent *entry;
	__u32 id;
	int err = array_id(dp, &id);

	if (err || !dir)
		return err;
	array_name(id, ours);
	wait_for_all_cpus();
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, ARRAY_PREFIX,
			    strlen(ARRAY_PREFIX)) ||
		    !strcmp(entry->d_name, ours))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dp->dir, entry->d_name);
		if (unlink(path))
			return log_error(-errno, "cannot remove \"%s\"", path);
	}
	return 0;
}
