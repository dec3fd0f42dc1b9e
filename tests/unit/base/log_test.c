// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the log writes, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"

static FILE *kept;
static int real_stderr;

/* stderr is a file until said(). */
static void listen_to_stderr(void)
{
	kept = tmpfile();
	assert_non_null(kept);
	real_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(kept), STDERR_FILENO) >= 0);
}

static const char *said(void)
{
	static char text[8192];
	size_t len;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	rewind(kept);
	len = fread(text, 1, sizeof(text) - 1, kept);
	text[len] = '\0';
	fclose(kept);
	return text;
}

static void an_event_is_a_line(void **state)
{
	listen_to_stderr();
	assert_int_equal(log_error(-ENOENT, "cannot open \"%s\"", "x"),
			 -ENOENT);
	assert_int_equal(log_warning(0, "half of it"), 0);
	log_hint("the other half");
	log_info("all of it");
	assert_string_equal(said(),
			    "fairlead: cannot open \"x\": No such file or directory\n"
			    "fairlead: half of it\n"
			    "fairlead: hint: the other half\n"
			    "fairlead: all of it\n");
}

static void names_from_outside_make_no_line(void **state)
{
	listen_to_stderr();
	log_error(0, "no \"%s\"", "a\nfairlead: all is well\x1b[2J");
	assert_string_equal(said(),
			    "fairlead: no \"a?fairlead: all is well?[2J\"\n");
}

static void a_long_line_is_cut_and_ends(void **state)
{
	char text[5000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	listen_to_stderr();
	log_error(-ENOMEM, "%s", text);
	line = said();
	assert_true(strlen(line) > 1000 && strlen(line) < 2048);
	assert_string_equal(line + strlen(line) - 25,
			    ": Cannot allocate memory\n");
}

static void levels_leave_out_what_is_above_them(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;

	listen_to_stderr();
	log_debug("not at first");
	assert_true(log_level_parse("debug", &level));
	log_set_level(level);
	log_debug("now");
	assert_true(log_level_parse("error", &level));
	log_set_level(level);
	log_warning(0, "no more");
	log_info("no more");
	log_error(0, "always");
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal(said(), "fairlead: now\nfairlead: always\n");
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
}

/* systemd.exec(5): JOURNAL_STREAM has the device and inode of the stream. */
static void the_journal_is_told_the_level(void **state)
{
	char stream[64];
	struct stat st;

	listen_to_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error(0, "a");
	log_warning(0, "b");
	log_hint("c");
	log_info("d");
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_info("another file");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(said(), "<3>fairlead: a\n"
				    "<4>fairlead: b\n"
				    "<5>fairlead: hint: c\n"
				    "<6>fairlead: d\n"
				    "fairlead: another file\n");
}

/* For programs; what is no UTF-8 is there as well. The last of all, as it stays
 * so. */
static void an_event_is_an_object(void **state)
{
	static const char *const levels[] = { "error", "notice" };
	static const char *const texts[] = {
		"no \"a?b\\\": No such file or directory", "the other half",
	};
	const char *line;

	log_use_json();
	listen_to_stderr();
	log_error(-ENOENT, "no \"%s\"", "a\nb\\");
	log_hint("the other half");
	log_info("(%s", "\xff");
	log_debug("nobody asked");
	line = said();
	for (int i = 0; i < 2; i++) {
		size_t len = strcspn(line, "\n");
		json_t *object = json_loadb(line, len, 0, NULL);
		const char *time;

		assert_non_null(object);
		assert_int_equal(json_object_size(object), 3);
		time = json_string_value(json_object_get(object, "time"));
		assert_int_equal(strlen(time), strlen("2026-01-01T00:00:00.000Z"));
		assert_string_equal(json_string_value(json_object_get(object,
							"level")), levels[i]);
		assert_string_equal(json_string_value(json_object_get(object,
							"text")), texts[i]);
		json_decref(object);
		line += len + 1;
	}
	assert_non_null(strstr(line, "\"(?\""));
	assert_null(strstr(line, "nobody"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_a_line),
		cmocka_unit_test(names_from_outside_make_no_line),
		cmocka_unit_test(a_long_line_is_cut_and_ends),
		cmocka_unit_test(levels_leave_out_what_is_above_them),
		cmocka_unit_test(the_journal_is_told_the_level),
		cmocka_unit_test(an_event_is_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
