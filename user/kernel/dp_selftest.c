// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What needs libbpf of `fairlead selftest`, see dp_selftest.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "dp_private.h"
#include "dp_selftest.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* What the verifier has to say of a program of ours fits by far: it says all
 * of it only of what it rejects. */
#define LOG_BYTES (16 << 20)

static void skel_freep(struct fairlead_bpf **skel)
{
	fairlead_bpf__destroy(*skel);
}

static int say_nothing(enum libbpf_print_level level, const char *fmt,
		       va_list args)
{
	return 0;
}

void dp_selftest_quiet(void)
{
	libbpf_set_print(say_nothing);
}

static bool is_statistics(const char *line)
{
	return !strncmp(line, "processed ", 10) ||
	       !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12);
}

void dp_selftest_last_line(const char *log,
			   char ret[static DP_SELFTEST_WHY_MAX])
{
	*ret = '\0';
	while (*log) {
		size_t len = strcspn(log, "\n");

		if (len && !is_statistics(log))
			snprintf(ret, DP_SELFTEST_WHY_MAX, "%.*s", (int)len,
				 log);
		log += len + !!log[len];
	}
}

/* That program, and those whose names go on from its name, which it calls; no
 * other. Their log, if one does not load, is in log. */
static bool choose(struct fairlead_bpf *skel, const char *name, char *log)
{
	struct bpf_program *prog;
	bool found = false;

	bpf_object__for_each_program(prog, skel->obj) {
		bool is_it = !strncmp(bpf_program__name(prog), name,
				      strlen(name));

		bpf_program__set_autoload(prog, is_it);
		bpf_program__set_log_buf(prog, log, LOG_BYTES);
		found |= is_it;
	}
	return found;
}

int dp_selftest_load(const char *program, unsigned int *ret_ms,
		     char why[static DP_SELFTEST_WHY_MAX])
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = fairlead_bpf__open();
	__cleanup(free_text) char *log = calloc(1, LOG_BYTES);
	__u64 start = clock_ms();
	int err;

	*why = '\0';
	if (!skel || !log || !choose(skel, program, log))
		return -ENOMEM;
	err = fairlead_bpf__load(skel);
	*ret_ms = clock_ms() - start;
	if (err)
		dp_selftest_last_line(log, why);
	return err;
}

/* XDP_PASS, and nothing else. */
static int program_that_passes(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "fl_probe", "GPL", insns, 2,
			       NULL);

	return fd < 0 ? -errno : fd;
}

int dp_selftest_jit(void)
{
	__cleanup(close_fd) int fd = program_that_passes();
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return info.jited_prog_len > 0;
}

/* Before 5.11 a map counted as locked memory; since, as the cgroup's. */
int dp_selftest_memlock(void)
{
	__cleanup(close_fd) int fd = -1;
	struct rlimit old, none;
	int err = 0;

	if (getrlimit(RLIMIT_MEMLOCK, &old))
		return -errno;
	none = (struct rlimit){ 0, old.rlim_max };
	if (setrlimit(RLIMIT_MEMLOCK, &none))
		return -errno;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fl_probe", 4, 4096, 16, NULL);
	if (fd < 0)
		err = -errno;
	return setrlimit(RLIMIT_MEMLOCK, &old) ? -errno : err;
}

int dp_selftest_attach(const struct dp *dp, __u32 ifindex,
		       enum dp_mechanism mechanism)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mechanism == DP_XDP_NATIVE ? XDP_FLAGS_DRV_MODE :
							  XDP_FLAGS_SKB_MODE);
	int fd = bpf_link_create(bpf_program__fd(dp->skel->progs.fl_xdp),
				 ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

__u32 dp_selftest_holder(__u32 ifindex, char name[static 16])
{
	__cleanup(close_fd) int fd = -1;
	struct bpf_prog_info info = {};
	__u32 id = 0, len = sizeof(info);

	if (bpf_xdp_query_id(ifindex, 0, &id) || !id)
		return 0;
	strcpy(name, "?");
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(name, 16, "%s", info.name);
	return id;
}
