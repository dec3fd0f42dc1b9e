// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs of tc on interfaces: by a tcx link, which is pinned; on a kernel
 * without, as a filter of clsact. A filter lives by itself, so its program is
 * pinned in its place: what is ours can be told, replaced and removed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "compat.h"
#include "dp_private.h"
#include "base/cleanup.h"

#define CLSACT_HANDLE 1
#define CLSACT_PRIORITY 0xf1	/* ours among the filters of clsact */

void dp_tc_place(const char *dir, __u32 ifindex, int point, struct dp_tc *ret)
{
	ret->ifindex = ifindex;
	ret->point = point;
	snprintf(ret->link, sizeof(ret->link), "%s/" DP_TCX_PREFIX "%u", dir,
		 ifindex);
	snprintf(ret->filter, sizeof(ret->filter), "%s/%s%u", dir,
		 point == COMPAT_TCX_EGRESS ? DP_CLSACT_OUT_PREFIX :
					      DP_CLSACT_IN_PREFIX, ifindex);
}

/* 0: none, or the interface that it was on is gone. */
__u32 dp_link_ifindex(int link)
{
	struct bpf_link_info info;
	__u32 len = sizeof(info);

	memset(&info, 0, len);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &len))
		return 0;
	return info.xdp.ifindex;	/* tcx has it at the same place */
}

static struct bpf_tc_hook clsact_hook(const struct dp_tc *at)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = at->ifindex,
		.attach_point = at->point == COMPAT_TCX_EGRESS ?
					BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

static int clsact_attach(const struct dp_tc *at, int prog)
{
	struct bpf_tc_hook hook = clsact_hook(at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	err = bpf_tc_attach(&hook, &opts);
	return err ? err : dp_pin_over(prog, at->filter);
}

/* Does the filter at our place run the program that we have pinned? */
static bool clsact_is_ours(const struct dp_tc *at)
{
	__cleanup(close_fd) int pinned = bpf_obj_get(at->filter);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY);
	struct bpf_tc_hook hook = clsact_hook(at);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return pinned >= 0 && !bpf_obj_get_info_by_fd(pinned, &info, &len) &&
	       !bpf_tc_query(&hook, &opts) && opts.prog_id == info.id;
}

static int clsact_detach(const struct dp_tc *at)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY);
	struct bpf_tc_hook hook = clsact_hook(at);

	return clsact_is_ours(at) ? bpf_tc_detach(&hook, &opts) : 0;
}

/* Another program behind a link that lives; -ENOENT: there is none. */
int dp_link_update(const char *pin, int prog)
{
	__cleanup(close_fd) int link = bpf_obj_get(pin);

	if (link < 0)
		return -errno;
	if (!dp_link_ifindex(link))
		return -ENOENT;
	return bpf_link_update(link, prog, NULL) ? -errno : 0;
}

bool dp_tc_is_attached(const struct dp_tc *at, enum dp_mechanism *ret)
{
	__cleanup(close_fd) int link = bpf_obj_get(at->link);

	*ret = dp_link_ifindex(link) ? DP_TCX : DP_CLSACT;
	return *ret == DP_TCX || clsact_is_ours(at);
}

/* What was attached to an interface that is gone leaves its pin behind. */
int dp_tc_replace(const struct dp_tc *at, int prog)
{
	int err = dp_link_update(at->link, prog);

	if (err == -ENOENT && clsact_is_ours(at))
		return clsact_attach(at, prog);
	if (err == -ENOENT) {
		unlink(at->link);
		unlink(at->filter);
	}
	return err;
}

int dp_tc_attach(const struct dp_tc *at, int prog)
{
	__cleanup(close_fd) int link = -1;
	int err = dp_tc_replace(at, prog);

	if (err != -ENOENT)
		return err;
	link = bpf_link_create(prog, at->ifindex, at->point, NULL);
	if (link < 0)
		return clsact_attach(at, prog);
	return bpf_obj_pin(link, at->link) ? -errno : 0;
}

int dp_tc_detach(const struct dp_tc *at)
{
	int err = clsact_detach(at);

	if (err)
		return err;
	if (unlink(at->filter) && unlink(at->link))
		return -errno;
	return 0;
}

int dp_tc_release(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct dp_tc at = { .point = COMPAT_TCX_EGRESS };

	if (!strncmp(name, DP_CLSACT_IN_PREFIX, strlen(DP_CLSACT_IN_PREFIX)))
		at.point = COMPAT_TCX_INGRESS;
	else if (strncmp(name, DP_CLSACT_OUT_PREFIX,
			 strlen(DP_CLSACT_OUT_PREFIX)))
		return 0;
	at.ifindex = strtoul(strrchr(name, '_') + 1, NULL, 10);
	snprintf(at.filter, sizeof(at.filter), "%s", path);
	return clsact_detach(&at);
}
