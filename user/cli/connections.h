/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of connections in `status`: how full, of whom, and who was turned
 * away. */
#ifndef FAIRLEAD_CONNECTIONS_H
#define FAIRLEAD_CONNECTIONS_H

#include <jansson.h>

#include "model/conns.h"
#include "view.h"

#define CONNECTIONS_TOP 5

struct connections {
	struct conns_usage usage;
	__u32 limit;		/* connections that the table was made for */
	__u32 wanted;		/* what the definitions ask for; 0: nothing */
	bool is_full;		/* more are live: new ones may find no room */
	__u64 evicted;
	__u64 no_room, no_port, unrecorded;	/* packets */
	struct {
		const char *service;
		__u64 records;	/* of a large table, about so many */
	} top[CONNECTIONS_TOP];	/* NULL: there are no more */
};

/* Logs. */
int connections_look(struct view *v, __u32 wanted, struct connections *ret);

void connections_print(const struct connections *c);
json_t *connections_json(const struct connections *c);

#endif
