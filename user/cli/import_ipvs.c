// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See import_ipvs.h; the format is that of ipvsadm(8), --save. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "import_ipvs.h"
#include "model/model.h"

#define LINE_SIZE 512
#define PORT_TEXT_MAX 8

/* What is not carried, in one line's words. */
struct losses {
	char text[200];		/* "": nothing */
};

struct server {
	char line[LINE_SIZE];
	struct addr addr;
	__u32 port, weight, tunnel_port;
	enum forward forward;
	struct losses losses;
};

struct virtual {
	char line[LINE_SIZE];
	__u8 proto;
	struct addr addr;
	__u32 port, mark, persistent_s;
	char scheduler[32];
	bool is_ops;
	struct losses losses;
	LIST(struct server) servers;
};

struct import {
	struct import_result *ret;
	FILE *out;
	LIST(struct virtual) services;
	LIST(struct losses) alone;	/* lines that no service is made of */
};

static void import_clear(struct import *i)
{
	for (size_t k = 0; k < i->services.count; k++)
		free(i->services.at[k].servers.at);
	free(i->services.at);
	free(i->alone.at);
}

static void __attribute__((format(printf, 2, 3)))
lose(struct losses *l, const char *fmt, ...)
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

static int __attribute__((format(printf, 2, 3)))
wrong(struct import *i, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(i->ret->why, sizeof(i->ret->why), fmt, args);
	va_end(args);
	return -EINVAL;
}

static bool number_parse(const char *text, unsigned long max, __u32 *ret)
{
	size_t len = text ? strspn(text, "0123456789") : 0;
	unsigned long number;

	if (!len || text[len] || len > 10)
		return false;
	number = strtoul(text, NULL, 10);
	*ret = number;
	return number <= max;
}

