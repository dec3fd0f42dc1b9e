// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See worker.h. It says nothing by itself: its log would be a stranger's. */
#include <unistd.h>

#include "base/cleanup.h"
#include "worker.h"

#define TICK_MS 1000
#define WATCHDOG_S 60		/* a loop that stands still for so long ends */

static void on_tick(void *arg)
{
	alarm(WATCHDOG_S);
}

void worker_run(const struct worker *w, int fd)
{
	__cleanup(loop_freep) struct loop *loop = NULL;
	struct event *tick = NULL;
	void *arg = NULL;

	alarm(WATCHDOG_S);
	if (loop_new(&loop) || loop_add_timer(loop, on_tick, NULL, &tick) ||
	    timer_set(tick, TICK_MS, TICK_MS) || w->open(loop, fd, &arg))
		_exit(1);
	if (sandbox_enter(w->sandbox))
		_exit(2);
	loop_run(loop);
	w->close(arg);
	event_remove(tick);
}
