// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See numbers.h. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "numbers.h"

void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	exit(1);
}

double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct numbers numbers_of(const double *values, int count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return (struct numbers){ (sorted[(count - 1) / 2] +
				  sorted[count / 2]) / 2,
				 sorted[0], sorted[count - 1] };
}

void numbers_print(const char *name, struct numbers n)
{
	printf(",\"%s\":{\"median\":%.1f,\"min\":%.1f,\"max\":%.1f}", name,
	       n.median, n.least, n.most);
}

void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU affinity", -errno);
}
