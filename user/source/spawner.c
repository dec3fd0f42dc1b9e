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

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "sandbox.h"
#include "spawner.h"

struct spawner {
	int fd;
	pid_t pid;
};

/* The words of the command line are the one piece of memory that ps shows:
 * from here on they have the title, and options that point there are gone. */
static void title_set(const char *title)
{
	char words[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, words, sizeof(words));

	close_fd(&fd);
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

static void send_fd(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	sendmsg(to, &m, MSG_NOSIGNAL);
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

static void make_one(int fd, int child_fd, void (*run)(int fd))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		run(child_fd);
		_exit(0);
	}
	close(child_fd);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	send(fd, &status, sizeof(status), MSG_NOSIGNAL);
}

static void spawner_run(int fd, const char *title, void (*run)(int fd))
{
	int err, child_fd;

	title_set(title);
	signals_default();
	err = sandbox_rights_drop();
	/* of another user, it is not killed along with its parent any more */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	send(fd, &err, sizeof(err), MSG_NOSIGNAL);
	if (err && err != -EPERM)
		return;
	while ((child_fd = receive_fd(fd)) >= 0)
		make_one(fd, child_fd, run);
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

int spawner_start(const char *title, void (*run)(int fd),
		  struct spawner **ret)
{
	struct spawner *s = calloc(1, sizeof(*s));
	int fds[2], err;

	if (!s || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		free(s);
		return -ENOMEM;
	}
	s->pid = fork();
	if (!s->pid) {
		close(fds[0]);
		spawner_run(fds[1], title, run);
		_exit(0);
	}
	close(fds[1]);
	s->fd = fds[0];
	err = s->pid < 0 ? -EAGAIN : rights_check(s->fd, title);
	if (err) {
		spawner_end(s);
		return err;
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

int spawner_make(struct spawner *s)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	send_fd(s->fd, fds[1]);
	close(fds[1]);
	return fds[0];
}

int spawner_status(struct spawner *s, int *ret_status)
{
	if (recv(s->fd, ret_status, sizeof(*ret_status), MSG_DONTWAIT) ==
	    sizeof(*ret_status))
		return 0;
	return 1;
}
