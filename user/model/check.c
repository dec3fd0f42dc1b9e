// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See check.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "check.h"

/* What a verdict may be late by: a loop that has other things to do. */
#define LATE_MS 100

const char *check_kind_name(enum probe_kind kind)
{
	static const char *const names[NR_PROBE_KINDS] = {
		[PROBE_TCP] = "tcp", [PROBE_TLS] = "tls",
		[PROBE_HTTP] = "http", [PROBE_HTTPS] = "https",
		[PROBE_UDP] = "udp", [PROBE_DNS] = "dns",
		[PROBE_ICMP] = "icmp", [PROBE_FILE] = "file",
		[PROBE_AGENT] = "agent", [PROBE_EXEC] = "exec",
	};

	return kind < NR_PROBE_KINDS && names[kind] ? names[kind] : "none";
}

const char *check_state_name(enum check_state state)
{
	switch (state) {
	case CHECK_UP:
		return "up";
	case CHECK_DOWN:
		return "down";
	default:
		return "unknown";
	}
}

bool probe_spec_part(struct probe_spec *s, size_t i, struct probe_part *ret)
{
	struct probe_bytes *const bytes[] = { &s->send, &s->expect, &s->body };
	char **const texts[] = {
		&s->sni, &s->alpn, &s->ca, &s->cert, &s->key, &s->method,
		&s->path, &s->host, &s->headers, &s->name, &s->file,
	};
	const size_t nr_bytes = sizeof(bytes) / sizeof(*bytes);
	const size_t nr_texts = sizeof(texts) / sizeof(*texts);

	*ret = (struct probe_part){};
	if (i < nr_bytes)
		ret->bytes = bytes[i];
	else if (i - nr_bytes < nr_texts)
		ret->text = texts[i - nr_bytes];
	else if (i - nr_bytes - nr_texts < PROBE_ARGV_MAX)
		ret->text = &s->argv[i - nr_bytes - nr_texts];
	return ret->bytes || ret->text;
}

void probe_spec_clear(struct probe_spec *s)
{
	struct probe_part p;

	for (size_t i = 0; probe_spec_part(s, i, &p); i++) {
		free(p.bytes ? p.bytes->data : *p.text);
		if (p.bytes)
			*p.bytes = (struct probe_bytes){};
		else
			*p.text = NULL;
	}
}

/* Of a part that to has as its own from then on. */
static int part_copy(struct probe_part *to, const struct probe_part *from)
{
	if (from->bytes) {
		*to->bytes = (struct probe_bytes){};
		if (!from->bytes->data)
			return 0;
		to->bytes->data = malloc(from->bytes->len + 1);
		if (!to->bytes->data)
			return -ENOMEM;
		memcpy(to->bytes->data, from->bytes->data, from->bytes->len);
		to->bytes->len = from->bytes->len;
		return 0;
	}
	*to->text = *from->text ? strdup(*from->text) : NULL;
	return *from->text && !*to->text ? -ENOMEM : 0;
}

int probe_spec_copy(struct probe_spec *ret, const struct probe_spec *s)
{
	struct probe_part to, from;
	int err = 0;

	memcpy(ret, s, sizeof(*ret));
	for (size_t i = 0; probe_spec_part(ret, i, &to); i++) {
		probe_spec_part((struct probe_spec *)s, i, &from);
		err = part_copy(&to, &from) ?: err;
	}
	if (err)
		probe_spec_clear(ret);
	return err;
}

void model_health_clear(struct model_health *h)
{
	for (size_t i = 0; i < h->nr_checks; i++)
		probe_spec_clear(&h->checks[i].spec);
	free(h->checks);
	*h = (struct model_health){};
}

static __u64 digest_bytes(__u64 digest, const void *data, size_t len)
{
	const unsigned char *p = data;

	digest = hash_mix(digest ^ len) + 0x9e3779b97f4a7c15ull;
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ p[i]) * 0x100000001b3ull;
	return hash_mix(digest);
}

/* With no pointers and no time in it, the struct is words alone. */
__u64 probe_spec_digest(const struct probe_spec *s)
{
	struct probe_spec plain;
	struct probe_part p;
	__u64 digest = 1;

	memcpy(&plain, s, sizeof(plain));
	plain.timeout_ms = 0;
	for (size_t i = 0; probe_spec_part(&plain, i, &p); i++) {
		if (p.bytes && p.bytes->data)
			digest = digest_bytes(digest + i, p.bytes->data,
					      p.bytes->len);
		else if (p.text && *p.text)
			digest = digest_bytes(digest + i, *p.text,
					      strlen(*p.text));
		if (p.bytes)
			p.bytes->data = NULL;
		else
			*p.text = NULL;
	}
	return digest_bytes(digest, &plain, sizeof(plain)) | 1;
}

__u32 check_detection_ms(const struct model_check *c)
{
	__u32 again = c->fast_ms > c->spec.timeout_ms ? c->fast_ms :
							c->spec.timeout_ms;

	return c->interval_ms + (c->fall - 1) * again + c->spec.timeout_ms +
	       LATE_MS;
}
