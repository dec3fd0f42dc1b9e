// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See words.h. Nothing moves: a word may be in any place of its buckets. */
#include <stddef.h>

#include <fairlead/hash.h>

#include "words.h"

static __u64 *bucket_find(struct word_bucket *set, __u32 buckets, __u64 word,
			  __u64 wanted)
{
	__u32 first = word_bucket_of(word, buckets);

	for (__u32 probe = 0; probe < WORD_PROBES; probe++) {
		__u64 *at = set[(first + probe) & (buckets - 1)].word;

		for (int i = 0; i < WORD_WAYS; i++)
			if (at[i] == wanted)
				return &at[i];
	}
	return NULL;
}

__u64 *words_find(struct word_bucket *set, __u32 buckets, __u64 word)
{
	return bucket_find(set, buckets, word, word);
}

__u64 *words_put(struct word_bucket *set, __u32 buckets, __u64 word)
{
	__u64 *at = words_find(set, buckets, word);

	if (at)
		return at;
	at = bucket_find(set, buckets, word, 0);
	if (at)
		__atomic_store_n(at, word, __ATOMIC_RELEASE);
	return at;
}

void words_drop(__u64 *at)
{
	__atomic_store_n(at, 0, __ATOMIC_RELEASE);
}
