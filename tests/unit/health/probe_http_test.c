// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks by HTTP, of good servers and of hostile ones. */
#include "probe_world.h"

#include <stdlib.h>
#include <sys/resource.h>

#define OK "HTTP/1.1 200 OK\r\n"

static const char *answer;	/* of the next server */

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return;
}

/* Up to the empty line. */
static size_t hear(int fd, char *request, size_t size)
{
	size_t len = 0;
	ssize_t got;

	request[0] = '\0';
	while (len + 1 < size && !strstr(request, "\r\n\r\n")) {
		got = read(fd, request + len, size - 1 - len);
		if (got <= 0)
			break;
		len += got;
		request[len] = '\0';
	}
	return len;
}

static void serve_answer(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
	say(fd, answer);
}

/* 200 where the request is the expected one to the byte; else it says so. */
static void serve_exactly(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
	say(fd, strcmp(request, answer) ? "HTTP/1.1 400 No\r\n\r\n" :
					  "HTTP/1.1 204 Yes\r\n\r\n");
	if (strcmp(request, answer))
		fprintf(stderr, "<%s>\nis not\n<%s>\n", request, answer);
}

static void forever(int fd, const char *text)
{
	char some[4096] = "";

	while (strlen(some) + strlen(text) < sizeof(some))
		strcat(some, text);
	while (write(fd, some, strlen(some)) > 0)
		;
}

static void serve_endless_headers(int fd)
{
	serve_answer(fd);
	forever(fd, "X-Some: thing\r\n");
}

static void serve_endless_header(int fd)
{
	serve_answer(fd);
	say(fd, "X-Some: ");
	forever(fd, "thing");
}

static void serve_endless_interim(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
	forever(fd, "HTTP/1.1 103 Early Hints\r\n\r\n");
}

static void serve_endless_body(int fd)
{
	serve_answer(fd);
	say(fd, "\r\n");
	forever(fd, "all of it ");
}

/* A byte at a time, faster than a second: for each, the deadline passes. */
static void serve_dripping(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
	say(fd, OK "Content-Length: 1000000\r\n\r\n");
	while (write(fd, "x", 1) > 0)
		usleep(20000);
}

static void serve_dripping_head(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
	for (const char *p = OK; *p && write(fd, p, 1) > 0; p++)
		usleep(50000);
	pause();
}

static void reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void serve_reset(int fd)
{
	serve_answer(fd);
	usleep(20000);
	reset(fd);
}

static void serve_nothing(int fd)
{
	char request[4096];

	hear(fd, request, sizeof(request));
}

static void serve_silence(int fd)
{
	pause();
}

static struct probe_spec http(void)
{
	return (struct probe_spec){ .kind = PROBE_HTTP,
				    .timeout_ms = PATIENT_MS };
}

static void answers(void (*serve)(int fd), const char *text,
		    struct probe_spec spec, enum probe_outcome outcome,
		    const char *why)
{
	struct probe_server s;

	answer = text;
	s = server_start("127.0.0.1", SOCK_STREAM, serve);
	checked_is(&s, spec, outcome, why);
	server_end(&s);
}

static void status_200_passes(void **state)
{
	answers(serve_answer, OK "\r\nwell", http(), PROBE_PASS, "");
	answers(serve_answer, OK "Content-Length: 0\r\n\r\n", http(),
		PROBE_PASS, "");
}

static void both_families_pass(void **state)
{
	struct probe_spec spec = http();
	struct probe_server s;

	answer = OK "\r\n";
	s = server_start("::1", SOCK_STREAM, serve_answer);
	checked_is(&s, spec, PROBE_PASS, "");
	server_end(&s);
}

static void other_statuses_fail_by_number(void **state)
{
	answers(serve_answer, "HTTP/1.1 503 no\r\n\r\n", http(), PROBE_FAIL,
		"status 503");
	answers(serve_answer, "HTTP/1.0 404 no\r\n\r\n", http(), PROBE_FAIL,
		"status 404");
}

static void a_redirect_is_not_followed(void **state)
{
	struct probe_spec spec = http();
	const char to_self[] = "HTTP/1.1 301 x\r\nLocation: /\r\n\r\n";

	answers(serve_answer, to_self, http(), PROBE_FAIL, "status 301");
	spec.status[0] = (struct probe_range){ 200, 299 };
	spec.status[1] = (struct probe_range){ 301, 301 };
	spec.nr_status = 2;
	answers(serve_answer, to_self, spec, PROBE_PASS, "");
}

