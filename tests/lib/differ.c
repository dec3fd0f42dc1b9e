// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See differ.h. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "chance.h"
#include "differ.h"
#include "world.h"

#define PACKETS_A_WORLD 4000
#define MAX_DIFFERENCES 20

bool differ_is_verbose;
static int only_family = -1;

int differ_family(void)
{
	return only_family < 0 ? (int)any(2) : only_family;
}

/* Packets until one differs; returns how many were right. */
static uint64_t one_world(const struct differ *d, struct world *w,
			  uint64_t seed)
{
	random_start(seed);
	d->begin(d->scene, w);
	for (uint64_t n = 0; n < PACKETS_A_WORLD; n++) {
		if (any(1000) < 3)
			d->change(d->scene);
		if (!d->packet(d->scene)) {
			fprintf(stderr,
				"packet %" PRIu64 " of seed %" PRIu64 "\n\n",
				n, seed);
			return n;
		}
	}
	return PACKETS_A_WORLD;
}

struct limits {
	uint64_t seed, packets, worlds;
	time_t seconds;
};

static int usage(const struct differ *d)
{
	fprintf(stderr, "usage: %s [--seed N] [--worlds N] [--packets N] "
			"[--seconds N] [--family 4|6] [--verbose]\n", d->name);
	return 2;
}

static bool parse_limits(int argc, char **argv, struct limits *l)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "worlds", required_argument, NULL, 'w' },
		{ "packets", required_argument, NULL, 'p' },
		{ "seconds", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "family", required_argument, NULL, 'f' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (c) {
		case 's': l->seed = value; break;
		case 'w': l->worlds = value; break;
		case 'p': l->packets = value; break;
		case 't': l->seconds = value; break;
		case 'v': differ_is_verbose = true; break;
		case 'f': only_family = value == 6; break;
		default: return false;
		}
	}
	return optind == argc;
}

int differ(const struct differ *d, int argc, char **argv)
{
	struct limits l = { .seed = time(NULL) * 1000, .packets = ~0ull,
			    .worlds = ~0ull, .seconds = 10 };
	uint64_t packets = 0, differences = 0, worlds = 0;
	struct world *w;
	time_t end;

	if (!parse_limits(argc, argv, &l))
		return usage(d);
	if (l.packets != ~0ull || l.worlds != ~0ull)
		l.seconds = 1 << 30;
	w = world_open();
	end = time(NULL) + l.seconds;
	printf("seed %" PRIu64 "\n", l.seed);
	while (worlds < l.worlds && packets < l.packets &&
	       time(NULL) < end && differences < MAX_DIFFERENCES) {
		uint64_t n = one_world(d, w, l.seed + worlds++);

		packets += n;
		differences += n < PACKETS_A_WORLD;
	}
	printf("%" PRIu64 " packets in %" PRIu64 " worlds, %" PRIu64
	       " differences\n", packets, worlds, differences);
	world_close(w);
	return differences != 0;
}
