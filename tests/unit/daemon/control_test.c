// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The server runs in a child, as asking waits for the answer. */
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/control.h"
#include "process/ask.h"
#include "base/loop.h"

struct server {
	char dir[32];
	char path[64];
	pid_t pid;
};

/* As many as there are policies, or verdicts that are kept. */
#define LONG 10000

static json_t *long_answer(void)
{
	json_t *list = json_array();

	for (int i = 0; i < LONG; i++)
		json_array_append_new(list, json_sprintf("policy number %d",
							 i));
	return json_pack("{s:b, s:o}", "ok", 1, "list", list);
}

static json_t *answer(void *arg, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));

	if (!cmd)
		return control_refuse("no \"%s\"", "cmd");
	if (!strcmp(cmd, "long"))
		return long_answer();
	return json_pack("{s:b, s:s}", "ok", 1, "echo", cmd);
}

static void serve(const char *path, int ready)
{
	struct control *control;
	struct loop *loop;

	if (loop_new(&loop) || control_open(loop, path, answer, NULL, &control))
		_exit(1);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	loop_run(loop);
	_exit(1);
}

static int start(void **state)
{
	static struct server s;
	int ready[2];
	char byte;

	strcpy(s.dir, "/tmp/fairlead-control.XXXXXX");
	if (!mkdtemp(s.dir) || pipe(ready))
		return -1;
	snprintf(s.path, sizeof(s.path), "%s/socket", s.dir);
	s.pid = fork();
	if (!s.pid)
		serve(s.path, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return -1;
	close(ready[0]);
	*state = &s;
	return 0;
}

static int stop(void **state)
{
	struct server *s = *state;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
	return rmdir(s->dir);
}

static int connected(const struct server *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, s->path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

static void expect_text(int fd, const char *want)
{
	char text[256] = "";
	size_t len = 0;

	while (len < strlen(want)) {
		ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, 0);

		assert_true(got > 0);
		len += got;
	}
	assert_string_equal(text, want);
}

static void a_request_is_answered(void **state)
{
	struct server *s = *state;
	json_t *got = NULL;

	assert_int_equal(control_ask(s->path, json_pack("{s:s}", "cmd", "hi"),
				     10, &got), 0);
	assert_string_equal(json_string_value(json_object_get(got, "echo")),
			    "hi");
	json_decref(got);
}

static void an_answer_may_be_longer_than_a_request(void **state)
{
	struct server *s = *state;
	json_t *got = NULL;

	assert_int_equal(control_ask(s->path, json_pack("{s:s}", "cmd", "long"),
				     10, &got), 0);
	assert_int_equal(json_array_size(json_object_get(got, "list")), LONG);
	json_decref(got);
}

static void requests_may_come_in_pieces_and_in_one(void **state)
{
	int fd = connected(*state);

	assert_int_equal(send(fd, "{\"cmd\":", 7, 0), 7);
	usleep(1000);
	assert_int_equal(send(fd, "\"a\"}\n{\"cmd\":\"b\"}\n", 18, 0), 18);
	expect_text(fd, "{\"ok\":true,\"echo\":\"a\"}\n"
			"{\"ok\":true,\"echo\":\"b\"}\n");
	close(fd);
}

static void nonsense_is_refused_and_the_next_one_heard(void **state)
{
	int fd = connected(*state);

	assert_int_equal(send(fd, "[1]\n", 4, 0), 4);
	expect_text(fd, "{\"ok\":false,\"error\":"
			"\"a request is an object\"}\n");
	assert_int_equal(send(fd, "{}\n", 3, 0), 3);
	expect_text(fd, "{\"ok\":false,\"error\":\"no \\\"cmd\\\"\"}\n");
	close(fd);
}

/* Whatever a name is cut to, there is an answer. */
static void a_refusal_is_text_however_long_it_is(void **state)
{
	char name[1024] = "";
	json_t *got;

	for (int i = 0; i < 4; i++) {
		strcpy(name, &"xyz"[3 - i]);
		while (strlen(name) < 600)
			strcat(name, "\xe2\x82\xac");
		got = control_refuse("no command \"%s\"", name);
		assert_non_null(got);
		assert_true(json_string_length(json_object_get(got, "error")) >
			    500);
		json_decref(got);
	}
}

static void a_line_without_end_is_cut_off(void **state)
{
	int fd = connected(*state);
	char *line = malloc(2 * CONTROL_LINE_MAX);
	char byte;

	memset(line, 'x', 2 * CONTROL_LINE_MAX);
	send(fd, line, 2 * CONTROL_LINE_MAX, MSG_NOSIGNAL);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	free(line);
	close(fd);
	a_request_is_answered(state);
}

/* Who holds connections open keeps nobody else out. */
static void many_idle_clients_do_no_harm(void **state)
{
	int fds[50];

	for (int i = 0; i < 50; i++)
		fds[i] = connected(*state);
	a_request_is_answered(state);
	for (int i = 0; i < 50; i++)
		close(fds[i]);
}

/* Whether a process of another user is answered; group is its only one. */
static bool is_answered(const struct server *s, gid_t group)
{
	json_t *got = NULL;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(1, &group) || setgid(65534) || setuid(65534))
			_exit(2);
		_exit(control_ask(s->path, json_pack("{s:s}", "cmd", "hi"), 10,
				  &got) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_in_range(WEXITSTATUS(status), 0, 1);
	return !WEXITSTATUS(status);
}

/* Even where the file's mode would let them in. */
static void strangers_are_kept_out_and_the_group_is_not(void **state)
{
	struct server *s = *state;
	struct stat st;

	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	if (geteuid())
		skip();
	assert_int_equal(chmod(s->dir, 0755) | chmod(s->path, 0666), 0);
	assert_int_equal(chown(s->path, 0, 4242), 0);
	assert_false(is_answered(s, 4243));
	assert_true(is_answered(s, 4242));
}

static void no_daemon_is_told_apart(void **state)
{
	json_t *got = NULL;

	assert_int_equal(control_ask("/nonexistent/socket", json_object(), 1,
				     &got), -ENOENT);
	assert_null(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(an_answer_may_be_longer_than_a_request),
		cmocka_unit_test(requests_may_come_in_pieces_and_in_one),
		cmocka_unit_test(nonsense_is_refused_and_the_next_one_heard),
		cmocka_unit_test(a_refusal_is_text_however_long_it_is),
		cmocka_unit_test(a_line_without_end_is_cut_off),
		cmocka_unit_test(many_idle_clients_do_no_harm),
		cmocka_unit_test(strangers_are_kept_out_and_the_group_is_not),
		cmocka_unit_test(no_daemon_is_told_apart),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
