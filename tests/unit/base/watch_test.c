// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Each way in which people and programs replace a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/watch.h"

struct seen {
	struct loop *loop;
	struct watch *watch;
	struct event *deadline;
	int written, gone;
};

static int shell(const char *command)
{
	return system(command);
}

#define SHELL(command) assert_int_equal(shell(command), 0)

static void on_change(void *arg, enum watch_change change)
{
	struct seen *seen = arg;

	if (change == WATCH_WRITTEN)
		seen->written++;
	else
		seen->gone++;
	loop_stop(seen->loop);
}

static void on_deadline(void *arg)
{
	struct seen *seen = arg;

	loop_stop(seen->loop);
}

/* In a directory of its own, made with the shell commands of before. */
static void begin(struct seen *seen, const char *before, const char *path)
{
	char dir[] = "/tmp/fairlead-watch.XXXXXX";

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(shell(before), 0);
	*seen = (struct seen){};
	assert_int_equal(loop_new(&seen->loop), 0);
	assert_int_equal(loop_add_timer(seen->loop, on_deadline, seen,
					&seen->deadline), 0);
	assert_int_equal(watch_new(seen->loop, path, on_change, seen,
				   &seen->watch), 0);
}

static void end(struct seen *seen)
{
	char dir[256], command[300];

	watch_free(seen->watch);
	loop_free(seen->loop);
	assert_non_null(getcwd(dir, sizeof(dir)));
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(shell(command), 0);
}

/* Runs until something is seen, or for long if nothing should be. */
static void wait_for_change(struct seen *seen, unsigned int deadline_ms)
{
	seen->written = seen->gone = 0;
	assert_int_equal(timer_set(seen->deadline, deadline_ms, 0), 0);
	assert_int_equal(loop_run(seen->loop), 0);
}

#define EXPECT_WRITTEN(seen) do {					\
	wait_for_change(seen, 5000);					\
	assert_int_equal((seen)->written, 1);				\
} while (0)

