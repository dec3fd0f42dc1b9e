// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is offered where somebody asks what may come next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/complete.h"

static const struct command commands[] = {
	{ "serve", "", "", TAKES(CONFIG) | TAKES(ONCE), 0, 0, NULL },
	{ "service list", "", "", TAKES(JSON), 0, 0, NULL },
	{ "service show", "NAME", "", TAKES(JSON), 1, 1, NULL },
	{ "backend drain", "SERVICE ADDR", "", 0, 2, 2, NULL },
	{ "conn list", "", "", TAKES(SERVICE) | TAKES(LIMIT), 0, 0, NULL },
	{ "secret", "", NULL, 0, 0, 0, NULL },
	{},
};

static void services(void *arg, void (*f)(void *to, const char *name),
		     void *to)
{
	f(to, "web");
	f(to, "web6");
	f(to, "dns");
}

static void assert_offers(const char *words, const char *want)
{
	const struct complete_with with = { commands, services, NULL };
	char *line = strdup(words), *rest = line, *argv[8], *word, *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int argc = 0;

	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	complete(&with, argc, argv, out);
	fclose(out);
	if (strcmp(text, want))
		fail_msg("\"%s\" offers:\n%s", words, text);
	free(line);
	free(text);
}

static void words(void **state)
{
	assert_offers("", "serve\nservice\nbackend\nconn\n");
	assert_offers("s", "serve\nservice\n");
	assert_offers("serv", "serve\nservice\n");
	assert_offers("service ", "list\nshow\n");
	assert_offers("service s", "show\n");
	assert_offers("nothing ", "");
	assert_offers("nothing at ", "");
	assert_offers("secret", "");
}

static void options(void **state)
{
	assert_offers("serve --", "--config\n--once\n--help\n");
	assert_offers("serve --config x --o", "--once\n");
	assert_offers("service list --j", "--json\n");
	/* files are the shell's to offer */
	assert_offers("serve --config ", "");
	assert_offers("serve ", "");
}

static void names(void **state)
{
	assert_offers("service show ", "web\nweb6\ndns\n");
	assert_offers("service show web", "web\nweb6\n");
	assert_offers("service show --json w", "web\nweb6\n");
	assert_offers("service show web ", "");
	assert_offers("backend drain d", "dns\n");
	assert_offers("conn list --service d", "dns\n");
	assert_offers("conn list --limit ", "");
	assert_offers("conn list ", "");
}

static void nothing_at_all(void **state)
{
	const struct complete_with with = { .commands = commands };
	char *argv[] = { "service", "show", "" };

	complete(&with, 0, argv, stdout);
	complete(&with, 3, argv, stdout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(options),
		cmocka_unit_test(names),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
