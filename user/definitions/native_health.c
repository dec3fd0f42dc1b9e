// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * "health:" of a service: a check, or a service's own keys and a list of
 * "checks:", all of which must pass.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "native.h"
#include "native_probe.h"

#define HEALTH_MS_MAX 3600000
#define HEALTH_COUNT_MAX 255
#define HEALTH_TEXT_MAX 1024
#define HEALTH_CHECKS_MAX 8

enum key {
	KEY_TYPE, KEY_PATH, KEY_HOST, KEY_PORT, KEY_INTERVAL, KEY_TIMEOUT,
	KEY_RISE, KEY_FALL, KEY_FAST, KEY_JITTER, KEY_ADDRESS, KEY_SOURCE,
	KEY_INTERFACE, KEY_SEND, KEY_EXPECT,
	KEY_PROBE,		/* and the others of native_probe.h */
	NR_CHECK_KEYS = KEY_PROBE + NR_PROBE_KEYS,
	/* of the service, where "health:" itself is a mapping */
	KEY_ON_DOWN = NR_CHECK_KEYS, KEY_ALL_DOWN, KEY_MINIMUM, KEY_CHECKS,
	NR_KEYS,
};

#define CHECK_KEYS							\
	[KEY_TYPE] = "type",						\
	[KEY_PATH] = "path",						\
	[KEY_HOST] = "host",						\
	[KEY_PORT] = "port",						\
	[KEY_INTERVAL] = "interval",					\
	[KEY_TIMEOUT] = "timeout",					\
	[KEY_RISE] = "rise",						\
	[KEY_FALL] = "fall",						\
	[KEY_FAST] = "fast",						\
	[KEY_JITTER] = "jitter",					\
	[KEY_ADDRESS] = "address",					\
	[KEY_SOURCE] = "source",					\
	[KEY_INTERFACE] = "interface",					\
	[KEY_SEND] = "send",						\
	[KEY_EXPECT] = "expect",					\
	[KEY_PROBE] = PROBE_KEY_NAMES

static const char *const check_keys[] = { CHECK_KEYS, [NR_CHECK_KEYS] = NULL };

static const char *const health_keys[] = {
	CHECK_KEYS,
	[KEY_ON_DOWN] = "on-down",
	[KEY_ALL_DOWN] = "all-down",
	[KEY_MINIMUM] = "minimum",
	[KEY_CHECKS] = "checks",
	[NR_KEYS] = NULL,
};

static void read_type(struct reader *r, const struct tree_node *whole,
		      const struct tree_node *n, struct probe_spec *s)
{
	static const char *const words[] = { "tcp", "http", "https", "udp",
					     "icmp", "tls", "dns", "agent",
					     NULL };
	static const __u8 kinds[] = { PROBE_TCP, PROBE_HTTP, PROBE_HTTPS,
				      PROBE_UDP, PROBE_ICMP, PROBE_TLS,
				      PROBE_DNS, PROBE_AGENT };
	int i;

	if (!n) {
		if (whole->kind == TREE_MAPPING)
			reader_error(r, whole, "health has no \"type\"");
		return;
	}
	i = value_choice(r, n, "health type", words);
	if (i >= 0)
		s->kind = kinds[i];
}

/* A word of a request's head: nothing that could end a line of it. */
static char *read_http_text(struct reader *r, const struct tree_node *n,
			    const char *what)
{
	const char *text;

	if (!value_text(r, n, what, &text))
		return NULL;
	if (!n->count || n->count > HEALTH_TEXT_MAX) {
		reader_error(r, n, "%s has %u bytes; it needs 1 to %u", what,
			     n->count, HEALTH_TEXT_MAX);
		return NULL;
	}
	for (const char *p = text; *p; p++) {
		if (*p > ' ' && *p != 0x7f)
			continue;
		reader_error(r, n,
			     "%s has a space, a control character or a byte that is not ASCII",
			     what);
		return NULL;
	}
	return reader_strdup(r, text);
}

static void read_http(struct reader *r, const struct tree_node *const *v,
		      struct probe_spec *s)
{
	const struct tree_node *n = v[KEY_PATH] ?: v[KEY_HOST];

	if (!n)
		return;
	if (s->kind != PROBE_HTTP && s->kind != PROBE_HTTPS) {
		reader_error(r, n,
			     "\"%s\" in a health check that is not of type http or https",
			     v[KEY_PATH] ? "path" : "host");
		return;
	}
	if (v[KEY_PATH])
		s->path = read_http_text(r, v[KEY_PATH], "health path");
	if (s->path && s->path[0] != '/')
		reader_error(r, v[KEY_PATH],
			     "health path \"%.64s\" does not start with \"/\"",
			     s->path);
	if (v[KEY_HOST])
		s->host = read_http_text(r, v[KEY_HOST], "health host");
}

static void read_bytes(struct reader *r, const struct tree_node *n,
		       const char *what, struct probe_spec *s,
		       struct probe_bytes *ret)
{
	const char *text;

	if (!n)
		return;
	if (s->kind != PROBE_TCP && s->kind != PROBE_UDP) {
		reader_error(r, n,
			     "\"%s\" in a health check that is not of type tcp or udp",
			     what);
		return;
	}
	if (!value_text(r, n, what, &text))
		return;
	if (!n->count || n->count > HEALTH_TEXT_MAX) {
		reader_error(r, n, "health %s has %u bytes; it needs 1 to %u",
			     what, n->count, HEALTH_TEXT_MAX);
		return;
	}
	if (ret == &s->expect && s->kind == PROBE_UDP &&
	    !strcmp(text, "no-unreachable")) {
		s->no_unreachable = true;
		return;
	}
	ret->data = reader_strdup(r, text);
	ret->len = ret->data ? strlen(ret->data) : 0;
}

