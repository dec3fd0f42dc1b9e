// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `service`: from the tables, so it shows what packets really meet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "backend_rows.h"
#include "cmd.h"
#include "base/log.h"
#include "model/model.h"
#include "base/cleanup.h"

struct service_row {
	const char *name, *address, *protocol, *ports, *forward, *algorithm;
	__u64 port_first, port_last, backends, backends_active, slots, tracked;
	__u64 affinity_s, idle_s, connections, packets, bytes, prefix_len;
	__u64 front_ends;
	bool is_stateless;
	char address_text[ADDR_TEXT_MAX + 24], ports_text[16];
};

static const struct column service_columns[] = {
	COLUMN("name", "SERVICE", TEXT, struct service_row, name),
	COLUMN("address", "ADDRESS", TEXT, struct service_row, address),
	COLUMN("prefix_len", NULL, COUNT, struct service_row, prefix_len),
	COLUMN("front_ends_total", NULL, COUNT, struct service_row, front_ends),
	COLUMN("ports", "PORT", TEXT, struct service_row, ports),
	COLUMN("port_first", NULL, COUNT, struct service_row, port_first),
	COLUMN("port_last", NULL, COUNT, struct service_row, port_last),
	COLUMN("protocol", "PROTOCOL", TEXT, struct service_row, protocol),
	COLUMN("forward", "FORWARD", TEXT, struct service_row, forward),
	COLUMN("algorithm", "ALGORITHM", TEXT, struct service_row, algorithm),
	COLUMN("backends_total", "BACKENDS", COUNT, struct service_row,
	       backends),
	COLUMN("backends_active", "ACTIVE", COUNT, struct service_row,
	       backends_active),
	COLUMN("slots", NULL, COUNT, struct service_row, slots),
	COLUMN("slots_tracked", NULL, COUNT, struct service_row, tracked),
	COLUMN("affinity_s", NULL, COUNT, struct service_row, affinity_s),
	COLUMN("idle_s", NULL, COUNT, struct service_row, idle_s),
	COLUMN("stateless", NULL, BOOL, struct service_row, is_stateless),
	COLUMN("connections", "CONNECTIONS", COUNT, struct service_row,
	       connections),
	COLUMN("packets", "PACKETS", COUNT, struct service_row, packets),
	COLUMN("bytes", "BYTES", COUNT, struct service_row, bytes),
	COLUMNS_END,
};

/* With the length of a CIDR; IPv4's is the family's own. */
static __u64 addr_text(const struct service *s, char *text, size_t size)
{
	__u64 prefix_len = s->prefix_len - (addr_is4(&s->addr) ? 96 : 0);
	size_t len;

	if (s->kind == KIND_NODE_PORT)
		strcpy(text, addr_is4(&s->addr) ? "node IPv4" : "node IPv6");
	else
		addr_format(&s->addr, text);
	len = strlen(text);
	if (s->prefix_len < 128)
		snprintf(text + len, size - len, "/%llu", prefix_len);
	return prefix_len;
}

static void address_fill(const struct service *s, struct service_row *ret)
{
	ret->address = ret->address_text;
	ret->prefix_len = addr_text(s, ret->address_text,
				    sizeof(ret->address_text));
}

/* For people: beside the first front end, how many more there are. */
static void address_count(const struct state_service *s,
			  struct service_row *row)
{
	size_t len = strlen(row->address_text);

	if (s->nr_entries > 1)
		snprintf(row->address_text + len,
			 sizeof(row->address_text) - len, " +%zu",
			 s->nr_entries - 1);
}

static void ports_text(const struct service *s, char text[static 16])
{
	if (!s->port_first && s->port_last == 65535)
		strcpy(text, "*");
	else if (s->port_first == s->port_last)
		snprintf(text, 16, "%u", s->port_first);
	else
		snprintf(text, 16, "%u-%u", s->port_first, s->port_last);
}

static void ports_fill(const struct service *s, struct service_row *ret)
{
	ret->port_first = s->port_first;
	ret->port_last = s->port_last;
	ports_text(s, ret->ports_text);
	ret->ports = ret->ports_text;
}

