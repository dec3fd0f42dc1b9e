/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of this host's interfaces is the other end of a container's. */
#ifndef FAIRLEAD_VETH_H
#define FAIRLEAD_VETH_H

#include <net/if.h>

#include <linux/types.h>

/*
 * The end here of the veth that has that MAC address in the network namespace
 * at path, which may be anything: both ends have to name one another, as whoever
 * is in that namespace may call his interfaces what he likes. -ENODEV: no
 * interface with that address, or one that has no end here; else, path is not
 * there, or is none of a namespace that may be entered.
 */
int veth_find(const char *path, const __u8 mac[6],
	      char ret[static IF_NAMESIZE]);

#endif
