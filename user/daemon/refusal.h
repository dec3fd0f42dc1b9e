/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why what is wanted is not in force: a line for `status` and the log. */
#ifndef FAIRLEAD_REFUSAL_H
#define FAIRLEAD_REFUSAL_H

#define REFUSAL_MAX 512

struct refusal {
	char text[REFUSAL_MAX];	/* "": none */
};

/* Keep the text; returns err as is. Not logged. */
int refuse(struct refusal *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
