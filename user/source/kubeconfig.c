// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See kubeconfig.h. What is unknown is left alone, as kubectl does: the format
 * has fields for other programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/contents.h"
#include "definitions/value.h"
#include "kubeconfig.h"

#define KUBECONFIG_MAX (1 << 20)

struct kubeconfig {
	struct reader reader;
	const struct tree_node *root;
	const char *path;
	struct access *access;
};

static bool said(const struct tree_node *n)
{
	return n && !tree_is_null(n) && (n->kind != TREE_SCALAR || n->count);
}

/* NULL: it is not there, or says nothing. */
static const struct tree_node *member(const struct tree_node *n,
				      const char *key)
{
	if (!n || n->kind != TREE_MAPPING)
		return NULL;
	for (const struct tree_node *k = n->first; k; k = k->next->next)
		if (k->kind == TREE_SCALAR && !strcmp(k->text, key))
			return said(k->next) ? k->next : NULL;
	return NULL;
}

/* A text that is there; NULL, and a mistake if it is no text. */
static const char *text_of(struct kubeconfig *k, const struct tree_node *n,
			   const char *key)
{
	const struct tree_node *value = member(n, key);
	const char *ret = NULL;

	if (value)
		value_text(&k->reader, value, key, &ret);
	return ret;
}

/*
 * What a list has under a name: clusters, users and contexts are lists of
 * {name: ..., cluster|user|context: ...}. A list that is no list has none.
 */
static const struct tree_node *named(struct kubeconfig *k, const char *list,
				     const char *key,
				     const struct tree_node *name)
{
	const struct tree_node *all = member(k->root, list);

	for (const struct tree_node *i = all && all->kind == TREE_SEQUENCE ?
					 all->first : NULL; i; i = i->next) {
		const struct tree_node *n = member(i, "name");

		if (n && n->kind == TREE_SCALAR && !strcmp(n->text, name->text))
			return member(i, key) ?: i;
	}
	reader_error(&k->reader, name, "no \"%.64s\" in \"%s\"", name->text,
		     list);
	return NULL;
}

static void set(struct kubeconfig *k, enum access_field field,
		const char *data, size_t len)
{
	if (access_set(k->access, field, data, len))
		k->reader.no_memory = true;
}

/* Base64 of PEM. */
static void take_data(struct kubeconfig *k, const struct tree_node *n,
		      const char *key, enum access_field field)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	unsigned char *out = malloc(n->count + 3);
	int len = 0, last = 0;

	if (!ctx || !out) {
		k->reader.no_memory = true;
	} else {
		EVP_DecodeInit(ctx);
		if (n->count > ACCESS_FILE_MAX ||
		    EVP_DecodeUpdate(ctx, out, &len, (void *)n->text,
				     n->count) < 0 ||
		    EVP_DecodeFinal(ctx, out + len, &last) < 0 || !len)
			reader_error(&k->reader, n, "%s is not base64", key);
		else
			set(k, field, (char *)out, len + last);
	}
	EVP_ENCODE_CTX_free(ctx);
	free(out);
}

/* A path is relative to the kubeconfig that names it. */
static void take_path(struct kubeconfig *k, const char *path,
		      enum access_field field)
{
	const char *slash = strrchr(k->path, '/');
	struct access_value *v = &k->access->values[field];
	int len = slash && *path != '/' ? slash - k->path + 1 : 0;

	free(v->path);
	if (asprintf(&v->path, "%.*s%s", len, k->path, path) < 0) {
		v->path = NULL;
		k->reader.no_memory = true;
	}
}

/* "KEY-data" goes before the file that "KEY" names. */
static void take_pem(struct kubeconfig *k, const struct tree_node *n,
		     const char *key, enum access_field field)
{
	const struct tree_node *data;
	char data_key[64];
	const char *path;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = member(n, data_key);
	path = text_of(k, n, key);
	if (data && text_of(k, n, data_key))
		take_data(k, data, data_key, field);
	else if (path)
		take_path(k, path, field);
}

/* A program that nobody has looked at, or a field that changes who we are,
 * is not run or overlooked in silence. */
