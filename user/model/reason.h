/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reasons and verdicts as words: from the list in reasons.h alone. */
#ifndef FAIRLEAD_REASON_H
#define FAIRLEAD_REASON_H

#include <fairlead/reasons.h>

struct reason_text {
	const char *name;	/* "NO_BACKEND" */
	const char *verdict;	/* "REPLY" */
	const char *text;
};

extern const struct reason_text reason_texts[NR_REASONS];

#endif
