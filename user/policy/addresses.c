// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What each address is: its class, from what its workloads are, what networks
 * it is in and which node has it; and whether it is a pod's, or this host's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "compiled.h"

struct taken {
	const struct policy_compiled *is, *was;
};

static bool has_class(const struct policy_compiled *c, __u32 id)
{
	for (size_t i = 1; c && i < c->classes.count; i++)
		if (c->classes.at[i].id == id)
			return true;
	return false;
}

static bool is_taken(const void *arg, __u32 id)
{
	const struct taken *t = arg;

	return has_class(t->is, id) || has_class(t->was, id);
}

static int class_id(struct policy_compiled *c,
		    const struct policy_compiled *was,
		    const struct numbers *atoms, __u32 *ret)
{
	const struct taken taken = { .is = c, .was = was };
	struct digest digest;
	struct content b = {};
	__u32 number = NONE;
	int err;

	content_set(&b, &c->atom_index, atoms);
	err = content_digest(&b, &digest);
	content_free(&b);
	if (err || digests_add(&c->class_ids, &digest) == NONE)
		return -ENOMEM;
	if (was)
		number = digests_find(&was->class_ids, &digest);
	*ret = number != NONE ? was->classes.at[number].id :
	       id_choose(&digest, c->salt, PEER_CLASS_MASK, is_taken, &taken);
	return 0;
}

static int tell_atoms(struct policy_compiled *c, __u32 class)
{
	const struct numbers *n = &c->classes.at[class].atoms;
	int ret = 0;

	for (size_t i = 0; i < n->list.count && !ret; i++)
		ret = numbers_add(&c->atoms.at[n->list.at[i]].classes, class);
	return ret;
}

__u32 class_find(const struct policy_compiled *c, const struct numbers *atoms,
		 struct content *b)
{
	struct digest digest;

	if (numbers_digest(b, atoms, &digest))
		return NONE;
	return digests_find(&c->class_index, &digest);
}

/* The number of the class of what satisfies these; atoms is moved from if it
 * is a new one. NONE: no memory. */
static __u32 class_of(struct policy_compiled *c,
		      const struct policy_compiled *was,
		      struct numbers *atoms, struct content *b)
{
	struct digest digest;
	struct class *to;
	__u32 number = NONE, id;

	if (!numbers_digest(b, atoms, &digest))
		number = digests_add(&c->class_index, &digest);
	if (number == NONE || number < c->classes.count)
		return number;
	if (class_id(c, was, atoms, &id))
		return NONE;
	to = list_add(&c->classes);
	if (!to)
		return NONE;
	to->id = number ? id : 0;
	to->atoms = *atoms;
	*atoms = (struct numbers){};
	return tell_atoms(c, number) ? NONE : number;
}

const struct numbers *prefix_atoms(const struct policy_compiled *c,
				   const struct addr *a)
{
	__u32 i = image_prefix_of(&c->image, a, 128);

	return i == NONE ? NULL : &c->prefixes.at[i].atoms;
}

/* Of an address, what is not its network's: of a workload, of a node, of the
 * host. */
struct claim {
	struct addr addr;
	const struct model_workload *workload;	/* NULL: none */
	__u32 group;		/* its */
	__u32 atom;		/* of nodes; NONE: none */
	__u32 flags;		/* enum peer_flag */
};

struct claims {
	LIST(struct claim) list;
};

static int claim_add(struct claims *claims, const struct claim *claim)
{
	struct claim *to = list_add(&claims->list);

	if (!to)
		return -ENOMEM;
	*to = *claim;
	return 0;
}

static int claim_workloads(struct policy_compiled *c, struct claims *claims)
{
	struct content b = {};
	int ret = 0;

	for (size_t i = 0; i < c->base->nr_workloads && !ret; i++) {
		const struct model_workload *w = c->base->workloads[i];
		struct claim claim = { .atom = NONE, .flags = PEER_POD };

		if (w->is_host_network)
			continue;
		claim.workload = w;
		claim.group = group_of(c, w, &b);
		ret = claim.group == NONE ? -ENOMEM : 0;
		for (size_t j = 0; j < w->nr_addrs && !ret; j++) {
			claim.addr = w->addrs[j];
			ret = claim_add(claims, &claim);
		}
	}
	content_free(&b);
	return ret;
}

static int claim_node(struct claims *claims, const struct model_policy_node *n,
		      __u32 atom)
{
	struct claim claim = { .group = NONE, .atom = atom };
	int ret = 0;

	for (size_t i = 0; i < n->nr_addrs && !ret; i++) {
		claim.addr = n->addrs[i];
		ret = claim_add(claims, &claim);
	}
	return ret;
}