static void a_file_that_is_written_in_place(void **state)
{
	struct seen seen;

	begin(&seen, "echo a > f", "f");
	SHELL("echo b > f");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_file_that_is_renamed_over(void **state)
{
	struct seen seen;

	begin(&seen, "echo a > f", "f");
	SHELL("echo b > .f.tmp; mv .f.tmp f");
	EXPECT_WRITTEN(&seen);
	SHELL("echo c > .f.tmp; mv .f.tmp f");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_file_that_an_editor_moves_away_and_writes_anew(void **state)
{
	struct seen seen;

	begin(&seen, "echo a > f", "f");
	SHELL("mv f f~");
	wait_for_change(&seen, 5000);
	assert_int_equal(seen.gone, 1);
	SHELL("echo b > f");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_file_that_is_made_only_later(void **state)
{
	struct seen seen;

	begin(&seen, "true", "f");
	SHELL("echo a > f");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

/* As Kubernetes writes a ConfigMap. */
static void a_link_in_the_middle_that_is_switched(void **state)
{
	struct seen seen;

	begin(&seen, "mkdir v1 && echo a > v1/f && ln -s v1 ..data && "
	      "ln -s ..data/f f", "f");
	SHELL("mkdir v2 && echo b > v2/f && ln -s v2 tmp && mv -T tmp ..data");
	EXPECT_WRITTEN(&seen);
	SHELL("mkdir v3 && echo b > v3/f && ln -s v3 tmp && mv -T tmp ..data");
	EXPECT_WRITTEN(&seen);
	SHELL("echo c > v3/f");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_directory_that_is_filled_and_emptied(void **state)
{
	struct seen seen;

	begin(&seen, "mkdir d && echo a > d/a.yaml", "d");
	SHELL("echo b > d/b.yaml");
	EXPECT_WRITTEN(&seen);
	SHELL("ln -s a.yaml d/c.yaml");
	EXPECT_WRITTEN(&seen);
	SHELL("rm d/b.yaml");
	wait_for_change(&seen, 5000);
	assert_int_equal(seen.gone, 1);
	end(&seen);
}

static void a_directory_behind_a_link_that_is_switched(void **state)
{
	struct seen seen;

	begin(&seen, "mkdir v1 v2 && ln -s v1 d", "d/");
	SHELL("ln -s v2 tmp && mv -T tmp d");
	EXPECT_WRITTEN(&seen);
	SHELL("echo a > v2/a.yaml");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_directory_with_very_many_links(void **state)
{
	struct seen seen;

	begin(&seen, "mkdir d v && for i in `seq 400`; do "
	      "echo a > v/$i.yaml; ln -s ../v/$i.yaml d; done", "d");
	SHELL("for i in `seq 400`; do echo b > .n && mv .n v/$i.yaml; done");
	EXPECT_WRITTEN(&seen);
	wait_for_change(&seen, 100);
	SHELL("echo c > v/400.yaml");
	EXPECT_WRITTEN(&seen);
	SHELL("echo c > v/7.yaml");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

static void a_file_that_nobody_asked_about_is_none_of_ours(void **state)
{
	struct seen seen;

	begin(&seen, "echo a > f", "f");
	SHELL("echo b > g; mv g h; rm h; cat f > /dev/null");
	wait_for_change(&seen, 100);
	assert_int_equal(seen.written + seen.gone, 0);
	end(&seen);
}

/* Its content comes when it is closed; until then it is not to be read. */
static void a_file_that_is_only_opened_is_not_written_yet(void **state)
{
	struct seen seen;
	FILE *f;

	begin(&seen, "true", "f");
	f = fopen("f", "w");
	assert_non_null(f);
	fputs("half", f);
	fflush(f);
	wait_for_change(&seen, 100);
	assert_int_equal(seen.written + seen.gone, 0);
	fclose(f);
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

/* inotify(7): a line "inotify wd:..." for each in fdinfo. */
static int count_watches(void)
{
	char command[200], text[16] = "";
	FILE *out;

	snprintf(command, sizeof(command),
		 "cat /proc/%d/fdinfo/* 2>&- | grep -c '^inotify wd:'",
		 getpid());
	out = popen(command, "r");
	assert_non_null(out);
	assert_non_null(fgets(text, sizeof(text), out));
	pclose(out);
	return atoi(text);
}

static void a_directory_that_was_replaced_is_let_go_of(void **state)
{
	struct seen seen;
	int before;

	begin(&seen, "mkdir d kept; echo a > d/f.yaml; ln -s d link", "link");
	before = count_watches();
	for (int i = 0; i < 5; i++) {
		SHELL("mv d kept/$(ls kept | wc -l); mkdir d; "
		      "echo b > d/f.yaml; ln -s d tmp; mv -T tmp link");
		EXPECT_WRITTEN(&seen);
	}
	/* Events that were on their way still. */
	wait_for_change(&seen, 200);
	assert_int_equal(count_watches(), before);
	SHELL("echo c > d/f.yaml");
	EXPECT_WRITTEN(&seen);
	end(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_written_in_place),
		cmocka_unit_test(a_file_that_is_renamed_over),
		cmocka_unit_test(a_file_that_an_editor_moves_away_and_writes_anew),
		cmocka_unit_test(a_file_that_is_made_only_later),
		cmocka_unit_test(a_link_in_the_middle_that_is_switched),
		cmocka_unit_test(a_directory_that_is_filled_and_emptied),
		cmocka_unit_test(a_directory_behind_a_link_that_is_switched),
		cmocka_unit_test(a_directory_with_very_many_links),
		cmocka_unit_test(a_file_that_nobody_asked_about_is_none_of_ours),
		cmocka_unit_test(a_file_that_is_only_opened_is_not_written_yet),
		cmocka_unit_test(a_directory_that_was_replaced_is_let_go_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
