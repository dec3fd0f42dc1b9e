/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network policies from words, for tests that read them and free nothing:
 *
 *	struct model_policy p = {
 *		.namespace = "default", .name = "db",
 *		.pods = WHERE(IS("role", "db")),
 *		.tier = TIER_NETWORK, .isolates[POLICY_IN] = true,
 *		.rules[POLICY_IN] = { RULES(
 *			{ PEERS(PODS(WHERE(IS("role", "front")))),
 *			  PORTS(NUMBER(IPPROTO_TCP, 80)) }) },
 *	};
 *
 * They live as long as the block that they stand in.
 */
#ifndef FAIRLEAD_TEST_POLICY_WORDS_H
#define FAIRLEAD_TEST_POLICY_WORDS_H

#include <stdlib.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "model/policy.h"

/* A list and, for the field behind it, how long it is. */
#define LIST(type, ...) (type[]){ __VA_ARGS__ }, \
	sizeof((type[]){ __VA_ARGS__ }) / sizeof(type)

#define IS(key, ...) { key, LABEL_IN, LIST(char *, __VA_ARGS__) }
#define NOT(key, ...) { key, LABEL_NOT_IN, LIST(char *, __VA_ARGS__) }
#define HAS(key) { key, LABEL_EXISTS, NULL, 0 }
#define LACKS(key) { key, LABEL_DOES_NOT_EXIST, NULL, 0 }
#define WHERE(...) { LIST(struct model_requirement, __VA_ARGS__) }
#define EVERYTHING { NULL, 0 }

#define RULES(...) LIST(struct model_rule, __VA_ARGS__)
#define PEERS(...) .peers = LIST(struct model_peer, __VA_ARGS__)
#define PORTS(...) .ports = LIST(struct model_policy_port, __VA_ARGS__)

/* Of the policy's own namespace; or of namespaces that match. */
#define PODS(...) { .kind = PEER_PODS, .pods = __VA_ARGS__ }
#define NAMESPACES(...) { .kind = PEER_PODS, .has_namespaces = true, \
			  .namespaces = __VA_ARGS__ }
#define NODES(...) { .kind = PEER_NODES, .pods = __VA_ARGS__ }
#define BLOCK(cidr) { .kind = PEER_NETWORK, .network = prefix_of(cidr) }
#define BLOCK_BUT(cidr, ...) { .kind = PEER_NETWORK, \
	.network = prefix_of(cidr), \
	.except = LIST(struct model_prefix, __VA_ARGS__) }
#define NOBODY { .kind = PEER_NOBODY }

#define NUMBER(proto, port) { proto, port, port, NULL }
#define RANGE(proto, first, last) { proto, first, last, NULL }
#define EACH(proto) { proto, 0, 65535, NULL }
#define NAMED(proto, name) { proto, 0, 0, name }

static inline struct model_prefix prefix_of(const char *cidr)
{
	struct model_prefix p = { .is_set = true };
	unsigned int len;

	if (!addr_parse_cidr(cidr, &p.addr, &len))
		abort();
	p.len = len;
	return p;
}

static inline struct addr addr_of(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		abort();
	return a;
}

#endif
