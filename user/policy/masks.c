// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which rules of a target a class of peers matches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

int mask_add(struct masker *m, const struct mask_key *key, __u32 class,
	     size_t bit)
{
	struct mask_row *row;

	if (m->row[class] <= m->first) {
		row = list_add(&m->masks->list);
		if (!row)
			return -ENOMEM;
		row->key = *key;
		m->row[class] = m->masks->list.count;
	}
	row = &m->masks->list.at[m->row[class] - 1];
	row->mask.word[bit / 64] |= 1ull << (bit & 63);
	return 0;
}

static bool has_any(const struct numbers *all, const struct numbers *of)
{
	for (size_t i = 0; i < of->list.count; i++)
		if (numbers_has(all, of->list.at[i]))
			return true;
	return false;
}

struct work {
	const struct policy_compiled *c;
	const struct book *book;
	struct masker m;
};

static int set(struct work *w, __u32 class, size_t bit)
{
	const struct mask_key key = { .target = w->book->id,
				      .class = w->c->classes.at[class].id };

	return mask_add(&w->m, &key, class, bit);
}

/* Classes that satisfy an atom, and one of others if need be. */
static int set_classes(struct work *w, __u32 atom, const struct bit *others,
		       size_t bit)
{
	const struct numbers *n = &w->c->atoms.at[atom].classes;
	int ret = 0;

	for (size_t i = 0; i < n->list.count && !ret; i++) {
		const struct class *class = &w->c->classes.at[n->list.at[i]];

		if (!others || has_any(&class->atoms, &others->atoms))
			ret = set(w, n->list.at[i], bit);
	}
	return ret;
}

static int set_rule(struct work *w, const struct bit *b, size_t bit)
{
	const bool is_any = b->any_peer || b->any_pod;
	int ret = 0;

	if (b->also != NONE)
		return set_classes(w, b->also, is_any ? NULL : b, bit);
	for (size_t i = 0; i < b->atoms.list.count && !ret; i++)
		ret = set_classes(w, b->atoms.list.at[i], NULL, bit);
	return ret;
}

int peer_masks_make(struct policy_compiled *c)
{
	struct work w = { .c = c, .m.masks = &c->image.peer_masks };
	int ret = 0;

	w.m.row = calloc(c->classes.count + 1, sizeof(*w.m.row));
	if (!w.m.row)
		return -ENOMEM;
	for (size_t i = 0; i < c->targets.count; i++) {
		w.book = &c->targets.at[i];
		w.m.first = w.m.masks->list.count;
		for (size_t j = 0; j < w.book->rules.count && !ret; j++)
			if (w.book->rules.at[j].bit)
				ret = set_rule(&w, w.book->rules.at[j].bit, j);
	}
	free(w.m.row);
	return ret;
}
