// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A client in one network namespace, a server in another, and both are this
 * one thread: what it sends passes through everything between them while its
 * system call lasts, so that its CPU time is that of the whole way, and other
 * work on the machine is none of it.
 *
 *   node_traffic WHAT COUNT ROUNDS
 *
 * Standard input has the ways to measure, each a line "way NAME CLIENT-NAMESPACE
 * SERVER-NAMESPACE CGROUP" (a directory, that the client is in), and after it
 * lines of "ADDRESS PORT": what is dialled, in turn. The server has port 8080 of
 * all of its addresses. WHAT:
 *
 *   connections	of TCP: connect, ask, answer, close both sides
 *   trips		a byte and its answer, by 64 connections of TCP
 *   packets		a datagram and its answer, by 64 flows
 *   flows		a datagram and its answer, each of a flow of its own
 *
 * All ways do COUNT of it in each of ROUNDS, each time another one first.
 * Prints "ROUND NAME NANOSECONDS", of CPU time for each of COUNT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 8080
#define FLOWS 64
#define WAYS_MAX 16
#define PATIENCE_MS 3000

/* Both ends of a connection. */
struct pair {
	int client, server;
};

struct way {
	char name[32];
	int client_net, server_net;
	char cgroup[256];
	struct sockaddr_in *places;
	unsigned int nr_places, room;
	unsigned int next;		/* of places */
	int server;			/* listens, or has all datagrams */
	struct pair flows[FLOWS];	/* opened before; server: of TCP */
};

static struct way ways[WAYS_MAX];
static unsigned int nr_ways;

static void die(const char *what)
{
	fprintf(stderr, "node_traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Most often it has come already; asleep, nothing is counted. */
static void await(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) != 1) {
		errno = ETIMEDOUT;
		die(what);
	}
}

static void enter(int net)
{
	if (setns(net, CLONE_NEWNET))
		die("network namespace");
}

static void join(const char *cgroup)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static int open_socket(int type)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void serve(struct way *w, int type)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(PORT) };
	const int yes = 1;

	enter(w->server_net);
	w->server = open_socket(type);
	if (setsockopt(w->server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(w->server, (const void *)&at, sizeof(at)))
		die("port 8080");
	if (type == SOCK_STREAM && listen(w->server, FLOWS))
		die("listen");
	/* an answer comes from the address that was asked */
	if (type == SOCK_DGRAM &&
	    setsockopt(w->server, IPPROTO_IP, IP_PKTINFO, &yes, sizeof(yes)))
		die("IP_PKTINFO");
	enter(w->client_net);
}

static int dial(struct way *w, int type)
{
	const struct sockaddr_in *to = &w->places[w->next++ % w->nr_places];
	int fd = open_socket(type);

	if (connect(fd, (const void *)to, sizeof(*to)) && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static struct pair connection(struct way *w)
{
	struct pair p = { .client = dial(w, SOCK_STREAM) };

	p.server = accept4(w->server, NULL, NULL, SOCK_NONBLOCK);
	if (p.server < 0) {
		await(w->server, "nobody came");
		p.server = accept4(w->server, NULL, NULL, SOCK_NONBLOCK);
	}
	if (p.server < 0)
		die("accept");
	return p;
}

static void receive_byte(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) == 1)
		return;
	await(fd, "nothing came");
	if (recv(fd, &byte, 1, 0) != 1)
		die("receive");
}

static void send_byte(int fd)
{
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		die("send");
}

static void trip(struct pair p)
{
	send_byte(p.client);
	receive_byte(p.server);
	send_byte(p.server);
	receive_byte(p.client);
}

static void answer_datagram(int server)
{
	char byte, control[128];
	struct sockaddr_in from;
	struct iovec data = { &byte, 1 };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(server, &m, 0) < 0) {
		await(server, "no datagram came");
		if (recvmsg(server, &m, 0) < 0)
			die("datagram");
	}
	if (sendmsg(server, &m, 0) < 0)
		die("answer");
}

static void datagram(const struct way *w, int fd)
{
	send_byte(fd);
	answer_datagram(w->server);
	receive_byte(fd);
}

static void one_connection(struct way *w, unsigned int i)
{
	struct pair p = connection(w);

	(void)i;
	trip(p);
	close(p.client);
	close(p.server);
}

