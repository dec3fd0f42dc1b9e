/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* YAML that we write ourselves. */
#ifndef FAIRLEAD_YAML_TEXT_H
#define FAIRLEAD_YAML_TEXT_H

#include <stdio.h>

/* In double quotes, where nothing of it means anything to YAML. Errors are
 * out's: ask ferror(). */
void yaml_put_quoted(FILE *out, const char *text, size_t len);

#endif
