// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What agents and files say, and what is made of it. */
#include "probe_world.h"

#include "health/agent_words.h"

static const char *answer;	/* of the next server */

static void serve_line(int fd)
{
	char request[16] = "";

	if (read(fd, request, 4) != 4 || strcmp(request, "ask\n"))
		return;
	if (write(fd, answer, strlen(answer)) > 0)
		return;
}

static void serve_endless(int fd)
{
	while (write(fd, "up up up up ", 12) > 0)
		;
}

static void says(const char *text, enum probe_outcome outcome, const char *why,
		 enum probe_advice advice, unsigned int weight)
{
	struct probe_result r;

	agent_words_judge(text, strlen(text), &r);
	result_is(&r, outcome, why);
	assert_int_equal(r.advice, advice);
	assert_int_equal(r.weight, weight);
}

static void words_mean_what_haproxy_says(void **state)
{
	says("up\n", PROBE_PASS, "", PROBE_ADVICE_NONE, 0);
	says("READY", PROBE_PASS, "", PROBE_ADVICE_NONE, 0);
	says("up 50%\n", PROBE_PASS, "", PROBE_ADVICE_WEIGHT, 50);
	says("75%,ready\r\n", PROBE_PASS, "", PROBE_ADVICE_WEIGHT, 75);
	says("0%", PROBE_PASS, "", PROBE_ADVICE_DRAIN, 0);
	says("maxconn:30 up", PROBE_PASS, "", PROBE_ADVICE_NONE, 0);
	says("drain", PROBE_PASS, "", PROBE_ADVICE_DRAIN, 0);
	says("down", PROBE_FAIL, "down", PROBE_ADVICE_NONE, 0);
	says("maint", PROBE_FAIL, "maint", PROBE_ADVICE_NONE, 0);
	says("down: disk\x1b[31m is full\nup", PROBE_FAIL,
	     "down: disk?[31m is full", PROBE_ADVICE_NONE, 0);
	says("down#for repair", PROBE_FAIL, "down: for repair",
	     PROBE_ADVICE_NONE, 0);
}

static void of_several_the_worst_holds(void **state)
{
	says("up drain", PROBE_PASS, "", PROBE_ADVICE_DRAIN, 0);
	says("drain up 50%", PROBE_PASS, "", PROBE_ADVICE_DRAIN, 50);
	says("down up", PROBE_FAIL, "down", PROBE_ADVICE_NONE, 0);
}

static void what_is_no_word_fails(void **state)
{
	says("", PROBE_FAIL, "says nothing", PROBE_ADVICE_NONE, 0);
	says("\n up", PROBE_FAIL, "says nothing", PROBE_ADVICE_NONE, 0);
	says("fine", PROBE_FAIL, "says \"fine\"", PROBE_ADVICE_NONE, 0);
	says("up 50", PROBE_FAIL, "says \"up 50\"", PROBE_ADVICE_NONE, 0);
	says("99999999999999999999%", PROBE_FAIL,
	     "says \"99999999999999999999%\"", PROBE_ADVICE_NONE, 0);
	says("up\xff", PROBE_FAIL, "says \"up?\"", PROBE_ADVICE_NONE, 0);
}

static struct probe_spec agent(void)
{
	return (struct probe_spec){ .kind = PROBE_AGENT,
				    .timeout_ms = PATIENT_MS,
				    .send = { "ask\n", 4 } };
}

static void an_agent_is_asked(void **state)
{
	struct probe_server s;

	answer = "down: tired\n";
	s = server_start("127.0.0.1", SOCK_STREAM, serve_line);
	checked_is(&s, agent(), PROBE_FAIL, "down: tired");
	server_end(&s);
	answer = "up";
	s = server_start("::1", SOCK_STREAM, serve_line);
	checked_is(&s, agent(), PROBE_PASS, "");
	server_end(&s);
}

static void an_endless_agent_is_cut_off(void **state)
{
	struct probe_server s = server_start("127.0.0.1", SOCK_STREAM,
					     serve_endless);
	struct probe_spec spec = agent();
	struct probe_result r;

	spec.addr = s.addr;
	spec.port = s.port;
	spec.send = (struct probe_bytes){};
	r = check(&spec);
	/* wherever the last word is cut */
	assert_true(r.outcome == PROBE_PASS || r.outcome == PROBE_FAIL);
	server_end(&s);
}

static void no_agent_is_no_result(void **state)
{
	struct probe_server s = server_bind("127.0.0.1", SOCK_STREAM);

	checked_is(&s, agent(), PROBE_NO_RESULT, "refused");
	server_end(&s);
}

static struct probe_result file_says(char *path, const char *text)
{
	struct probe_spec spec = { .kind = PROBE_FILE, .file = path,
				   .timeout_ms = PATIENT_MS };
	FILE *f = text ? fopen(path, "w") : NULL;

	if (f)
		fputs(text, f);
	if (f)
		fclose(f);
	return check(&spec);
}

static void a_file_says_the_same(void **state)
{
	char dir[] = "/tmp/fairlead-probe.XXXXXX", path[64];
	struct probe_result r;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	r = file_says(path, NULL);
	assert_int_equal(r.outcome, PROBE_NO_RESULT);
	r = file_says(path, "drain\n");
	result_is(&r, PROBE_PASS, "");
	assert_int_equal(r.advice, PROBE_ADVICE_DRAIN);
	r = file_says(path, "down\n");
	result_is(&r, PROBE_FAIL, "down");
	unlink(path);
	r = file_says(dir, NULL);
	assert_int_equal(r.outcome, PROBE_NO_RESULT);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_mean_what_haproxy_says),
		cmocka_unit_test(of_several_the_worst_holds),
		cmocka_unit_test(what_is_no_word_fails),
		cmocka_unit_test(an_agent_is_asked),
		cmocka_unit_test(an_endless_agent_is_cut_off),
		cmocka_unit_test(no_agent_is_no_result),
		cmocka_unit_test(a_file_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
