/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A descriptor from one process to another (SCM_RIGHTS in unix(7)). */
#ifndef FAIRLEAD_PASS_FD_H
#define FAIRLEAD_PASS_FD_H

#include <sys/types.h>

/* len bytes, not 0, over the unix socket to, with fd, which stays the caller's.
 * As sendmsg(2): how many were sent, or -1 and errno; never SIGPIPE. */
ssize_t pass_fd(int to, const void *bytes, size_t len, int fd);

#endif
