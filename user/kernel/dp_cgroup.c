// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs on the sockets of a cgroup's processes: by a link, which is pinned
 * and lets others have programs there as well. What an interface's index is to
 * other hooks is here the low half of the cgroup's number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/magic.h>

#include "dp_private.h"
#include "base/cleanup.h"

#define MOUNTS "/proc/self/mountinfo"
#define ROOT 1		/* the number of the cgroup that all others are in */

/* The path of a mount is its fifth word, in which a blank is \040: no usual
 * place of a cgroup. Its type is behind a hyphen. */
static int find_mount(char ret[DP_PATH_MAX])
{
	__cleanup(close_file) FILE *f = fopen(MOUNTS, "re");
	char line[2 * DP_PATH_MAX];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %*s %255s", ret) == 1)
			return 0;
	return -ENOENT;
}

int dp_cgroup_open(struct dp *dp, const char *path, __u32 *ret)
{
	__cleanup(close_fd) int fd = -1;
	char mount[DP_PATH_MAX];
	struct statfs fs;
	struct stat st;

	_Static_assert(DP_PATH_MAX > 255, "room for what is scanned");
	if (!path && find_mount(mount))
		return -ENOENT;
	fd = open(path ?: mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EINVAL;
	if (!path && st.st_ino != ROOT)
		return -EXDEV;
	close_fd(&dp->cgroup_fd);
	dp->cgroup_fd = fd;
	fd = -1;
	*ret = st.st_ino;	/* kernfs: the number of what it is for */
	return 0;
}

static bool is_attached(const struct dp_point *at, enum dp_mechanism *ret)
{
	__cleanup(close_fd) int link = bpf_obj_get(at->link);

	*ret = DP_CGROUP;
	return dp_link_ifindex(link) == at->ifindex;
}

/* What was attached to a cgroup that is gone leaves its pin behind. */
static int replace(const struct dp_point *at, int prog)
{
	int err = dp_link_update(at->link, prog);

	if (err == -ENOENT)
		unlink(at->link);
	return err;
}

static int attach(const struct dp_point *at, int prog)
{
	__cleanup(close_fd) int link = -1;
	int err = replace(at, prog);

	if (err != -ENOENT)
		return err;
	link = bpf_link_create(prog, at->cgroup, at->hook->point, NULL);
	if (link < 0)
		return -errno;
	return bpf_obj_pin(link, at->link) ? -errno : 0;
}

static int detach(const struct dp_point *at)
{
	return dp_link_remove(at->link);
}

const struct dp_kind dp_kind_cgroup = {
	.other = "none",
	.attach = attach,
	.replace = replace,
	.detach = detach,
	.is_attached = is_attached,
};
