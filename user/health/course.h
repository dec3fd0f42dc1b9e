/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The course of a check: outcomes of probes to verdicts, and when the next
 * probe is due. Pure: time is an argument, and so is chance.
 *
 * As many outcomes in a row as rise or fall say make a verdict; any other one
 * begins anew. Of a server that nothing is known of, a single pass says that it
 * is up. What is this host's own fault (PROBE_NO_RESULT) counts for nothing.
 */
#ifndef FAIRLEAD_COURSE_H
#define FAIRLEAD_COURSE_H

#include <stdbool.h>

#include "model/check.h"

/* Who falls within this time of coming up needs twice as many passes the next
 * time, up to so many times. */
#define COURSE_FLAP_MS 60000
#define COURSE_FLAP_MOST 16

struct course {
	__u8 state;		/* enum check_state */
	__u8 flaps;		/* rise is multiplied by it; 0: by 1 */
	__u32 run;		/* outcomes in a row against state */
	__u64 up_ms;		/* when it came up; 0: it was found up */
};

/* True: state is another one now. */
bool course_take(struct course *c, const struct model_check *check,
		 enum probe_outcome outcome, __u64 now_ms);

/* How many in a row there have to be for another state. */
__u32 course_needs(const struct course *c, const struct model_check *check,
		   enum probe_outcome outcome);

/* From the begin of a probe to the next; chance: any number. Never later than
 * the interval. */
__u32 course_pause_ms(const struct course *c, const struct model_check *check,
		      __u32 chance);

/* Of the first probe: rounds are spread over the interval. */
__u32 course_first_ms(const struct model_check *check, __u32 chance);

#endif
