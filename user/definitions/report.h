/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is wrong with files that people write: a line for each mistake,
 * "path:line:column: what", up to REPORT_MAX of them; the rest is counted.
 */
#ifndef FAIRLEAD_REPORT_H
#define FAIRLEAD_REPORT_H

#include <stdarg.h>
#include <stdio.h>

#define REPORT_MAX 50

struct report {
	FILE *out;
	unsigned int count;	/* of mistakes, written or not */
	unsigned int notes;
	unsigned int refused;	/* of what does not count while the rest does */
};

/* line 0: about the file as a whole. */
void report_verror(struct report *r, const char *path, unsigned int line,
		   unsigned int column, const char *fmt, va_list args);
void report_error(struct report *r, const char *path, unsigned int line,
		  unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* What is no mistake of the whole: something is refused by itself. */
void report_vrefused(struct report *r, const char *path, unsigned int line,
		     unsigned int column, const char *fmt, va_list args);
void report_refused(struct report *r, const char *path, unsigned int line,
		    unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Nor of anything: it is only said. */
void report_note(struct report *r, const char *path, unsigned int line,
		 unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Say how many were not written. */
void report_finish(struct report *r);

#endif
