/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `serve` waits for: file descriptors, timers and signals, each with a
 * callback. One thread; a callback never waits.
 */
#ifndef FAIRLEAD_LOOP_H
#define FAIRLEAD_LOOP_H

#include <linux/types.h>

struct loop;

int loop_new(struct loop **ret);
void loop_free(struct loop *l);	/* NULL is fine */
void loop_freep(struct loop **l);

/* Until loop_stop(): 0, or -errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Something to wait for. Every callback gets arg back. It may remove any
 * event, its own too. */
struct event;

/* events: EPOLLIN ... The descriptor stays the caller's. */
int loop_add_fd(struct loop *l, int fd, __u32 events,
		void (*f)(void *arg, __u32 events), void *arg,
		struct event **ret);
int event_set_mask(struct event *s, __u32 events);
void event_remove(struct event *s);	/* NULL is fine */

/* Not running yet. first_ms 0: stopped; repeat_ms 0: once. */
int loop_add_timer(struct loop *l, void (*f)(void *arg), void *arg,
		   struct event **ret);
int timer_set(struct event *s, unsigned int first_ms, unsigned int repeat_ms);

/* Block these signals (a list that ends in 0) and take them here instead. */
int loop_add_signals(struct loop *l, const int *signals,
		     void (*f)(void *arg, int signal), void *arg,
		     struct event **ret);

#endif
