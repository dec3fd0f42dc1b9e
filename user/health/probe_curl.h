/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tls, http and https, by libcurl. */
#ifndef FAIRLEAD_PROBE_CURL_H
#define FAIRLEAD_PROBE_CURL_H

#include "probe.h"

extern const struct probe_type probe_tls, probe_http, probe_https;

/* Loads the libraries: in a process that may still do that. -ELIBACC. */
int probe_curl_prepare(void);

/* What they share on a loop, one at a time; who does not call it leaves it to
 * the first probe. -ELIBACC: not prepared; -ENOMEM. */
int probe_curl_open(struct loop *l);
/* When no probe runs, before the loop is freed. */
void probe_curl_close(void);

#endif
