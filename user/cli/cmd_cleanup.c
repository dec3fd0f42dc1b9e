// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `cleanup`: after it, traffic is the host's again; with --kube-proxy, it is
 * ours alone. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "kernel/dp.h"
#include "kubeproxy/leftovers.h"
#include "base/log.h"
#include "base/cleanup.h"
#include "host/loopback.h"
#include "run_lock.h"
#include "withdrawing.h"

/* what: "This stops ..." */
static bool is_agreed(const struct options *o, const char *what)
{
	char line[8] = "";

	if (o->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		log_error(0, "cleanup %s: add --yes", what);
		return false;
	}
	fprintf(stderr, "This %s. Go on? [y/N] ", what);
	return fgets(line, sizeof(line), stdin) &&
	       (line[0] == 'y' || line[0] == 'Y');
}

/* What fn says, a line each, to the log. */
static int with_errors(struct leftovers **l,
		       int (*fn)(struct leftovers **l, FILE *said))
{
	__cleanup(free_text) char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	int err = -ENOMEM;

	if (out) {
		err = fn(l, out);
		fclose(out);
	}
	if (said)
		log_lines(LOG_LEVEL_ERROR, said);
	return err;
}

static int find(struct leftovers **l, FILE *said)
{
	return leftovers_find(said, l);
}

static int remove_all(struct leftovers **l, FILE *said)
{
	return leftovers_remove(*l, said);
}

/* Without rules that translate, nothing is conntrack's to go on with. */
static void takeover_end(const struct options *o)
{
	json_t *answer = NULL;

	daemon_ask(o, json_pack("{s:s}", "cmd", "takeover-end"), &answer);
	json_decref(answer);
}

/* A daemon of ours may run, or not: that is nothing to the rules of others. */
static int cleanup_kube_proxy(const struct options *o)
{
	__cleanup(leftovers_freep) struct leftovers *l = NULL;
	int err = with_errors(&l, find);

	if (err) {
		log_error(err, "cannot look for what kube-proxy has left");
		return FAILED;
	}
	if (!leftovers_are_any(l)) {
		puts("nothing of kube-proxy's is here");
		return DONE;
	}
	leftovers_list(l, stdout);
	fflush(stdout);
	if (!is_agreed(o, "removes these, which must not be in use by a "
		       "kube-proxy that runs"))
		return MISUSED;
	takeover_end(o);
	return with_errors(&l, remove_all) ? FAILED : DONE;
}

/* Has a daemon of a node told the kernel to? */
static bool trusts_loopback(const struct options *o)
{
	__cleanup(dp_closep) struct dp *dp = NULL;

	return !dp_view(o->pin_root, &dp) &&
	       dp_is_attached(dp, DP_HOOK_fl_host_out, LOOPBACK_IFINDEX);
}

/* Until we end no daemon starts in this run directory; what is pinned has a
 * lock of its own, see dp_cleanup(). */
int cmd_cleanup(const struct options *o)
{
	__cleanup(close_fd) int lock = -1;

	if (o->kube_proxy)
		return cleanup_kube_proxy(o);
	lock = run_lock_take_existing(o);
	if (lock == -EBUSY) {
		log_error(0, "a daemon runs; stop it first");
		return FAILED;
	}
	if (!is_agreed(o, "stops the balancing of every service"))
		return MISUSED;
	if (withdraw_all(o))
		return FAILED;
	if (trusts_loopback(o))
		loopback_trust(false);
	return dp_cleanup(o->pin_root, true) ? FAILED : DONE;
}
