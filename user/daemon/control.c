// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control socket, see control.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control.h"
#include "base/unix.h"

#define CLIENTS_MAX 16
#define GROUPS_MAX 64

struct client {
	struct control *control;
	int fd;
	struct event *source;	/* NULL: the place is free */
	char *in;		/* [CONTROL_LINE_MAX], owned */
	size_t in_len;
	char *out;		/* owned; NULL: nothing to send */
	size_t out_len, out_done;
	__u64 born;		/* larger: later */
};

struct control {
	struct loop *loop;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct event *source;
	json_t *(*answer)(void *arg, const json_t *request);
	void *arg;
	struct client clients[CLIENTS_MAX];
	__u64 births;
};

static void client_close(struct client *c)
{
	if (!c->source)
		return;
	event_remove(c->source);
	close(c->fd);
	free(c->in);
	free(c->out);
	*c = (struct client){ .fd = -1 };
}

/* Cut in the middle of a character, it would be no text any more. */
static void cut_character(char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len && text[len - 1] & 0x80)
		text[len - 1] = '\0';
}

json_t *control_refuse(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) >= (int)sizeof(text))
		cut_character(text);
	va_end(args);
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *answer_line(struct control *c, const char *line, size_t len)
{
	json_t *request, *ret;
	json_error_t error;

	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!request)
		return control_refuse("not JSON: %s", error.text);
	if (json_is_object(request))
		ret = c->answer(c->arg, request);
	else
		ret = control_refuse("a request is an object");
	json_decref(request);
	return ret;
}

/* Sends what it can. False: the client is gone. */
static bool client_send(struct client *c)
{
	ssize_t sent;

	while (c->out && c->out_done < c->out_len) {
		sent = send(c->fd, c->out + c->out_done,
			    c->out_len - c->out_done, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return !event_set_mask(c->source, EPOLLOUT);
		if (sent < 0)
			return false;
		c->out_done += sent;
	}
	free(c->out);
	c->out = NULL;
	return !event_set_mask(c->source, EPOLLIN);
}

static bool client_answer(struct client *c, size_t line_len)
{
	json_t *answer = answer_line(c->control, c->in, line_len);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	if (!text)
		return false;
	c->out_len = strlen(text) + 1;
	c->out_done = 0;
	text[c->out_len - 1] = '\n'; /* in place of the NUL */
	c->out = text;

	c->in_len -= line_len + 1;
	memmove(c->in, c->in + line_len + 1, c->in_len);
	return client_send(c);
}

/* Answers whole lines, one at a time: no second one before the first one's
 * answer is sent. */
static bool client_lines(struct client *c)
{
	char *end;

	while (!c->out) {
		end = memchr(c->in, '\n', c->in_len);
		if (!end)
			return c->in_len < CONTROL_LINE_MAX;
		if (!client_answer(c, end - c->in))
			return false;
	}
	return true;
}

static bool client_receive(struct client *c)
{
	ssize_t got = recv(c->fd, c->in + c->in_len,
			   CONTROL_LINE_MAX - c->in_len, 0);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	c->in_len += got;
	return got > 0;
}

static void on_client(void *arg, __u32 events)
{
	struct client *c = arg;
	bool alive = true;

	if (events & EPOLLOUT)
		alive = client_send(c);
	else if (events & EPOLLIN)
		alive = client_receive(c);
	else
		alive = false;
	if (!alive || !client_lines(c))
		client_close(c);
}

static bool is_in_group(int fd, const struct ucred *peer, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The group is looked up each time: an administrator gives the socket one
 * after it was made. */
static bool may_ask(struct control *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return !stat(c->path, &st) && is_in_group(fd, &peer, st.st_gid);
}

/* A free place, or that of the client that has been there for longest. */
static struct client *client_place(struct control *c)
{
	struct client *oldest = &c->clients[0];

	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (!c->clients[i].source)
			return &c->clients[i];
		if (c->clients[i].born < oldest->born)
			oldest = &c->clients[i];
	}
	client_close(oldest);
	return oldest;
}

static void client_open(struct control *c, int fd)
{
	struct client *client = client_place(c);

	*client = (struct client){ .control = c, .fd = fd,
				   .born = ++c->births };
	client->in = malloc(CONTROL_LINE_MAX);
	if (client->in && !loop_add_fd(c->loop, fd, EPOLLIN, on_client, client,
				       &client->source))
		return;
	free(client->in);
	close(fd);
	*client = (struct client){ .fd = -1 };
}

static void on_connection(void *arg, __u32 events)
{
	struct control *c = arg;
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (may_ask(c, fd))
		client_open(c, fd);
	else
		close(fd);
}

static int control_listen(struct control *c, const char *path)
{
	struct sockaddr_un address = {};
	mode_t mask;
	int err;

	err = unix_address(&address, path);
	if (err)
		return err;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	unlink(path);
	mask = umask(0117);
	err = bind(c->fd, (void *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (err)
		return err;
	strcpy(c->path, path);
	return listen(c->fd, CLIENTS_MAX) ? -errno : 0;
}

int control_open(struct loop *l, const char *path,
		 json_t *(*answer)(void *arg, const json_t *request),
		 void *arg, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	c->answer = answer;
	c->arg = arg;
	c->fd = -1;
	err = control_listen(c, path);
	if (!err)
		err = loop_add_fd(l, c->fd, EPOLLIN, on_connection, c,
				  &c->source);
	if (err) {
		control_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++)
		client_close(&c->clients[i]);
	event_remove(c->source);
	if (c->fd >= 0)
		close(c->fd);
	if (c->path[0])
		unlink(c->path);
	free(c);
}
