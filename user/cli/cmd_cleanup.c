// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `cleanup`: after it, traffic is the host's again. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/file.h>

#include "cmd.h"
#include "kernel/dp.h"
#include "base/log.h"

/* Take the lock of the run directory that a daemon holds for as long as it
 * lives, until we end: none starts here meanwhile. False: one runs. What is
 * pinned has a lock of its own, see dp_cleanup(). */
static bool lock_take(const struct options *o)
{
	char path[RUN_PATH_MAX];
	int fd = open(run_path(o, RUN_PID, path), O_RDONLY | O_CLOEXEC);

	return fd < 0 || !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK;
}

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

int cmd_cleanup(const struct options *o)
{
	if (!lock_take(o)) {
		log_error(0, "a daemon runs; stop it first");
		return FAILED;
	}
	if (!is_agreed(o))
		return MISUSED;
	return dp_cleanup(o->pin_root, true) ? FAILED : DONE;
}
