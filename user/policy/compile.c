// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A set of policies to what tables hold: the steps, and what they exceed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

const struct policy_usage policy_usage_max = {
	.workloads = WORKLOADS_MAX - 1,
	.targets = POLICY_TARGETS_MAX,
	.peers = POLICY_PEERS_MAX,
	.prefixes = POLICY_PREFIXES_MAX,
	.peer_masks = POLICY_MASKS_MAX,
	.port_masks = POLICY_MASKS_MAX,
	.port_classes = 65535,
};

static int check(size_t count, __u32 max, const char *what,
		 char text[static POLICY_TEXT_MAX])
{
	if (count <= max)
		return 0;
	snprintf(text, POLICY_TEXT_MAX,
		 "the policies need %zu %s, at most %u are possible", count,
		 what, max);
	return -E2BIG;
}

static int check_sizes(const struct image *m, char *text)
{
	const struct policy_usage *max = &policy_usage_max;
	int ret = check(m->targets.count, max->targets,
			"targets (sets of policies that select a workload)",
			text);

	ret = ret ?: check(m->peers.count, max->peers, "addresses", text);
	ret = ret ?: check(m->prefixes.count, max->prefixes, "networks", text);
	ret = ret ?: check(m->peer_masks.list.count, max->peer_masks,
			   "pairs of a target and a class of peers", text);
	return ret ?: check(m->port_masks.list.count, max->port_masks,
			    "pairs of a target and a class of ports", text);
}

static int steps(struct policy_compiled *c, const struct compile_from *from,
		 char *text)
{
	const struct policy_compiled *was = from ? from->was : NULL;
	int ret = policies_order(c);

	ret = ret ?: groups_make(c);
	ret = ret ?: targets_make(c, was);
	ret = ret ?: groups_match(c);
	ret = ret ?: prefixes_make(c);
	ret = ret ?: addresses_make(c, was);
	ret = ret ?: peer_masks_make(c);
	ret = ret ?: ports_make(c, from, text);
	if (ret)
		return ret;
	image_sort(&c->image);
	return check_sizes(&c->image, text);
}

static int begin(struct policy_compiled *c, const struct compile_of *of,
		 const struct closing *closing)
{
	c->scope = of->scope;
	c->base = policy_set_hold(of->set);
	c->set = policy_set_hold(of->set);
	c->host = malloc((of->nr_host + 1) * sizeof(*c->host));
	if (!c->host)
		return -ENOMEM;
	if (of->nr_host)
		memcpy(c->host, of->host, of->nr_host * sizeof(*of->host));
	c->nr_host = of->nr_host;
	return closing_copy(&c->closing, closing) ?: image_init(&c->image);
}

/* *ret is there upon failure as well, but without memory. */
static int compile_once(const struct compile_of *of,
			const struct compile_from *from,
			const struct closing *closing,
			struct policy_compiled **ret,
			char text[static POLICY_TEXT_MAX])
{
	struct policy_compiled *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	strcpy(text, "out of memory");
	*ret = c;
	if (c) {
		c->salt = from ? from->salt : 0;
		err = begin(c, of, closing);
		err = err ?: steps(c, from, text);
	}
	if (!err)
		*text = '\0';
	return err;
}

int compile(const struct compile_of *of, const struct compile_from *from,
	    struct closing *closing, struct policy_compiled **ret,
	    char text[static POLICY_TEXT_MAX])
{
	struct policy_compiled *c;
	int err;

	while ((err = compile_once(of, from, closing, &c, text)) == -E2BIG &&
	       c->image.peers.count <= policy_usage_max.peers &&
	       closing_add(closing, c, text))
		policy_compiled_free(c);
	if (err)
		policy_compiled_free(c);
	else
		*ret = c;
	return err;
}

int policy_compile(struct policy_set *set, const struct addr *host,
		   size_t nr_host, enum policy_scope scope,
		   struct policy_compiled **ret,
		   char text[static POLICY_TEXT_MAX])
{
	const struct compile_of of = { set, host, nr_host, scope };
	struct closing closing = {};
	int err = compile(&of, NULL, &closing, ret, text);

	free(closing.names.at);
	return err;
}

static void section_free(struct section *s)
{
	for (size_t i = 0; s && i < s->bits.count; i++) {
		free(s->bits.at[i].atoms.list.at);
		free(s->bits.at[i].ranges.list.at);
	}
	if (s)
		free(s->bits.at);
	free(s);
}

static void lists_free(struct policy_compiled *c)
{
	for (size_t i = 0; i < c->groups.count; i++)
		free(c->groups.at[i].atoms.list.at);
	for (size_t i = 0; i < c->atoms.count; i++)
		free(c->atoms.at[i].classes.list.at);
	for (size_t i = 0; i < c->sections.count; i++)
		section_free(c->sections.at[i]);
	for (size_t i = 0; i < c->targets.count; i++) {
		free(c->targets.at[i].sections.at);
		free(c->targets.at[i].rules.at);
	}
	for (size_t i = 0; i < c->classes.count; i++)
		free(c->classes.at[i].atoms.list.at);
	for (size_t i = 0; i < c->prefixes.count; i++) {
		free(c->prefixes.at[i].begins.list.at);
		free(c->prefixes.at[i].ends.list.at);
		free(c->prefixes.at[i].atoms.list.at);
	}
}

void policy_compiled_free(struct policy_compiled *c)
{
	if (!c)
		return;
	lists_free(c);
	free(c->policies.at);
	free(c->keys.at);
	free(c->names.at);
	free(c->groups.at);
	free(c->atoms.at);
	free(c->sections.at);
	free(c->targets.at);
	free(c->classes.at);
	free(c->ranges.at);
	free(c->closing.names.at);
	free(c->prefixes.at);
	digests_free(&c->group_index);
	digests_free(&c->atom_index);
	digests_free(&c->section_index);
	digests_free(&c->target_index);
	digests_free(&c->class_index);
	digests_free(&c->class_ids);
	digests_free(&c->range_index);
	image_free(&c->image);
	arena_clear(&c->arena);
	policy_set_free(c->base);
	policy_set_free(c->set);
	free(c->host);
	free(c);
}

void policy_compiled_freep(struct policy_compiled **c)
{
	policy_compiled_free(*c);
}
