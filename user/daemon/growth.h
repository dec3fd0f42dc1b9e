/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A model into the tables, which are made larger where it does not fit. */
#ifndef FAIRLEAD_GROWTH_H
#define FAIRLEAD_GROWTH_H

#include "model/model.h"
#include "parts.h"
#include "refusal.h"

/* reconcile() with room for what m needs. On failure the tables hold what
 * they held, which is in_force (NULL: what an earlier daemon left). */
int growth_reconcile(const struct parts *p, const struct model *m,
		     const struct model *in_force,
		     struct reconcile_result *result, struct refusal *why);

#endif
