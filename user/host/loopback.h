/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interface by which a host talks to itself. */
#ifndef FAIRLEAD_LOOPBACK_H
#define FAIRLEAD_LOOPBACK_H

#include <stdbool.h>

#define LOOPBACK_IFINDEX 1	/* in every network namespace */

/*
 * May packets come in there from addresses of the host's own, which have not
 * just left there? Otherwise the kernel takes them for martians (IPv4 alone has
 * such: accept_local in Documentation/networking/ip-sysctl.rst). Nobody else's
 * packets come in by the loopback. 0, or -errno, not logged.
 */
#define LOOPBACK_ACCEPTS "net/ipv4/conf/lo/accept_local"
int loopback_trust(bool is_trusted);

#endif
