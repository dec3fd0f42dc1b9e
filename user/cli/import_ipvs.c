// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See import_ipvs.h; the format is that of ipvsadm(8), --save. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "import_services.h"

#define PORT_TEXT_MAX 8

/* "192.0.2.10:80", "[2001:db8::10]:80" */
static bool end_parse(const char *text, struct addr *ret, __u32 *port)
{
	char copy[ADDR_TEXT_MAX + PORT_TEXT_MAX], *addr = copy, *colon;

	if (!text || strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	colon = strrchr(copy, ':');
	if (!colon || !import_number(colon + 1, 0xffff, port))
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
			struct import_virtual *ret)
{
	const char *text;

	ret->proto = is_word(word, "-t", "--tcp-service") ? IPPROTO_TCP :
		     is_word(word, "-u", "--udp-service") ? IPPROTO_UDP :
		     !strcmp(word, "--sctp-service") ? IPPROTO_SCTP : 0;
	text = word_take(w);
	if (ret->proto ? !end_parse(text, &ret->addr, &ret->port) :
			 !import_number(text, 0xffffffff, &ret->mark))
		return import_wrong(i, "\"%.60s %.60s\" names no service", word,
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

static struct import_virtual *virtual_find(struct import *i, const struct import_virtual *as)
{
	for (size_t k = 0; k < i->services.count; k++) {
		struct import_virtual *v = &i->services.at[k];

		if (v->proto == as->proto && v->mark == as->mark &&
		    v->port == as->port && !addr_compare(&v->addr, &as->addr))
			return v;
	}
	return NULL;
}

/* One option of a service; -p has a value, or has none. */
static int virtual_option(struct import *i, const char *word, struct words *w,
			  struct import_virtual *v)
{
	const char *value;

	if (is_word(word, "-p", "--persistent")) {
		v->persistent_s = 300;
		if (word_look(w) && *word_look(w) != '-' &&
		    !import_number(word_take(w), 0xffffffff, &v->persistent_s))
			return import_wrong(i, "-p without a time");
		return 0;
	}
	if (is_word(word, "-o", "--ops")) {
		v->is_ops = true;
		return 0;
	}
	value = word_take(w);
	if (!value)
		return import_wrong(i, "\"%.60s\" is not known, or has no value",
			     word);
	if (is_word(word, "-s", "--scheduler"))
		snprintf(v->scheduler, sizeof(v->scheduler), "%s", value);
	else if (is_word(word, "-M", "--netmask"))
		import_lose(&v->losses, "clients stick one by one, not by the prefix %.40s",
		     value);
	else if (!strcmp(word, "--pe"))
		import_lose(&v->losses, "persistence engine %.40s", value);
	else if (!is_word(word, "-b", "--sched-flags"))
		return import_wrong(i, "\"%.60s\" is not known", word);
	return 0;
}

static int virtual_add(struct import *i, const char *line, struct words *w)
{
	struct import_virtual v = {}, *to;
	char *word;
	int err = 0;

	snprintf(v.line, sizeof(v.line), "%s", line);
	while (!err && (word = word_take(w)))
		err = is_name(word) ? virtual_name(i, word, w, &v) :
				      virtual_option(i, word, w, &v);
	if (err)
		return err;
	if (!v.proto && !v.mark)
		return import_wrong(i, "no service is named");
	if (virtual_find(i, &v))
		return import_wrong(i, "this service is there already");
	to = list_add(&i->services);
	if (!to)
		return -ENOMEM;
	*to = v;
	return 0;
}

static bool server_way(const char *word, struct import_server *s)
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

static int tunnel_type(struct import *i, const char *value, struct import_server *s)
{
	if (!strcmp(value, "ipip"))
		s->forward = FORWARD_IPIP;
	else if (!strcmp(value, "gue"))
		s->forward = FORWARD_GUE;
	else if (!strcmp(value, "gre"))
		s->forward = FORWARD_GRE;
	else
		return import_wrong(i, "tunnels of type \"%.40s\" are not known",
			     value);
	return 0;
}

static bool is_checksum(const char *word)
{
	return !strcmp(word, "--tun-nocsum") || !strcmp(word, "--tun-csum") ||
	       !strcmp(word, "--tun-remcsum");
}

static int server_option(struct import *i, const char *word, struct words *w,
			 struct import_server *s)
{
	const char *value;

	if (server_way(word, s))
		return 0;
	if (is_checksum(word)) {
		if (strcmp(word, "--tun-nocsum"))
			import_lose(&s->losses, "%s", word);
		return 0;
	}
	value = word_take(w);
	if (!value)
		return import_wrong(i, "\"%.60s\" is not known, or has no value",
			     word);
	if (is_word(word, "-r", "--real-server"))
		return end_parse(value, &s->addr, &s->port) ? 0 :
		       import_wrong(i, "\"%.60s\" is no server", value);
	if (is_word(word, "-w", "--weight"))
		return import_number(value, 0x7fffffff, &s->weight) ? 0 :
		       import_wrong(i, "\"%.60s\" is no weight", value);
	if (!strcmp(word, "--tun-type"))
		return tunnel_type(i, value, s);
	if (!strcmp(word, "--tun-port"))
		return import_number(value, 0xffff, &s->tunnel_port) ? 0 :
		       import_wrong(i, "\"%.60s\" is no port", value);
	if (!is_word(word, "-x", "--u-threshold") &&
	    !is_word(word, "-y", "--l-threshold"))
		return import_wrong(i, "\"%.60s\" is not known", word);
	if (strcmp(value, "0"))
		import_lose(&s->losses, "%s %.20s: connections of a backend are not limited",
		     word, value);
	return 0;
}

static int server_add(struct import *i, const char *line, struct words *w)
{
	struct import_server s = { .weight = 1, .forward = FORWARD_L2 }, *to;
	struct import_virtual as = {}, *v;
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
		return import_wrong(i, "a server of a service that is not there");
	if (addr_is_zero(&s.addr))
		return import_wrong(i, "no server is named");
	to = list_add(&v->servers);
	if (!to)
		return -ENOMEM;
	*to = s;
	return 0;
}

static int line_take(struct import *i, char *line)
{
	char copy[IMPORT_LINE_MAX];
	struct words w = {};
	struct import_losses *l;
	char *word;

	line[strcspn(line, "\r\n")] = '\0';
	if (!import_is_text(line))
		return import_wrong(i, "this is no text");
	strcpy(copy, line);
	word = strtok_r(copy, " \t", &w.rest);
	if (!word || *word == '#')
		return 0;
	if (is_word(word, "-A", "--add-service"))
		return virtual_add(i, line, &w);
	if (is_word(word, "-a", "--add-server"))
		return server_add(i, line, &w);
	if (strcmp(word, "--start-daemon"))
		return import_wrong(i, "\"%.60s\" is no line of ipvsadm --save", word);
	l = list_add(&i->alone);
	if (!l)
		return -ENOMEM;
	import_lose(l, "%.150s (connections are not told to other nodes: give nodes one hash-key)",
	     line);
	return 0;
}

int import_ipvs(FILE *from, FILE *out, struct import_result *ret)
{
	__cleanup(import_clear) struct import i = { .ret = ret, .out = out };
	char line[IMPORT_LINE_MAX];
	int err = 0;

	*ret = (struct import_result){};
	while (!err && fgets(line, sizeof(line), from)) {
		ret->line++;
		err = strchr(line, '\n') || feof(from) ?
			      line_take(&i, line) :
			      import_wrong(&i, "the line is too long");
	}
	if (ferror(from))
		return -EIO;
	return err ?: import_print(&i);
}
