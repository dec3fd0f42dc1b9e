// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See server.h. libmicrohttpd runs without threads of its own: its epoll
 * descriptor is one more event on the loop. Connections are accepted here, so
 * that it can be one daemon for any number of sockets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "mhd.h"
#include "server.h"

#define ACCEPT_AT_ONCE 32	/* then others have their turn */
#define LIFE_MS 10000		/* of a connection, whatever it does */
#define IDLE_S 5
/* A browser takes nothing for a part of the page that is not from here. */
#define PAGE_POLICY "default-src 'none'; script-src 'self'; style-src 'self'; " \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"
#define REQUEST_BYTES 8192	/* line, headers, and room for the answer's */

struct listener {
	struct listener *next;
	struct web_server *server;
	struct event *event;
	int fd;			/* owned */
	__u32 id;
};

#define CLIENT_CHAINS 64

/* Who is likely to be one: an address of IPv4, a /64 of IPv6. */
struct client {
	struct client *next;	/* of its chain */
	__u64 id;
	unsigned int count;	/* connections */
};

/* In the order in which they began. */
struct connection {
	struct connection *next, **at;
	struct client *client;
	struct MHD_Connection *mhd;
	__u64 begun_ms;
	__u32 id;		/* of its listener */
	bool waits;		/* for an answer */
	bool is_cut;
};

struct web_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct event *event, *timer;
	web_answer_fn *answer;
	void *arg;
	struct listener *listeners;
	struct connection *first, **end;
	unsigned int count, most;
	struct client *clients[CLIENT_CHAINS];
	/* of the connection that is being added */
	__u32 accepting;
	__u64 accepting_from;
};

/* Whatever can go on does; what has to be done later is. */
static void run(struct web_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	microhttpd.run(s->daemon);
	if (microhttpd.get_timeout(s->daemon, &ms) != MHD_YES)
		timer_set(s->timer, 0, 0);
	else
		timer_set(s->timer, ms < LIFE_MS ? ms ?: 1 : LIFE_MS, 0);
}

static void on_event(void *arg, __u32 events)
{
	run(arg);
}

static void on_timer(void *arg)
{
	run(arg);
}

static struct client **client_at(struct web_server *s, __u64 id)
{
	struct client **at = &s->clients[id * 0x9e3779b97f4a7c15ull >> 58];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* One connection more. NULL: no memory. */
static struct client *client_get(struct web_server *s, __u64 id)
{
	struct client **at = client_at(s, id);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return NULL;
		(*at)->id = id;
	}
	(*at)->count++;
	return *at;
}

static void client_put(struct web_server *s, struct client *client)
{
	struct client **at = client_at(s, client->id);

	if (--client->count)
		return;
	*at = client->next;
	free(client);
}

/* Two that have the same one have but their share in common. */
static __u64 client_id(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;
	__u64 id;

	if (from->ss_family == AF_INET)
		return 0xffff00000000ull << 16 | v4->sin_addr.s_addr;
	memcpy(&id, &v6->sin6_addr, sizeof(id));
	return id;
}

static void begun(struct web_server *s, struct MHD_Connection *mhd,
		  void **context)
{
	struct connection *c = calloc(1, sizeof(*c));

	*context = NULL;
	if (c)
		c->client = client_get(s, s->accepting_from);
	if (!c || !c->client) {
		free(c);	/* it will not be answered */
		return;
	}
	*context = c;
	c->mhd = mhd;
	c->begun_ms = clock_ms();
	c->id = s->accepting;
	c->at = s->end;
	*s->end = c;
	s->end = &c->next;
	s->count++;
}

static void ended(struct web_server *s, struct connection *c)
{
	if (!c)
		return;
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	else
		s->end = c->at;
	s->count--;
	client_put(s, c->client);
	free(c);
}

static void on_connection(void *arg, struct MHD_Connection *mhd,
			  void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct web_server *s = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		begun(s, mhd, context);
	else
		ended(s, *context);
}

