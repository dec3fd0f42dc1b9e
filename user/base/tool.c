// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See tool.h. What goes in and out lies in memory files, so that nobody waits
 * for anybody half way.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "tool.h"

#define PATH_TEXT_MAX 128

/* Standard input, output and error of the program. */
struct ends {
	int fd[3];
};

static bool tool_find(const char *name, char path[static PATH_TEXT_MAX])
{
	static const char *const directories[] = {
		"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin",
	};

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories);
	     i++) {
		snprintf(path, PATH_TEXT_MAX, "%s/%s", directories[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

bool tool_is_there(const char *name)
{
	char path[PATH_TEXT_MAX];

	return tool_find(name, path);
}

static void ends_close(struct ends *e)
{
	for (int i = 0; i < 3; i++)
		close_fd(&e->fd[i]);
}

static int ends_open(struct ends *e, const char *input)
{
	size_t len = input ? strlen(input) : 0, done = 0;

	for (int i = 0; i < 3; i++) {
		e->fd[i] = memfd_create("fairlead-tool", MFD_CLOEXEC);
		if (e->fd[i] < 0)
			return -errno;
	}
	while (done < len) {
		ssize_t bytes = write(e->fd[0], input + done, len - done);

		if (bytes < 0)
			return -errno;
		done += bytes;
	}
	return lseek(e->fd[0], 0, SEEK_SET) < 0 ? -errno : 0;
}

/* All that was written there. */
static int end_read(int fd, char **ret)
{
	struct stat st;
	char *text;
	ssize_t bytes;

	if (fstat(fd, &st))
		return -errno;
	text = malloc(st.st_size + 1);
	if (!text)
		return -ENOMEM;
	bytes = pread(fd, text, st.st_size, 0);
	if (bytes != st.st_size) {
		free(text);
		return -EIO;
	}
	text[bytes] = '\0';
	*ret = text;
	return 0;
}

static int spawn(const char *path, const char *const *argv,
		 const struct ends *e, pid_t *ret)
{
	static char *const environment[] = {
		(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C",
		NULL,
	};
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	for (int i = 0; i < 3 && !err; i++)
		err = posix_spawn_file_actions_adddup2(&actions, e->fd[i], i);
	if (!err)
		err = posix_spawn(ret, path, &actions, NULL,
				  (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

static int wait_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EREMOTEIO;
}

int tool_run(const char *const *argv, const char *input, char **ret_output,
	     char error[static TOOL_ERROR_MAX])
{
	__cleanup(ends_close) struct ends e = { { -1, -1, -1 } };
	char path[PATH_TEXT_MAX], *said = NULL;
	pid_t pid;
	int err;

	*error = '\0';
	if (!tool_find(argv[0], path))
		return -ENOENT;
	err = ends_open(&e, input);
	if (!err)
		err = spawn(path, argv, &e, &pid);
	if (!err)
		err = wait_end(pid);
	if (err == -EREMOTEIO && !end_read(e.fd[2], &said)) {
		snprintf(error, TOOL_ERROR_MAX, "%.*s",
			 (int)strcspn(said, "\n"), said);
		free(said);
	}
	return err || !ret_output ? err : end_read(e.fd[1], ret_output);
}
