// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See chains.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "chains.h"

/* A chain for each service, endpoint ...: the rest of the name is a hash. */
static const char *const prefixes[] = {
	"KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-", "KUBE-FW-",
	"KUBE-XLB-",
};

static const char *const names[] = {
	"KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS",
	"KUBE-POSTROUTING", "KUBE-MARK-MASQ", "KUBE-FORWARD",
	"KUBE-PROXY-FIREWALL", "KUBE-PROXY-CANARY",
	/* of IPVS mode */
	"KUBE-NODE-PORT", "KUBE-LOAD-BALANCER", "KUBE-FIRE-WALL",
	"KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-FILTER",
	"KUBE-IPVS-OUT-FILTER",
};

#define NR(list) (sizeof(list) / sizeof(*(list)))

struct word {
	const char *text;
	size_t len;
};

struct chain {
	struct word name;
	bool is_used;		/* by somebody else's chain: it stays */
};

/* A table of what was saved: from its "*nat" to its COMMIT. */
struct table {
	struct word name;
	const char *text;	/* behind the first line */
	const char *end;
	struct chain *chains;	/* kube-proxy's; sorted by name; owned */
	size_t nr_chains;
	struct word *kernels;	/* those that have a policy; owned */
	size_t nr_kernels;
	bool mark_stays;
};

static bool is_word(struct word w, const char *text)
{
	return strlen(text) == w.len && !memcmp(w.text, text, w.len);
}

