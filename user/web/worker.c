// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See web.h: what serve says comes in, and what is asked is answered by it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "health.h"
#include "mhd.h"
#include "page.h"
#include "process/channel.h"
#include "server.h"

#define TICK_MS 1000

/* Connections at a time, of each place: who is asked from outside keeps no
 * other one from being asked. */
static const unsigned int connections_max[NR_WEB_PLACES] = {
	[WEB_HEALTH_PORT] = 256,
	[WEB_HEALTHZ] = 128,
	[WEB_METRICS] = 32,
};

struct worker_listener {
	struct web_listener said;
	enum web_place place;
};

struct web {
	struct loop *loop;
	struct channel *channel;
	struct event *tick;
	struct web_server *servers[NR_WEB_PLACES];
	struct worker_listener *listeners;	/* by id; owned */
	size_t nr_listeners;
	struct web_health health;
	struct page page;
};

static struct web_now now(void)
{
	struct timespec monotonic, real;

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_REALTIME, &real);
	return (struct web_now){
		.ms = monotonic.tv_sec * 1000ull + monotonic.tv_nsec / 1000000,
		.us = real.tv_sec * 1000000ll + real.tv_nsec / 1000,
	};
}

static bool is_known(const struct web *w, __u32 id)
{
	return id < w->nr_listeners && w->listeners[id].said.id;
}

static void ask(struct web *w, enum web_text which)
{
	struct bytes_out b = {};
	size_t begin = record_begin(&b, RECORD_ASK, which);

	if (record_end(&b, begin))
		channel_send(w->channel, b.data, b.len);
	bytes_free(&b);
}

static bool answer(void *arg, __u32 id, const char *path,
		   struct web_answer *ret)
{
	struct web *w = arg;
	const struct worker_listener *l;
	const struct web_now at = now();
	enum page_state state;
	enum web_text which;

	if (!is_known(w, id))
		return true;	/* with no answer */
	l = &w->listeners[id];
	state = page_find(&w->page, l->place, path, &l->said, &w->health, &at,
			  ret, &which);
	if (state == PAGE_TO_BE_ASKED)
		ask(w, which);
	return state == PAGE_READY;
}

/* False: no memory. */
static bool put(struct web *w, const struct web_listener *l,
		       enum web_place place)
{
	size_t count = w->nr_listeners ?: 64;
	struct worker_listener *larger;

	while (count <= l->id)
		count *= 2;
	if (count > w->nr_listeners) {
		larger = calloc(count, sizeof(*larger));
		if (!larger)
			return false;
		if (w->nr_listeners)
			memcpy(larger, w->listeners,
			       w->nr_listeners * sizeof(*larger));
		free(w->listeners);
		w->listeners = larger;
		w->nr_listeners = count;
	}
	w->listeners[l->id] = (struct worker_listener){ *l, place };
	return true;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static bool take_listener(struct record *r, struct web_listener *ret)
{
	return record_bytes(r, RECORD_FIELD_BYTES, ret, sizeof(*ret)) &&
	       ret->id && ret->id < WEB_LISTENERS_MAX &&
	       is_text(ret->namespace, sizeof(ret->namespace)) &&
	       is_text(ret->name, sizeof(ret->name));
}

static const char *on_listen(struct web *w, struct record *r)
{
	int fd = channel_take_fd(w->channel);
	struct web_listener l;

	if (!take_listener(r, &l) || r->of >= NR_WEB_PLACES || fd < 0 ||
	    is_known(w, l.id) || !put(w, &l, r->of)) {
		close_fd(&fd);
		return "a socket that is none";
	}
	w->page.has_healthz |= r->of == WEB_HEALTHZ;
	if (web_server_listen(w->servers[r->of], fd, l.id))
		return "a socket that cannot be waited for";
	return NULL;
}

static const char *on_listener(struct web *w, struct record *r)
{
	struct web_listener l;

	if (!take_listener(r, &l) || !is_known(w, l.id))
		return "a change of nothing";
	w->listeners[l.id].said = l;
	return NULL;
}

static const char *on_unlisten(struct web *w, struct record *r)
{
	__u32 id;

	if (!record_bytes(r, RECORD_FIELD_BYTES, &id, sizeof(id)) ||
	    !is_known(w, id))
		return "the end of nothing";
	web_server_unlisten(w->servers[w->listeners[id].place], id);
	w->listeners[id] = (struct worker_listener){};
	return NULL;
}

static const char *on_pulse(struct web *w, struct record *r)
{
	if (!record_bytes(r, RECORD_FIELD_BYTES, &w->health.pulse,
			  sizeof(w->health.pulse)))
		return "a pulse that is none";
	w->health.heard_ms = now().ms;
	return NULL;
}

static const char *on_text(struct web *w, struct record *r)
{
	struct record_field f;

	if (record_next(r, &f) != 1 || f.id != RECORD_FIELD_TEXT)
		return "a text that is none";
	if (r->type == RECORD_CONFIG)
		page_config(&w->page, f.data, f.len);
	else if ((r->of & ~WEB_TEXT_LAST) >= NR_WEB_TEXTS)
		return "a text of nothing";
	else if (page_take(&w->page, r->of & ~WEB_TEXT_LAST, f.data, f.len,
			   r->of & WEB_TEXT_LAST, now().ms))
		web_server_resume(w->servers[WEB_METRICS]);
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	struct web *w = arg;

	switch (r->type) {
	case RECORD_LISTEN:
		return on_listen(w, r);
	case RECORD_LISTENER:
		return on_listener(w, r);
	case RECORD_UNLISTEN:
		return on_unlisten(w, r);
	case RECORD_PULSE:
		return on_pulse(w, r);
	case RECORD_TEXT:
	case RECORD_CONFIG:
		return on_text(w, r);
	default:
		return "a record that is not for us";
	}
}

static void on_tick(void *arg)
{
	struct web *w = arg;

	for (int i = 0; i < NR_WEB_PLACES; i++)
		web_server_look(w->servers[i]);
	if (page_give_up(&w->page, now().ms))
		web_server_resume(w->servers[WEB_METRICS]);
}

static void on_closed(void *arg, const char *why)
{
	struct web *w = arg;

	loop_stop(w->loop);
}

static const struct channel_ops channel_ops = {
	.record = on_record,
	.closed = on_closed,
	.takes_fds = true,
};

static void web_close(void *arg)
{
	struct web *w = arg;

	if (!w)
		return;
	for (int i = 0; i < NR_WEB_PLACES; i++)
		web_server_free(w->servers[i]);
	event_remove(w->tick);
	channel_close(w->channel);
	page_clear(&w->page);
	free(w->listeners);
	free(w);
}

static int servers_open(struct web *w)
{
	int err = 0;

	for (int i = 0; i < NR_WEB_PLACES && !err; i++)
		err = web_server_new(w->loop, connections_max[i], answer, w,
				     &w->servers[i]);
	return err;
}

static int web_open(struct loop *l, int fd, void **ret)
{
	struct web *w = calloc(1, sizeof(*w));
	int err;

	if (!w) {
		close(fd);
		return -ENOMEM;
	}
	w->loop = l;
	err = channel_open(l, fd, &channel_ops, w, &w->channel) ?:
	      servers_open(w) ?: loop_add_timer(l, on_tick, w, &w->tick) ?:
	      timer_set(w->tick, TICK_MS, TICK_MS);
	if (err) {
		web_close(w);
		return err;
	}
	*ret = w;
	return 0;
}

const struct worker web_worker = {
	.title = "fairlead: http",
	.sandbox = SANDBOX_SERVER,
	.prepare = mhd_load,
	.open = web_open,
	.close = web_close,
};
