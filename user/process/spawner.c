// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See spawner.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/pass_fd.h"
#include "sandbox.h"
#include "spawner.h"
#include "worker.h"

#define TITLE "fairlead: spawner"

struct spawner {
	const struct worker *worker;
	int fd;
	pid_t pid;
};

static ssize_t words_len(void)
{
	char words[4096];
	__cleanup(close_fd) int fd = open("/proc/self/cmdline",
					  O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, words, sizeof(words));

	return len < 0 ? 0 : len;
}

/* The words of the command line are the one piece of memory that ps shows:
 * from here on they have the title, and options that point there are gone. */
static void title_set(const char *title)
{
	static ssize_t len = -1;	/* forks have as much */

	if (len < 0)
		len = words_len();
	prctl(PR_SET_NAME, title, 0, 0, 0);
	if (len <= (ssize_t)strlen(title))
		return;
	memset(program_invocation_name, 0, len);
	strcpy(program_invocation_name, title);
}

static void signals_default(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* a terminal's keys are serve's to act on */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* -1: whoever asked is gone. */
static int receive_fd(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Until it ends; who asks for another one meanwhile has no use for it any more:
 * it may stand still. */
static void await(int fd, pid_t pid, int *ret_status)
{
	__cleanup(close_fd) int pid_fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd either[] = { { .fd = pid_fd, .events = POLLIN },
				   { .fd = fd, .events = POLLIN } };

	while (pid_fd >= 0 && !either[0].revents && !either[1].revents)
		if (poll(either, 2, -1) < 0 && errno != EINTR)
			break;
	if (either[1].revents & POLLIN && !either[0].revents)
		kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
}

static void make_one(int fd, int child_fd, const struct worker *w)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		title_set(w->title);
		worker_run(w, child_fd);
		_exit(0);
	}
	close(child_fd);
	if (pid > 0)
		await(fd, pid, &status);
	send(fd, &status, sizeof(status), MSG_NOSIGNAL);
}

/* Nothing of serve's stays open, its log neither: fd alone, which is 3 then. */
static int files_leave(int fd)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0 || (fd != 3 && dup2(fd, 3) < 0) ||
	    close_range(4, ~0u, 0))
		return -errno;
	return fcntl(3, F_SETFD, FD_CLOEXEC) ? -errno : 3;
}

/* Who ends a process by its name does not end who would make it anew. */
static void spawner_run(int fd, const struct worker *w)
{
	int err, child_fd;

	title_set(TITLE);
	fd = files_leave(fd);
	if (fd < 0)
		return;
	signals_default();
	err = sandbox_rights_drop();
	/* of another user, it is not killed along with its parent any more */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (w->prepare && (!err || err == -EPERM))
		err = w->prepare() ?: err;
	send(fd, &err, sizeof(err), MSG_NOSIGNAL);
	if (err && err != -EPERM)
		return;
	while ((child_fd = receive_fd(fd)) >= 0)
		make_one(fd, child_fd, w);
}

static int rights_check(int fd, const char *title)
{
	int err = -EPIPE;

	if (recv(fd, &err, sizeof(err), 0) != sizeof(err))
		err = -EPIPE;
	if (err == -EPERM) {
		log_warning(0, "%s cannot change its user: it runs as root, "
			    "without capabilities", title);
		return 0;
	}
	return err;
}

int spawner_start(const struct worker *w, struct spawner **ret)
{
	struct spawner *s = calloc(1, sizeof(*s));
	int fds[2], err;

	if (!s || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		free(s);
		return log_error(-ENOMEM, "cannot make the process \"%s\"",
				 w->title);
	}
	s->worker = w;
	s->pid = fork();
	if (!s->pid) {
		close(fds[0]);
		spawner_run(fds[1], w);
		_exit(0);
	}
	close(fds[1]);
	s->fd = fds[0];
	err = s->pid < 0 ? -EAGAIN : rights_check(s->fd, w->title);
	if (err) {
		spawner_end(s);
		return log_error(err, "cannot make the process \"%s\"",
				 w->title);
	}
	*ret = s;
	return 0;
}

void spawner_end(struct spawner *s)
{
	if (!s)
		return;
	close(s->fd);
	/* one that waits for its process sees nothing of that; serve, which
	 * may not kill another user's, has closed that one's socket, too */
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, WNOHANG);
	}
	free(s);
}

const struct worker *spawner_worker(const struct spawner *s)
{
	return s->worker;
}

int spawner_make(struct spawner *s)
{
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	err = pass_fd(s->fd, "", 1, fds[1]) < 0 ? -errno : 0;
	close(fds[1]);
	if (!err)
		return fds[0];
	close(fds[0]);
	return err;
}

int spawner_status(struct spawner *s, int *ret_status)
{
	if (recv(s->fd, ret_status, sizeof(*ret_status), MSG_DONTWAIT) ==
	    sizeof(*ret_status))
		return 0;
	return 1;
}
