// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `conn`: what is in the table of connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "cmd.h"
#include "base/log.h"
#include "model/conns.h"
#include "model/model.h"
#include "base/print.h"
#include "base/cleanup.h"
#include "view.h"

struct filter {
	const struct state_service *service; /* NULL: any */
	bool has_backend, has_client;
	struct addr backend, client;
	int backend_port;	/* negative: any */
	unsigned int client_len;
};

struct walk {
	struct view view;
	struct filter filter;
	struct print *table;	/* list */
	unsigned int left;	/* list: rows that may be printed */
	__u64 flushed;
};

static const struct backend *entry_backend(const struct view *v,
					   const struct conn *conn)
{
	__u32 id = conn_backend(conn);
	const struct backend *b;

	if (!id || id >= v->tables->nr_backends)
		return NULL;
	b = &v->tables->backends[id];
	return (__u8)b->generation == conn->backend >> CONN_BACKEND_BITS ?
		       b : NULL;
}

static bool is_wanted(const struct view *v, const struct filter *f,
		      const struct conn *conn)
{
	const struct backend *b = entry_backend(v, conn);

	if (!b || conn_kind(conn) == FLOW_FRAGMENT)
		return false;
	if (f->service && b->service != f->service->id)
		return false;
	if (f->has_backend && addr_compare(&b->addr, &f->backend))
		return false;
	if (f->has_backend && f->backend_port >= 0 &&
	    ntohs(b->port) != f->backend_port)
		return false;
	return !f->has_client ||
	       addr_in(&conn->client, &f->client, f->client_len);
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

static const char *const state_names[] = {
	[CONN_HALF_CLOSED] = "half-closed",
	[CONN_HALF] = "half-open",
	[CONN_LIVE] = "live",
	[CONN_CLOSING] = "closing",
};

/* Two that talk without a service, of whom one is held to policies. */
static int list_peers(struct walk *w, const struct conn_entry *e)
{
	char client[ENDPOINT_TEXT_MAX], address[ENDPOINT_TEXT_MAX];
	const struct filter *f = &w->filter;
	const struct conn *c = &e->conn;
	const bool second = c->client_second;
	const struct addr *from = second ? &c->vip : &c->client;
	struct conn_row row = {
		.protocol = proto_name(conn_proto(c)),
		.client = endpoint_format(from, ntohs(second ? c->vport :
						      c->cport), client),
		.address = endpoint_format(second ? &c->client : &c->vip,
					   ntohs(second ? c->cport : c->vport),
					   address),
		.state = state_names[conn_entry_state(e)],
		.idle_s = conn_age(c->time, dp_now_s()),
	};

	if (f->service || f->has_backend ||
	    (f->has_client && !addr_in(from, &f->client, f->client_len)))
		return 0;
	if (print_row(w->table, &row))
		return -ENOMEM;
	return --w->left ? 0 : -ECANCELED;
}

static int list_entry(void *arg, const struct conn_entry *e)
{
	char client[ENDPOINT_TEXT_MAX], address[ENDPOINT_TEXT_MAX];
	char backend[ENDPOINT_TEXT_MAX], source[ENDPOINT_TEXT_MAX];
	struct walk *w = arg;
	const struct conn *c = &e->conn;
	const struct tables *t = w->view.tables;
	const struct backend *b;
	struct conn_row row = {
		.protocol = proto_name(conn_proto(c)),
		.state = state_names[conn_entry_state(e)],
		.idle_s = conn_age(c->time, dp_now_s()),
	};

	if (conn_kind(c) == FLOW_PEERS)
		return conn_is_dead(t, e, dp_now_s()) ? 0 : list_peers(w, e);
	if (conn_kind(c) != FLOW_PACKET ||
	    !is_wanted(&w->view, &w->filter, c) ||
	    conn_is_dead(t, e, dp_now_s()))
		return 0;
	b = entry_backend(&w->view, c);
	row.service = view_service_name(&w->view, b->service);
	row.client = endpoint_format(&c->client, ntohs(c->cport), client);
	row.address = endpoint_format(&c->vip, ntohs(c->vport), address);
	row.backend = endpoint_format(&b->addr, ntohs(b->port ? b->port :
						      c->vport), backend);
	if (c->what & CONN_NAT && c->nat_addr <= 2 * NAT_ADDRS_MAX)
		row.source = endpoint_format(c->nat_addr ?
					     &t->nat_addrs[c->nat_addr] :
					     &c->client, /* its own */
					     ntohs(c->nat_port), source);
	if (print_row(w->table, &row))
		return -ENOMEM;
	return --w->left ? 0 : -ECANCELED;
}

/* Those of a window that are wanted. */
static int flush_window(struct walk *w, __u32 first, __u32 count,
			struct conn_entry *list)
{
	struct tables *t = w->view.tables;
	struct conn_entry e;
	struct conn_walk walk;
	size_t nr = 0, flows = 0;

	if (!conn_walk_start(&walk, t, first, count))
		return -EIO;
	while (conn_walk_next(&walk, &e))
		if (is_wanted(&w->view, &w->filter, &e.conn)) {
			flows += conn_kind(&e.conn) == FLOW_PACKET;
			list[nr++] = e;
		}
	conns_free(t, list, nr);
	w->flushed += flows;
	return 0;
}

static int flush(struct walk *w)
{
	struct tables *t = w->view.tables;
	struct conn_entry *list;
	__u32 count;
	int err = 0;

	list = malloc(CONNS_WINDOW * CONN_WAYS * sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (__u32 at = 0; !err && at < t->conn_buckets; at += count) {
		count = t->conn_buckets - at;
		if (count > CONNS_WINDOW)
			count = CONNS_WINDOW;
		err = flush_window(w, at, count, list);
	}
	free(list);
	return err;
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
	err = conns_each(w.view.tables, list_entry, &w);
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
	err = flush(&w);
	if (err)
		log_error(err, "cannot flush every connection");
	if (o->json)
		json_print(json_pack("{s:I}", "flushed",
				     (json_int_t)w.flushed), stdout);
	else
		printf("%llu connections flushed\n", w.flushed);
	return err ? FAILED : DONE;
}
