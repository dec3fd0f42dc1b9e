/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where frames to an address must go: this host's links, addresses, routes
 * and neighbours, read once through netlink and followed from then on. Asks
 * the kernel to resolve neighbours that it has no MAC of. No BPF in here.
 */
#ifndef FAIRLEAD_NEXTHOP_H
#define FAIRLEAD_NEXTHOP_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

struct nexthops;

/*
 * links[1..nr_links - 1] is kept up to date: one entry for each interface
 * that frames leave by, a VLAN interface under its parent's ifindex with the
 * tag. An interface keeps its entry number for as long as it exists; on
 * entry links may hold what an earlier process left, and matching entries
 * keep their number.
 */
int nexthops_open(struct link *links, __u32 nr_links, struct nexthops **ret);
void nexthops_close(struct nexthops *n);	/* NULL is fine */
void nexthops_closep(struct nexthops **n);

/* Links may have moved in memory (tables grew). */
void nexthops_move(struct nexthops *n, struct link *links);

/* To poll for reading. */
int nexthops_fd(const struct nexthops *n);

/* Take in what the kernel says. *ret_changed: an earlier answer of
 * nexthops_find(), _is_local() or _default_ifindex() may be another now: ask
 * anew for all that is needed, as neighbours are watched and refreshed for
 * what was asked since. A lost message (ENOBUFS) is mended by reading
 * everything again. */
int nexthops_read(struct nexthops *n, bool *ret_changed);

enum nexthop_result {
	NEXTHOP_FOUND,
	NEXTHOP_LOCAL,		/* an address of this host */
	NEXTHOP_PENDING,	/* neighbour asked for; *ret->link is right */
	NEXTHOP_NONE,		/* no route */
};

/* How to send to addr: longest prefix of the main table, then neighbour. */
enum nexthop_result nexthops_find(struct nexthops *n, const struct addr *addr,
				  struct nexthop *ret);

bool nexthops_is_local(const struct nexthops *n, const struct addr *addr);

/* ifindex of the default route's interface (IPv4's, else IPv6's); 0: none. */
__u32 nexthops_default_ifindex(const struct nexthops *n);

/* An interface by name and back. -ENODEV, NULL: there is none. The name is
 * valid until the next nexthops_read(). */
int nexthops_ifindex(const struct nexthops *n, const char *name, __u32 *ret);
const char *nexthops_ifname(const struct nexthops *n, __u32 ifindex);

/* Keep neighbours that we use from growing stale: every 10 s or so. */
void nexthops_refresh(struct nexthops *n);

#endif
