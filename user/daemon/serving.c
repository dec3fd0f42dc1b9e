// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See serving.h. */
#include "serving.h"

enum announce_verdict serving_verdict(const struct parts *p,
				      const struct state_service *s,
				      bool of_node)
{
	const struct tables *t = parts_tables(p);

	for (size_t i = 0; i < s->nr_backends; i++) {
		const struct backend *b = &t->backends[s->backends[i]];

		if (b->state == BACKEND_ACTIVE && b->weight &&
		    (!of_node || b->flags & BACKEND_IN_LOCAL))
			return ANNOUNCE_WORKS;
	}
	return ANNOUNCE_FAILS;
}
