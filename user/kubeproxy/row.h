/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything that kube-proxy can be told, in one table: by which flag, in which
 * field of its configuration file, what may stand there, and what becomes of it
 * here. Flags, files, --help, --write-config-to and the list of what is ignored
 * all come from it. For the rest of this folder alone.
 */
#ifndef FAIRLEAD_ROW_H
#define FAIRLEAD_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

enum row_kind {
	ROW_TEXT,
	ROW_BOOL,
	ROW_NUMBER,	/* whole, from least to most */
	ROW_FLOAT,
	ROW_DURATION,	/* as Go writes it: "1h0m0s", "1.5h", "0" */
	ROW_LIST,	/* words between commas */
	ROW_ADDR,
	ROW_ADDR_PORT,	/* "0.0.0.0:10256", "[::]:10256"; or no port */
	ROW_GATES,	/* "Name=true,Other=false" */
	ROW_LEVELS,	/* "pattern=2,other=3" */
	ROW_CHOICE,	/* one of choices */
};

/* What becomes of a value. */
enum row_use {
	ROW_IGNORED,		/* note says why it needs none */
	ROW_REFUSED,		/* note says why it cannot be as it says */
	ROW_SETTING,		/* it is the setting that note names */
	ROW_SECONDS,		/* likewise; 0 is Fairlead's own default */
	ROW_CLEANUP,
	ROW_CONFIG,
	ROW_CONNS_MIN,
	ROW_CONNS_PER_CORE,
	ROW_DEFINITIONS,
	ROW_GATES_SET,
	ROW_HEALTHZ,
	ROW_HEALTHZ_PORT,
	ROW_HELP,
	ROW_HOSTNAME,
	ROW_INIT_ONLY,
	ROW_KUBECONFIG,
	ROW_MASQUERADE,		/* in all modes but nftables */
	ROW_MASQUERADE_NFTABLES,
	ROW_MASTER,
	ROW_METRICS,
	ROW_METRICS_PORT,
	ROW_MODE,
	ROW_NODEPORT,
	ROW_OOM,
	ROW_PIN_ROOT,
	ROW_TAKEOVER,
	ROW_VERBOSITY,
	ROW_VERSION,
	ROW_WRITE_CONFIG,
};

struct row {
	const char *flag;	/* "bind-address"; NULL: there is none */
	const char *field;	/* "conntrack.min"; NULL: of the command line */
	const char *by_default;	/* kube-proxy's; NULL: "" */
	const char *note;	/* see enum row_use; of others, for --help */
	const char *const *choices; /* of a ROW_CHOICE; NULL ends them */
	enum row_kind kind;
	enum row_use use;
	__s64 least, most;	/* of a ROW_NUMBER */
	bool is_ours;		/* kube-proxy knows no such flag */
};

/* In order of fields, as a file is written; those without one come last. */
extern const struct row rows[];
extern const size_t nr_rows;

/* NULL: no such one. A "_" in a flag is as good as a "-"; len of its bytes
 * count. */
const struct row *row_by_flag(const char *flag, size_t len);
const struct row *row_by_field(const char *field);
const struct row *row_by_use(enum row_use use);

/* Does "conntrack" begin fields? */
bool row_is_group(const char *field);

/* Is value one? *ret_why: what it should be. May write it anew: true and false
 * are such then. */
bool row_check(const struct row *r, char *value, const char **ret_why);

/* Milliseconds, rounded up; false: it is no duration of Go's, or negative. */
bool row_duration(const char *text, __s64 *ret_ms);

/* Nothing that anybody would miss: empty, zero, or as by default. */
bool row_says_nothing(const struct row *r, const char *value);

#endif
