/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Private to probe_curl.c and probe_curl_end.c. */
#ifndef FAIRLEAD_PROBE_CURL_PRIVATE_H
#define FAIRLEAD_PROBE_CURL_PRIVATE_H

#include "base/curl_loop.h"
#include "probe.h"

#define ALPN_MAX 256

struct probe_curl {
	struct probe probe;
	const struct probe_spec *spec;
	probe_done_fn *done;
	void *arg;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	bool failed;		/* of what was set: libcurl does not take it */
	int err;		/* -errno of a call of our own */
	size_t header_bytes;
	bool has_long_header;
	char *body;		/* where a text is looked for; else NULL */
	size_t body_len, body_max;
	bool is_cut;		/* there is more of it than we read */
	char error[CURL_ERROR_SIZE];
};

struct ssl_functions {
	int (*ctx_set_alpn_protos)(void *context, const unsigned char *list,
				   unsigned int len);
	void (*get0_alpn_selected)(const void *ssl, const unsigned char **ret,
				   unsigned int *ret_len);
};

/* Zero where there is no libssl.so.3. */
extern struct ssl_functions probe_ssl;

/* What came of it. */
void probe_curl_judge(const struct probe_curl *c, CURLcode code,
		      struct probe_result *ret);
const char *probe_curl_waiting_for(const struct probe *p);

#endif
