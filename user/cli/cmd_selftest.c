// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `selftest`: what works on this machine, how, and why not. All that it makes
 * belongs to this process (namespaces, a mount, links) and ends with it, so
 * nothing has to be cleaned up after a signal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "kernel/dp_selftest.h"
#include "base/log.h"
#include "selftest/selftest.h"
#include "base/print.h"

static const struct {
	const char *name;
	void (*check)(struct selftest *t, const char *name);
} checks[] = {
	{ "privileges", selftest_privileges },
	{ "BTF", selftest_btf },
	{ "JIT", selftest_jit },
	{ "locked memory", selftest_memlock },
	{ "programs", selftest_programs },
	{ "features", selftest_features },
	{ "uplink", selftest_uplinks },
	{ "bpffs", selftest_bpffs },
	{ "test network", selftest_network }, /* from here on, in it */
	{ "native XDP", selftest_native },
	{ "generic XDP", selftest_generic },
	{ "attaching to XDP", selftest_attach },
	{ "attaching to tc", selftest_tc },
};

struct printed_row {
	const char *name, *result, *mode, *text;
	bool is_needed;
};

static const struct column columns[] = {
	COLUMN("name", "CHECK", TEXT, struct printed_row, name),
	COLUMN("result", "RESULT", TEXT, struct printed_row, result),
	COLUMN("mode", "MODE", TEXT, struct printed_row, mode),
	COLUMN("needed", NULL, BOOL, struct printed_row, is_needed),
	COLUMN("text", "IN WORDS", TEXT, struct printed_row, text),
	COLUMNS_END,
};

static struct printed_row printed(const struct selftest_row *row)
{
	return (struct printed_row){
		.name = row->name,
		.result = selftest_result_name(row->result),
		.mode = *row->mode ? row->mode : NULL,
		.text = *row->text ? row->text : NULL,
		.is_needed = row->weight == SELFTEST_NEEDED,
	};
}

static int print_json(const struct selftest *t, bool works, const char *verdict)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < t->nr_rows; i++) {
		struct printed_row row = printed(&t->rows[i]);

		json_array_append_new(rows, row_json(columns, &row));
	}
	return json_print(json_pack("{s:o, s:b, s:s}", "checks", rows, "works",
				    works, "verdict", verdict), stdout);
}

static int print_text(const struct selftest *t, const char *verdict)
{
	struct print *table = NULL;
	int err = print_open(stdout, false, columns, &table);

	for (size_t i = 0; !err && i < t->nr_rows; i++) {
		struct printed_row row = printed(&t->rows[i]);

		err = print_row(table, &row);
	}
	err = print_close(table) ?: err;
	printf("\n%s\n", verdict);
	return err;
}

static bool are_interfaces(const char *list)
{
	char one[IF_NAMESIZE];

	if (!list || selftest_interfaces_known(list, one))
		return true;
	log_error(0, "no interface \"%s\"", one);
	return false;
}

int cmd_selftest(const struct options *o)
{
	struct selftest *t;
	char verdict[SELFTEST_VERDICT_MAX];
	bool works;
	int err;

	if (!are_interfaces(o->interface))
		return MISUSED;
	t = calloc(1, sizeof(*t));
	if (!t) {
		log_error(-ENOMEM, "cannot test");
		return FAILED;
	}
	t->interfaces = o->interface;
	dp_selftest_quiet();
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i].check(t, checks[i].name);
	works = selftest_verdict(t, verdict);
	err = o->json ? print_json(t, works, verdict) : print_text(t, verdict);
	if (err)
		log_error(err, "cannot print");
	dp_close(t->dp);
	free(t);
	return works && !err ? DONE : FAILED;
}
