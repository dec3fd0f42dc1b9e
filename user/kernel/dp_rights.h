/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process may lack to load programs, said before the kernel says no. */
#ifndef FAIRLEAD_DP_RIGHTS_H
#define FAIRLEAD_DP_RIGHTS_H

/*
 * Without CAP_PERFMON the verifier refuses arithmetic on pointers with a log of
 * dozens of lines that names no right. what: "cannot load ...". 0, or -EPERM:
 * logged, with every right that is missing.
 */
int dp_rights_check(const char *what);

#endif
