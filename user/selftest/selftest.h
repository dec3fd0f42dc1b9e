/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `fairlead selftest` finds out: a row for each check, and a verdict from
 * the rows. A check is a function that adds rows; the files selftest_*.c have
 * them by what they look at, cmd_selftest.c has the table of them.
 */
#ifndef FAIRLEAD_SELFTEST_H
#define FAIRLEAD_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

#include <net/if.h>

#include "kernel/dp.h"
#include "selftest_net.h"

enum selftest_result {
	SELFTEST_OK,
	SELFTEST_NO,		/* not there: Fairlead is the worse for it */
	SELFTEST_NOT_NEEDED,	/* not there, and nothing is lost */
};

enum selftest_weight {
	SELFTEST_WANTED,	/* without it Fairlead does something else */
	SELFTEST_NEEDED,	/* without it Fairlead does not work */
};

#define SELFTEST_NAME_MAX 32
#define SELFTEST_TEXT_MAX 640

struct selftest_row {
	char name[SELFTEST_NAME_MAX];
	enum selftest_result result;
	enum selftest_weight weight;
	char mode[SELFTEST_NAME_MAX];	/* "": there is but one way */
	char text[SELFTEST_TEXT_MAX];	/* why not, and what happens instead */
};

#define SELFTEST_ROWS_MAX 128

struct selftest {
	struct selftest_row rows[SELFTEST_ROWS_MAX];
	size_t nr_rows;
	bool works_native, works_generic; /* a packet came through, by XDP */
	const char *interfaces;	/* to look at, "a,b"; NULL: default route's */
	const char *pin_root;	/* in a bpffs of our own; NULL: there is none */
	bool does_load;		/* the programs that serve needs */
	struct selftest_net net;
	bool has_net;
	struct dp *dp;		/* with services, attached nowhere */
};

/* selftest.c: words from facts, without a kernel. */

/* A new row, of name and "ok", to be filled. The last one is overwritten if
 * there are too many. */
struct selftest_row *selftest_add(struct selftest *t, const char *name);

/* Result and text at once. */
void selftest_say(struct selftest_row *row, enum selftest_result result,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));

const char *selftest_result_name(enum selftest_result result);

/* True: it works. Text: one sentence. */
#define SELFTEST_VERDICT_MAX 1024
bool selftest_verdict(const struct selftest *t,
		      char text[static SELFTEST_VERDICT_MAX]);

/* What is missing of the capabilities that Fairlead needs, and what for.
 * effective: a bit each, as CAP_* count. Returns how many. */
unsigned int selftest_capabilities(__u64 effective,
				   char text[static SELFTEST_TEXT_MAX]);

/* What an interface's driver says of XDP (host/device.h: DEVICE_XDP_*). */
void selftest_xdp_words(struct selftest_row *row, __u64 features);

/* False: the one has no interface. */
bool selftest_interfaces_known(const char *list, char one[static IF_NAMESIZE]);

/* The checks. name: of the row, where there is one. */
void selftest_privileges(struct selftest *t, const char *name);
void selftest_bpffs(struct selftest *t, const char *name);
void selftest_btf(struct selftest *t, const char *name);
void selftest_jit(struct selftest *t, const char *name);
void selftest_memlock(struct selftest *t, const char *name);
void selftest_programs(struct selftest *t, const char *name);
void selftest_features(struct selftest *t, const char *name);
void selftest_uplinks(struct selftest *t, const char *name);
void selftest_network(struct selftest *t, const char *name);
void selftest_attach(struct selftest *t, const char *name);
void selftest_tc(struct selftest *t, const char *name);
void selftest_native(struct selftest *t, const char *name);
void selftest_generic(struct selftest *t, const char *name);

#endif
