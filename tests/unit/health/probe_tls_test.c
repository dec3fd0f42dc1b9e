// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks of TLS, with certificates that are made here. */
#include "probe_world.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define DAY_S (24 * 3600)

static EVP_PKEY *key;
static X509 *certificate;	/* of the next server */
static const char *only_alpn;	/* what it takes, a list as on the wire */
static bool wants_client;
static char pem[4096], other_pem[4096], key_pem[4096];

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid,
						(char *)value);

	assert_non_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* For well.example and 127.0.0.1, by itself. */
static X509 *certify(long from_s, long to_s)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), to_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const void *)"well.example", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	extend(x, NID_subject_alt_name, "DNS:well.example,IP:127.0.0.1");
	extend(x, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(x, key, EVP_sha256()));
	return x;
}

static void write_pem(char *to, size_t size, X509 *x, EVP_PKEY *k)
{
	BIO *b = BIO_new(BIO_s_mem());
	int len;

	if (x)
		PEM_write_bio_X509(b, x);
	else
		PEM_write_bio_PrivateKey(b, k, NULL, NULL, 0, NULL, NULL);
	len = BIO_read(b, to, size - 1);
	assert_true(len > 0);
	to[len] = '\0';
	BIO_free(b);
}

static int on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
		   const unsigned char *offered, unsigned int len, void *arg)
{
	return SSL_select_next_proto((unsigned char **)ret, ret_len,
				     (const void *)only_alpn,
				     strlen(only_alpn), offered, len) ==
	       OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK :
					SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_client(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static SSL_CTX *context_new(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(c, certificate);
	SSL_CTX_use_PrivateKey(c, key);
	if (only_alpn)
		SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
	if (wants_client)
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER |
				      SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   on_client);
	return c;
}

/* HTTP, too: what it says is the name that it was asked for. */
static void serve_tls(int fd)
{
	SSL_CTX *c = context_new();
	SSL *ssl = SSL_new(c);
	char request[4096], answer[300];
	const char *name;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
		name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 200 OK\r\n\r\nname %s.", name ?: "-");
		SSL_write(ssl, answer, strlen(answer));
	}
	SSL_free(ssl);
	SSL_CTX_free(c);
}

/* What was said is read: who closes before that resets. */
static void answer(int fd, const char *data, size_t len)
{
	char hello[4096];

	if (read(fd, hello, sizeof(hello)) > 0 && write(fd, data, len) > 0)
		return;
}

static void serve_garbage(int fd)
{
	const char garbage[] = "\x16\x03\x03\x00\x7a\xff\xfe\xfd\x1b[31mred";
	char rest[200] = "";

	memcpy(rest, garbage, sizeof(garbage));
	answer(fd, rest, sizeof(rest));
}

static void serve_http(int fd)
{
	const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	answer(fd, plain, sizeof(plain));
}

static void serve_close(int fd)
{
	answer(fd, "", 0);
}

static void serve_reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void serve_silence(int fd)
{
	pause();
}

static struct probe_spec tls(enum probe_kind kind)
{
	return (struct probe_spec){ .kind = kind, .timeout_ms = PATIENT_MS };
}

static void serves(void (*serve)(int fd), struct probe_spec spec,
		   enum probe_outcome outcome, const char *why)
{
	struct probe_server s = server_start("127.0.0.1", SOCK_STREAM, serve);

	checked_is(&s, spec, outcome, why);
	server_end(&s);
}

static int begin(void **state)
{
	key = EVP_EC_gen("P-256");
	certificate = certify(-DAY_S, 3 * DAY_S + 1800);
	write_pem(pem, sizeof(pem), certificate, NULL);
	write_pem(key_pem, sizeof(key_pem), NULL, key);
	return 0;
}

static int end(void **state)
{
	X509_free(certificate);
	EVP_PKEY_free(key);
	return 0;
}

static void a_handshake_passes(void **state)
{
	serves(serve_tls, tls(PROBE_TLS), PROBE_PASS, "");
	serves(serve_tls, tls(PROBE_HTTPS), PROBE_PASS, "");
}

static void who_is_not_known_fails_where_that_is_asked(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);

	spec.verify = PROBE_VERIFY_CHAIN;
	serves(serve_tls, spec, PROBE_FAIL, "self-signed certificate");
	spec.ca = pem;
	serves(serve_tls, spec, PROBE_PASS, "");
}

