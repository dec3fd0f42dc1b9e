// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See access.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "base/cleanup.h"
#include "base/contents.h"
#include "kubeconfig.h"

/* What messages call a value. */
static const char *const field_names[NR_ACCESS_FIELDS] = {
	[ACCESS_SERVER] = "server",
	[ACCESS_TLS_NAME] = "tls-server-name",
	[ACCESS_CA] = "certificate-authority",
	[ACCESS_CERTIFICATE] = "client-certificate",
	[ACCESS_KEY] = "client-key",
	[ACCESS_TOKEN] = "token",
};

void access_free(struct access *a)
{
	if (!a)
		return;
	for (int i = 0; i < NR_ACCESS_FIELDS; i++) {
		struct access_value *v = &a->values[i];

		free(v->path);
		if (v->data)
			explicit_bzero(v->data, v->len);
		free(v->data);
	}
	free(a);
}

void access_freep(struct access **a)
{
	access_free(*a);
}

int access_set(struct access *a, enum access_field field, const char *data,
	       size_t len)
{
	struct access_value *v = &a->values[field];
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	copy[len] = '\0';
	if (v->data)
		explicit_bzero(v->data, v->len);
	free(v->data);
	v->data = copy;
	v->len = len;
	return 0;
}

/* Files of tokens end in a newline, which no header may have. */
static size_t trimmed(const char **data, size_t len)
{
	while (len && isspace((unsigned char)(*data)[len - 1]))
		len--;
	while (len && isspace((unsigned char)**data)) {
		(*data)++;
		len--;
	}
	return len;
}

static bool is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' ||
		    (unsigned char)text[i] >= 127)
			return false;
	return len;
}

static bool is_same(const struct access_value *v, const char *data, size_t len)
{
	return v->data && v->len == len && !memcmp(v->data, data, len);
}

/* 0, or -EINVAL: what it is not. */
static int check(enum access_field field, const char *data, size_t len,
		 const char *from, FILE *errors)
{
	if (field == ACCESS_TOKEN && !is_token(data, len)) {
		fprintf(errors, "%s: this is no token\n", from);
		return -EINVAL;
	}
	if (field != ACCESS_TOKEN && !strstr(data, "-----BEGIN ")) {
		fprintf(errors, "%s: %s is not PEM\n", from,
			field_names[field]);
		return -EINVAL;
	}
	return 0;
}

static int refresh(struct access *a, enum access_field field, FILE *errors,
		   bool *ret_changed)
{
	struct access_value *v = &a->values[field];
	const char *data;
	char *text = NULL;
	size_t len = 0;
	int err = contents_read(v->path, ACCESS_FILE_MAX, &text, &len);

	if (err) {
		fprintf(errors, "%s: %s: %s\n", v->path, field_names[field],
			strerror(-err));
		return err;
	}
	data = text;
	len = trimmed(&data, len);
	err = check(field, data, len, v->path, errors);
	if (!err && !is_same(v, data, len)) {
		err = access_set(a, field, data, len);
		*ret_changed |= !err;
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return err;
}

int access_refresh(struct access *a, FILE *errors, bool *ret_changed)
{
	int ret = 0;

	*ret_changed = false;
	for (enum access_field i = 0; i < NR_ACCESS_FIELDS; i++)
		if (a->values[i].path)
			ret = refresh(a, i, errors, ret_changed) ?: ret;
	return ret;
}

static int set_text(struct access *a, enum access_field field,
		    const char *text)
{
	return access_set(a, field, text, strlen(text));
}

static int set_path(struct access *a, enum access_field field,
		    const char *directory, const char *name)
{
	if (asprintf(&a->values[field].path, "%s/%s", directory, name) >= 0)
		return 0;
	a->values[field].path = NULL;
	return -ENOMEM;
}

/* The account of a container, and the server that its environment names,
 * which is an address, so that no name service is needed. */
static int take_account(struct access *a, const struct access_wanted *w,
			FILE *errors)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	char *server = NULL;
	bool is_v6 = host && strchr(host, ':');
	int err;

	if (!w->server && (!host || !*host)) {
		fputs("not in a container of Kubernetes (no KUBERNETES_SERVICE_HOST): say --kubeconfig FILE\n",
		      errors);
		return -EINVAL;
	}
	if (asprintf(&server, "https://%s%s%s:%s", is_v6 ? "[" : "",
		     host ?: "", is_v6 ? "]" : "",
		     port && *port ? port : "443") < 0)
		return -ENOMEM;
	err = set_text(a, ACCESS_SERVER, server) ?:
	      set_path(a, ACCESS_TOKEN, w->account_dir, "token") ?:
	      set_path(a, ACCESS_CA, w->account_dir, "ca.crt");
	free(server);
	return err;
}

