/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon says of announced addresses, for `status`. */
#ifndef FAIRLEAD_ANNOUNCED_H
#define FAIRLEAD_ANNOUNCED_H

#include <jansson.h>

/* How many are announced, and those that are not; nothing for null. */
void announced_print(const json_t *announce);

#endif
