/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon says and does when it is asked through its socket. */
#ifndef FAIRLEAD_ANSWERS_H
#define FAIRLEAD_ANSWERS_H

#include <jansson.h>
#include <stdint.h>

#include "announcing.h"
#include "applying.h"
#include "hints.h"
#include "loading.h"
#include "parts.h"
#include "probes.h"
#include "source/api.h"
#include "source/containers.h"

struct answers {
	const struct parts *parts;
	const struct loading *loading;
	const struct applying *applying;
	const struct hints *hints;
	const struct probes *probes;
	const struct announcing *announcing;
	const struct checking *checking;
	struct api *api;	/* NULL: none is followed */
	struct containers *containers;	/* likewise */
	int64_t since_s;	/* CLOCK_REALTIME: the daemon's start */
	struct refusal wrong;	/* at the last look */
	int64_t wrong_since_s;	/* CLOCK_REALTIME */
};

/* Note since when what is served has not been all that is wanted; to be called
 * every second or so. */
void answers_check(struct answers *a);

json_t *answers_status(struct answers *a);
json_t *answers_backend(const struct answers *a, const json_t *request);

#endif
