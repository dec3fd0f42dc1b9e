// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks by UDP, the DNS and ICMP, and answers that are not to them. */
#include "probe_world.h"

#include <fcntl.h>
#include <sched.h>

static const char *answer;	/* of the next server */
static __u8 rcode, flags;	/* of DNS; flags: of byte 2 */

static struct probe_spec spec_of(enum probe_kind kind)
{
	return (struct probe_spec){ .kind = kind, .timeout_ms = PATIENT_MS };
}

static struct probe_bytes bytes(char *text)
{
	return (struct probe_bytes){ text, strlen(text) };
}

/* Something, and then what is to be said. */
static void serve_udp(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char request[512];

	if (recvfrom(fd, request, sizeof(request), 0, (void *)&from, &len) < 0)
		return;
	sendto(fd, "\x1b other", 7, 0, (void *)&from, len);
	sendto(fd, answer, strlen(answer), 0, (void *)&from, len);
}

static void serve_silence(int fd)
{
	pause();
}

static void serves(void (*serve)(int fd), int type, struct probe_spec spec,
		   enum probe_outcome outcome, const char *why)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };

	for (int i = 0; i < 2; i++) {
		struct probe_server s = server_start(addrs[i], type, serve);

		checked_is(&s, spec, outcome, why);
		server_end(&s);
	}
}

static void an_answer_of_udp_has_what_is_expected(void **state)
{
	struct probe_spec spec = spec_of(PROBE_UDP);

	answer = "well, well";
	spec.send = bytes("how?");
	spec.expect = bytes("well");
	serves(serve_udp, SOCK_DGRAM, spec, PROBE_PASS, "");
	spec.timeout_ms = IMPATIENT_MS;
	serves(serve_silence, SOCK_DGRAM, spec, PROBE_FAIL,
	       "no answer in 0.15 s");
	spec.expect = bytes("ill");
	serves(serve_udp, SOCK_DGRAM, spec, PROBE_FAIL,
	       "answer is not the expected one in 0.15 s");
}

static void silence_passes_if_that_is_said(void **state)
{
	struct probe_spec spec = spec_of(PROBE_UDP);

	spec.no_unreachable = true;
	spec.timeout_ms = IMPATIENT_MS;
	serves(serve_silence, SOCK_DGRAM, spec, PROBE_PASS, "");
}

static void an_unreachable_port_fails(void **state)
{
	struct probe_server s = server_bind("127.0.0.1", SOCK_DGRAM);
	struct probe_spec spec = spec_of(PROBE_UDP);

	close(s.fd);
	s.fd = dup(0);
	spec.no_unreachable = true;
	checked_is(&s, spec, PROBE_FAIL, "port unreachable");
	server_end(&s);
}

/* Its own question, with an answer's flags and code. */
static size_t dns_reply(__u8 *m, size_t len)
{
	m[2] = 0x80 | flags;
	m[3] = rcode;
	return len;
}

static void serve_dns(int fd)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	__u8 m[512], bad[512];
	ssize_t len = recvfrom(fd, m, sizeof(m), 0, (void *)&from, &from_len);

	if (len < 0)
		return;
	/* of another id; to another question; short; a question */
	memcpy(bad, m, len);
	dns_reply(bad, len);
	bad[3] = 5;
	bad[0] ^= 1;
	sendto(fd, bad, len, 0, (void *)&from, from_len);
	bad[0] ^= 1;
	bad[len - 3] ^= 1;
	sendto(fd, bad, len, 0, (void *)&from, from_len);
	sendto(fd, bad, 5, 0, (void *)&from, from_len);
	sendto(fd, m, len, 0, (void *)&from, from_len);
	sendto(fd, m, dns_reply(m, len), 0, (void *)&from, from_len);
}

/* A byte at a time. */
static void serve_dns_tcp(int fd)
{
	__u8 m[512];
	ssize_t len = read(fd, m, sizeof(m));

	if (len < 14)
		return;
	dns_reply(m + 2, len - 2);
	for (ssize_t i = 0; i < len && write(fd, m + i, 1) > 0; i++)
		usleep(100);
	pause();
}

