// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See page.h. */
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "static.h"

#define PLAIN "text/plain; charset=utf-8"
#define JSON "application/json"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

/* Anything that is not kube-proxy's own would be taken for how Services are
 * served by who knows but these: iptables, ipvs, nftables. */
#define PROXY_MODE "fairlead"

void page_clear(struct page *p)
{
	for (int i = 0; i < NR_WEB_TEXTS; i++) {
		bytes_free(&p->texts[i].whole);
		bytes_free(&p->texts[i].coming);
	}
	bytes_free(&p->config);
	bytes_free(&p->text);
}

static enum page_state text_answer(struct web_answer *ret, unsigned int status,
				   const char *type, const char *body)
{
	*ret = (struct web_answer){
		.status = status,
		.type = type,
		.weight = -1,
		.body = body,
		.len = strlen(body),
	};
	return PAGE_READY;
}

static enum page_state not_found(struct web_answer *ret)
{
	return text_answer(ret, 404, PLAIN, "404 page not found\n");
}

static void count(struct page_counts *c, unsigned int status)
{
	if (status == 200)
		c->ok++;
	else
		c->unavailable++;
}

static enum page_state find_healthz(struct page *p, const char *path,
				    const struct web_health *h,
				    const struct web_now *now,
				    struct web_answer *ret)
{
	unsigned int status;

	if (!strcmp(path, "/healthz")) {
		status = web_healthz_body(h, now, p->body);
		count(&p->healthz, status);
	} else if (!strcmp(path, "/livez")) {
		status = web_livez_body(h, now, p->body);
		count(&p->livez, status);
	} else {
		return not_found(ret);
	}
	return text_answer(ret, status, JSON, p->body);
}

static void put_counts(struct bytes_out *b, const char *name,
		       const struct page_counts *c)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "# HELP %s Answers of this path, by status.\n"
			   "# TYPE %s counter\n"
			   "%s{code=\"200\"} %llu\n"
			   "%s{code=\"503\"} %llu\n",
			   name, name, name, c->ok, name, c->unavailable);

	bytes_add(b, text, len);
}

static enum page_state whole_answer(struct page *p, enum web_text which,
				    struct web_answer *ret)
{
	const struct page_text *t = &p->texts[which];
	struct bytes_out *b = &p->text;

	b->len = 0;
	bytes_add(b, t->whole.data, t->whole.len);
	if (p->has_healthz && which == WEB_TEXT_METRICS) {
		put_counts(b, "kubeproxy_proxy_healthz_total", &p->healthz);
		put_counts(b, "kubeproxy_proxy_livez_total", &p->livez);
	}
	if (b->no_memory || t->whole.no_memory)
		return text_answer(ret, 503, PLAIN, "no memory\n");
	*ret = (struct web_answer){
		.status = 200,
		.type = which == WEB_TEXT_METRICS ? PROMETHEUS : JSON,
		.weight = -1,
		.body = b->data,
		.len = b->len,
	};
	return PAGE_READY;
}

/* Old figures would be taken for new ones. */
static enum page_state find_text(struct page *p, enum web_text which,
				 const struct web_now *now,
				 struct web_answer *ret)
{
	struct page_text *t = &p->texts[which];

	if (t->whole_ms && now->ms - t->whole_ms < PAGE_FRESH_MS)
		return whole_answer(p, which, ret);
	if (!t->asked_ms) {
		t->asked_ms = now->ms;
		return PAGE_TO_BE_ASKED;
	}
	if (now->ms - t->asked_ms < PAGE_PATIENCE_MS)
		return PAGE_ASKED;
	return text_answer(ret, 503, PLAIN,
			   "\"fairlead: serve\" does not answer\n");
}

bool page_take(struct page *p, enum web_text which, const char *text,
	       size_t len, bool is_last, __u64 now_ms)
{
	struct page_text *t = &p->texts[which];
	const struct bytes_out old = t->whole;

	bytes_add(&t->coming, text, len);
	if (!is_last)
		return false;
	t->whole = t->coming;
	t->coming = old;
	t->coming.len = 0;
	t->coming.no_memory = false;
	t->whole_ms = now_ms;
	t->asked_ms = 0;
	return true;
}

bool page_give_up(struct page *p, __u64 now_ms)
{
	for (int i = 0; i < NR_WEB_TEXTS; i++)
		if (p->texts[i].asked_ms &&
		    now_ms - p->texts[i].asked_ms >= PAGE_PATIENCE_MS)
			return true;
	return false;
}

void page_config(struct page *p, const char *text, size_t len)
{
	p->config.len = 0;
	bytes_add(&p->config, text, len);
}

/* kube-proxy's says that it is there, no more; so does this of serve. */
static enum page_state find_alive(const struct web_health *h,
				  const struct web_now *now,
				  struct web_answer *ret)
{
	if (web_is_silent(h, now))
		return text_answer(ret, 503, PLAIN,
				   "\"fairlead: serve\" is silent\n");
	return text_answer(ret, 200, PLAIN, "ok");
}

static enum page_state find_config(struct page *p, struct web_answer *ret)
{
	if (!p->config.len)
		return not_found(ret);
	*ret = (struct web_answer){
		.status = 200,
		.type = JSON,
		.weight = -1,
		.body = p->config.data,
		.len = p->config.len,
	};
	return PAGE_READY;
}

static const char *const text_paths[NR_WEB_TEXTS] = {
	[WEB_TEXT_METRICS] = "/metrics",
	[WEB_TEXT_OVERVIEW] = "/api/overview",
};

enum page_state page_find(struct page *p, enum web_place place,
			  const char *path, const struct web_listener *l,
			  const struct web_health *h, const struct web_now *now,
			  struct web_answer *ret, enum web_text *ret_which)
{
	unsigned int status;

	if (place == WEB_HEALTH_PORT) {
		status = web_health_port_body(h, now, l, p->body);
		text_answer(ret, status, JSON, p->body);
		ret->weight = l->local;
		return PAGE_READY;
	}
	if (place == WEB_HEALTHZ)
		return find_healthz(p, path, h, now, ret);
	for (int i = 0; i < NR_WEB_TEXTS; i++) {
		*ret_which = i;
		if (!strcmp(path, text_paths[i]))
			return find_text(p, i, now, ret);
	}
	if (!strcmp(path, "/healthz"))
		return find_alive(h, now, ret);
	if (!strcmp(path, "/proxyMode"))
		return text_answer(ret, 200, PLAIN, PROXY_MODE);
	if (!strcmp(path, "/configz"))
		return find_config(p, ret);
	return web_static_find(path, ret) ? PAGE_READY : not_found(ret);
}
