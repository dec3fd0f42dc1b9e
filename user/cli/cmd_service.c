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
	bool is_stateless;
	char address_text[ADDR_TEXT_MAX + 24], ports_text[16];
};

static const struct column service_columns[] = {
	COLUMN("name", "SERVICE", TEXT, struct service_row, name),
	COLUMN("address", "ADDRESS", TEXT, struct service_row, address),
	COLUMN("prefix_len", NULL, COUNT, struct service_row, prefix_len),
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
static void address_fill(const struct service *s, struct service_row *ret)
{
	char *text = ret->address_text;
	size_t len;

	ret->address = addr_format(&s->addr, text);
	ret->prefix_len = s->prefix_len - (addr_is4(&s->addr) ? 96 : 0);
	len = strlen(text);
	if (s->prefix_len < 128)
		snprintf(text + len, sizeof(ret->address_text) - len, "/%llu",
			 ret->prefix_len);
}

static void ports_fill(const struct service *s, struct service_row *ret)
{
	ret->port_first = s->port_first;
	ret->port_last = s->port_last;
	if (!s->port_first && s->port_last == 65535)
		strcpy(ret->ports_text, "*");
	else if (s->port_first == s->port_last)
		snprintf(ret->ports_text, sizeof(ret->ports_text), "%u",
			 s->port_first);
	else
		snprintf(ret->ports_text, sizeof(ret->ports_text), "%u-%u",
			 s->port_first, s->port_last);
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

static void row_fill(const struct view *v, const struct state_service *s,
		     struct service_row *ret)
{
	const struct service *service = s->service;

	*ret = (struct service_row){
		.name = s->info->name,
		.protocol = proto_name(service->proto),
		.forward = forward_name(service->forward),
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
		err = print_row(table, &row);
	}
	return print_close(table) || err ? FAILED : DONE;
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

static int append_row(void *arg, const void *row)
{
	return json_array_append_new(arg, row_json(backend_columns, row));
}

static int add_row(void *arg, const void *row)
{
	return print_row(arg, row);
}

static int show_json(struct view *v, const struct state_service *s,
		     const struct service_row *row)
{
	json_t *object = row_json(service_columns, row);
	json_t *backends = json_array();
	int err;

	err = backend_rows(v, s, append_row, backends);
	if (json_object_set_new(object, "sources", sources_json(s)) ||
	    json_object_set_new(object, "backends", backends) || err) {
		json_decref(object);
		return -ENOMEM;
	}
	return json_print(object, stdout);
}

static int show_text(struct view *v, const struct state_service *s,
		     const struct service_row *row)
{
	struct print *table;
	int err;

	err = print_open(stdout, false, service_columns, &table);
	if (err)
		return err;
	err = print_row(table, row);
	print_close(table);
	putchar('\n');
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
