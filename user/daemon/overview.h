/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the page shows (user/web/page/), as JSON: how this node is, what is not
 * well, services with their backends, and what became of packets. */
#ifndef FAIRLEAD_OVERVIEW_H
#define FAIRLEAD_OVERVIEW_H

#include <stddef.h>

#include "answers.h"
#include "checking.h"
#include "metrics.h"

struct overview {
	const struct parts *parts;
	struct answers *answers;
	struct metrics *metrics;
	const struct checking *checking;
};

/* More backends than so many are counted and not told one by one. */
#define OVERVIEW_BACKENDS_MAX 5000

/* The caller's; NULL: no memory. */
char *overview_text(const struct overview *o, size_t *ret_len);

#endif
