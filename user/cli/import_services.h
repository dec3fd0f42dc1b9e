/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is read of another balancer's services, and how it is printed as
 * definitions. Private to import_*.c.
 */
#ifndef FAIRLEAD_IMPORT_SERVICES_H
#define FAIRLEAD_IMPORT_SERVICES_H

#include "base/list.h"
#include "import.h"
#include "model/model.h"

#define IMPORT_LINE_MAX 512	/* of what is read, its end included */
#define IMPORT_HEALTH_MAX (5 * IMPORT_LINE_MAX)

/* What is not carried, in one line's words. */
struct import_losses {
	char text[200];		/* "": nothing */
};

struct import_server {
	char line[IMPORT_LINE_MAX];
	struct addr addr;
	__u32 port, weight, tunnel_port;
	enum forward forward;
	char health[IMPORT_HEALTH_MAX];	/* "type: tcp, ..."; "": none */
	struct import_losses losses;
};

struct import_virtual {
	char line[IMPORT_LINE_MAX];
	__u8 proto;
	struct addr addr;
	__u32 port, mark, persistent_s;
	char scheduler[32];
	bool is_ops;
	char health[IMPORT_HEALTH_MAX];	/* of the service alone, ", minimum: 2" */
	struct import_losses losses;
	LIST(struct import_server) servers;
};

struct import {
	struct import_result *ret;
	FILE *out;
	LIST(struct import_virtual) services;
	LIST(struct import_losses) alone;	/* lines that no service is made of */
};

void import_clear(struct import *i);

/* Something more that is not carried; what has no room is left out. */
void import_lose(struct import_losses *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* It ends: -EINVAL, with the reason in i->ret. */
int import_wrong(struct import *i, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Of digits alone. */
bool import_number(const char *text, unsigned long max, __u32 *ret);
/* Lines become comments, which are printable. */
bool import_is_text(const char *line);

/* All of it. -EIO. */
int import_print(struct import *i);

#endif