static void the_request_is_what_was_asked_for(void **state)
{
	struct probe_spec spec = http();
	const char want[] =
		"OPTIONS /a/../b?c=%20#d HTTP/1.1\r\nHost: other.example:81\r\n"
		"User-Agent: fairlead\r\nAccept: */*\r\n"
		"Connection: close\r\nX-One: 1\r\nX-Two: 2\r\n\r\n";

	spec.method = "OPTIONS";
	spec.path = "/a/../b?c=%20#d";
	spec.host = "other.example:81";
	spec.headers = "X-One: 1\r\nX-Two: 2\r\n";
	answers(serve_exactly, want, spec, PROBE_PASS, "");
}

/* Nobody is there to be asked through. */
static void proxies_of_the_environment_are_not_asked(void **state)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	answers(serve_answer, OK "\r\n", http(), PROBE_PASS, "");
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void head_has_no_body(void **state)
{
	struct probe_spec spec = http();

	spec.method = "HEAD";
	answers(serve_answer, OK "Content-Length: 9\r\n\r\n", spec, PROBE_PASS,
		"");
}

static struct probe_spec with_body(char *text)
{
	struct probe_spec spec = http();

	spec.body = (struct probe_bytes){ text, strlen(text) };
	return spec;
}

static void a_text_is_looked_for(void **state)
{
	answers(serve_answer, OK "\r\nall is well", with_body("is we"),
		PROBE_PASS, "");
	answers(serve_answer, OK "\r\nall is bad", with_body("is we"),
		PROBE_FAIL, "the text is not in the answer");
	answers(serve_answer, OK "\r\n", with_body("is we"), PROBE_FAIL,
		"the text is not in the answer");
	answers(serve_answer, OK "Transfer-Encoding: chunked\r\n\r\n"
		"4\r\nis w\r\n1\r\ne\r\n0\r\n\r\n", with_body("is we"),
		PROBE_PASS, "");
}

static void of_an_endless_body_the_beginning_counts(void **state)
{
	answers(serve_endless_body, OK, http(), PROBE_PASS, "");
	answers(serve_endless_body, OK, with_body("all of it"), PROBE_PASS,
		"");
	answers(serve_endless_body, OK, with_body("none"), PROBE_FAIL,
		"the text is not in the first 64 KiB");
	answers(serve_endless_body, "HTTP/1.1 500 x\r\n", http(), PROBE_FAIL,
		"status 500");
	answers(serve_endless_body,
		OK "Content-Length: 99999999999999999\r\n", http(), PROBE_PASS,
		"");
}

static void endless_headers_fail(void **state)
{
	const char why[] = "headers of more than 64 KiB";

	answers(serve_endless_headers, OK, http(), PROBE_FAIL, why);
	answers(serve_endless_header, OK, http(), PROBE_FAIL, why);
	answers(serve_endless_interim, OK, http(), PROBE_FAIL, why);
}

static void what_drips_is_ended_by_the_deadline(void **state)
{
	struct probe_spec spec = http();

	spec.timeout_ms = IMPATIENT_MS;
	answers(serve_dripping, NULL, spec, PROBE_FAIL,
		"no whole answer in 0.15 s");
	answers(serve_dripping_head, NULL, spec, PROBE_FAIL,
		"no answer in 0.15 s");
	answers(serve_silence, NULL, spec, PROBE_FAIL, "no answer in 0.15 s");
}

static void what_is_not_http_fails(void **state)
{
	static const char *const bad[] = {
		"HTTP/1.1 99999999999\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n",
		"HTTP/9.9 200 OK\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\x16\x03\x01\x02", "200 OK\r\n\r\n",
		OK "Content-Length: -1\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\nzzzz\r\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct probe_spec spec = http();
		struct probe_server s;
		struct probe_result r;

		answer = bad[i];
		s = server_start("127.0.0.1", SOCK_STREAM, serve_answer);
		spec.addr = s.addr;
		spec.port = s.port;
		r = check(&spec);
		server_end(&s);
		if (r.outcome != PROBE_FAIL)
			fail_msg("%s: %d %s", bad[i], r.outcome, r.why);
	}
}

static void what_is_cut_short_fails(void **state)
{
	answers(serve_nothing, NULL, http(), PROBE_FAIL,
		"closed without an answer");
	answers(serve_answer, OK "Content-Length: 100\r\n\r\nonly this",
		http(), PROBE_FAIL, "closed in the middle of an answer");
	answers(serve_reset, OK "Content-Length: 100\r\n\r\nonly this", http(),
		PROBE_FAIL, "reset in the middle of an answer");
	answers(serve_reset, "", http(), PROBE_FAIL, "reset");
}

