/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an interface's device can do with XDP, and what about it makes packets
 * go astray without a word. Looks, and touches nothing. Apart from nexthop.h:
 * who asks needs no view of the host's routes.
 */
#ifndef FAIRLEAD_DEVICE_H
#define FAIRLEAD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <net/if.h>

#include <linux/types.h>

/* 6.3: the netlink family "netdev" tells them (linux/netdev.h); headers of
 * Debian 12 do not know it. */
#define DEVICE_XDP_BASIC (1 << 0)
#define DEVICE_XDP_REDIRECT (1 << 1)	/* its programs may */
#define DEVICE_XDP_XMIT (1 << 2)	/* frames of others may be sent by it */

enum device_peer { DEVICE_PEER_NONE, DEVICE_PEER_HERE, DEVICE_PEER_ELSEWHERE };

struct device {
	char name[IF_NAMESIZE];
	char driver[32];	/* "unknown" */
	int mtu;		/* 0: cannot be told */
	bool tells_xdp;		/* xdp is known */
	__u64 xdp;		/* DEVICE_XDP_* */
	char bridge[IF_NAMESIZE];	/* that it is a port of; "": none */
	enum device_peer peer;	/* of a veth; in this network namespace? */
	char peer_name[IF_NAMESIZE];	/* in its namespace; "": unknown */
	__u32 peer_ifindex;	/* in its namespace */
	bool peer_leaves_checksums;	/* to the device, as veths do; false if
					 * the peer's name is unknown */
};

/* -ENODEV: there is none of that index. */
int device_look(__u32 ifindex, struct device *ret);

#define DEVICE_TEXT_MAX 320

/*
 * What loses packets if it is an uplink with native XDP, and the command that
 * mends it. False: nothing. Words from facts, without a kernel.
 */
bool device_fault(const struct device *d, char text[static DEVICE_TEXT_MAX]);

/* What may lose packets, which cannot be told from here. */
bool device_doubt(const struct device *d, char text[static DEVICE_TEXT_MAX]);

/* Can XDP send frames of other interfaces by it? True where nobody tells. */
bool device_takes_frames(const struct device *d);

#endif