static void refuse(struct kubeconfig *k, const struct tree_node *n,
		   const char *key, const char *instead)
{
	const struct tree_node *value = member(n, key);

	if (value)
		reader_error(&k->reader, value, "\"%s\" is not supported; %s",
			     key, instead);
}

static void take_insecure(struct kubeconfig *k, const struct tree_node *n)
{
	const char *text = text_of(k, n, "insecure-skip-tls-verify");

	if (!text || !strcmp(text, "false"))
		return;
	if (strcmp(text, "true"))
		reader_error(&k->reader, member(n, "insecure-skip-tls-verify"),
			     "insecure-skip-tls-verify is true or false");
	k->access->insecure = true;
}

static void take_cluster(struct kubeconfig *k, const struct tree_node *n)
{
	const char *server = text_of(k, n, "server");
	const char *name = text_of(k, n, "tls-server-name");

	if (server)
		set(k, ACCESS_SERVER, server, strlen(server));
	if (name)
		set(k, ACCESS_TLS_NAME, name, strlen(name));
	take_pem(k, n, "certificate-authority", ACCESS_CA);
	take_insecure(k, n);
	refuse(k, n, "proxy-url", "the server must be reached without a proxy");
}

static void take_user(struct kubeconfig *k, const struct tree_node *n)
{
	static const char *const instead =
		"use a tokenFile that another program keeps fresh, or a client certificate";
	static const char *const ours =
		"give the account that is used the rights that it needs";
	const char *token = text_of(k, n, "token");
	const char *token_file = text_of(k, n, "tokenFile");

	take_pem(k, n, "client-certificate", ACCESS_CERTIFICATE);
	take_pem(k, n, "client-key", ACCESS_KEY);
	if (token)
		set(k, ACCESS_TOKEN, token, strlen(token));
	if (token_file)
		take_path(k, token_file, ACCESS_TOKEN);
	refuse(k, n, "exec", instead);
	refuse(k, n, "auth-provider", instead);
	refuse(k, n, "username", "API servers have none since 1.19; use a token or a client certificate");
	refuse(k, n, "as", ours);
	refuse(k, n, "as-groups", ours);
	refuse(k, n, "as-uid", ours);
	refuse(k, n, "as-user-extra", ours);
}

static void take_context(struct kubeconfig *k)
{
	const struct tree_node *current = member(k->root, "current-context");
	const struct tree_node *context, *cluster, *user, *n;

	if (!current || current->kind != TREE_SCALAR) {
		reader_error(&k->reader, k->root, "no \"current-context\" in it");
		return;
	}
	context = named(k, "contexts", "context", current);
	cluster = member(context, "cluster");
	user = member(context, "user");
	if (context && (!cluster || cluster->kind != TREE_SCALAR))
		reader_error(&k->reader, context, "context \"%.64s\" names no cluster",
			     current->text);
	else if (cluster && (n = named(k, "clusters", "cluster", cluster)))
		take_cluster(k, n);
	if (user && user->kind == TREE_SCALAR &&
	    (n = named(k, "users", "user", user)))
		take_user(k, n);
}

static int take_tree(struct kubeconfig *k, const char *text, size_t len)
{
	__cleanup(yaml_tree_freep) struct yaml_tree *tree = NULL;
	struct tree_error error;
	int err = yaml_tree_parse(text, len, &tree, &error);

	if (err == -EINVAL)
		report_error(k->reader.report, k->path, error.line,
			     error.column, "%s", error.text);
	if (err)
		return err;
	k->root = yaml_tree_root(tree);
	take_context(k);
	return k->reader.no_memory ? -ENOMEM : 0;
}

int kubeconfig_read(const char *path, struct access *ret, FILE *errors)
{
	struct report report = { .out = errors };
	struct kubeconfig k = {
		.reader = { .report = &report, .path = path },
		.path = path,
		.access = ret,
	};
	char *text;
	size_t len;
	int err = contents_read(path, KUBECONFIG_MAX, &text, &len);

	if (err) {
		fprintf(errors, "%s: %s\n", path, strerror(-err));
		return err == -ENOMEM ? err : -EINVAL;
	}
	err = take_tree(&k, text, len);
	free(text);
	report_finish(&report);
	return err ?: report.count ? -EINVAL : 0;
}
