// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See channel.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "channel.h"

#define READ_ROOM (2 * RECORD_MAX)
#define READS_AT_ONCE 16	/* then others have their turn */
#define READ_SIZE 65536

struct channel {
	int fd;
	struct event *event;
	const struct channel_ops *ops;
	void *arg;
	char *in;		/* [READ_ROOM], owned */
	size_t in_len;
	struct bytes_out out;
	size_t out_done;	/* of out, sent */
	bool was_full, is_closed;
};

static void end(struct channel *c, const char *why)
{
	if (c->is_closed)
		return;
	c->is_closed = true;
	event_remove(c->event);
	c->event = NULL;
	c->ops->closed(c->arg, why);
}

/* Hands on what is whole; false: that was the end. */
static bool records(struct channel *c)
{
	size_t done = 0;
	const char *why = NULL;
	struct record r;
	long len;

	while ((len = record_parse(c->in + done, c->in_len - done, &r, &why)) >
	       0) {
		why = c->ops->record(c->arg, &r);
		if (why)
			break;
		done += len;
	}
	if (why) {
		end(c, why);
		return false;
	}
	c->in_len -= done;
	memmove(c->in, c->in + done, c->in_len);
	return true;
}

/* 1: there may be more, 0: there is not, -1: the end. */
static int receive(struct channel *c)
{
	size_t room = READ_ROOM - c->in_len;
	ssize_t got = recv(c->fd, c->in + c->in_len,
			   room < READ_SIZE ? room : READ_SIZE, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		end(c, NULL);
		return -1;
	}
	c->in_len += got;
	return records(c) ? 1 : -1;
}

static void flush(struct channel *c)
{
	while (c->out_done < c->out.len) {
		ssize_t sent = send(c->fd, c->out.data + c->out_done,
				    c->out.len - c->out_done, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break;	/* reading finds out why */
		c->out_done += sent;
	}
	if (c->out_done == c->out.len)
		c->out.len = c->out_done = 0;
	/* who has waited for room is told by an event */
	event_set_mask(c->event, EPOLLIN |
		       (c->out.len || c->was_full ? EPOLLOUT : 0));
}

static void on_writable(struct channel *c)
{
	bool has_room;

	flush(c);
	has_room = c->was_full && !channel_is_full(c);
	if (!has_room)
		return;
	c->was_full = false;
	flush(c);
	if (c->ops->drained)
		c->ops->drained(c->arg);
}

static void on_event(void *arg, __u32 events)
{
	struct channel *c = arg;
	int more = 1;

	if (events & EPOLLOUT)
		on_writable(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	for (int i = 0; more > 0 && i < READS_AT_ONCE; i++)
		more = receive(c);
	if (more >= 0 && c->ops->read_all)
		c->ops->read_all(c->arg);
}

int channel_open(struct loop *l, int fd, const struct channel_ops *ops,
		 void *arg, struct channel **ret)
{
	struct channel *c = calloc(1, sizeof(*c));
	int flags = fcntl(fd, F_GETFL), err = -ENOMEM;

	if (!c) {
		close(fd);
		return err;
	}
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	c->in = malloc(READ_ROOM);
	if (c->in)
		err = fcntl(fd, F_SETFL, flags | O_NONBLOCK) ? -errno :
		      loop_add_fd(l, fd, EPOLLIN, on_event, c, &c->event);
	if (err) {
		channel_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

void channel_close(struct channel *c)
{
	if (!c)
		return;
	event_remove(c->event);
	close(c->fd);
	free(c->in);
	bytes_free(&c->out);
	free(c);
}

void channel_send(struct channel *c, const char *record, size_t len)
{
	if (c->is_closed)
		return;
	if (c->out_done > c->out.len / 2) {
		c->out.len -= c->out_done;
		memmove(c->out.data, c->out.data + c->out_done, c->out.len);
		c->out_done = 0;
	}
	bytes_add(&c->out, record, len);
	if (c->out.no_memory) {
		end(c, "no memory for what is to be said");
		return;
	}
	c->was_full |= channel_is_full(c);
	flush(c);
}

bool channel_is_full(const struct channel *c)
{
	return c->out.len - c->out_done > CHANNEL_FULL;
}
