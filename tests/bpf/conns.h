/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What conns.bpf.c and conns_test.c share: packets as steps of a script. */
#ifndef FAIRLEAD_TEST_CONNS_H
#define FAIRLEAD_TEST_CONNS_H

#include <fairlead/types.h>

#define STEPS_MAX (1 << 20)
#define CPUS 2

enum step_kind {
	STEP_OPEN,	/* a client's first packet */
	STEP_CLIENT,	/* one of a connection that there should be */
	STEP_REPLY,	/* its backend's */
	STEP_DROP,	/* it is taken out */
	STEP_CLIENT_FIN, /* one side closes, once: STEP_NONE then */
	STEP_REPLY_FIN,
	STEP_NONE,
};

struct step {
	struct flow flow;
	__u32 number;	/* what it offers or confirms; 0: nothing */
	__u32 kind;	/* enum step_kind */
};

/* What became of steps. */
enum result {
	RESULT_DONE,
	RESULT_KNOWN,	/* an open one is opened again */
	RESULT_MISSING,	/* nothing is known of it */
	RESULT_NO_ROOM,
	RESULT_NO_PORT,
	RESULT_OTHER,
	NR_RESULTS,
};

/* Of one CPU. */
struct script {
	__u32 next;
	__u32 mask;		/* of numbers of steps */
	__u32 base;
	__u32 pad;
	__u64 results[NR_RESULTS];
	__u64 pad2[6];
};

#endif