static void open_connections(struct way *w)
{
	const int yes = 1;

	for (int i = 0; i < FLOWS; i++) {
		w->flows[i] = connection(w);
		if (setsockopt(w->flows[i].client, IPPROTO_TCP, TCP_NODELAY,
			       &yes, sizeof(yes)))
			die("TCP_NODELAY");
		trip(w->flows[i]);
	}
}

static void one_trip(struct way *w, unsigned int i)
{
	trip(w->flows[i % FLOWS]);
}

static void open_flows(struct way *w)
{
	for (int i = 0; i < FLOWS; i++) {
		w->flows[i].client = dial(w, SOCK_DGRAM);
		datagram(w, w->flows[i].client);
	}
}

static void one_packet(struct way *w, unsigned int i)
{
	datagram(w, w->flows[i % FLOWS].client);
}

static void one_flow(struct way *w, unsigned int i)
{
	int fd = dial(w, SOCK_DGRAM);

	(void)i;
	datagram(w, fd);
	close(fd);
}

struct what {
	const char *name;
	int type;
	void (*open)(struct way *w);	/* before all rounds, or NULL */
	void (*one)(struct way *w, unsigned int i);
};

static const struct what whats[] = {
	{ "connections", SOCK_STREAM, NULL, one_connection },
	{ "trips", SOCK_STREAM, open_connections, one_trip },
	{ "packets", SOCK_DGRAM, open_flows, one_packet },
	{ "flows", SOCK_DGRAM, NULL, one_flow },
};

static void prepare(const struct what *what, struct way *w)
{
	join(w->cgroup);
	serve(w, what->type);
	if (what->open)
		what->open(w);
}

static double run(const struct what *what, struct way *w, unsigned int count)
{
	double start;

	join(w->cgroup);
	enter(w->client_net);
	what->one(w, 0);	/* what another one threw out of caches */
	start = cpu_ns();
	for (unsigned int i = 0; i < count; i++)
		what->one(w, i);
	return (cpu_ns() - start) / count;
}

static int open_net(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static struct way *way_add(const char *line)
{
	char client[256], server[256];
	struct way *w = &ways[nr_ways];

	if (nr_ways == WAYS_MAX ||
	    sscanf(line, "way %31s %255s %255s %255s", w->name, client, server,
		   w->cgroup) != 4)
		return NULL;
	w->client_net = open_net(client);
	w->server_net = open_net(server);
	nr_ways++;
	return w;
}

static bool place_add(struct way *w, const char *line)
{
	struct sockaddr_in place = { .sin_family = AF_INET };
	unsigned int port;
	char addr[64];

	if (!w || sscanf(line, "%63s %u", addr, &port) != 2 ||
	    !inet_aton(addr, &place.sin_addr))
		return false;
	if (w->nr_places == w->room) {
		w->room = w->room ? 2 * w->room : FLOWS;
		w->places = realloc(w->places, w->room * sizeof(place));
		if (!w->places)
			die("memory");
	}
	place.sin_port = htons(port);
	w->places[w->nr_places++] = place;
	return true;
}

static bool read_ways(void)
{
	struct way *w = NULL;
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "way ", 4))
			w = way_add(line);
		else if (!place_add(w, line))
			return false;
	}
	return w && w->nr_places;
}

static const struct what *what_of(const char *name)
{
	for (size_t i = 0; i < sizeof(whats) / sizeof(*whats); i++)
		if (!strcmp(name, whats[i].name))
			return &whats[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct what *what = argc == 4 ? what_of(argv[1]) : NULL;
	int count = what ? atoi(argv[2]) : 0, rounds = what ? atoi(argv[3]) : 0;

	if (count < 1 || rounds < 1 || !read_ways()) {
		fputs("usage: node_traffic connections|trips|packets|flows"
		      " COUNT ROUNDS <WAYS\n", stderr);
		return 2;
	}
	for (unsigned int i = 0; i < nr_ways; i++)
		prepare(what, &ways[i]);
	for (int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < nr_ways; i++) {
			struct way *w = &ways[(round + i) % nr_ways];

			printf("%d %s %.0f\n", round, w->name,
			       run(what, w, count));
		}
	}
	return 0;
}
