/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files into a model, and why they are none. */
#ifndef FAIRLEAD_LOADING_H
#define FAIRLEAD_LOADING_H

#include "daemon.h"
#include "model/model.h"
#include "refusal.h"

struct definitions;

struct loading {
	struct definitions *files;
	bool has_model;		/* they have checked out once */
	struct refusal refusal;	/* the first line of what is wrong with them */
	unsigned int nr_refused; /* of what was read last, which counts but for
				  * that */
	char *said;		/* what was logged of it; owned, or NULL */
};

/* Logs. */
int loading_open(struct loading *l, const struct definitions_from *from);
void loading_close(struct loading *l);

/* Read again. *ret, the caller's: what they say now; NULL: nothing else than
 * before. Errors that are news are logged, unless patience asks for none. */
int loading_read(struct loading *l, enum daemon_patience patience,
		 struct model **ret);

#endif
