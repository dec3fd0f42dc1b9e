/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policies in words, for people: who a rule is about and at which
 * ports. A selector without requirements is "*".
 */
#ifndef FAIRLEAD_POLICY_TEXT_H
#define FAIRLEAD_POLICY_TEXT_H

#include <stdio.h>

#include "policy.h"

/* "ingress", "egress". */
const char *policy_direction_name(enum policy_direction direction);
/* "admin", "network", "baseline". */
const char *policy_tier_name(enum policy_tier tier);
/* "accept", "deny", "pass". */
const char *policy_action_name(enum policy_action action);

/* "pods(app=front) of ns(a in(b,c)), 10.0.0.0/8 but 10.1.0.0/16"; everybody:
 * nothing. */
void policy_write_peers(FILE *out, const struct model_rule *r);

/* "tcp:80 udp:53-60 any:web tcp:*"; every port of every protocol: nothing. */
void policy_write_ports(FILE *out, const struct model_rule *r);

/* Whom it selects: "pods(app=web)", of its own namespace if it has one, or
 * "pods(*) of ns(*)". */
void policy_write_subject(FILE *out, const struct model_policy *p);

#endif
