// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See ipvs_diff.h. */
#include <stdarg.h>
#include <string.h>

#include "base/addr.h"
#include "ipvs_diff.h"

#define NAME_MAX_TEXT 120
#define SHARE_PARTS 1000	/* a difference of less is none */

struct diff {
	const struct ipvs_table *table;
	const struct model *model;
	FILE *out;
	__u64 hz;
	unsigned int count;
	char name[NAME_MAX_TEXT];	/* of the service in hand */
};

static void __attribute__((format(printf, 2, 3)))
differs(struct diff *d, const char *fmt, ...)
{
	va_list args;

	d->count++;
	fprintf(d->out, "%s: ", d->name);
	va_start(args, fmt);
	vfprintf(d->out, fmt, args);
	va_end(args);
	fputc('\n', d->out);
}

static void name_ipvs(struct diff *d, const struct ipvs_service *s)
{
	struct model_front f = {
		.addr = s->addr, .prefix_len = 128,
		.port_first = s->port,
		.port_last = s->port ?: 0xffff,
	};
	char text[FRONT_TEXT_MAX];

	if (!s->proto)
		snprintf(d->name, sizeof(d->name), "mark %u", s->mark);
	else
		snprintf(d->name, sizeof(d->name), "%s",
			 model_front_text(&f, s->proto, text));
}

/* Is all that s is reached by f's? */
static bool front_has(const struct model_front *f, const struct ipvs_service *s)
{
	return addr_in(&s->addr, &f->addr, f->prefix_len) &&
	       f->port_first <= s->port &&
	       (s->port ?: 0xffff) <= f->port_last;
}

static const struct model_service *find_service(const struct diff *d,
						const struct ipvs_service *s)
{
	for (size_t i = 0; i < d->model->nr_services; i++) {
		const struct model_service *m = d->model->services[i];

		for (size_t j = 0; j < m->nr_fronts && m->proto == s->proto;
		     j++)
			if (front_has(&m->fronts[j], s))
				return m;
	}
	return NULL;
}

static bool ipvs_has(const struct diff *d, const struct model_front *f,
		     __u8 proto)
{
	for (size_t i = 0; i < d->table->services.count; i++)
		if (d->table->services.at[i].proto == proto &&
		    front_has(f, &d->table->services.at[i]))
			return true;
	return false;
}

static __u32 weight_of(const struct model_backend *b)
{
	return b->state == BACKEND_ACTIVE ? b->weight : 0;
}

static __u64 weights_of_ipvs(const struct ipvs_service *s)
{
	__u64 sum = 0;

	for (size_t i = 0; i < s->servers.count; i++)
		sum += s->servers.at[i].weight;
	return sum;
}

static __u64 weights_of_ours(const struct model_service *m)
{
	__u64 sum = 0;

	for (size_t i = 0; i < m->nr_backends; i++)
		sum += weight_of(&m->backends[i]);
	return sum;
}

static unsigned int share(__u64 weight, __u64 sum)
{
	return sum ? weight * SHARE_PARTS / sum : 0;
}

/* A backend without a port gets packets at the port that clients use. */
static bool is_same(const struct model_backend *b, const struct ipvs_service *s,
		    const struct ipvs_server *server)
{
	return !addr_compare(&b->addr, &server->addr) &&
	       (b->port ?: s->port) == (server->port ?: s->port);
}

static const char *server_text(const struct addr *a, __u16 port,
			       char text[static NAME_MAX_TEXT])
{
	char addr[ADDR_TEXT_MAX];

	snprintf(text, NAME_MAX_TEXT, addr_is4(a) ? "%s:%u" : "[%s]:%u",
		 addr_format(a, addr), port);
	return text;
}

static void diff_share(struct diff *d, const struct ipvs_service *s,
		       const struct ipvs_server *server,
		       const struct model_service *m,
		       const struct model_backend *b)
{
	unsigned int was = share(server->weight, weights_of_ipvs(s));
	unsigned int is = share(weight_of(b), weights_of_ours(m));
	char text[NAME_MAX_TEXT];

	if (was == is || was + 1 == is || was == is + 1)
		return;
	differs(d, "backend %s: gets %u.%u %% by IPVS, %u.%u %% by the definitions",
		server_text(&server->addr, server->port, text), was / 10,
		was % 10, is / 10, is % 10);
}

