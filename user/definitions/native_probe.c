// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See native_probe.h: a table has who takes what, and how it is read. */
#include <stdlib.h>
#include <string.h>

#include "native_probe.h"

#define TEXT_MAX 1024
#define EXPIRES_S (7 * 24 * 3600)

/* Printable, without blanks: it ends no line of a request. */
static void read_word(struct reader *r, const struct tree_node *n,
		      const char *key, char **ret)
{
	const char *text;
	bool plain = true;

	if (!value_text(r, n, key, &text))
		return;
	for (const char *p = text; *p; p++)
		plain &= *p > ' ' && *p < 0x7f;
	if (!*text || !plain || n->count > TEXT_MAX)
		reader_error(r, n,
			     "health %s needs 1 to %u printable bytes without blanks",
			     key, TEXT_MAX);
	else
		*ret = reader_strdup(r, text);
}

static void read_method(struct reader *r, const struct tree_node *n,
			struct probe_spec *s)
{
	static const char *const words[] = { "GET", "HEAD", "OPTIONS", "POST",
					     NULL };
	int i = value_choice(r, n, "health method", words);

	if (i >= 0)
		s->method = reader_strdup(r, words[i]);
}

static bool read_range(struct reader *r, const struct tree_node *n,
		       struct probe_spec *s)
{
	struct probe_range *to = &s->status[s->nr_status];

	if (s->nr_status == PROBE_STATUS_RANGES_MAX)
		return reader_error(r, n, "more than %u ranges of health status",
				    PROBE_STATUS_RANGES_MAX);
	if (!value_port_range(r, n, "health status", &to->first, &to->last))
		return false;
	if (to->first < 100 || to->last > 599)
		return reader_error(r, n,
				    "health status \"%.16s\" is not within 100-599",
				    n->text);
	s->nr_status++;
	return true;
}

static void read_status(struct reader *r, const struct tree_node *n,
			struct probe_spec *s)
{
	if (n->kind != TREE_SEQUENCE) {
		read_range(r, n, s);
		return;
	}
	for (n = n->first; n; n = n->next)
		if (!read_range(r, n, s))
			return;
}

static void read_body(struct reader *r, const struct tree_node *n,
		      struct probe_spec *s)
{
	const char *text;

	if (!value_text(r, n, "health body", &text))
		return;
	if (!n->count || n->count > TEXT_MAX) {
		reader_error(r, n, "health body has %u bytes; it needs 1 to %u",
			     n->count, TEXT_MAX);
		return;
	}
	s->body.data = reader_strdup(r, text);
	s->body.len = s->body.data ? strlen(s->body.data) : 0;
}

static void read_sni(struct reader *r, const struct tree_node *n,
		     struct probe_spec *s)
{
	read_word(r, n, "sni", &s->sni);
}

static void read_alpn(struct reader *r, const struct tree_node *n,
		      struct probe_spec *s)
{
	read_word(r, n, "alpn", &s->alpn);
}

static void read_verify(struct reader *r, const struct tree_node *n,
			struct probe_spec *s)
{
	static const char *const words[] = {
		[PROBE_VERIFY_OFF] = "off", [PROBE_VERIFY_CHAIN] = "chain",
		[PROBE_VERIFY_FULL] = "full", NULL
	};
	int i = value_choice(r, n, "health verify", words);

	s->verify = i > 0 ? i : 0;
}

static void read_expires(struct reader *r, const struct tree_node *n,
			 struct probe_spec *s)
{
	value_seconds(r, n, "health expires", &s->expires_s);
}

static void read_name(struct reader *r, const struct tree_node *n,
		      struct probe_spec *s)
{
	read_word(r, n, "name", &s->name);
}

/* By their numbers, RFC 1035 4.1.1. */
static void read_rcode(struct reader *r, const struct tree_node *n,
		       struct probe_spec *s)
{
	static const char *const words[] = { "NOERROR", "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP", "REFUSED",
					     NULL };
	int i = value_choice(r, n, "health rcode", words);

	s->rcode = i > 0 ? i : 0;
}

static void read_transport(struct reader *r, const struct tree_node *n,
			   struct probe_spec *s)
{
	static const char *const words[] = { "udp", "tcp", NULL };

	s->dns_tcp = value_choice(r, n, "health transport", words) == 1;
}

#define HTTP (1u << PROBE_HTTP | 1u << PROBE_HTTPS)
#define TLS (1u << PROBE_TLS | 1u << PROBE_HTTPS)
#define DNS (1u << PROBE_DNS)

static const struct {
	__u32 kinds;
	const char *types;
	void (*read)(struct reader *r, const struct tree_node *n,
		     struct probe_spec *s);
} rows[NR_PROBE_KEYS] = {
	{ HTTP, "http or https", read_method },
	{ HTTP, "http or https", read_status },
	{ HTTP, "http or https", read_body },
	{ TLS, "tls or https", read_sni },
	{ TLS, "tls or https", read_alpn },
	{ TLS, "tls or https", read_verify },
	{ TLS, "tls or https", read_expires },
	{ DNS, "dns", read_name },
	{ DNS, "dns", read_rcode },
	{ DNS, "dns", read_transport },
};

void native_read_probe(struct reader *r, const struct tree_node *const *v,
		       struct probe_spec *s)
{
	static const char *const names[NR_PROBE_KEYS] = { PROBE_KEY_NAMES };

	if (TLS & 1u << s->kind)
		s->expires_s = EXPIRES_S;
	for (int i = 0; i < NR_PROBE_KEYS; i++) {
		if (v[i] && !(rows[i].kinds & 1u << s->kind))
			reader_error(r, v[i],
				     "\"%s\" in a health check that is not of type %s",
				     names[i], rows[i].types);
		else if (v[i])
			rows[i].read(r, v[i], s);
	}
}