static void read_times(struct reader *r, const struct tree_node *const *v,
		       struct model_check *c)
{
	static const struct {
		enum key key;
		const char *what;
		size_t at;
		__u32 min;
	} times[] = {
		{ KEY_INTERVAL, "health interval",
		  offsetof(struct model_check, interval_ms), 100 },
		{ KEY_FAST, "health fast",
		  offsetof(struct model_check, fast_ms), 100 },
		{ KEY_TIMEOUT, "health timeout",
		  offsetof(struct model_check, spec.timeout_ms), 10 },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		if (v[times[i].key])
			value_ms(r, v[times[i].key], times[i].what,
				 times[i].min, HEALTH_MS_MAX,
				 (__u32 *)((char *)c + times[i].at));
	if (v[KEY_RISE])
		value_number(r, v[KEY_RISE], "health rise", 1,
			     HEALTH_COUNT_MAX, &c->rise);
	if (v[KEY_FALL])
		value_number(r, v[KEY_FALL], "health fall", 1,
			     HEALTH_COUNT_MAX, &c->fall);
	if (v[KEY_JITTER])
		value_number(r, v[KEY_JITTER], "health jitter", 0, 100,
			     &c->jitter);
}

/* Where it is asked, and from where. */
static void read_target(struct reader *r, const struct tree_node *const *v,
			struct probe_spec *s)
{
	const char *text;

	if (v[KEY_PORT] && s->kind == PROBE_ICMP)
		reader_error(r, v[KEY_PORT],
			     "\"port\" in a health check of type icmp");
	else if (v[KEY_PORT])
		value_port(r, v[KEY_PORT], "health port", &s->port);
	if (v[KEY_ADDRESS])
		value_addr(r, v[KEY_ADDRESS], "health address", &s->addr);
	if (v[KEY_SOURCE])
		value_addr(r, v[KEY_SOURCE], "health source", &s->source);
	if (!v[KEY_INTERFACE] ||
	    !value_text(r, v[KEY_INTERFACE], "health interface", &text))
		return;
	if (value_is_link_name(text))
		memcpy(s->interface, text, strlen(text));
	else
		reader_error(r, v[KEY_INTERFACE],
			     "health interface \"%.64s\" cannot be an interface's name",
			     text);
}

static void read_check(struct reader *r, const struct tree_node *whole,
		       const struct tree_node *const *v,
		       struct model_health *ret)
{
	struct model_check *c = &ret->checks[ret->nr_checks++];

	*c = (struct model_check){
		.spec.timeout_ms = 1000,
		.interval_ms = 2000,
		.fast_ms = 1000,
		.rise = 2,
		.fall = 3,
		.jitter = 10,
	};
	read_type(r, whole, v[KEY_TYPE], &c->spec);
	if (!c->spec.kind)
		return;
	read_http(r, v, &c->spec);
	native_read_probe(r, v + KEY_PROBE, &c->spec);
	read_bytes(r, v[KEY_SEND], "send", &c->spec, &c->spec.send);
	read_bytes(r, v[KEY_EXPECT], "expect", &c->spec, &c->spec.expect);
	read_target(r, v, &c->spec);
	read_times(r, v, c);
}

static void read_list(struct reader *r, const struct tree_node *list,
		      struct model_health *ret)
{
	if (!value_list(r, list, "checks"))
		return;
	if (!list->count || list->count > HEALTH_CHECKS_MAX) {
		reader_error(r, list,
			     "health has %u checks; it needs 1 to %u",
			     list->count, HEALTH_CHECKS_MAX);
		return;
	}
	for (const struct tree_node *n = list->first; n; n = n->next) {
		const struct tree_node *v[NR_CHECK_KEYS] = {};

		value_keys(r, n, "a check", check_keys, v);
		read_check(r, n, v, ret);
	}
}

static void read_policy(struct reader *r, const struct tree_node *const *v,
			struct model_health *ret)
{
	static const char *const on_down[] = {
		[ON_DOWN_MOVE] = "move", [ON_DOWN_LEAVE] = "leave", NULL
	};
	static const char *const all_down[] = {
		[ALL_DOWN_REJECT] = "reject", [ALL_DOWN_KEEP] = "keep", NULL
	};
	int i;

	if (v[KEY_ON_DOWN]) {
		i = value_choice(r, v[KEY_ON_DOWN], "on-down", on_down);
		ret->on_down = i > 0 ? i : 0;
	}
	if (v[KEY_ALL_DOWN]) {
		i = value_choice(r, v[KEY_ALL_DOWN], "all-down", all_down);
		ret->all_down = i > 0 ? i : 0;
	}
	ret->minimum = 1;
	if (v[KEY_MINIMUM])
		value_number(r, v[KEY_MINIMUM], "minimum", 1, 65535000,
			     &ret->minimum);
}

void native_read_health(struct reader *r, const struct tree_node *n,
			struct model_health *ret)
{
	const struct tree_node *v[NR_KEYS] = {};

	value_keys(r, n, "health", health_keys, v);
	ret->checks = calloc(HEALTH_CHECKS_MAX, sizeof(*ret->checks));
	if (!ret->checks) {
		r->no_memory = true;
		return;
	}
	read_policy(r, v, ret);
	if (!v[KEY_CHECKS]) {
		read_check(r, n, v, ret);
		return;
	}
	for (int i = 0; i < NR_CHECK_KEYS; i++)
		if (v[i])
			reader_error(r, v[i],
				     "\"%s\" beside \"checks\": it belongs into one of them",
				     check_keys[i]);
	read_list(r, v[KEY_CHECKS], ret);
}
