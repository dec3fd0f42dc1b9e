// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Clients that miss nothing: requests in a loop, each answer checked, each
 * failure counted with its cause. One process, no threads.
 *
 *   load --mode keepalive|short|udp --target ADDRESS PORT [--seconds N]
 *        [--concurrency N] [--pause-ms N] [--every-ms N] [--timeout-ms N]
 *
 * Runs for so many seconds, or until SIGTERM; lets what is under way end, and
 * reports in one line of JSON (with --every-ms, sums so far that often, too).
 * Fails if a request failed, or if there was none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX 128
#define NAME_MAX_LEN 32
#define ERRNO_MAX 134
#define TICK_MS 10

#define FAILURES_TOLD 10

/* An answer that is not what it should be; outside of errno's numbers. */
#define EWRONG (ERRNO_MAX - 1)

enum mode { KEEPALIVE, SHORT, UDP };

struct client {
	int fd;			/* -1: no connection */
	bool busy;		/* waits for an answer */
	uint64_t until_ms;	/* busy: gives up then; else: next request */
	uint64_t began_ms;
	char answer[1024];
	size_t len;
	char name[NAME_MAX_LEN];	/* who answered last, "" at first */
};

static struct {
	enum mode mode;
	struct sockaddr_storage target;
	socklen_t target_len;
	const char *host;
	unsigned int seconds, concurrency, pause_ms, every_ms, timeout_ms;
} opts = { .concurrency = 1, .timeout_ms = 5000 };

static struct {
	uint64_t requests, failures, connections, moved, longest_ms;
	uint64_t errors[ERRNO_MAX];
	struct {
		char name[NAME_MAX_LEN];
		uint64_t answers;
	} names[NAMES_MAX];
} sums;

static volatile sig_atomic_t stop;
static int epoll_fd;

static void on_signal(int sig)
{
	stop = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void report(void)
{
	const char *comma = "";

	printf("{\"requests\":%lu,\"failures\":%lu,\"connections\":%lu,"
	       "\"moved\":%lu,\"longest_ms\":%lu,\"errors\":{", sums.requests,
	       sums.failures, sums.connections, sums.moved, sums.longest_ms);
	for (int i = 0; i < ERRNO_MAX; i++) {
		if (!sums.errors[i])
			continue;
		printf("%s\"%s\":%lu", comma,
		       i == EWRONG ? "wrong answer" : strerror(i),
		       sums.errors[i]);
		comma = ",";
	}
	comma = "";
	printf("},\"backends\":{");
	for (int i = 0; i < NAMES_MAX && sums.names[i].answers; i++) {
		printf("%s\"%s\":%lu", comma, sums.names[i].name,
		       sums.names[i].answers);
		comma = ",";
	}
	puts("}}");
	fflush(stdout);
}

static void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void client_rest(struct client *c, unsigned int ms)
{
	c->busy = false;
	c->until_ms = now_ms() + ms;
}

/* The first few, so that a packet dump can be searched for them. */
static void failure_print(const struct client *c, int error)
{
	struct sockaddr_in6 own = {};
	socklen_t len = sizeof(own);

	if (sums.failures >= FAILURES_TOLD)
		return;
	if (c->fd >= 0)
		getsockname(c->fd, (void *)&own, &len);
	fprintf(stderr, "load: from port %d, %lu ms after it was asked, "
			"%zu bytes of an answer: %s\n",
		ntohs(own.sin6_port), now_ms() - c->began_ms, c->len,
		error < EWRONG ? strerror(error) : "wrong answer");
}

static void client_failed(struct client *c, int error)
{
	failure_print(c, error);
	sums.requests++;
	sums.failures++;
	sums.errors[error < ERRNO_MAX ? error : EWRONG]++;
	client_close(c);
	client_rest(c, TICK_MS);
}

static void count_name(const char *name)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		if (!sums.names[i].answers)
			strcpy(sums.names[i].name, name);
		if (strcmp(sums.names[i].name, name))
			continue;
		sums.names[i].answers++;
		return;
	}
}

/* name: where the answer's body begins. */
static void client_answered(struct client *c, const char *name)
{
	uint64_t took = now_ms() - c->began_ms;
	char clean[NAME_MAX_LEN];
	size_t len = strcspn(name, " \r\n");

	if (!len || len >= sizeof(clean)) {
		client_failed(c, EWRONG);
		return;
	}
	memcpy(clean, name, len);
	clean[len] = '\0';

	sums.requests++;
	sums.longest_ms = took > sums.longest_ms ? took : sums.longest_ms;
	count_name(clean);
	if (opts.mode != SHORT && *c->name && strcmp(c->name, clean))
		sums.moved++;
	strcpy(c->name, clean);

	if (opts.mode == SHORT || strstr(c->answer, "\r\nConnection: close")) {
		client_close(c);
		*c->name = '\0';
	}
	client_rest(c, opts.pause_ms);
}

/* NULL: not whole yet. Otherwise where the body begins. */
static const char *http_body(const struct client *c)
{
	const char *body = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "\r\nContent-Length:");

	if (!body || !length)
		return NULL;
	body += 4;
	if (c->len - (body - c->answer) < strtoul(length + 17, NULL, 10))
		return NULL;
	return body;
}

static void client_read(struct client *c)
{
	const char *body;
	ssize_t n;

	n = recv(c->fd, c->answer + c->len, sizeof(c->answer) - 1 - c->len, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0 || (!n && c->busy)) {
		client_failed(c, n ? errno : EPIPE);
		return;
	}
	c->len += n;
	c->answer[c->len] = '\0';
	if (opts.mode == UDP) {
		client_answered(c, c->answer);
		return;
	}
	if (strncmp(c->answer, "HTTP/1.1 200 ", c->len < 13 ? c->len : 13)) {
		client_failed(c, EWRONG);
		return;
	}
	body = http_body(c);
	if (body)
		client_answered(c, body);
}

