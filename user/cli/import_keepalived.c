// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See import.h; the format is that of keepalived.conf(5). */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "import_services.h"

#define WORDS_MAX 24
#define DEPTH_MAX 8

/* A line, and what is in braces behind it. */
struct block {
	char line[IMPORT_LINE_MAX];	/* as it is written, without the brace */
	char copy[IMPORT_LINE_MAX];	/* cut into words */
	char *words[WORDS_MAX];
	unsigned int nr_words, number;
	LIST(struct block *) in;
};

static void block_free(struct block *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->in.count; i++)
		block_free(b->in.at[i]);
	free(b->in.at);
	free(b);
}

static void block_freep(struct block **b)
{
	block_free(*b);
}

static const char *word(const struct block *b, unsigned int at)
{
	return at < b->nr_words ? b->words[at] : "";
}

static bool is(const struct block *b, const char *text)
{
	return !strcmp(word(b, 0), text);
}

/* The last of these, as the last one counts; NULL: there is none. */
static const struct block *find(const struct block *in, const char *name)
{
	for (size_t i = in->in.count; i-- > 0; )
		if (is(in->in.at[i], name))
			return in->in.at[i];
	return NULL;
}

static const char *value(const struct block *in, const char *name,
			 const char *by_default)
{
	const struct block *b = find(in, name);

	return b && b->nr_words > 1 ? b->words[1] : by_default;
}

/* "#" and "!" begin a comment, but for in quotes. */
static void cut_comment(char *text)
{
	bool is_quoted = false;

	for (; *text; text++) {
		is_quoted ^= *text == '"';
		if (!is_quoted && (*text == '#' || *text == '!'))
			break;
	}
	*text = '\0';
}

static void cut_words(struct block *b)
{
	char *rest = b->copy, *at;

	while (b->nr_words < WORDS_MAX) {
		rest += strspn(rest, " \t");
		if (!*rest)
			break;
		at = rest;
		if (*rest == '"') {
			at = ++rest;
			rest += strcspn(rest, "\"");
		} else {
			rest += strcspn(rest, " \t");
		}
		b->words[b->nr_words++] = at;
		if (*rest)
			*rest++ = '\0';
	}
}

/* How far it is to a brace that is not in quotes, or to the end. */
static size_t find_brace(const char *text)
{
	bool is_quoted = false;
	size_t len = 0;

	for (; text[len]; len++) {
		is_quoted ^= text[len] == '"';
		if (!is_quoted && (text[len] == '{' || text[len] == '}'))
			break;
	}
	return len;
}

/* "$NAME" or "${NAME}", and not the end of an expression. */
static bool has_variable(const char *text)
{
	for (; (text = strchr(text, '$')); text++)
		if (text[1] == '{' || text[1] == '_' || isalnum(text[1]))
			return true;
	return false;
}

/* Where the text that is read goes on. */
struct reading {
	struct import *import;
	struct block *open[DEPTH_MAX];	/* those that have not ended */
	unsigned int depth;
};

static int add_block(struct reading *r, const char *text, size_t len,
		     struct block **ret)
{
	struct block *b, **to;

	len = strnlen(text, len);
	text += strspn(text, " \t");
	if (!*text || !len)
		return 0;
	b = calloc(1, sizeof(*b));
	to = b ? list_add(&r->open[r->depth]->in) : NULL;
	if (!to) {
		free(b);
		return -ENOMEM;
	}
	*to = *ret = b;
	b->number = r->import->ret->line;
	snprintf(b->line, sizeof(b->line), "%s", text);
	b->line[strcspn(b->line, "\r\n")] = '\0';
	for (len = strlen(b->line); len && strchr(" \t", b->line[len - 1]); )
		b->line[--len] = '\0';
	strcpy(b->copy, b->line);
	cut_words(b);
	return 0;
}

/* Definitions of its own would be others than these. */
static int check_plain(struct import *i, const char *text)
{
	if (!strncmp(text, "include", 7))
		return import_wrong(i, "include: put what it includes in its place");
	if (has_variable(text))
		return import_wrong(i, "variables are not known: put their values in their places");
	if (*text == '@' || *text == '~')
		return import_wrong(i, "conditions are not known: leave what is for this host");
	return 0;
}

