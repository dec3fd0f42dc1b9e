// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tls, http and https by libcurl: one connection that nobody shared before and
 * nobody will after, to the address that is checked, whatever name is asked
 * for. probe_curl_end.c says what the end of one means.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base/addr.h"
#include "base/library.h"
#include "base/list.h"
#include "probe_curl.h"
#include "probe_curl_private.h"

/* Of a loop: probes have a connection each, but libcurl one of these. */
static struct shared {
	struct loop *loop;
	struct curl_loop *curl;
} shared;

/* For the protocols of the application's layer, as libcurl offers its own;
 * zero where there is no libssl.so.3. */
static struct {
	int (*ctx_set_alpn_protos)(void *context, const unsigned char *list,
				   unsigned int len);
	void (*get0_alpn_selected)(const void *ssl, const unsigned char **ret,
				   unsigned int *ret_len);
	void (*ctx_set_info_callback)(void *context,
				      void (*f)(const void *ssl, int where,
						int ret));
	void *(*get_ctx)(const void *ssl);
	int (*ctx_set_ex_data)(void *context, int index, void *data);
	void *(*ctx_get_ex_data)(const void *context, int index);
} ssl;

#define HANDSHAKE_DONE 0x20	/* SSL_CB_HANDSHAKE_DONE */
#define APP_DATA 0		/* as SSL_CTX_set_app_data() has it */

static int ssl_load(void)
{
	static const struct library_function functions[] = {
		{ "SSL_CTX_set_alpn_protos", (void **)&ssl.ctx_set_alpn_protos },
		{ "SSL_get0_alpn_selected", (void **)&ssl.get0_alpn_selected },
		{ "SSL_CTX_set_info_callback",
		  (void **)&ssl.ctx_set_info_callback },
		{ "SSL_get_SSL_CTX", (void **)&ssl.get_ctx },
		{ "SSL_CTX_set_ex_data", (void **)&ssl.ctx_set_ex_data },
		{ "SSL_CTX_get_ex_data", (void **)&ssl.ctx_get_ex_data },
	};

	return library_load("libssl.so.3", functions,
			    sizeof(functions) / sizeof(*functions));
}

static void on_ssl_info(const void *session, int where, int ret)
{
	struct probe_curl *c;
	const unsigned char *chosen = NULL;
	unsigned int len = 0;

	if (!(where & HANDSHAKE_DONE))
		return;
	c = ssl.ctx_get_ex_data(ssl.get_ctx(session), APP_DATA);
	ssl.get0_alpn_selected(session, &chosen, &len);
	c->has_alpn = len;
}

/* "h2,http/1.1" as a list of lengths and bytes, RFC 7301 3.1. 0: it is none. */
static size_t alpn_encode(const char *text, unsigned char ret[static ALPN_MAX])
{
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, ",");

		if (!len || len > 255 || at + 1 + len > ALPN_MAX)
			return 0;
		ret[at] = len;
		memcpy(ret + at + 1, text, len);
		at += 1 + len;
		text += len + (text[len] == ',');
	}
	return at;
}

static CURLcode on_ssl_context(CURL *easy, void *context, void *arg)
{
	struct probe_curl *c = arg;
	unsigned char list[ALPN_MAX];
	size_t len = alpn_encode(c->probe.spec->alpn, list);

	if (!len || ssl.ctx_set_alpn_protos(context, list, len) ||
	    !ssl.ctx_set_ex_data(context, APP_DATA, c))
		return CURLE_BAD_FUNCTION_ARGUMENT;
	ssl.ctx_set_info_callback(context, on_ssl_info);
	return CURLE_OK;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose,
			     struct curl_sockaddr *to)
{
	struct probe_curl *c = arg;

	c->fd = probe_socket(c->probe.spec, SOCK_STREAM, 0);
	if (c->fd >= 0)
		return c->fd;
	c->err = c->fd;
	return CURL_SOCKET_BAD;
}

/* Lines that end are counted here; one that does not, libcurl ends. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct probe_curl *c = arg;

	c->header_bytes += size * count;
	c->has_long_header = c->header_bytes > PROBE_BYTES_MAX;
	return c->has_long_header ? 0 : size * count;
}

static bool keep(struct probe_curl *c, const char *data, size_t len)
{
	if (!list_room(&c->body, c->body_len + len, &c->body_max, 1))
		return false;
	memcpy(c->body + c->body_len, data, len);
	return true;
}

/* It is read on to the limit, wanted or not: who answers does not see a
 * connection that breaks while there is little to say. */
