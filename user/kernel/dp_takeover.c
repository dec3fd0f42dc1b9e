// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs that leave to conntrack what it knows (bpf/takeover.bpf.c). They
 * share the maps of the datapath's programs, which find them at a place in the
 * arrays by which all call one another; that place holds them.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "dp_private.h"
#include "takeover.skel.h"

static void takeover_freep(struct takeover_bpf **t)
{
	takeover_bpf__destroy(*t);
}

/* A kernel without conntrack's functions makes libbpf say so at length. */
static void print_restore(libbpf_print_fn_t *print)
{
	libbpf_set_print(*print);
}

static int maps_share(struct takeover_bpf *t, const struct fairlead_bpf *skel)
{
	struct bpf_map *map, *of;
	int err = 0;

	bpf_object__for_each_map(map, t->obj) {
		if (err || bpf_map__is_internal(map))
			continue;
		of = bpf_object__find_map_by_name(skel->obj,
						  bpf_map__name(map));
		if (!of)
			return -ENOENT;
		bpf_map__set_max_entries(map, bpf_map__max_entries(of));
		err = bpf_map__reuse_fd(map, bpf_map__fd(of));
	}
	return err;
}

static int put(const struct bpf_map *places, __u32 place,
	       const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	return bpf_map_update_elem(bpf_map__fd(places), &place, &fd, BPF_ANY) ?
		       -errno : 0;
}

int dp_takeover_put(const struct dp *dp, const struct fairlead_bpf *skel)
{
	libbpf_print_fn_t print __cleanup(print_restore) =
		libbpf_set_print(NULL);
	__cleanup(takeover_freep) struct takeover_bpf *t =
		takeover_bpf__open();
	int err;

	if (!t)
		return -errno;
	memcpy((void *)&t->rodata->cfg, (void *)&skel->rodata->cfg,
	       sizeof(skel->rodata->cfg));
	*(__u32 *)&t->rodata->takeover_until_s = dp->takeover_until_s;
	dp_xdp_prepare(t->progs.fl_xdp_takeover);
	err = maps_share(t, skel) ?: takeover_bpf__load(t);
	if (err)
		return err;
	return put(skel->maps.xdp_programs, XDP_PROGRAM_TAKEOVER,
		   t->progs.fl_xdp_takeover) ?:
	       put(skel->maps.tc_programs, TC_PROGRAM_TAKEOVER,
		   t->progs.fl_tc_takeover);
}

int dp_takeover_begin(struct dp *dp, __u32 seconds)
{
	int err;

	dp->takeover_until_s = dp_now_s() + seconds;
	err = dp_takeover_put(dp, dp->skel);
	if (err)
		dp->takeover_until_s = 0;
	return err;
}

void dp_takeover_end(struct dp *dp)
{
	const __u32 xdp = XDP_PROGRAM_TAKEOVER, tc = TC_PROGRAM_TAKEOVER;

	dp->takeover_until_s = 0;
	bpf_map_delete_elem(bpf_map__fd(dp->skel->maps.xdp_programs), &xdp);
	bpf_map_delete_elem(bpf_map__fd(dp->skel->maps.tc_programs), &tc);
}

__u32 dp_takeover_left(const struct dp *dp)
{
	__s32 left = dp->takeover_until_s - dp_now_s();

	return dp->takeover_until_s && left > 0 ? left : 0;
}
