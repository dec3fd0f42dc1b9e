/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tables of network policy say about one end of a new connection, as
 * headers/fairlead/policy.h has it: the look-ups of the programs once more, bit
 * by bit.
 */
#ifndef FAIRLEAD_TEST_POLICY_TABLES_H
#define FAIRLEAD_TEST_POLICY_TABLES_H

#include <stdbool.h>

#include <fairlead/policy.h>

#include "fake_tables.h"

struct tables_answer {
	bool allowed, audited;
	__u32 target;
	__u16 rule;		/* enum policy_rule, or a bit */
	const char *wrong;	/* what the tables must never hold; NULL */
};

/* Index in workloads; 0: nobody is behind it. */
__u32 tables_workload(const struct fake *f, __u32 ifindex);

/* Of the one behind that interface. */
struct tables_answer tables_ask(const struct fake *f, __u32 ifindex,
				enum policy_direction direction,
				const struct addr *peer, __u8 proto,
				__u16 port);

#endif
