// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What types of probes have in common: sockets, and words for errors. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "probe.h"

#define PORT_TRIES 4

void probe_finish(struct probe *p, const struct probe_result *r)
{
	probe_done_fn *done = p->done;
	void *arg = p->arg;

	p->type->cancel(p);
	done(arg, r);
}

static socklen_t address_of(const struct addr *a, __u16 port,
			    struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	*ret = (struct sockaddr_storage){};
	if (addr_is4(a)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = a->word[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, a, sizeof(*a));
	return sizeof(*v6);
}

/* Linger 0: close() resets (tcp(7), SO_LINGER in socket(7)). */
static int stream_prepare(int fd)
{
	const struct linger reset = { .l_onoff = 1 };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ?
	       -errno : 0;
}

/* A source's port is chosen with the connection: as many as there are pairs. */
static int bind_source(const struct probe_spec *s, int fd)
{
	struct sockaddr_storage from;
	const int yes = 1;
	socklen_t len = address_of(&s->source, 0, &from);

	if (addr_is_zero(&s->source))
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	return bind(fd, (void *)&from, len) ? -errno : 0;
}

static int bind_all(const struct probe_spec *s, int fd)
{
	if (*s->interface &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->interface,
		       strnlen(s->interface, sizeof(s->interface))))
		return -errno;
	if (s->mark &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &s->mark, sizeof(s->mark)))
		return -errno;
	return bind_source(s, fd);
}

int probe_socket(const struct probe_spec *s, int type, int protocol)
{
	__cleanup(close_fd) int fd = socket(addr_is4(&s->addr) ? AF_INET :
								 AF_INET6,
					    type | SOCK_NONBLOCK | SOCK_CLOEXEC,
					    protocol);
	int err = fd < 0 ? -errno : 0, ret;

	if (!err && type == SOCK_STREAM)
		err = stream_prepare(fd);
	if (!err)
		err = bind_all(s, fd);
	if (err)
		return err;
	ret = fd;
	fd = -1;
	return ret;
}

int probe_connect(const struct probe_spec *s, int fd)
{
	struct sockaddr_storage to;
	socklen_t len = address_of(&s->addr, s->port, &to);

	for (int i = 0; i < PORT_TRIES; i++) {
		if (!connect(fd, (void *)&to, len) || errno == EINPROGRESS)
			return 0;
		if (errno != EADDRNOTAVAIL)
			break;
	}
	return -errno;
}

/* What each errno says, and of whom. All others are ours. */
static const struct {
	int err;
	enum probe_outcome outcome;
	const char *text;
} words[] = {
	{ ECONNREFUSED, PROBE_FAIL, "refused" },
	{ ECONNRESET, PROBE_FAIL, "reset" },
	{ EPIPE, PROBE_FAIL, "reset" },
	{ ECONNABORTED, PROBE_FAIL, "reset" },
	{ ETIMEDOUT, PROBE_FAIL, "no connection" },
	{ EHOSTUNREACH, PROBE_FAIL, "host unreachable" },
	{ EHOSTDOWN, PROBE_FAIL, "host unreachable" },
	{ EPROTO, PROBE_FAIL, "protocol unreachable" },
	{ ENOPROTOOPT, PROBE_FAIL, "protocol unreachable" },
	{ ENETUNREACH, PROBE_NO_RESULT, "no route from here" },
	{ ENETDOWN, PROBE_NO_RESULT, "own interface is down" },
	{ ENODEV, PROBE_NO_RESULT, "no such interface" },
	{ EADDRNOTAVAIL, PROBE_NO_RESULT, "no such source, or no port left" },
	{ EMFILE, PROBE_NO_RESULT, "too many open files" },
	{ ENFILE, PROBE_NO_RESULT, "too many open files" },
	{ EACCES, PROBE_NO_RESULT, "not allowed here" },
	{ EPERM, PROBE_NO_RESULT, "not allowed here" },
};

static size_t word_of(int err)
{
	size_t i = 0;

	while (i < sizeof(words) / sizeof(*words) && words[i].err != abs(err))
		i++;
	return i;
}

enum probe_outcome probe_outcome_of(int err)
{
	size_t i = word_of(err);

	return i < sizeof(words) / sizeof(*words) ? words[i].outcome :
						    PROBE_NO_RESULT;
}

void probe_fail_errno(struct probe_result *r, int err)
{
	size_t i = word_of(err);

	probe_fail(r, "%s", i < sizeof(words) / sizeof(*words) ?
			    words[i].text : strerrordesc_np(abs(err)));
	r->outcome = probe_outcome_of(err);
}

static bool has_way(const struct probe_spec *s)
{
	__cleanup(close_fd) int fd = probe_socket(s, SOCK_DGRAM, 0);

	return fd >= 0 && !probe_connect(s, fd);
}

void probe_fail_later(struct probe_result *r, const struct probe_spec *s,
		      int err)
{
	probe_fail_errno(r, err);
	if (abs(err) == ENETUNREACH && has_way(s))
		probe_fail(r, "network unreachable");
	else if (abs(err) == EACCES && has_way(s))
		probe_fail(r, "forbidden on the way");
}

void probe_fail(struct probe_result *r, const char *format, ...)
{
	va_list args;

	*r = (struct probe_result){ .outcome = PROBE_FAIL };
	va_start(args, format);
	vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
}

const char *probe_why(const void *data, size_t len)
{
	static char text[PROBE_WHY_MAX / 2];
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < len && i < sizeof(text) - 1; i++)
		text[i] = p[i] >= ' ' && p[i] < 0x7f ? p[i] : '?';
	text[i] = '\0';
	return text;
}
