// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The nearest of the words that would have been right, see suggest.h. */
#include <string.h>

#include "suggest.h"

#define WORD_MAX 32

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * Insertions, deletions, replacements and swaps of neighbours between two
 * words of at most WORD_MAX letters (optimal string alignment).
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int differ = a[i - 1] != b[j - 1];

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[a_len][b_len];
}

const char *suggest(const char *word, const char *const *known)
{
	size_t len = strlen(word);
	unsigned int best = 1 + len / 3;	/* more, and it is a guess */
	const char *nearest = NULL;

	if (!len || len > WORD_MAX)
		return NULL;
	for (; *known; known++) {
		unsigned int d;

		if (strlen(*known) > WORD_MAX)
			continue;
		d = distance(word, *known);
		if (d < best || (d == best && !nearest && d < len)) {
			best = d;
			nearest = *known;
		}
	}
	return nearest;
}
