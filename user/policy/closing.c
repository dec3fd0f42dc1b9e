// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whose policies give way where all of them together do not fit into tables: see
 * struct closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

bool closing_has(const struct closing *closing, const char *namespace)
{
	for (size_t i = 0; i < closing->names.count; i++)
		if (!strcmp(closing->names.at[i], namespace))
			return true;
	return false;
}

int closing_copy(struct closing *to, const struct closing *from)
{
	strcpy(to->why, from->why);
	for (size_t i = 0; i < from->names.count; i++) {
		const char **name = list_add(&to->names);

		if (!name)
			return -ENOMEM;
		*name = from->names.at[i];
	}
	return 0;
}

/* How much a namespace's policies say, in what rules ask for. */
struct share {
	const char *namespace;
	size_t size;
};

struct shares {
	LIST(struct share) list;
};

static size_t section_size(const struct section *s)
{
	const enum policy_direction d = s->direction;
	size_t ret = s->bits.count;

	for (size_t i = 0; i < s->policy->rules[d].count; i++) {
		const struct model_rule *r = &s->policy->rules[d].rule[i];

		ret += r->nr_peers + r->nr_ports;
		for (size_t j = 0; j < r->nr_peers; j++)
			ret += r->peers[j].nr_except;
	}
	return ret;
}

static struct share *share_of(struct shares *shares, const char *namespace)
{
	struct share *to;

	for (size_t i = 0; i < shares->list.count; i++)
		if (!strcmp(shares->list.at[i].namespace, namespace))
			return &shares->list.at[i];
	to = list_add(&shares->list);
	if (to)
		to->namespace = namespace;
	return to;
}

/* NULL: none. */
static const char *largest(struct shares *shares,
			   const struct policy_compiled *c)
{
	const struct share *ret = NULL;

	for (size_t i = 0; i < c->sections.count; i++) {
		const struct section *s = c->sections.at[i];
		struct share *to;

		if (s->policy->tier != TIER_NETWORK ||
		    closing_has(&c->closing, s->policy->namespace))
			continue;
		to = share_of(shares, s->policy->namespace);
		if (to)
			to->size += section_size(s);
	}
	for (size_t i = 0; i < shares->list.count; i++)
		if (!ret || shares->list.at[i].size > ret->size)
			ret = &shares->list.at[i];
	return ret ? ret->namespace : NULL;
}

bool closing_add(struct closing *closing, const struct policy_compiled *c,
		 const char *text)
{
	struct shares shares = {};
	const char *name = c ? largest(&shares, c) : NULL;
	const char **to = name ? list_add(&closing->names) : NULL;

	free(shares.list.at);
	if (!to)
		return false;
	*to = name;
	if (closing->names.count == 1)
		strcpy(closing->why, text);
	return true;
}