static bool client_connect(struct client *c)
{
	struct epoll_event event = { .data.ptr = c };
	int type = opts.mode == UDP ? SOCK_DGRAM : SOCK_STREAM;

	c->fd = socket(opts.target.ss_family, type | SOCK_NONBLOCK, 0);
	event.events = EPOLLOUT;
	if (c->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event)) {
		client_failed(c, errno);
		return false;
	}
	if (connect(c->fd, (void *)&opts.target, opts.target_len) &&
	    errno != EINPROGRESS) {
		client_failed(c, errno);
		return false;
	}
	sums.connections++;
	return true;
}

/* The connection stands: ask, and wait for reading from now on. */
static void client_ask(struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	char request[512];
	int len;

	len = snprintf(request, sizeof(request),
		       "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", opts.host,
		       opts.mode == SHORT ? "Connection: close\r\n" : "");
	if (send(c->fd, request, len, MSG_NOSIGNAL) != len ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event))
		client_failed(c, errno);
}

static void client_begin(struct client *c)
{
	c->busy = true;
	c->len = 0;
	c->began_ms = now_ms();
	c->until_ms = c->began_ms + opts.timeout_ms;
	if (c->fd >= 0)
		client_ask(c);
	else
		client_connect(c);
}

/* Between two requests: that the server ends the connection is its right,
 * that somebody resets it is a loss. */
static void client_disturbed(struct client *c)
{
	char byte;

	if (recv(c->fd, &byte, 1, 0) < 0)
		client_failed(c, errno);
	else
		client_close(c);
}

static void client_event(struct client *c, uint32_t events)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (!c->busy) {
		client_disturbed(c);
		return;
	}
	if (events & EPOLLIN) {
		client_read(c);
		return;
	}
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error || !(events & EPOLLOUT))
		client_failed(c, error ?: EPIPE);
	else
		client_ask(c);
}

/* What time brings: requests due, and answers that did not come. Returns how
 * many clients are still waiting for an answer. */
static unsigned int clients_tick(struct client *clients)
{
	uint64_t now = now_ms();
	unsigned int waiting = 0;

	for (unsigned int i = 0; i < opts.concurrency; i++) {
		struct client *c = &clients[i];

		if (c->until_ms <= now && c->busy)
			client_failed(c, ETIMEDOUT);
		else if (c->until_ms <= now && !stop)
			client_begin(c);
		waiting += c->busy;
	}
	return waiting;
}

static void run(struct client *clients)
{
	uint64_t start = now_ms(), next_report = start + opts.every_ms;
	struct epoll_event events[64];
	unsigned int waiting;
	int n;

	do {
		n = epoll_wait(epoll_fd, events, 64,
			       opts.pause_ms ? TICK_MS : 1);
		for (int i = 0; i < n; i++)
			client_event(events[i].data.ptr, events[i].events);
		waiting = clients_tick(clients);
		if (opts.seconds && now_ms() >= start + opts.seconds * 1000ull)
			stop = 1;
		if (opts.every_ms && now_ms() >= next_report) {
			report();
			next_report += opts.every_ms;
		}
	} while (!stop || waiting);
}

static int parse_target(const char *host, const char *port)
{
	struct sockaddr_in6 *v6 = (void *)&opts.target;
	struct sockaddr_in *v4 = (void *)&opts.target;

	opts.host = host;
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(atoi(port));
		opts.target_len = sizeof(*v6);
		return 0;
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return -EINVAL;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(atoi(port));
	opts.target_len = sizeof(*v4);
	return 0;
}

static int parse_mode(const char *word)
{
	static const char *const words[] = { "keepalive", "short", "udp" };

	for (opts.mode = KEEPALIVE; opts.mode <= UDP; opts.mode++)
		if (!strcmp(word, words[opts.mode]))
			return 0;
	return -EINVAL;
}

static int parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "target", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "pause-ms", required_argument, NULL, 'p' },
		{ "every-ms", required_argument, NULL, 'e' },
		{ "timeout-ms", required_argument, NULL, 'w' },
		{ },
	};
	unsigned int *number[] = {
		['s'] = &opts.seconds, ['c'] = &opts.concurrency,
		['p'] = &opts.pause_ms, ['e'] = &opts.every_ms,
		['w'] = &opts.timeout_ms,
	};
	const char *host = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == '?' || (c == 'm' && parse_mode(optarg)))
			return -EINVAL;
		if (c == 't')
			host = optarg;
		else if (c != 'm')
			*number[c] = strtoul(optarg, NULL, 10);
	}
	if (!host || argc != optind + 1)
		return -EINVAL;
	return parse_target(host, argv[optind]);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct client *clients;

	if (parse_options(argc, argv)) {
		fputs("usage: load --mode keepalive|short|udp --target ADDRESS"
		      " PORT [--seconds N]\n"
		      "       [--concurrency N] [--pause-ms N] [--every-ms N]"
		      " [--timeout-ms N]\n", stderr);
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	epoll_fd = epoll_create1(0);
	clients = calloc(opts.concurrency, sizeof(*clients));
	if (epoll_fd < 0 || !clients) {
		perror("load");
		return 2;
	}
	for (unsigned int i = 0; i < opts.concurrency; i++)
		clients[i].fd = -1;

	run(clients);
	report();
	free(clients);
	return sums.failures || !sums.requests;
}