bool chains_is_name(const char *name, size_t len)
{
	struct word w = { name, len };

	for (size_t i = 0; i < NR(prefixes); i++)
		if (len > strlen(prefixes[i]) &&
		    !memcmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	for (size_t i = 0; i < NR(names); i++)
		if (is_word(w, names[i]))
			return true;
	return false;
}

static const char *next_line(const char *line, const char *end)
{
	const char *feed = memchr(line, '\n', end - line);

	return feed ? feed + 1 : end;
}

static size_t line_len(const char *line, const char *end)
{
	const char *feed = memchr(line, '\n', end - line);

	return (feed ?: end) - line;
}

static struct word first_word(const char *at, const char *end)
{
	struct word ret = { at, 0 };

	while (at + ret.len < end && !strchr(" \n", at[ret.len]))
		ret.len++;
	return ret;
}

/* Of "-A CHAIN ... -j TARGET ...": where it leads. Comments are in quotes. */
static struct word target_of(const char *line, size_t len)
{
	bool is_quoted = false;

	for (size_t i = 0; i + 4 < len; i++) {
		if (line[i] == '\\' && is_quoted)
			i++;
		else if (line[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (!memcmp(line + i, " -j ", 4) ||
					!memcmp(line + i, " -g ", 4)))
			return first_word(line + i + 4, line + len);
	}
	return (struct word){};
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int ret = memcmp(x->text, y->text, len);

	return ret ?: (x->len > y->len) - (x->len < y->len);
}

/* NULL: it is not kube-proxy's. A chain begins with its name. */
static struct chain *chain_find(const struct table *t, struct word name)
{
	return name.len ? bsearch(&name, t->chains, t->nr_chains,
				  sizeof(*t->chains), compare_words) : NULL;
}

static bool is_kernels(const struct table *t, struct word name)
{
	for (size_t i = 0; i < t->nr_kernels; i++)
		if (!compare_words(&t->kernels[i], &name))
			return true;
	return false;
}

static void table_clear(struct table *t)
{
	free(t->chains);
	free(t->kernels);
}

/* ":NAME POLICY [0:0]", where "-" is no policy. */
static int read_chains(struct table *t)
{
	size_t count = 0;

	for (const char *l = t->text; l < t->end; l = next_line(l, t->end))
		count += *l == ':';
	t->chains = calloc(count + 1, sizeof(*t->chains));
	t->kernels = calloc(count + 1, sizeof(*t->kernels));
	if (!t->chains || !t->kernels)
		return -ENOMEM;
	for (const char *l = t->text; l < t->end; l = next_line(l, t->end)) {
		struct word name = first_word(l + 1, t->end);

		if (*l != ':')
			continue;
		if (chains_is_name(name.text, name.len))
			t->chains[t->nr_chains++].name = name;
		else if (name.text + name.len + 1 < t->end &&
			 name.text[name.len + 1] != '-')
			t->kernels[t->nr_kernels++] = name;
	}
	qsort(t->chains, t->nr_chains, sizeof(*t->chains), compare_words);
	return 0;
}

/* A rule of the table, its chain and where it leads; false: no more. */
static bool next_rule(const struct table *t, const char **line,
		      struct word *ret_chain, struct word *ret_target)
{
	const char *l = *line ? next_line(*line, t->end) : t->text;

	for (; l < t->end; l = next_line(l, t->end)) {
		if (t->end - l < 4 || memcmp(l, "-A ", 3))
			continue;
		*ret_chain = first_word(l + 3, t->end);
		*ret_target = target_of(l, line_len(l, t->end));
		*line = l;
		return true;
	}
	return false;
}

static void find_used(struct table *t)
{
	struct word chain, target;
	const char *line = NULL;

	while (next_rule(t, &line, &chain, &target)) {
		struct chain *to = chain_find(t, target);

		if (!to || chain_find(t, chain) || is_kernels(t, chain))
			continue;
		to->is_used = true;
		t->mark_stays |= is_word(target, "KUBE-MARK-MASQ");
	}
}

/* KUBE-POSTROUTING heeds the mark that KUBE-MARK-MASQ sets. */
static bool stays_whole(const struct table *t, struct word name)
{
	return t->mark_stays && (is_word(name, "KUBE-MARK-MASQ") ||
				 is_word(name, "KUBE-POSTROUTING"));
}

static bool goes(const struct table *t, const struct chain *c)
{
	return c && !stays_whole(t, c->name);
}

static size_t prefix_of(struct word name)
{
	for (size_t i = 0; i < NR(prefixes); i++)
		if (!strncmp(name.text, prefixes[i], strlen(prefixes[i])))
			return strlen(prefixes[i]);
	return 0;
}

/* Those that are many are counted. */
static void list_chains(const struct table *t, FILE *list)
{
	size_t alike = 0;

	for (size_t i = 0; i < t->nr_chains; i++) {
		const struct chain *c = &t->chains[i];
		size_t len = prefix_of(c->name);

		alike++;
		if (len && i + 1 < t->nr_chains &&
		    prefix_of(t->chains[i + 1].name) == len &&
		    !memcmp(c->name.text, t->chains[i + 1].name.text, len))
			continue;
		fprintf(list, "%.*s: ", (int)t->name.len, t->name.text);
		if (len)
			fprintf(list, "%zu chains %.*s*\n", alike, (int)len,
				c->name.text);
		else
			fprintf(list, "chain %.*s%s\n", (int)c->name.len,
				c->name.text,
				stays_whole(t, c->name) ?
				" stays: somebody else's rules mark packets by it" :
				c->is_used ?
				" stays, empty: somebody else's rules lead there" :
				"");
		alike = 0;
	}
}

static void put_rules(const struct table *t, FILE *restore, FILE *list,
		      struct chains_found *f)
{
	struct word chain, target;
	const char *line = NULL;

	while (next_rule(t, &line, &chain, &target)) {
		int len = line_len(line, t->end);

		if (!is_kernels(t, chain) || !goes(t, chain_find(t, target)))
			continue;
		f->rules++;
		f->are_in_force |= is_word(target, "KUBE-SERVICES");
		fprintf(restore, "-D%.*s\n", len - 2, line + 2);
		if (list)
			fprintf(list, "%.*s: rule %.*s\n", (int)t->name.len,
				t->name.text, len, line);
	}
}

static void put_table(const struct table *t, FILE *restore, FILE *list,
		      struct chains_found *f)
{
	fprintf(restore, "*%.*s\n", (int)t->name.len, t->name.text);
	for (size_t i = 0; i < t->nr_chains; i++)
		if (goes(t, &t->chains[i]))
			fprintf(restore, ":%.*s - [0:0]\n",
				(int)t->chains[i].name.len,
				t->chains[i].name.text);
	put_rules(t, restore, list, f);
	for (size_t i = 0; i < t->nr_chains; i++) {
		const struct chain *c = &t->chains[i];

		if (!goes(t, c) || c->is_used)
			continue;
		f->chains++;
		fprintf(restore, "-X %.*s\n", (int)c->name.len, c->name.text);
	}
	fputs("COMMIT\n", restore);
	if (list)
		list_chains(t, list);
}

/* What anybody's rules are to who serves here. */
static void look(const struct table *t, struct chains_found *f)
{
	struct word chain, target;
	const char *line = NULL;

	if (is_word(t->name, "filter"))
		for (const char *l = t->text; l < t->end;
		     l = next_line(l, t->end))
			f->forward_drops |= !strncmp(l, ":FORWARD DROP", 13);
	if (!is_word(t->name, "nat"))
		return;
	while (next_rule(t, &line, &chain, &target))
		f->masquerade_random |= is_word(target, "MASQUERADE") &&
			!chain_find(t, chain) &&
			memmem(line, line_len(line, t->end), " --random-fully",
			       strlen(" --random-fully"));
}

/* What would do nothing is not said to anybody. */
static bool has_any(const struct table *t)
{
	for (size_t i = 0; i < t->nr_chains; i++)
		if (goes(t, &t->chains[i]) && !t->chains[i].is_used)
			return true;
	return false;
}

int chains_plan(const char *saved, FILE *restore, FILE *list,
		struct chains_found *ret)
{
	const char *all = saved + strlen(saved);

	*ret = (struct chains_found){};
	for (const char *l = saved; l < all; l = next_line(l, all)) {
		__cleanup(table_clear) struct table t = {};
		const char *commit;
		int err;

		if (*l != '*')
			continue;
		t.name = first_word(l + 1, all);
		t.text = next_line(l, all);
		commit = strstr(t.text - 1, "\nCOMMIT\n");
		t.end = commit ? commit + 1 : all;
		err = read_chains(&t);
		if (err)
			return err;
		find_used(&t);
		look(&t, ret);
		if (has_any(&t))
			put_table(&t, restore, list, ret);
	}
	return 0;
}
