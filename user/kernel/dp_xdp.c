// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * XDP programs on interfaces: in libxdp's dispatcher, which others share (see
 * dp_dispatcher.c); on a kernel that cannot have it, by a link, which is
 * pinned and keeps the interface to itself. Native if the driver can, else
 * generic.
 */
#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "dp_private.h"
#include "base/cleanup.h"

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

static int link_attach(const struct dp_point *at, int prog)
{
	__cleanup(close_fd) int fd = link_create(prog, at->ifindex);

	if (fd < 0)
		return fd;
	return bpf_obj_pin(fd, at->link) ? -errno : 0;
}

static bool link_is_attached(const struct dp_point *at, enum dp_mechanism *ret)
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

static bool is_attached(const struct dp_point *at, enum dp_mechanism *ret)
{
	return link_is_attached(at, ret) || dp_dispatcher_has(at, ret);
}

static int attach_new(const struct dp_point *at, int prog)
{
	return dp_dispatcher_attach(at, prog) ? link_attach(at, prog) : 0;
}

static int detach(const struct dp_point *at)
{
	int err = dp_dispatcher_leave(at), link_err;
	bool had_entry;

	if (err && err != -ENOENT)
		return err;
	had_entry = !unlink(at->other);
	link_err = dp_link_remove(at->link);
	return link_err == -ENOENT && had_entry ? 0 : link_err;
}

/*
 * What was attached to an interface that is gone leaves its pin behind. A link
 * whose program was not prepared as ours, by an older version, is the one thing
 * that cannot be replaced in its place: for a moment nothing is attached.
 */
static int replace(const struct dp_point *at, int prog)
{
	int err = dp_link_update(at->link, prog);

	if (err == -ENOENT)
		err = dp_dispatcher_replace(at, prog);
	if (err == -EINVAL) {
		err = dp_link_remove(at->link);
		return err ? err : attach_new(at, prog);
	}
	if (err == -ENOENT)
		detach(at);
	return err;
}

static int attach(const struct dp_point *at, int prog)
{
	int err = replace(at, prog);

	return err == -ENOENT ? attach_new(at, prog) : err;
}

const struct dp_kind dp_kind_xdp = {
	.other = "entry",
	.attach = attach,
	.replace = replace,
	.detach = detach,
	.is_attached = is_attached,
};
