/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Routes that announce addresses go, while no daemon keeps them. */
#ifndef FAIRLEAD_WITHDRAWING_H
#define FAIRLEAD_WITHDRAWING_H

#include "options.h"

/* Says how many went. Logs. */
int withdraw_all(const struct options *o);

#endif
