/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces of others, for a look at the far end of a veth. The kernel
 * tells by a number which namespace that end is in (IFLA_LINK_NETNSID); it can
 * be entered if it has a name under /run/netns or a process that can be seen.
 */
#ifndef FAIRLEAD_NAMESPACE_H
#define FAIRLEAD_NAMESPACE_H

#include <linux/types.h>

/*
 * A socket for ioctls about the interfaces of the namespace that this one
 * calls nsid; the caller closes it. -ENOENT: it cannot be found from here;
 * -EPERM: it may not be entered (CAP_SYS_ADMIN). Nothing is logged.
 */
int namespace_socket(__s32 nsid);

#endif
