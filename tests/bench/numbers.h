/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What those share that measure programs by BPF_PROG_TEST_RUN: time, and what
 * rounds of it come to. */
#ifndef FAIRLEAD_BENCH_NUMBERS_H
#define FAIRLEAD_BENCH_NUMBERS_H

#define ROUNDS_MAX 16

struct numbers {
	double median, least, most;
};

/* Of up to ROUNDS_MAX values. */
struct numbers numbers_of(const double *values, int count);

/* A member of an object of JSON, after another one. */
void numbers_print(const char *name, struct numbers n);

double cpu_ns(void);	/* of this thread, so far */
void stay_on_this_cpu(void);

/* err: -errno. */
void die(const char *what, int err) __attribute__((noreturn));

#endif
