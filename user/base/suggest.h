/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* "did you mean": the known word that a mistyped one is nearest to. */
#ifndef FAIRLEAD_SUGGEST_H
#define FAIRLEAD_SUGGEST_H

/* Of a list that ends in NULL; NULL when none is near enough to be meant. */
const char *suggest(const char *word, const char *const *known);

#endif
