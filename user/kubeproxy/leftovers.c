// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See leftovers.h. Rules of iptables are asked for, and changed, by its own
 * tools, as there are two kinds of them that do not see one another. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/tool.h"
#include "chains.h"
#include "leftovers.h"
#include "netfilter.h"

#define NR(list) (sizeof(list) / sizeof(*(list)))

/* "iptables" is one of the others, where these are. */
static const struct tool {
	const char *save, *restore;
	const char *instead;	/* NULL: it is one of its kind */
	const char *tables;	/* of the legacy kind: which this kernel has */
	size_t nft;		/* of the other: where it says whether any */
} tools[] = {
	{ "iptables-legacy-save", "iptables-legacy-restore",
	  .tables = "/proc/self/net/ip_tables_names" },
	{ "iptables-nft-save", "iptables-nft-restore",
	  .nft = offsetof(struct netfilter, has_iptables4) },
	{ "ip6tables-legacy-save", "ip6tables-legacy-restore",
	  .tables = "/proc/self/net/ip6_tables_names" },
	{ "ip6tables-nft-save", "ip6tables-nft-restore",
	  .nft = offsetof(struct netfilter, has_iptables6) },
	{ "iptables-save", "iptables-restore",
	  .instead = "iptables-nft-save" },
	{ "ip6tables-save", "ip6tables-restore",
	  .instead = "ip6tables-nft-save" },
};

struct rules {
	char *restore;		/* owned; "" or NULL: nothing is to be done */
	char *list;		/* owned */
	struct chains_found found;
};

struct leftovers {
	struct rules rules[NR(tools)];
	struct netfilter netfilter;
};

void leftovers_free(struct leftovers *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < NR(tools); i++) {
		free(l->rules[i].restore);
		free(l->rules[i].list);
	}
	netfilter_clear(&l->netfilter);
	free(l);
}

void leftovers_freep(struct leftovers **l)
{
	leftovers_free(*l);
}

static int rules_plan(struct rules *r, const char *saved)
{
	size_t restore_len, list_len;
	FILE *restore = open_memstream(&r->restore, &restore_len);
	FILE *list = open_memstream(&r->list, &list_len);
	int err = -ENOMEM;

	if (restore && list)
		err = chains_plan(saved, restore, list, &r->found);
	if (restore && fclose(restore))
		err = err ?: -ENOMEM;
	if (list && fclose(list))
		err = err ?: -ENOMEM;
	return err;
}

static bool is_empty(const char *path)
{
	FILE *in = fopen(path, "re");
	bool ret = !in || fgetc(in) == EOF;

	if (in)
		fclose(in);
	return ret;
}

/* Most hosts have one kind of iptables, if any: to ask takes a while. */
static bool is_worth(const struct tool *t, const struct netfilter *n)
{
	if (t->tables)
		return !is_empty(t->tables);
	if (t->nft)
		return *(const bool *)((const char *)n + t->nft);
	return !tool_is_there(t->instead);
}

static int rules_find(struct rules *r, const struct tool *t, FILE *said)
{
	const char *const argv[] = { t->save, NULL };
	char error[TOOL_ERROR_MAX], *saved = NULL;
	int err;

	err = tool_run(argv, NULL, &saved, error);
	if (err == -ENOENT)
		return 0;
	if (err == -EREMOTEIO) {
		fprintf(said, "%s: %s\n", t->save, error);
		return 0;
	}
	if (!err)
		err = rules_plan(r, saved);
	free(saved);
	return err;
}

static size_t count_rules(const struct leftovers *l)
{
	size_t count = 0;

	for (size_t i = 0; i < NR(tools); i++)
		count += l->rules[i].found.chains + l->rules[i].found.rules;
	return count;
}

int leftovers_find(FILE *said, struct leftovers **ret)
{
	__cleanup(leftovers_freep) struct leftovers *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	err = netfilter_find(&l->netfilter);
	for (size_t i = 0; i < NR(tools) && !err; i++)
		if (is_worth(&tools[i], &l->netfilter))
			err = rules_find(&l->rules[i], &tools[i], said);
	if (err)
		return err;
	if (l->netfilter.has_nft_chains && !count_rules(l)) {
		fputs("kube-proxy's rules of iptables are here, but not iptables-nft-save, which knows how to remove them\n",
		      said);
		return -ENOPKG;
	}
	*ret = take_ptr(l);
	return 0;
}

bool leftovers_are_any(const struct leftovers *l)
{
	const struct netfilter *n = &l->netfilter;

	return count_rules(l) || n->has_table4 || n->has_table6 ||
	       n->nr_ipsets || n->ipvs0;
}

void leftovers_list(const struct leftovers *l, FILE *out)
{
	for (size_t i = 0; i < NR(tools); i++) {
		const char *line = l->rules[i].list ?: "";
		int name = strcspn(tools[i].save, "-");

		if (!strncmp(tools[i].save + name, "-nft", 4))
			name += 4;
		for (size_t len; *line; line += len + 1) {
			len = strcspn(line, "\n");
			fprintf(out, "%.*s: %.*s\n", name, tools[i].save,
				(int)len, line);
		}
	}
	netfilter_list(&l->netfilter, out);
}

static int rules_remove(const struct rules *r, const struct tool *t, FILE *said)
{
	const char *const argv[] = { t->restore, "--noflush", "--wait", NULL };
	char error[TOOL_ERROR_MAX] = "";
	int err;

	if (!r->restore || !*r->restore)
		return 0;
	err = tool_run(argv, r->restore, NULL, error);
	if (err)
		fprintf(said, "%s: %s\n", t->restore,
			*error ? error : strerror(-err));
	return err;
}

/* Rules first: they use the sets. */
int leftovers_remove(struct leftovers *l, FILE *said)
{
	int ret = 0;

	for (size_t i = 0; i < NR(tools); i++)
		ret = rules_remove(&l->rules[i], &tools[i], said) ?: ret;
	return netfilter_remove(&l->netfilter, said) ?: ret;
}

static void see(const struct leftovers *l, struct leftovers_seen *ret)
{
	const struct netfilter *n = &l->netfilter;

	ret->in_force = n->has_table4 || n->has_table6 || n->ipvs0;
	for (size_t i = 0; i < NR(tools); i++) {
		const struct chains_found *f = &l->rules[i].found;

		ret->in_force |= f->are_in_force;
		ret->forward_drops |= f->forward_drops;
		ret->masquerade_random |= f->masquerade_random;
	}
}

void leftovers_look(struct leftovers_seen *ret)
{
	__cleanup(leftovers_freep) struct leftovers *l = NULL;
	FILE *nowhere = fopen("/dev/null", "we");

	*ret = (struct leftovers_seen){};
	if (!nowhere)
		return;
	if (!leftovers_find(nowhere, &l))
		see(l, ret);
	fclose(nowhere);
}
