/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Servers of this machine's loopback that behave as a test says, each in a
 * process of its own, and checks of them. Nothing here waits for longer than
 * the check does.
 */
#ifndef FAIRLEAD_PROBE_WORLD_H
#define FAIRLEAD_PROBE_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "base/loop.h"
#include "health/probe.h"
#include "health/probe_curl.h"

/* A busy machine's; what is to time out has its own. */
#define PATIENT_MS 20000
#define IMPATIENT_MS 150

struct probe_server {
	pid_t pid;
	int fd;
	struct addr addr;
	__u16 port;
};

struct checked {
	struct loop *loop;
	struct event *deadline;
	struct probe *probe;	/* NULL: none runs */
	const struct probe_spec *spec;
	struct probe_result result;
	int told;
};

/* Where nobody listens: bound, and that is all. */
static inline struct probe_server server_bind(const char *addr, int type)
{
	struct probe_server s = {};
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	socklen_t len4 = sizeof(in4), len6 = sizeof(in6);
	bool is4;

	assert_true(addr_parse(addr, &s.addr));
	is4 = addr_is4(&s.addr);
	in4.sin_addr.s_addr = s.addr.word[3];
	s.fd = socket(is4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
	assert_true(s.fd >= 0);
	if (is4) {
		assert_int_equal(bind(s.fd, (void *)&in4, len4), 0);
		getsockname(s.fd, (void *)&in4, &len4);
		s.port = ntohs(in4.sin_port);
	} else {
		assert_int_equal(bind(s.fd, (void *)&in6, len6), 0);
		getsockname(s.fd, (void *)&in6, &len6);
		s.port = ntohs(in6.sin6_port);
	}
	return s;
}

static inline void server_loop(int fd, int type, void (*serve)(int fd))
{
	int with;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		with = type == SOCK_STREAM ? accept(fd, NULL, NULL) : fd;
		serve(with);
		if (type == SOCK_STREAM)
			close(with);
	}
}

/* serve: with a connection, or again and again with the bound socket. */
static inline struct probe_server server_start(const char *addr, int type,
					       void (*serve)(int fd))
{
	struct probe_server s = server_bind(addr, type);

	if (type == SOCK_STREAM)
		assert_int_equal(listen(s.fd, 16), 0);
	s.pid = fork();
	if (!s.pid) {
		server_loop(s.fd, type, serve);
		_exit(0);
	}
	return s;
}

static inline void server_end(struct probe_server *s)
{
	if (s->pid)
		kill(s->pid, SIGKILL);
	if (s->pid)
		waitpid(s->pid, NULL, 0);
	close(s->fd);
}

static inline void on_checked(void *arg, const struct probe_result *r)
{
	struct checked *c = arg;

	c->result = *r;
	c->told++;
	c->probe = NULL;
	loop_stop(c->loop);
}

/* As who runs probes does it. */
static inline void on_deadline(void *arg)
{
	struct checked *c = arg;
	const struct probe_type *type = c->probe->type;

	probe_fail(&c->result, "%s in %g s", type->waiting_for(c->probe),
		   c->spec->timeout_ms / 1000.0);
	type->cancel(c->probe);
	c->probe = NULL;
	loop_stop(c->loop);
}

static inline struct checked checked_begin(void)
{
	struct checked c = {};

	assert_int_equal(probe_curl_prepare(), 0);
	assert_int_equal(loop_new(&c.loop), 0);
	assert_int_equal(probe_curl_open(c.loop), 0);
	return c;
}

static inline void checked_end(struct checked *c)
{
	probe_curl_close();
	loop_free(c->loop);
}

static inline void checked_start(struct checked *c,
				 const struct probe_spec *spec)
{
	const struct probe_type *type = probe_types[spec->kind];
	int told = c->told, err;

	c->spec = spec;
	err = type->start(c->loop, spec, on_checked, c, &c->probe);
	assert_int_equal(c->told, told);
	if (err)
		probe_fail_errno(&c->result, err);
}

static inline struct probe_result check(const struct probe_spec *spec)
{
	struct checked c = checked_begin();

	checked_start(&c, spec);
	if (c.probe) {
		assert_int_equal(loop_add_timer(c.loop, on_deadline, &c,
						&c.deadline), 0);
		timer_set(c.deadline, spec->timeout_ms, 0);
		loop_run(c.loop);
		event_remove(c.deadline);
	}
	checked_end(&c);
	return c.result;
}

static inline void result_is(const struct probe_result *r,
			     enum probe_outcome outcome, const char *why)
{
	if (r->outcome != outcome || strcmp(r->why, why))
		fail_msg("%d \"%s\" instead of %d \"%s\"", r->outcome, r->why,
			 outcome, why);
}

/* Of that server. */
static inline void checked_is(const struct probe_server *s,
			      struct probe_spec spec,
			      enum probe_outcome outcome, const char *why)
{
	struct probe_result r;

	spec.addr = s->addr;
	spec.port = s->port;
	r = check(&spec);
	result_is(&r, outcome, why);
}

#endif
