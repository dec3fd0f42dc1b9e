// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See dial.h. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/unix.h"
#include "dial.h"

#define ROOM 16384
#define DRAIN_MAX 65536		/* of a request that nobody reads */

/* One connection: from the engine's socket to the process's. */
struct relay {
	struct dials *dials;
	int from, to;
	struct event *from_event, *to_event;
	char bytes[ROOM];
	size_t at, len;		/* of what is not sent yet */
	size_t drained;
	struct relay *next;
};

struct dials {
	struct loop *loop;
	struct sockaddr_un address;
	struct relay *all;
	unsigned int count;
};

const char *dial_path(enum dial what, const char *id,
		      char ret[static DIAL_PATH_MAX])
{
	if (what == DIAL_CONTAINER)
		snprintf(ret, DIAL_PATH_MAX, "/containers/%.64s/json", id);
	else
		/* {"type":["container","network"]} */
		snprintf(ret, DIAL_PATH_MAX, "%s", what == DIAL_LIST ?
			 "/containers/json" :
			 "/events?filters=%7B%22type%22%3A%5B%22container%22"
			 "%2C%22network%22%5D%7D");
	return ret;
}

static void relay_free(struct relay *r)
{
	struct relay **at = &r->dials->all;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at) {
		*at = r->next;
		r->dials->count--;
	}
	event_remove(r->from_event);
	event_remove(r->to_event);
	if (r->from >= 0)
		close(r->from);
	if (r->to >= 0)
		close(r->to);
	free(r);
}

static void on_from(void *arg, __u32 events);

/* While something waits to be sent, the engine is not looked at: not even
 * whether it is there. */
static bool wait_for_more(struct relay *r)
{
	if (r->len && r->from_event) {
		event_remove(r->from_event);
		r->from_event = NULL;
	} else if (!r->len && !r->from_event &&
		   loop_add_fd(r->dials->loop, r->from, EPOLLIN, on_from, r,
			       &r->from_event)) {
		return false;
	}
	return !event_set_mask(r->to_event,
			       EPOLLIN | (r->len ? EPOLLOUT : 0));
}

/* False: nobody is there any more. */
static bool flush(struct relay *r)
{
	ssize_t sent = 0;

	while (r->len) {
		sent = send(r->to, r->bytes + r->at, r->len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			break;
		r->at += sent;
		r->len -= sent;
	}
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	return wait_for_more(r);
}

static bool receive(struct relay *r)
{
	ssize_t len;

	len = recv(r->from, r->bytes, sizeof(r->bytes), MSG_DONTWAIT);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	r->at = 0;
	r->len = len;
	return len && flush(r);
}

/* That was all. libcurl has a request to write all the same, before it reads:
 * it says by closing its socket that it is done. */
static void answer_end(struct relay *r)
{
	event_remove(r->from_event);
	r->from_event = NULL;
	close(r->from);
	r->from = -1;
	shutdown(r->to, SHUT_WR);
}

static void on_from(void *arg, __u32 events)
{
	if (!receive(arg))
		answer_end(arg);
}

/* libcurl's request, which is none of anybody's. */
static bool drain(struct relay *r)
{
	char bytes[1024];
	ssize_t len = recv(r->to, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	r->drained += len;
	return len && r->drained < DRAIN_MAX;
}

static void on_to(void *arg, __u32 events)
{
	struct relay *r = arg;
	bool goes_on = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		goes_on = drain(r);
	if (goes_on && events & EPOLLOUT)
		goes_on = flush(r);
	if (!goes_on)
		relay_free(r);
}

/* A backlog that is full is no reason to wait. */
static int engine_connect(const struct dials *d)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const void *)&d->address, sizeof(d->address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* It fits a socket that nothing was written to yet. */
static int ask(int fd, enum dial what, const char *id)
{
	char text[DIAL_PATH_MAX + 100], path[DIAL_PATH_MAX];
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: localhost\r\n"
			   "User-Agent: fairlead\r\nConnection: close\r\n\r\n",
			   dial_path(what, id, path));
	ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	return sent == len ? 0 : -EAGAIN;
}

static int relay_open(struct relay *r, enum dial what, const char *id)
{
	struct loop *l = r->dials->loop;
	int err;

	r->from = engine_connect(r->dials);
	err = r->from < 0 ? r->from : ask(r->from, what, id);
	if (err)
		return err;
	return loop_add_fd(l, r->from, EPOLLIN, on_from, r, &r->from_event) ?:
	       loop_add_fd(l, r->to, EPOLLIN, on_to, r, &r->to_event);
}

int dials_make(struct dials *d, enum dial what, const char *id)
{
	int fds[2], err;
	struct relay *r;

	if (d->count >= DIALS_MAX)
		return -EUSERS;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	r = calloc(1, sizeof(*r));
	if (!r) {
		close(fds[0]);
		close(fds[1]);
		return -ENOMEM;
	}
	r->dials = d;
	r->from = -1;
	r->to = fds[0];
	r->next = d->all;
	d->all = r;
	d->count++;
	err = relay_open(r, what, id);
	if (!err)
		return fds[1];
	relay_free(r);
	close(fds[1]);
	return err;
}

int dials_new(struct loop *l, const char *path, struct dials **ret)
{
	struct sockaddr_un address = {};
	struct dials *d;
	int err = unix_address(&address, path);

	if (err)
		return err;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->loop = l;
	d->address = address;
	*ret = d;
	return 0;
}

void dials_free(struct dials *d)
{
	if (!d)
		return;
	while (d->all)
		relay_free(d->all);
	free(d);
}
