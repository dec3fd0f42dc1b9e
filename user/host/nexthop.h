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

/*
 * ingress[INGRESS_BUCKETS] is kept up to date from now on: which MAC addresses
 * frames to this host may have at which interface and in which VLAN, and the
 * entry in links of each interface that has one. What it held and what is not
 * so any more is taken out. For each interface, its own address; those of the
 * VLANs, macvlans, bridges and bonds on top of it that are up; those of its
 * ports; and what was added to it by hand or program (the kernel's list of
 * unicast addresses). Again when ingress has moved in memory.
 */
void nexthops_ingress(struct nexthops *n, struct word_bucket *ingress);

/* To poll for reading. */
int nexthops_fd(const struct nexthops *n);

/* Take in what the kernel says. *ret_changed: an earlier answer of
 * nexthops_find(), _is_local() or _default_uplinks() may be another now: ask
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

/* The MTU that the route to addr names (RTAX_MTU, also what the kernel itself
 * has learned, where it was asked); 0: none, the interface's counts alone. */
__u32 nexthops_mtu(const struct nexthops *n, const struct addr *addr);

bool nexthops_is_local(const struct nexthops *n, const struct addr *addr);
/* f for each address of this host but 127.0.0.0/8; one may come twice. */
void nexthops_each_local(const struct nexthops *n,
			 void (*f)(void *data, const struct addr *a),
			 void *data);

/* The interfaces that the default routes of IPv4, then those of IPv6, leave by
 * and that are up: all hops of the ones with the lowest metric. Fills ret, at
 * most room; returns how many. */
size_t nexthops_default_uplinks(const struct nexthops *n, __u32 *ret,
				size_t room);

/* The interfaces that packets come in by: each of them, and each VLAN on it,
 * gets an entry in links at once, or when it appears, whether next hops use it
 * or not. At most 64. */
void nexthops_set_uplinks(struct nexthops *n, const __u32 *ifindexes,
			  size_t count);

/*
 * How the interfaces of pods look from outside of them. Whichever of these is
 * not NULL: a bridge that they are ports of; what their names begin with. With
 * neither, every veth whose other end is in another network namespace is one.
 * Never an uplink.
 */
struct pod_match {
	const char *bridge;
	const char *prefix;
};

/*
 * Pods are here (NULL: no more): their interfaces get entries in links, and of
 * all interfaces, only uplinks and VLANs on them are XDP's to send by, which
 * the others' entries say. The strings are copied.
 */
void nexthops_set_pods(struct nexthops *n, const struct pod_match *match);

/* The interfaces of pods that are there: fills ret, at most room; returns how
 * many. Another answer is a change that nexthops_read() tells of. */
size_t nexthops_pods(const struct nexthops *n, __u32 *ret, size_t room);

/* The interface behind which a container that has addr is: where the route to it
 * leads, or the port of the bridge there that its MAC address was seen at last
 * (which is asked for: costs a system call). 0: there is none, or it is not
 * known yet; nobody tells when it is. */
__u32 nexthops_container(struct nexthops *n, const struct addr *addr);

/* Is that interface a pod's, or a bridge that pods' interfaces are ports of? */
bool nexthops_reaches_pods(const struct nexthops *n, __u32 ifindex);

/* Have packets there no Ethernet header, but begin with that of IP? */
bool nexthops_is_l3(const struct nexthops *n, __u32 ifindex);

/* What an address is asked before it is taken. */
struct addr_test {
	bool (*passes)(void *arg, const struct addr *a);
	void *arg;
};

/* Another source than near for what leaves by that entry of links: the best
 * address of its interface that passes the test, of near's subnet if there is
 * one. False: none. */
bool nexthops_source_like(const struct nexthops *n, __u32 entry,
			  const struct addr *near,
			  const struct addr_test *test, struct addr *ret);

/* An interface by name and back. -ENODEV, NULL: there is none. The name is
 * valid until the next nexthops_read(). */
int nexthops_ifindex(const struct nexthops *n, const char *name, __u32 *ret);
/* IFF_UP, IFF_RUNNING and others of an interface; 0: there is none. */
__u32 nexthops_ifflags(const struct nexthops *n, __u32 ifindex);
const char *nexthops_ifname(const struct nexthops *n, __u32 ifindex);

/* Ask for the neighbours that are needed and not resolved: every second or so,
 * as packets to them are refused meanwhile, and nobody else asks. */
void nexthops_retry(struct nexthops *n);

/* Keep neighbours that we use from growing stale: every 10 s or so. */
void nexthops_refresh(struct nexthops *n);

#endif
