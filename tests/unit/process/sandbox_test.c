// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What processes without rights cannot do, tried by one that is about to be
 * such a process: it ends with what came of the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include "process/sandbox.h"

static int listening;	/* a socket, from before */

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(1);
	return connect(listening, (void *)&to, sizeof(to));
}

static long try_bind(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	return bind(listening, (void *)&at, sizeof(at));
}

static long try_listen(void)
{
	return listen(listening, 1);
}

static long try_accept(void)
{
	return accept4(listening, NULL, NULL, SOCK_NONBLOCK);
}

static long try_read_file(void)
{
	return open("/proc/self/status", O_RDONLY);
}

static long try_write_file(void)
{
	return open("/dev/null", O_WRONLY);
}

static long try_make_file(void)
{
	return open("/tmp/sandbox_test", O_RDWR | O_CREAT, 0600);
}

static long try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static long try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_files(void)
{
	struct rlimit more = { 1 << 20, 1 << 20 };

	return setrlimit(RLIMIT_NOFILE, &more);
}

static long try_exec(void)
{
	return execl("/bin/true", "true", NULL);
}

static long try_bpf(void)
{
	union bpf_attr attr = {};

	return syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr));
}

static long try_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

enum outcome { WORKS, REFUSED, DEADLY };

static const struct row {
	const char *what;
	long (*call)(void);
	enum outcome client, server, reader;
} rows[] = {
	{ "a socket", try_socket, WORKS, REFUSED, REFUSED },
	{ "a unix socket", try_unix, REFUSED, REFUSED, REFUSED },
	{ "a packet socket", try_packet, REFUSED, REFUSED, REFUSED },
	{ "connect", try_connect, WORKS, REFUSED, WORKS },
	{ "bind", try_bind, WORKS, REFUSED, REFUSED },
	{ "listen", try_listen, REFUSED, REFUSED, REFUSED },
	{ "accept", try_accept, REFUSED, WORKS, REFUSED },
	{ "reading a file", try_read_file, WORKS, REFUSED, REFUSED },
	{ "writing a file", try_write_file, REFUSED, REFUSED, REFUSED },
	{ "making a file", try_make_file, REFUSED, REFUSED, REFUSED },
	{ "a child", try_fork, REFUSED, REFUSED, REFUSED },
	{ "memory that runs", try_code, REFUSED, REFUSED, REFUSED },
	{ "signals", try_kill, REFUSED, REFUSED, REFUSED },
	{ "more files", try_files, REFUSED, REFUSED, REFUSED },
	{ "a program", try_exec, DEADLY, DEADLY, DEADLY },
	{ "bpf", try_bpf, DEADLY, DEADLY, DEADLY },
	{ "a namespace", try_namespace, DEADLY, DEADLY, DEADLY },
	{ "a debugger", try_ptrace, DEADLY, DEADLY, DEADLY },
	{ "a mount", try_mount, DEADLY, DEADLY, DEADLY },
};

/* Anything but EPERM is the call's own answer. */
static enum outcome outcome(enum sandbox what, long (*call)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (sandbox_enter(what))
			_exit(100);
		_exit(call() < 0 && errno == EPERM ? REFUSED : WORKS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return DEADLY;
	}
	assert_int_not_equal(WEXITSTATUS(status), 100);
	return WEXITSTATUS(status);
}

/* The address sanitizer needs more memory than such a process may have. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_MEMORY false
#else
#define HAS_MEMORY true
#endif

static void a_process_can_do_what_it_must_and_no_more(void **state)
{
	if (!HAS_MEMORY)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];

		if (outcome(SANDBOX_CLIENT, r->call) != r->client)
			fail_msg("a client: %s", r->what);
		if (outcome(SANDBOX_SERVER, r->call) != r->server)
			fail_msg("a server: %s", r->what);
		if (outcome(SANDBOX_READER, r->call) != r->reader)
			fail_msg("a reader: %s", r->what);
	}
}

/* libcurl is told that a socket which it was given is connected, as it is. */
static void a_reader_connects_nothing(void **state)
{
	int status;
	pid_t pid;

	if (!HAS_MEMORY)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		if (sandbox_enter(SANDBOX_READER) || try_connect())
			_exit(1);
		_exit(!getpeername(listening, (void *)&peer, &len));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int set_up(void **state)
{
	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return listening < 0 || listen(listening, 1);
}

static int tear_down(void **state)
{
	close(listening);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_process_can_do_what_it_must_and_no_more, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_reader_connects_nothing,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
