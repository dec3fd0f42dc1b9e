/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What RTM_GETLINK says of one interface (rtnetlink(7)), for who asks without a
 * view of all of them. */
#ifndef FAIRLEAD_LINK_H
#define FAIRLEAD_LINK_H

#include <stdbool.h>

#include <net/if.h>

#include <linux/types.h>

struct link_facts {
	char kind[16];		/* "veth", "bridge"; "": hardware */
	char name[IF_NAMESIZE];
	__u32 master, link;	/* ifindex; 0: none */
	bool is_link_elsewhere;
	__s32 nsid;		/* link's namespace, if it is elsewhere */
};

struct netlink;

/* Of nl's network namespace; -errno, -ENODEV: there is none of that index. */
int link_ask(struct netlink *nl, __u32 ifindex, struct link_facts *ret);

#endif
