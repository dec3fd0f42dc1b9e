/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of sockets in the file system, unix(7). */
#ifndef FAIRLEAD_UNIX_H
#define FAIRLEAD_UNIX_H

#include <errno.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>

/* *ret is zero but for what is written here. -ENAMETOOLONG. */
static inline int unix_address(struct sockaddr_un *ret, const char *path)
{
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	ret->sun_family = AF_UNIX;
	strcpy(ret->sun_path, path);
	return 0;
}

#endif
