// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See pass_fd.h. */
#include <string.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include "pass_fd.h"

ssize_t pass_fd(int to, const void *bytes, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = { (void *)bytes, len };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(to, &m, MSG_NOSIGNAL);
}
