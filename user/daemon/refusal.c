// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See refusal.h. */
#include <stdarg.h>
#include <stdio.h>

#include "refusal.h"

int refuse(struct refusal *r, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, args);
	va_end(args);
	return err;
}
