/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sets of words in memory that the datapath reads (struct word_bucket): put
 * in and taken out by one store, while packets look.
 */
#ifndef FAIRLEAD_WORDS_H
#define FAIRLEAD_WORDS_H

#include <fairlead/types.h>

/* buckets: how many the set has, a power of two. Where word is; NULL: it is
 * not in the set. */
__u64 *words_find(struct word_bucket *set, __u32 buckets, __u64 word);

/* Where word is from now on, or was already; NULL: no room. */
__u64 *words_put(struct word_bucket *set, __u32 buckets, __u64 word);

/* Take out what words_find() or words_put() found. */
void words_drop(__u64 *at);

#endif
