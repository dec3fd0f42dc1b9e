/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follows all kinds of objects at an API server, and says what it sees in
 * records. This is what runs as `fairlead: source`, without any right.
 */
#ifndef FAIRLEAD_CLIENT_H
#define FAIRLEAD_CLIENT_H

#include "base/loop.h"

struct client;

/* Waits at fd (the client's from here on) for a RECORD_ACCESS, and goes. */
int client_open(struct loop *l, int fd, struct client **ret);
void client_close(struct client *c);	/* NULL is fine */

#endif
