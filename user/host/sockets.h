/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets of this network namespace, as the kernel tells of them
 * (NETLINK_SOCK_DIAG). Functions return 0 or a negative errno and log nothing.
 */
#ifndef FAIRLEAD_SOCKETS_H
#define FAIRLEAD_SOCKETS_H

#include <stdbool.h>

#include <fairlead/types.h>

/* What programs know this namespace by; 0: the kernel does not tell. */
__u64 sockets_netns(void);

/* A UDP socket that is connected. */
struct connected {
	__u64 cookie;		/* what programs know it by */
	struct addr to;
	__be16 port;
};

/*
 * Close those of which is_stale says so: whoever uses one is told ECONNABORTED,
 * or EDESTADDRREQ, and connects anew. Returns how many were closed; -ENOENT:
 * this kernel does not tell of UDP sockets; -EOPNOTSUPP: or closes none.
 */
int sockets_close(bool (*is_stale)(void *arg, const struct connected *c),
		  void *arg);

#endif