static bool is_forward(const char *ipvs, enum forward ours)
{
	if (!strcmp(ipvs, "Masq"))
		return ours == FORWARD_NAT;
	if (!strcmp(ipvs, "Route"))
		return ours == FORWARD_L2;
	if (!strcmp(ipvs, "Tunnel"))
		return ours != FORWARD_NAT && ours != FORWARD_L2;
	return !strcmp(ipvs, "Local");
}

static void diff_servers(struct diff *d, const struct ipvs_service *s,
			 const struct model_service *m)
{
	char text[NAME_MAX_TEXT];

	for (size_t i = 0; i < s->servers.count; i++) {
		const struct ipvs_server *server = &s->servers.at[i];
		const struct model_backend *found = NULL;

		for (size_t j = 0; j < m->nr_backends && !found; j++)
			if (is_same(&m->backends[j], s, server))
				found = &m->backends[j];
		server_text(&server->addr, server->port, text);
		if (!found)
			differs(d, "backend %s: the definitions have it not",
				text);
		else
			diff_share(d, s, server, m, found);
		if (!is_forward(server->forward, m->forward))
			differs(d, "backend %s: forwarded as \"%s\" by IPVS, by %s by the definitions",
				text, server->forward,
				forward_name(m->forward));
	}
}

static bool has_server(const struct ipvs_service *s,
		       const struct model_backend *b)
{
	for (size_t i = 0; i < s->servers.count; i++)
		if (is_same(b, s, &s->servers.at[i]))
			return true;
	return false;
}

static void diff_backends(struct diff *d, const struct ipvs_service *s,
			  const struct model_service *m)
{
	char text[NAME_MAX_TEXT];

	for (size_t i = 0; i < m->nr_backends; i++)
		if (!has_server(s, &m->backends[i]))
			differs(d, "backend %s: IPVS has it not",
				server_text(&m->backends[i].addr,
					    m->backends[i].port ?: s->port,
					    text));
}

/* Those that choose by the client, as IPVS's three do by its addresses; and by
 * turns. */
static bool is_scheduler(const char *ipvs, enum algorithm ours)
{
	if (!strcmp(ipvs, "rr") || !strcmp(ipvs, "wrr"))
		return ours == ALGORITHM_ROUND_ROBIN;
	return (!strcmp(ipvs, "mh") || !strcmp(ipvs, "sh") ||
		!strcmp(ipvs, "dh")) && ours == ALGORITHM_MAGLEV;
}

static void diff_affinity(struct diff *d, const struct ipvs_service *s,
			  const struct model_service *m)
{
	if (!s->persistent != !m->affinity_s)
		differs(d, "clients stick by %s alone",
			s->persistent ? "IPVS" : "the definitions");
	else if (d->hz && s->persistent / d->hz != m->affinity_s)
		differs(d, "clients stick for %llu s in IPVS, for %u s by the definitions",
			s->persistent / d->hz, m->affinity_s);
}

static void diff_service(struct diff *d, const struct ipvs_service *s)
{
	const struct model_service *m;

	name_ipvs(d, s);
	if (!s->proto) {
		differs(d, "IPVS serves what bears a mark; nothing does so here");
		return;
	}
	m = find_service(d, s);
	if (!m) {
		differs(d, "the definitions have it not");
		return;
	}
	if (!is_scheduler(s->scheduler, m->algorithm))
		differs(d, "scheduled by %s in IPVS, by %s by the definitions",
			s->scheduler, algorithm_name(m->algorithm));
	diff_affinity(d, s, m);
	diff_servers(d, s, m);
	diff_backends(d, s, m);
}

unsigned int ipvs_diff(const struct ipvs_table *t, const struct model *m,
		       __u64 hz, FILE *out)
{
	struct diff d = { .table = t, .model = m, .hz = hz, .out = out };

	for (size_t i = 0; i < t->services.count; i++)
		diff_service(&d, &t->services.at[i]);
	for (size_t i = 0; i < m->nr_services; i++) {
		const struct model_service *s = m->services[i];

		for (size_t j = 0; j < s->nr_fronts; j++) {
			if (ipvs_has(&d, &s->fronts[j], s->proto))
				continue;
			model_front_text(&s->fronts[j], s->proto, d.name);
			differs(&d, "IPVS has it not (\"%s\")", s->name);
		}
	}
	return d.count;
}
