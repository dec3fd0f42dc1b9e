/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/1.1 requests to one server, many at a time, on a loop: libcurl behind
 * one door. Answers are handed on as they arrive; nothing here waits, and no
 * answer is gone after to another server (redirects, proxies).
 */
#ifndef FAIRLEAD_HTTP_H
#define FAIRLEAD_HTTP_H

#include <stdbool.h>

#include "access.h"
#include "base/loop.h"

struct http;
struct http_request;

struct http_ops {
	/* The status line, before the body. */
	void (*status)(void *arg, int status);
	/* A part of the body. False: that is enough; end() follows. */
	bool (*body)(void *arg, const char *data, size_t len);
	/*
	 * The request is over and is freed behind this. status: 0: none came.
	 * error: why the answer is not whole, or NULL; "" after body() said
	 * false. retry_after_s: of the header, or 0.
	 */
	void (*end)(void *arg, int status, const char *error,
		    unsigned int retry_after_s);
};

enum http_method { HTTP_GET, HTTP_POST, NR_HTTP_METHODS };

/* seen: of each request, when it is known how it is answered; status: 0: not
 * at all. */
typedef void http_seen_fn(void *arg, enum http_method method, int status);
int http_new(struct loop *l, http_seen_fn *seen, void *arg, struct http **ret);
void http_free(struct http *h);	/* end() is not called; NULL is fine */

/*
 * GET path, which is put behind access's server. access is read now and not
 * kept. -errno.
 */
int http_get(struct http *h, const struct access *access, const char *path,
	     const struct http_ops *ops, void *arg,
	     struct http_request **ret);

/* As http_get(), by a socket that is connected already and that is r's from
 * here on, also on failure; whatever is behind it. */
int http_get_over(struct http *h, int fd, const char *path,
		  const struct http_ops *ops, void *arg,
		  struct http_request **ret);

/* POST body, len bytes of JSON; they are copied. */
int http_post(struct http *h, const struct access *access, const char *path,
	      const char *body, size_t len, const struct http_ops *ops,
	      void *arg, struct http_request **ret);

/* No end() follows, and r is gone. Not from within body() or status(). */
void http_cancel(struct http_request *r);

/* Nothing more is read for any request until http_resume(), so that nobody
 * has to keep what he cannot hand on. */
void http_pause(struct http *h);
void http_resume(struct http *h);

#endif
