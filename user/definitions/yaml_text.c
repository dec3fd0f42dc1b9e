// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See yaml_text.h. */
#include "yaml_text.h"

void yaml_put_quoted(FILE *out, const char *text, size_t len)
{
	fputc('"', out);
	for (; len--; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}
