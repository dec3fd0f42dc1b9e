/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is served, and yet may not arrive: for `status`. */
#ifndef FAIRLEAD_WARNINGS_H
#define FAIRLEAD_WARNINGS_H

#include <jansson.h>

#include "kernel/dp.h"

/* A list of sentences, of interfaces that XDP cannot send by, or that leave
 * checksums to a device, and on a node of others' rules; NULL when out of
 * memory. */
json_t *warnings_list(struct dp *dp, const struct tables *t);

#endif
