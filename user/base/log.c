// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See log.h. A line goes out by one write, so that lines of several processes
 * do not mix. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sys/stat.h>

#include "log.h"

#define LINE_MAX_BYTES 2048

static enum log_level highest = LOG_LEVEL_INFO;
static bool is_json;

void log_set_level(enum log_level level)
{
	highest = level;
}

void log_use_json(void)
{
	is_json = true;
}

static const char *const names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

bool log_level_parse(const char *text, enum log_level *ret)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (i == LOG_LEVEL_NOTICE || strcmp(names[i], text))
			continue;
		*ret = i;
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

static const char *now_text(char text[static 32])
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(text, 32, "%FT%T", &tm);
	snprintf(text + len, 32 - len, ".%03ldZ", now.tv_nsec / 1000000);
	return text;
}

/* What jansson cannot say, as it is no UTF-8, has other characters. */
static char *json_line(enum log_level level, const char *message)
{
	char time[32];
	json_t *line = json_pack("{s:s, s:s, s:s}", "time", now_text(time),
				 "level", names[level], "text", message);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	return text;
}

static void make_ascii(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > '~')
			*text = '?';
}

static void write_json(enum log_level level, char *message)
{
	char *text = json_line(level, message), *line;
	int len;

	if (!text) {
		make_ascii(message);
		text = json_line(level, message);
	}
	len = text ? asprintf(&line, "%s\n", text) : -1;
	if (len >= 0) {
		fwrite(line, 1, len, stderr);
		free(line);
	}
	free(text);
}

static void write_text(enum log_level level, const char *message)
{
	char line[LINE_MAX_BYTES], prefix[4] = "";
	int len;

	if (is_journal())
		snprintf(prefix, sizeof(prefix), "<%u>", level % 10u);
	len = snprintf(line, sizeof(line), "%sfairlead: %s\n", prefix,
		       message);
	fwrite(line, 1, len, stderr);
}

static void log_line(enum log_level level, int err, const char *what,
		     const char *fmt, va_list args)
{
	char message[LINE_MAX_BYTES - 32];
	size_t len;

	if (level > highest)
		return;
	len = is_json ? 0 : snprintf(message, sizeof(message), "%s", what);
	vsnprintf(message + len, sizeof(message) - 96 - len, fmt, args);
	len = strlen(message);
	if (err < 0)
		snprintf(message + len, sizeof(message) - len, ": %.64s",
			 strerror(-err));
	make_printable(message);
	if (is_json)
		write_json(level, message);
	else
		write_text(level, message);
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
