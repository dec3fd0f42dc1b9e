/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libcurl's transfers on a loop; one of these has many of them. */
#ifndef FAIRLEAD_CURL_LOOP_H
#define FAIRLEAD_CURL_LOOP_H

#include "curl.h"
#include "loop.h"

struct curl_loop;

/* curl_load() was called. done: a transfer is over, and is to be taken out by
 * curl_loop_remove() before this returns. -ENOMEM. */
int curl_loop_new(struct loop *l,
		  void (*done)(void *arg, CURL *easy, CURLcode code),
		  void *arg, struct curl_loop **ret);
/* Without transfers. NULL is fine. */
void curl_loop_free(struct curl_loop *c);

/* easy stays the caller's; it begins later, from the loop. -ENOMEM. */
int curl_loop_add(struct curl_loop *c, CURL *easy);
/* Not from within a callback of libcurl's; unknown ones are fine. */
void curl_loop_remove(struct curl_loop *c, CURL *easy);

#endif