static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct probe_curl *c = arg;
	size_t len = size * count, room = PROBE_BYTES_MAX - c->body_len;

	c->is_cut = len > room;
	if (c->is_cut)
		len = room;
	if (c->probe.spec->body.data && !keep(c, data, len))
		c->err = -ENOMEM;
	c->body_len += len;
	return c->is_cut || c->err ? 0 : size * count;
}

#define SET(c, option, value) \
	((c)->failed |= curl.easy_setopt((c)->easy, option, value) != CURLE_OK)

static void set_blob(struct probe_curl *c, CURLoption option, char *pem)
{
	struct curl_blob blob = { pem, pem ? strlen(pem) : 0, CURL_BLOB_COPY };

	if (pem)
		SET(c, option, &blob);
}

/* A session that is taken up again shows no certificate. */
static void set_tls(struct probe_curl *c)
{
	const struct probe_spec *s = c->probe.spec;

	SET(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(c, CURLOPT_SSL_VERIFYPEER, s->verify == PROBE_VERIFY_OFF ? 0L : 1L);
	SET(c, CURLOPT_SSL_VERIFYHOST,
	    s->verify == PROBE_VERIFY_FULL ? 2L : 0L);
	SET(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(c, CURLOPT_CERTINFO, s->expires_s ? 1L : 0L);
	set_blob(c, CURLOPT_CAINFO_BLOB, s->ca);
	set_blob(c, CURLOPT_SSLCERT_BLOB, s->cert);
	set_blob(c, CURLOPT_SSLKEY_BLOB, s->key);
	if (!s->alpn)
		return;
	c->failed |= !ssl.ctx_get_ex_data;
	SET(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	SET(c, CURLOPT_SSL_CTX_DATA, c);
}

static void header_add(struct probe_curl *c, const char *text)
{
	struct curl_slist *list = curl.slist_append(c->headers, text);

	c->headers = list ?: c->headers;
	c->failed |= !list;
}

/* Without one of its own, what the URL would have said without sni. */
static void set_host(struct probe_curl *c, const char *authority)
{
	char line[1200];

	snprintf(line, sizeof(line), "Host: %s",
		 c->probe.spec->host ?: authority);
	header_add(c, line);
}

static void set_headers(struct probe_curl *c)
{
	const char *at = c->probe.spec->headers ?: "";

	while (*at) {
		size_t len = strcspn(at, "\r\n");
		char *line = len ? strndup(at, len) : NULL;

		if (line)
			header_add(c, line);
		c->failed |= len && !line;
		free(line);
		at += len;
		at += strspn(at, "\r\n");
	}
}

static void set_request(struct probe_curl *c, const char *authority)
{
	const char *method = c->probe.spec->method ?: "GET";

	if (!strcmp(method, "HEAD"))
		SET(c, CURLOPT_NOBODY, 1L);
	else
		SET(c, CURLOPT_CUSTOMREQUEST, method);
	SET(c, CURLOPT_REQUEST_TARGET, c->probe.spec->path ?: "/");
	set_host(c, authority);
	header_add(c, "Connection: close");
	set_headers(c);
	SET(c, CURLOPT_HTTPHEADER, c->headers);
}

/* A host's name without its port; of tls, there is none but sni. */
static int tls_name(const struct probe_curl *c, char ret[static 256])
{
	const char *name = c->probe.spec->sni ?: c->probe.spec->host;
	int len;

	if (!name)
		return 0;
	len = *name == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":/");
	if (len > 255)
		return -EINVAL;
	memcpy(ret, name, len);
	ret[len] = '\0';
	return len;
}

/* libcurl takes the name that it says and checks from the URL, and is told to
 * connect to the address all the same. */
static int set_url(struct probe_curl *c, const char *server,
		   const char *authority)
{
	bool is_plain = c->probe.spec->kind == PROBE_HTTP;
	char name[256] = "", url[400], to[ADDR_TEXT_MAX + 32];
	int len = tls_name(c, name);

	if (len < 0)
		return len;
	snprintf(url, sizeof(url), "%s://%s:%u", is_plain ? "http" : "https",
		 len ? name : server, c->probe.spec->port);
	snprintf(to, sizeof(to), "::%s:%u", server, c->probe.spec->port);
	c->connect_to = curl.slist_append(NULL, to);
	c->failed |= !c->connect_to;
	SET(c, CURLOPT_CONNECT_TO, c->connect_to);
	SET(c, CURLOPT_URL, url);
	return 0;
}

static void set_transport(struct probe_curl *c)
{
	SET(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(c, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(c, CURLOPT_PROXY, "");
	SET(c, CURLOPT_FOLLOWLOCATION, 0L);
	SET(c, CURLOPT_NOSIGNAL, 1L);
	SET(c, CURLOPT_FRESH_CONNECT, 1L);
	SET(c, CURLOPT_FORBID_REUSE, 1L);
	SET(c, CURLOPT_CONNECT_ONLY,
	    c->probe.spec->kind == PROBE_TLS ? 1L : 0L);
	SET(c, CURLOPT_USERAGENT, "fairlead");
	SET(c, CURLOPT_ERRORBUFFER, c->error);
	SET(c, CURLOPT_PRIVATE, c);
}

static void set_callbacks(struct probe_curl *c)
{
	SET(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(c, CURLOPT_OPENSOCKETDATA, c);
	SET(c, CURLOPT_WRITEFUNCTION, on_body);
	SET(c, CURLOPT_WRITEDATA, c);
	SET(c, CURLOPT_HEADERFUNCTION, on_header);
	SET(c, CURLOPT_HEADERDATA, c);
}

static int begin(struct probe_curl *c)
{
	char text[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX + 2];
	char authority[sizeof(server) + 8];
	bool is4 = addr_is4(&c->probe.spec->addr);

	addr_format(&c->probe.spec->addr, text);
	snprintf(server, sizeof(server), is4 ? "%s" : "[%s]", text);
	snprintf(authority, sizeof(authority), "%s:%u", server, c->probe.spec->port);
	c->easy = curl.easy_init();
	if (!c->easy)
		return -ENOMEM;
	set_transport(c);
	set_callbacks(c);
	set_tls(c);
	if (set_url(c, server, authority))
		return -EINVAL;
	if (c->probe.spec->kind != PROBE_TLS)
		set_request(c, authority);
	return c->failed ? -EINVAL : curl_loop_add(shared.curl, c->easy);
}

static void curl_cancel(struct probe *p)
{
	struct probe_curl *c = (struct probe_curl *)p;

	if (c->easy) {
		curl_loop_remove(shared.curl, c->easy);
		curl.easy_cleanup(c->easy);
	}
	curl.slist_free_all(c->headers);
	curl.slist_free_all(c->connect_to);
	free(c->body);
	free(c);
}

static int start(struct loop *l, const struct probe_spec *s,
		 probe_done_fn *done, void *arg, struct probe **ret)
{
	struct probe_curl *c;
	int err = s->proxy ? -EOPNOTSUPP : probe_curl_open(l);

	if (err)
		return err;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->probe = (struct probe){ probe_types[s->kind], s, done, arg };
	c->fd = -1;
	err = begin(c);
	if (err)
		curl_cancel(&c->probe);
	else
		*ret = &c->probe;
	return err;
}

static void on_done(void *arg, CURL *easy, CURLcode code)
{
	struct probe_curl *c = NULL;
	struct probe_result r;

	curl.easy_getinfo(easy, CURLINFO_PRIVATE, &c);
	probe_curl_judge(c, code, &r);
	probe_finish(&c->probe, &r);
}

int probe_curl_prepare(void)
{
	int err = curl_load();

	/* only a list for alpn needs it, and fails where it is not there */
	ssl_load();
	return err;
}

int probe_curl_open(struct loop *l)
{
	if (!curl.multi_init)
		return -ELIBACC;
	if (shared.loop == l)
		return 0;
	probe_curl_close();
	shared.loop = l;
	return curl_loop_new(l, on_done, NULL, &shared.curl);
}

void probe_curl_close(void)
{
	curl_loop_free(shared.curl);
	shared = (struct shared){};
}

const struct probe_type probe_tls = {
	.name = "tls",
	.start = start,
	.cancel = curl_cancel,
	.waiting_for = probe_curl_waiting_for,
};

const struct probe_type probe_http = {
	.name = "http",
	.start = start,
	.cancel = curl_cancel,
	.waiting_for = probe_curl_waiting_for,
};

const struct probe_type probe_https = {
	.name = "https",
	.start = start,
	.cancel = curl_cancel,
	.waiting_for = probe_curl_waiting_for,
};