static void serve_wrong_tcp(int fd)
{
	__u8 m[512];
	ssize_t len = read(fd, m, sizeof(m));

	if (len < 14)
		return;
	dns_reply(m + 2, len - 2);
	m[2] ^= 1;
	if (write(fd, m, len) < 0)
		return;
}

static void serve_close(int fd)
{
	__u8 m[512];

	if (read(fd, m, sizeof(m)) < 0)
		return;
}

static void an_answer_of_dns_has_the_code(void **state)
{
	struct probe_spec spec = spec_of(PROBE_DNS);

	spec.name = "a.Example";
	rcode = 0;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_PASS, "");
	spec.name = NULL;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_PASS, "");
	flags = 0x02;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_PASS, "");
	flags = 0;
	rcode = 3;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_FAIL, "NXDOMAIN");
	spec.rcode = 3;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_PASS, "");
	rcode = 14;
	serves(serve_dns, SOCK_DGRAM, spec, PROBE_FAIL, "rcode 14");
}

static void dns_over_tcp_has_it_too(void **state)
{
	struct probe_spec spec = spec_of(PROBE_DNS);

	spec.dns_tcp = true;
	rcode = 0;
	serves(serve_dns_tcp, SOCK_STREAM, spec, PROBE_PASS, "");
	rcode = 2;
	serves(serve_dns_tcp, SOCK_STREAM, spec, PROBE_FAIL, "SERVFAIL");
	rcode = 0;
	serves(serve_wrong_tcp, SOCK_STREAM, spec, PROBE_FAIL,
	       "answer is not to the question");
	serves(serve_close, SOCK_STREAM, spec, PROBE_FAIL,
	       "closed without an answer");
	spec.timeout_ms = IMPATIENT_MS;
	serves(serve_silence, SOCK_STREAM, spec, PROBE_FAIL,
	       "no answer in 0.15 s");
}

/* Root's own network in which groups may ping, or else nothing to see. */
static void ping_answers_where_it_may_be_asked(void **state)
{
	struct probe_spec spec = spec_of(PROBE_ICMP);
	pid_t pid = fork();
	int status, fd;

	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(0);
		fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
		if (fd < 0 || write(fd, "0 0", 3) != 3 ||
		    system("ip link set lo up"))
			_exit(0);
		assert_true(addr_parse("127.0.0.1", &spec.addr));
		if (check(&spec).outcome != PROBE_PASS)
			_exit(1);
		assert_true(addr_parse("::1", &spec.addr));
		_exit(check(&spec).outcome == PROBE_PASS ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void ping_without_the_right_is_no_result(void **state)
{
	struct probe_spec spec = spec_of(PROBE_ICMP);
	struct probe_result r;
	int range[2] = { 0, 0 };
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "r");

	assert_int_equal(fscanf(f, "%d %d", &range[0], &range[1]), 2);
	fclose(f);
	if ((int)getegid() >= range[0] && (int)getegid() <= range[1])
		return;
	assert_true(addr_parse("127.0.0.1", &spec.addr));
	r = check(&spec);
	result_is(&r, PROBE_NO_RESULT, "not allowed here");
}

static void cancelled_nothing_is_heard(void **state)
{
	struct probe_server s = server_start("127.0.0.1", SOCK_DGRAM,
					     serve_silence);
	struct probe_spec spec = spec_of(PROBE_DNS);
	struct checked c = checked_begin();

	spec.addr = s.addr;
	spec.port = s.port;
	checked_start(&c, &spec);
	c.probe->type->cancel(c.probe);
	assert_int_equal(c.told, 0);
	checked_end(&c);
	server_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_udp_has_what_is_expected),
		cmocka_unit_test(silence_passes_if_that_is_said),
		cmocka_unit_test(an_unreachable_port_fails),
		cmocka_unit_test(an_answer_of_dns_has_the_code),
		cmocka_unit_test(dns_over_tcp_has_it_too),
		cmocka_unit_test(ping_answers_where_it_may_be_asked),
		cmocka_unit_test(ping_without_the_right_is_no_result),
		cmocka_unit_test(cancelled_nothing_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
