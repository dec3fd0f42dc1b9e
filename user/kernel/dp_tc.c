// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs of tc on interfaces: by a tcx link, which is pinned; on a kernel
 * without, as a filter of clsact. A filter lives by itself, so its program is
 * pinned in its place: what is ours can be told, replaced and removed.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "compat.h"
#include "dp_private.h"
#include "base/cleanup.h"

#define CLSACT_HANDLE 1

static struct bpf_tc_hook clsact_hook(const struct dp_point *at)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = at->ifindex,
		.attach_point = at->hook->point == COMPAT_TCX_EGRESS ?
					BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

/* That it is there already is no news, but libbpf would tell it to stderr. */
static int clsact_make(struct bpf_tc_hook *hook)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = bpf_tc_hook_create(hook);

	libbpf_set_print(print);
	return err == -EEXIST ? 0 : err;
}

static int clsact_attach(const struct dp_point *at, int prog)
{
	struct bpf_tc_hook hook = clsact_hook(at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = at->hook->rank, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int err = clsact_make(&hook);

	if (err)
		return err;
	err = dp_pin_over(prog, at->other);
	return err ? err : bpf_tc_attach(&hook, &opts);
}

static bool program_info(int prog, struct bpf_prog_info *ret)
{
	__u32 len = sizeof(*ret);

	memset(ret, 0, len);
	return prog >= 0 && !bpf_obj_get_info_by_fd(prog, ret, &len);
}

/*
 * Does the filter at our place run a program of ours? The one that is pinned,
 * whose number anybody may ask for; or, if we died between the pin and the
 * filter, one of its name, for which CAP_SYS_ADMIN is needed.
 */
static bool clsact_is_ours(const struct dp_point *at)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = at->hook->rank);
	struct bpf_tc_hook hook = clsact_hook(at);
	__cleanup(close_fd) int pinned = bpf_obj_get(at->other);
	__cleanup(close_fd) int running = -1;
	struct bpf_prog_info info;

	if (pinned < 0 || bpf_tc_query(&hook, &opts))
		return false;
	if (program_info(pinned, &info) && info.id == opts.prog_id)
		return true;
	running = bpf_prog_get_fd_by_id(opts.prog_id);
	return program_info(running, &info) &&
	       !strcmp(info.name, at->hook->program);
}

static int clsact_detach(const struct dp_point *at)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = at->hook->rank);
	struct bpf_tc_hook hook = clsact_hook(at);

	return clsact_is_ours(at) ? bpf_tc_detach(&hook, &opts) : 0;
}

static bool is_attached(const struct dp_point *at, enum dp_mechanism *ret)
{
	__cleanup(close_fd) int link = bpf_obj_get(at->link);

	*ret = dp_link_ifindex(link) ? DP_TCX : DP_CLSACT;
	return *ret == DP_TCX || clsact_is_ours(at);
}

/* What was attached to an interface that is gone leaves its pin behind. */
static int replace(const struct dp_point *at, int prog)
{
	int err = dp_link_update(at->link, prog);

	if (err == -ENOENT && clsact_is_ours(at))
		return clsact_attach(at, prog);
	if (err == -ENOENT) {
		unlink(at->link);
		unlink(at->other);
	}
	return err;
}

static int attach(const struct dp_point *at, int prog)
{
	__cleanup(close_fd) int link = -1;
	int err = replace(at, prog);

	if (err != -ENOENT)
		return err;
	link = bpf_link_create(prog, at->ifindex, at->hook->point, NULL);
	if (link < 0)
		return clsact_attach(at, prog);
	return bpf_obj_pin(link, at->link) ? -errno : 0;
}

static int detach(const struct dp_point *at)
{
	int err = clsact_detach(at), link_err;
	bool had_filter;

	if (err)
		return err;
	had_filter = !unlink(at->other);
	link_err = dp_link_remove(at->link);
	return link_err == -ENOENT && had_filter ? 0 : link_err;
}

const struct dp_kind dp_kind_tc = {
	.other = "filter",
	.attach = attach,
	.replace = replace,
	.detach = detach,
	.is_attached = is_attached,
};
