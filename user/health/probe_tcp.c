// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See probe_tcp.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "probe_tcp.h"

#define READ_SIZE 4096

struct tcp {
	struct probe probe;
	int fd;
	struct event *event;
	bool is_connected;
	size_t sent;		/* of what is to be sent */
	char *answer;		/* so far; owned; NULL: nothing is expected */
	size_t len;
};

static void tcp_cancel(struct probe *p)
{
	struct tcp *t = (struct tcp *)p;

	event_remove(t->event);
	close(t->fd);
	free(t->answer);
	free(t);
}

static void finish_errno(struct tcp *t, int err)
{
	struct probe_result r;

	probe_fail_later(&r, t->probe.spec, err);
	probe_finish(&t->probe, &r);
}

static void finish_failed(struct tcp *t, const char *why)
{
	struct probe_result r;

	probe_fail(&r, "%s", why);
	probe_finish(&t->probe, &r);
}

static void finish_passed(struct tcp *t)
{
	probe_finish(&t->probe,
		     &(struct probe_result){ .outcome = PROBE_PASS });
}

/* True: it goes on. */
static bool connected(struct tcp *t)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (t->is_connected)
		return true;
	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		finish_errno(t, err);
		return false;
	}
	t->is_connected = true;
	return true;
}

static bool is_sent(const struct tcp *t)
{
	return t->sent == t->probe.spec->send.len;
}

static bool send_some(struct tcp *t)
{
	const struct probe_bytes *b = &t->probe.spec->send;
	ssize_t sent;

	if (is_sent(t))
		return true;
	sent = send(t->fd, b->data + t->sent, b->len - t->sent, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		finish_errno(t, errno);
		return false;
	}
	t->sent += sent > 0 ? sent : 0;
	return true;
}

static bool has_expected(const struct tcp *t)
{
	return memmem(t->answer, t->len, t->probe.spec->expect.data,
		      t->probe.spec->expect.len);
}

static void read_some(struct tcp *t)
{
	size_t room = PROBE_BYTES_MAX - t->len;
	ssize_t got = recv(t->fd, t->answer + t->len,
			   room < READ_SIZE ? room : READ_SIZE, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		finish_errno(t, errno);
		return;
	}
	t->len += got;
	if (has_expected(t))
		finish_passed(t);
	else if (!got || t->len == PROBE_BYTES_MAX)
		finish_failed(t, got ? "nothing expected in 64 KiB" :
			      t->len ? "closed, answer is not the expected one" :
				       "closed without an answer");
}

static void on_event(void *arg, __u32 events)
{
	struct tcp *t = arg;

	if (!connected(t))
		return;
	if (!t->answer && is_sent(t)) {
		finish_passed(t);
		return;
	}
	if (events & EPOLLOUT && !send_some(t))
		return;
	if (is_sent(t))
		event_set_mask(t->event, EPOLLIN);
	if (!t->answer && is_sent(t))
		finish_passed(t);
	else if (t->answer && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_some(t);
}

static int begin(struct loop *l, struct tcp *t)
{
	int err;

	t->fd = probe_socket(t->probe.spec, SOCK_STREAM, 0);
	if (t->fd < 0)
		return t->fd;
	err = probe_connect(t->probe.spec, t->fd);
	if (!err)
		err = loop_add_fd(l, t->fd, EPOLLOUT | EPOLLIN, on_event, t,
				  &t->event);
	if (err)
		close(t->fd);
	return err;
}

static int tcp_start(struct loop *l, const struct probe_spec *s,
		     probe_done_fn *done, void *arg, struct probe **ret)
{
	struct tcp *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (t && s->expect.data)
		t->answer = malloc(PROBE_BYTES_MAX);
	if (t && (t->answer || !s->expect.data)) {
		t->probe = (struct probe){ &probe_tcp, s, done, arg };
		err = begin(l, t);
	}
	if (!err) {
		*ret = &t->probe;
		return 0;
	}
	if (t)
		free(t->answer);
	free(t);
	return err;
}

static const char *tcp_waiting_for(const struct probe *p)
{
	const struct tcp *t = (const struct tcp *)p;

	if (!t->is_connected)
		return "no connection";
	return !is_sent(t) ? "what is sent is not taken" :
	       t->len ? "answer is not the expected one" : "no answer";
}

const struct probe_type probe_tcp = {
	.name = "tcp",
	.start = tcp_start,
	.cancel = tcp_cancel,
	.waiting_for = tcp_waiting_for,
};
