/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The commands, one file each, and what several of them share: each returns
 * an exit status and says what went wrong. main.c has the table of them.
 */
#ifndef FAIRLEAD_CMD_H
#define FAIRLEAD_CMD_H

#include <jansson.h>

#include "options.h"

int cmd_serve(const struct options *o);
int cmd_kube_proxy(const struct options *o);
int cmd_check(const struct options *o);
int cmd_diff(const struct options *o);
int cmd_import_ipvs(const struct options *o);
int cmd_import_keepalived(const struct options *o);
int cmd_status(const struct options *o);
int cmd_service_list(const struct options *o);
int cmd_service_show(const struct options *o);
int cmd_backend_list(const struct options *o);
int cmd_backend_drain(const struct options *o);
int cmd_backend_undrain(const struct options *o);
int cmd_backend_weight(const struct options *o);
int cmd_backend_default(const struct options *o);
int cmd_conn_list(const struct options *o);
int cmd_conn_flush(const struct options *o);
int cmd_policy_check(const struct options *o);
int cmd_policy_list(const struct options *o);
int cmd_policy_show(const struct options *o);
int cmd_policy_explain(const struct options *o);
int cmd_policy_simulate(const struct options *o);
int cmd_monitor(const struct options *o);
int cmd_top(const struct options *o);
int cmd_bugreport(const struct options *o);
int cmd_announce(const struct options *o);
int cmd_announce_list(const struct options *o);
int cmd_node_drain(const struct options *o);
int cmd_node_undrain(const struct options *o);
int cmd_withdraw(const struct options *o);
int cmd_cleanup(const struct options *o);
int cmd_decap(const struct options *o);
int cmd_selftest(const struct options *o);
int cmd_version(const struct options *o);
int cmd_reasons(const struct options *o);

/* A path in the run directory. */
#define RUN_PATH_MAX 256
const char *run_path(const struct options *o, const char *name,
		     char path[static RUN_PATH_MAX]);

#define RUN_SOCKET "control.sock"
#define RUN_PID "serve.pid"
#define RUN_HEALTH "health.state"

/*
 * Ask the daemon, see control.h. A refusal ("ok": false) is -EREMOTEIO and is
 * logged; so is every failure, but for -ENOENT: no daemon runs.
 */
int daemon_ask(const struct options *o, json_t *request, json_t **ret);

#endif