static void backends_sum(const struct view *v, const struct state_service *s,
			 struct service_row *ret)
{
	ret->backends = s->nr_backends;
	for (size_t i = 0; i < s->nr_backends; i++) {
		__u32 index = s->backends[i];

		if (index >= v->tables->nr_backends)
			continue;
		ret->backends_active +=
			v->tables->backends[index].state == BACKEND_ACTIVE;
		ret->connections += v->stats[index].connections;
		ret->packets += v->stats[index].packets;
		ret->bytes += v->stats[index].bytes;
	}
}

/* What a service is best known by: its node port only if it has no more. */
static const struct service *front_shown(const struct view *v,
					 const struct state_service *s)
{
	const struct service *e;

	for (size_t i = 0; i < s->nr_entries; i++) {
		e = &v->tables->services[s->entries[i]];
		if (e->kind != KIND_NODE_PORT)
			return e;
	}
	return s->service;
}

static enum forward front_forward(const struct service *e)
{
	return e->tunnel ? e->tunnel : e->forward;
}

/* The tunnel of any of its front ends says more than that others have none. */
static const char *forward_shown(const struct view *v,
				 const struct state_service *s)
{
	enum forward ret = s->service->forward;

	for (size_t i = 0; i < s->nr_entries; i++)
		if (v->tables->services[s->entries[i]].tunnel)
			ret = v->tables->services[s->entries[i]].tunnel;
	return forward_name(ret);
}

static void row_fill(const struct view *v, const struct state_service *s,
		     struct service_row *ret)
{
	const struct service *service = front_shown(v, s);

	*ret = (struct service_row){
		.name = s->info->name,
		.front_ends = s->nr_entries,
		.protocol = proto_name(service->proto),
		.forward = forward_shown(v, s),
		.algorithm = algorithm_name(service->algorithm),
		.slots = service->slot_count,
		.tracked = s->info->tracked,
		.affinity_s = service->affinity_s,
		.idle_s = service->idle_s,
		.is_stateless = service->flags & SERVICE_STATELESS,
	};
	address_fill(service, ret);
	ports_fill(service, ret);
	backends_sum(v, s, ret);
}

int cmd_service_list(const struct options *o)
{
	__cleanup(view_close) struct view v = {};
	struct service_row row;
	struct print *table;
	int err = 0;

	if (view_open(o, &v))
		return FAILED;
	if (print_open(stdout, o->json, service_columns, &table))
		return FAILED;
	for (size_t i = 0; !err && i < v.nr_services; i++) {
		row_fill(&v, &v.services[i], &row);
		if (!o->json)
			address_count(&v.services[i], &row);
		err = print_row(table, &row);
	}
	return print_close(table) || err ? FAILED : DONE;
}

struct front_row {
	const char *address, *ports, *kind, *forward;
	__u64 prefix_len, port_first, port_last;
	char address_text[ADDR_TEXT_MAX + 8], ports_text[16];
};

static const struct column front_columns[] = {
	COLUMN("address", "ADDRESS", TEXT, struct front_row, address),
	COLUMN("prefix_len", NULL, COUNT, struct front_row, prefix_len),
	COLUMN("ports", "PORT", TEXT, struct front_row, ports),
	COLUMN("port_first", NULL, COUNT, struct front_row, port_first),
	COLUMN("port_last", NULL, COUNT, struct front_row, port_last),
	COLUMN("kind", "KIND", TEXT, struct front_row, kind),
	COLUMN("forward", "FORWARD", TEXT, struct front_row, forward),
	COLUMNS_END,
};

/* f is called with a row for each front end, until it fails. */
static int front_rows(const struct view *v, const struct state_service *s,
		      int (*f)(void *arg, const void *row), void *arg)
{
	const struct service *e;
	struct front_row row;
	int err = 0;

	for (size_t i = 0; i < s->nr_entries && !err; i++) {
		e = &v->tables->services[s->entries[i]];
		row = (struct front_row){
			.kind = kind_name(e->kind),
			.forward = forward_name(front_forward(e)),
			.port_first = e->port_first,
			.port_last = e->port_last,
		};
		row.prefix_len = addr_text(e, row.address_text,
					   sizeof(row.address_text));
		ports_text(e, row.ports_text);
		row.address = row.address_text;
		row.ports = row.ports_text;
		err = f(arg, &row);
	}
	return err;
}