/* A piece of a line up to a brace, or its end. */
static int take_piece(struct reading *r, char *text, char end)
{
	struct block *b = NULL;
	int err;

	text += strspn(text, " \t\r\n");
	err = check_plain(r->import, text) ?:
	      add_block(r, text, IMPORT_LINE_MAX, &b);
	if (err || !end)
		return err;
	if (end == '}') {
		if (!r->depth)
			return import_wrong(r->import, "a brace that nothing began");
		r->depth--;
		return 0;
	}
	if (!b)
		b = r->open[r->depth]->in.count ?
			r->open[r->depth]->in.at[r->open[r->depth]->in.count - 1] :
			NULL;
	if (!b || r->depth + 1 == DEPTH_MAX)
		return import_wrong(r->import, "a brace that belongs to nothing, or too many of them");
	r->open[++r->depth] = b;
	return 0;
}

static int take_line(struct reading *r, char *line)
{
	char *at = line;
	int err = 0;

	line[strcspn(line, "\r\n")] = '\0';
	cut_comment(line);
	if (!import_is_text(line))
		return import_wrong(r->import, "this is no text");
	while (!err) {
		size_t len = find_brace(at);
		char end = at[len];

		at[len] = '\0';
		err = take_piece(r, at, end);
		if (!end)
			break;
		at += len + 1;
	}
	return err;
}

static int read_all(struct import *i, FILE *from, struct block *top)
{
	struct reading r = { .import = i, .open = { top } };
	char line[IMPORT_LINE_MAX];
	int err = 0;

	while (!err && fgets(line, sizeof(line), from)) {
		i->ret->line++;
		err = strchr(line, '\n') || feof(from) ?
			      take_line(&r, line) :
			      import_wrong(i, "the line is too long");
	}
	if (ferror(from))
		return -EIO;
	return err || !r.depth ? err : import_wrong(i, "a brace is open at the end");
}

static void lose_block(struct import_losses *l, const struct block *b)
{
	import_lose(l, "%.80s", b->line);
}

/* The last of these that is in a check, or in its service. */
static const struct block *find_either(const struct block *check,
				       const struct block *of, const char *name)
{
	return find(check, name) ?: find(of, name);
}

/* Seconds, with a fraction perhaps: "2", "0.25". 0: it is none. */
static unsigned int milliseconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*end || !*text || strspn(text, "0123456789.") != strlen(text) ||
	    s < 0.001 || s > 3600)
		return 0;
	return s * 1000 + 0.5;
}

/* Keepalived's defaults are longer than ours. */
static void put_time(const struct block *from, const char *key,
		     unsigned int by_default, struct import_server *s)
{
	const size_t len = strlen(s->health), size = sizeof(s->health);
	unsigned int ms = from ? milliseconds(word(from, 1)) : by_default;

	if (!ms) {
		lose_block(&s->losses, from);
		ms = by_default;
	}
	snprintf(s->health + len, size - len, ms % 1000 ? ", %s: %ums" :
							  ", %s: %us",
		 key, ms % 1000 ? ms : ms / 1000);
}

#define RETRY_MAX 254

static void put_times(const struct block *of, const struct block *check,
		      struct import_server *s)
{
	const struct block *retry = find_either(check, of, "retry");
	const bool is_get = strstr(check->words[0], "_GET");
	__u32 count = is_get ? 3 : 1;
	size_t len;

	put_time(find(of, "delay_loop"), "interval", 60000, s);
	put_time(find_either(check, of, "delay_before_retry"), "fast", 1000, s);
	put_time(find_either(check, of, "connect_timeout"), "timeout", 5000, s);
	if (retry && !import_number(word(retry, 1), RETRY_MAX, &count)) {
		lose_block(&s->losses, retry);
		count = is_get ? 3 : 1;
	}
	len = strlen(s->health);
	snprintf(s->health + len, sizeof(s->health) - len,
		 ", rise: 1, fall: %u", count + 1);
}

