/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All that can be asked about a universe of policy_universe.h: each pod with
 * each address, in both directions, and some protocols and ports; and what the
 * evaluator says to it.
 */
#ifndef FAIRLEAD_TEST_POLICY_QUESTIONS_H
#define FAIRLEAD_TEST_POLICY_QUESTIONS_H

#include "policy/policy.h"
#include "policy_evaluator.h"
#include "policy_universe.h"

/* One end of one connection. */
struct question {
	const struct universe *u;
	const struct policy_set *set;
	const struct model_workload *pod;	/* whose policy is asked */
	enum policy_direction direction;
	const struct addr *own, *peer;
	__u8 proto;
	__u16 port;
};

/* False: the answer is wrong. */
typedef bool check_fn(const void *arg, const struct question *q);

/* What is asked of each pair, from now on: ports as policies name them, and
 * their neighbours. */
void questions_begin(void);

/* Sets proto and port to any of what is asked. */
void question_port(struct question *q);

/* Ends with the first answer that is wrong: false. */
bool questions_ask(const struct universe *u, const struct policy_set *s,
		   check_fn *check, const void *arg);

struct evaluator_answer question_answer(const struct question *q);

/* Is what the compiler says right, down to the rule? Else says what is wrong,
 * to stderr. is_held: to policies; else they are nothing to the pod. */
bool question_judged(const struct policy_compiled *c,
		     const struct question *q, bool is_held);

/* As check_fn, of what is compiled for those that are here. */
bool question_judged_here(const void *compiled, const struct question *q);

/* False, after saying that what was said differs. */
bool question_differs(const struct question *q, const char *what,
		      const char *said);
extern bool questions_quiet;	/* it is not said */

/* To stderr. */
void questions_print(const struct universe *u);

#endif
