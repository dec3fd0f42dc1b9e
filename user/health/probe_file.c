// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See probe_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_words.h"
#include "base/cleanup.h"
#include "probe_file.h"

#define LINE_MAX 4096

struct file {
	struct probe probe;
	struct event *soon;	/* nothing is told from within start() */
	struct probe_result result;
};

static void file_cancel(struct probe *p)
{
	struct file *f = (struct file *)p;

	event_remove(f->soon);
	free(f);
}

static void on_soon(void *arg)
{
	struct file *f = arg;
	const struct probe_result r = f->result;

	probe_finish(&f->probe, &r);
}

/* A pipe, or a device, would be waited for. */
static int look(const char *path, struct probe_result *ret)
{
	__cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC |
						O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char line[LINE_MAX];
	ssize_t len;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	len = read(fd, line, sizeof(line));
	if (len < 0)
		return -errno;
	agent_words_judge(line, len, ret);
	return 0;
}

static int file_start(struct loop *l, const struct probe_spec *s,
		      probe_done_fn *done, void *arg, struct probe **ret)
{
	struct file *f = calloc(1, sizeof(*f));
	int err = !f ? -ENOMEM : !s->file ? -EINVAL : 0;

	if (!err)
		err = look(s->file, &f->result) ?:
		      loop_add_timer(l, on_soon, f, &f->soon) ?:
		      timer_set(f->soon, 1, 0);
	if (err) {
		if (f)
			file_cancel(&f->probe);
		return err;
	}
	f->probe = (struct probe){ &probe_file, s, done, arg };
	*ret = &f->probe;
	return 0;
}

static const char *file_waiting_for(const struct probe *p)
{
	return "no time for it";
}

const struct probe_type probe_file = {
	.name = "file",
	.start = file_start,
	.cancel = file_cancel,
	.waiting_for = file_waiting_for,
};
