// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `check`: are the definitions right? Needs no datapath and no root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "base/log.h"
#include "model/model.h"
#include "definitions/definitions.h"
#include "base/print.h"
#include "base/cleanup.h"

static size_t count_backends(const struct model *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->nr_services; i++)
		count += m->services[i]->nr_backends;
	return count;
}

/* Right, and all of it. */
static bool is_right(const struct model *m)
{
	return m && !m->nr_refused;
}

/* How long a backend that is gone gets connections at most. */
static void print_detection(const struct model *m)
{
	const struct model_service *worst = NULL;
	__u32 most = 0;

	for (size_t i = 0; i < m->nr_services; i++)
		for (size_t j = 0; j < m->services[i]->health.nr_checks; j++) {
			__u32 ms = check_detection_ms(
				&m->services[i]->health.checks[j]);

			if (ms > most)
				worst = m->services[i];
			most = ms > most ? ms : most;
		}
	if (worst)
		printf("health: a backend that is gone is found out within %u.%u s (service \"%s\")\n",
		       most / 1000, most % 1000 / 100, worst->name);
}

static int check_print(const struct options *o, const struct model *m,
		       char *errors)
{
	size_t services = m ? m->nr_services : 0;
	size_t backends = m ? count_backends(m) : 0;

	if (o->json)
		return json_print(json_pack("{s:b, s:I, s:I, s:o}", "ok", is_right(m),
					    "services", (json_int_t)services,
					    "backends", (json_int_t)backends,
					    "errors", lines_json(errors)),
				  stdout);
	fputs(errors, stderr);
	if (is_right(m))
		print_detection(m);
	if (is_right(m))
		printf("ok: %zu services, %zu backends\n", services, backends);
	return 0;
}

int cmd_check(const struct options *o)
{
	__cleanup(model_freep) struct model *m = NULL;
	const char *path = o->arguments[0];
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, path, given);
	char *errors = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&errors, &len);
	int err = -ENOMEM;

	from.may_lack_services = true;
	if (out) {
		err = definitions_load(&from, &m, out);
		if (err && !ftell(out))
			fprintf(out, "%s: %s\n", path, strerror(-err));
		fclose(out);
	}
	if (!errors)
		return log_error(err, "cannot check \"%s\"", path), FAILED;
	if (check_print(o, m, errors))
		err = -EIO;
	free(errors);
	if (!is_right(m))
		return FAILED;
	return err ? FAILED : DONE;
}
