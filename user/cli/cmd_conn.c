// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `conn`: the table of connections, a window of it at a time, as it may be
 * larger than anybody would want mapped. The programs go on writing it
 * meanwhile: an entry counts if its head was the same before and after.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/conn_time.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "cmd.h"
#include "base/log.h"
#include "model/model.h"
#include "base/print.h"
#include "base/cleanup.h"
#include "view.h"

#define WINDOW_BUCKETS 4096u

struct filter {
	const struct state_service *service; /* NULL: any */
	bool has_backend, has_client;
	struct addr backend, client;
	int backend_port;	/* negative: any */
	unsigned int client_len;
};

/* A consistent copy of an entry, and where it was. */
struct entry {
	struct conn conn;
	struct conn_head head;
	__u32 position;
};

/* The other direction of an entry that was emptied. */
struct peer {
	__u32 position;
	__u32 of;		/* the emptied one's position */
};

struct walk {
	struct view view;
	struct filter filter;
	struct print *table;	/* list */
	unsigned int left;	/* list: rows that may be printed */
	struct peer *peers;	/* flush: yet to be emptied */
	size_t nr_peers, room;
	__u64 flushed;
};

static bool entry_read(union conn_line *bucket, int way, struct entry *ret)
{
	struct conn_head *head = &bucket->head[way];

	ret->head.tag = __atomic_load_n(&head->tag, __ATOMIC_ACQUIRE);
	if (!ret->head.tag || ret->head.tag == CONN_BUSY)
		return false;
	ret->head.time = __atomic_load_n(&head->time, __ATOMIC_RELAXED);
	ret->conn = bucket[1 + way].conn;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&head->tag, __ATOMIC_RELAXED) == ret->head.tag;
}

static const struct backend *entry_backend(const struct view *v,
					   const struct conn *conn)
{
	const struct backend *b;

	if (!conn->backend || conn->backend >= v->tables->nr_backends)
		return NULL;
	b = &v->tables->backends[conn->backend];
	return b->generation == conn->generation ? b : NULL;
}

/* The client's side of an entry that is not a reply. */
static bool is_wanted(const struct view *v, const struct filter *f,
		      const struct conn *conn)
{
	const struct backend *b = entry_backend(v, conn);

	if (!b || conn->flags & CONN_REPLY)
		return false;
	if (f->service && b->service != f->service->id)
		return false;
	if (f->has_backend && addr_compare(&b->addr, &f->backend))
		return false;
	if (f->has_backend && f->backend_port >= 0 &&
	    ntohs(b->port) != f->backend_port)
		return false;
	return !f->has_client ||
	       addr_in(&conn->flow.src, &f->client, f->client_len);
}

/* f for every entry, with the bucket it is in; f's failure ends it. */
static int each_entry(struct walk *w,
		      int (*f)(struct walk *w, const struct entry *e,
			       union conn_line *bucket, int way))
{
	struct tables *t = w->view.tables;
	__u32 count;
	int err = 0;

	for (__u32 at = 0; !err && at < t->conn_buckets; at += count) {
		union conn_line *lines;

		count = t->conn_buckets - at;
		if (count > WINDOW_BUCKETS)
			count = WINDOW_BUCKETS;
		lines = t->conns(t, at, count);
		if (!lines)
			return -EIO;
		for (__u32 i = 0; !err && i < count * CONN_WAYS; i++) {
			union conn_line *bucket = lines + (i / CONN_WAYS) *
							  (CONN_WAYS + 1);
			struct entry e = {};

			e.position = (at + i / CONN_WAYS) * (CONN_WAYS + 1) +
				     1 + i % CONN_WAYS;
			if (entry_read(bucket, i % CONN_WAYS, &e))
				err = f(w, &e, bucket, i % CONN_WAYS);
		}
	}
	return err;
}

struct conn_row {
	const char *service, *protocol, *client, *address, *backend;
	const char *state, *source;
	__u64 idle_s;
};

static const struct column conn_columns[] = {
	COLUMN("service", "SERVICE", TEXT, struct conn_row, service),
	COLUMN("protocol", "PROTOCOL", TEXT, struct conn_row, protocol),
	COLUMN("client", "CLIENT", TEXT, struct conn_row, client),
	COLUMN("address", "ADDRESS", TEXT, struct conn_row, address),
	COLUMN("backend", "BACKEND", TEXT, struct conn_row, backend),
	COLUMN("nat_source", "NAT SOURCE", TEXT, struct conn_row, source),
	COLUMN("state", "STATE", TEXT, struct conn_row, state),
	COLUMN("idle_s", "IDLE S", COUNT, struct conn_row, idle_s),
	COLUMNS_END,
};

