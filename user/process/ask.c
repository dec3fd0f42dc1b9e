// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A question to the daemon, see ask.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "ask.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "base/unix.h"

#define HEARD_STEP 65536

static int ask_connect(const char *path, unsigned int timeout_s)
{
	struct timeval timeout = { .tv_sec = timeout_s };
	struct sockaddr_un address = {};
	__cleanup(close_fd) int fd = -1;
	int err, ret;

	err = unix_address(&address, path);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (void *)&address, sizeof(address)))
		return -errno;
	ret = fd;
	fd = -1;
	return ret;
}

static int ask_send(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len, done = 0;
	ssize_t sent;

	if (!text)
		return -ENOMEM;
	len = strlen(text) + 1;
	text[len - 1] = '\n';
	while (done < len) {
		sent = send(fd, text + done, len - done, MSG_NOSIGNAL);
		if (sent < 0)
			break;
		done += sent;
	}
	free(text);
	return done == len ? 0 : -errno;
}

/* What was heard so far. */
struct heard {
	char *text;		/* owned */
	size_t len, room;
};

static int hear(int fd, struct heard *h)
{
	ssize_t got;

	if (h->len == h->room &&
	    !list_room(&h->text, h->len + HEARD_STEP, &h->room, 1))
		return -ENOMEM;
	got = recv(fd, h->text + h->len, h->room - h->len, 0);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	h->len += got;
	return got > 0;
}

/* Of any length: that of a list of what there is. */
static int ask_receive(int fd, json_t **ret)
{
	struct heard h = {};
	int err;

	do
		err = hear(fd, &h);
	while (err > 0 && h.text[h.len - 1] != '\n');
	if (err >= 0 && !h.len)
		err = -EACCES;
	if (err >= 0) {
		*ret = json_loadb(h.text, h.len, 0, NULL);
		err = *ret ? 0 : -EBADMSG;
	}
	free(h.text);
	return err;
}

int control_ask(const char *path, json_t *request, unsigned int timeout_s,
		json_t **ret)
{
	__cleanup(close_fd) int fd = -1;
	int err;

	if (!request)
		return -ENOMEM;
	fd = ask_connect(path, timeout_s);
	err = fd < 0 ? fd : ask_send(fd, request);
	json_decref(request);
	return err ? err : ask_receive(fd, ret);
}
