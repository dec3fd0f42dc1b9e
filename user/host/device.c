// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See device.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "base/cleanup.h"
#include "base/netlink.h"
#include "device.h"
#include "link.h"
#include "namespace.h"

/* linux/netdev.h of 6.3 */
#define NETDEV_DEV_GET 1
#define NETDEV_IFINDEX 1
#define NETDEV_XDP_FEATURES 3

/* By a socket of the interface's namespace. */
static int interface_ask(int fd, const char *name, unsigned long request,
			 void *data, struct ifreq *ret)
{
	*ret = (struct ifreq){ .ifr_data = data };
	snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%s", name);
	return fd < 0 || ioctl(fd, request, ret) ? -errno : 0;
}

static int take_features(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[NETDEV_XDP_FEATURES + 1];
	const struct nlattr *features;

	netlink_attrs(m, GENL_HDRLEN, attrs, NETDEV_XDP_FEATURES + 1);
	features = attrs[NETDEV_XDP_FEATURES];
	if (!features || mnl_attr_get_payload_len(features) != sizeof(__u64))
		return -EPROTO;
	memcpy(data, mnl_attr_get_payload(features), sizeof(__u64));
	return 0;
}

static int features_ask(__u32 ifindex, __u64 *ret)
{
	char buffer[128] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	int err = netlink_open_generic(&nl);

	if (!err)
		err = netlink_family(nl, "netdev", &m->nlmsg_type);
	if (err)
		return err;
	header->cmd = NETDEV_DEV_GET;
	mnl_attr_put_u32(m, NETDEV_IFINDEX, ifindex);
	return netlink_ask(nl, m, take_features, ret);
}

static void look_bridge(struct device *d, struct netlink *nl, __u32 master)
{
	struct link_facts facts;

	if (master && !link_ask(nl, master, &facts) &&
	    !strcmp(facts.kind, "bridge"))
		if_indextoname(master, d->bridge);
}

static int socket_open(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* What nobody tells stays unknown: the peer has no name then. */
static void look_peer(struct device *d, const struct link_facts *facts)
{
	struct ethtool_value checksums = { .cmd = ETHTOOL_GTXCSUM };
	struct ifreq request = { .ifr_ifindex = facts->link };
	__cleanup(close_fd) int fd = -1;

	if (strcmp(facts->kind, "veth") || !facts->link)
		return;
	d->peer_ifindex = facts->link;
	d->peer = facts->is_link_elsewhere ? DEVICE_PEER_ELSEWHERE :
					     DEVICE_PEER_HERE;
	fd = facts->is_link_elsewhere ? namespace_socket(facts->nsid) :
					socket_open();
	if (fd < 0 || ioctl(fd, SIOCGIFNAME, &request))
		return;
	snprintf(d->peer_name, sizeof(d->peer_name), "%s", request.ifr_name);
	d->peer_leaves_checksums = !interface_ask(fd, d->peer_name, SIOCETHTOOL,
						  &checksums, &request) &&
				   checksums.data;
}

int device_look(__u32 ifindex, struct device *ret)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	__cleanup(close_fd) int fd = socket_open();
	struct link_facts facts;
	struct ifreq request;

	*ret = (struct device){ .driver = "unknown" };
	if (!if_indextoname(ifindex, ret->name))
		return -ENODEV;
	if (!interface_ask(fd, ret->name, SIOCETHTOOL, &driver, &request))
		snprintf(ret->driver, sizeof(ret->driver), "%.31s",
			 driver.driver);
	if (!interface_ask(fd, ret->name, SIOCGIFMTU, NULL, &request))
		ret->mtu = request.ifr_mtu;
	ret->tells_xdp = !features_ask(ifindex, &ret->xdp);
	if (netlink_open(0, &nl) || link_ask(nl, ifindex, &facts))
		return 0;
	look_bridge(ret, nl, facts.master);
	look_peer(ret, &facts);
	return 0;
}

bool device_takes_frames(const struct device *d)
{
	return !d->tells_xdp || d->xdp & DEVICE_XDP_XMIT;
}

/* A veth says so when nobody polls its peer; drivers of hardware begin to when
 * a program is attached, so they are believed then alone. */
static bool loses_frames(const struct device *d)
{
	return d->peer != DEVICE_PEER_NONE && d->tells_xdp &&
	       d->xdp & DEVICE_XDP_BASIC && !(d->xdp & DEVICE_XDP_XMIT);
}

/* The command that sets something at the peer, as whoever reads it can run it:
 * the peer's name, and where that is, are told as far as they are known. */
static const char *command(const struct device *d, const char *what,
			   char text[static DEVICE_TEXT_MAX])
{
	char where[64] = "";

	if (!*d->peer_name)
		snprintf(where, sizeof(where), ", where its peer is (interface "
			 "%u there),", d->peer_ifindex);
	else if (d->peer == DEVICE_PEER_ELSEWHERE)
		strcpy(where, ", in the peer's network namespace,");
	snprintf(text, DEVICE_TEXT_MAX, "\"ethtool -K %s %s\"%s mends it",
		 *d->peer_name ? d->peer_name : "PEER", what, where);
	return text;
}

bool device_fault(const struct device *d, char text[static DEVICE_TEXT_MAX])
{
	char mends[DEVICE_TEXT_MAX];

	*text = '\0';
	if (*d->bridge)
		snprintf(text, DEVICE_TEXT_MAX, "\"%s\" is a port of the bridge "
			 "\"%s\", by which the host reaches others: frames to "
			 "them are lost. Name the bridge: uplinks: [%s]",
			 d->name, d->bridge, d->bridge);
	else if (loses_frames(d))
		snprintf(text, DEVICE_TEXT_MAX, "\"%s\" cannot send frames of "
			 "XDP, as its peer does not take them: they are lost. "
			 "%.160s", d->name, command(d, "gro on", mends));
	else if (d->peer_leaves_checksums)
		snprintf(text, DEVICE_TEXT_MAX, "the peer of \"%s\" leaves "
			 "checksums to the device, and XDP comes before it: TCP "
			 "stands still. %.160s", d->name,
			 command(d, "tx off", mends));
	return *text;
}

bool device_doubt(const struct device *d, char text[static DEVICE_TEXT_MAX])
{
	*text = '\0';
	if (d->peer == DEVICE_PEER_ELSEWHERE && !*d->peer_name)
		snprintf(text, DEVICE_TEXT_MAX, "the peer of \"%s\", interface "
			 "%u of a network namespace that cannot be looked into "
			 "from here, must not leave checksums to the device: "
			 "\"ethtool -k PEER\" there tells, \"ethtool -K PEER tx "
			 "off\" mends it", d->name, d->peer_ifindex);
	return *text;
}
