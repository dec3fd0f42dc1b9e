// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See overview.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <net/if.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/endpoint.h"
#include "base/print.h"
#include "base/version.h"
#include "model/reason.h"
#include "overview.h"

/* One time that it is made. */
struct making {
	const struct parts *parts;
	struct tables *tables;
	struct backend_stats *stats;	/* of all backends; owned */
	unsigned int room;		/* for backends, yet */
	unsigned int left_out;
};

static json_t *attachments(const struct making *m)
{
	struct dp_attachment list[2 * MODEL_UPLINKS_MAX];
	const int most = sizeof(list) / sizeof(list[0]);
	int count = dp_attachments(m->parts->dp, list, most);
	json_t *ret = json_array();
	char name[IF_NAMESIZE];

	for (int i = 0; i < count && i < most; i++) {
		if (!if_indextoname(list[i].ifindex, name))
			continue;
		json_array_append_new(ret, json_pack("{s:s, s:s, s:s}",
			"interface", name,
			"program", dp_hook_name(list[i].hook), "mechanism",
			dp_mechanism_name(list[i].mechanism)));
	}
	return ret;
}

/* Those that there were packets for. */
static json_t *reasons(const struct making *m)
{
	struct counter counters[NR_REASONS];
	json_t *ret = json_array();

	if (dp_counters(m->parts->dp, counters))
		return ret;
	for (int i = 0; i < NR_REASONS; i++)
		if (counters[i].packets)
			json_array_append_new(ret, json_pack(
				"{s:s, s:s, s:s, s:I, s:I}",
				"name", reason_texts[i].name,
				"verdict", reason_texts[i].verdict,
				"text", reason_texts[i].text,
				"packets", (json_int_t)counters[i].packets,
				"bytes", (json_int_t)counters[i].bytes));
	return ret;
}

static void add_map(json_t *to, const char *name, __u64 used, __u64 most)
{
	if (used)
		json_array_append_new(to, json_pack("{s:s, s:I, s:I}", "name",
			name, "used", (json_int_t)used, "max",
			(json_int_t)most));
}

static json_t *maps(const struct making *m, struct metrics *metrics)
{
	const struct conns_usage *u = metrics_usage(metrics);
	const struct tables *t = m->tables;
	struct table_sizes used = {};
	json_t *ret = json_array();

	if (u)
		add_map(ret, "connections", u->live + u->half,
			conns_for(t->conn_buckets));
	state_usage(m->parts->state, &used);
#define X(name, field, by_default) add_map(ret, #name, used.name, t->field);
	TABLE_SIZES(X)
#undef X
	return ret;
}

static json_t *backend(struct making *m, __u32 index)
{
	const struct backend *b = &m->tables->backends[index];
	const struct backend_stats *s = &m->stats[index];
	const int port = b->port ? ntohs(b->port) : -1;
	char text[ENDPOINT_TEXT_MAX];

	return json_pack("{s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:I}",
		"address", endpoint_format(&b->addr, port, text),
		"state", backend_state_name(b->state), "weight", b->weight,
		"by_hand", !!(b->flags & (BACKEND_SET_STATE |
					  BACKEND_SET_WEIGHT)),
		"since_s", (json_int_t)(dp_now_s() - b->changed_s),
		"packets", (json_int_t)s->packets,
		"bytes", (json_int_t)s->bytes,
		"connections", (json_int_t)s->connections);
}

static json_t *backends(struct making *m, const struct state_service *s)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < s->nr_backends; i++) {
		if (s->backends[i] >= m->tables->nr_backends)
			continue;
		if (!m->room) {
			m->left_out++;
			continue;
		}
		m->room--;
		json_array_append_new(ret, backend(m, s->backends[i]));
	}
	return ret;
}

static json_t *fronts(const struct making *m, const struct state_service *s)
{
	json_t *ret = json_array();
	char text[FRONT_TEXT_MAX];

	for (size_t i = 0; i < s->nr_entries; i++) {
		const struct service *e = &m->tables->services[s->entries[i]];
		const struct model_front f = {
			.addr = e->addr, .port_first = e->port_first,
			.port_last = e->port_last, .kind = e->kind,
			.prefix_len = e->prefix_len,
		};

		json_array_append_new(ret, json_string(
			model_front_text(&f, e->proto, text)));
	}
	return ret;
}

static int compare_names(const void *a, const void *b)
{
	const struct state_service *x = a, *y = b;

	return strcmp(x->info->name, y->info->name);
}

static json_t *services(struct making *m)
{
	size_t count = state_services(m->parts->state, NULL, 0);
	struct state_service *list = calloc(count + 1, sizeof(*list));
	json_t *ret = json_array();

	if (!list)
		return ret;
	state_services(m->parts->state, list, count);
	qsort(list, count, sizeof(*list), compare_names);
	for (size_t i = 0; i < count; i++) {
		const struct service *s = list[i].service;

		json_array_append_new(ret, json_pack(
			"{s:s, s:s, s:s, s:o, s:o}",
			"name", list[i].info->name,
			"forward", forward_name(s->forward),
			"algorithm", algorithm_name(s->algorithm),
			"fronts", fronts(m, &list[i]),
			"backends", backends(m, &list[i])));
	}
	free(list);
	return ret;
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static json_t *overview_make(const struct overview *o, struct making *m)
{
	json_t *list = services(m);

	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I}",
		"now_ms", (json_int_t)now_ms(), "version", FAIRLEAD_VERSION,
		"status", answers_status(o->answers),
		"attached", attachments(m), "reasons", reasons(m),
		"maps", maps(m, o->metrics), "services", list,
		"checks", checking_json(o->checking),
		"left_out", (json_int_t)m->left_out);
}

char *overview_text(const struct overview *o, size_t *ret_len)
{
	struct making m = {
		.parts = o->parts,
		.tables = parts_tables(o->parts),
		.room = OVERVIEW_BACKENDS_MAX,
	};
	json_t *value = NULL;
	char *ret = NULL;

	m.stats = calloc(m.tables->nr_backends + 1, sizeof(*m.stats));
	if (m.stats && !dp_backend_stats(m.parts->dp, 0, m.tables->nr_backends,
					 m.stats))
		value = overview_make(o, &m);
	free(m.stats);
	if (value)
		ret = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	*ret_len = ret ? strlen(ret) : 0;
	return ret;
}
