/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors about the size of tunnels' packets, from the datapath: the ways
 * to backends learn from them, and who sent what was in the tunnel is told, by
 * a raw socket, so that the host's routing finds him.
 */
#ifndef FAIRLEAD_SIZE_ERRORS_H
#define FAIRLEAD_SIZE_ERRORS_H

#include "parts.h"

struct size_errors {
	const struct parts *parts;
	int socket4, socket6;	/* -1: could not be had, nobody is told */
};

/* From now on errors are taken in. Without its sockets it learns all the
 * same; why they are missing is logged. */
void size_errors_begin(struct size_errors *e);
void size_errors_end(struct size_errors *e);

#endif