/* "path: \"/x\"", as YAML's double quotes have it. */
static void put_text(char *to, size_t size, const char *key, const char *text)
{
	size_t len = strlen(to);

	if (!*text)
		return;
	len += snprintf(to + len, size - len, ", %s: \"", key);
	if (len >= size)
		return;
	for (; *text && len + 4 < size; text++) {
		if (*text == '"' || *text == '\\')
			to[len++] = '\\';
		to[len++] = *text;
	}
	snprintf(to + len, size - len, "\"");
}

/* "200", "200 204 301-302" */
static void put_status(const struct block *codes, struct import_server *s)
{
	const size_t size = sizeof(s->health);
	size_t len = strlen(s->health);

	for (unsigned int i = 1; i < codes->nr_words; i++)
		if (strspn(codes->words[i], "0123456789-") !=
		    strlen(codes->words[i]) || strlen(codes->words[i]) > 7) {
			lose_block(&s->losses, codes);
			return;
		}
	len += snprintf(s->health + len, size - len, ", status: [");
	for (unsigned int i = 1; i < codes->nr_words && len < size; i++)
		len += snprintf(s->health + len, size - len, "%s%s",
				i > 1 ? ", " : "", codes->words[i]);
	if (len < size)
		snprintf(s->health + len, size - len, "]");
}

static void put_http(const struct block *check, struct import_server *s)
{
	const struct block *url = find(check, "url");
	const size_t size = sizeof(s->health);

	if (!url)
		return;
	put_text(s->health, size, "path", value(url, "path", "/"));
	put_text(s->health, size, "host",
		 value(url, "virtualhost", value(check, "virtualhost", "")));
	if (find(url, "status_code"))
		put_status(find(url, "status_code"), s);
	for (size_t i = 0; i < url->in.count; i++) {
		const struct block *b = url->in.at[i];

		if (is(b, "digest") || is(b, "regex"))
			import_lose(&s->losses,
				    "%s: say body, a text that is in it",
				    word(b, 0));
		else if (!is(b, "path") && !is(b, "virtualhost") &&
			 !is(b, "status_code"))
			lose_block(&s->losses, b);
	}
}

static const struct kind {
	const char *name, *type;
} kinds[] = {
	{ "TCP_CHECK", "tcp" }, { "HTTP_GET", "http" }, { "SSL_GET", "https" },
	{ "DNS_CHECK", "dns" }, { "PING_CHECK", "icmp" },
	{ "SMTP_CHECK", "tcp" }, { "UDP_CHECK", "udp" },
};

static const struct kind *kind_of(const struct block *b)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(b, kinds[i].name))
			return &kinds[i];
	return NULL;
}

/* Does put_check() ask for it, in a check of this type? */
static bool is_of_check(const struct block *b, const char *type)
{
	static const char *const known[] = {
		"connect_timeout", "retry", "delay_before_retry",
		"connect_port", "bindto",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is(b, known[i]))
			return true;
	if (strstr(type, "http"))
		return is(b, "url") || is(b, "virtualhost");
	return !strcmp(type, "dns") && is(b, "name");
}

/* What of a check is not carried: another one may be well where it is not. */
static void lose_rest(const struct block *check, const char *type,
		      struct import_server *s)
{
	for (size_t i = 0; i < check->in.count; i++) {
		const struct block *b = check->in.at[i];

		if (!is_of_check(b, type) ||
		    (is(b, "url") && b != find(check, "url")))
			lose_block(&s->losses, b);
	}
}

static void put_port(const struct block *port, struct import_server *s)
{
	const size_t len = strlen(s->health);
	__u32 number;

	if (!import_number(word(port, 1), 0xffff, &number) || !number)
		lose_block(&s->losses, port);
	else
		snprintf(s->health + len, sizeof(s->health) - len,
			 ", port: %u", number);
}

