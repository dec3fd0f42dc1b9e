/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kube-proxy is told, by its flags and its configuration file, as what
 * `fairlead serve` is told: the door of this folder.
 */
#ifndef FAIRLEAD_KUBE_PROXY_H
#define FAIRLEAD_KUBE_PROXY_H

#include <stdbool.h>
#include <stdio.h>

#include "definitions/given.h"

#define KUBE_PROXY_GIVEN_MAX 24

enum kube_proxy_task {
	KUBE_PROXY_SERVE,
	KUBE_PROXY_HELP,
	KUBE_PROXY_VERSION,
	KUBE_PROXY_WRITE,	/* kube_proxy_write() */
	KUBE_PROXY_CLEANUP,
	KUBE_PROXY_INIT,	/* nothing, as nothing has to be */
};

/* Strings are NULL where nothing was said, or kube_proxy's. */
struct kube_proxy_wanted {
	enum kube_proxy_task task;
	const char *kubeconfig;
	const char *master;
	const char *config;		/* the file that was read */
	const char *write_to;
	const char *definitions;	/* Fairlead's own */
	const char *pin_root;
	const char *healthz, *metrics;	/* "ADDRESS:PORT"; "": nowhere */
	int takeover_s;			/* -1: nothing was said */
	int oom_score_adj;
	unsigned int verbosity;
	struct given given[KUBE_PROXY_GIVEN_MAX];
	size_t nr_given;
};

struct kube_proxy;

/*
 * argv: the flags alone; with --config, that file is read. -EINVAL: said has a
 * line for each mistake; -ENOMEM.
 */
int kube_proxy_new(unsigned int argc, char **argv, FILE *said,
		   struct kube_proxy **ret);
void kube_proxy_free(struct kube_proxy *k);	/* NULL is fine */
void kube_proxy_freep(struct kube_proxy **k);

const struct kube_proxy_wanted *kube_proxy_wanted(const struct kube_proxy *k);

/* What is ignored, or left out, and why: a line each; "": nothing is. */
const char *kube_proxy_notes(const struct kube_proxy *k);

/* All of it as a configuration file. -errno. */
int kube_proxy_write(const struct kube_proxy *k);

/* Every flag, and what becomes of it. */
void kube_proxy_help(FILE *out);

#endif
