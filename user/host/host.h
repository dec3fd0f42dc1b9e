/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel has told of this host: links, addresses, neighbours and the
 * main routing table, kept from its messages. Asks nothing and opens no
 * socket: that is nexthop.c, which alone calls this.
 */
#ifndef FAIRLEAD_HOST_H
#define FAIRLEAD_HOST_H

#include <stdbool.h>

#include <linux/netlink.h>

#include <fairlead/types.h>

#include "nexthop.h"

struct host;

/* links as nexthops_open() has it. */
int host_new(struct link *links, __u32 nr_links, struct host **ret);
void host_free(struct host *h);		/* NULL is fine */
void host_freep(struct host **h);
/* Each of these, and each VLAN on it, has an entry in links from now on. */
void host_set_uplinks(struct host *h, const __u32 *ifindexes, size_t count);
/* See nexthops_set_pods(), nexthops_pods(). */
void host_set_pods(struct host *h, const struct pod_match *match);
size_t host_pods(const struct host *h, __u32 *ret, size_t room);
bool host_reaches_pods(const struct host *h, __u32 ifindex);
/* As people know the interface of an entry of links. */
__u32 host_link_ifindex(const struct host *h, __u32 entry);
/* Is it a bridge, or a bond? */
bool host_has_ports(const struct host *h, __u32 ifindex);
/* A veth with another network namespace at its other end, and no uplink? */
bool host_is_container(const struct host *h, __u32 ifindex);
bool host_is_l3(const struct host *h, __u32 ifindex); /* nexthops_is_l3() */
void host_move(struct host *h, struct link *links);

/* Keep this set (see nexthops_ingress()) from now on. */
void host_set_ingress(struct host *h, struct word_bucket *ingress);
/* Bring it in step with the messages taken since. */
void host_update_ingress(struct host *h);

/* Links of an earlier process whose interfaces are still there keep their
 * entry numbers: once, after the first reading. */
void host_adopt_links(struct host *h);

/* Take in one message. What makes no sense is ignored: -ENOMEM alone. */
int host_take(struct host *h, const struct nlmsghdr *m);

/* Between these, host_take() gets everything that there is. What was not
 * mentioned is gone, if what came is_whole. */
void host_reading_begin(struct host *h);
void host_reading_end(struct host *h, const bool is_whole);

/* A change that the kernel tells only half of was seen: read again. */
bool host_is_stale(const struct host *h);

/* May an earlier answer be another now? Once said, it is forgotten, and so is
 * which neighbours were answered with. */
bool host_changed(struct host *h);

/* Something is another that answers, the kernel's too, may depend on. */
void host_touch(struct host *h);

bool host_is_local(const struct host *h, const struct addr *addr);
/* f for each that host_is_local(), but the loopback's; one may come twice. */
void host_each_local(const struct host *h,
		     void (*f)(void *data, const struct addr *a), void *data);

/* One way on from here. */
struct hop {
	struct addr source;	/* that the route names; zero: none */
	struct addr via;	/* has_via: the gateway */
	bool has_via;
	__u32 mtu;		/* that the route names; 0: none */
	__u32 ifindex;
	__u32 weight;
};

enum route_result {
	ROUTE_HOP,
	ROUTE_LOCAL,
	ROUTE_NONE,
	ROUTE_ASK,		/* the kernel alone knows (nexthop object) */
	ROUTE_UNKNOWN,		/* ... and has not been asked yet */
};

/* The longest prefix, its lowest metric, one of its hops. */
enum route_result host_route(const struct host *h, const struct addr *addr,
			     struct hop *ret);
/* The same from the kernel's answer to RTM_GETROUTE. */
enum route_result host_route_told(const struct nlmsghdr *m, struct hop *ret);
/* See nexthops_default_uplinks(). */
size_t host_default_uplinks(const struct host *h, __u32 *ret, size_t room);
/* See nexthops_source_like(). */
bool host_source_like(const struct host *h, __u32 entry,
		      const struct addr *near, const struct addr_test *test,
		      struct addr *ret);

struct node {
	struct node *next;
	__u64 hash;
	__u32 reading;		/* the last one that mentioned it */
};

struct neighbour {
	struct node node;
	struct addr addr;
	__u32 ifindex;
	__u8 mac[6];
	__u16 state;		/* NUD_*, 0: the kernel has none */
	__u32 answer;		/* asked for since that change */
	__u64 asked_ms;		/* when the kernel was last asked; 0: never */
};

bool neighbour_is_usable(const struct neighbour *b);
/* Nobody but the operator changes it. */
bool neighbour_is_fixed(const struct neighbour *b);

/* How to send to addr. *ret_neighbour, if there is one to ask for, stays valid
 * until the next message. NEXTHOP_PENDING may mean questions as well. */
enum nexthop_result host_find(struct host *h, const struct addr *addr,
			      struct nexthop *ret,
			      struct neighbour **ret_neighbour);

/*
 * Questions for the kernel: take one, put it into a message that has nothing
 * but its header yet, and give the answer back, NULL for none.
 */
struct question;
struct question *host_next_question(struct host *h);	/* NULL: none waits */
bool host_has_questions(const struct host *h);
void question_put(const struct question *q, struct nlmsghdr *m);
/* is_awaited: somebody was told NEXTHOP_PENDING for want of it. */
void host_question_told(struct host *h, struct question *q,
			const struct nlmsghdr *m, const bool is_awaited);
/* Free those that nobody needed since the last change. */
void host_forget_questions(struct host *h);

/* See nexthops_mtu(). */
__u32 host_mtu(struct host *h, const struct addr *addr);

/* Each neighbour that was answered with since the last change; the records of
 * others that the kernel does not have are freed. */
void host_each_answered(struct host *h,
			void (*fn)(struct neighbour *b, void *data),
			void *data);

__u32 host_ifindex(const struct host *h, const char *name);	/* 0: none */
__u32 host_ifflags(const struct host *h, __u32 ifindex);
const char *host_ifname(const struct host *h, __u32 ifindex);

#endif