static void put_check(const struct block *of, const struct block *check,
		      const struct kind *kind, struct import_server *s)
{
	const size_t size = sizeof(s->health);

	snprintf(s->health, size, "type: %s", kind->type);
	if (find(check, "connect_port"))
		put_port(find(check, "connect_port"), s);
	if (strstr(kind->type, "http"))
		put_http(check, s);
	else if (!strcmp(kind->type, "dns"))
		put_text(s->health, size, "name", value(check, "name", ""));
	else if (!strcmp(kind->type, "udp"))
		put_text(s->health, size, "expect", "no-unreachable");
	else if (is(check, "SMTP_CHECK"))
		put_text(s->health, size, "expect", "220");
	if (find(check, "bindto"))
		put_text(s->health, size, "source", value(check, "bindto", ""));
	put_times(of, check, s);
	lose_rest(check, kind->type, s);
}

/* What is in a real_server's braces. */
static void server_block(const struct block *of, const struct block *b,
			 struct import_server *s)
{
	const struct kind *kind = kind_of(b);

	if (kind && *s->health)
		import_lose(&s->losses, "one more check, %s", kind->name);
	else if (kind)
		put_check(of, b, kind, s);
	else if (is(b, "weight") &&
		 import_number(word(b, 1), 0x7fffffff, &s->weight))
		return;
	else if (!is(b, "inhibit_on_failure"))
		lose_block(&s->losses, b);
}

static enum forward forward_of(const struct block *of)
{
	const char *kind = value(of, "lb_kind", value(of, "lvs_method", "NAT"));

	return !strcmp(kind, "DR") ? FORWARD_L2 :
	       !strcmp(kind, "TUN") ? FORWARD_IPIP : FORWARD_NAT;
}

static int server_add(struct import *i, const struct block *of,
		      const struct block *b, struct import_virtual *v)
{
	struct import_server s = { .weight = 1, .forward = forward_of(of) };
	struct import_server *to;

	i->ret->line = b->number;
	if (!addr_parse(word(b, 1), &s.addr) ||
	    !import_number(word(b, 2), 0xffff, &s.port))
		return import_wrong(i, "real_server needs an address and a port");
	snprintf(s.line, sizeof(s.line), "%s", b->line);
	import_number(value(of, "weight", "1"), 0x7fffffff, &s.weight);
	for (size_t k = 0; k < b->in.count; k++)
		server_block(of, b->in.at[k], &s);
	to = list_add(&v->servers);
	if (!to)
		return -ENOMEM;
	*to = s;
	return 0;
}

/* What is said of a service, once, and read where it is needed. */
static bool is_known(const struct block *b)
{
	static const char *const known[] = {
		"delay_loop", "lb_algo", "lvs_sched", "lb_kind", "lvs_method",
		"persistence_timeout", "protocol", "retry", "ops", "weight",
		"delay_before_retry", "connect_timeout", "quorum", "alpha",
		"inhibit_on_failure", "real_server", "ha_suspend",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is(b, known[i]))
			return true;
	return false;
}

/* Of all servers, or of the service: it is one word here. */
static bool all_inhibit(const struct block *b, struct import_losses *l)
{
	size_t servers = 0, with = 0;

	for (size_t i = 0; i < b->in.count; i++) {
		if (!is(b->in.at[i], "real_server"))
			continue;
		servers++;
		with += !!find(b->in.at[i], "inhibit_on_failure");
	}
	if (find(b, "inhibit_on_failure") || (servers && with == servers))
		return true;
	if (with)
		import_lose(l, "inhibit_on_failure of some servers alone");
	return false;
}

static void virtual_rest(const struct block *b, struct import_virtual *v)
{
	__u32 quorum;

	if (!import_number(value(b, "quorum", "1"), 0xffff, &quorum) ||
	    !quorum)
		quorum = 1;
	snprintf(v->health, sizeof(v->health), ", minimum: %u%s", quorum,
		 all_inhibit(b, &v->losses) ? ", on-down: leave" : "");
	for (size_t i = 0; i < b->in.count; i++)
		if (!is_known(b->in.at[i]))
			lose_block(&v->losses, b->in.at[i]);
	if (find(b, "ha_suspend"))
		lose_block(&v->losses, find(b, "ha_suspend"));
}

