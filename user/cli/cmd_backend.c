// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `backend`: lists read the tables; what changes a backend goes through the
 * daemon, which keeps the books.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "backend_rows.h"
#include "base/endpoint.h"
#include "cmd.h"
#include "base/log.h"
#include "model/model.h"
#include "base/cleanup.h"

struct backend_row {
	const char *service, *address, *state, *state_defined, *interface;
	const char *next_hop;
	__u64 port, weight, weight_defined;
	__u64 connections, packets, bytes, changed_s;
	__u64 path_mtu;		/* learned from ICMP errors */
	__u64 mtu;		/* of the way, if not the interface's alone */
	double share;		/* of the service's slots */
	bool is_set;		/* by hand */
	bool is_local;
	const char *health, *why;	/* as checks have it */
	__u64 health_since, passed, failed, no_result;	/* likewise */
	char endpoint[ENDPOINT_TEXT_MAX];
	const char *endpoint_text;
};

const struct column backend_columns[] = {
	COLUMN("service", "SERVICE", TEXT, struct backend_row, service),
	COLUMN("endpoint", "BACKEND", TEXT, struct backend_row, endpoint_text),
	COLUMN("address", NULL, TEXT, struct backend_row, address),
	COLUMN("port", NULL, COUNT, struct backend_row, port),
	COLUMN("state", "STATE", TEXT, struct backend_row, state),
	COLUMN("state_defined", NULL, TEXT, struct backend_row, state_defined),
	COLUMN("weight", "WEIGHT", COUNT, struct backend_row, weight),
	COLUMN("weight_defined", NULL, COUNT, struct backend_row,
	       weight_defined),
	COLUMN("set_by_hand", "BY HAND", BOOL, struct backend_row, is_set),
	COLUMN("share", "SHARE", SHARE, struct backend_row, share),
	COLUMN("connections", "CONNECTIONS", COUNT, struct backend_row,
	       connections),
	COLUMN("packets", "PACKETS", COUNT, struct backend_row, packets),
	COLUMN("bytes", "BYTES", COUNT, struct backend_row, bytes),
	COLUMN("next_hop", "NEXT HOP", TEXT, struct backend_row, next_hop),
	COLUMN("interface", "INTERFACE", TEXT, struct backend_row, interface),
	COLUMN("path_mtu", "PATH MTU", COUNT, struct backend_row, path_mtu),
	COLUMN("mtu", NULL, COUNT, struct backend_row, mtu),
	COLUMN("local", NULL, BOOL, struct backend_row, is_local),
	COLUMN("health", "HEALTH", TEXT, struct backend_row, health),
	COLUMN("health_since", NULL, COUNT, struct backend_row, health_since),
	COLUMN("why", "WHY", TEXT, struct backend_row, why),
	COLUMN("checks_passed", NULL, COUNT, struct backend_row, passed),
	COLUMN("checks_failed", NULL, COUNT, struct backend_row, failed),
	COLUMN("checks_no_result", NULL, COUNT, struct backend_row,
	       no_result),
	COLUMN("changed_s", NULL, COUNT, struct backend_row, changed_s),
	COLUMNS_END,
};

/* Slots of the service by backend; [tables->nr_backends], owned by the
 * caller. NULL: out of memory. */
static __u32 *slots_count(struct view *v, const struct service *s)
{
	__u32 *ret = calloc(v->tables->nr_backends, sizeof(*ret));
	const struct slot *slots;

	if (!ret || !s->slot_count)
		return ret;
	slots = v->tables->slots(v->tables, s->slot_base, s->slot_count);
	for (__u32 i = 0; slots && i < s->slot_count; i++) {
		__u32 backend = __atomic_load_n(&slots[i].backend,
						__ATOMIC_RELAXED);

		if (backend < v->tables->nr_backends)
			ret[backend]++;
	}
	return ret;
}

static void hop_fill(struct view *v, const struct backend *b,
		     struct backend_row *ret, char mac[static 18],
		     char interface[static IF_NAMESIZE])
{
	const __u8 *m = b->hop.mac;

	ret->is_local = b->flags & BACKEND_LOCAL;
	if (ret->is_local) {
		ret->next_hop = "local";
		return;
	}
	if (!b->hop.link || b->hop.link >= v->tables->nr_links)
		return;
	snprintf(mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
		 m[3], m[4], m[5]);
	ret->next_hop = mac;
	ret->interface =
		if_indextoname(v->tables->links[b->hop.link].user_ifindex,
			       interface);
}

static __u64 count_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* What the daemon's checks say of it; nothing, where none are made. */
static void health_fill(struct view *v, struct backend_row *ret,
			const struct backend *b)
{
	char text[ENDPOINT_TEXT_MAX];
	const char *service, *backend;
	json_t *row;
	size_t i;

	endpoint_format(&b->addr, b->port ? ntohs(b->port) : -1, text);
	json_array_foreach(json_object_get(v->health, "backends"), i, row) {
		if (json_unpack(row, "{s:s, s:s}", "service", &service,
				"backend", &backend) ||
		    strcmp(service, ret->service) || strcmp(backend, text))
			continue;
		json_unpack(row, "{s:s, s:s}", "health", &ret->health, "why",
			    &ret->why);
		ret->health_since = count_of(row, "since");
		ret->passed = count_of(row, "passed");
		ret->failed = count_of(row, "failed");
		ret->no_result = count_of(row, "no_result");
	}
}

