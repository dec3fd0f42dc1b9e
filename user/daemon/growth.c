// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See growth.h. */
#include <errno.h>
#include <string.h>

#include "growth.h"

#define GROW_TRIES 4

/* Tables that have grown are filled before traffic goes by them. */
static int tables_switch(const struct parts *p)
{
	int err;

	nexthops_move(p->nexthops, parts_tables(p)->links);
	nexthops_ingress(p->nexthops, parts_tables(p)->ingress);
	err = state_resize(p->state);
	return err ? err : dp_switch(p->dp);
}

static int tables_grow(const struct parts *p, const struct table_sizes *needed)
{
	int err = dp_grow(p->dp, needed);

	return err ? err : tables_switch(p);
}

static int reconcile_growing(const struct parts *p, const struct model *m,
			     struct reconcile_result *result,
			     struct refusal *why)
{
	char text[RECONCILE_TEXT_MAX] = "";
	int err = -ENOSPC;

	for (int i = 0; i < GROW_TRIES && err == -ENOSPC; i++) {
		*result = (struct reconcile_result){};
		err = reconcile(p->state, m, dp_now_s(), result, text);
		if (err == -ENOSPC && tables_grow(p, &result->needed))
			return refuse(why, -ENOSPC,
				      "cannot make the tables larger");
	}
	if (!err)
		return 0;
	return refuse(why, err, "%s", *text ? text : strerror(-err));
}

/* A reconcile says before its first write what it lacks, but for one chance in
 * very many: that buckets of cells are full though most others are free. */
static bool is_half_done(const struct reconcile_result *r)
{
	return r->added || r->changed || r->removed || r->backends_added ||
	       r->backends_changed || r->backends_removed;
}

int growth_reconcile(const struct parts *p, const struct model *m,
		     const struct model *in_force,
		     struct reconcile_result *result, struct refusal *why)
{
	struct reconcile_result undone;
	struct refusal ignored;
	int err;

	if (dp_must_switch(p->dp) && tables_switch(p))
		return refuse(why, -ENOSPC, "cannot go over to larger tables");
	err = reconcile_growing(p, m, result, why);
	if (err && in_force && is_half_done(result))
		reconcile_growing(p, in_force, &undone, &ignored);
	return err;
}
