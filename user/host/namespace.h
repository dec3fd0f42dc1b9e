/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces of others, for a look at the far end of a veth. The kernel
 * tells by a number which namespace that end is in (IFLA_LINK_NETNSID); it can
 * be entered if it has a name under /run/netns or a process that can be seen.
 */
#ifndef FAIRLEAD_NAMESPACE_H
#define FAIRLEAD_NAMESPACE_H

#include <fairlead/types.h>

/*
 * A socket for ioctls about the interfaces of the namespace that this one
 * calls nsid; the caller closes it. -ENOENT: it cannot be found from here;
 * -EPERM: it may not be entered (CAP_SYS_ADMIN). Nothing is logged.
 */
int namespace_socket(__s32 nsid);

/* What there is to say of one. */
struct namespace_facts {
	__u64 cookie;		/* what programs know it by */
	struct addr addr4, addr6; /* the first that others may reach it at;
				   * zero: none yet */
};

/* f for each that has a name under /run/netns: a number that another one, or
 * another name, does not have; and a file descriptor while the call lasts. */
void namespaces_each(void (*f)(void *arg, __u64 number, int fd), void *arg);

/* -EPERM: it may not be entered. */
int namespace_look(int fd, struct namespace_facts *ret);

#endif