/* libmicrohttpd sees that it is over, and lets go of it. */
static void cut(struct connection *c)
{
	const union MHD_ConnectionInfo *info = microhttpd.get_connection_info(
		c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	c->is_cut = true;
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	if (c->waits) {
		c->waits = false;
		microhttpd.resume_connection(c->mhd);
	}
}

/* To make room. */
static void cut_one(struct web_server *s)
{
	struct connection *most = s->first;

	for (struct connection *c = s->first; c; c = c->next)
		if (c->client->count > most->client->count)
			most = c;
	if (!most)
		return;
	cut(most);
	run(s);
}

/* What libmicrohttpd does not take it closes. */
static bool accept_one(struct listener *l)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct web_server *s = l->server;
	int fd = accept4(l->fd, (void *)&from, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		cut_one(s);
	if (fd < 0)
		return false;
	if (s->count >= s->most)
		cut_one(s);
	s->accepting = l->id;
	s->accepting_from = client_id(&from);
	microhttpd.add_connection(s->daemon, fd, (void *)&from, len);
	return true;
}

static void on_accept(void *arg, __u32 events)
{
	struct listener *l = arg;

	for (int i = 0; i < ACCEPT_AT_ONCE && accept_one(l); i++)
		;
	run(l->server);
}

static bool add_header(struct MHD_Response *r, const char *name,
		       const char *value)
{
	return microhttpd.add_response_header(r, name, value) == MHD_YES;
}

static enum MHD_Result send_answer(struct MHD_Connection *mhd,
				   const struct web_answer *a)
{
	struct MHD_Response *r = microhttpd.create_response_from_buffer(
		a->len, (void *)a->body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ret = MHD_NO;
	char weight[24];

	if (!r)
		return MHD_NO;
	snprintf(weight, sizeof(weight), "%ld", a->weight);
	if (add_header(r, "Content-Type", a->type) &&
	    add_header(r, "X-Content-Type-Options", "nosniff") &&
	    add_header(r, "Content-Security-Policy", PAGE_POLICY) &&
	    add_header(r, "Referrer-Policy", "no-referrer") &&
	    add_header(r, "Cache-Control", "no-store") &&
	    add_header(r, "Connection", "close") &&
	    (a->weight < 0 ||
	     add_header(r, "X-Load-Balancing-Endpoint-Weight", weight)))
		ret = microhttpd.queue_response(mhd, a->status, r);
	microhttpd.destroy_response(r);
	return ret;
}

/* Called with the headers, before any of a body: that is not read. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd,
				  const char *path, const char *method,
				  const char *version, const char *body,
				  size_t *body_len, void **context)
{
	const union MHD_ConnectionInfo *info = microhttpd.get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *c = info ? info->socket_context : NULL;
	struct web_answer answer = { .weight = -1 };
	struct web_server *s = arg;

	if (!c || c->is_cut)
		return MHD_NO;
	if (s->answer(s->arg, c->id, path, &answer))
		return answer.status ? send_answer(mhd, &answer) : MHD_NO;
	microhttpd.suspend_connection(mhd);
	c->waits = true;
	return MHD_YES;
}

static int watch(struct web_server *s)
{
	const union MHD_DaemonInfo *info = microhttpd.get_daemon_info(
		s->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info || info->epoll_fd < 0)
		return -EOPNOTSUPP;
	return loop_add_timer(s->loop, on_timer, s, &s->timer) ?:
	       loop_add_fd(s->loop, info->epoll_fd, EPOLLIN, on_event, s,
			   &s->event);
}

int web_server_new(struct loop *l, unsigned int most, web_answer_fn *answer,
		   void *arg, struct web_server **ret)
{
	struct web_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->answer = answer;
	s->arg = arg;
	s->end = &s->first;
	s->most = most;
	/* one that was cut may be there for a moment yet */
	s->daemon = microhttpd.start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, on_request, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_CONNECTION_LIMIT, most + ACCEPT_AT_ONCE,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
		MHD_OPTION_END);
	err = s->daemon ? watch(s) : -ENOMEM;
	if (err) {
		web_server_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void web_server_free(struct web_server *s)
{
	if (!s)
		return;
	while (s->listeners)
		web_server_unlisten(s, s->listeners->id);
	event_remove(s->event);
	event_remove(s->timer);
	if (s->daemon)
		microhttpd.stop_daemon(s->daemon);
	free(s);
}

int web_server_listen(struct web_server *s, int fd, __u32 id)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l) {
		close(fd);
		return -ENOMEM;
	}
	*l = (struct listener){ .server = s, .fd = fd, .id = id };
	err = loop_add_fd(s->loop, fd, EPOLLIN, on_accept, l, &l->event);
	if (err) {
		close(fd);
		free(l);
		return err;
	}
	l->next = s->listeners;
	s->listeners = l;
	return 0;
}

void web_server_unlisten(struct web_server *s, __u32 id)
{
	struct listener **at = &s->listeners, *l;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	l = *at;
	if (!l)
		return;
	*at = l->next;
	event_remove(l->event);
	close(l->fd);
	free(l);
	for (struct connection *c = s->first; c; c = c->next)
		if (c->id == id)
			cut(c);
	run(s);
}

void web_server_resume(struct web_server *s)
{
	for (struct connection *c = s->first; c; c = c->next) {
		if (!c->waits)
			continue;
		c->waits = false;
		microhttpd.resume_connection(c->mhd);
	}
	run(s);
}

void web_server_look(struct web_server *s)
{
	const __u64 now = clock_ms();

	for (struct connection *c = s->first;
	     c && now - c->begun_ms >= LIFE_MS; c = c->next)
		cut(c);
	run(s);
}
