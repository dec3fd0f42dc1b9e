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
#include <sys/stat.h>

#include <linux/if_addr.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/netlink.h"
#include "namespace.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71	/* 5.14 */
#endif

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

static int open_here(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* It was ours a moment ago; in another one nothing may go on. */
static void go_back(int here)
{
	if (setns(here, CLONE_NEWNET))
		abort();
}

static int socket_open(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int namespace_socket(__s32 nsid)
{
	__cleanup(close_fd) int here = open_here();
	__cleanup(close_fd) int there = here < 0 ? -ENOENT :
						   namespace_find(nsid);
	int ret;

	if (there < 0)
		return there;
	if (setns(there, CLONE_NEWNET))
		return -errno;
	ret = socket_open();
	go_back(here);
	return ret;
}

/* A name may be given to another namespace, and a number as well. */
static __u64 number_of(const char *name, const struct stat *st)
{
	__u64 ret = st->st_ino;

	for (; *name; name++)
		ret = (ret ^ *name) * 0x100000001b3ull;
	return ret;
}

void namespaces_each(void (*f)(void *arg, __u64 number, int fd), void *arg)
{
	__cleanup(close_directory) DIR *d = opendir(places[0].directory);
	const struct dirent *entry;
	struct stat st;
	int fd;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), entry->d_name,
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			continue;
		if (!fstat(fd, &st))
			f(arg, number_of(entry->d_name, &st), fd);
		close(fd);
	}
}

static int take_addr(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[IFA_LOCAL + 1];
	struct namespace_facts *ret = data;
	struct addr a, *to;

	if (header->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	netlink_attrs(m, sizeof(*header), attrs, IFA_LOCAL + 1);
	if (!netlink_addr(attrs[IFA_LOCAL], header->ifa_family, &a) &&
	    !netlink_addr(attrs[IFA_ADDRESS], header->ifa_family, &a))
		return 0;
	to = header->ifa_family == AF_INET ? &ret->addr4 : &ret->addr6;
	if (addr_is_zero(to))
		*to = a;
	return 0;
}

/* Of the namespace that we are in. */
static int look_here(struct namespace_facts *ret)
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	__cleanup(close_fd) int fd = socket_open();
	socklen_t len = sizeof(ret->cookie);
	int err;

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &ret->cookie, &len))
		return -errno;
	err = netlink_open(0, &nl);
	return err ? err : netlink_dump(nl, RTM_GETADDR, AF_UNSPEC, take_addr,
					ret);
}

int namespace_look(int fd, struct namespace_facts *ret)
{
	__cleanup(close_fd) int here = open_here();
	int err;

	*ret = (struct namespace_facts){};
	if (here < 0)
		return here;
	if (setns(fd, CLONE_NEWNET))
		return -errno;
	err = look_here(ret);
	go_back(here);
	return err;
}
