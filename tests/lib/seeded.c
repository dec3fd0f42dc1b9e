// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See seeded.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "seeded.h"

static bool parse(struct seeded *s, int argc, char **argv)
{
	const struct option known[] = {
		{ s->what, required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'n':
			s->count = strtoul(optarg, NULL, 0);
			break;
		case 's':
			s->seed = strtoull(optarg, NULL, 0);
			break;
		default:
			return false;
		}
		s->is_long = true;
	}
	return optind == argc;
}

bool seeded_parse(struct seeded *s, int argc, char **argv)
{
	s->seed = time(NULL) * 1000;
	if (!parse(s, argc, argv)) {
		fprintf(stderr, "usage: %s [--%s N] [--seed N]\n", argv[0],
			s->what);
		return false;
	}
	fprintf(stderr, "# seed %" PRIu64 "\n", s->seed);
	return true;
}
