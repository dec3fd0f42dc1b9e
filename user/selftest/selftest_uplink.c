// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Looks at interfaces that Fairlead may be attached to, and touches none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>

#include "kernel/compat.h"
#include "kernel/dp_selftest.h"
#include "base/netlink.h"
#include "host/nexthop.h"
#include "model/model.h"
#include "selftest.h"
#include "base/cleanup.h"

/* Longer packets most drivers' native XDP does not take. */
#define MTU_NATIVE_MAX 3498

static int interface_ask(const char *name, unsigned long request, void *data,
			 struct ifreq *ret)
{
	__cleanup(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
					    0);

	*ret = (struct ifreq){ .ifr_data = data };
	snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%s", name);
	return fd < 0 || ioctl(fd, request, ret) ? -errno : 0;
}

static void say_driver(struct selftest_row *row, const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request;

	if (interface_ask(name, SIOCETHTOOL, &driver, &request))
		strcpy(driver.driver, "unknown");
	if (interface_ask(name, SIOCGIFMTU, NULL, &request))
		request.ifr_mtu = 0;
	selftest_say(row, SELFTEST_OK, "driver %.31s, MTU %d%s", driver.driver,
		     request.ifr_mtu, request.ifr_mtu > MTU_NATIVE_MAX ?
		     ", more than native XDP of most drivers takes" : "");
}

static int take_features(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[COMPAT_NETDEV_A_DEV_XDP_FEATURES + 1];
	const struct nlattr *features;

	netlink_attrs(m, GENL_HDRLEN, attrs,
		      COMPAT_NETDEV_A_DEV_XDP_FEATURES + 1);
	features = attrs[COMPAT_NETDEV_A_DEV_XDP_FEATURES];
	if (!features || mnl_attr_get_payload_len(features) != sizeof(__u64))
		return -EPROTO;
	memcpy(data, mnl_attr_get_payload(features), sizeof(__u64));
	return 0;
}

/* What the driver says that its XDP can: COMPAT_XDP_*. */
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
	header->cmd = COMPAT_NETDEV_CMD_DEV_GET;
	mnl_attr_put_u32(m, COMPAT_NETDEV_A_DEV_IFINDEX, ifindex);
	return netlink_ask(nl, m, take_features, ret);
}

static void say_xdp(struct selftest_row *row, __u32 ifindex)
{
	__u64 features = 0;

	if (!features_ask(ifindex, &features)) {
		selftest_xdp_words(row, features);
		return;
	}
	strcpy(row->mode, "unknown");
	strncat(row->text, "; whether the driver has native XDP cannot be told "
		"without attaching", sizeof(row->text) - strlen(row->text) - 1);
}

/* Ours, and a dispatcher, let Fairlead in. */
static void say_holder(struct selftest_row *row, __u32 ifindex)
{
	size_t len = strlen(row->text);
	char name[16];
	__u32 id = dp_selftest_holder(ifindex, name);

	if (!id)
		return;
	snprintf(row->text + len, sizeof(row->text) - len,
		 "; XDP program \"%s\" (id %u) is attached there", name, id);
	if (!strcmp(name, "fl_xdp") || !strcmp(name, "xdp_dispatcher"))
		return;
	row->result = SELFTEST_NO;
	strncat(row->text, ": detach it, or leave the interface out of uplinks",
		sizeof(row->text) - strlen(row->text) - 1);
}

static void look_at(struct selftest *t, const char *name)
{
	char title[SELFTEST_NAME_MAX];
	struct selftest_row *row;
	__u32 ifindex = if_nametoindex(name);

	snprintf(title, sizeof(title), "uplink %s", name);
	row = selftest_add(t, title);
	say_driver(row, name);
	say_xdp(row, ifindex);
	say_holder(row, ifindex);
}

/* The interfaces of default routes; 0: none. */
static size_t defaults_find(__u32 *ret, size_t room)
{
	__cleanup(nexthops_closep) struct nexthops *nexthops = NULL;
	struct link none;

	if (nexthops_open(&none, 0, &nexthops))
		return 0;
	return nexthops_default_uplinks(nexthops, ret, room);
}

/* The next name of a list, "a,b"; NULL: it was the last. */
static const char *name_next(const char *list, char one[static IF_NAMESIZE])
{
	size_t len = strcspn(list, ",");

	snprintf(one, IF_NAMESIZE, "%.*s", (int)len, list);
	return *list ? list + len + !!list[len] : NULL;
}

bool selftest_interfaces_known(const char *list, char one[static IF_NAMESIZE])
{
	while ((list = name_next(list, one)))
		if (!if_nametoindex(one))
			return false;
	return true;
}

void selftest_uplinks(struct selftest *t, const char *name)
{
	const char *list = t->interfaces;
	__u32 defaults[MODEL_UPLINKS_MAX];
	size_t count;
	char one[IF_NAMESIZE];

	if (list) {
		while ((list = name_next(list, one)))
			look_at(t, one);
		return;
	}
	count = defaults_find(defaults, MODEL_UPLINKS_MAX);
	for (size_t i = 0; i < count; i++)
		if (if_indextoname(defaults[i], one))
			look_at(t, one);
	if (!count)
		selftest_say(selftest_add(t, name), SELFTEST_NOT_NEEDED,
			     "no default route names one: name it in uplinks:");
}