static void row_fill(struct view *v, const struct state_service *s,
		     __u32 index, struct backend_row *ret)
{
	const struct backend *b = &v->tables->backends[index];
	const struct backend_stats *stats = &v->stats[index];

	ret->service = s->info->name;
	ret->port = b->port ? ntohs(b->port) : COUNT_UNKNOWN;
	ret->state = backend_state_name(b->state);
	ret->state_defined = backend_state_name(b->state_defined);
	ret->weight = b->weight;
	ret->weight_defined = b->weight_defined;
	ret->is_set = b->flags & (BACKEND_SET_STATE | BACKEND_SET_WEIGHT);
	ret->connections = stats->connections;
	ret->packets = stats->packets;
	ret->bytes = stats->bytes;
	ret->changed_s = dp_now_s() - b->changed_s;
	ret->path_mtu = b->path_mtu ? b->path_mtu : COUNT_UNKNOWN;
	ret->mtu = b->mtu ? b->mtu : COUNT_UNKNOWN;
	health_fill(v, ret, b);
	ret->endpoint_text = endpoint_format(&b->addr,
					     b->port ? ntohs(b->port) : -1,
					     ret->endpoint);
}

int backend_rows(struct view *v, const struct state_service *s,
		 int (*f)(void *arg, const void *row), void *arg)
{
	char mac[18], interface[IF_NAMESIZE], address[ENDPOINT_TEXT_MAX];
	__u32 *slots = slots_count(v, s->service);
	int err = slots ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < s->nr_backends; i++) {
		__u32 index = s->backends[i];
		struct backend_row row = {};

		if (index >= v->tables->nr_backends)
			continue;
		row_fill(v, s, index, &row);
		row.address = endpoint_format(&v->tables->backends[index].addr,
					      -1, address);
		hop_fill(v, &v->tables->backends[index], &row, mac, interface);
		if (s->service->slot_count)
			row.share = (double)slots[index] /
				    s->service->slot_count;
		err = f(arg, &row);
	}
	free(slots);
	return err;
}

static int add_row(void *arg, const void *row)
{
	return print_row(arg, row);
}

static int list_all(struct view *v, struct print *table)
{
	int err = 0;

	for (size_t i = 0; !err && i < v->nr_services; i++)
		err = backend_rows(v, &v->services[i], add_row, table);
	return err;
}

int cmd_backend_list(const struct options *o)
{
	const struct state_service *service = NULL;
	__cleanup(view_close) struct view v = {};
	struct print *table;
	int err;

	if (view_open(o, &v))
		return FAILED;
	daemon_ask(o, json_pack("{s:s}", "cmd", "health"), &v.health);
	if (o->nr_arguments) {
		service = view_service(&v, o->arguments[0]);
		if (!service)
			return FAILED;
	}
	if (print_open(stdout, o->json, backend_columns, &table))
		return FAILED;
	err = service ? backend_rows(&v, service, add_row, table) :
			list_all(&v, table);
	if (err)
		log_error(err, "cannot list every backend");
	return print_close(table) || err ? FAILED : DONE;
}

static int act(const struct options *o, const char *action,
	       unsigned int weight)
{
	const char *service = o->arguments[0], *backend = o->arguments[1];
	json_t *answer = NULL;
	struct addr addr;
	int port, err;

	if (!endpoint_parse(backend, &addr, &port)) {
		log_error(0, "\"%s\" is not an address and port", backend);
		return MISUSED;
	}
	err = daemon_ask(o, json_pack("{s:s, s:s, s:s, s:s, s:i}",
				      "cmd", "backend", "action", action,
				      "service", service, "backend", backend,
				      "weight", weight), &answer);
	json_decref(answer);
	if (err == -ENOENT) {
		log_error(0, "no daemon runs, and it alone may change backends");
		log_hint("fairlead serve --config FILE");
	}
	return err ? FAILED : DONE;
}

int cmd_backend_drain(const struct options *o)
{
	return act(o, "drain", 0);
}

int cmd_backend_undrain(const struct options *o)
{
	return act(o, "undrain", 0);
}

int cmd_backend_default(const struct options *o)
{
	return act(o, "default", 0);
}

int cmd_backend_weight(const struct options *o)
{
	unsigned int weight;

	if (number_parse(o->arguments[2], 0, BACKEND_WEIGHT_MAX, &weight))
		return act(o, "weight", weight);
	log_error(0, "weight \"%s\" is not a number from 0 to %d",
		  o->arguments[2], BACKEND_WEIGHT_MAX);
	return MISUSED;
}
