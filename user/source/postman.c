// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See postman.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postman.h"

#define TRIES_MAX 5
#define TICKS_MAX 10		/* that an answer may take */

static void first_done(struct postman *p)
{
	free(p->events[0].path);
	free(p->events[0].body);
	p->count--;
	memmove(p->events, p->events + 1, p->count * sizeof(*p->events));
	p->tries = p->wait_ticks = 0;
}

/* What the server does not like now it will not like later. */
static bool is_final(int status)
{
	return status >= 200 && status < 500 && status != 429;
}

static void on_status(void *arg, int status)
{
}

static bool on_body(void *arg, const char *data, size_t len)
{
	return true;
}

static void on_end(void *arg, int status, const char *error,
		   unsigned int retry_after_s)
{
	struct postman *p = arg;
	char text[128];

	p->request = NULL;
	if (!is_final(status) && p->tries < TRIES_MAX) {
		p->wait_ticks = retry_after_s ?: 1u << p->tries;
		return;
	}
	if (status < 200 || status > 299) {
		if (status)
			snprintf(text, sizeof(text), "status %d", status);
		else
			snprintf(text, sizeof(text), "%.100s",
				 error ?: "no answer");
		p->lost(p->arg, text);
	}
	first_done(p);
}

static void go(struct postman *p)
{
	static const struct http_ops ops = { on_status, on_body, on_end };
	const struct postman_event *e = &p->events[0];

	if (p->request || !p->count || p->wait_ticks)
		return;
	p->tries++;
	if (http_post(p->http, p->access, e->path, e->body, e->len, &ops, p,
		      &p->request))
		on_end(p, 0, "no memory", 0);
	else
		p->wait_ticks = TICKS_MAX;
}

/* What gets into a URL is a name. */
static bool is_namespace(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", text[i]))
			return false;
	return len && len < 64;
}

void postman_take(struct postman *p, const char *namespace,
		  size_t namespace_len, const char *body, size_t len)
{
	struct postman_event *to = &p->events[p->count];

	if (p->count == POSTMAN_EVENTS_MAX ||
	    !is_namespace(namespace, namespace_len)) {
		p->lost(p->arg, NULL);
		return;
	}
	*to = (struct postman_event){ .body = malloc(len + 1), .len = len };
	if (asprintf(&to->path, "/apis/events.k8s.io/v1/namespaces/%.*s/events",
		     (int)namespace_len, namespace) < 0)
		to->path = NULL;
	if (!to->path || !to->body) {
		free(to->path);
		free(to->body);
		p->lost(p->arg, NULL);
		return;
	}
	memcpy(to->body, body, len);
	to->body[len] = '\0';
	p->count++;
	go(p);
}

void postman_tick(struct postman *p)
{
	if (p->wait_ticks && --p->wait_ticks)
		return;
	if (p->request) {
		http_cancel(p->request);
		on_end(p, 0, "the server does not answer", 0);
	}
	go(p);
}

void postman_clear(struct postman *p)
{
	if (p->request)
		http_cancel(p->request);
	p->request = NULL;
	while (p->count)
		first_done(p);
}
