/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy_set as text, to be compared with what a test expects. A line for
 * each of
 *
 *	workload default/web 10.1.0.5 {app=web} http:80/tcp veth1 here
 *	namespace default {kubernetes.io/metadata.name=default}
 *	node n1 192.0.2.1 {}
 *	policy default/a pods(app=web) of ns(*), isolates in out, audit
 *	in accept from pods(a in(b,c)), 10.0.0.0/8 but 10.1.0.0/16 at tcp:80
 *
 * with the rules of a policy below it. A selector without requirements is "*".
 */
#ifndef FAIRLEAD_TEST_POLICY_PRINT_H
#define FAIRLEAD_TEST_POLICY_PRINT_H

#include "model/policy.h"

/* The caller's. set may be NULL: "". */
char *policy_set_text(const struct policy_set *set);

#endif
