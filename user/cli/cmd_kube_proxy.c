// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `kube-proxy`: `serve --kubernetes` in the words of kube-proxy, so that what
 * starts kube-proxy on a node can start this instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd.h"
#include "kubeproxy/kube_proxy.h"

#define VERBOSITY_OF_DEBUG 4	/* what kube-proxy's -v calls so */

/* In the log only: who may not say it is served all the same. */
static void oom_score_set(int score)
{
	__cleanup(close_fd) int fd = open("/proc/self/oom_score_adj",
					  O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || dprintf(fd, "%d\n", score) < 0)
		err = -errno;
	if (err)
		log_warning(err, "--oom-score-adj=%d cannot be set", score);
}

static int serve(const struct kube_proxy_wanted *w, const struct options *o)
{
	struct options told = *o;

	told.kubernetes = true;
	told.kubeconfig = w->kubeconfig;
	told.master = w->master;
	told.config = w->definitions;
	told.given = w->given;
	told.nr_given = w->nr_given;
	told.ends_with = w->config;
	if (w->takeover_s >= 0)
		told.takeover_s = w->takeover_s;
	told.log_level = w->verbosity >= VERBOSITY_OF_DEBUG ? "debug" : "info";
	oom_score_set(w->oom_score_adj);
	return cmd_serve(&told);
}

static int cleanup(const struct options *o)
{
	struct options told = *o;

	told.yes = true;
	return cmd_cleanup(&told);
}

static int write_config(const struct kube_proxy *k)
{
	const char *path = kube_proxy_wanted(k)->write_to;
	int err = kube_proxy_write(k);

	if (err) {
		log_error(err, "cannot write \"%s\"", path);
		return FAILED;
	}
	return DONE;
}

static int run(const struct kube_proxy *k, const struct options *o)
{
	const struct kube_proxy_wanted *w = kube_proxy_wanted(k);
	struct options told = *o;

	told.pin_root = w->pin_root ?: o->pin_root;
	told.nr_arguments = 0;
	switch (w->task) {
	case KUBE_PROXY_HELP:
		kube_proxy_help(stdout);
		return DONE;
	case KUBE_PROXY_VERSION:
		return cmd_version(&told);
	case KUBE_PROXY_WRITE:
		return write_config(k);
	case KUBE_PROXY_CLEANUP:
		return cleanup(&told);
	case KUBE_PROXY_INIT:
		log_info("--init-only: nothing has to be done beforehand");
		return DONE;
	case KUBE_PROXY_SERVE:
		break;
	}
	log_lines(LOG_LEVEL_WARNING, kube_proxy_notes(k));
	return serve(w, &told);
}

int cmd_kube_proxy(const struct options *o)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	__cleanup(free_text) char *said = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&said, &len);
	int err = -ENOMEM;

	if (out) {
		err = kube_proxy_new(o->nr_arguments, o->arguments, out, &k);
		fclose(out);
	}
	if (said)
		log_lines(LOG_LEVEL_ERROR, said);
	if (err == -EINVAL) {
		log_hint("see fairlead kube-proxy --help");
		return MISUSED;
	}
	if (err) {
		log_error(err, "cannot read what kube-proxy is told");
		return FAILED;
	}
	return run(k, o);
}
