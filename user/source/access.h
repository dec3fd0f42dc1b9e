/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How an API server is reached, and who says so: from a kubeconfig, or from
 * what Kubernetes puts into each container. Files are read here, by who has
 * the right to; who talks to the server gets their contents alone.
 */
#ifndef FAIRLEAD_ACCESS_H
#define FAIRLEAD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Where a container finds its account, if it has one. */
#define ACCESS_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

#define ACCESS_FILE_MAX (256 * 1024)

enum access_field {
	ACCESS_SERVER,		/* "https://192.0.2.1:6443", without a last "/" */
	ACCESS_TLS_NAME,	/* whom the certificate names, if not server */
	ACCESS_CA,		/* PEM */
	ACCESS_CERTIFICATE,	/* PEM, of the client */
	ACCESS_KEY,		/* PEM */
	ACCESS_TOKEN,
	NR_ACCESS_FIELDS,
};

struct access_value {
	char *path;		/* owned; NULL: it does not come from a file */
	char *data;		/* owned; NULL: there is none; ends in NUL */
	size_t len;
};

struct access {
	struct access_value values[NR_ACCESS_FIELDS];
	bool insecure;		/* the server's certificate is not checked */
};

/* What the command line says; NULL: it does not. */
struct access_wanted {
	const char *kubeconfig;
	const char *server;	/* instead of any other */
	const char *account_dir;
};

/*
 * -EINVAL: errors has a line for each mistake, with its place; -ENOMEM. Files
 * have been read as by access_refresh().
 */
int access_open(const struct access_wanted *wanted, FILE *errors,
		struct access **ret);
void access_free(struct access *a);	/* NULL is fine */
void access_freep(struct access **a);

/*
 * Read files again, as tokens and certificates are replaced now and then.
 * What cannot be read or is empty stays as it was: -errno, said to errors.
 */
int access_refresh(struct access *a, FILE *errors, bool *ret_changed);

/* Replace a value; data is copied. -ENOMEM. */
int access_set(struct access *a, enum access_field field, const char *data,
	       size_t len);

/* What is allowed but should be known: a line each. */
void access_warn(const struct access *a, FILE *warnings);

#endif
