/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which services work, for those who tell the network of them. */
#ifndef FAIRLEAD_SERVING_H
#define FAIRLEAD_SERVING_H

#include "announce/announce.h"
#include "checking.h"
#include "parts.h"

/*
 * Does a service in force give new connections to a backend, and are as many up
 * as it is to have? Unknown: its backends are checked, and not each has been
 * yet. of_node: those of this node alone count, as its traffic policy is Local.
 */
enum announce_verdict serving_verdict(const struct parts *p,
				      const struct checking *c,
				      const struct state_service *s,
				      bool of_node);

#endif
