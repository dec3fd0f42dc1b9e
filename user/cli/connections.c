// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See connections.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connections.h"

#define WINDOWS 64		/* of conns that are looked at; the hash has
				 * spread every service over all of them */

static __u32 service_of(const struct view *v, const struct conn *c)
{
	__u32 id = conn_backend(c);
	const struct backend *b = &v->tables->backends[id];

	if (!id || id >= v->tables->nr_backends ||
	    (__u8)b->generation != c->backend >> CONN_BACKEND_BITS)
		return 0;
	return b->service < v->tables->nr_services ? b->service : 0;
}

static bool count_window(struct view *v, __u32 first, __u32 count, __u64 *ret)
{
	struct conn_entry e;
	struct conn_walk w;

	if (!conn_walk_start(&w, v->tables, first, count))
		return false;
	while (conn_walk_next(&w, &e))
		ret[service_of(v, &e.conn)]++;
	return true;
}

/* By service's id; [0]: of nobody, as fragments are. */
static bool count_services(struct view *v, __u64 *ret)
{
	__u32 all = v->tables->conn_buckets, count = all / WINDOWS;

	if (count > CONNS_WINDOW)
		count = CONNS_WINDOW;
	if (all <= WINDOWS * CONNS_WINDOW)
		count = (all + WINDOWS - 1) / WINDOWS;
	for (__u32 i = 0; i < WINDOWS; i++) {
		__u32 first = (__u64)all * i / WINDOWS;
		__u32 next = (__u64)all * (i + 1) / WINDOWS;
		__u32 here = next - first < count ? next - first : count;

		if (here && !count_window(v, first, here, ret))
			return false;
	}
	if (all > WINDOWS * CONNS_WINDOW)
		for (__u32 id = 0; id < v->tables->nr_services; id++)
			ret[id] = ret[id] * all / (WINDOWS * CONNS_WINDOW);
	return true;
}

static void put_top(struct connections *c, const char *name, __u64 records)
{
	int at = CONNECTIONS_TOP;

	while (at && c->top[at - 1].records < records)
		at--;
	for (int i = CONNECTIONS_TOP - 1; i > at; i--)
		c->top[i] = c->top[i - 1];
	if (at == CONNECTIONS_TOP)
		return;
	c->top[at].service = name;
	c->top[at].records = records;
}

static int find_top(struct view *v, struct connections *ret)
{
	__u64 *counts = calloc(v->tables->nr_services + 1, sizeof(*counts));

	if (!counts || !count_services(v, counts)) {
		free(counts);
		return log_error(-EIO, "cannot read the table of connections");
	}
	for (__u32 id = 1; id < v->tables->nr_services; id++)
		if (counts[id] && view_service_name(v, id))
			put_top(ret, view_service_name(v, id), counts[id]);
	free(counts);
	return 0;
}

static int find_losses(struct view *v, struct connections *ret)
{
	struct counter counters[NR_REASONS];
	struct conn_stats stats;
	int err = dp_counters(v->dp, counters);

	if (!err)
		err = dp_conn_stats(v->dp, &stats);
	if (err)
		return err;
	ret->evicted = stats.evicted;
	ret->no_room = counters[REASON_NO_ROOM].packets;
	ret->no_port = counters[REASON_NO_PORT].packets;
	ret->unrecorded = counters[REASON_UNRECORDED].packets;
	return 0;
}

int connections_look(struct view *v, __u32 wanted, struct connections *ret)
{
	int err;

	*ret = (struct connections){
		.limit = conns_for(v->tables->conn_buckets),
		.wanted = wanted,
	};
	err = conns_usage(v->tables, &ret->usage);
	if (err)
		return log_error(err, "cannot read the table of connections");
	ret->is_full = ret->usage.live >= ret->limit;
	err = find_losses(v, ret);
	return err ? err : find_top(v, ret);
}

static void top_print(const struct connections *c)
{
	const char *before = "           most are of: ";

	for (int i = 0; i < CONNECTIONS_TOP && c->top[i].service; i++) {
		printf("%s%s %llu", before, c->top[i].service,
		       c->top[i].records);
		before = ", ";
	}
	if (c->top[0].service)
		putchar('\n');
}

static void limit_print(const struct connections *c)
{
	if (c->wanted && conn_buckets_for(c->wanted) !=
				 conn_buckets_for(c->limit))
		printf("           \"limits: connections: %u\" is not in "
		       "force: %s\n", c->wanted, c->wanted > c->limit ?
		       "more are live than it has safe room for" :
		       "the table grows only; \"fairlead cleanup\" and a new "
		       "start make a smaller one");
}

/* Why a new one may have failed, since the tables were made. */
static void losses_print(const struct connections *c)
{
	if (c->evicted)
		printf("           made room for others: %llu that were half-"
		       "open or closing\n", c->evicted);
	if (c->no_room)
		printf("           refused: %llu packets, as the table was "
		       "full\n", c->no_room);
	if (c->no_port)
		printf("           refused: %llu packets, as no NAT port was "
		       "left towards a backend\n", c->no_port);
	if (c->unrecorded)
		printf("           not recorded, sent by their hash: %llu "
		       "packets, as the table was full\n", c->unrecorded);
	if (c->is_full)
		printf("           the table is full: new ones may be refused; "
		       "raise \"limits: connections\"\n");
}

void connections_print(const struct connections *c)
{
	const struct conns_usage *u = &c->usage;

	printf("connections: %llu live, %llu half-open, %llu closing; "
	       "made for %u, %llu %% of that\n", u->live, u->half, u->closing,
	       c->limit, c->limit ? u->live * 100 / c->limit : 0);
	top_print(c);
	limit_print(c);
	losses_print(c);
}

static json_t *top_json(const struct connections *c)
{
	json_t *ret = json_array();

	for (int i = 0; i < CONNECTIONS_TOP && c->top[i].service; i++)
		json_array_append_new(ret, json_pack("{s:s, s:I}",
			"service", c->top[i].service,
			"records", (json_int_t)c->top[i].records));
	return ret;
}

json_t *connections_json(const struct connections *c)
{
	const struct conns_usage *u = &c->usage;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, "
			 "s:I, s:{s:I, s:I}, s:I}",
			 "wanted", (json_int_t)c->wanted,
			 "limit", (json_int_t)c->limit,
			 "room", (json_int_t)u->room,
			 "live", (json_int_t)u->live,
			 "half_open", (json_int_t)u->half,
			 "closing", (json_int_t)u->closing,
			 "cells", (json_int_t)u->cells,
			 "cells_room", (json_int_t)u->cells_room,
			 "full", c->is_full,
			 "top", top_json(c),
			 "evicted", (json_int_t)c->evicted,
			 "refused", "no_room", (json_int_t)c->no_room,
			 "no_port", (json_int_t)c->no_port,
			 "unrecorded", (json_int_t)c->unrecorded);
}
