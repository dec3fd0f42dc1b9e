// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decapsulation on a backend host: one program on one interface, pinned as
 * <root>/decap/<hook>_<ifindex>, with nothing else of the datapath.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "compat.h"
#include "dp_private.h"
#include "log.h"
#include "util.h"

static void skel_freep(struct fairlead_bpf **skel)
{
	fairlead_bpf__destroy(*skel);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void decap_path(const struct dp_decap_opts *opts, const char *leaf,
		       char path[static DP_PATH_MAX])
{
	snprintf(path, DP_PATH_MAX, "%s/decap%s",
		 opts->pin_root ? opts->pin_root : DP_PIN_ROOT, leaf);
}

static void decap_pin(const struct dp_decap_opts *opts,
		      char path[static DP_PATH_MAX])
{
	char leaf[32];

	snprintf(leaf, sizeof(leaf), "/%s_%u",
		 opts->hook == DP_DECAP_XDP ? "xdp" : "tc", opts->ifindex);
	decap_path(opts, leaf, path);
}

/* The one program, loaded. The decap programs use two maps that others
 * fill; libbpf makes them, and they go with the skeleton. */
static int decap_load(const struct dp_decap_opts *opts,
		      struct fairlead_bpf **ret)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = fairlead_bpf__open();
	struct bpf_program *prog, *wanted;
	struct bpf_map *map;
	int err;

	if (!skel)
		return log_error(-errno, "cannot open the BPF object");
	wanted = opts->hook == DP_DECAP_XDP ? skel->progs.fl_decap_xdp :
					      skel->progs.fl_decap_tc;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == wanted);
	bpf_object__for_each_map(map, skel->obj)
		bpf_map__set_autocreate(map, bpf_map__is_internal(map));
	skel->rodata->decap_gue_port = opts->gue_port;
	skel->rodata->decap_geneve_port = opts->geneve_port;
	err = fairlead_bpf__load(skel);
	if (err)
		return log_error(err, "cannot load decapsulation");
	*ret = take_ptr(skel);
	return 0;
}

static int xdp_link(int prog, __u32 ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, native, .flags = XDP_FLAGS_DRV_MODE);
	LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
	int fd = bpf_link_create(prog, ifindex, BPF_XDP, &native);

	if (fd < 0 && errno != EBUSY)
		fd = bpf_link_create(prog, ifindex, BPF_XDP, &generic);
	return fd < 0 ? -errno : fd;
}

#define CLSACT_HANDLE 1
#define CLSACT_PRIORITY 0xf1	/* ours among the filters of clsact */

static int clsact_attach(int prog, __u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	return err && err != -EEXIST ? err : bpf_tc_attach(&hook, &opts);
}

static int clsact_detach(__u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY);

	return bpf_tc_detach(&hook, &opts);
}

/* What clsact holds outlives us by itself: no link, no pin. */
static int decap_hook(const struct dp_decap_opts *opts, int prog)
{
	int fd;

	if (opts->hook == DP_DECAP_XDP)
		return xdp_link(prog, opts->ifindex);
	fd = bpf_link_create(prog, opts->ifindex, COMPAT_TCX_INGRESS, NULL);
	if (fd >= 0)
		return fd;
	return clsact_attach(prog, opts->ifindex) ?: -ENOLINK;
}

int dp_decap_attach(const struct dp_decap_opts *opts)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = NULL;
	__cleanup(close_fd) int fd = -1;
	char dir[DP_PATH_MAX], path[DP_PATH_MAX];
	int err, prog;

	decap_path(opts, "", dir);
	err = dp_bpffs_ensure(dir);
	if (!err)
		err = decap_load(opts, &skel);
	if (err)
		return err;
	prog = bpf_program__fd(opts->hook == DP_DECAP_XDP ?
			       skel->progs.fl_decap_xdp :
			       skel->progs.fl_decap_tc);
	decap_pin(opts, path);
	fd = bpf_obj_get(path);
	if (fd >= 0 && !bpf_link_update(fd, prog, NULL))
		return 0;
	unlink(path);
	close_fd(&fd);
	fd = decap_hook(opts, prog);
	if (fd == -ENOLINK)
		return 0;
	if (fd < 0)
		return log_error(fd, "cannot attach decapsulation to "
				 "interface %u", opts->ifindex);
	if (bpf_obj_pin(fd, path))
		return log_error(-errno, "cannot pin \"%s\"", path);
	return 0;
}

int dp_decap_detach(const struct dp_decap_opts *opts)
{
	char path[DP_PATH_MAX];

	decap_pin(opts, path);
	if (!unlink(path))
		return 0;
	if (errno == ENOENT && opts->hook == DP_DECAP_TC &&
	    !clsact_detach(opts->ifindex))
		return 0;
	return log_error(-ENOENT, "no decapsulation of ours on interface %u",
			 opts->ifindex);
}
