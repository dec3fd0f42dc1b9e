/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events on their way to the API server, one after the other. What is not
 * taken is tried again a few times and then given up: nothing depends on it.
 */
#ifndef FAIRLEAD_POSTMAN_H
#define FAIRLEAD_POSTMAN_H

#include "access.h"
#include "http.h"

#define POSTMAN_EVENTS_MAX 32	/* more are left out */

struct postman_event {
	char *path, *body;	/* owned */
	size_t len;
};

struct postman {
	struct http *http;
	const struct access *access;
	/* One was given up; text is NULL if there was no room for it. */
	void (*lost)(void *arg, const char *text);
	void *arg;
	struct postman_event events[POSTMAN_EVENTS_MAX];
	size_t count;
	struct http_request *request;	/* of the first one; NULL: none */
	unsigned int tries, wait_ticks;
};

/* JSON, for a namespace. What cannot be had is lost. */
void postman_take(struct postman *p, const char *namespace,
		  size_t namespace_len, const char *body, size_t len);
/* Every second. */
void postman_tick(struct postman *p);
void postman_clear(struct postman *p);	/* before http_free() */

#endif
