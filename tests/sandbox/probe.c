// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who answers, and whom it saw: connections to one or several places at once,
 * each with a source port of its own.
 *
 *   probe COUNT WAIT_MS PLACE...	a PLACE is tcp/ADDRESS/PORT or udp/...
 *
 * Datagrams from a port that has sent to the same place before are of that
 * flow, as long as it is remembered. So that each begins one, the file that
 * UDP_PORTS names counts the ports that were had.
 *
 * Prints a line of each: the place's number from 1, tab, and what came of it:
 *
 *   NAME CLIENT	answered by server NAME, who saw the address CLIENT
 *   refused		by RST or ICMP error, for the first packet sent
 *   refused late	only when TCP had sent its SYN again
 *   silent		nothing has come when WAIT_MS are over
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_REQUEST "GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"

struct probe {
	int place;
	int fd;			/* -1: it is known what came of it */
	bool tcp;
	bool asked;
	char answer[1024];
	size_t len;
};

#define PORT_FIRST 32768	/* as the kernel gives them away */
#define PORTS 28000

static unsigned int ports_had;
static int epoll_fd;
static int waiting;

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void end(struct probe *p, const char *what)
{
	printf("%d\t%s\n", p->place, what);
	close(p->fd);
	p->fd = -1;
	waiting--;
}

static void failed(struct probe *p, int error)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (error != ECONNREFUSED) {
		end(p, strerror(error));
		return;
	}
	if (p->tcp && getsockopt(p->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	end(p, info.tcpi_total_retrans ? "refused late" : "refused");
}

/* A server of both families sees 192.0.2.1 as ::ffff:192.0.2.1. */
static void answered(struct probe *p)
{
	char name[64], client[64], text[160];
	const char *body, *field;
	int fields;

	if (p->tcp) {
		field = strstr(p->answer, "\r\nClient: ");
		body = strstr(p->answer, "\r\n\r\n");
		fields = field && body ? sscanf(field, " Client: %63s", client) +
					 sscanf(body, " %63s", name) : 0;
	} else {
		fields = sscanf(p->answer, "%63s %*s %*s %63s", name, client);
	}
	if (fields != 2) {
		end(p, "answered wrongly");
		return;
	}
	snprintf(text, sizeof(text), "%s %s", name,
		 strncmp(client, "::ffff:", 7) ? client : client + 7);
	end(p, text);
}

static void ask(struct probe *p)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
	const char *what = p->tcp ? CLOSE_REQUEST : "hello";

	p->asked = true;
	if (send(p->fd, what, strlen(what), MSG_NOSIGNAL) < 0)
		failed(p, errno);
	else if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->fd, &event))
		die("epoll_ctl");
}

/* TCP's answer is whole when the server closes, a datagram is at once. */
static void hear(struct probe *p)
{
	ssize_t n;

	n = recv(p->fd, p->answer + p->len, sizeof(p->answer) - 1 - p->len, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		failed(p, errno);
		return;
	}
	p->len += n;
	if (!n || !p->tcp)
		answered(p);
}

static void event(struct probe *p)
{
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		failed(p, error);
	else if (!p->asked)
		ask(p);
	else
		hear(p);
}

/* So many are this process's. */
static void ports_take(unsigned int count)
{
	const char *path = getenv("UDP_PORTS");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	char text[16] = "";

	if (!path)
		return;
	if (fd < 0 || flock(fd, LOCK_EX) ||
	    pread(fd, text, sizeof(text) - 1, 0) < 0)
		die(path);
	ports_had = strtoul(text, NULL, 10);
	snprintf(text, sizeof(text), "%u\n", ports_had + count);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		die(path);
	close(fd);
}

/* One that somebody else has is left out. */
static void port_take(int fd, sa_family_t family)
{
	struct sockaddr_in6 from = { .sin6_family = family };
	int err;

	if (!getenv("UDP_PORTS"))
		return;
	do {
		from.sin6_port = htons(PORT_FIRST + ports_had++ % PORTS);
		err = bind(fd, (void *)&from, sizeof(from));
	} while (err && errno == EADDRINUSE);
	if (err)
		die("bind");
}

static void begin(struct probe *p, int type, const struct sockaddr *to,
		  socklen_t len)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = p };

	p->fd = socket(to->sa_family, type | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &event))
		die("socket");
	if (type == SOCK_DGRAM)
		port_take(p->fd, to->sa_family);
	waiting++;
	if (connect(p->fd, to, len) && errno != EINPROGRESS)
		failed(p, errno);
}

static socklen_t place_parse(char *place, bool *tcp,
			     struct sockaddr_storage *to)
{
	struct sockaddr_in6 *to6 = (void *)to;
	struct sockaddr_in *to4 = (void *)to;
	char *addr, *port;

	strtok(place, "/");
	addr = strtok(NULL, "/");
	port = strtok(NULL, "/");
	*tcp = !strcmp(place, "tcp");
	if (!port || (!*tcp && strcmp(place, "udp"))) {
		errno = EINVAL;
		die(place);
	}
	if (inet_pton(AF_INET, addr, &to4->sin_addr) == 1) {
		to4->sin_family = AF_INET;
		to4->sin_port = htons(atoi(port));
		return sizeof(*to4);
	}
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET6, addr, &to6->sin6_addr) != 1) {
		errno = EINVAL;
		die(addr);
	}
	to6->sin6_family = AF_INET6;
	to6->sin6_port = htons(atoi(port));
	return sizeof(*to6);
}

static void wait_for_all(struct probe *probes, int n, long wait_ms)
{
	long until = now_ms() + wait_ms;
	struct epoll_event events[64];
	long left;
	int got;

	while (waiting && (left = until - now_ms()) > 0) {
		got = epoll_wait(epoll_fd, events, 64, left);
		for (int i = 0; i < got; i++)
			event(events[i].data.ptr);
	}
	for (int i = 0; i < n; i++)
		if (probes[i].fd >= 0)
			end(&probes[i], "silent");
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	struct probe *probes;
	int count, n = 0;
	socklen_t len;
	bool tcp;

	if (argc < 4) {
		fputs("usage: probe COUNT WAIT_MS PLACE...\n", stderr);
		return 2;
	}
	count = atoi(argv[1]);
	probes = calloc(count * (argc - 3), sizeof(*probes));
	epoll_fd = epoll_create1(0);
	ports_take(count * (argc - 3));
	if (!probes || epoll_fd < 0)
		die("begin");
	for (int place = 1; place <= argc - 3; place++) {
		len = place_parse(argv[2 + place], &tcp, &to);
		for (int i = 0; i < count; i++) {
			probes[n].place = place;
			probes[n].tcp = tcp;
			begin(&probes[n++], tcp ? SOCK_STREAM : SOCK_DGRAM,
			      (void *)&to, len);
		}
	}
	wait_for_all(probes, n, atol(argv[2]));
	return 0;
}
