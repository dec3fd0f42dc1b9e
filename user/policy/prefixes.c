// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Networks and what is excepted of them, to prefixes of which the longest says
 * all: each has what is true of the one around it, and what begins there, but
 * for what ends there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "compiled.h"

static struct network *prefix_add(struct policy_compiled *c,
				 const struct model_prefix *of)
{
	struct network *p = list_add(&c->prefixes);

	if (p)
		p->key = (struct prefix_key){
			.len = of->len,
			.addr = addr_prefix(of->addr, of->len),
		};
	return p;
}

static int add_network(struct policy_compiled *c, __u32 atom)
{
	const struct model_peer *peer = c->atoms.at[atom].peer;
	struct network *p = prefix_add(c, &peer->network);

	if (!p || numbers_add(&p->begins, atom))
		return -ENOMEM;
	for (size_t i = 0; i < peer->nr_except; i++) {
		p = prefix_add(c, &peer->except[i]);
		if (!p || numbers_add(&p->ends, atom))
			return -ENOMEM;
	}
	return 0;
}

#define IPV4_BITS 96		/* of ::ffff:0:0/96 */

static bool is_ipv4(const struct prefix_key *key)
{
	return key->len == IPV4_BITS && addr_is4(&key->addr);
}

/* IPv4's addresses lie in ::/0, but no IPv6 network has them. */
static int add_ipv4(struct policy_compiled *c)
{
	const struct model_prefix ipv4 = { .addr = addr_from4(0),
					   .len = IPV4_BITS };
	bool is_around = false;

	for (size_t i = 0; i < c->prefixes.count; i++)
		is_around |= c->prefixes.at[i].key.len < IPV4_BITS;
	return is_around && !prefix_add(c, &ipv4) ? -ENOMEM : 0;
}

static int by_key(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int order = addr_compare(&x->key.addr, &y->key.addr);

	return order ? order : (x->key.len > y->key.len) -
			       (x->key.len < y->key.len);
}

static void prefix_clear(struct network *p)
{
	free(p->begins.list.at);
	free(p->ends.list.at);
	free(p->atoms.list.at);
}

/* The same prefix of several atoms becomes one. */
static int join(struct policy_compiled *c)
{
	size_t kept = 0;
	int ret = 0;

	if (c->prefixes.count < 2)
		return 0;
	qsort(c->prefixes.at, c->prefixes.count, sizeof(*c->prefixes.at),
	      by_key);
	for (size_t i = 1; i < c->prefixes.count; i++) {
		struct network *p = &c->prefixes.at[i];
		struct network *to = &c->prefixes.at[kept];

		if (by_key(p, to)) {
			kept++;
			if (kept != i) {
				c->prefixes.at[kept] = *p;
				*p = (struct network){};
			}
			continue;
		}
		ret = ret ?: numbers_add_all(&to->begins, &p->begins);
		ret = ret ?: numbers_add_all(&to->ends, &p->ends);
		prefix_clear(p);
		*p = (struct network){};
	}
	c->prefixes.count = kept + 1;
	return ret;
}

static int rows_make(struct policy_compiled *c)
{
	for (size_t i = 0; i < c->prefixes.count; i++) {
		struct prefix_row *row = list_add(&c->image.prefixes);

		if (!row)
			return -ENOMEM;
		row->key = c->prefixes.at[i].key;
	}
	image_sort(&c->image);
	return 0;
}

static int inherit(struct policy_compiled *c, struct network *p, __u32 parent)
{
	const struct numbers *from = parent == NONE || is_ipv4(&p->key) ?
				     NULL : &c->prefixes.at[parent].atoms;
	int ret = numbers_add_all(&p->atoms, &p->begins);
	size_t kept = 0;

	if (!ret && from)
		ret = numbers_add_all(&p->atoms, from);
	numbers_sort(&p->atoms);
	numbers_sort(&p->ends);
	for (size_t i = 0; i < p->atoms.list.count; i++)
		if (!numbers_has(&p->ends, p->atoms.list.at[i]))
			p->atoms.list.at[kept++] = p->atoms.list.at[i];
	p->atoms.list.count = kept;
	return ret;
}

int prefixes_make(struct policy_compiled *c)
{
	int ret = 0;

	for (size_t i = 0; i < c->atoms.count && !ret; i++)
		if (c->atoms.at[i].kind == ATOM_NETWORK)
			ret = add_network(c, i);
	ret = ret ?: add_ipv4(c);
	ret = ret ?: join(c);
	ret = ret ?: rows_make(c);
	/* Who is around another one comes before it. */
	for (size_t i = 0; i < c->prefixes.count && !ret; i++)
		ret = inherit(c, &c->prefixes.at[i],
			      c->image.prefixes.at[i].parent);
	return ret;
}
