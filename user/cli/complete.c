// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See complete.h. */
#include <stdbool.h>
#include <string.h>

#include "complete.h"

/* One time that somebody asks. */
struct completion {
	const char *begun;
	FILE *out;
};

static void offer(const struct completion *c, const char *before,
		  const char *word, size_t len)
{
	char text[80];

	snprintf(text, sizeof(text), "%s%.*s", before, (int)len, word);
	if (!strncmp(text, c->begun, strlen(c->begun)))
		fprintf(c->out, "%s\n", text);
}

/* A first word of several commands is offered once: they stand together. */
static void offer_first_words(const struct completion *c,
			      const struct command *commands)
{
	const struct command *before = NULL;

	for (const struct command *at = commands; at->name; at++) {
		size_t len = strcspn(at->name, " ");

		if (!at->text || (before && !strncmp(before->name, at->name,
						     len + 1)))
			continue;
		before = at;
		offer(c, "", at->name, len);
	}
}

static void offer_second_words(const struct completion *c,
			       const struct command *commands,
			       const char *group)
{
	size_t len = strlen(group);

	for (const struct command *at = commands; at->name; at++)
		if (!strncmp(at->name, group, len) && at->name[len] == ' ')
			offer(c, "", at->name + len + 1,
			      strlen(at->name + len + 1));
}

static void offer_options(const struct completion *c,
			  const struct command *command)
{
	struct option_view o;

	for (int i = 0; i < NR_OPTIONS; i++)
		if (option_view(command, i, &o))
			offer(c, "--", o.name, strlen(o.name));
}

static void offer_name(void *arg, const char *name)
{
	offer(arg, "", name, strlen(name));
}

/* Is it the value of the option before it? */
static bool is_value(const struct command *command, int argc, char **argv)
{
	struct option_view o;

	for (int i = 0; argc && i < NR_OPTIONS; i++)
		if (option_view(command, i, &o) && o.takes_word &&
		    !strncmp(argv[argc - 1], "--", 2) &&
		    !strcmp(argv[argc - 1] + 2, o.name))
			return true;
	return false;
}

/* Arguments that stand before it, without options and their values. */
static int count_arguments(const struct command *command, int argc,
			   char **argv)
{
	int count = 0;

	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "--", 2) && !is_value(command, i, argv))
			count++;
	return count;
}

/* Is a service's name the first that the command takes? */
static bool takes_service(const struct command *command)
{
	return !strncmp(command->arguments, "SERVICE", 7) ||
	       !strncmp(command->arguments, "[SERVICE]", 9) ||
	       !strcmp(command->name, "service show");
}

static void offer_services(struct completion *c,
			   const struct complete_with *with)
{
	if (with->services)
		with->services(with->arg, offer_name, c);
}

/* argv: behind the command, without what is begun. */
static void of_command(struct completion *c, const struct complete_with *with,
		       const struct command *command, int argc, char **argv)
{
	const bool is_option = argc && !strcmp(argv[argc - 1], "--service");

	if (is_value(command, argc, argv)) {
		if (is_option)
			offer_services(c, with);
		return;
	}
	if (!strncmp(c->begun, "-", 1))
		offer_options(c, command);
	else if (takes_service(command) &&
		 !count_arguments(command, argc, argv))
		offer_services(c, with);
}

void complete(const struct complete_with *with, int argc, char **argv,
	      FILE *out)
{
	const struct command *command;
	struct completion c = { .out = out };
	int words;

	if (argc < 1)
		return;
	c.begun = argv[--argc];
	if (!argc) {
		offer_first_words(&c, with->commands);
		return;
	}
	command = command_match(with->commands, argc, argv, &words);
	if (command)
		of_command(&c, with, command, argc - words, argv + words);
	else if (argc == 1)
		offer_second_words(&c, with->commands, argv[0]);
}
