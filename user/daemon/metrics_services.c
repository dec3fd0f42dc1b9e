// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See metrics_services.h. Names of services, as definitions let them be, and
 * addresses need no quoting in a label. */
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/endpoint.h"
#include "metrics_services.h"

/* One time that they are written. */
struct writing {
	FILE *out;
	const struct tables *tables;
	struct state_service *services;	/* owned, as is: */
	struct backend_stats *stats;	/* of all backends */
	size_t nr_services, nr_backends;
};

typedef __u64 value_fn(const struct writing *w, __u32 backend);

static __u64 packets(const struct writing *w, __u32 backend)
{
	return w->stats[backend].packets;
}

static __u64 bytes(const struct writing *w, __u32 backend)
{
	return w->stats[backend].bytes;
}

static __u64 connections(const struct writing *w, __u32 backend)
{
	return w->stats[backend].connections;
}

static __u64 weight(const struct writing *w, __u32 backend)
{
	const struct backend *b = &w->tables->backends[backend];

	return b->state == BACKEND_ACTIVE ? b->weight : 0;
}

/* What there is a series of; with a sum, of each service as well. */
static const struct row {
	const char *name, *type, *help;	/* "packets_total" */
	value_fn *value;
	bool has_sum;
} rows[] = {
	{ "packets_total", "counter", "Packets sent to it.", packets, true },
	{ "bytes_total", "counter", "Bytes of these packets.", bytes, true },
	{ "connections_total", "counter",
	  "Connections that began, of those that are recorded.", connections,
	  true },
	{ "weight", "gauge",
	  "Its share of what is new; 0 where it gets nothing.", weight, false },
};

static void head(const struct writing *w, const char *of, const struct row *r)
{
	fprintf(w->out, "# HELP fairlead_%s_%s %s\n# TYPE fairlead_%s_%s %s\n",
		of, r->name, r->help, of, r->name, r->type);
}

static bool is_there(const struct writing *w, __u32 backend)
{
	return backend < w->tables->nr_backends;
}

static void write_services(const struct writing *w, const struct row *r)
{
	head(w, "service", r);
	for (size_t i = 0; i < w->nr_services; i++) {
		const struct state_service *s = &w->services[i];
		__u64 sum = 0;

		for (size_t j = 0; j < s->nr_backends; j++)
			if (is_there(w, s->backends[j]))
				sum += r->value(w, s->backends[j]);
		fprintf(w->out, "fairlead_service_%s{service=\"%s\"} %llu\n",
			r->name, s->info->name, sum);
	}
}

static void write_backend(const struct writing *w, const struct row *r,
			  const char *service, __u32 index)
{
	const struct backend *b = &w->tables->backends[index];
	char text[ENDPOINT_TEXT_MAX];

	fprintf(w->out, "fairlead_backend_%s{service=\"%s\",backend=\"%s\"} %llu\n",
		r->name, service,
		endpoint_format(&b->addr, b->port ? ntohs(b->port) : -1, text),
		r->value(w, index));
}

static void write_backends(const struct writing *w, const struct row *r)
{
	head(w, "backend", r);
	for (size_t i = 0; i < w->nr_services; i++) {
		const struct state_service *s = &w->services[i];

		for (size_t j = 0; j < s->nr_backends; j++)
			if (is_there(w, s->backends[j]))
				write_backend(w, r, s->info->name,
					      s->backends[j]);
	}
}

static void write_all(const struct writing *w)
{
	const bool are_many = w->nr_backends > METRICS_BACKENDS_MAX;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].has_sum)
			write_services(w, &rows[i]);
		if (!are_many)
			write_backends(w, &rows[i]);
	}
	fprintf(w->out, "# HELP fairlead_backends_without_series Backends that are too many to have series of their own.\n"
		"# TYPE fairlead_backends_without_series gauge\n"
		"fairlead_backends_without_series %zu\n",
		are_many ? w->nr_backends : 0);
}

void metrics_services(FILE *out, const struct parts *p)
{
	struct writing w = { .out = out, .tables = parts_tables(p) };

	w.nr_services = state_services(p->state, NULL, 0);
	w.services = calloc(w.nr_services + 1, sizeof(*w.services));
	w.stats = calloc(w.tables->nr_backends + 1, sizeof(*w.stats));
	if (w.services && w.stats &&
	    !dp_backend_stats(p->dp, 0, w.tables->nr_backends, w.stats)) {
		state_services(p->state, w.services, w.nr_services);
		for (size_t i = 0; i < w.nr_services; i++)
			w.nr_backends += w.services[i].nr_backends;
		write_all(&w);
	}
	free(w.services);
	free(w.stats);
}
