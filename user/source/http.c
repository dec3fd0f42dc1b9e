// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See http.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include "base/cleanup.h"
#include "base/curl_loop.h"
#include "http.h"

#define CONNECT_S 10L
#define KEEPALIVE_S 15L
#define USER_TIMEOUT_MS 30000
#define USER_AGENT "fairlead"

struct http {
	struct curl_loop *curl;
	struct http_request *all;
	bool is_paused;
	http_seen_fn *seen;
	void *arg;
};

struct http_request {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	const struct http_ops *ops;
	void *arg;
	enum http_method method;
	int fd;			/* to be used; -1: none, or libcurl has it */
	bool is_over;		/* by such a one */
	bool is_stopped;	/* body() said so */
	bool has_status;
	bool is_paused;
	char error[CURL_ERROR_SIZE];
	struct http_request *next;
};

static void request_free(struct http_request *r)
{
	struct http_request **at = &r->http->all;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	if (r->easy) {
		curl_loop_remove(r->http->curl, r->easy);
		curl.easy_cleanup(r->easy);
	}
	curl.slist_free_all(r->headers);
	curl.slist_free_all(r->connect_to);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static int status_of(struct http_request *r)
{
	long status = 0;

	curl.easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void seen(const struct http_request *r, int status)
{
	r->http->seen(r->http->arg, r->method, status);
}

static void request_end(struct http_request *r, CURLcode code)
{
	curl_off_t retry_after_s = 0;
	const char *error = NULL;

	curl.easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (r->is_stopped)
		error = "";
	else if (code != CURLE_OK)
		error = *r->error ? r->error : curl.easy_strerror(code);
	if (!r->has_status)
		seen(r, 0);
	r->ops->end(r->arg, status_of(r), error,
		    retry_after_s > 3600 ? 3600 : retry_after_s);
	request_free(r);
}

static void on_done(void *arg, CURL *easy, CURLcode code)
{
	struct http_request *r = NULL;

	curl.easy_getinfo(easy, CURLINFO_PRIVATE, &r);
	request_end(r, code);
}

/* A server whose machine is gone is given up in time, data or not. */
static int socket_made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const struct http_request *r = arg;
	unsigned int ms = USER_TIMEOUT_MS;

	if (r->is_over)
		return CURL_SOCKOPT_ALREADY_CONNECTED;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

/* Once: it is libcurl's then. */
static curl_socket_t socket_given(void *arg, curlsocktype purpose,
				  struct curl_sockaddr *to)
{
	struct http_request *r = arg;
	int fd = r->fd;

	r->fd = -1;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *r = arg;

	if (r->http->is_paused) {
		r->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (r->is_stopped)
		return 0;
	if (r->ops->body(r->arg, data, size * count))
		return size * count;
	r->is_stopped = true;
	return 0;
}

/* The empty line that ends the headers; 1xx have one of their own. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *r = arg;
	int status = status_of(r);

	if (!r->has_status && status >= 200 && data[0] == '\r') {
		r->has_status = true;
		seen(r, status);
		r->ops->status(r->arg, status);
	}
	return size * count;
}

static void header_add(struct http_request *r, bool *ok, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void header_add(struct http_request *r, bool *ok, const char *fmt, ...)
{
	struct curl_slist *list = NULL;
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		list = curl.slist_append(r->headers, text);
	else
		text = NULL;
	va_end(args);
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	r->headers = list ?: r->headers;
	*ok &= list != NULL;
}

#define SET(r, ok, option, value) \
	(*(ok) &= curl.easy_setopt((r)->easy, option, value) == CURLE_OK)

static void set_blob(struct http_request *r, bool *ok, CURLoption option,
		     const struct access_value *v)
{
	struct curl_blob blob = { v->data, v->len, CURL_BLOB_COPY };

	if (v->data)
		SET(r, ok, option, &blob);
}

static void set_tls(struct http_request *r, bool *ok, const struct access *a)
{
	SET(r, ok, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(r, ok, CURLOPT_SSL_VERIFYPEER, a->insecure ? 0L : 1L);
	SET(r, ok, CURLOPT_SSL_VERIFYHOST, a->insecure ? 0L : 2L);
	set_blob(r, ok, CURLOPT_CAINFO_BLOB, &a->values[ACCESS_CA]);
	set_blob(r, ok, CURLOPT_SSLCERT_BLOB, &a->values[ACCESS_CERTIFICATE]);
	set_blob(r, ok, CURLOPT_SSLKEY_BLOB, &a->values[ACCESS_KEY]);
}

/* host, host:port, [v6]:port; where the port's colon is, or the end. */
static size_t host_len(const char *authority)
{
	if (*authority == '[')
		return strcspn(authority, "]") + 1;
	return strcspn(authority, ":/");
}

/*
 * libcurl takes the name that it checks from the URL: the URL has that name,
 * and says to connect to the server all the same.
 */
static char *url_make(struct http_request *r, bool *ok,
		      const struct access *a, const char *path)
{
	const char *server = a->values[ACCESS_SERVER].data;
	const char *name = a->values[ACCESS_TLS_NAME].data;
	const char *authority = strstr(server, "://") + 3;
	int host = host_len(authority), all = strcspn(authority, "/");
	char *url = NULL, *to = NULL;

	if (!name || strncmp(server, "https:", 6)) {
		if (asprintf(&url, "%s%s", server, path) < 0)
			return NULL;
		return url;
	}
	header_add(r, ok, "Host: %.*s", all, authority);
	if (asprintf(&to, "::%.*s:%.*s", host, authority,
		     all - host ? all - host - 1 : 3,
		     all - host ? authority + host + 1 : "443") < 0 ||
	    asprintf(&url, "https://%s%s%s", name, authority + host, path) < 0)
		url = NULL;
	r->connect_to = to ? curl.slist_append(NULL, to) : NULL;
	*ok &= r->connect_to != NULL;
	SET(r, ok, CURLOPT_CONNECT_TO, r->connect_to);
	free(to);
	return url;
}

static void set_transport(struct http_request *r, bool *ok)
{
	SET(r, ok, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(r, ok, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(r, ok, CURLOPT_PROXY, "");
	SET(r, ok, CURLOPT_FOLLOWLOCATION, 0L);
	SET(r, ok, CURLOPT_NOSIGNAL, 1L);
	SET(r, ok, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	SET(r, ok, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(r, ok, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	SET(r, ok, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
	SET(r, ok, CURLOPT_SOCKOPTFUNCTION, socket_made);
	SET(r, ok, CURLOPT_SOCKOPTDATA, r);
	SET(r, ok, CURLOPT_USERAGENT, USER_AGENT);
	SET(r, ok, CURLOPT_ERRORBUFFER, r->error);
	SET(r, ok, CURLOPT_PRIVATE, r);
}

static void set_callbacks(struct http_request *r, bool *ok)
{
	SET(r, ok, CURLOPT_WRITEFUNCTION, on_body);
	SET(r, ok, CURLOPT_WRITEDATA, r);
	SET(r, ok, CURLOPT_HEADERFUNCTION, on_header);
	SET(r, ok, CURLOPT_HEADERDATA, r);
}

static int request_set(struct http_request *r, const struct access *a,
		       const char *path)
{
	bool ok = true;
	char *url = url_make(r, &ok, a, path);

	if (!url)
		return -ENOMEM;
	set_transport(r, &ok);
	set_callbacks(r, &ok);
	set_tls(r, &ok, a);
	header_add(r, &ok, "Accept: application/json");
	if (a->values[ACCESS_TOKEN].data)
		header_add(r, &ok, "Authorization: Bearer %s",
			   a->values[ACCESS_TOKEN].data);
	SET(r, &ok, CURLOPT_HTTPHEADER, r->headers);
	SET(r, &ok, CURLOPT_URL, url);
	free(url);
	return ok ? 0 : -EINVAL;
}

/* "Expect: 100-continue" would be waited for a second in vain. */
static int body_set(struct http_request *r, const char *body, size_t len)
{
	bool ok = true;

	SET(r, &ok, CURLOPT_POST, 1L);
	SET(r, &ok, CURLOPT_POSTFIELDSIZE, (long)len);
	SET(r, &ok, CURLOPT_COPYPOSTFIELDS, body);
	header_add(r, &ok, "Content-Type: application/json");
	header_add(r, &ok, "Expect:");
	SET(r, &ok, CURLOPT_HTTPHEADER, r->headers);
	return ok ? 0 : -ENOMEM;
}

static int request_new(struct http *h, const struct http_ops *ops, void *arg,
		       struct http_request **ret)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->http = h;
	r->ops = ops;
	r->arg = arg;
	r->fd = -1;
	r->next = h->all;
	h->all = r;
	r->easy = curl.easy_init();
	*ret = r;
	return r->easy ? 0 : -ENOMEM;
}

/* err: what has come of it by now. */
static int request_begin(struct http_request *r, int err,
			 struct http_request **ret)
{
	err = err ?: curl_loop_add(r->http->curl, r->easy);
	if (err) {
		request_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

int http_get(struct http *h, const struct access *access, const char *path,
	     const struct http_ops *ops, void *arg,
	     struct http_request **ret)
{
	return http_post(h, access, path, NULL, 0, ops, arg, ret);
}

/* Without a body, GET. */
int http_post(struct http *h, const struct access *access, const char *path,
	      const char *body, size_t len, const struct http_ops *ops,
	      void *arg, struct http_request **ret)
{
	struct http_request *r = NULL;
	int err = request_new(h, ops, arg, &r);

	if (!r)
		return err;
	r->method = body ? HTTP_POST : HTTP_GET;
	err = err ?: request_set(r, access, path);
	if (!err && body)
		err = body_set(r, body, len);
	return request_begin(r, err, ret);
}

/* An address, so that no name is asked for; nobody is called there. */
int http_get_over(struct http *h, int fd, const char *path,
		  const struct http_ops *ops, void *arg,
		  struct http_request **ret)
{
	static char nobody[] = "http://127.0.0.1";
	const struct access access = {
		.values[ACCESS_SERVER] = { NULL, nobody, sizeof(nobody) - 1 },
	};
	struct http_request *r = NULL;
	int err = request_new(h, ops, arg, &r);
	bool ok = true;

	if (!r) {
		close(fd);
		return err;
	}
	r->fd = fd;
	r->is_over = true;
	err = err ?: request_set(r, &access, path);
	if (!err) {
		SET(r, &ok, CURLOPT_OPENSOCKETFUNCTION, socket_given);
		SET(r, &ok, CURLOPT_OPENSOCKETDATA, r);
		SET(r, &ok, CURLOPT_FRESH_CONNECT, 1L);
		SET(r, &ok, CURLOPT_FORBID_REUSE, 1L);
	}
	return request_begin(r, err ?: ok ? 0 : -EINVAL, ret);
}

void http_cancel(struct http_request *r)
{
	if (!r->has_status)
		seen(r, 0);
	request_free(r);
}

void http_pause(struct http *h)
{
	h->is_paused = true;
}

/* Unpausing calls body(), which may want a pause again. */
void http_resume(struct http *h)
{
	h->is_paused = false;
	for (struct http_request *r = h->all; r && !h->is_paused;
	     r = r->next) {
		if (!r->is_paused)
			continue;
		r->is_paused = false;
		curl.easy_pause(r->easy, CURLPAUSE_CONT);
	}
}

int http_new(struct loop *l, http_seen_fn *seen_fn, void *arg,
	     struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));
	int err = h ? curl_loop_new(l, on_done, h, &h->curl) : -ENOMEM;

	if (err) {
		free(h);
		return err;
	}
	h->seen = seen_fn;
	h->arg = arg;
	*ret = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->all)
		request_free(h->all);
	curl_loop_free(h->curl);
	free(h);
}
