/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What may stand where somebody presses a shell's key for completion. */
#ifndef FAIRLEAD_COMPLETE_H
#define FAIRLEAD_COMPLETE_H

#include "options.h"

struct complete_with {
	const struct command *commands;
	/* What services there are; NULL: nobody knows. */
	void (*services)(void *arg, void (*f)(void *to, const char *name),
			 void *to);
	void *arg;
};

/*
 * Of the words behind "fairlead", the last of which, "" perhaps, is begun: a
 * line for each word that it can become. Where that is a file, or anything,
 * there is none.
 */
void complete(const struct complete_with *with, int argc, char **argv,
	      FILE *out);

#endif
