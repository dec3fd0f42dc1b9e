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

int growth_reconcile(const struct parts *p, const struct model *m,
		     struct reconcile_result *result, struct refusal *why)
{
	char text[RECONCILE_TEXT_MAX] = "";
	int err = -ENOSPC;

	if (dp_must_switch(p->dp) && tables_switch(p))
		return refuse(why, -ENOSPC, "cannot go over to larger tables");
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
