// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See channel.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/pass_fd.h"
#include "channel.h"

#define READ_ROOM (2 * RECORD_MAX)
#define READS_AT_ONCE 16	/* then others have their turn */
#define READ_SIZE 65536

#define FDS_MAX 32		/* of records that are not whole yet */

/* A descriptor that goes out with the byte that is at, as is counted since the
 * channel was opened. */
struct fd_out {
	struct fd_out *next;
	__u64 at;
	int fd;			/* owned */
};

struct channel {
	int fd;
	struct event *event;
	const struct channel_ops *ops;
	void *arg;
	char *in;		/* [READ_ROOM], owned */
	size_t in_len;
	struct bytes_out out;
	size_t out_done;	/* of out, sent */
	__u64 sent;		/* bytes, of all times */
	struct fd_out *fds_out, **fds_end;
	int fds_in[FDS_MAX];	/* owned */
	size_t nr_fds_in;
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

/* Of a message. False: there are too many. */
static bool take_fds(struct channel *c, struct msghdr *m)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	bool has_room = true;

	for (; h; h = CMSG_NXTHDR(m, h)) {
		int count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (int i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			has_room = c->nr_fds_in < FDS_MAX;
			if (has_room)
				c->fds_in[c->nr_fds_in++] = fd;
			else
				close(fd);
		}
	}
	return has_room && !(m->msg_flags & MSG_CTRUNC);
}

/* What was sent with a byte comes with it, or before it. */
static ssize_t receive_bytes(struct channel *c, char *to, size_t room)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec data = { to, room };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t got;

	if (!c->ops->takes_fds)
		return recv(c->fd, to, room, 0);
	got = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC);
	if (got > 0 && !take_fds(c, &m))
		return 0;
	return got;
}

/* 1: there may be more, 0: there is not, -1: the end. */
static int receive(struct channel *c)
{
	size_t room = READ_ROOM - c->in_len;
	ssize_t got = receive_bytes(c, c->in + c->in_len,
				    room < READ_SIZE ? room : READ_SIZE);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		end(c, NULL);
		return -1;
	}
	c->in_len += got;
	return records(c) ? 1 : -1;
}

static void fd_out_sent(struct channel *c)
{
	struct fd_out *f = c->fds_out;

	c->fds_out = f->next;
	if (!c->fds_out)
		c->fds_end = &c->fds_out;
	close(f->fd);
	free(f);
}

/* As far as the next descriptor, or from there on. */
static ssize_t send_some(struct channel *c)
{
	const struct fd_out *f = c->fds_out;
	size_t len = c->out.len - c->out_done;
	ssize_t sent;

	if (!f || f->at > c->sent) {
		if (f && f->at - c->sent < len)
			len = f->at - c->sent;
		return send(c->fd, c->out.data + c->out_done, len,
			    MSG_NOSIGNAL);
	}
	/* a byte alone: the next descriptor may be close by */
	sent = pass_fd(c->fd, c->out.data + c->out_done, 1, f->fd);
	if (sent > 0)
		fd_out_sent(c);
	return sent;
}

static void flush(struct channel *c)
{
	while (c->out_done < c->out.len) {
		ssize_t sent = send_some(c);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break;	/* reading finds out why */
		c->out_done += sent;
		c->sent += sent;
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
	c->fds_end = &c->fds_out;
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
	while (c->fds_out)
		fd_out_sent(c);
	while (c->nr_fds_in)
		close(c->fds_in[--c->nr_fds_in]);
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

int channel_send_fd(struct channel *c, const char *record, size_t len, int fd)
{
	struct fd_out *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (f->fd < 0) {
		int err = -errno;

		free(f);
		return err;
	}
	f->at = c->sent + c->out.len - c->out_done;
	*c->fds_end = f;
	c->fds_end = &f->next;
	channel_send(c, record, len);
	return 0;
}

int channel_take_fd(struct channel *c)
{
	int fd;

	if (!c->nr_fds_in)
		return -1;
	fd = c->fds_in[0];
	c->nr_fds_in--;
	memmove(c->fds_in, c->fds_in + 1, c->nr_fds_in * sizeof(fd));
	return fd;
}

bool channel_is_full(const struct channel *c)
{
	return c->out.len - c->out_done > CHANNEL_FULL;
}
