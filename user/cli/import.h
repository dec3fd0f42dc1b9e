/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What other balancers are told, to definitions. Pure. */
#ifndef FAIRLEAD_IMPORT_H
#define FAIRLEAD_IMPORT_H

#include <stdio.h>

struct import_result {
	unsigned int services, backends;
	unsigned int not_carried;	/* lines, or parts of them */
	unsigned int line;		/* of -EINVAL */
	char why[160];			/* likewise */
};

/*
 * Of what `ipvsadm -Sn` prints: definitions onto out, each line that they are made of above them as a
 * comment, and "# NOT CARRIED: ..." for what has no counterpart. -ENOMEM; -EIO;
 * -EINVAL: ret->line cannot be understood, and nothing was printed.
 */
int import_ipvs(FILE *from, FILE *out, struct import_result *ret);

/* Likewise of a keepalived.conf(5): its virtual_server blocks. */
int import_keepalived(FILE *from, FILE *out, struct import_result *ret);

#endif
