// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See log.h. A line goes out by one write, so that lines of several processes
 * do not mix. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "log.h"

#define LINE_MAX_BYTES 2048

static enum log_level highest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	highest = level;
}

bool log_level_parse(const char *text, enum log_level *ret)
{
	static const struct {
		const char *name;
		enum log_level level;
	} known[] = {
		{ "error", LOG_LEVEL_ERROR },
		{ "warning", LOG_LEVEL_WARNING },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].name, text))
			continue;
		*ret = known[i].level;
		return true;
	}
	return false;
}

/* systemd names the device and inode of the journal that a service writes to;
 * a stderr that was redirected since is another one. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(fileno(stderr), &st) && st.st_dev == dev &&
	       st.st_ino == ino;
}

/* Names from outside are quoted in messages: they cannot forge a line, nor
 * talk to a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void log_line(enum log_level level, int err, const char *what,
		     const char *fmt, va_list args)
{
	char message[LINE_MAX_BYTES - 128], line[LINE_MAX_BYTES];
	char prefix[4] = "";
	int len;

	if (level > highest)
		return;
	vsnprintf(message, sizeof(message), fmt, args);
	make_printable(message);
	if (is_journal())
		snprintf(prefix, sizeof(prefix), "<%u>", level % 10u);
	len = snprintf(line, sizeof(line), "%sfairlead: %s%s%s%.64s\n", prefix,
		       what, message, err < 0 ? ": " : "",
		       err < 0 ? strerror(-err) : "");
	fwrite(line, 1, len, stderr);
}

int log_error(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_ERROR, err, "", fmt, args);
	va_end(args);
	return err;
}

int log_warning(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_WARNING, err, "", fmt, args);
	va_end(args);
	return err;
}

void log_hint(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_NOTICE, 0, "hint: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_INFO, 0, "", fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_DEBUG, 0, "", fmt, args);
	va_end(args);
}

static __attribute__((format(printf, 2, 3))) void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(level, 0, "", fmt, args);
	va_end(args);
}

void log_lines(enum log_level level, const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len)
			log_at(level, "%.*s", (int)len, text);
	}
}
