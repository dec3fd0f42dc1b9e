// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * XDP programs on interfaces: in libxdp's dispatcher, which others share (see
 * dp_dispatcher.c); on a kernel that cannot have it, by a link, which is
 * pinned and keeps the interface to itself. Native if the driver can, else
 * generic.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "dp_private.h"
#include "base/cleanup.h"

void dp_xdp_place(const char *dir, __u32 ifindex, struct dp_xdp *ret)
{
	ret->ifindex = ifindex;
	ret->priority = DP_XDP_PRIORITY;
	snprintf(ret->link, sizeof(ret->link), "%s/" DP_XDP_PREFIX "%u", dir,
		 ifindex);
	snprintf(ret->entry, sizeof(ret->entry), "%s/" DP_XDP_ENTRY_PREFIX "%u",
		 dir, ifindex);
}

/*
 * libbpf would say BPF_XDP. libxdp says nothing for its components, and a
 * program array takes only programs that were loaded with the same words.
 */
void dp_xdp_prepare(struct bpf_program *prog)
{
	bpf_program__set_expected_attach_type(prog, 0);
}

static int link_create(int prog, __u32 ifindex)
{
	static const __u32 modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int fd = -1;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes) && fd < 0; i++) {
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = modes[i]);

		fd = bpf_link_create(prog, ifindex, BPF_XDP, &opts);
		if (fd < 0 && errno == EBUSY)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int link_attach(const struct dp_xdp *at, int prog)
{
	__cleanup(close_fd) int fd = link_create(prog, at->ifindex);

	if (fd < 0)
		return fd;
	return bpf_obj_pin(fd, at->link) ? -errno : 0;
}

/* A pin that goes takes its link along, but later. */
static int link_detach_now(const struct dp_xdp *at)
{
	__cleanup(close_fd) int link = bpf_obj_get(at->link);

	if (link < 0 || bpf_link_detach(link) || unlink(at->link))
		return -errno;
	return 0;
}

static bool link_is_attached(const struct dp_xdp *at, enum dp_mechanism *ret)
{
	__cleanup(close_fd) int fd = bpf_obj_get(at->link);
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 ifindex = dp_link_ifindex(fd);

	if (!ifindex)
		return false;
	*ret = !bpf_xdp_query(ifindex, 0, &query) &&
	       query.attach_mode == XDP_ATTACHED_SKB ? DP_XDP_GENERIC :
						       DP_XDP_NATIVE;
	return true;
}

bool dp_xdp_is_attached(const struct dp_xdp *at, enum dp_mechanism *ret)
{
	return link_is_attached(at, ret) || dp_dispatcher_has(at, ret);
}

static int attach(const struct dp_xdp *at, int prog)
{
	return dp_dispatcher_attach(at, prog) ? link_attach(at, prog) : 0;
}

/*
 * What was attached to an interface that is gone leaves its pin behind. A link
 * whose program was not prepared as ours, by an older version, is the one thing
 * that cannot be replaced in its place: for a moment nothing is attached.
 */
int dp_xdp_replace(const struct dp_xdp *at, int prog)
{
	int err = dp_link_update(at->link, prog);

	if (err == -ENOENT)
		err = dp_dispatcher_replace(at, prog);
	if (err == -EINVAL) {
		err = link_detach_now(at);
		return err ? err : attach(at, prog);
	}
	if (err == -ENOENT)
		dp_xdp_detach(at);
	return err;
}

int dp_xdp_attach(const struct dp_xdp *at, int prog)
{
	int err = dp_xdp_replace(at, prog);

	return err == -ENOENT ? attach(at, prog) : err;
}

int dp_xdp_detach(const struct dp_xdp *at)
{
	int err = dp_dispatcher_leave(at);
	bool had_entry;

	if (err && err != -ENOENT)
		return err;
	had_entry = !unlink(at->entry);
	return unlink(at->link) && !had_entry ? -errno : 0;
}

int dp_xdp_release(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct dp_xdp at = {};
	int err;

	if (strncmp(name, DP_XDP_ENTRY_PREFIX, strlen(DP_XDP_ENTRY_PREFIX)))
		return 0;
	at.ifindex = strtoul(strrchr(name, '_') + 1, NULL, 10);
	snprintf(at.entry, sizeof(at.entry), "%s", path);
	err = dp_dispatcher_leave(&at);
	return err == -ENOENT ? 0 : err;
}
