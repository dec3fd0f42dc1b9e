// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See report.h. */
#include "report.h"

#define TEXT_MAX 640

/* What is quoted comes from a file: no control characters to a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void write_line(struct report *r, const char *path, unsigned int line,
		       unsigned int column, const char *fmt, va_list args)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	make_printable(text);
	if (line)
		fprintf(r->out, "%s:%u:%u: %s\n", path, line, column, text);
	else
		fprintf(r->out, "%s: %s\n", path, text);
}

void report_verror(struct report *r, const char *path, unsigned int line,
		   unsigned int column, const char *fmt, va_list args)
{
	if (r->count++ < REPORT_MAX)
		write_line(r, path, line, column, fmt, args);
}

void report_vrefused(struct report *r, const char *path, unsigned int line,
		     unsigned int column, const char *fmt, va_list args)
{
	if (r->refused++ < REPORT_MAX)
		write_line(r, path, line, column, fmt, args);
}

void report_refused(struct report *r, const char *path, unsigned int line,
		    unsigned int column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_vrefused(r, path, line, column, fmt, args);
	va_end(args);
}

void report_note(struct report *r, const char *path, unsigned int line,
		 unsigned int column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (r->notes++ < REPORT_MAX)
		write_line(r, path, line, column, fmt, args);
	va_end(args);
}

void report_error(struct report *r, const char *path, unsigned int line,
		  unsigned int column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_verror(r, path, line, column, fmt, args);
	va_end(args);
}

void report_finish(struct report *r)
{
	if (r->count > REPORT_MAX)
		fprintf(r->out, "%u more errors, not shown\n",
			r->count - REPORT_MAX);
	if (r->refused > REPORT_MAX)
		fprintf(r->out, "%u more of what is refused, not shown\n",
			r->refused - REPORT_MAX);
}