struct source_row {
	const char *source, *verdict;
};

static const struct column source_columns[] = {
	COLUMN("source", "SOURCE", TEXT, struct source_row, source),
	COLUMN("verdict", "VERDICT", TEXT, struct source_row, verdict),
	COLUMNS_END,
};

/* Those that are allowed, or denied. */
static json_t *sources_list(const struct state_service *s, bool allow)
{
	json_t *list = json_array();
	char text[SOURCE_TEXT_MAX];

	for (size_t i = 0; list && i < s->nr_sources; i++)
		if (s->sources[i].allow == allow)
			json_array_append_new(list, json_string(
				model_source_text(&s->sources[i], text)));
	return list;
}

static json_t *sources_json(const struct state_service *s)
{
	return json_pack("{s:o, s:o}", "allow", sources_list(s, true),
			 "deny", sources_list(s, false));
}

/* Nothing if every client may come. */
static int sources_text(const struct state_service *s)
{
	char text[SOURCE_TEXT_MAX];
	struct print *table;
	int err;

	if (!s->nr_sources)
		return 0;
	err = print_open(stdout, false, source_columns, &table);
	if (err)
		return err;
	for (size_t i = 0; !err && i < s->nr_sources; i++)
		err = print_row(table, &(struct source_row){
			model_source_text(&s->sources[i], text),
			s->sources[i].allow ? "allow" : "deny",
		});
	print_close(table);
	putchar('\n');
	return err;
}

static int append_backend(void *arg, const void *row)
{
	return json_array_append_new(arg, row_json(backend_columns, row));
}

static int append_front(void *arg, const void *row)
{
	return json_array_append_new(arg, row_json(front_columns, row));
}

static int add_row(void *arg, const void *row)
{
	return print_row(arg, row);
}

/* Nothing if the only one is in the first table. */
static int fronts_text(const struct view *v, const struct state_service *s)
{
	struct print *table;
	int err;

	if (s->nr_entries < 2)
		return 0;
	err = print_open(stdout, false, front_columns, &table);
	if (err)
		return err;
	err = front_rows(v, s, add_row, table);
	print_close(table);
	putchar('\n');
	return err;
}

static int show_json(struct view *v, const struct state_service *s,
		     const struct service_row *row)
{
	json_t *object = row_json(service_columns, row);
	json_t *backends = json_array(), *fronts = json_array();
	int err;

	err = front_rows(v, s, append_front, fronts);
	err = err ?: backend_rows(v, s, append_backend, backends);
	if (json_object_set_new(object, "front_ends", fronts) ||
	    json_object_set_new(object, "sources", sources_json(s)) ||
	    json_object_set_new(object, "backends", backends) || err) {
		json_decref(object);
		return -ENOMEM;
	}
	return json_print(object, stdout);
}

static int show_text(struct view *v, const struct state_service *s,
		     struct service_row *row)
{
	struct print *table;
	int err;

	address_count(s, row);
	err = print_open(stdout, false, service_columns, &table);
	if (err)
		return err;
	err = print_row(table, row);
	print_close(table);
	putchar('\n');
	if (!err)
		err = fronts_text(v, s);
	if (!err)
		err = sources_text(s);
	if (!err)
		err = print_open(stdout, false, backend_columns, &table);
	if (err)
		return err;
	err = backend_rows(v, s, add_row, table);
	return print_close(table) ? -EIO : err;
}

int cmd_service_show(const struct options *o)
{
	__cleanup(view_close) struct view v = {};
	const struct state_service *s;
	struct service_row row;
	int err;

	if (view_open(o, &v))
		return FAILED;
	s = view_service(&v, o->arguments[0]);
	if (!s)
		return FAILED;
	row_fill(&v, s, &row);
	err = o->json ? show_json(&v, s, &row) : show_text(&v, s, &row);
	if (err)
		log_error(err, "cannot show \"%s\"", s->info->name);
	return err ? FAILED : DONE;
}
