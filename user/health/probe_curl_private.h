/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Private to probe_curl.c and probe_curl_end.c. */
#ifndef FAIRLEAD_PROBE_CURL_PRIVATE_H
#define FAIRLEAD_PROBE_CURL_PRIVATE_H

#include "base/curl_loop.h"
#include "probe.h"

#define ALPN_MAX 256

struct probe_curl {
	struct probe probe;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	bool failed;		/* of what was set: libcurl does not take it */
	int fd;			/* libcurl's; -1: there was none yet */
	int err;		/* -errno of a call of our own */
	size_t header_bytes;
	bool has_long_header;
	char *body;		/* where a text is looked for; else NULL */
	size_t body_len, body_max;
	bool is_cut;		/* there is more of it than we read */
	bool has_alpn;		/* the server took one that was offered */
	char error[CURL_ERROR_SIZE];
};

/* What came of it. */
void probe_curl_judge(const struct probe_curl *c, CURLcode code,
		      struct probe_result *ret);
const char *probe_curl_waiting_for(const struct probe *p);

#endif
