// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See reach.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reach.h"

#define EVENTS 256
#define AGAIN_MS 1000

/* Whose turn it is when a descriptor has something. */
enum watch_kind { LISTENER, DATAGRAMS, SERVED, PROBE };

struct watch {
	enum watch_kind kind;
	int fd;
	struct reach_probe *probe;
	struct watch *next;		/* of those that are served */
};

static int epoll_fd = -1;
static struct watch *served;
static __u16 next_id;

static void die(const char *what)
{
	fprintf(stderr, "reach: %s: %s\n", what, strerror(errno));
	exit(2);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct watch *watch(enum watch_kind kind, int fd,
			   struct reach_probe *p, uint32_t events)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct epoll_event event = { .events = events, .data.ptr = w };

	if (!w)
		die("watch");
	*w = (struct watch){ .kind = kind, .fd = fd, .probe = p };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
	return w;
}

static int protocol_of(enum reach_kind kind, bool v6)
{
	switch (kind) {
	case REACH_TCP:
		return IPPROTO_TCP;
	case REACH_UDP:
		return IPPROTO_UDP;
	case REACH_SCTP:
		return IPPROTO_SCTP;
	default:
		return v6 ? (int)IPPROTO_ICMPV6 : IPPROTO_ICMP;
	}
}

static int type_of(enum reach_kind kind)
{
	switch (kind) {
	case REACH_UDP:
		return SOCK_DGRAM;
	case REACH_PING:
		return SOCK_RAW;
	default:
		return SOCK_STREAM;
	}
}

static int make_socket(enum reach_kind kind, bool v6)
{
	return socket(v6 ? AF_INET6 : AF_INET,
		      type_of(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      protocol_of(kind, v6));
}

static int socket_in(const struct reach_host *h, enum reach_kind kind, bool v6)
{
	int fd;

	if (setns(h->netns, CLONE_NEWNET))
		die(h->name);
	fd = make_socket(kind, v6);
	if (fd < 0)
		die("socket");
	return fd;
}

bool reach_has(enum reach_kind kind)
{
	int fd = make_socket(kind, false);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static socklen_t sockaddr_of(const struct addr *a, bool v6, __u16 port,
			     struct sockaddr_in6 *ret)
{
	struct sockaddr_in *in = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (!v6) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = a->word[3];
		return sizeof(*in);
	}
	ret->sin6_family = AF_INET6;
	ret->sin6_port = htons(port);
	memcpy(&ret->sin6_addr, a, sizeof(*a));
	return sizeof(*ret);
}

/* Servers */

static void serve(const struct reach_host *h, enum reach_kind kind, bool v6,
		  __u16 port)
{
	int fd = socket_in(h, kind, v6), on = 1;
	struct sockaddr_in6 at;
	socklen_t len = sockaddr_of(&h->addr[v6], v6, port, &at);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&at, len))
		die(h->name);
	if (kind != REACH_UDP && listen(fd, 1024))
		die("listen");
	watch(kind == REACH_UDP ? DATAGRAMS : LISTENER, fd, NULL, EPOLLIN);
}

static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		die("getrlimit");
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l))
		die("setrlimit");
}

void reach_open(const struct reach_host *hosts, size_t count,
		const __u16 *ports, size_t nr_ports)
{
	raise_limit();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		die("epoll_create1");
	for (size_t i = 0; i < count; i++) {
		for (size_t p = 0; p < nr_ports; p++) {
			for (int kind = 0; kind < REACH_PING; kind++) {
				if (!reach_has(kind))
					continue;
				serve(&hosts[i], kind, false, ports[p]);
				serve(&hosts[i], kind, true, ports[p]);
			}
		}
	}
}

/* Closed by a reset: nothing waits, and no packet comes later. */
static void close_now(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void take_connection(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct watch *w;

	if (fd < 0)
		return;
	w = watch(SERVED, fd, NULL, EPOLLIN);
	w->next = served;
	served = w;
}

static void echo_datagrams(int fd)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	char text[64];
	ssize_t n;

	while ((n = recvfrom(fd, text, sizeof(text), 0, (void *)&from,
			     &len)) >= 0) {
		/* whoever waits for it says that it does not come */
		(void)!sendto(fd, text, n, 0, (void *)&from, len);
		len = sizeof(from);
	}
}

/* The watch stays, for reach_forget(). */
static void echo_stream(struct watch *w)
{
	char text[256];
	ssize_t n = recv(w->fd, text, sizeof(text), 0);

	if (n > 0) {
		(void)!send(w->fd, text, n, MSG_NOSIGNAL);
	} else if (!n || errno != EAGAIN) {
		close_now(w->fd);
		w->fd = -1;
	}
}

