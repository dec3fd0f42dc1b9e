/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a client would find otherwise if definitions served him in place of
 * IPVS. Pure.
 */
#ifndef FAIRLEAD_IPVS_DIFF_H
#define FAIRLEAD_IPVS_DIFF_H

#include <stdio.h>

#include "ipvs_table.h"
#include "model/model.h"

/*
 * A line on out for each difference; returns how many there are. Weights are
 * compared as shares of what a service gets. What has no counterpart (marks,
 * schedulers) is a difference. How tunnels are made is not told by IPVS. hz: of
 * the table's kernel; 0: not known, so that only whether clients stick is
 * compared, and not for how long.
 */
unsigned int ipvs_diff(const struct ipvs_table *t, const struct model *m,
		       __u64 hz, FILE *out);

#endif
