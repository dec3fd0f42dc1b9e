// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See keys.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "keys.h"

void content_add(struct content *b, const void *data, size_t len)
{
	if (!list_room(&b->data, b->len + len, &b->max, 1)) {
		b->failed = true;
		return;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

void content_number(struct content *b, __u64 n)
{
	content_add(b, &n, sizeof(n));
}

void content_text(struct content *b, const char *text)
{
	content_number(b, text ? strlen(text) : UINT64_MAX);
	if (text)
		content_add(b, text, strlen(text));
}

void content_selector(struct content *b, const struct model_selector *s)
{
	content_number(b, s->count);
	for (size_t i = 0; i < s->count; i++) {
		const struct model_requirement *r = &s->requirement[i];

		content_text(b, r->key);
		content_number(b, r->op);
		content_number(b, r->nr_values);
		for (size_t j = 0; j < r->nr_values; j++)
			content_text(b, r->values[j]);
	}
}

void content_free(struct content *b)
{
	free(b->data);
}

int content_digest(struct content *b, struct digest *ret)
{
	unsigned char all[EVP_MAX_MD_SIZE];
	size_t len = b->len;

	b->len = 0;
	if (b->failed || !EVP_Digest(b->data, len, all, NULL, EVP_sha256(),
				     NULL))
		return -ENOMEM;
	memcpy(ret, all, sizeof(*ret));
	return 0;
}

/* Where x is, or belongs. */
static __u32 *cell_of(const struct digests *d, const struct digest *x)
{
	__u32 at = x->word[0];

	for (;; at++) {
		__u32 *cell = &d->cells[at & (d->nr_cells - 1)];

		if (!*cell || !memcmp(&d->list.at[*cell - 1], x, sizeof(*x)))
			return cell;
	}
}

__u32 digests_find(const struct digests *d, const struct digest *x)
{
	return d->nr_cells ? *cell_of(d, x) - 1 : NONE;
}

/* At most half of the cells are used. */
static bool cells_grow(struct digests *d)
{
	__u32 want = d->nr_cells ? 2 * d->nr_cells : 16;
	__u32 *cells;

	if (2 * (d->list.count + 1) <= d->nr_cells)
		return true;
	cells = calloc(want, sizeof(*cells));
	if (!cells)
		return false;
	free(d->cells);
	d->cells = cells;
	d->nr_cells = want;
	for (size_t i = 0; i < d->list.count; i++)
		*cell_of(d, &d->list.at[i]) = i + 1;
	return true;
}

__u32 digests_add(struct digests *d, const struct digest *x)
{
	__u32 number = digests_find(d, x);
	struct digest *to;

	if (number != NONE)
		return number;
	if (!cells_grow(d))
		return NONE;
	to = list_add(&d->list);
	if (!to)
		return NONE;
	/* The cell is looked for first: what it compares with is listed. */
	*to = (struct digest){};
	*cell_of(d, x) = d->list.count;
	*to = *x;
	return d->list.count - 1;
}

void digests_free(struct digests *d)
{
	free(d->list.at);
	free(d->cells);
}
