// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See claims.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "claims.h"

#define SIZE_MIN 256

struct claim {
	struct claim *next;	/* of its chain */
	struct claim *next_own;	/* of who has it */
	struct claimant *who;
	struct addr addr;
	__u16 port;
	__u8 proto;
	bool is_old;		/* not claimed again yet */
};

static __u64 hash_of(const struct addr *a, __u16 port, __u8 proto)
{
	__u64 words[2];

	memcpy(words, a, sizeof(words));
	words[0] = hash_mix(words[0] ^ (__u64)port << 16 ^ proto);
	return hash_mix(words[0] + words[1]);
}

static struct claim **chain(const struct claims *c, const struct addr *a,
			    __u16 port, __u8 proto)
{
	return &c->chains[hash_of(a, port, proto) & (c->size - 1)];
}

static int grow(struct claims *c, size_t more)
{
	struct claims larger = *c;

	larger.size = c->size ?: SIZE_MIN;
	while (c->count + more > larger.size)
		larger.size *= 2;
	if (larger.size == c->size)
		return 0;
	larger.chains = calloc(larger.size, sizeof(*larger.chains));
	if (!larger.chains)
		return -ENOMEM;
	for (size_t i = 0; i < c->size; i++)
		for (struct claim *k = c->chains[i], *next; k; k = next) {
			struct claim **to = chain(&larger, &k->addr, k->port,
						  k->proto);

			next = k->next;
			k->next = *to;
			*to = k;
		}
	free(c->chains);
	*c = larger;
	return 0;
}

static struct claim *find(const struct claims *c, const struct addr *a,
			  __u16 port, __u8 proto)
{
	struct claim *k = *chain(c, a, port, proto);

	while (k && (k->port != port || k->proto != proto ||
		     addr_compare(&k->addr, a)))
		k = k->next;
	return k;
}

/* Out of the list of who has it. */
static void disown(struct claim *k)
{
	struct claim **at = &k->who->claims;

	while (*at != k)
		at = &(*at)->next_own;
	*at = k->next_own;
}

static void own(struct claim *k, struct claimant *who)
{
	k->who = who;
	k->is_old = false;
	k->next_own = who->claims;
	who->claims = k;
}

static void drop(struct claims *c, struct claim *k)
{
	struct claim **at = chain(c, &k->addr, k->port, k->proto);

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->count--;
	disown(k);
	free(k);
}

static bool is_before(const struct claimant *a, const struct claimant *b)
{
	return a->created && (!b->created || strcmp(a->created, b->created) < 0);
}

static void lose(struct claims *c, struct claimant *who,
		 const struct claim *k, const struct model_front *f)
{
	if (!who->is_loser) {
		who->next_loser = c->losers;
		c->losers = who;
	}
	who->is_loser = true;
	who->lost_to = k->who;
	who->lost = *f;
	who->lost_proto = k->proto;
}

static void lose_no_more(struct claims *c, struct claimant *who)
{
	struct claimant **at = &c->losers;

	if (!who->is_loser)
		return;
	while (*at != who)
		at = &(*at)->next_loser;
	*at = who->next_loser;
	who->is_loser = false;
}

static void rob(struct claims *c, struct claim *k, struct claimant *who)
{
	struct claimant *from = k->who;

	if (!from->is_robbed) {
		from->next_robbed = c->robbed;
		c->robbed = from;
	}
	from->is_robbed = true;
	disown(k);
	own(k, who);
}

static struct claim *make(struct claims *c, const struct model_front *f,
			  __u8 proto, struct claimant *who)
{
	struct claim *k = calloc(1, sizeof(*k)), **to;

	if (!k)
		return NULL;
	k->addr = f->addr;
	k->port = f->port_first;
	k->proto = proto;
	to = chain(c, &k->addr, k->port, proto);
	k->next = *to;
	*to = k;
	c->count++;
	own(k, who);
	return k;
}

/* 1: it is who's; 0: it is another's. -ENOMEM. */
static int take(struct claims *c, struct claimant *who,
		const struct model_front *f, __u8 proto)
{
	struct claim *k = find(c, &f->addr, f->port_first, proto);

	if (!k)
		return make(c, f, proto, who) ? 1 : -ENOMEM;
	if (k->who == who) {
		k->is_old = false;
		return 1;
	}
	if (is_before(who, k->who)) {
		rob(c, k, who);
		return 1;
	}
	lose(c, who, k, f);
	return 0;
}

static int take_fronts(struct claims *c, struct claimant *who,
		       struct model_service *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->nr_fronts; i++) {
		int taken = take(c, who, &s->fronts[i], s->proto);

		if (taken < 0)
			return taken;
		if (taken)
			s->fronts[count++] = s->fronts[i];
	}
	s->nr_fronts = count;
	return 0;
}

static bool drop_old(struct claims *c, struct claimant *who)
{
	struct claim *k = who->claims, *next;
	bool has_dropped = false;

	for (; k; k = next) {
		next = k->next_own;
		if (!k->is_old)
			continue;
		drop(c, k);
		has_dropped = true;
	}
	return has_dropped;
}

static size_t count_fronts(const struct model_service *list, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += list[i].nr_fronts;
	return sum;
}

int claims_take(struct claims *c, struct claimant *who,
		struct model_service *list, size_t *count, bool *ret_freed)
{
	size_t left = 0;
	int err = grow(c, count_fronts(list, *count));

	if (err)
		return err;
	lose_no_more(c, who);
	for (struct claim *k = who->claims; k; k = k->next_own)
		k->is_old = true;
	for (size_t i = 0; i < *count && !err; i++)
		err = take_fronts(c, who, &list[i]);
	if (err)
		return err;
	*ret_freed = drop_old(c, who);
	for (size_t i = 0; i < *count; i++) {
		if (list[i].nr_fronts)
			list[left++] = list[i];
		else
			model_service_clear(&list[i]);
	}
	*count = left;
	return 0;
}

struct claimant *claims_robbed(struct claims *c)
{
	struct claimant *who = c->robbed;

	if (!who)
		return NULL;
	c->robbed = who->next_robbed;
	who->is_robbed = false;
	return who;
}

void claims_clear(struct claims *c, struct claimant *who)
{
	lose_no_more(c, who);
	while (who->claims)
		drop(c, who->claims);
}

void claims_free(struct claims *c)
{
	for (size_t i = 0; i < c->size; i++)
		for (struct claim *k = c->chains[i], *next; k; k = next) {
			next = k->next;
			free(k);
		}
	free(c->chains);
}
