/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random worlds, each from a seed of its own, and random packets in them: what
 * the programs are that look for differences to the reference.
 */
#ifndef FAIRLEAD_TEST_DIFFER_H
#define FAIRLEAD_TEST_DIFFER_H

#include <stdbool.h>

struct world;

struct differ {
	const char *name;
	void *scene;		/* what it knows of a world; each gets it */
	void (*begin)(void *scene, struct world *w);
	void (*change)(void *scene);	/* something of it, now and then */
	bool (*packet)(void *scene);	/* one; false: it differs, as is said */
};

extern bool differ_is_verbose;	/* say what comes, and what becomes of it */

/* 0 or 1 (IPv6): the only one that is asked for, or any. */
int differ_family(void);

/* As main(): --seed N, --worlds N, --packets N, --seconds N (10), --family 4|6,
 * --verbose. Ends at the 20th difference; a difference says its seed, and
 * --seed N --worlds 1 repeats it. */
int differ(const struct differ *d, int argc, char **argv);

#endif
