// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "cli/options.h"

static const struct command commands[] = {
	{ "status", "", "", TAKES(JSON) | TAKES(TIMEOUT), 0, 0, NULL },
	{ "serve", "", "", TAKES(CONFIG), 0, 0, NULL },
	{ "backend list", "[SERVICE]", "", TAKES(JSON), 0, 1, NULL },
	{ "backend drain", "SERVICE ADDR", "", 0, 2, 2, NULL },
	{},
};

/* What is said on the way is in said. */
static char said[1024];

static bool parse(const char *command, struct options *ret, int argc,
		  const char *const *words)
{
	char *argv[8], *name = strdup(command), *rest;
	const struct command *found;
	FILE *errors = fmemopen(said, sizeof(said), "w");
	char *first = strtok_r(name, " ", &rest);
	char *of_command[] = { first, strtok_r(NULL, " ", &rest) };
	int taken;
	bool ok;

	memcpy(argv, words, argc * sizeof(*argv));
	found = command_find(commands, of_command[1] ? 2 : 1, of_command,
			     &taken, errors);
	ok = found && options_parse(found, argc, argv, ret, errors);
	if (ok && ret->nr_arguments)
		assert_ptr_equal(ret->arguments[0], argv[0]);
	fclose(errors);
	free(name);
	return ok;
}

#define PARSE(command, ret, ...) ({					\
	static const char *const words_[] = { __VA_ARGS__ };		\
	memset(said, 0, sizeof(said));					\
	parse(command, ret, sizeof(words_) / sizeof(*words_), words_);	\
})

static void values_come_with_the_next_word_or_behind_a_sign(void **state)
{
	struct options o;

	assert_true(PARSE("serve", &o, "--config", "a.yaml"));
	assert_string_equal(o.config, "a.yaml");
	assert_true(PARSE("serve", &o, "--config=b=c"));
	assert_string_equal(o.config, "b=c");
	assert_true(PARSE("status", &o, "--timeout=0", "--json"));
	assert_int_equal(o.timeout_s, 0);
	assert_true(o.json);
}

static void what_is_not_given_has_its_default(void **state)
{
	struct options o;

	assert_true(PARSE("status", &o));
	assert_int_equal(o.timeout_s, 30);
	assert_false(o.json);
	assert_null(o.config);
	assert_int_equal(o.gue_port, 6080);
}

static void arguments_may_stand_before_and_behind_options(void **state)
{
	struct options o;

	assert_true(PARSE("backend list", &o, "web", "--json"));
	assert_int_equal(o.nr_arguments, 1);
	assert_true(o.json);
	assert_true(PARSE("backend list", &o, "--", "--json"));
	assert_int_equal(o.nr_arguments, 1);
	assert_false(o.json);
}

static void an_unknown_option_names_the_nearest(void **state)
{
	struct options o;

	assert_false(PARSE("status", &o, "--jsno"));
	assert_non_null(strstr(said, "\"--jsno\""));
	assert_non_null(strstr(said, "did you mean \"--json\"?"));
}

static void an_option_of_another_command_is_refused(void **state)
{
	struct options o;

	assert_false(PARSE("status", &o, "--config", "x"));
	assert_non_null(strstr(said, "takes no option \"--config\""));
}

static void wrong_values_are_refused(void **state)
{
	struct options o;

	assert_false(PARSE("status", &o, "--timeout", "1s"));
	assert_false(PARSE("status", &o, "--timeout", "-1"));
	assert_false(PARSE("status", &o, "--timeout", "86401"));
	assert_false(PARSE("status", &o, "--timeout",
			   "99999999999999999999999"));
	assert_false(PARSE("status", &o, "--timeout="));
	assert_false(PARSE("status", &o, "--timeout"));
	assert_non_null(strstr(said, "needs a value"));
	assert_false(PARSE("status", &o, "--json=yes"));
	assert_non_null(strstr(said, "takes no value"));
}

static void arguments_are_counted(void **state)
{
	struct options o;

	assert_false(PARSE("status", &o, "x"));
	assert_non_null(strstr(said, "what is \"x\"?"));
	assert_false(PARSE("backend drain", &o, "web"));
	assert_non_null(strstr(said, "needs SERVICE ADDR"));
	assert_true(PARSE("backend drain", &o, "web", "192.0.2.1"));
	assert_true(PARSE("backend drain", &o, "--help"));
}

static void an_unknown_command_names_the_nearest(void **state)
{
	struct options o;

	assert_false(PARSE("stauts", &o));
	assert_non_null(strstr(said, "did you mean \"status\"?"));
	assert_false(PARSE("backend drian", &o));
	assert_non_null(strstr(said, "did you mean \"backend drain\"?"));
	assert_false(PARSE("backend", &o));
	assert_non_null(strstr(said, "backend list"));
}

static void endpoints_come_apart_and_together(void **state)
{
	static const struct {
		const char *text, *addr;
		int port;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", -1 },
		{ "192.0.2.1:80", "192.0.2.1", 80 },
		{ "2001:db8::1", "2001:db8::1", -1 },
		{ "[2001:db8::1]:65535", "2001:db8::1", 65535 },
	};
	char text[ENDPOINT_TEXT_MAX];
	struct addr addr, want;
	int port;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(endpoint_parse(cases[i].text, &addr, &port));
		assert_true(addr_parse(cases[i].addr, &want));
		assert_memory_equal(&addr, &want, sizeof(addr));
		assert_int_equal(port, cases[i].port);
		assert_string_equal(endpoint_format(&addr, port, text),
				    cases[i].text);
	}
	assert_true(endpoint_parse("[2001:db8::1]", &addr, &port));
	assert_int_equal(port, -1);
}

static void what_is_no_endpoint_is_refused(void **state)
{
	static const char *const cases[] = {
		"", ":", ":80", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:80:80", "[192.0.2.1]:80", "[2001:db8::1]80",
		"[2001:db8::1", "[]:80", "[2001:db8::1]:", "web:80",
		"192.0.2.1:8o", "[::1]:+80",
		"1111111111111111111111111111111111111111111111111111:80",
	};
	struct addr addr = { .word = { 7 } };
	int port = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (endpoint_parse(cases[i], &addr, &port))
			fail_msg("\"%s\" was taken", cases[i]);
	assert_int_equal(port, 7);
	assert_int_equal(addr.word[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_with_the_next_word_or_behind_a_sign),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(arguments_may_stand_before_and_behind_options),
		cmocka_unit_test(an_unknown_option_names_the_nearest),
		cmocka_unit_test(an_option_of_another_command_is_refused),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(arguments_are_counted),
		cmocka_unit_test(an_unknown_command_names_the_nearest),
		cmocka_unit_test(endpoints_come_apart_and_together),
		cmocka_unit_test(what_is_no_endpoint_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
