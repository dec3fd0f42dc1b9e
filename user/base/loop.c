// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* epoll with callbacks, see loop.h. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "loop.h"
#include "cleanup.h"

#define EVENTS_AT_ONCE 32

struct event {
	struct loop *loop;
	int fd;
	bool owns_fd;		/* timers and signals: ours to close */
	bool removed;
	void (*on_fd)(void *arg, __u32 events);
	void (*on_timer)(void *arg);
	void (*on_signal)(void *arg, int signal);
	void *arg;
	struct event *next;	/* in loop's list */
};

struct loop {
	int epoll_fd;
	bool stopped;
	struct event *all;
};

int loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		err = -errno;
		free(l);
		return err;
	}
	*ret = l;
	return 0;
}

/* Events that were fetched together may name an event that one of their
 * callbacks removed, so removal and freeing are two steps. */
static void free_removed(struct loop *l)
{
	struct event **at = &l->all;

	while (*at) {
		struct event *s = *at;

		if (!s->removed) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (struct event *s = l->all; s; s = s->next)
		event_remove(s);
	free_removed(l);
	close(l->epoll_fd);
	free(l);
}

void loop_freep(struct loop **l)
{
	loop_free(*l);
}

static void event_call(struct event *s, __u32 events)
{
	struct signalfd_siginfo signal;
	uint64_t expirations;

	if (s->on_fd)
		s->on_fd(s->arg, events);
	else if (s->on_timer &&
		 read(s->fd, &expirations, sizeof(expirations)) > 0)
		s->on_timer(s->arg);
	else if (s->on_signal &&
		 read(s->fd, &signal, sizeof(signal)) == sizeof(signal))
		s->on_signal(s->arg, signal.ssi_signo);
}

int loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count;

	l->stopped = false;
	while (!l->stopped) {
		count = epoll_wait(l->epoll_fd, events, EVENTS_AT_ONCE, -1);
		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			struct event *s = events[i].data.ptr;

			if (!s->removed)
				event_call(s, events[i].events);
		}
		free_removed(l);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

/* A descriptor that is owned is closed when this fails. */
static int event_add(struct loop *l, const struct event *init, __u32 events,
		      struct event **ret)
{
	struct epoll_event event = { .events = events };
	struct event *s = malloc(sizeof(*s));
	int err = -ENOMEM;

	if (s) {
		*s = *init;
		s->loop = l;
		event.data.ptr = s;
		err = epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->fd, &event) ?
		      -errno : 0;
	}
	if (err) {
		if (init->owns_fd)
			close(init->fd);
		free(s);
		return err;
	}
	s->next = l->all;
	l->all = s;
	*ret = s;
	return 0;
}

int loop_add_fd(struct loop *l, int fd, __u32 events,
		void (*f)(void *arg, __u32 events), void *arg,
		struct event **ret)
{
	struct event init = { .fd = fd, .on_fd = f, .arg = arg };

	return event_add(l, &init, events, ret);
}

int event_set_mask(struct event *s, __u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };

	if (epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &event))
		return -errno;
	return 0;
}

void event_remove(struct event *s)
{
	if (!s || s->removed)
		return;
	epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->owns_fd)
		close(s->fd);
	s->removed = true;
}

int loop_add_timer(struct loop *l, void (*f)(void *arg), void *arg,
		   struct event **ret)
{
	struct event init = { .owns_fd = true, .on_timer = f, .arg = arg };

	init.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (init.fd < 0)
		return -errno;
	return event_add(l, &init, EPOLLIN, ret);
}

static struct timespec timespec_ms(unsigned int ms)
{
	return (struct timespec){ ms / 1000, ms % 1000 * 1000000L };
}

int timer_set(struct event *s, unsigned int first_ms, unsigned int repeat_ms)
{
	struct itimerspec when = {
		.it_value = timespec_ms(first_ms),
		.it_interval = timespec_ms(repeat_ms),
	};

	return timerfd_settime(s->fd, 0, &when, NULL) ? -errno : 0;
}

int loop_add_signals(struct loop *l, const int *signals,
		     void (*f)(void *arg, int signal), void *arg,
		     struct event **ret)
{
	struct event init = { .owns_fd = true, .on_signal = f, .arg = arg };
	sigset_t set;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	init.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (init.fd < 0)
		return -errno;
	return event_add(l, &init, EPOLLIN, ret);
}
