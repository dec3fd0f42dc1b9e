// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See namespace.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "base/netlink.h"
#include "namespace.h"

/* Where namespaces are to be found: a directory, and what follows the names
 * in it. */
static const struct {
	const char *directory, *rest;
} places[] = {
	{ "/run/netns", "" },
	{ "/proc", "/ns/net" },
};

static void close_directory(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int take_nsid(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[NETNSA_NSID + 1];

	netlink_attrs(m, sizeof(struct rtgenmsg), attrs, NETNSA_NSID + 1);
	return netlink_u32(attrs[NETNSA_NSID], data) ? 0 : -EPROTO;
}

/* Does this namespace call the one of the descriptor fd by that number? */
static bool is_called(struct netlink *nl, int fd, __s32 nsid)
{
	char buffer[128] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	__u32 found;

	m->nlmsg_type = RTM_GETNSID;
	mnl_nlmsg_put_extra_header(m, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(m, NETNSA_FD, fd);
	return !netlink_ask(nl, m, take_nsid, &found) && (__s32)found == nsid;
}

static int find_in(struct netlink *nl, const char *directory, const char *rest,
		   __s32 nsid)
{
	__cleanup(close_directory) DIR *d = opendir(directory);
	const struct dirent *entry;
	char path[PATH_MAX];
	int fd;

	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s%s", directory,
			 entry->d_name, rest);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd >= 0 && is_called(nl, fd, nsid))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

static int namespace_find(__s32 nsid)
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	int ret = netlink_open(0, &nl);

	if (ret)
		return ret;
	ret = -ENOENT;
	for (size_t i = 0; ret < 0 && i < sizeof(places) / sizeof(*places); i++)
		ret = find_in(nl, places[i].directory, places[i].rest, nsid);
	return ret;
}

int namespace_socket(__s32 nsid)
{
	__cleanup(close_fd) int here = open("/proc/self/ns/net",
					    O_RDONLY | O_CLOEXEC);
	__cleanup(close_fd) int there = here < 0 ? -ENOENT :
						   namespace_find(nsid);
	int ret;

	if (there < 0)
		return there;
	if (setns(there, CLONE_NEWNET))
		return -errno;
	ret = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ret < 0)
		ret = -errno;
	/* it was ours a moment ago; in another one nothing may go on */
	if (setns(here, CLONE_NEWNET))
		abort();
	return ret;
}