static void the_name_counts_with_full(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);

	spec.ca = pem;
	spec.verify = PROBE_VERIFY_FULL;
	serves(serve_tls, spec, PROBE_PASS, "");
	spec.sni = "well.example";
	serves(serve_tls, spec, PROBE_PASS, "");
	spec.sni = "ill.example";
	serves(serve_tls, spec, PROBE_FAIL,
	       "certificate is for another name");
	spec.verify = PROBE_VERIFY_CHAIN;
	serves(serve_tls, spec, PROBE_PASS, "");
}

static struct probe_spec https_saying(char *text)
{
	struct probe_spec spec = tls(PROBE_HTTPS);

	spec.body = (struct probe_bytes){ text, strlen(text) };
	return spec;
}

static void the_name_asked_for_is_sni_or_hosts(void **state)
{
	struct probe_spec spec = https_saying("name host.example.");

	spec.host = "host.example:444";
	serves(serve_tls, spec, PROBE_PASS, "");
	spec = https_saying("name sni.example.");
	spec.host = "host.example";
	spec.sni = "sni.example";
	serves(serve_tls, spec, PROBE_PASS, "");
	serves(serve_tls, https_saying("name -."), PROBE_PASS, "");
}

static void one_that_ends_soon_is_a_warning(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);

	spec.expires_s = 7 * DAY_S;
	serves(serve_tls, spec, PROBE_PASS, "certificate expires in 72 h");
	spec.expires_s = DAY_S;
	serves(serve_tls, spec, PROBE_PASS, "");
}

static void one_that_has_ended_fails_where_it_is_verified(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);
	X509 *before = certificate;

	certificate = certify(-2 * DAY_S, -DAY_S);
	write_pem(other_pem, sizeof(other_pem), certificate, NULL);
	spec.expires_s = 7 * DAY_S;
	serves(serve_tls, spec, PROBE_PASS, "certificate has expired");
	spec.verify = PROBE_VERIFY_CHAIN;
	spec.ca = other_pem;
	serves(serve_tls, spec, PROBE_FAIL, "certificate has expired");
	X509_free(certificate);
	certificate = before;
}

static void one_of_the_alpn_is_taken(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);

	spec.alpn = "imap,h2";
	serves(serve_tls, spec, PROBE_FAIL,
	       "the server takes none of these alpn");
	only_alpn = "\x02h2";
	serves(serve_tls, spec, PROBE_PASS, "");
	spec.alpn = "imap";
	serves(serve_tls, spec, PROBE_FAIL, "tlsv1 alert no application protocol");
	only_alpn = NULL;
}

static void a_certificate_of_the_clients_is_shown(void **state)
{
	struct probe_spec spec = https_saying("name -.");

	wants_client = true;
	spec.cert = pem;
	spec.key = key_pem;
	serves(serve_tls, spec, PROBE_PASS, "");
	wants_client = false;
}

/* Whatever it is, it was not the server's. */
static void a_certificate_that_is_none_is_no_result(void **state)
{
	struct probe_server s = server_start("127.0.0.1", SOCK_STREAM,
					     serve_tls);
	struct probe_spec spec = tls(PROBE_TLS);
	struct probe_result r;

	spec.addr = s.addr;
	spec.port = s.port;
	spec.cert = "none";
	spec.key = "none";
	r = check(&spec);
	assert_int_equal(r.outcome, PROBE_NO_RESULT);
	server_end(&s);
}

static void what_is_not_tls_fails(void **state)
{
	struct probe_spec spec = tls(PROBE_TLS);

	serves(serve_http, spec, PROBE_FAIL, "wrong version number");
	serves(serve_garbage, spec, PROBE_FAIL, "unexpected message");
	serves(serve_close, spec, PROBE_FAIL, "closed in the handshake");
	serves(serve_reset, spec, PROBE_FAIL, "reset");
	spec.timeout_ms = IMPATIENT_MS;
	serves(serve_silence, spec, PROBE_FAIL, "no TLS handshake in 0.15 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_passes),
		cmocka_unit_test(who_is_not_known_fails_where_that_is_asked),
		cmocka_unit_test(the_name_counts_with_full),
		cmocka_unit_test(the_name_asked_for_is_sni_or_hosts),
		cmocka_unit_test(one_that_ends_soon_is_a_warning),
		cmocka_unit_test(one_that_has_ended_fails_where_it_is_verified),
		cmocka_unit_test(one_of_the_alpn_is_taken),
		cmocka_unit_test(a_certificate_of_the_clients_is_shown),
		cmocka_unit_test(a_certificate_that_is_none_is_no_result),
		cmocka_unit_test(what_is_not_tls_fails),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
