/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verdicts on the backends of a service to what becomes of each: pure.
 *
 * A backend that nothing is known of waits beside one that is up. Where none
 * is up, those that nothing is known of serve; where all are down, it is the
 * service's to say.
 */
#ifndef FAIRLEAD_RULE_H
#define FAIRLEAD_RULE_H

#include <fairlead/types.h>

#include "model/check.h"

struct rule_member {
	__u16 weight;		/* 0: it gets no connections, up or not */
	__u8 verdict;		/* enum check_state */
	__u8 said;		/* found: struct backend's state_health */
};

struct rule_found {
	__u32 up, unknown, down;	/* backends */
	bool works;		/* as much weight is up as is the minimum */
	bool is_known;		/* each has had its first verdict */
};

void rule_find(const struct model_health *h, struct rule_member *list,
	       size_t count, struct rule_found *ret);

#endif
