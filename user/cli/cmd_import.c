// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `import`: what another balancer is told, as definitions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd.h"
#include "import.h"

static int report(const char *name, int err, const struct import_result *r)
{
	if (err == -EINVAL)
		log_error(0, "%s:%u: %s", name, r->line, r->why);
	else if (err)
		log_error(err, "%s", name);
	if (err)
		return FAILED;
	if (!r->not_carried)
		return DONE;
	log_warning(0, "%u things are not carried over: see the lines with NOT CARRIED",
		    r->not_carried);
	return IN_PART;
}

typedef int import_fn(FILE *from, FILE *out, struct import_result *ret);

static int import(const struct options *o, import_fn *f)
{
	const char *name = o->nr_arguments ? o->arguments[0] : "-";
	const bool is_stdin = !strcmp(name, "-");
	__cleanup(close_file) FILE *file = is_stdin ? NULL : fopen(name, "re");
	struct import_result result;
	int err;

	if (!is_stdin && !file)
		return log_error(-errno, "cannot read \"%s\"", name), FAILED;
	err = f(is_stdin ? stdin : file, stdout, &result);
	return report(is_stdin ? "standard input" : name, err, &result);
}

int cmd_import_ipvs(const struct options *o)
{
	return import(o, import_ipvs);
}

int cmd_import_keepalived(const struct options *o)
{
	return import(o, import_keepalived);
}
