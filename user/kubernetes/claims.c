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
	__u8 kind;		/* enum service_kind */
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

static void count_node_port(struct claims *c, const struct claim *k, int sign)
{
	if (k->kind == KIND_NODE_PORT)
		c->nr_node_ports[addr_is4(&k->addr)] += sign;
}

static void drop(struct claims *c, struct claim *k)
{
	struct claim **at = chain(c, &k->addr, k->port, k->proto);

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->count--;
	count_node_port(c, k, -1);
	disown(k);
	free(k);
}

static bool is_before(const struct claimant *a, const struct claimant *b)
{
	return a->created &&
	       (!b->created || strcmp(a->created, b->created) < 0);
}

/* Is f who's rather than k's? */
static bool beats(const struct claimant *who, const struct model_front *f,
		  const struct claim *k)
{
	const bool is_cluster_ip = f->kind == KIND_CLUSTER_IP;

	if (is_cluster_ip != (k->kind == KIND_CLUSTER_IP))
		return is_cluster_ip;
	return is_before(who, k->who);
}

void claims_lose(struct claims *c, struct claimant *who,
		 const struct loss *loss)
{
	if (!who->is_loser) {
		who->next_loser = c->losers;
		c->losers = who;
	}
	who->is_loser = true;
	who->loss = *loss;
}

void claims_begin(struct claims *c, struct claimant *who)
{
	struct claimant **at = &c->losers;

	if (!who->is_loser)
		return;
	while (*at != who)
		at = &(*at)->next_loser;
	*at = who->next_loser;
	who->is_loser = false;
}

void claims_rob(struct claims *c, struct claimant *who)
{
	if (!who->is_robbed) {
		who->next_robbed = c->robbed;
		c->robbed = who;
	}
	who->is_robbed = true;
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
	k->kind = f->kind;
	count_node_port(c, k, 1);
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
	struct loss loss = { .kind = LOST_FRONT, .front = *f, .proto = proto };

	if (!k)
		return make(c, f, proto, who) ? 1 : -ENOMEM;
	if (k->who != who && !beats(who, f, k)) {
		loss.to = k->who;
		claims_lose(c, who, &loss);
		return 0;
	}
	if (k->who != who) {
		claims_rob(c, k->who);
		disown(k);
		own(k, who);
	}
	k->is_old = false;
	count_node_port(c, k, -1);
	k->kind = f->kind;
	count_node_port(c, k, 1);
	return 1;
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
		struct model_service *list, size_t count, bool *ret_freed)
{
	int err = grow(c, count_fronts(list, count));

	for (struct claim *k = who->claims; k && !err; k = k->next_own)
		k->is_old = true;
	for (size_t i = 0; i < count && !err; i++)
		err = take_fronts(c, who, &list[i]);
	if (!err)
		*ret_freed = drop_old(c, who);
	return err;
}

struct claimant *claims_find(const struct claims *c, const struct addr *a,
			     __u16 port, __u8 proto, bool *ret_is_cluster_ip)
{
	struct claim *k = c->size ? find(c, a, port, proto) : NULL;

	if (!k)
		return NULL;
	*ret_is_cluster_ip = k->kind == KIND_CLUSTER_IP;
	return k->who;
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
	claims_begin(c, who);
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
