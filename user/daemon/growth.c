// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See growth.h. */
#include <errno.h>
#include <string.h>

#include "growth.h"
#include "model/conns.h"

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

/* Room for what is live at the hashes' worst: what does not find a place in
 * the larger table is lost. */
static bool fits(const struct parts *p, __u32 buckets)
{
	struct conns_usage usage;

	return !conns_usage(parts_tables(p), &usage) &&
	       usage.live <= (__u64)buckets * CONN_WAYS * 3 / 4;
}

static int connections_grow(const struct parts *p, const struct model *m,
			    struct refusal *why)
{
	__u32 buckets = conn_buckets_for(m->max_conns);
	struct table_sizes needed = {
		.conn_buckets = buckets,
		.reply_buckets = reply_buckets_for(buckets),
	};
	__u64 bytes = (__u64)buckets * sizeof(struct conn_bucket) +
		      (__u64)needed.reply_buckets * sizeof(struct reply_bucket);

	if (buckets <= parts_tables(p)->conn_buckets || !fits(p, buckets) ||
	    !tables_grow(p, &needed))
		return 0;
	return refuse(why, -ENOMEM, "limits: connections: cannot make a table "
		      "for %u, which takes %llu MB", m->max_conns,
		      (bytes >> 20) + 1);
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
	err = connections_grow(p, m, why);
	if (err)
		return err;
	err = reconcile_growing(p, m, result, why);
	if (err && in_force && is_half_done(result))
		reconcile_growing(p, in_force, &undone, &ignored);
	return err;
}