void reach_forget(void)
{
	struct watch **at = &served;

	while (*at) {
		struct watch *w = *at;

		if (w->fd >= 0) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

/* Probes */

static __u16 sum(const void *data, size_t len)
{
	const __u16 *word = data;
	__u32 total = 0;

	for (size_t i = 0; i < len / 2; i++)
		total += word[i];
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return ~total;
}

struct echo {
	struct icmphdr head;	/* ICMPv6's is the same */
	__be32 number;
};

static ssize_t send_echo(struct reach_probe *p)
{
	struct echo e = {
		.head.type = p->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.head.un.echo = { .id = htons(p->id),
				  .sequence = htons(p->asked) },
		.number = htonl(p->asked),
	};

	if (!p->v6)
		e.head.checksum = sum(&e, sizeof(e));
	return send(p->fd, &e, sizeof(e), 0);
}

static void tell(struct reach_probe *p)
{
	__be32 number = htonl(p->asked);
	ssize_t n = p->kind == REACH_PING ? send_echo(p) :
		    send(p->fd, &number, sizeof(number), MSG_NOSIGNAL);

	if (n < 0)
		p->error = errno;
}

static void begin(struct reach_probe *p)
{
	struct sockaddr_in6 to;
	__u16 port = p->kind == REACH_PING ? 0 : p->port;
	socklen_t len = sockaddr_of(&p->to->addr[p->v6], p->v6, port, &to);
	bool is_stream = p->kind == REACH_TCP || p->kind == REACH_SCTP;

	p->fd = socket_in(p->from, p->kind, p->v6);
	p->is_open = true;
	p->id = next_id++;
	if (connect(p->fd, (void *)&to, len) && errno != EINPROGRESS)
		p->error = errno;
	p->is_connected = !is_stream;
	p->watch = watch(PROBE, p->fd, p, is_stream ? EPOLLOUT : EPOLLIN);
}

void reach_ask(struct reach_probe *p)
{
	p->asked++;
	p->is_answered = false;
	p->error = 0;
	if (!p->is_open)
		begin(p);
	if (p->is_connected)
		tell(p);
}

/* The number in an echo of ours; 0: it is something else. */
static __u32 echo_number(const struct reach_probe *p, const char *data,
			 size_t len)
{
	size_t at = p->v6 ? 0 : (data[0] & 0xf) * 4;
	struct echo e;

	if (len < at + sizeof(e))
		return 0;
	memcpy(&e, data + at, sizeof(e));
	if (e.head.type != (p->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ||
	    e.head.un.echo.id != htons(p->id))
		return 0;
	return ntohl(e.number);
}

static void hear(struct reach_probe *p)
{
	char data[256];
	__be32 number;
	ssize_t n;

	while ((n = recv(p->fd, data, sizeof(data), 0)) > 0) {
		if (p->kind == REACH_PING) {
			__u32 echo = echo_number(p, data, n);

			p->heard = echo > p->heard ? echo : p->heard;
			continue;
		}
		if (n < (ssize_t)sizeof(number))
			continue;
		memcpy(&number, data + n - sizeof(number), sizeof(number));
		p->heard = ntohl(number);
	}
	if (!n || (n < 0 && errno != EAGAIN))
		p->error = n ? errno : ECONNRESET;
	p->is_answered = p->heard == p->asked;
}

static void probe_event(struct watch *w, uint32_t events)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };
	struct reach_probe *p = w->probe;
	socklen_t len = sizeof(p->error);

	if (p->is_connected) {
		hear(p);
	} else if (!getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &p->error, &len) &&
		   !p->error) {
		p->is_connected = true;
		tell(p);
	}
	if (p->error)	/* or it says so for ever */
		event.events = 0;
	if (epoll_ctl(epoll_fd, p->error ? EPOLL_CTL_DEL : EPOLL_CTL_MOD,
		      p->fd, &event))
		die("epoll_ctl");
}

static void handle(struct epoll_event *event)
{
	struct watch *w = event->data.ptr;

	switch (w->kind) {
	case LISTENER:
		take_connection(w->fd);
		break;
	case DATAGRAMS:
		echo_datagrams(w->fd);
		break;
	case SERVED:
		echo_stream(w);
		break;
	case PROBE:
		probe_event(w, event->events);
	}
}

static void run_for(int ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll_fd, events, EVENTS, ms);

	for (int i = 0; i < n; i++)
		handle(&events[i]);
}

static bool has_all(struct reach_probe **probes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (probes[i]->expected && !probes[i]->is_answered)
			return false;
	}
	return true;
}

static bool has_more(struct reach_probe **probes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct reach_probe *p = probes[i];

		if (!p->expected && !p->is_vague && p->is_answered)
			return true;
	}
	return false;
}

/* A queue that is full on a busy machine loses what nobody sends again. */
static void tell_again(struct reach_probe **probes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct reach_probe *p = probes[i];

		if (p->expected && !p->is_answered && !p->error &&
		    (p->kind == REACH_UDP || p->kind == REACH_PING))
			tell(p);
	}
}

bool reach_wait(struct reach_probe **probes, size_t count, int timeout_ms,
		int quiet_ms)
{
	long until = now_ms() + timeout_ms, again = now_ms() + AGAIN_MS;

	while (!has_all(probes, count)) {
		if (now_ms() > until)
			return false;
		if (now_ms() > again) {
			tell_again(probes, count);
			again = now_ms() + AGAIN_MS;
		}
		run_for(20);
	}
	until = now_ms() + quiet_ms;
	while (now_ms() < until)
		run_for(10);
	return !has_more(probes, count);
}

void reach_end(struct reach_probe *p)
{
	if (!p->is_open)
		return;
	close_now(p->fd);
	free(p->watch);
	p->is_open = false;
}

const char *reach_what(const struct reach_probe *p)
{
	static const char *const names[] = { "tcp", "udp", "sctp", "ping" };
	static char text[16];

	snprintf(text, sizeof(text), p->kind == REACH_PING ? "%s" : "%s/%u",
		 names[p->kind], p->port);
	return text;
}
