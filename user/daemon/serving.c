// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See serving.h. */
#include "serving.h"

static bool any_serves(const struct parts *p, const struct state_service *s,
		       bool of_node)
{
	const struct tables *t = parts_tables(p);

	for (size_t i = 0; i < s->nr_backends; i++) {
		const struct backend *b = &t->backends[s->backends[i]];

		if (b->state == BACKEND_ACTIVE && b->weight &&
		    (!of_node || b->flags & BACKEND_IN_LOCAL))
			return true;
	}
	return false;
}

enum announce_verdict serving_verdict(const struct parts *p,
				      const struct checking *c,
				      const struct state_service *s,
				      bool of_node)
{
	bool works = true, is_known = true;

	if (checking_find(c, s->info->name, &works, &is_known) && !is_known)
		return ANNOUNCE_UNKNOWN;
	return works && any_serves(p, s, of_node) ? ANNOUNCE_WORKS :
						    ANNOUNCE_FAILS;
}
