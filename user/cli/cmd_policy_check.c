// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `policy check`: would policies be in force as they are written, whole? They
 * are compiled as a node would, for all workloads that the definitions name.
 * Needs no datapath and no root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd.h"
#include "definitions/definitions.h"
#include "policy/policy.h"

/* What is wrong, a line each. */
struct checked {
	const char *path;
	struct model *m;	/* NULL: the definitions are no model */
	unsigned int mistakes;	/* of the policies that it has */
	FILE *out;
};

static void say(struct checked *c, const char *text)
{
	fprintf(c->out, "%s: %s\n", c->path, text);
	c->mistakes++;
}

static void check_workloads(struct checked *c,
			    const struct policy_compiled *compiled)
{
	const struct policy_set *set = c->m->policy;
	char text[POLICY_TEXT_MAX];

	for (size_t i = 0; i < set->nr_workloads; i++)
		if (policy_is_cut(compiled, set->workloads[i], text))
			say(c, text);
	if (policy_contest(compiled, text))
		say(c, text);
	if (policy_closed(compiled, text))
		say(c, text);
}

static void check_policies(struct checked *c)
{
	__cleanup(policy_compiled_freep) struct policy_compiled *compiled =
		NULL;
	char text[POLICY_TEXT_MAX] = "";

	if (!c->m->policy)
		say(c, "nothing is said about network policy");
	else if (policy_compile(c->m->policy, NULL, 0, POLICY_EVERYWHERE,
				&compiled, text))
		say(c, text);
	else
		check_workloads(c, compiled);
}

static void check(const struct options *o, struct checked *c)
{
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, c->path, given);
	int err;

	from.may_lack_services = true;
	err = definitions_load(&from, &c->m, c->out);
	if (err && !ftell(c->out))
		fprintf(c->out, "%s: %s\n", c->path, strerror(-err));
	if (!err)
		check_policies(c);
}

static int print(const struct options *o, const struct checked *c, bool is_right,
		 char *errors)
{
	const struct policy_set *set = c->m ? c->m->policy : NULL;
	const size_t policies = set ? set->nr_policies : 0,
		     workloads = set ? set->nr_workloads : 0;

	if (o->json)
		return json_print(json_pack("{s:b, s:I, s:I, s:o}", "ok",
					    is_right,
					    "policies", (json_int_t)policies,
					    "workloads", (json_int_t)workloads,
					    "errors", lines_json(errors)),
				  stdout);
	fputs(errors, stderr);
	if (is_right)
		printf("ok: %zu policies, %zu workloads\n", policies,
		       workloads);
	return 0;
}

int cmd_policy_check(const struct options *o)
{
	struct checked c = { .path = o->arguments[0] };
	char *errors = NULL;
	bool is_right;
	size_t len = 0;
	int err;

	c.out = open_memstream(&errors, &len);
	if (!c.out)
		return log_error(-ENOMEM, "cannot check \"%s\"", c.path), FAILED;
	check(o, &c);
	if (fclose(c.out) || !errors)
		return log_error(-ENOMEM, "cannot check \"%s\"", c.path), FAILED;
	is_right = c.m && !c.m->nr_refused && !c.mistakes;
	err = print(o, &c, is_right, errors);
	free(errors);
	model_free(c.m);
	return err || !is_right ? FAILED : DONE;
}
