// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See probe_agent.h. As HAProxy has it, an agent that cannot be asked is no
 * failure of the server: other checks see that one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent_words.h"
#include "probe_agent.h"

#define LINE_MAX 4096

struct agent {
	struct probe probe;
	int fd;
	struct event *event;
	size_t sent, len;
	char line[LINE_MAX];
};

static void agent_cancel(struct probe *p)
{
	struct agent *a = (struct agent *)p;

	event_remove(a->event);
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static void finish_errno(struct agent *a, int err)
{
	struct probe_result r;

	probe_fail_errno(&r, err);
	r.outcome = PROBE_NO_RESULT;
	probe_finish(&a->probe, &r);
}

/* At a line's end, the answer's, or that of our room. */
static void read_some(struct agent *a)
{
	ssize_t got = recv(a->fd, a->line + a->len, LINE_MAX - a->len, 0);
	struct probe_result r;

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			finish_errno(a, errno);
		return;
	}
	a->len += got;
	if (got && a->len < LINE_MAX && !memchr(a->line, '\n', a->len))
		return;
	agent_words_judge(a->line, a->len, &r);
	probe_finish(&a->probe, &r);
}

static void send_some(struct agent *a)
{
	const struct probe_bytes *b = &a->probe.spec->send;
	ssize_t sent;

	if (a->sent < b->len) {
		sent = send(a->fd, b->data + a->sent, b->len - a->sent,
			    MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			finish_errno(a, errno);
			return;
		}
		a->sent += sent > 0 ? sent : 0;
	}
	if (a->sent == b->len)
		event_set_mask(a->event, EPOLLIN);
}

/* What was said before a reset is read before the error. */
static void on_event(void *arg, __u32 events)
{
	struct agent *a = arg;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_some(a);
	else if (events & EPOLLOUT)
		send_some(a);
}

static int begin(struct loop *l, struct agent *a)
{
	a->fd = probe_socket(a->probe.spec, SOCK_STREAM, 0);
	if (a->fd < 0)
		return a->fd;
	return probe_connect(a->probe.spec, a->fd) ?:
	       loop_add_fd(l, a->fd, EPOLLIN | EPOLLOUT, on_event, a,
			   &a->event);
}

static int agent_start(struct loop *l, const struct probe_spec *s,
		       probe_done_fn *done, void *arg, struct probe **ret)
{
	struct agent *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->probe = (struct probe){ &probe_agent, s, done, arg };
	err = begin(l, a);
	if (err)
		agent_cancel(&a->probe);
	else
		*ret = &a->probe;
	return err;
}

static const char *agent_waiting_for(const struct probe *p)
{
	return "no word of the agent";
}

const struct probe_type probe_agent = {
	.name = "agent",
	.start = agent_start,
	.cancel = agent_cancel,
	.waiting_for = agent_waiting_for,
};