static const char *conn_state_name(__u32 time)
{
	static const char *const names[] = {
		[CONN_NEW] = "new",
		[CONN_LIVE] = "live",
		[CONN_CLOSING] = "closing",
	};
	enum conn_state state = conn_state(time);

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

static int list_entry(struct walk *w, const struct entry *e,
		      union conn_line *bucket, int way)
{
	char client[ENDPOINT_TEXT_MAX], address[ENDPOINT_TEXT_MAX];
	char backend[ENDPOINT_TEXT_MAX], source[ENDPOINT_TEXT_MAX];
	const struct conn *c = &e->conn;
	const struct tables *t = w->view.tables;
	const struct state_service *s;
	const struct backend *b;
	struct conn_row row = {
		.protocol = proto_name(c->flow.proto),
		.state = conn_state_name(e->head.time),
		.idle_s = conn_age(e->head.time, dp_now_s()),
	};

	if (c->flow.kind != FLOW_PACKET || !is_wanted(&w->view, &w->filter, c))
		return 0;
	if (row.idle_s > conn_limit(e->head.time, t->runtime->syn_s,
				    t->runtime->closing_s))
		return 0;
	b = entry_backend(&w->view, c);
	s = view_service_id(&w->view, b->service);
	row.service = s ? s->info->name : NULL;
	row.client = endpoint_format(&c->flow.src, ntohs(c->flow.sport),
				     client);
	row.address = endpoint_format(&c->flow.dst, ntohs(c->flow.dport),
				      address);
	row.backend = endpoint_format(&b->addr, ntohs(b->port ? b->port :
						      c->flow.dport), backend);
	if (c->flags & CONN_NAT && c->nat_addr <= 2 * NAT_ADDRS_MAX)
		row.source = endpoint_format(c->nat_addr ?
					     &t->nat_addrs[c->nat_addr] :
					     &c->flow.src, /* its own */
					     ntohs(c->port), source);
	if (print_row(w->table, &row))
		return -ENOMEM;
	return --w->left ? 0 : -ECANCELED;
}

static bool head_empty(union conn_line *bucket, int way, __u32 tag)
{
	return __atomic_compare_exchange_n(&bucket->head[way].tag, &tag, 0,
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static int peer_remember(struct walk *w, __u32 position, __u32 of)
{
	if (w->nr_peers == w->room) {
		size_t room = w->room ? 2 * w->room : 256;
		struct peer *peers = realloc(w->peers, room * sizeof(*peers));

		if (!peers)
			return -ENOMEM;
		w->peers = peers;
		w->room = room;
	}
	w->peers[w->nr_peers++] = (struct peer){ position, of };
	return 0;
}

static int flush_entry(struct walk *w, const struct entry *e,
		       union conn_line *bucket, int way)
{
	const struct conn *c = &e->conn;

	if (c->flow.kind == FLOW_FRAGMENT ||
	    !is_wanted(&w->view, &w->filter, c) ||
	    !head_empty(bucket, way, e->head.tag))
		return 0;
	w->flushed += c->flow.kind == FLOW_PACKET;
	if (!(c->flags & CONN_NAT) || !c->peer)
		return 0;
	return peer_remember(w, c->peer, e->position);
}

/* The other directions; they may be anywhere in the table, and by now a
 * position may be somebody else's: then it does not point back. */
static void peers_flush(struct walk *w)
{
	struct tables *t = w->view.tables;

	for (size_t i = 0; i < w->nr_peers; i++) {
		__u32 bucket = w->peers[i].position / (CONN_WAYS + 1);
		int way = (int)(w->peers[i].position % (CONN_WAYS + 1)) - 1;
		union conn_line *lines;
		struct entry e = {};

		if (bucket >= t->conn_buckets || way < 0)
			continue;
		lines = t->conns(t, bucket, 1);
		if (lines && entry_read(lines, way, &e) &&
		    e.conn.flags & CONN_REPLY && e.conn.peer == w->peers[i].of)
			head_empty(lines, way, e.head.tag);
	}
}

static bool filter_fill(const struct options *o, struct filter *ret)
{
	if (o->backend) {
		ret->has_backend = true;
		if (!endpoint_parse(o->backend, &ret->backend,
				    &ret->backend_port)) {
			log_error(0, "--backend \"%s\" is not an address and "
				  "port", o->backend);
			return false;
		}
	}
	if (o->client) {
		ret->has_client = true;
		if (!addr_parse_cidr(o->client, &ret->client,
				     &ret->client_len)) {
			log_error(0, "--client \"%s\" is not an address or "
				  "prefix", o->client);
			return false;
		}
	}
	return true;
}

static void walk_close(struct walk *w)
{
	free(w->peers);
	view_close(&w->view);
}

/* DONE, or the exit status of what is wrong. */
static int walk_open(const struct options *o, struct walk *w)
{
	if (!filter_fill(o, &w->filter))
		return MISUSED;
	if (view_open(o, &w->view))
		return FAILED;
	if (!o->service)
		return DONE;
	w->filter.service = view_service(&w->view, o->service);
	return w->filter.service ? DONE : FAILED;
}

int cmd_conn_list(const struct options *o)
{
	__cleanup(walk_close) struct walk w = { .left = o->limit };
	int status, err;

	status = walk_open(o, &w);
	if (status)
		return status;
	if (print_open(stdout, o->json, conn_columns, &w.table))
		return FAILED;
	err = each_entry(&w, list_entry);
	if (err == -ECANCELED)
		err = 0;
	if (err)
		log_error(err, "cannot list every connection");
	return print_close(w.table) || err ? FAILED : DONE;
}

int cmd_conn_flush(const struct options *o)
{
	__cleanup(walk_close) struct walk w = {};
	int status, err;

	status = walk_open(o, &w);
	if (status)
		return status;
	err = each_entry(&w, flush_entry);
	peers_flush(&w);
	if (err)
		log_error(err, "cannot flush every connection");
	if (o->json)
		json_print(json_pack("{s:I}", "flushed",
				     (json_int_t)w.flushed), stdout);
	else
		printf("%llu connections flushed\n", w.flushed);
	return err ? FAILED : DONE;
}
