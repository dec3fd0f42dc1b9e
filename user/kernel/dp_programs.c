// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which programs are the datapath, and the arrays by which those of XDP, and
 * those of tc, call one another. Every load of the programs (a start, an
 * upgrade, larger tables) has arrays of its own. A program array is emptied
 * when its last file descriptor and pin go, so it is pinned with the tables
 * (see dp_pin.c) before a link leads to its programs, and that of the programs
 * before goes when no CPU can run them any more: whenever we are killed, what
 * is attached finds all of its parts.
 */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "dp_private.h"
#include "base/log.h"

enum caller { CALLED_BY_NONE, CALLED_BY_XDP, CALLED_BY_TC };

/* All hooks, though few need some of them: a backend on this host, for one,
 * may come at any time. fl_clock and decapsulation have users of their own. */
static const struct dp_program {
	const char *name;
	enum caller caller;	/* NONE: it is attached */
	__u32 index;		/* in xdp_programs or tc_programs */
	enum dp_need need;
} programs[] = {
#define X(name, kind, rank, need) { #name, CALLED_BY_NONE, 0, DP_NEED_##need },
	DP_HOOKS(X)
#undef X
#define X(name) { "fl_" #name, CALLED_BY_XDP, XDP_PROGRAM_##name, \
		  DP_NEED_ALWAYS },
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
#define X(name) { "fl_" #name, CALLED_BY_TC, TC_PROGRAM_##name, \
		  DP_NEED_ALWAYS },
	FAIRLEAD_TC_PROGRAMS(X)
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
	const int maps[] = {
		[CALLED_BY_XDP] = bpf_map__fd(skel->maps.xdp_programs),
		[CALLED_BY_TC] = bpf_map__fd(skel->maps.tc_programs),
	};
	int fd;

	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		const struct dp_program *p = &programs[i];

		if (p->caller == CALLED_BY_NONE)
			continue;
		fd = bpf_program__fd(program_find(skel, i));
		if (bpf_map_update_elem(maps[p->caller], &p->index, &fd,
					BPF_ANY))
			return log_error(-errno, "cannot link program \"%s\"",
					 programs[i].name);
	}
	return 0;
}

static int program_put(const struct bpf_map *map, __u32 index,
		       const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	return bpf_map_update_elem(bpf_map__fd(map), &index, &fd, BPF_ANY) ?
		       -errno : 0;
}

/* What opens the flows that skel's programs do not know. */
static int open_put(struct fairlead_bpf *skel, const struct bpf_program *xdp,
		    const struct bpf_program *tc)
{
	int err = program_put(skel->maps.xdp_programs, XDP_PROGRAM_xdp_open,
			      xdp);

	return err ? err : program_put(skel->maps.tc_programs,
				       TC_PROGRAM_tc_open, tc);
}

/* What skel's programs do not know of who is policed is asked, and judged, by
 * older's. */
static int police_put(struct fairlead_bpf *skel, struct fairlead_bpf *older)
{
	int err = program_put(skel->maps.tc_programs, TC_PROGRAM_OLDER_POLICE,
			      older->progs.fl_tc_police_flow);

	return err ? err : program_put(skel->maps.tc_programs,
				       TC_PROGRAM_tc_judge,
				       older->progs.fl_tc_judge);
}

int dp_programs_ask(struct fairlead_bpf *skel, struct fairlead_bpf *older)
{
	const struct bpf_program *xdp = older->progs.fl_xdp;
	const struct bpf_program *tc = older->progs.fl_tc_anew;
	int err;

	err = program_put(skel->maps.xdp_programs, XDP_PROGRAM_OLDER, xdp);
	if (!err)
		err = program_put(skel->maps.tc_programs, TC_PROGRAM_OLDER, tc);
	if (!err)
		err = police_put(skel, older);
	return err ? err : open_put(skel, xdp, tc);
}

int dp_programs_ask_nobody(struct fairlead_bpf *skel)
{
	const __u32 xdp = XDP_PROGRAM_OLDER, tc = TC_PROGRAM_OLDER;
	const __u32 police = TC_PROGRAM_OLDER_POLICE;

	bpf_map_delete_elem(bpf_map__fd(skel->maps.xdp_programs), &xdp);
	bpf_map_delete_elem(bpf_map__fd(skel->maps.tc_programs), &tc);
	bpf_map_delete_elem(bpf_map__fd(skel->maps.tc_programs), &police);
	return dp_programs_hand_over(skel, skel);
}

int dp_programs_hand_over(struct fairlead_bpf *older, struct fairlead_bpf *skel)
{
	int err = open_put(older, skel->progs.fl_xdp_open,
			   skel->progs.fl_tc_open);

	return err ? err : program_put(older->maps.tc_programs,
				       TC_PROGRAM_tc_judge,
				       skel->progs.fl_tc_judge);
}
