/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thin front to libmnl, for rtnetlink first of all: a socket that asks or
 * follows, dumps that say whether they are whole, and attributes whose size has
 * been checked before anybody reads them. Functions return 0 or a negative
 * errno.
 */
#ifndef FAIRLEAD_NETLINK_H
#define FAIRLEAD_NETLINK_H

#include <stdbool.h>
#include <stddef.h>

#include <libmnl/libmnl.h>

#include <fairlead/types.h>

struct netlink;

/* The bit of an RTNLGRP_ in the groups of netlink_open(). */
#define NETLINK_GROUP(group) (1u << ((group) - 1))

/* With groups: a socket to follow, non-blocking. Without: one to ask. */
int netlink_open(__u32 groups, struct netlink **ret);
/* To ask the generic families, see netlink_family(). */
int netlink_open_generic(struct netlink **ret);
/* To ask netfilter's subsystems. */
int netlink_open_netfilter(struct netlink **ret);
/* To ask about sockets. */
int netlink_open_sockets(struct netlink **ret);
void netlink_close(struct netlink *nl);		/* NULL is fine */
void netlink_closep(struct netlink **nl);
int netlink_fd(const struct netlink *nl);

/* Gets each message; an error ends the call that it was passed to. */
typedef int (*netlink_fn)(const struct nlmsghdr *m, void *data);

/* All there is of a kind. -EINTR: it changed meanwhile, some may be missing. */
int netlink_dump(struct netlink *nl, __u16 type, __u8 family, netlink_fn fn,
		 void *data);

/* All that the question m is answered with. */
int netlink_ask_for_all(struct netlink *nl, struct nlmsghdr *m, netlink_fn fn,
			void *data);

/* Send m and wait for the kernel's answer; fn may be NULL. */
int netlink_ask(struct netlink *nl, struct nlmsghdr *m, netlink_fn fn,
		void *data);

/* A message of a subsystem of netfilter (NFNL_SUBSYS_), in buffer; flags as
 * NLM_F_DUMP. */
struct nlmsghdr *netlink_netfilter(void *buffer, __u8 subsystem, __u8 message,
				   __u8 family, __u16 flags);
/* As netlink_ask(), of m and nothing else as a transaction. */
int netlink_commit(struct netlink *nl, struct nlmsghdr *m);

/* Several questions in one system call, each with one answer. Starts as {}. */
struct netlink_batch {
	char bytes[16 << 10] __attribute__((aligned(8)));
	size_t len;
	unsigned int count;
};

#define NETLINK_BATCH_MAX 64	/* answers fit any socket's buffer */

/* The next question of a batch: its header, to which the rest is put, 256
 * bytes at most; netlink_batch_end() after that. NULL: send the batch first. */
struct nlmsghdr *netlink_batch_next(struct netlink_batch *b);
void netlink_batch_end(struct netlink_batch *b, const struct nlmsghdr *m);
/* Send all of b, which is empty then, and wait: fn gets each answer with the
 * number of its question, from 0; NULL in place of one that was refused. */
int netlink_ask_all(struct netlink *nl, struct netlink_batch *b,
		    void (*fn)(void *data, unsigned int number,
			       const struct nlmsghdr *m), void *data);

/* The message type of a generic family; -ENOENT: this kernel has none. */
int netlink_family(struct netlink *nl, const char *name, __u16 *ret);

/* All messages that wait. -ENOBUFS, after all of them: some were lost. */
int netlink_read(struct netlink *nl, netlink_fn fn, void *data);

/* ret[type] for types below count, NULL where there is none. The header is
 * the family's own, behind struct nlmsghdr. */
void netlink_attrs(const struct nlmsghdr *m, size_t header,
		   const struct nlattr **ret, unsigned int count);
void netlink_nested(const struct nlattr *nest, const struct nlattr **ret,
		    unsigned int count);
void netlink_attrs_in(const void *bytes, size_t size,
		      const struct nlattr **ret, unsigned int count);

/* False, and *ret left alone: no attribute (NULL), or not of that size. */
bool netlink_u16(const struct nlattr *attr, __u16 *ret);
bool netlink_u32(const struct nlattr *attr, __u32 *ret);
bool netlink_addr(const struct nlattr *attr, __u8 family, struct addr *ret);
bool netlink_addr_in(const void *bytes, size_t size, __u16 family,
		     struct addr *ret);

/* As the last attribute of m: 4 or 16 bytes. */
void netlink_put_addr(struct nlmsghdr *m, __u16 type, const struct addr *addr);

#endif
