/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/1.1 for strangers, on a loop: libmicrohttpd behind one door. A request
 * is a method and a path; its headers and body do not matter. Each answer ends
 * its connection, each connection ends in time, and when there are too many,
 * the oldest one of who has most makes room: who holds some open, or makes one
 * after the other, keeps nobody else out.
 */
#ifndef FAIRLEAD_WEB_SERVER_H
#define FAIRLEAD_WEB_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

struct web_server;

struct web_answer {
	unsigned int status;
	const char *type;	/* Content-Type; also: it is what it says */
	long weight;		/* X-Load-Balancing-Endpoint-Weight; -1: none */
	const char *body;	/* copied */
	size_t len;
};

/* What to say to who asked at the socket that id names. False: not yet, it is
 * asked again at the next web_server_resume(). */
typedef bool web_answer_fn(void *arg, __u32 id, const char *path,
			   struct web_answer *ret);

/* most: connections at a time. -errno. */
int web_server_new(struct loop *l, unsigned int most, web_answer_fn *answer,
		   void *arg, struct web_server **ret);
void web_server_free(struct web_server *s);	/* NULL is fine */

/* fd: a socket that listens; the server's from here on, also on failure. */
int web_server_listen(struct web_server *s, int fd, __u32 id);
/* The end of its connections, too; of no such id, nothing. */
void web_server_unlisten(struct web_server *s, __u32 id);

void web_server_resume(struct web_server *s);

/* Connections that have lasted too long are cut: every second or so. */
void web_server_look(struct web_server *s);

#endif