/* A server alone, of whom nobody knows more. */
static bool is_bare(const struct access_wanted *w)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/token", w->account_dir);
	return w->server && access(path, F_OK);
}

static int take_wanted(struct access *a, const struct access_wanted *w,
		       FILE *errors)
{
	int err = 0;

	if (w->kubeconfig)
		err = kubeconfig_read(w->kubeconfig, a, errors);
	else if (!is_bare(w))
		err = take_account(a, w, errors);
	if (!err && w->server)
		err = set_text(a, ACCESS_SERVER, w->server);
	return err;
}

/* "host:port" has no scheme: TLS if there is anything that asks for it. */
static int complete_server(struct access *a)
{
	struct access_value *v = &a->values[ACCESS_SERVER];
	bool has_tls = a->values[ACCESS_CA].data ||
		       a->values[ACCESS_CERTIFICATE].data ||
		       a->values[ACCESS_TOKEN].data || a->insecure;
	char *server;
	int err;

	while (v->len && v->data[v->len - 1] == '/')
		v->data[--v->len] = '\0';
	if (strstr(v->data, "://"))
		return 0;
	if (asprintf(&server, "http%s://%s", has_tls ? "s" : "", v->data) < 0)
		return -ENOMEM;
	err = set_text(a, ACCESS_SERVER, server);
	free(server);
	return err;
}

static bool is_url(const char *text)
{
	if (strncmp(text, "https://", 8) && strncmp(text, "http://", 7))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' ||
		    (unsigned char)*text >= 127 || strchr("?#@\"", *text))
			return false;
	return true;
}

static int check_whole(const struct access *a, const char *from, FILE *errors)
{
	const struct access_value *v = a->values;

	if (!is_url(v[ACCESS_SERVER].data)) {
		fprintf(errors, "%s: server \"%.200s\" is not an http or https URL\n",
			from, v[ACCESS_SERVER].data);
		return -EINVAL;
	}
	if (!v[ACCESS_CERTIFICATE].data != !v[ACCESS_KEY].data) {
		fprintf(errors, "%s: client-certificate and client-key need each other\n",
			from);
		return -EINVAL;
	}
	if (a->insecure && v[ACCESS_CA].data) {
		fprintf(errors, "%s: insecure-skip-tls-verify contradicts certificate-authority\n",
			from);
		return -EINVAL;
	}
	for (enum access_field i = ACCESS_CA; i < NR_ACCESS_FIELDS; i++)
		if (v[i].data && check(i, v[i].data, v[i].len, from, errors))
			return -EINVAL;
	return 0;
}

int access_open(const struct access_wanted *w, FILE *errors,
		struct access **ret)
{
	__cleanup(access_freep) struct access *a = calloc(1, sizeof(*a));
	const char *from = w->kubeconfig ?: w->server ? "--master" : "server";
	bool changed;
	int err;

	if (w->kubeconfig)
		from = w->kubeconfig;
	if (!a)
		return -ENOMEM;
	err = take_wanted(a, w, errors);
	if (err)
		return err;
	if (!a->values[ACCESS_SERVER].len) {
		fprintf(errors, "%s: no server in it\n", from);
		return -EINVAL;
	}
	err = access_refresh(a, errors, &changed);
	if (err)
		return err == -ENOMEM ? err : -EINVAL;
	err = complete_server(a) ?: check_whole(a, from, errors);
	if (err)
		return err;
	*ret = take_ptr(a);
	return 0;
}

void access_warn(const struct access *a, FILE *warnings)
{
	const struct access_value *v = a->values;

	if (a->insecure)
		fprintf(warnings, "%s: insecure-skip-tls-verify: whoever is in between can say what is served\n",
			v[ACCESS_SERVER].data);
	if (v[ACCESS_TOKEN].data && !strncmp(v[ACCESS_SERVER].data, "http:", 5))
		fprintf(warnings, "%s: the token goes there without TLS\n",
			v[ACCESS_SERVER].data);
}
