/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `fairlead: health`: asks backends how they are, as `serve` tells it to, and
 * says what comes of it. It has no right. Here is what the two say to one
 * another, in records (process/record.h).
 */
#ifndef FAIRLEAD_HEALTH_H
#define FAIRLEAD_HEALTH_H

#include "model/check.h"
#include "process/record.h"
#include "process/worker.h"

extern const struct worker health_worker;

#define HEALTH_CHECKS_MAX 65536		/* and their ids are below it */
#define HEALTH_WHY_MAX 96

/* A check with its target, which goes on from state: RECORD_CHECK's first
 * field; texts follow, each with its number in probe_spec_part(). */
struct health_order {
	__u32 id;		/* not 0 */
	__u8 state;		/* enum check_state */
	__u8 flaps;		/* see course.h */
	__u8 pad[2];
	struct model_check check;	/* its pointers mean nothing */
};

/* Of each probe: RECORD_RESULT's one field. */
struct health_result {
	__u32 id;
	__u8 outcome;		/* enum probe_outcome */
	__u8 state;		/* enum check_state: the verdict */
	__u8 flaps;
	__u8 pad;
	__u32 run;		/* outcomes in a row against the verdict */
	__u32 took_us;
	char why[HEALTH_WHY_MAX];	/* printable; ends in NUL */
};

/* False: no memory, or it is larger than a record may be. */
bool health_order_put(struct bytes_out *b, const struct health_order *o);
/* The check's texts are the caller's, to be given to probe_spec_clear(). NULL,
 * or why it is no order; then nothing is. */
const char *health_order_get(struct record *r, struct health_order *ret);

void health_result_put(struct bytes_out *b, const struct health_result *r);
/* False: it is none. */
bool health_result_get(struct record *r, struct health_result *ret);

#endif
