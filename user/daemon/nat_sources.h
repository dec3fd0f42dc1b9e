/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The addresses that NAT takes for its own: nat_addrs and links' nat4, nat6. */
#ifndef FAIRLEAD_NAT_SOURCES_H
#define FAIRLEAD_NAT_SOURCES_H

#include "model/model.h"
#include "ways.h"

/* m's, and for a family of which it has none, the own ones of the uplinks and
 * of those VLANs on them that backends are in, VIPs never. -E2BIG, not logged:
 * more than there is room for; some are left out. */
int nat_sources_store(const struct ways *w, const struct model *m);

#endif
