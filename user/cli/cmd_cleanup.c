// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `cleanup`: after it, traffic is the host's again. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "kernel/dp.h"
#include "base/log.h"
#include "base/cleanup.h"
#include "run_lock.h"

static bool is_agreed(const struct options *o)
{
	char line[8] = "";

	if (o->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		log_error(0, "cleanup stops the balancing of every service: "
			  "add --yes");
		return false;
	}
	fputs("This stops the balancing of every service. Go on? [y/N] ",
	      stderr);
	return fgets(line, sizeof(line), stdin) &&
	       (line[0] == 'y' || line[0] == 'Y');
}

/* Until we end no daemon starts in this run directory; what is pinned has a
 * lock of its own, see dp_cleanup(). */
int cmd_cleanup(const struct options *o)
{
	__cleanup(close_fd) int lock = run_lock_take_existing(o);

	if (lock == -EBUSY) {
		log_error(0, "a daemon runs; stop it first");
		return FAILED;
	}
	if (!is_agreed(o))
		return MISUSED;
	return dp_cleanup(o->pin_root, true) ? FAILED : DONE;
}
