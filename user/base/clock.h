/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clock that nobody sets. */
#ifndef FAIRLEAD_CLOCK_H
#define FAIRLEAD_CLOCK_H

#include <time.h>

#include <linux/types.h>

/* CLOCK_MONOTONIC, in milliseconds. */
static inline __u64 clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

#endif
