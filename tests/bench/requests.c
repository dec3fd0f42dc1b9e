// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One TCP connection after the other, by so many clients at once: connect, ask
 * for "/", read until the server closes. Prints connections per second, and
 * the time that one takes (median and 99th percentile, microseconds).
 *
 *   requests ADDRESS PORT SERVICES CLIENTS SECONDS
 *
 * Services are at ADDRESS and the addresses that follow, and take turns.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX (1 << 20)

struct results {
	uint64_t count;
	uint32_t ns[TIMES_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void request(const struct sockaddr_in *to)
{
	static const char ask[] = "GET / HTTP/1.1\r\nHost: a\r\n"
				  "Connection: close\r\n\r\n";
	const struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char answer[1024];
	ssize_t n, len = 0;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		die("socket");
	if (connect(fd, (void *)to, sizeof(*to)))
		die("connect");
	if (send(fd, ask, sizeof(ask) - 1, 0) != sizeof(ask) - 1)
		die("send");
	while ((n = recv(fd, answer, sizeof(answer), 0)) > 0)
		len += n;
	if (n < 0 || !len)
		die("answer");
	close(fd);
}

static void client(struct sockaddr_in to, unsigned int services,
		   unsigned int first, uint64_t end, struct results *r)
{
	const uint32_t base = ntohl(to.sin_addr.s_addr);
	unsigned int i = first;
	uint64_t start, at;

	while ((start = now_ns()) < end) {
		to.sin_addr.s_addr = htonl(base + i++ % services);
		request(&to);
		at = __atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
		if (at < TIMES_MAX)
			r->ns[at] = now_ns() - start;
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(struct results *r, double seconds)
{
	uint64_t count = r->count < TIMES_MAX ? r->count : TIMES_MAX;

	qsort(r->ns, count, sizeof(*r->ns), compare);
	printf("%.0f %.1f %.1f\n", r->count / seconds, r->ns[count / 2] / 1e3,
	       r->ns[count * 99 / 100] / 1e3);
}

static int run(const struct sockaddr_in *to, unsigned int services,
	       unsigned int clients, double seconds)
{
	struct results *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const uint64_t end = now_ns() + seconds * 1e9;
	int status, failed = 0;

	if (r == MAP_FAILED)
		die("memory");
	for (unsigned int i = 0; i < clients; i++) {
		if (fork())
			continue;
		client(*to, services, i * services / clients, end, r);
		exit(0);
	}
	while (wait(&status) > 0)
		failed |= status;
	if (failed || !r->count)
		return 1;
	report(r, seconds);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (argc != 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    atoi(argv[3]) < 1 || atoi(argv[4]) < 1) {
		fputs("usage: requests ADDRESS PORT SERVICES CLIENTS SECONDS\n",
		      stderr);
		return 2;
	}
	to.sin_port = htons(atoi(argv[2]));
	return run(&to, atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
}
