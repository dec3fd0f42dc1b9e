/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tells that an object is another one than before: of all that it is made
 * of, in an order that is always the same. No secret, and none is needed. */
#ifndef FAIRLEAD_SOURCE_DIGEST_H
#define FAIRLEAD_SOURCE_DIGEST_H

#include <string.h>

#include <fairlead/hash.h>

static inline __u64 digest_add(__u64 digest, const void *data, size_t len)
{
	for (const unsigned char *p = data; len--; p++)
		digest = (digest ^ *p) * 0x100000001b3ull;
	return hash_mix(digest + 1);
}

/* With its end, so that "ab", "c" is not "a", "bc". */
static inline __u64 digest_text(__u64 digest, const char *text)
{
	return digest_add(digest, text, strlen(text) + 1);
}

#endif
