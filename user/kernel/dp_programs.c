// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which programs are the datapath, and the array by which those of XDP call
 * one another. Every load of the programs (a start, an upgrade, larger tables)
 * has an array of its own. A program array is emptied when its last file
 * descriptor and pin go, so it is pinned with the tables (see dp_pin.c) before
 * a link leads to its programs, and that of the programs before goes when no
 * CPU can run them any more: whenever we are killed, what is attached finds
 * all of its parts.
 */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "dp_private.h"
#include "base/log.h"

#define NOT_CALLED (-1)		/* by other programs; attached instead */

/* All hooks, though few need some of them: a backend on this host, for one,
 * may come at any time. fl_clock and decapsulation have users of their own. */
static const struct dp_program {
	const char *name;
	int index;		/* in xdp_programs */
	enum dp_need need;
} programs[] = {
#define X(name, kind, rank, need) { #name, NOT_CALLED, DP_NEED_##need },
	DP_HOOKS(X)
#undef X
#define X(name) { "fl_" #name, XDP_PROGRAM_##name, DP_NEED_ALWAYS },
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
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
		if (programs[i].need == DP_NEED_DECAP)
			continue;
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
