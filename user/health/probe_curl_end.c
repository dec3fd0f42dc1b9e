// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What came of a transfer by libcurl, as an outcome with words for people. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sys/socket.h>

#include "probe_curl_private.h"

#define TOO_LARGE 100		/* CURLE_TOO_LARGE, of curl 8 */

static bool has_time(const struct probe_curl *c, CURLINFO what)
{
	curl_off_t us = 0;

	curl.easy_getinfo(c->easy, what, &us);
	return us > 0;
}

/* Of one that runs; CURLINFO_CONNECT_TIME may wait for TLS. */
static bool is_connected(const struct probe_curl *c)
{
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);

	return c->fd >= 0 && !getpeername(c->fd, (void *)&to, &len);
}

const char *probe_curl_waiting_for(const struct probe *p)
{
	const struct probe_curl *c = (const struct probe_curl *)p;

	if (!is_connected(c))
		return "no connection";
	if (c->probe.spec->kind != PROBE_HTTP &&
	    !has_time(c, CURLINFO_APPCONNECT_TIME_T))
		return "no TLS handshake";
	return c->header_bytes ? "no whole answer" : "no answer";
}

/* When the server's own certificate ends; 0: there is none to see. */
static time_t expiry(const struct probe_curl *c)
{
	const char prefix[] = "Expire date:";
	const struct curl_slist *s = NULL;
	struct curl_certinfo *chain = NULL;
	struct tm at = {};

	curl.easy_getinfo(c->easy, CURLINFO_CERTINFO, &chain);
	if (chain && chain->num_of_certs > 0)
		s = chain->certinfo[0];
	for (; s; s = s->next)
		if (!strncmp(s->data, prefix, strlen(prefix)) &&
		    strptime(s->data + strlen(prefix), "%b %d %T %Y", &at))
			return timegm(&at);
	return 0;
}

static void pass(struct probe_result *r, bool warns, const char *text)
{
	*r = (struct probe_result){ .outcome = PROBE_PASS, .warns = warns };
	snprintf(r->why, sizeof(r->why), "%s", text);
}

/* A warning: whether one that has expired will do is for verify to say. */
static void look_at_expiry(const struct probe_curl *c, struct probe_result *r)
{
	time_t at = expiry(c), now = time(NULL);
	char text[PROBE_WHY_MAX];

	if (!at || at >= now + (time_t)c->probe.spec->expires_s) {
		pass(r, false, "");
		return;
	}
	snprintf(text, sizeof(text), "certificate expires in %lld h",
		 (long long)(at - now) / 3600);
	pass(r, true, at < now ? "certificate has expired" : text);
}

/* A server that knows the extension takes one, or ends the handshake. */
static bool has_alpn(const struct probe_curl *c)
{
	return c->probe.spec->kind != PROBE_TLS ||
	       !c->probe.spec->alpn || c->has_alpn;
}

static bool has_text(const struct probe_curl *c)
{
	const struct probe_bytes *b = &c->probe.spec->body;

	return !b->data || !b->len ||
	       (c->body && memmem(c->body, c->body_len, b->data, b->len));
}

static bool has_status(const struct probe_curl *c, long status)
{
	const struct probe_spec *s = c->probe.spec;

	for (size_t i = 0; i < s->nr_status; i++)
		if (status >= s->status[i].first && status <= s->status[i].last)
			return true;
	return !s->nr_status && status >= 200 && status <= 299;
}

static void judge_answer(const struct probe_curl *c, struct probe_result *r)
{
	bool is_http = c->probe.spec->kind != PROBE_TLS;
	long status = 0;

	curl.easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (is_http && !has_status(c, status))
		probe_fail(r, "status %ld", status);
	else if (is_http && !has_text(c))
		probe_fail(r, "the text is not in the %s",
			   c->is_cut ? "first 64 KiB" : "answer");
	else if (!has_alpn(c))
		probe_fail(r, "the server takes none of these alpn");
	else
		look_at_expiry(c, r);
}

/* Behind what OpenSSL puts before it; else in words of our own. */
static const char *tls_text(const char *error)
{
	static const struct {
		const char *has, *text;	/* NULL: what stands behind it */
	} known[] = {
		{ "SSL certificate problem: ", NULL },
		{ "SSL routines::", NULL },
		{ "alternative certificate", "certificate is for another name" },
		{ "target host name", "certificate is for another name" },
		{ "reset by peer", "reset" },
		{ "SSL_ERROR_SYSCALL", "closed in the handshake" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *at = strstr(error, known[i].has);

		if (at)
			return known[i].text ?: at + strlen(known[i].has);
	}
	return *error ? error : "TLS handshake failed";
}

/* Connecting, sending or receiving. */
static void socket_failed(const struct probe_curl *c, CURLcode code,
			  struct probe_result *r)
{
	long err = 0;

	curl.easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &err);
	if (code == CURLE_COULDNT_CONNECT && err)
		probe_fail_later(r, c->probe.spec, err);
	else if (code == CURLE_COULDNT_CONNECT)
		probe_fail(r, "no connection");
	else
		probe_fail(r, c->header_bytes ? "reset in the middle of an answer" :
						"reset");
}

static void server_failed(const struct probe_curl *c, CURLcode code,
			  struct probe_result *r)
{
	const char *text;

	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		socket_failed(c, code, r);
		break;
	case CURLE_GOT_NOTHING:
		probe_fail(r, "closed without an answer");
		break;
	case CURLE_PARTIAL_FILE:
		probe_fail(r, "closed in the middle of an answer");
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
		text = tls_text(c->error);
		probe_fail(r, "%s", probe_why(text, strlen(text)));
		break;
	case CURLE_OUT_OF_MEMORY: /* before curl 8: of a line that is too long */
	case TOO_LARGE:
		probe_fail(r, "headers of more than 64 KiB");
		break;
	default:
		probe_fail(r, "the answer is not HTTP/1");
		break;
	}
}

/* What no server can bring about. */
static bool is_ours(const struct probe_curl *c, CURLcode code)
{
	switch (code) {
	case CURLE_FAILED_INIT:
	case CURLE_URL_MALFORMAT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_NOTFOUND:
		return true;
	case CURLE_OUT_OF_MEMORY:
		return !has_time(c, CURLINFO_PRETRANSFER_TIME_T);
	default:
		return false;
	}
}

/* Why is libcurl's, as certificates that it does not take are named there. */
static void not_begun(const struct probe_curl *c, CURLcode code,
		      struct probe_result *r)
{
	const char *text = *c->error ? c->error : curl.easy_strerror(code);

	probe_fail(r, "%s", probe_why(text, strlen(text)));
	r->outcome = PROBE_NO_RESULT;
}

void probe_curl_judge(const struct probe_curl *c, CURLcode code,
		      struct probe_result *ret)
{
	if (c->err)
		probe_fail_errno(ret, c->err);
	else if (code == CURLE_OK || c->is_cut)
		judge_answer(c, ret);
	else if (c->has_long_header)
		probe_fail(ret, "headers of more than 64 KiB");
	else if (is_ours(c, code))
		not_begun(c, code, ret);
	else
		server_failed(c, code, ret);
}
