/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many connections workloads have begun and may have at a time. The
 * programs record them and refuse new ones of who is full; that he is, or is not
 * any more, is found here, by counting once a second. Costs nothing where nobody
 * has a limit.
 */
#ifndef FAIRLEAD_OPEN_LIMITS_H
#define FAIRLEAD_OPEN_LIMITS_H

#include "parts.h"
#include "policy/policy.h"

/* -ENOMEM, or what reading the table of connections says: nothing was changed. */
int open_limits_check(const struct parts *parts, struct policy_state *policy);

#endif
