/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command line of a test that tries things at random: how many, and from
 * which seed on, each of them from a seed of its own.
 */
#ifndef FAIRLEAD_TEST_SEEDED_H
#define FAIRLEAD_TEST_SEEDED_H

#include <stdbool.h>
#include <stdint.h>

struct seeded {
	const char *what;	/* "universes" */
	unsigned long count;	/* unless --<what> says another */
	uint64_t seed;		/* the first one */
	bool is_long;		/* something was asked for: progress is told */
};

/* --<what> N, --seed N; without it one that the clock says, which is told to
 * stderr. False: the usage was told instead. */
bool seeded_parse(struct seeded *s, int argc, char **argv);

#endif
