// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See course.h. */
#include "course.h"

__u32 course_needs(const struct course *c, const struct model_check *check,
		   enum probe_outcome outcome)
{
	if (outcome == PROBE_FAIL)
		return check->fall;
	return c->state == CHECK_UNKNOWN ? 1 : check->rise * (c->flaps ?: 1);
}

static void flap(struct course *c, __u64 now_ms)
{
	if (!c->up_ms || now_ms - c->up_ms >= COURSE_FLAP_MS)
		c->flaps = 1;
	else if (c->flaps < COURSE_FLAP_MOST)
		c->flaps = 2 * (c->flaps ?: 1);
}

bool course_take(struct course *c, const struct model_check *check,
		 enum probe_outcome outcome, __u64 now_ms)
{
	__u8 state = outcome == PROBE_PASS ? CHECK_UP : CHECK_DOWN;

	if (outcome == PROBE_NO_RESULT)
		return false;
	if (state == c->state) {
		c->run = 0;
		return false;
	}
	if (++c->run < course_needs(c, check, outcome))
		return false;
	if (state == CHECK_DOWN)
		flap(c, now_ms);
	c->up_ms = state == CHECK_UP && c->state == CHECK_DOWN ? now_ms : 0;
	c->state = state;
	c->run = 0;
	return true;
}

__u32 course_pause_ms(const struct course *c, const struct model_check *check,
		      __u32 chance)
{
	__u32 ms = check->interval_ms, earlier;

	if ((c->run || c->state == CHECK_UNKNOWN) && check->fast_ms < ms)
		ms = check->fast_ms;
	earlier = (__u64)ms * check->jitter / 100;
	return ms - (earlier ? chance % (earlier + 1) : 0);
}

__u32 course_first_ms(const struct model_check *check, __u32 chance)
{
	return check->interval_ms ? chance % check->interval_ms : 0;
}
