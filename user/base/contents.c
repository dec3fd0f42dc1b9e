// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See contents.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <sys/stat.h>

#include "cleanup.h"
#include "contents.h"

static int read_all(int fd, char *data, size_t max, size_t *ret_len)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, data + len, max + 1 - len);
		if (got < 0)
			return -errno;
		len += got;
	} while (got && len <= max);
	if (len > max)
		return -EFBIG;
	data[len] = '\0';
	*ret_len = len;
	return 0;
}

int contents_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	__cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC |
						O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *data;
	int err;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	data = malloc(max + 1);
	if (!data)
		return -ENOMEM;
	err = read_all(fd, data, max, ret_len);
	if (err) {
		free(data);
		return err;
	}
	*ret = data;
	return 0;
}
