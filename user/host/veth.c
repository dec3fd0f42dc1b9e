// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See veth.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "base/netlink.h"
#include "link.h"
#include "veth.h"

struct wanted {
	const __u8 *mac;
	__u32 ifindex, peer;	/* there, and here; 0: not found */
};

static int take_inner(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	struct wanted *w = data;

	netlink_attrs(m, sizeof(*header), attrs, IFLA_LINK_NETNSID + 1);
	if (!attrs[IFLA_ADDRESS] ||
	    mnl_attr_get_payload_len(attrs[IFLA_ADDRESS]) != 6 ||
	    memcmp(mnl_attr_get_payload(attrs[IFLA_ADDRESS]), w->mac, 6) ||
	    !attrs[IFLA_LINK_NETNSID] ||
	    !netlink_u32(attrs[IFLA_LINK], &w->peer))
		return 0;
	w->ifindex = header->ifi_index;
	return 0;
}

static int look_inside(struct wanted *w)
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	int err = netlink_open(0, &nl);

	return err ? err : netlink_dump(nl, RTM_GETLINK, AF_UNSPEC, take_inner,
					w);
}

/* It was ours a moment ago; in another one nothing may go on. */
static int look_in(int here, int there, struct wanted *w)
{
	int err;

	if (setns(there, CLONE_NEWNET))
		return -errno;
	err = look_inside(w);
	if (setns(here, CLONE_NEWNET))
		abort();
	return err;
}

static int take_nsid(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[NETNSA_NSID + 1];

	netlink_attrs(m, sizeof(struct rtgenmsg), attrs, NETNSA_NSID + 1);
	return netlink_u32(attrs[NETNSA_NSID], data) ? 0 : -EPROTO;
}

/* What this namespace calls that one. */
static int nsid_of(struct netlink *nl, int fd, __u32 *ret)
{
	char buffer[128] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);

	m->nlmsg_type = RTM_GETNSID;
	mnl_nlmsg_put_extra_header(m, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(m, NETNSA_FD, fd);
	return netlink_ask(nl, m, take_nsid, ret);
}

/* Does what is called peer here name that interface there? */
static int look_here(int there, const struct wanted *w,
		     char ret[static IF_NAMESIZE])
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	struct link_facts o;
	__u32 nsid;
	int err = netlink_open(0, &nl);

	err = err ?: nsid_of(nl, there, &nsid);
	if (err)
		return err;
	err = link_ask(nl, w->peer, &o);
	if (err || strcmp(o.kind, "veth") || !*o.name ||
	    o.link != w->ifindex || !o.is_link_elsewhere ||
	    o.nsid != (__s32)nsid)
		return -ENODEV;
	strcpy(ret, o.name);
	return 0;
}

/* Of what is no namespace, nothing but that is looked at. */
static int namespace_open(const char *path)
{
	__cleanup(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct statfs fs;
	char again[32];
	int ret;

	if (fd < 0 || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	ret = open(again, O_RDONLY | O_CLOEXEC);
	return ret < 0 ? -errno : ret;
}

int veth_find(const char *path, const __u8 mac[6],
	      char ret[static IF_NAMESIZE])
{
	__cleanup(close_fd) int here = open("/proc/self/ns/net",
					    O_RDONLY | O_CLOEXEC);
	__cleanup(close_fd) int there = namespace_open(path);
	struct wanted w = { .mac = mac };
	int err;

	if (here < 0 || there < 0)
		return there < 0 ? there : -ENOENT;
	err = look_in(here, there, &w);
	if (err)
		return err;
	return w.ifindex ? look_here(there, &w, ret) : -ENODEV;
}
