/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contents and their numbers. What two compiled sets have in common is known
 * by a digest of what it says, so that it keeps its id. Private to policy/.
 */
#ifndef FAIRLEAD_POLICY_KEYS_H
#define FAIRLEAD_POLICY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "base/list.h"
#include "model/policy.h"

/* Bytes that are put together; once there is no memory, failed. */
struct content {
	__u8 *data;
	size_t len, max;
	bool failed;
};

void content_add(struct content *b, const void *data, size_t len);
void content_number(struct content *b, __u64 n);
void content_text(struct content *b, const char *text); /* NULL: unlike "" */
void content_selector(struct content *b, const struct model_selector *s);
void content_free(struct content *b);

/* Of different contents it differs (a part of SHA-256). */
struct digest {
	__u64 word[2];
};

/* Empties b. -ENOMEM: something did not find room. */
int content_digest(struct content *b, struct digest *ret);

#define NONE 0xffffffffu

/* Digests, numbered from 0 on as they came. Starts zeroed. */
struct digests {
	LIST(struct digest) list;
	__u32 *cells;		/* a number and 1 */
	__u32 nr_cells;		/* power of two */
};

/* NONE: it is not among them. */
__u32 digests_find(const struct digests *d, const struct digest *x);
/* Its number; it is new if that is what count was. NONE: no memory. */
__u32 digests_add(struct digests *d, const struct digest *x);
void digests_free(struct digests *d);

#endif