static __u8 proto_of(const struct block *b)
{
	return proto_number(value(b, "protocol", "TCP"));
}

/* One address and port of it: of a group there are several. */
static int virtual_add(struct import *i, const struct block *b,
		       const char *addr, const char *port)
{
	struct import_virtual v = { .proto = proto_of(b) }, *to;
	int err = 0;

	i->ret->line = b->number;
	if (!v.proto)
		return import_wrong(i, "protocol is none of TCP, UDP, SCTP");
	if (!addr_parse(addr, &v.addr) ||
	    !import_number(*port ? port : "0", 0xffff, &v.port))
		return import_wrong(i, "virtual_server needs an address and a port");
	snprintf(v.line, sizeof(v.line), "%s", b->line);
	snprintf(v.scheduler, sizeof(v.scheduler), "%s",
		 value(b, "lb_algo", value(b, "lvs_sched", "wlc")));
	if (find(b, "persistence_timeout") &&
	    !import_number(value(b, "persistence_timeout", "360"), 0x7fffffff,
			   &v.persistent_s))
		lose_block(&v.losses, find(b, "persistence_timeout"));
	v.is_ops = find(b, "ops");
	virtual_rest(b, &v);
	for (size_t k = 0; k < b->in.count && !err; k++)
		if (is(b->in.at[k], "real_server"))
			err = server_add(i, b, b->in.at[k], &v);
	to = err ? NULL : list_add(&i->services);
	if (to)
		*to = v;
	else
		free(v.servers.at);
	return err ?: to ? 0 : -ENOMEM;
}

static int lose_alone(struct import *i, const struct block *b, const char *why)
{
	struct import_losses *l = list_add(&i->alone);

	if (!l)
		return -ENOMEM;
	import_lose(l, "%.120s%s%s", b->line, *why ? ": " : "", why);
	return 0;
}

static const struct block *find_group(const struct block *top,
				      const char *name)
{
	for (size_t i = 0; i < top->in.count; i++)
		if (is(top->in.at[i], "virtual_server_group") &&
		    !strcmp(word(top->in.at[i], 1), name))
			return top->in.at[i];
	return NULL;
}

static int group_add(struct import *i, const struct block *top,
		     const struct block *b)
{
	const struct block *group = find_group(top, word(b, 2));
	int err = 0;

	if (!group) {
		i->ret->line = b->number;
		return import_wrong(i, "there is no virtual_server_group \"%.60s\"",
				    word(b, 2));
	}
	for (size_t k = 0; k < group->in.count && !err; k++) {
		const struct block *at = group->in.at[k];

		if (strchr(word(at, 0), '-') || is(at, "fwmark"))
			err = lose_alone(i, at, "write a prefix, perhaps");
		else
			err = virtual_add(i, b, word(at, 0), word(at, 1));
	}
	return err;
}

static int top_block(struct import *i, const struct block *top,
		     const struct block *b)
{
	if (is(b, "virtual_server_group"))
		return 0;
	if (!is(b, "virtual_server"))
		return lose_alone(i, b, strstr(b->line, "vrrp") ?
					"stays with keepalived" : "");
	if (!strcmp(word(b, 1), "group"))
		return group_add(i, top, b);
	if (!strcmp(word(b, 1), "fwmark"))
		return lose_alone(i, b, "write the addresses that are marked");
	return virtual_add(i, b, word(b, 1), word(b, 2));
}

int import_keepalived(FILE *from, FILE *out, struct import_result *ret)
{
	__cleanup(import_clear) struct import i = { .ret = ret, .out = out };
	__cleanup(block_freep) struct block *top = calloc(1, sizeof(*top));
	int err;

	*ret = (struct import_result){};
	if (!top)
		return -ENOMEM;
	err = read_all(&i, from, top);
	for (size_t k = 0; k < top->in.count && !err; k++)
		err = top_block(&i, top, top->in.at[k]);
	return err ?: import_print(&i);
}
