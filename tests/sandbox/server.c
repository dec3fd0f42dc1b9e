// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A backend for the end-to-end tests: answers HTTP/1.1 (keep-alive, request
 * bodies are read and forgotten) and UDP with its name, on every port given.
 *
 *   server NAME PORT...
 *
 * The answer's head has who asked, "Client: ADDRESS"; GET /N answers with N
 * bytes at least. A UDP answer is "NAME LENGTH SUM CLIENT", of the datagram
 * that came, and leaves from the address that it was sent to.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX (1 << 20)

enum kind { LISTENER, DATAGRAMS, CONNECTION };

struct peer {
	enum kind kind;
	int fd;
	char head[4096];	/* a request's head, as far as it has come */
	size_t head_len;
	size_t body_left;	/* of the request, to be read and forgotten */
	char *out;		/* what is still to be sent; NULL: nothing */
	size_t out_len, out_sent;
	bool closing;		/* once out is sent */
};

static const char *name;
static int epoll_fd;

static void die(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(struct peer *p, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = p };

	if (epoll_ctl(epoll_fd, op, p->fd, &event))
		die("epoll_ctl");
}

static void peer_add(enum kind kind, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		die("calloc");
	p->kind = kind;
	p->fd = fd;
	watch(p, EPOLL_CTL_ADD, EPOLLIN);
}

static void peer_free(struct peer *p)
{
	close(p->fd);
	free(p->out);
	free(p);
}

/* False: the peer is gone. */
static bool peer_send(struct peer *p)
{
	ssize_t n = send(p->fd, p->out + p->out_sent, p->out_len - p->out_sent,
			 MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		peer_free(p);
		return false;
	}
	p->out_sent += n > 0 ? n : 0;
	if (p->out_sent < p->out_len) {
		watch(p, EPOLL_CTL_MOD, EPOLLOUT);
		return true;
	}
	if (p->closing) {
		peer_free(p);
		return false;
	}
	free(p->out);
	p->out = NULL;
	watch(p, EPOLL_CTL_MOD, EPOLLIN);
	return true;
}

/* IPv4 clients show as ::ffff:192.0.2.1. */
static const char *addr_text(const struct sockaddr_in6 *addr,
			     char text[static INET6_ADDRSTRLEN])
{
	return inet_ntop(AF_INET6, &addr->sin6_addr, text, INET6_ADDRSTRLEN);
}

static const char *client_text(int fd, char text[static INET6_ADDRSTRLEN])
{
	struct sockaddr_in6 client = {};
	socklen_t len = sizeof(client);

	getpeername(fd, (void *)&client, &len);
	return addr_text(&client, text);
}

static bool peer_answer(struct peer *p)
{
	size_t size = strlen(name) + 1, wanted = 0;
	char client[INET6_ADDRSTRLEN];
	int head;

	sscanf(p->head, "%*s /%zu", &wanted);
	if (wanted > size)
		size = wanted < BODY_MAX ? wanted : BODY_MAX;

	p->out = malloc(256 + size);
	if (!p->out)
		die("malloc");
	head = sprintf(p->out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
		       "Client: %s\r\n%s\r\n", size,
		       client_text(p->fd, client),
		       p->closing ? "Connection: close\r\n" : "");
	memset(p->out + head, '.', size);
	memcpy(p->out + head, name, strlen(name));
	p->out[head + strlen(name)] = '\n';
	p->out_len = head + size;
	p->out_sent = 0;
	return peer_send(p);
}

/* Answer if the head, and the body, is whole. False: the peer is gone. */
static bool peer_request(struct peer *p)
{
	const char *end, *field;
	size_t head, extra;

	p->head[p->head_len] = '\0';
	end = strstr(p->head, "\r\n\r\n");
	if (!end)
		return true;

	field = strcasestr(p->head, "\r\nContent-Length:");
	if (field && field < end)
		p->body_left = strtoul(field + 17, NULL, 10);
	field = strcasestr(p->head, "\r\nConnection: close");
	p->closing = field && field < end;

	head = end + 4 - p->head;
	extra = p->head_len - head;
	p->head_len = 0;
	p->body_left -= extra < p->body_left ? extra : p->body_left;
	return p->body_left || peer_answer(p);
}

static void peer_read(struct peer *p)
{
	char sink[65536];
	ssize_t n;

	if (p->body_left) {
		size_t want = p->body_left < sizeof(sink) ? p->body_left :
							    sizeof(sink);
		n = recv(p->fd, sink, want, 0);
	} else {
		n = recv(p->fd, p->head + p->head_len,
			 sizeof(p->head) - 1 - p->head_len, 0);
	}
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		peer_free(p);
		return;
	}
	if (!p->body_left) {
		p->head_len += n;
		peer_request(p);
		return;
	}
	p->body_left -= n;
	if (!p->body_left)
		peer_answer(p);
}

static void datagram_answer(int fd)
{
	char data[65536], control[256], answer[256], client[INET6_ADDRSTRLEN];
	struct sockaddr_in6 from;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	uint32_t sum = 0;
	ssize_t n;

	n = recvmsg(fd, &msg, 0);
	if (n < 0)
		return;
	for (ssize_t i = 0; i < n; i++)
		sum = sum * 31 + (unsigned char)data[i];

	/* The control message names our address: it is the answer's source. */
	iov.iov_base = answer;
	iov.iov_len = snprintf(answer, sizeof(answer), "%s %zd %u %s\n", name, n,
			       sum, addr_text(&from, client));
	sendmsg(fd, &msg, 0);
}

static void serve(struct peer *p)
{
	int fd;

	switch (p->kind) {
	case LISTENER:
		fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0)
			peer_add(CONNECTION, fd);
		break;
	case DATAGRAMS:
		datagram_answer(p->fd);
		break;
	case CONNECTION:
		if (p->out)
			peer_send(p);
		else
			peer_read(p);
		break;
	}
}

static void listen_on(int port)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	int tcp = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int on = 1;

	if (tcp < 0 || udp < 0)
		die("socket");
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(udp, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(tcp, (void *)&any, sizeof(any)) || listen(tcp, 4096) ||
	    bind(udp, (void *)&any, sizeof(any)))
		die("bind");
	peer_add(LISTENER, tcp);
	peer_add(DATAGRAMS, udp);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct epoll_event events[64];
	int n;

	if (argc < 3) {
		fputs("usage: server NAME PORT...\n", stderr);
		return 2;
	}
	name = argv[1];
	setrlimit(RLIMIT_NOFILE, &files);
	epoll_fd = epoll_create1(0);
	for (int i = 2; i < argc; i++)
		listen_on(atoi(argv[i]));

	for (;;) {
		n = epoll_wait(epoll_fd, events, 64, -1);
		for (int i = 0; i < n; i++)
			serve(events[i].data.ptr);
	}
}