/* "192.0.2.10:80", "[2001:db8::10]:80" */
static bool end_parse(const char *text, struct addr *ret, __u32 *port)
{
	char copy[ADDR_TEXT_MAX + PORT_TEXT_MAX], *addr = copy, *colon;

	if (!text || strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	colon = strrchr(copy, ':');
	if (!colon || !number_parse(colon + 1, 0xffff, port))
		return false;
	*colon = '\0';
	if (*copy == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		addr++;
	}
	return addr_parse(addr, ret) && addr_is4(ret) == (addr == copy);
}

static bool is_word(const char *word, const char *text, const char *longer)
{
	return !strcmp(word, text) || !strcmp(word, longer);
}

/* The words of a line, one after another. */
struct words {
	char *rest;
	char *ahead;		/* looked at, not taken */
};

static char *word_look(struct words *w)
{
	if (!w->ahead)
		w->ahead = strtok_r(NULL, " \t\n", &w->rest);
	return w->ahead;
}

static char *word_take(struct words *w)
{
	char *word = word_look(w);

	w->ahead = NULL;
	return word;
}

/* Whose service a line is about; word has told how that is said. */
static int virtual_name(struct import *i, const char *word, struct words *w,
			struct virtual *ret)
{
	const char *text;

	ret->proto = is_word(word, "-t", "--tcp-service") ? IPPROTO_TCP :
		     is_word(word, "-u", "--udp-service") ? IPPROTO_UDP :
		     !strcmp(word, "--sctp-service") ? IPPROTO_SCTP : 0;
	text = word_take(w);
	if (ret->proto ? !end_parse(text, &ret->addr, &ret->port) :
			 !number_parse(text, 0xffffffff, &ret->mark))
		return wrong(i, "\"%.60s %.60s\" names no service", word,
			     text ?: "");
	return 0;
}

static bool is_name(const char *word)
{
	return is_word(word, "-t", "--tcp-service") ||
	       is_word(word, "-u", "--udp-service") ||
	       is_word(word, "-f", "--fwmark-service") ||
	       !strcmp(word, "--sctp-service");
}

static struct virtual *virtual_find(struct import *i, const struct virtual *as)
{
	for (size_t k = 0; k < i->services.count; k++) {
		struct virtual *v = &i->services.at[k];

		if (v->proto == as->proto && v->mark == as->mark &&
		    v->port == as->port && !addr_compare(&v->addr, &as->addr))
			return v;
	}
	return NULL;
}

/* One option of a service; -p has a value, or has none. */
static int virtual_option(struct import *i, const char *word, struct words *w,
			  struct virtual *v)
{
	const char *value;

	if (is_word(word, "-p", "--persistent")) {
		v->persistent_s = 300;
		if (word_look(w) && *word_look(w) != '-' &&
		    !number_parse(word_take(w), 0xffffffff, &v->persistent_s))
			return wrong(i, "-p without a time");
		return 0;
	}
	if (is_word(word, "-o", "--ops")) {
		v->is_ops = true;
		return 0;
	}
	value = word_take(w);
	if (!value)
		return wrong(i, "\"%.60s\" is not known, or has no value",
			     word);
	if (is_word(word, "-s", "--scheduler"))
		snprintf(v->scheduler, sizeof(v->scheduler), "%s", value);
	else if (is_word(word, "-M", "--netmask"))
		lose(&v->losses, "clients stick one by one, not by the prefix %.40s",
		     value);
	else if (!strcmp(word, "--pe"))
		lose(&v->losses, "persistence engine %.40s", value);
	else if (!is_word(word, "-b", "--sched-flags"))
		return wrong(i, "\"%.60s\" is not known", word);
	return 0;
}

static int virtual_add(struct import *i, const char *line, struct words *w)
{
	struct virtual v = {}, *to;
	char *word;
	int err = 0;

	snprintf(v.line, sizeof(v.line), "%s", line);
	while (!err && (word = word_take(w)))
		err = is_name(word) ? virtual_name(i, word, w, &v) :
				      virtual_option(i, word, w, &v);
	if (err)
		return err;
	if (!v.proto && !v.mark)
		return wrong(i, "no service is named");
	if (virtual_find(i, &v))
		return wrong(i, "this service is there already");
	to = list_add(&i->services);
	if (!to)
		return -ENOMEM;
	*to = v;
	return 0;
}

static bool server_way(const char *word, struct server *s)
{
	if (is_word(word, "-g", "--gatewaying"))
		s->forward = FORWARD_L2;
	else if (is_word(word, "-i", "--ipip"))
		s->forward = FORWARD_IPIP;
	else if (is_word(word, "-m", "--masquerading"))
		s->forward = FORWARD_NAT;
	else
		return false;
	return true;
}

static int tunnel_type(struct import *i, const char *value, struct server *s)
{
	if (!strcmp(value, "ipip"))
		s->forward = FORWARD_IPIP;
	else if (!strcmp(value, "gue"))
		s->forward = FORWARD_GUE;
	else if (!strcmp(value, "gre"))
		s->forward = FORWARD_GRE;
	else
		return wrong(i, "tunnels of type \"%.40s\" are not known",
			     value);
	return 0;
}

static bool is_checksum(const char *word)
{
	return !strcmp(word, "--tun-nocsum") || !strcmp(word, "--tun-csum") ||
	       !strcmp(word, "--tun-remcsum");
}

static int server_option(struct import *i, const char *word, struct words *w,
			 struct server *s)
{
	const char *value;

	if (server_way(word, s))
		return 0;
	if (is_checksum(word)) {
		if (strcmp(word, "--tun-nocsum"))
			lose(&s->losses, "%s", word);
		return 0;
	}
	value = word_take(w);
	if (!value)
		return wrong(i, "\"%.60s\" is not known, or has no value",
			     word);
	if (is_word(word, "-r", "--real-server"))
		return end_parse(value, &s->addr, &s->port) ? 0 :
		       wrong(i, "\"%.60s\" is no server", value);
	if (is_word(word, "-w", "--weight"))
		return number_parse(value, 0x7fffffff, &s->weight) ? 0 :
		       wrong(i, "\"%.60s\" is no weight", value);
	if (!strcmp(word, "--tun-type"))
		return tunnel_type(i, value, s);
	if (!strcmp(word, "--tun-port"))
		return number_parse(value, 0xffff, &s->tunnel_port) ? 0 :
		       wrong(i, "\"%.60s\" is no port", value);
	if (!is_word(word, "-x", "--u-threshold") &&
	    !is_word(word, "-y", "--l-threshold"))
		return wrong(i, "\"%.60s\" is not known", word);
	if (strcmp(value, "0"))
		lose(&s->losses, "%s %.20s: connections of a backend are not limited",
		     word, value);
	return 0;
}

static int server_add(struct import *i, const char *line, struct words *w)
{
	struct server s = { .weight = 1, .forward = FORWARD_L2 }, *to;
	struct virtual as = {}, *v;
	char *word;
	int err = 0;

	snprintf(s.line, sizeof(s.line), "%s", line);
	while (!err && (word = word_take(w)))
		err = is_name(word) ? virtual_name(i, word, w, &as) :
				      server_option(i, word, w, &s);
	if (err)
		return err;
	v = virtual_find(i, &as);
	if (!v)
		return wrong(i, "a server of a service that is not there");
	if (addr_is_zero(&s.addr))
		return wrong(i, "no server is named");
	to = list_add(&v->servers);
	if (!to)
		return -ENOMEM;
	*to = s;
	return 0;
}

/* Lines become comments, which are text. */
static bool is_text(const char *line)
{
	for (; *line; line++)
		if ((*line < ' ' && *line != '\t') || *line > '~')
			return false;
	return true;
}

static int line_take(struct import *i, char *line)
{
	char copy[LINE_SIZE];
	struct words w = {};
	struct losses *l;
	char *word;

	line[strcspn(line, "\r\n")] = '\0';
	if (!is_text(line))
		return wrong(i, "this is no text");
	strcpy(copy, line);
	word = strtok_r(copy, " \t", &w.rest);
	if (!word || *word == '#')
		return 0;
	if (is_word(word, "-A", "--add-service"))
		return virtual_add(i, line, &w);
	if (is_word(word, "-a", "--add-server"))
		return server_add(i, line, &w);
	if (strcmp(word, "--start-daemon"))
		return wrong(i, "\"%.60s\" is no line of ipvsadm --save", word);
	l = list_add(&i->alone);
	if (!l)
		return -ENOMEM;
	lose(l, "%.150s (connections are not told to other nodes: give nodes one hash-key)",
	     line);
	return 0;
}

static void say_losses(struct import *i, const char *indent,
		       const struct losses *l)
{
	if (!*l->text)
		return;
	i->ret->not_carried++;
	fprintf(i->out, "%s# NOT CARRIED: %s\n", indent, l->text);
}

/* Weights of IPVS have no bound. */
static __u32 weight_scaled(const struct virtual *v, __u32 weight)
{
	__u64 most = BACKEND_WEIGHT_MAX;

	for (size_t k = 0; k < v->servers.count; k++)
		if (v->servers.at[k].weight > most)
			most = v->servers.at[k].weight;
	if (!weight)
		return 0;
	return (__u64)weight * BACKEND_WEIGHT_MAX / most ?: 1;
}

static enum forward forward_of(const struct virtual *v)
{
	return v->servers.count ? v->servers.at[0].forward : FORWARD_NAT;
}

static bool gue_port_differs(const struct server *s)
{
	return s->forward == FORWARD_GUE && s->tunnel_port &&
	       s->tunnel_port != 6080;
}

static void print_server(struct import *i, const struct virtual *v,
			 const struct server *s)
{
	const bool is_lost = s->forward != forward_of(v);
	struct losses losses = s->losses;
	char addr[ADDR_TEXT_MAX];

	if (is_lost)
		lose(&losses, "it is forwarded to by %s, the others of this service by %s",
		     forward_name(s->forward), forward_name(forward_of(v)));
	if (gue_port_differs(s))
		lose(&losses, "GUE at port %u is a setting: gue-port",
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
static const char *algorithm_for(const struct virtual *v, struct losses *l)
{
	static const char *const by_client[] = { "mh", "sh", "dh" };

	if (!strcmp(v->scheduler, "rr") || !strcmp(v->scheduler, "wrr"))
		return "round-robin";
	for (int k = 0; k < 3; k++)
		if (!strcmp(v->scheduler, by_client[k]))
			return "maglev";
	lose(l, "scheduler %s: round-robin is in its place",
	     *v->scheduler ? v->scheduler : "wlc");
	return "round-robin";
}

static void print_name(struct import *i, const struct virtual *v)
{
	char text[ADDR_TEXT_MAX];

	addr_format(&v->addr, text);
	for (char *c = text; *c; c++)
		*c = *c == '.' || *c == ':' ? '-' : *c;
	fprintf(i->out, "  - name: %s-%s-%u\n", proto_name(v->proto), text,
		v->port);
}

static void print_virtual(struct import *i, const struct virtual *v)
{
	struct losses losses = v->losses;
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
	fprintf(i->out, "    backends:%s\n", v->servers.count ? "" : " []");
	for (size_t k = 0; k < v->servers.count; k++)
		print_server(i, v, &v->servers.at[k]);
}

static void print_mark(struct import *i, const struct virtual *v)
{
	struct losses losses = {};

	lose(&losses, "services by mark: write the addresses and ports that are marked, as CIDR and \"8000-8999\", perhaps");
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

static int print_all(struct import *i)
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

int import_ipvs(FILE *from, FILE *out, struct import_result *ret)
{
	__cleanup(import_clear) struct import i = { .ret = ret, .out = out };
	char line[LINE_SIZE];
	int err = 0;

	*ret = (struct import_result){};
	while (!err && fgets(line, sizeof(line), from)) {
		ret->line++;
		err = strchr(line, '\n') || feof(from) ?
			      line_take(&i, line) :
			      wrong(&i, "the line is too long");
	}
	if (ferror(from))
		return -EIO;
	return err ?: print_all(&i);
}
