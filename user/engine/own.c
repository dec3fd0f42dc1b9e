// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which addresses are our own, for packets that claim to come from there: made
 * anew from the books when one of them came or went, so that nothing is in the
 * sets too long; what is in both the old and the new ones is never out of them.
 */
#include <stdlib.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/log.h"
#include "model/words.h"
#include "books.h"

struct own {
	struct state *s;
	__u64 bits[OWN_BITS / 64];
	__u8 wanted[OWN_BUCKETS];	/* a bit for each word of a bucket */
	__u32 nr, left_out;		/* found no room */
};

static void put(void *data, const struct addr *a)
{
	struct own *o = data;
	struct word_bucket *set = o->s->t->own;
	__u64 sum = hash_src(o->s->t->hash_key, a);
	__u32 bit = own_bit(sum);
	__u64 *at;

	if (addr_is_zero(a))
		return;
	o->nr++;
	o->bits[bit / 64] |= 1ull << bit % 64;
	at = words_put(set, OWN_BUCKETS, own_word(sum));
	if (at)
		o->wanted[(at - set->word) / WORD_WAYS] |=
			1 << (at - set->word) % WORD_WAYS;
	else
		o->left_out++;
}

static void put_all(struct own *o)
{
	const struct state *s = o->s;

	o->nr = o->left_out = 0;
	for (__u32 i = 1; i < s->nr_services; i++)
		if (s->vips[i].single)
			put(o, &s->t->services[i].addr);
	for (int i = 1; i <= 2 * NAT_ADDRS_MAX; i++)
		put(o, &s->t->nat_addrs[i]);
	if (s->host.each_addr)
		s->host.each_addr(s->host.arg, put, o);
}

static void drop_others(struct own *o)
{
	struct word_bucket *set = o->s->t->own;

	for (__u32 b = 0; b < OWN_BUCKETS; b++)
		for (int i = 0; i < WORD_WAYS; i++)
			if (set[b].word[i] && !(o->wanted[b] >> i & 1))
				words_drop(&set[b].word[i]);
}

/* After the words: a bit without one says nothing. */
static void store_bits(struct own *o)
{
	__u64 *to = o->s->t->own_filter;

	for (__u32 i = 0; i < OWN_BITS / 64; i++)
		if (to[i] != o->bits[i])
			__atomic_store_n(&to[i], o->bits[i], __ATOMIC_RELEASE);
}

void own_update(struct state *s)
{
	struct own *o = s->is_own_old && s->t->own ? calloc(1, sizeof(*o)) :
						     NULL;

	if (!o)
		return;		/* nothing to do; a view; or tried later */
	s->is_own_old = false;
	o->s = s;
	put_all(o);
	drop_others(o);
	if (o->left_out)
		put_all(o);	/* there is more room now */
	if (o->left_out)
		log_warning(0, "%u of %u addresses of our own find no room: "
			    "packets that claim to come from them are not "
			    "told apart", o->left_out, o->nr);
	store_bits(o);
	free(o);
}
