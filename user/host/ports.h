/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which source ports NAT may give away on a Kubernetes node, whose addresses
 * its own sockets use as well: none that these get without asking, and none
 * that node ports are given from.
 */
#ifndef FAIRLEAD_PORTS_H
#define FAIRLEAD_PORTS_H

#include "model/model.h"

/* Host order, both included. */
struct port_range {
	__u16 first, last;
};

/* The longest run of ports, from 11000 on or (if that is short) 1024, that
 * local, the host's own (see ip_local_port_range in ip(7)), and node ports
 * leave; a single one: none is. */
struct port_range ports_left(struct port_range local);

/* Where m has services of a node, or a source that has not said yet whether it
 * has, and does not say which ports NAT has: those that this host leaves, if it
 * leaves any. */
void ports_settle(struct model *m);

#endif
