// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The network of `selftest`, see selftest_net.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>

#include "base/netlink.h"
#include "selftest_net.h"
#include "base/cleanup.h"

#define MESSAGE_BYTES 1024

/* What is mounted from here on is this process's alone. */
int selftest_net_mount(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		return -errno;
	return 0;
}

/* A new network namespace, which the process is in from then on. */
static int namespace_make(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What both ends of a pair are told. Only one that has a peer can be up: the
 * first to be made is not. */
static void put_end(struct nlmsghdr *m, unsigned int flags, const char *name,
		    const __u8 mac[static 6])
{
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifi_flags = flags;
	info->ifi_change = flags;
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put(m, IFLA_ADDRESS, 6, mac);
}

/* The near end here, the far one in the namespace behind outside. */
static int pair_make(struct netlink *nl, const struct selftest_cable *c,
		     const char *name, int outside)
{
	char buffer[MESSAGE_BYTES] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nlattr *link, *data, *peer;

	m->nlmsg_type = RTM_NEWLINK;
	m->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	put_end(m, IFF_UP, name, c->mac);
	link = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_str(m, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
	put_end(m, 0, name, c->far_mac);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, outside);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, link);
	return netlink_ask(nl, m, NULL, NULL);
}

/* Up, and then GRO: it makes room for frames that XDP sends to a veth, which
 * its peer learns of only while it is up. */
static int far_configure(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	__cleanup(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
					    0);
	struct ifreq request = { .ifr_flags = IFF_UP };

	strcpy(request.ifr_name, name);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		return -errno;
	request.ifr_data = (void *)&value;
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

/* A packet socket on the far end, which is in the namespace that we are in. */
static int far_open(const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd, err = far_configure(name);

	if (err)
		return err;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int cable_make(struct netlink *nl, struct selftest_cable *c,
		      const char *name, int outside)
{
	int err = pair_make(nl, c, name, outside);

	if (err)
		return err;
	c->ifindex = if_nametoindex(name);
	return c->ifindex ? 0 : -errno;
}

/* From the balancer's namespace and back. */
static int sockets_open(struct selftest_net *net, int outside, int balancer)
{
	if (setns(outside, CLONE_NEWNET))
		return -errno;
	net->in.socket = far_open("in");
	net->out.socket = far_open("out");
	if (setns(balancer, CLONE_NEWNET))
		return -errno;
	return net->in.socket < 0 ? net->in.socket :
	       net->out.socket < 0 ? net->out.socket : 0;
}

int selftest_net_make(struct selftest_net *ret, const char **ret_what)
{
	struct selftest_net net = {
		.in = { .mac = { 2, 0, 0, 0, 0, 1 },
			.far_mac = { 2, 0, 0, 0, 0, 2 } },
		.out = { .mac = { 2, 0, 0, 0, 0, 3 },
			 .far_mac = { 2, 0, 0, 0, 0, 4 } },
	};
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	__cleanup(close_fd) int outside = namespace_make();
	__cleanup(close_fd) int balancer = -1;
	int err;

	*ret_what = "a network namespace";
	if (outside < 0)
		return outside;
	balancer = namespace_make();
	if (balancer < 0)
		return balancer;
	*ret_what = "a veth pair";
	err = netlink_open(0, &nl);
	if (!err)
		err = cable_make(nl, &net.in, "in", outside);
	if (!err)
		err = cable_make(nl, &net.out, "out", outside);
	if (err)
		return err;
	*ret_what = "a packet socket";
	err = sockets_open(&net, outside, balancer);
	if (!err)
		*ret = net;
	return err;
}

int selftest_net_send(const struct selftest_cable *c, const void *frame,
		      size_t len)
{
	return send(c->socket, frame, len, 0) < 0 ? -errno : 0;
}

int selftest_net_receive(const struct selftest_cable *c, void *frame,
			 size_t room, int timeout_ms)
{
	struct pollfd pollfd = { .fd = c->socket, .events = POLLIN };
	struct sockaddr_ll from = {};
	socklen_t len = sizeof(from);
	ssize_t bytes;

	do {
		if (poll(&pollfd, 1, timeout_ms) < 1)
			return 0;
		bytes = recvfrom(c->socket, frame, room, 0,
				 (struct sockaddr *)&from, &len);
	} while (bytes >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	return bytes < 0 ? -errno : bytes;
}
