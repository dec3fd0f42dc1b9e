/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The settings of a node as the tables have them: written, and told apart. */
#ifndef FAIRLEAD_SETTINGS_H
#define FAIRLEAD_SETTINGS_H

#include <stdio.h>

#include "model/setting.h"
#include "model/tables.h"

void settings_write(struct tables *t, const struct model *m);

/* A line for each setting of m that is not what is in force; how many. What
 * leaves no trace in the tables (node, limits, uplinks) is not looked at, and
 * idle times are each service's. */
unsigned int settings_diff(const struct tables *t, const struct model *m,
			   FILE *out);

#endif
