// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See import_services.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "import_services.h"

void import_clear(struct import *i)
{
	for (size_t k = 0; k < i->services.count; k++)
		free(i->services.at[k].servers.at);
	free(i->services.at);
	free(i->alone.at);
}

void import_lose(struct import_losses *l, const char *fmt, ...)
{
	size_t len = strlen(l->text);
	va_list args;

	if (len)
		len += snprintf(l->text + len, sizeof(l->text) - len, "; ");
	if (len >= sizeof(l->text))
		return;
	va_start(args, fmt);
	vsnprintf(l->text + len, sizeof(l->text) - len, fmt, args);
	va_end(args);
}

int import_wrong(struct import *i, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(i->ret->why, sizeof(i->ret->why), fmt, args);
	va_end(args);
	return -EINVAL;
}

bool import_number(const char *text, unsigned long max, __u32 *ret)
{
	size_t len = text ? strspn(text, "0123456789") : 0;
	unsigned long number;

	if (!len || text[len] || len > 10)
		return false;
	number = strtoul(text, NULL, 10);
	*ret = number;
	return number <= max;
}

bool import_is_text(const char *line)
{
	for (; *line; line++)
		if ((*line < ' ' && *line != '\t') || *line > '~')
			return false;
	return true;
}

static void say_losses(struct import *i, const char *indent,
		       const struct import_losses *l)
{
	if (!*l->text)
		return;
	i->ret->not_carried++;
	fprintf(i->out, "%s# NOT CARRIED: %s\n", indent, l->text);
}

/* Weights of IPVS have no bound. */
static __u32 weight_scaled(const struct import_virtual *v, __u32 weight)
{
	__u64 most = BACKEND_WEIGHT_MAX;

	for (size_t k = 0; k < v->servers.count; k++)
		if (v->servers.at[k].weight > most)
			most = v->servers.at[k].weight;
	if (!weight)
		return 0;
	return (__u64)weight * BACKEND_WEIGHT_MAX / most ?: 1;
}

static enum forward forward_of(const struct import_virtual *v)
{
	return v->servers.count ? v->servers.at[0].forward : FORWARD_NAT;
}

static bool gue_port_differs(const struct import_server *s)
{
	return s->forward == FORWARD_GUE && s->tunnel_port &&
	       s->tunnel_port != 6080;
}

static void print_server(struct import *i, const struct import_virtual *v,
			 const struct import_server *s)
{
	const bool is_lost = s->forward != forward_of(v);
	struct import_losses losses = s->losses;
	char addr[ADDR_TEXT_MAX];

	if (is_lost)
		import_lose(&losses, "it is forwarded to by %s, the others of this service by %s",
		     forward_name(s->forward), forward_name(forward_of(v)));
	if (strcmp(s->health, v->servers.at[0].health))
		import_lose(&losses, "its own check: %.150s",
			    *s->health ? s->health : "none");
	if (gue_port_differs(s))
		import_lose(&losses, "GUE at port %u is a setting: gue-port",
		     s->tunnel_port);
	fprintf(i->out, "      # %s\n", s->line);
	say_losses(i, "      ", &losses);
	if (is_lost)
		return;
	i->ret->backends++;
	fprintf(i->out, "      - {address: \"%s\"", addr_format(&s->addr, addr));
	if (s->forward == FORWARD_NAT && s->port != v->port)
		fprintf(i->out, ", port: %u", s->port);
	fprintf(i->out, ", weight: %u}\n", weight_scaled(v, s->weight));
}

/* What is nearest; those that count connections have no counterpart. */
static const char *algorithm_for(const struct import_virtual *v, struct import_losses *l)
{
	static const char *const by_client[] = { "mh", "sh", "dh" };

	if (!strcmp(v->scheduler, "rr") || !strcmp(v->scheduler, "wrr"))
		return "round-robin";
	for (int k = 0; k < 3; k++)
		if (!strcmp(v->scheduler, by_client[k]))
			return "maglev";
	import_lose(l, "scheduler %s: round-robin is in its place",
	     *v->scheduler ? v->scheduler : "wlc");
	return "round-robin";
}

static void print_name(struct import *i, const struct import_virtual *v)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&v->addr, text);
	for (char *c = text; *c; c++)
		*c = *c == '.' || *c == ':' ? '-' : *c;
	fprintf(i->out, "  - name: %s-%s-%u\n", proto_name(v->proto), text,
		v->port);
}

/* Checks are a service's here: the first server's, which are the others' most
 * often. */
static void print_health(struct import *i, const struct import_virtual *v)
{
	const struct import_server *first = v->servers.at;

	if (v->servers.count && *first->health)
		fprintf(i->out, "    health: {%s%s}\n", first->health,
			v->health);
}

static void print_virtual(struct import *i, const struct import_virtual *v)
{
	struct import_losses losses = v->losses;
	const char *algorithm = algorithm_for(v, &losses);
	char addr[ADDR_TEXT_MAX];

	fprintf(i->out, "  # %s\n", v->line);
	say_losses(i, "  ", &losses);
	i->ret->services++;
	print_name(i, v);
	fprintf(i->out, "    address: \"%s\"\n", addr_format(&v->addr, addr));
	if (v->port)
		fprintf(i->out, "    port: %u\n", v->port);
	else
		fputs("    port: \"*\"\n", i->out);
	fprintf(i->out, "    protocol: %s\n    forward: %s\n    algorithm: %s\n",
		proto_name(v->proto), forward_name(forward_of(v)), algorithm);
	if (v->persistent_s)
		fprintf(i->out, "    affinity: {client: %us}\n",
			v->persistent_s);
	if (v->is_ops)
		fputs("    udp: stateless\n", i->out);
	print_health(i, v);
	fprintf(i->out, "    backends:%s\n", v->servers.count ? "" : " []");
	for (size_t k = 0; k < v->servers.count; k++)
		print_server(i, v, &v->servers.at[k]);
}

static void print_mark(struct import *i, const struct import_virtual *v)
{
	struct import_losses losses = {};

	import_lose(&losses, "services by mark: write the addresses and ports that are marked, as CIDR and \"8000-8999\", perhaps");
	fprintf(i->out, "  # %s\n", v->line);
	say_losses(i, "  ", &losses);
	for (size_t k = 0; k < v->servers.count; k++)
		fprintf(i->out, "  # %s\n", v->servers.at[k].line);
}

static bool any_is_carried(const struct import *i)
{
	for (size_t k = 0; k < i->services.count; k++)
		if (i->services.at[k].proto)
			return true;
	return false;
}

int import_print(struct import *i)
{
	for (size_t k = 0; k < i->alone.count; k++)
		say_losses(i, "", &i->alone.at[k]);
	fprintf(i->out, "services:%s\n", any_is_carried(i) ? "" : " []");
	for (size_t k = 0; k < i->services.count; k++)
		if (i->services.at[k].proto)
			print_virtual(i, &i->services.at[k]);
		else
			print_mark(i, &i->services.at[k]);
	return fflush(i->out) || ferror(i->out) ? -EIO : 0;
}
