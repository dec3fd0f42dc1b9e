// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See conns_repair.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conns_repair.h"

#define LINE (CONN_WAYS + 1)
#define ORPHANS_MAX 4096		/* that are swept at a start */

void conns_locked_find(struct tables *t, __u32 first, __u32 count,
		       struct conns_locked *ret)
{
	const struct conn_bucket *b = t->conns(t, first, count);

	for (__u32 i = 0; b && i < count * CONN_WAYS; i++) {
		const struct conn_bucket *in = &b[i / CONN_WAYS];
		__u32 way = i % CONN_WAYS;

		if (ret->count == CONNS_LOCKED_MAX)
			return;
		if (__atomic_load_n(&in->head[way], __ATOMIC_ACQUIRE) !=
		    CONN_BUSY)
			continue;
		ret->list[ret->count++] = (struct conn_entry){
			.conn = in->conn[1 + way],
			.word = CONN_BUSY,
			.position = (first + i / CONN_WAYS) * LINE + 1 + way,
		};
	}
}

/* The cell goes first: while the record is locked, nobody else has its way. */
static bool unlock(struct tables *t, const struct conn_entry *e)
{
	__u32 busy = CONN_BUSY;
	struct conn_bucket *b;

	conns_clear_cell(t, &e->conn, e->position);
	b = t->conns(t, e->position / LINE, 1);
	return b && __atomic_compare_exchange_n(
			    &b->head[e->position % LINE - 1], &busy, 0, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

size_t conns_locked_free(struct tables *t, const struct conns_locked *before,
			 const struct conns_locked *now)
{
	size_t freed = 0;

	for (size_t i = 0; i < before->count; i++)
		for (size_t j = 0; j < now->count; j++)
			if (!memcmp(&before->list[i], &now->list[j],
				    sizeof(now->list[j])))
				freed += unlock(t, &now->list[j]);
	return freed;
}

static void look_at_all(struct tables *t, struct conns_locked *ret)
{
	__u32 count;

	ret->count = 0;
	for (__u32 at = 0; at < t->conn_buckets; at += count) {
		count = t->conn_buckets - at;
		if (count > CONNS_WINDOW)
			count = CONNS_WINDOW;
		conns_locked_find(t, at, count, ret);
	}
}

/* A cell, and its place. */
struct orphan {
	__u64 cell;
	__u32 place;
};

static bool is_named_back(struct tables *t, __u64 cell, __u32 place)
{
	__u32 position = cell, way = position % LINE - 1;
	const struct conn_bucket *b;

	if (way >= CONN_WAYS || position / LINE >= t->conn_buckets)
		return false;
	b = t->conns(t, position / LINE, 1);
	return !b || (__atomic_load_n(&b->head[way], __ATOMIC_ACQUIRE) &&
		      b->conn[1 + way].what & CONN_NAT &&
		      b->conn[1 + way].reply == place);
}

static size_t find_orphans(struct tables *t, struct orphan *list)
{
	const struct reply_bucket *b;
	size_t found = 0;
	__u32 count;
	__u64 cell;

	for (__u32 at = 0; at < t->reply_buckets; at += count) {
		count = t->reply_buckets - at;
		if (count > REPLIES_WINDOW)
			count = REPLIES_WINDOW;
		b = t->replies(t, at, count);
		for (__u32 i = 0; b && i < count * REPLY_CELLS; i++) {
			cell = __atomic_load_n(
				&b[i / REPLY_CELLS].cell[i % REPLY_CELLS],
				__ATOMIC_ACQUIRE);
			if (!cell || found == ORPHANS_MAX ||
			    is_named_back(t, cell, at * REPLY_CELLS + i))
				continue;
			list[found++] = (struct orphan){
				cell, at * REPLY_CELLS + i
			};
		}
	}
	return found;
}

static size_t drop_orphans(struct tables *t, const struct orphan *list,
			   size_t count)
{
	struct reply_bucket *b;
	size_t dropped = 0;
	__u64 cell;

	for (size_t i = 0; i < count; i++) {
		cell = list[i].cell;
		if (is_named_back(t, cell, list[i].place))
			continue;
		b = t->replies(t, list[i].place / REPLY_CELLS, 1);
		dropped += b && __atomic_compare_exchange_n(
				&b->cell[list[i].place % REPLY_CELLS], &cell, 0,
				false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
	return dropped;
}

static int sweep_orphans(struct tables *t, void (*wait)(void), size_t *ret)
{
	struct orphan *list = malloc(ORPHANS_MAX * sizeof(*list));
	size_t count;

	if (!list)
		return -ENOMEM;
	count = find_orphans(t, list);
	if (count) {
		wait();
		*ret = drop_orphans(t, list, count);
	}
	free(list);
	return 0;
}

int conns_repair(struct tables *t, void (*wait)(void),
		 struct conns_repaired *ret)
{
	struct conns_locked before, now;
	size_t freed;

	*ret = (struct conns_repaired){};
	do {
		freed = 0;
		look_at_all(t, &before);
		if (!before.count)
			break;
		wait();
		look_at_all(t, &now);
		freed = conns_locked_free(t, &before, &now);
		ret->locks += freed;
	} while (freed);
	return sweep_orphans(t, wait, &ret->cells);
}