static int claim_nodes(struct policy_compiled *c, struct claims *claims)
{
	int ret = 0;

	for (size_t i = 0; i < c->atoms.count; i++) {
		if (c->atoms.at[i].kind != ATOM_NODES)
			continue;
		for (size_t j = 0; j < c->base->nr_nodes && !ret; j++) {
			const struct model_policy_node *n = c->base->nodes[j];

			if (selector_matches(&c->atoms.at[i].peer->pods,
					     &n->labels))
				ret = claim_node(claims, n, i);
		}
	}
	return ret;
}

static int claim_host(const struct policy_compiled *c, struct claims *claims)
{
	struct claim claim = { .group = NONE, .atom = NONE,
			       .flags = PEER_HOST };
	int ret = 0;

	for (size_t i = 0; i < c->nr_host && !ret; i++) {
		claim.addr = c->host[i];
		ret = claim_add(claims, &claim);
	}
	return ret;
}

static int by_addr(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

bool is_later(const struct model_workload *a, const struct model_workload *b)
{
	return a->since_us ? b->since_us && a->since_us > b->since_us :
			     b->since_us;
}

/* NULL: no workload's. */
static const struct model_workload *owner_of(const struct claim *claim,
					     size_t count)
{
	const struct model_workload *ret = NULL;

	for (size_t i = 0; i < count; i++)
		if (claim[i].workload &&
		    (!ret || is_later(claim[i].workload, ret)))
			ret = claim[i].workload;
	return ret;
}

/* False: it is an older workload's. */
static bool counts(struct policy_compiled *c, const struct claim *claim,
		   const struct model_workload *owner)
{
	if (!claim->workload || !is_later(owner, claim->workload))
		return true;
	if (!c->contest.count++) {
		c->contest.addr = claim->addr;
		c->contest.owner = owner;
		c->contest.other = claim->workload;
	}
	return false;
}

/* What several claims, all of one address, make of it. */
static int peer_add(struct policy_compiled *c,
		    const struct policy_compiled *was,
		    const struct claim *claim, size_t count, struct content *b)
{
	const struct model_workload *owner = owner_of(claim, count);
	struct peer_row *row = list_add(&c->image.peers);
	struct numbers atoms = {};
	int ret = row ? numbers_add_all(&atoms, prefix_atoms(c, &claim->addr)) :
			-ENOMEM;
	__u32 class;

	for (size_t i = 0; i < count && !ret; i++) {
		row->value |= claim[i].flags;
		row->addr = claim[i].addr;
		row->users += claim[i].group != NONE;
		if (!counts(c, &claim[i], owner))
			continue;
		if (claim[i].group != NONE) {
			row->group = claim[i].group;
			ret = numbers_add_all(&atoms,
				      &c->groups.at[claim[i].group].atoms);
		}
		if (!ret && claim[i].atom != NONE)
			ret = numbers_add(&atoms, claim[i].atom);
	}
	numbers_sort(&atoms);
	class = ret ? NONE : class_of(c, was, &atoms, b);
	free(atoms.list.at);
	if (class == NONE)
		return -ENOMEM;
	row->value |= c->classes.at[class].id;
	row->owner = owner;
	row->is_plain = count == 1 && claim->group != NONE;
	return 0;
}

static int peers_make(struct policy_compiled *c,
		      const struct policy_compiled *was, struct claims *claims)
{
	size_t count = claims->list.count, end;
	const struct claim *at = claims->list.at;
	struct content b = {};
	int ret = 0;

	if (count)
		qsort(claims->list.at, count, sizeof(*at), by_addr);
	for (size_t i = 0; i < count && !ret; i = end) {
		for (end = i + 1; end < count && !by_addr(&at[i], &at[end]);)
			end++;
		ret = peer_add(c, was, &at[i], end - i, &b);
	}
	content_free(&b);
	return ret;
}

/* Class 0 is that of what nothing is known of. */
static int prefix_values(struct policy_compiled *c,
			 const struct policy_compiled *was)
{
	struct numbers none = {};
	struct content b = {};
	int ret = class_of(c, was, &none, &b) == NONE ? -ENOMEM : 0;

	for (size_t i = 0; i < c->prefixes.count && !ret; i++) {
		struct numbers atoms = {};
		__u32 class = NONE;

		if (!numbers_add_all(&atoms, &c->prefixes.at[i].atoms))
			class = class_of(c, was, &atoms, &b);
		free(atoms.list.at);
		if (class == NONE)
			ret = -ENOMEM;
		else
			c->image.prefixes.at[i].value =
				c->classes.at[class].id;
	}
	content_free(&b);
	return ret;
}

int addresses_make(struct policy_compiled *c, const struct policy_compiled *was)
{
	struct claims claims = {};
	int ret = prefix_values(c, was);

	ret = ret ?: claim_workloads(c, &claims);
	ret = ret ?: claim_nodes(c, &claims);
	ret = ret ?: claim_host(c, &claims);
	ret = ret ?: peers_make(c, was, &claims);
	free(claims.list.at);
	return ret;
}
