// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decapsulation on a backend host: one program on one interface, pinned in
 * <root>/decap, with nothing else of the datapath.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_private.h"
#include "dp_rights.h"
#include "base/log.h"
#include "base/cleanup.h"

static void skel_freep(struct fairlead_bpf **skel)
{
	fairlead_bpf__destroy(*skel);
}

static void decap_dir(const struct dp_decap_opts *opts,
		      char dir[static DP_PATH_MAX])
{
	snprintf(dir, DP_PATH_MAX, "%s/decap",
		 opts->pin_root ? opts->pin_root : DP_PIN_ROOT);
}

static enum dp_hook decap_hook(const struct dp_decap_opts *opts)
{
	return opts->hook == DP_DECAP_TC ? DP_HOOK_fl_decap_tc :
					   DP_HOOK_fl_decap_xdp;
}

static void decap_point(const struct dp_decap_opts *opts, struct dp_point *ret)
{
	char dir[DP_PATH_MAX];

	decap_dir(opts, dir);
	dp_point_at(dir, decap_hook(opts), opts->ifindex, ret);
}

static struct bpf_program *decap_program(const struct dp_decap_opts *opts,
					 struct fairlead_bpf *skel)
{
	return bpf_object__find_program_by_name(skel->obj,
						dp_hook_name(decap_hook(opts)));
}

/* Before it sees a packet: it opens only what is for one of these. */
static int decap_set_addrs(const struct dp_decap_opts *opts, int map)
{
	const __u8 yes = 1;

	for (size_t i = 0; i < opts->nr_addrs; i++)
		if (bpf_map_update_elem(map, &opts->addrs[i], &yes, BPF_ANY))
			return -errno;
	return 0;
}

/* The one program, loaded; its maps go with it. */
static int decap_load(const struct dp_decap_opts *opts,
		      struct fairlead_bpf **ret)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = fairlead_bpf__open();
	struct bpf_program *prog;
	struct bpf_map *map;
	int err = dp_rights_check("cannot load decapsulation");

	if (err)
		return err;
	if (!skel)
		return log_error(-errno, "cannot open the BPF object");
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog ==
					  decap_program(opts, skel));
	dp_xdp_prepare(skel->progs.fl_decap_xdp);
	bpf_object__for_each_map(map, skel->obj)
		bpf_map__set_autocreate(map, bpf_map__is_internal(map) ||
					map == skel->maps.decap_addrs);
	skel->rodata->decap_gue_port = opts->gue_port;
	skel->rodata->decap_geneve_port = opts->geneve_port;
	err = fairlead_bpf__load(skel);
	if (err)
		return log_error(err, "cannot load decapsulation");
	err = decap_set_addrs(opts, bpf_map__fd(skel->maps.decap_addrs));
	if (err)
		return log_error(err, "cannot tell decapsulation its %zu "
				 "addresses (%d at most)", opts->nr_addrs,
				 DECAP_ADDRS_MAX);
	*ret = take_ptr(skel);
	return 0;
}

int dp_decap_program(const struct dp_decap_opts *opts)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = NULL;
	int err = decap_load(opts, &skel);

	if (err)
		return err;
	err = fcntl(bpf_program__fd(decap_program(opts, skel)),
		    F_DUPFD_CLOEXEC, 0);
	return err < 0 ? -errno : err;
}

int dp_decap_attach(const struct dp_decap_opts *opts)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = NULL;
	struct dp_point at;
	char dir[DP_PATH_MAX];
	int err;

	decap_dir(opts, dir);
	err = dp_bpffs_ensure(dir);
	if (!err)
		err = decap_load(opts, &skel);
	if (err)
		return err;
	decap_point(opts, &at);
	err = at.hook->kind->attach(&at,
				    bpf_program__fd(decap_program(opts, skel)));
	return err ? log_error(err, "cannot attach decapsulation to interface "
			       "%u", opts->ifindex) : 0;
}

int dp_decap_detach(const struct dp_decap_opts *opts)
{
	struct dp_point at;
	int err;

	decap_point(opts, &at);
	err = at.hook->kind->detach(&at);
	if (err == -ENOENT)
		return log_error(err, "no decapsulation of ours on interface "
				 "%u", opts->ifindex);
	return err ? log_error(err, "cannot detach decapsulation from "
			       "interface %u", opts->ifindex) : 0;
}
