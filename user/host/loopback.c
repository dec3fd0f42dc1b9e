// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See loopback.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "loopback.h"

#define ACCEPT_LOCAL "/proc/sys/" LOOPBACK_ACCEPTS

int loopback_trust(bool is_trusted)
{
	const char wanted = is_trusted ? '1' : '0';
	__cleanup(close_fd) int fd = -1;
	char is = 0;

	fd = open(ACCEPT_LOCAL, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, &is, 1) == 1 && is == wanted)
		return 0;
	close_fd(&fd);
	fd = open(ACCEPT_LOCAL, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, &wanted, 1) != 1 ? -errno : 0;
}