static void nobody_listens_is_refused(void **state)
{
	struct probe_server s = server_bind("127.0.0.1", SOCK_STREAM);
	struct probe_spec spec = http();

	checked_is(&s, spec, PROBE_FAIL, "refused");
	server_end(&s);
}

/* 192.0.2.0/24 is nobody's. */
static void a_fault_of_our_own_is_no_result(void **state)
{
	struct probe_server s = server_bind("127.0.0.1", SOCK_STREAM);
	struct probe_spec spec = http();

	assert_true(addr_parse("192.0.2.1", &spec.source));
	checked_is(&s, spec, PROBE_NO_RESULT,
		   "no such source, or no port left");
	spec.source = (struct addr){};
	strcpy(spec.interface, "none-such");
	checked_is(&s, spec, PROBE_NO_RESULT, "no such interface");
	server_end(&s);
}

static void no_descriptors_is_no_result(void **state)
{
	struct probe_server s = server_bind("127.0.0.1", SOCK_STREAM);
	struct checked c = checked_begin();
	struct rlimit some = { 64, 64 }, before;
	struct probe_spec spec = http();
	int fds[64], count = 0;

	spec.addr = s.addr;
	spec.port = s.port;
	getrlimit(RLIMIT_NOFILE, &before);
	some.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &some);
	checked_start(&c, &spec);
	while (count < 64 && (fds[count] = dup(0)) >= 0)
		count++;
	loop_run(c.loop);
	while (count)
		close(fds[--count]);
	setrlimit(RLIMIT_NOFILE, &before);
	result_is(&c.result, PROBE_NO_RESULT, "too many open files");
	checked_end(&c);
	server_end(&s);
}

static void cancelled_at_any_moment_nothing_is_heard(void **state)
{
	struct checked c = checked_begin();
	struct probe_spec spec = http();
	struct probe_server s;
	struct event *timer;

	s = server_start("127.0.0.1", SOCK_STREAM, serve_dripping);
	spec.addr = s.addr;
	spec.port = s.port;
	assert_int_equal(loop_add_timer(c.loop, (void *)loop_stop, c.loop,
					&timer), 0);
	for (unsigned int ms = 0; ms < 12; ms++) {
		checked_start(&c, &spec);
		timer_set(timer, ms, 0);
		if (ms)
			loop_run(c.loop);
		c.probe->type->cancel(c.probe);
	}
	assert_int_equal(c.told, 0);
	event_remove(timer);
	checked_end(&c);
	server_end(&s);
}

/* A line of /proc/net/tcp for each that waits, state 06. */
static int time_wait(__u16 port)
{
	FILE *f = fopen("/proc/net/tcp", "r");
	char line[512], text[16];
	int count = 0;

	assert_non_null(f);
	snprintf(text, sizeof(text), ":%04X 06 ", port);
	while (fgets(line, sizeof(line), f))
		count += !!strstr(line, text);
	fclose(f);
	return count;
}

static void no_connection_is_left_in_time_wait(void **state)
{
	struct probe_spec spec = http();
	struct probe_server s;

	answer = OK "Content-Length: 1000000\r\n\r\n";
	s = server_start("127.0.0.1", SOCK_STREAM, serve_endless_body);
	for (int i = 0; i < 10; i++)
		checked_is(&s, spec, PROBE_PASS, "");
	assert_int_equal(time_wait(s.port), 0);
	server_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_200_passes),
		cmocka_unit_test(both_families_pass),
		cmocka_unit_test(other_statuses_fail_by_number),
		cmocka_unit_test(a_redirect_is_not_followed),
		cmocka_unit_test(the_request_is_what_was_asked_for),
		cmocka_unit_test(proxies_of_the_environment_are_not_asked),
		cmocka_unit_test(head_has_no_body),
		cmocka_unit_test(a_text_is_looked_for),
		cmocka_unit_test(of_an_endless_body_the_beginning_counts),
		cmocka_unit_test(endless_headers_fail),
		cmocka_unit_test(what_drips_is_ended_by_the_deadline),
		cmocka_unit_test(what_is_not_http_fails),
		cmocka_unit_test(what_is_cut_short_fails),
		cmocka_unit_test(nobody_listens_is_refused),
		cmocka_unit_test(a_fault_of_our_own_is_no_result),
		cmocka_unit_test(no_descriptors_is_no_result),
		cmocka_unit_test(cancelled_at_any_moment_nothing_is_heard),
		cmocka_unit_test(no_connection_is_left_in_time_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
