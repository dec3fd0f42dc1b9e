/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A whole file of a known largest size: keys, tokens, configuration. */
#ifndef FAIRLEAD_CONTENTS_H
#define FAIRLEAD_CONTENTS_H

#include <stddef.h>

/*
 * *ret is the caller's and ends in a NUL that *ret_len does not count. Never
 * waits for a FIFO's other end. -errno; -EFBIG: more than max; -EINVAL: it is
 * no file.
 */
int contents_read(const char *path, size_t max, char **ret, size_t *ret_len);

#endif
