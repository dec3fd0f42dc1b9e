/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the program tells whoever runs it, on stderr: one line an event,
 * "fairlead: <message>[: <strerror>]". Levels and their numbers are those of
 * syslog(3). Where stderr is systemd's journal, each line begins with "<N>" so
 * that the journal knows its level (sd-daemon(3)). For programs, a line can be
 * an object of JSON instead: "time" (RFC 3339, in UTC), "level" (as
 * log_level_parse() takes it; a hint is a "notice") and "text".
 */
#ifndef FAIRLEAD_LOG_H
#define FAIRLEAD_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,	/* what was asked for is not done */
	LOG_LEVEL_WARNING = 4,	/* it is done, but in part, or not for long */
	LOG_LEVEL_NOTICE = 5,	/* a hint at what would mend an error */
	LOG_LEVEL_INFO = 6,	/* what was done */
	LOG_LEVEL_DEBUG = 7,	/* how */
};

/* The message of an errno follows where err is negative. Return err as is. */
int log_error(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int log_warning(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of its own, "fairlead: hint: ...", after the error that it is
 * about. */
void log_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Each line of text by itself, but for empty ones; level: not NOTICE. */
void log_lines(enum log_level level, const char *text);

/* Lines of a higher level are left out from now on; LOG_LEVEL_INFO at first. */
void log_set_level(enum log_level level);

/* From now on. */
void log_use_json(void);

/* "error", "warning", "info", "debug"; false: none of them. */
bool log_level_parse(const char *text, enum log_level *ret);

#endif
