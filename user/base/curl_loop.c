// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See curl_loop.h; CURLMOPT_SOCKETFUNCTION(3) is how libcurl is driven. */
#include <errno.h>
#include <stdlib.h>

#include <sys/epoll.h>

#include "curl_loop.h"

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	struct event *timer;
	void (*done)(void *arg, CURL *easy, CURLcode code);
	void *arg;
};

/* One that libcurl waits for. */
struct socket {
	struct curl_loop *curl;
	curl_socket_t fd;
	struct event *event;
};

static void transfers_end(struct curl_loop *c)
{
	CURLMsg *message;
	int left;

	while ((message = curl.multi_info_read(c->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			c->done(c->arg, message->easy_handle,
				message->data.result);
}

static void on_socket(void *arg, __u32 events)
{
	struct socket *s = arg;
	struct curl_loop *c = s->curl;
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	/* s may be gone after this */
	curl.multi_socket_action(c->multi, s->fd, mask, &running);
	transfers_end(c);
}

static void on_timer(void *arg)
{
	struct curl_loop *c = arg;
	int running;

	curl.multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	transfers_end(c);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
	struct curl_loop *c = arg;

	/* 0 ms would stop the timer, and libcurl may not be called here */
	if (timeout_ms < 0)
		return timer_set(c->timer, 0, 0) ? -1 : 0;
	return timer_set(c->timer, timeout_ms ?: 1, 0) ? -1 : 0;
}

static void socket_free(struct curl_loop *c, struct socket *s)
{
	if (!s)
		return;
	event_remove(s->event);
	curl.multi_assign(c->multi, s->fd, NULL);
	free(s);
}

static __u32 epoll_mask(int what)
{
	return (what & CURL_POLL_IN ? EPOLLIN : 0) |
	       (what & CURL_POLL_OUT ? EPOLLOUT : 0);
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg,
			 void *assigned)
{
	struct curl_loop *c = arg;
	struct socket *s = assigned;

	if (what == CURL_POLL_REMOVE) {
		socket_free(c, s);
		return 0;
	}
	if (s)
		return event_set_mask(s->event, epoll_mask(what)) ? -1 : 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	s->curl = c;
	s->fd = fd;
	if (loop_add_fd(c->loop, fd, epoll_mask(what), on_socket, s,
			&s->event)) {
		free(s);
		return -1;
	}
	curl.multi_assign(c->multi, fd, s);
	return 0;
}

int curl_loop_add(struct curl_loop *c, CURL *easy)
{
	return curl.multi_add_handle(c->multi, easy) ? -ENOMEM : 0;
}

void curl_loop_remove(struct curl_loop *c, CURL *easy)
{
	curl.multi_remove_handle(c->multi, easy);
}

int curl_loop_new(struct loop *l,
		  void (*done)(void *arg, CURL *easy, CURLcode code),
		  void *arg, struct curl_loop **ret)
{
	struct curl_loop *c = calloc(1, sizeof(*c));

	if (!c || curl.global_init(CURL_GLOBAL_DEFAULT)) {
		free(c);
		return -ENOMEM;
	}
	c->loop = l;
	c->done = done;
	c->arg = arg;
	c->multi = curl.multi_init();
	if (!c->multi || loop_add_timer(l, on_timer, c, &c->timer)) {
		curl_loop_free(c);
		return -ENOMEM;
	}
	curl.multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl.multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl.multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl.multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl.multi_setopt(c->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	*ret = c;
	return 0;
}

void curl_loop_free(struct curl_loop *c)
{
	if (!c)
		return;
	if (c->multi)
		curl.multi_cleanup(c->multi);
	event_remove(c->timer);
	free(c);
	curl.global_cleanup();
}
