// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See worker.h. It says nothing by itself: its log would be a stranger's. */
#include <unistd.h>

#include "base/loop.h"
#include "base/cleanup.h"
#include "client.h"
#include "sandbox.h"
#include "worker.h"

#define WATCHDOG_S 60

void worker_run(int fd)
{
	__cleanup(loop_freep) struct loop *loop = NULL;
	struct client *client = NULL;

	alarm(WATCHDOG_S);
	/* what libraries open once, they open before */
	if (loop_new(&loop) || client_open(loop, fd, &client))
		_exit(1);
	if (sandbox_enter())
		_exit(2);
	loop_run(loop);
	client_close(client);
}
