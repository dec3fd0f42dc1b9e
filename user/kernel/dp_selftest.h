/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `fairlead selftest` asks of libbpf. Nothing is pinned, nothing stays
 * when what is returned is closed. Nothing is logged.
 */
#ifndef FAIRLEAD_DP_SELFTEST_H
#define FAIRLEAD_DP_SELFTEST_H

#include "dp.h"

#define DP_SELFTEST_WHY_MAX 160

/* Load one program by itself. -errno: why says what the verifier said last. */
int dp_selftest_load(const char *program, unsigned int *ret_ms,
		     char why[static DP_SELFTEST_WHY_MAX]);

/* Are programs compiled to machine code? -errno: none can be loaded. */
int dp_selftest_jit(void);

/* Make a map while no memory may be locked; -errno. */
int dp_selftest_memlock(void);

/* fl_xdp on an interface, DP_XDP_NATIVE or _GENERIC: a link, which detaches
 * when closed, or -errno. */
int dp_selftest_attach(const struct dp *dp, __u32 ifindex,
		       enum dp_mechanism mechanism);

/* The XDP program on an interface. 0: none. */
__u32 dp_selftest_holder(__u32 ifindex, char name[static 16]);

/* The last line of the verifier's log that says why, without the statistics. */
void dp_selftest_last_line(const char *log,
			   char ret[static DP_SELFTEST_WHY_MAX]);

/* No word of libbpf to stderr from now on. */
void dp_selftest_quiet(void);

#endif
