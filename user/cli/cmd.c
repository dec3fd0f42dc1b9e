// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What several commands share, see cmd.h. */
#include <errno.h>
#include <stdio.h>

#include "cmd.h"
#include "process/ask.h"
#include "base/log.h"

const char *run_path(const struct options *o, const char *name,
		     char path[static RUN_PATH_MAX])
{
	snprintf(path, RUN_PATH_MAX, "%s/%s", o->run_dir, name);
	return path;
}

static int refused(json_t *answer)
{
	const char *error = "not an answer";

	json_unpack(answer, "{s:s}", "error", &error);
	log_error(0, "%s", error);
	json_decref(answer);
	return -EREMOTEIO;
}

int daemon_ask(const struct options *o, json_t *request, json_t **ret)
{
	char path[RUN_PATH_MAX];
	json_t *answer = NULL;
	int err;

	err = control_ask(run_path(o, RUN_SOCKET, path), request,
			  o->timeout_s ? o->timeout_s : 1, &answer);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return -ENOENT;
	if (err == -EACCES) {
		log_error(err, "\"%s\" does not answer us", path);
		log_hint("root and the socket's group may ask");
		return err;
	}
	if (err)
		return log_error(err, "cannot ask the daemon at \"%s\"", path);
	if (!json_is_true(json_object_get(answer, "ok")))
		return refused(answer);
	*ret = answer;
	return 0;
}
