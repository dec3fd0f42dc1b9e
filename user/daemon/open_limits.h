/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many connections workloads have begun and may have at a time. The
 * programs record them and refuse new ones of who is full; that he is, or is not
 * any more, is found here, by counting once a second.
 *
 * Who has a limit is counted one by one. Of all others none may have more
 * records than a third of what is free: one that takes what it gets ends at a
 * quarter of the table, and ten that conspire leave a quarter of it to the rest
 * (Choudhury and Hahne's dynamic thresholds, as switches share their memory).
 * For that a part of the table is looked at, another one each time: records lie
 * where a secret says, so that each part is as the whole.
 */
#ifndef FAIRLEAD_OPEN_LIMITS_H
#define FAIRLEAD_OPEN_LIMITS_H

#include "policy/policy.h"
#include "refusal.h"

struct open_limits {		/* starts zeroed */
	__u32 at;		/* the bucket that is looked at next */
	struct refusal greedy;	/* who has all that he may, without a limit */
};

/* -ENOMEM, or what reading the table of connections says: nothing was changed. */
int open_limits_check(struct open_limits *o, struct tables *t,
		      struct policy_state *policy, __u32 now_s);

#endif
