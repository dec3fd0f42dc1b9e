/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Settings of the kernel, by their path in /proc/sys: those of the network are
 * of the network namespace that we are in. */
#ifndef FAIRLEAD_SYSCTL_H
#define FAIRLEAD_SYSCTL_H

#include <stddef.h>

/* count numbers of "net/ipv4/ip_local_port_range". -errno, where it cannot be
 * read; -EINVAL: it has not so many. */
int sysctl_read(const char *name, int *ret, size_t count);

/* Of one that is a number: written unless it is so already. -errno. */
int sysctl_set(const char *name, int number);

#endif
