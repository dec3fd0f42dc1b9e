// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The evaluator that the product is compared to is right: each sentence of the
 * API's text is a test, and so are the examples of the Kubernetes documentation
 * and its well-known recipes.
 *
 *	namespace	labels		pods (of both families)
 *	default				db: role=db, port redis is 6379/tcp
 *					front: role=frontend
 *					plain
 *					agent: role=frontend, in the host's network
 *	shop		project=myproject, user=alice
 *					client: role=client
 *					web: app=web, tier="", port http is
 *					8080/tcp, dns 5353/udp
 *	other				buyer: role=client
 *					web: app=web, port http is 80/tcp
 *					far: app=web, on another node
 *	bare		no object	alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_evaluator.h"
#include "policy_words.h"

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP
#define SCTP IPPROTO_SCTP
#define PING IPPROTO_ICMP
#define HOST "10.0.0.1"
#define HOST6 "fd00::1"

#define LABELS(...) .labels = { LIST(struct model_label, __VA_ARGS__) }
#define POD(ns, pod, ...) { .namespace = ns, .name = pod, __VA_ARGS__ }
#define PORT_NAMES(...) .ports = LIST(struct model_named_port, __VA_ARGS__)
#define POLICY(ns, text) .namespace = ns, .name = text, .tier = TIER_NETWORK
#define CLUSTER(text, t, number) .namespace = "", .name = text, \
	.tier = TIER_##t, .priority = number, .has_namespaces = true

/* The policies that there are; the rest of the world is as it is above. */
#define policies(...) with_policies((struct model_policy *[]){ __VA_ARGS__ }, \
	sizeof((struct model_policy *[]){ __VA_ARGS__ }) / sizeof(void *))
#define allowed(from, to, proto, port) \
	expect(true, from, to, proto, port, __FILE__, __LINE__)
#define denied(from, to, proto, port) \
	expect(false, from, to, proto, port, __FILE__, __LINE__)

static struct model_workload pods[] = {
	POD("bare", "alone"),
	POD("default", "agent", LABELS({ "role", "frontend" }),
	    .is_host_network = true),
	POD("default", "db", LABELS({ "role", "db" }),
	    PORT_NAMES({ "redis", TCP, 6379 })),
	POD("default", "front", LABELS({ "role", "frontend" })),
	POD("default", "plain"),
	POD("other", "buyer", LABELS({ "role", "client" })),
	POD("other", "far", LABELS({ "app", "web" })),
	POD("other", "web", LABELS({ "app", "web" }),
	    PORT_NAMES({ "http", TCP, 80 })),
	POD("shop", "client", LABELS({ "role", "client" })),
	POD("shop", "web", LABELS({ "app", "web" }, { "tier", "" }),
	    PORT_NAMES({ "http", TCP, 8080 }, { "dns", UDP, 5353 })),
};

static struct model_namespace namespaces[] = {
	{ .name = "default",
	  LABELS({ "kubernetes.io/metadata.name", "default" }) },
	{ .name = "other", LABELS({ "kubernetes.io/metadata.name", "other" }) },
	{ .name = "shop",
	  LABELS({ "kubernetes.io/metadata.name", "shop" },
		 { "project", "myproject" }, { "user", "alice" }) },
};

static struct model_policy_node nodes[] = {
	{ .name = "node-1" },
	{ .name = "node-2", LABELS({ "zone", "a" }) },
	{ .name = "node-3", LABELS({ "zone", "b" }) },
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static struct addr pod_addrs[COUNT(pods)][2], node_addrs[COUNT(nodes)][2];
static struct model_workload *all_pods[COUNT(pods)];
static struct model_namespace *all_namespaces[COUNT(namespaces)];
static struct model_policy_node *all_nodes[COUNT(nodes)];
static struct policy_set set = {
	.workloads = all_pods, .nr_workloads = COUNT(pods),
	.namespaces = all_namespaces, .nr_namespaces = COUNT(namespaces),
	.nodes = all_nodes, .nr_nodes = COUNT(nodes),
};
static struct evaluator_world world = { &set, node_addrs[0], 2 };

/* The n-th of a network, in both families. */
static void number(struct addr addrs[static 2], const char *net4,
		   const char *net6, size_t n)
{
	addrs[0] = addr_of(net4);
	addrs[0].word[3] |= htonl(n);
	addrs[1] = addr_of(net6);
	addrs[1].word[3] |= htonl(n);
}

static int set_up(void **state)
{
	for (size_t i = 0; i < COUNT(nodes); i++) {
		number(node_addrs[i], "10.0.0.0", "fd00::", i + 1);
		nodes[i].addrs = node_addrs[i];
		nodes[i].nr_addrs = 2;
		all_nodes[i] = &nodes[i];
	}
	for (size_t i = 0; i < COUNT(namespaces); i++)
		all_namespaces[i] = &namespaces[i];
	for (size_t i = 0; i < COUNT(pods); i++) {
		bool is_node = pods[i].is_host_network;

		number(pod_addrs[i], "10.1.0.0", "fd01::", i + 1);
		pods[i].addrs = is_node ? node_addrs[0] : pod_addrs[i];
		pods[i].nr_addrs = 2;
		pods[i].is_here = strcmp(pods[i].name, "far");
		all_pods[i] = &pods[i];
	}
	return 0;
}

static int compare_policies(const void *a, const void *b)
{
	const struct model_policy *p = *(const struct model_policy **)a;
	const struct model_policy *q = *(const struct model_policy **)b;
	int order = strcmp(p->namespace, q->namespace);

	return order ? order : strcmp(p->name, q->name);
}

static void with_policies(struct model_policy **p, size_t count)
{
	set.policies = p;
	set.nr_policies = count;
	qsort(p, count, sizeof(*p), compare_policies);
}

/* "10.0.0.1", or a pod's name: its address of a family. */
static bool find(const char *text, int family, struct addr *ret)
{
	if (addr_parse(text, ret))
		return addr_is4(ret) == (family == 4);
	for (size_t i = 0; i < set.nr_workloads; i++) {
		const struct model_workload *w = set.workloads[i];
		char name[64];

		snprintf(name, sizeof(name), "%s/%s", w->namespace, w->name);
		if (!strcmp(name, text) || !strcmp(w->name, text)) {
			*ret = w->addrs[family == 6];
			return true;
		}
	}
	fail_msg("who is %s?", text);
	return false;
}

/* In each family that both ends have an address of. */
static void expect(bool wanted, const char *from, const char *to, __u8 proto,
		   __u16 port, const char *file, int line)
{
	bool tried = false;

	for (int family = 4; family <= 6; family += 2) {
		struct evaluator_try c = { .proto = proto, .port = port };

		if (!find(from, family, &c.from) || !find(to, family, &c.to))
			continue;
		tried = true;
		if (evaluator_reaches(&world, &c) == wanted)
			continue;
		print_error("%s to %s, IPv%d, protocol %u, port %u: %s\n",
			    from, to, family, proto, port,
			    wanted ? "denied" : "allowed");
		_fail(file, line);
	}
	assert_true(tried);
}

/* What decides about it at one end, in IPv4. */
static struct evaluator_answer answer(enum policy_direction direction,
				   const char *from, const char *to,
				   __u8 proto, __u16 port)
{
	struct evaluator_try c = { .proto = proto, .port = port };

	assert_true(find(from, 4, &c.from));
	assert_true(find(to, 4, &c.to));
	return evaluator_ask(&world, direction, &c);
}

/* 1.1 selection and isolation */

static void who_no_policy_selects_may_all(void **state)
{
	struct model_policy p = {
		POLICY("default", "db"), .pods = WHERE(IS("role", "db")),
		.isolates = { true, true },
	};

	policies(&p);
	denied("front", "db", TCP, 6379);
	denied("db", "front", TCP, 80);
	allowed("front", "plain", TCP, 80);
	allowed("172.17.0.5", "plain", UDP, 53);
	allowed("plain", "fd99::1", PING, 0);
}

static void a_policy_selects_in_its_own_namespace_alone(void **state)
{
	struct model_policy p = {
		POLICY("shop", "web"), .pods = WHERE(IS("app", "web")),
		.isolates[POLICY_IN] = true,
	};

	policies(&p);
	denied("front", "shop/web", TCP, 8080);
	allowed("front", "other/web", TCP, 80);
}

static void an_empty_selector_selects_all_of_the_namespace(void **state)
{
	struct model_policy p = {
		POLICY("shop", "all"), .pods = EVERYTHING,
		.isolates[POLICY_IN] = true,
	};

	policies(&p);
	denied("front", "shop/web", TCP, 8080);
	denied("shop/web", "shop/client", TCP, 8080);
	allowed("front", "plain", TCP, 80);
}

static void directions_are_isolated_each_by_itself(void **state)
{
	struct model_policy in = {
		POLICY("default", "in"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_IN] = true,
	};
	struct model_policy out = {
		POLICY("default", "out"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_OUT] = true,
	};

	policies(&in);
	denied("front", "db", TCP, 6379);
	allowed("db", "front", TCP, 80);
	policies(&out);
	allowed("front", "db", TCP, 6379);
	denied("db", "front", TCP, 80);
	denied("db", "10.0.0.7", UDP, 53);
}

static void policies_are_added_up(void **state)
{
	struct model_policy none = {
		POLICY("default", "none"), .isolates[POLICY_IN] = true,
	};
	struct model_policy one = {
		POLICY("default", "one"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(PODS(WHERE(IS("role", "frontend")))) }) },
	};
	struct model_policy other = {
		POLICY("default", "other"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 80)) }) },
	};

	policies(&none, &one, &other);
	allowed("front", "db", UDP, 1);
	allowed("plain", "db", TCP, 80);
	denied("plain", "db", TCP, 81);
	policies(&none, &other);
	denied("front", "db", UDP, 1);
	policies(&none);
	denied("plain", "db", TCP, 80);
	set.nr_policies = 0;
	allowed("plain", "db", TCP, 81);
}

static void both_ends_must_allow(void **state)
{
	struct model_policy in = {
		POLICY("default", "in"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 6379)) }) },
	};
	struct model_policy out = {
		POLICY("default", "out"), .isolates[POLICY_OUT] = true,
		.pods = WHERE(IS("role", "frontend")),
		.rules[POLICY_OUT] = { RULES({ PORTS(RANGE(TCP, 80, 6379)) }) },
	};

	policies(&in, &out);
	allowed("front", "db", TCP, 6379);
	denied("front", "db", TCP, 6378);
	allowed("plain", "db", TCP, 6379);
	denied("front", "plain", TCP, 79);
}

static void peers_and_ports_of_two_rules_do_not_mix(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(PODS(WHERE(IS("role", "frontend")))),
			  PORTS(NUMBER(TCP, 1), NUMBER(TCP, 2)) },
			{ PEERS(PODS(WHERE(LACKS("role"))),
				BLOCK("172.17.0.0/16")),
			  PORTS(NUMBER(TCP, 2), NUMBER(TCP, 3)) }) },
	};

	policies(&p);
	allowed("front", "db", TCP, 1);
	allowed("front", "db", TCP, 2);
	denied("front", "db", TCP, 3);
	denied("plain", "db", TCP, 1);
	allowed("plain", "db", TCP, 2);
	allowed("172.17.9.9", "db", TCP, 3);
	denied("172.17.9.9", "db", TCP, 1);
}

/* 1.2 policyTypes */

static void a_section_of_a_direction_not_listed_is_ignored(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_IN] = true,
		.rules[POLICY_OUT] = { RULES({ PORTS(NUMBER(TCP, 80)) }) },
	};
	struct model_policy q = {
		POLICY("default", "q"), .pods = WHERE(IS("role", "db")),
		.isolates[POLICY_OUT] = true,
	};

	policies(&p);
	allowed("db", "front", TCP, 81);
	policies(&p, &q);
	denied("db", "front", TCP, 80);
}

/* 1.3 empty and missing */

static void no_rule_denies_all(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
	};

	policies(&p);
	denied("front", "db", TCP, 6379);
	denied("front", "db", PING, 0);
	denied("fd99::1", "db", UDP, 53);
	denied("db", "172.17.0.5", SCTP, 1);
}

static void a_rule_without_restriction_allows_all(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
		.rules = { { RULES({ 0 }) }, { RULES({ 0 }) } },
	};

	policies(&p);
	allowed("other/buyer", "db", TCP, 6379);
	allowed("fd99::1", "db", SCTP, 53);
	allowed("db", "172.17.0.5", PING, 0);
	allowed("db", "172.17.0.5", 47, 0);
}

static void no_peers_are_all_of_them(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 80)) }) },
	};

	policies(&p);
	allowed("172.17.0.5", "db", TCP, 80);
	allowed("other/buyer", "db", TCP, 80);
	denied("other/buyer", "db", UDP, 80);
	denied("other/buyer", "db", PING, 0);
}

static void no_ports_are_all_of_them(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(IS("user", "alice")))) }) },
	};

	policies(&p);
	allowed("shop/client", "db", TCP, 65535);
	allowed("shop/client", "db", SCTP, 1);
	allowed("shop/client", "db", PING, 0);
	denied("other/buyer", "db", TCP, 80);
}

static void a_port_without_number_is_each_of_its_protocol(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(EACH(TCP)) }) },
	};

	policies(&p);
	allowed("front", "db", TCP, 1);
	allowed("front", "db", TCP, 65535);
	denied("front", "db", UDP, 1);
	denied("front", "db", SCTP, 1);
	denied("front", "db", PING, 0);
}

/* 1.4 peers */

static void pods_alone_are_of_the_own_namespace(void **state)
{
	struct model_policy p = {
		POLICY("shop", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(PODS(WHERE(IS("role", "client")))) }) },
	};

	policies(&p);
	allowed("shop/client", "shop/web", TCP, 8080);
	denied("other/buyer", "shop/web", TCP, 8080);
}

static void namespaces_alone_are_all_of_their_pods(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(IS("user", "alice")))) }) },
	};

	policies(&p);
	allowed("shop/client", "db", TCP, 1);
	allowed("shop/web", "db", TCP, 1);
	denied("other/web", "db", TCP, 1);
	denied("front", "db", TCP, 1);
}

static void both_in_one_peer_must_match(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS({ .kind = PEER_PODS, .has_namespaces = true,
				  .namespaces = WHERE(IS("user", "alice")),
				  .pods = WHERE(IS("role", "client")) }) }) },
	};

	policies(&p);
	allowed("shop/client", "db", TCP, 1);
	denied("shop/web", "db", TCP, 1);
	denied("other/buyer", "db", TCP, 1);
}

static void in_two_peers_one_must_match(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(IS("user", "alice"))),
				PODS(WHERE(IS("role", "frontend")))) }) },
	};

	policies(&p);
	allowed("shop/web", "db", TCP, 1);
	allowed("front", "db", TCP, 1);
	denied("plain", "db", TCP, 1);
	denied("other/buyer", "db", TCP, 1);
}

static void selectors_match_nothing_but_pods(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(EVERYTHING)) }) },
		.rules[POLICY_OUT] = { RULES(
			{ PEERS(NAMESPACES(EVERYTHING)) }) },
	};

	policies(&p);
	allowed("bare/alone", "db", TCP, 1);
	denied("172.17.0.5", "db", TCP, 1);
	denied("fd99::1", "db", TCP, 1);
	denied("10.0.0.2", "db", TCP, 1);	/* another node */
	denied("db", "10.0.0.2", TCP, 1);
}

/* It is its node, as it has no address of its own. */
static void who_is_in_the_hosts_network_is_no_pod(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
		.rules[POLICY_IN] = { RULES(
			{ PEERS(PODS(WHERE(IS("role", "frontend")))) }) },
	};

	policies(&p);
	world.nr_host = 0;	/* as seen from another node */
	denied(HOST, "db", TCP, 1);
	denied("db", HOST, TCP, 1);
	allowed("fd99::1", HOST6, TCP, 1);
	world.nr_host = 2;
}

static void not_in_and_does_not_exist_match_without_the_key(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(NOT("project", "a", "b")))),
			  PORTS(NUMBER(TCP, 1)) },
			{ PEERS(NAMESPACES(WHERE(LACKS("project")))),
			  PORTS(NUMBER(TCP, 2)) },
			{ PEERS(NAMESPACES(WHERE(NOT("project", "myproject")))),
			  PORTS(NUMBER(TCP, 3)) }) },
	};

	policies(&p);
	allowed("shop/web", "db", TCP, 1);
	allowed("other/web", "db", TCP, 1);
	denied("shop/web", "db", TCP, 2);
	allowed("other/web", "db", TCP, 2);
	denied("shop/web", "db", TCP, 3);
	allowed("other/web", "db", TCP, 3);
}

static void an_empty_value_is_not_an_absent_key(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS({ .kind = PEER_PODS, .has_namespaces = true,
				  .pods = WHERE(IS("tier", "")) }),
			  PORTS(NUMBER(TCP, 1)) },
			{ PEERS({ .kind = PEER_PODS, .has_namespaces = true,
				  .pods = WHERE(HAS("tier")) }),
			  PORTS(NUMBER(TCP, 2)) }) },
	};

	policies(&p);
	for (__u16 port = 1; port <= 2; port++) {
		allowed("shop/web", "db", TCP, port);
		denied("other/web", "db", TCP, port);
		denied("plain", "db", TCP, port);
	}
}

static void all_requirements_must_be_met(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(IS("user", "alice", "bob"),
						 NOT("project", "secret"),
						 LACKS("closed")))) }) },
	};

	policies(&p);
	allowed("shop/web", "db", TCP, 1);
	denied("other/web", "db", TCP, 1);
	denied("plain", "db", TCP, 1);
}

static void each_namespace_has_its_name_as_a_label(void **state)
{
	static char key[] = "kubernetes.io/metadata.name";
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(NAMESPACES(WHERE(IS(key, "other", "bare")))) })
		},
	};

	policies(&p);
	allowed("other/web", "db", TCP, 1);
	allowed("bare/alone", "db", TCP, 1);
	denied("shop/web", "db", TCP, 1);
}

static void a_block_is_a_network_but_its_exceptions(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK_BUT("172.17.0.0/16",
					  prefix_of("172.17.1.0/24"),
					  prefix_of("172.17.3.128/25"))) }) },
	};

	policies(&p);
	allowed("172.17.0.0", "db", TCP, 1);
	allowed("172.17.0.255", "db", PING, 0);
	denied("172.17.1.0", "db", TCP, 1);
	denied("172.17.1.255", "db", TCP, 1);
	allowed("172.17.2.0", "db", TCP, 1);
	allowed("172.17.3.127", "db", TCP, 1);
	denied("172.17.3.128", "db", TCP, 1);
	allowed("172.17.255.255", "db", TCP, 1);
	denied("172.16.255.255", "db", TCP, 1);
	denied("172.18.0.0", "db", TCP, 1);
	denied("fd99::1", "db", TCP, 1);
}

static void an_exception_is_of_its_own_block_alone(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK_BUT("172.17.0.0/16",
					  prefix_of("172.17.1.0/24")),
				BLOCK("172.17.1.5/32")) }) },
	};
	struct model_policy q = {
		POLICY("default", "q"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK("172.17.1.6/32")) }) },
	};

	policies(&p, &q);
	denied("172.17.1.4", "db", TCP, 1);
	allowed("172.17.1.5", "db", TCP, 1);
	allowed("172.17.1.6", "db", TCP, 1);
}

static void a_block_is_of_one_family(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK("0.0.0.0/0")), PORTS(NUMBER(TCP, 4)) },
			{ PEERS(BLOCK("::/0")), PORTS(NUMBER(TCP, 6)) }) },
	};

	policies(&p);
	allowed("172.17.0.5", "db", TCP, 4);
	denied("172.17.0.5", "db", TCP, 6);
	denied("fd99::1", "db", TCP, 4);
	allowed("fd99::1", "db", TCP, 6);
	allowed("::1:2:3", "db", TCP, 6);
}

static void a_block_matches_pods_as_well(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK("10.1.0.4/32"), BLOCK("fd01::4/128")) })
		},
	};

	policies(&p);
	allowed("front", "db", TCP, 1);
	denied("plain", "db", TCP, 1);
}

static void every_block_that_has_the_address_counts(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(BLOCK("10.0.0.0/16")), PORTS(NUMBER(TCP, 81)) },
			{ PEERS(BLOCK("10.0.1.0/24")), PORTS(NUMBER(TCP, 80)) })
		},
	};

	policies(&p);
	allowed("10.0.1.9", "db", TCP, 80);
	allowed("10.0.1.9", "db", TCP, 81);
	denied("10.0.2.9", "db", TCP, 80);
	allowed("10.0.2.9", "db", TCP, 81);
}

static void what_cannot_be_known_accepts_nobody(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PEERS(NOBODY) }) },
	};

	policies(&p);
	denied("front", "db", TCP, 1);
	denied("172.17.0.5", "db", TCP, 1);
}

/* 1.5 ports */

static void a_range_has_both_its_ends(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PORTS(RANGE(UDP, 80, 81), RANGE(TCP, 65535, 65535)) })
		},
	};

	policies(&p);
	denied("front", "db", UDP, 79);
	allowed("front", "db", UDP, 80);
	allowed("front", "db", UDP, 81);
	denied("front", "db", UDP, 82);
	denied("front", "db", TCP, 80);
	denied("front", "db", TCP, 65534);
	allowed("front", "db", TCP, 65535);
}

static void protocols_are_told_apart(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PORTS(NUMBER(SCTP, 80), NUMBER(UDP, 81)) }) },
	};

	policies(&p);
	allowed("front", "db", SCTP, 80);
	denied("front", "db", TCP, 80);
	denied("front", "db", UDP, 80);
	allowed("front", "db", UDP, 81);
	denied("front", "db", TCP, 81);
}

/* Of each pod that is reached, its own number. */
static void a_name_is_the_destinations(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .pods = WHERE(IS("role", "frontend")),
		.isolates[POLICY_OUT] = true,
		.rules[POLICY_OUT] = { RULES(
			{ PEERS(NAMESPACES(EVERYTHING)),
			  PORTS(NAMED(TCP, "http")) }) },
	};

	policies(&p);
	allowed("front", "shop/web", TCP, 8080);
	denied("front", "shop/web", TCP, 80);
	allowed("front", "other/web", TCP, 80);
	denied("front", "other/web", TCP, 8080);
	denied("front", "db", TCP, 8080);
	denied("front", "172.17.0.5", TCP, 80);
}

static void a_name_goes_with_its_protocol(void **state)
{
	struct model_policy p = {
		POLICY("shop", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PORTS(NAMED(TCP, "http"), NAMED(TCP, "dns")) }) },
	};
	struct model_policy q = {
		POLICY("shop", "q"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NAMED(UDP, "dns")) }) },
	};

	policies(&p);
	allowed("front", "shop/web", TCP, 8080);
	denied("front", "shop/web", UDP, 8080);
	denied("front", "shop/web", TCP, 5353);
	denied("front", "shop/web", UDP, 5353);
	denied("front", "shop/client", TCP, 8080);
	policies(&q);
	allowed("front", "shop/web", UDP, 5353);
}

static void a_number_as_text_is_a_name(void **state)
{
	struct model_policy p = {
		POLICY("shop", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NAMED(TCP, "8080")) }) },
	};

	policies(&p);
	denied("front", "shop/web", TCP, 8080);
}

/* Peers of one port, and ports of one peer. */
static void a_name_does_not_mix_peers_and_numbers(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .pods = WHERE(IS("role", "frontend")),
		.isolates[POLICY_OUT] = true,
		.rules[POLICY_OUT] = { RULES(
			{ PEERS({ .kind = PEER_PODS, .has_namespaces = true,
				  .pods = WHERE(IS("app", "web")) }),
			  PORTS(NAMED(TCP, "http"), NAMED(UDP, "dns")) }) },
	};

	policies(&p);
	allowed("front", "shop/web", UDP, 5353);
	denied("front", "other/web", UDP, 5353);
	allowed("front", "other/web", TCP, 80);
	denied("front", "shop/web", TCP, 80);
}

/* 1.6 what is never blocked */

static void who_is_on_the_node_reaches_it_and_is_reached(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
	};

	policies(&p);
	allowed(HOST, "db", TCP, 1);
	allowed("db", HOST, UDP, 1);
	allowed("db", HOST6, PING, 0);
	denied("10.0.0.2", "db", TCP, 1);
	denied("db", "10.0.0.2", TCP, 1);
}

static void nobody_is_kept_from_himself(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates = { true, true },
	};

	policies(&p);
	allowed("db", "db", TCP, 1);
	denied("db", "plain", TCP, 1);
}

/* 1.8 protocols, and who is where */

static void protocols_without_ports_are_of_rules_without_ports(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES(
			{ PEERS(PODS(WHERE(IS("role", "frontend")))) },
			{ PORTS(EACH(TCP), EACH(UDP), EACH(SCTP)) }) },
	};

	policies(&p);
	allowed("front", "db", PING, 0);
	allowed("front", "db", 47, 0);
	denied("plain", "db", PING, 0);
	allowed("plain", "db", SCTP, 9);
}

static void who_is_elsewhere_is_held_by_another(void **state)
{
	struct model_policy p = {
		POLICY("other", "p"), .isolates = { true, true },
	};

	policies(&p);
	allowed("front", "other/far", TCP, 80);
	denied("front", "other/web", TCP, 80);
	denied("other/far", "other/web", TCP, 80);
	allowed("other/far", "front", TCP, 80);
}

/* 1.9 tiers */

static void admins_come_before_networkpolicies(void **state)
{
	struct model_policy admin = {
		CLUSTER("a", ADMIN, 10),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_ACCEPT, PORTS(NUMBER(TCP, 1)) },
			{ .action = POLICY_DENY, PORTS(NUMBER(TCP, 2)) }) },
	};
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(RANGE(TCP, 2, 3)) }) },
	};

	policies(&admin, &p);
	allowed("front", "db", TCP, 1);
	denied("front", "db", TCP, 2);
	allowed("front", "db", TCP, 3);
	denied("front", "db", TCP, 4);
	denied("front", "shop/web", TCP, 2);
	allowed("front", "shop/web", TCP, 4);
}

static void the_lower_priority_comes_first_and_then_the_name(void **state)
{
	struct model_policy early = {
		CLUSTER("z", ADMIN, 1),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_ACCEPT, PORTS(NUMBER(TCP, 1)) }) },
	};
	struct model_policy late = {
		CLUSTER("b", ADMIN, 1000),
		.rules[POLICY_IN] = { RULES({ .action = POLICY_DENY }) },
	};
	struct model_policy same = {
		CLUSTER("a", ADMIN, 1000),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_ACCEPT, PORTS(NUMBER(TCP, 2)) }) },
	};

	policies(&early, &late, &same);
	allowed("front", "db", TCP, 1);
	allowed("front", "db", TCP, 2);
	denied("front", "db", TCP, 3);
}

static void the_first_rule_that_matches_decides(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_OUT] = { RULES(
			{ .action = POLICY_DENY, PORTS(NUMBER(TCP, 1)) },
			{ .action = POLICY_ACCEPT, PORTS(RANGE(TCP, 1, 2)) },
			{ .action = POLICY_DENY }) },
	};

	policies(&p);
	denied("front", "db", TCP, 1);
	allowed("front", "db", TCP, 2);
	denied("front", "db", TCP, 3);
	denied("front", "172.17.0.5", PING, 0);
}

static void to_pass_is_to_leave_the_tier(void **state)
{
	struct model_policy admin = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_PASS, PORTS(RANGE(TCP, 1, 3)) }) },
	};
	struct model_policy never = {
		CLUSTER("b", ADMIN, 2),
		.rules[POLICY_IN] = { RULES({ .action = POLICY_DENY }) },
	};
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 1)) }) },
	};
	struct model_policy base = {
		CLUSTER("c", BASELINE, 0),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_PASS, PORTS(NUMBER(TCP, 3)) },
			{ .action = POLICY_DENY }) },
	};

	policies(&admin, &never, &p, &base);
	allowed("front", "db", TCP, 1);
	denied("front", "db", TCP, 2);		/* isolated */
	denied("front", "db", TCP, 4);		/* by the second of them */
	denied("front", "shop/web", TCP, 2);	/* by the baseline */
	allowed("front", "shop/web", TCP, 3);	/* passed on to nobody */
}

static void the_baseline_is_for_who_is_not_isolated(void **state)
{
	struct model_policy base = {
		CLUSTER("a", BASELINE, 0),
		.rules = { { RULES({ .action = POLICY_DENY }) },
			   { RULES({ .action = POLICY_DENY,
				     PORTS(NUMBER(TCP, 9)) }) } },
	};
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 1)) }) },
	};

	policies(&base, &p);
	allowed("other/far", "db", TCP, 1);
	denied("other/far", "db", TCP, 2);
	denied("other/far", "shop/web", TCP, 1);
	denied("db", "172.17.0.5", TCP, 9);	/* not isolated that way */
}

static void a_section_without_rules_isolates_nobody(void **state)
{
	struct model_policy p = { CLUSTER("a", ADMIN, 1) };

	policies(&p);
	allowed("front", "db", TCP, 1);
	allowed("172.17.0.5", "db", TCP, 1);
}

static void a_subject_is_pods_of_namespaces(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.namespaces = WHERE(NOT("kubernetes.io/metadata.name", "shop")),
		.pods = WHERE(IS("app", "web")),
		.rules[POLICY_IN] = { RULES({ .action = POLICY_DENY }) },
	};

	policies(&p);
	denied("front", "other/web", TCP, 80);
	allowed("front", "shop/web", TCP, 80);
	allowed("front", "other/buyer", TCP, 80);
	allowed("fd99::1", HOST6, TCP, 80);
}

/* Pods as well; a pod's rule before it keeps them out. */
static void networks_match_pods(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_OUT] = { RULES(
			{ .action = POLICY_PASS,
			  PEERS(NAMESPACES(WHERE(IS("user", "alice")))) },
			{ .action = POLICY_DENY, PEERS(BLOCK("0.0.0.0/0"),
						       BLOCK("::/0")) }) },
	};

	policies(&p);
	allowed("front", "shop/web", TCP, 80);
	denied("front", "other/web", TCP, 80);
	denied("front", "172.17.0.5", PING, 0);
	denied("front", "fd99::1", PING, 0);
}

static void nodes_are_their_addresses(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_OUT] = { RULES(
			{ .action = POLICY_ACCEPT,
			  PEERS(NODES(WHERE(IS("zone", "b")))) },
			{ .action = POLICY_DENY,
			  PEERS(NODES(EVERYTHING)) }) },
	};

	policies(&p);
	denied("db", "10.0.0.2", TCP, 1);
	denied("db", "fd00::2", TCP, 1);
	allowed("db", "10.0.0.3", TCP, 1);
	allowed("db", "10.0.0.4", TCP, 1);
	allowed("db", HOST, TCP, 1);
}

static void a_name_without_protocol_is_of_any(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_ACCEPT, PORTS(NAMED(0, "http"),
							 NAMED(0, "dns")) },
			{ .action = POLICY_DENY }) },
	};

	policies(&p);
	allowed("front", "shop/web", TCP, 8080);
	allowed("front", "shop/web", UDP, 5353);
	denied("front", "shop/web", TCP, 5353);
	denied("front", "db", TCP, 8080);
}

static void to_accept_one_end_is_not_the_other(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_OUT] = { RULES({ .action = POLICY_ACCEPT }) },
	};
	struct model_policy q = {
		POLICY("default", "q"), .isolates = { true, true },
	};

	policies(&p, &q);
	allowed("db", "172.17.0.5", TCP, 1);
	allowed("db", "shop/web", TCP, 1);
	denied("db", "plain", TCP, 1);
}

static void what_decides_is_named(void **state)
{
	struct model_policy admin = {
		CLUSTER("a", ADMIN, 1),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_PASS, PORTS(NUMBER(TCP, 1)) },
			{ .action = POLICY_DENY, PORTS(NUMBER(TCP, 2)) }) },
	};
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 9)) },
					    { PORTS(NUMBER(TCP, 1)) }) },
	};
	struct evaluator_verdict v;

	policies(&admin, &p);
	v = answer(POLICY_IN, "front", "db", TCP, 2).is;
	assert_false(v.allowed);
	assert_ptr_equal(v.policy, &admin);
	assert_int_equal(v.rule, 1);
	v = answer(POLICY_IN, "front", "db", TCP, 1).is;
	assert_true(v.allowed);
	assert_ptr_equal(v.policy, &p);
	assert_int_equal(v.rule, 1);
	v = answer(POLICY_IN, "front", "db", TCP, 3).is;
	assert_int_equal(v.why, WHY_ISOLATED);
	v = answer(POLICY_OUT, "front", "db", TCP, 3).is;
	assert_int_equal(v.why, WHY_DEFAULT);
	v = answer(POLICY_IN, "front", "172.17.0.5", TCP, 3).is;
	assert_int_equal(v.why, WHY_NO_POD);
	v = answer(POLICY_IN, HOST, "db", TCP, 3).is;
	assert_int_equal(v.why, WHY_NEVER_BLOCKED);
}

/* What is under audit does nothing, and is said. */

static void audit(bool is, bool would, __u16 port)
{
	struct evaluator_answer a = answer(POLICY_IN, "front", "db", TCP, port);

	assert_int_equal(a.is.allowed, is);
	assert_int_equal(a.would.allowed, would);
}

static void under_audit_nobody_is_isolated(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.audit = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 1)) }) },
	};

	policies(&p);
	audit(true, true, 1);
	audit(true, false, 2);
	allowed("front", "db", TCP, 2);
}

static void under_audit_nothing_is_accepted(void **state)
{
	struct model_policy p = {
		POLICY("default", "p"), .isolates[POLICY_IN] = true,
		.audit = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 1)) }) },
	};
	struct model_policy q = {
		POLICY("default", "q"), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PORTS(NUMBER(TCP, 2)) }) },
	};

	policies(&p, &q);
	audit(false, true, 1);
	audit(true, true, 2);
	audit(false, false, 3);
}

static void under_audit_tiers_do_nothing(void **state)
{
	struct model_policy p = {
		CLUSTER("a", ADMIN, 1), .audit = true,
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_DENY, PORTS(NUMBER(TCP, 1)) },
			{ .action = POLICY_PASS, PORTS(NUMBER(TCP, 2)) },
			{ .action = POLICY_ACCEPT, PORTS(NUMBER(TCP, 3)) }) },
	};
	struct model_policy q = {
		CLUSTER("b", ADMIN, 2),
		.rules[POLICY_IN] = { RULES(
			{ .action = POLICY_DENY, PORTS(RANGE(TCP, 2, 3)) }) },
	};

	policies(&p, &q);
	audit(true, false, 1);
	audit(false, true, 2);
	audit(false, true, 3);
	audit(true, true, 4);
}

/* The examples of the documentation */

static void the_example_of_the_documentation(void **state)
{
	struct model_policy p = {
		POLICY("default", "test-network-policy"),
		.pods = WHERE(IS("role", "db")), .isolates = { true, true },
		.rules[POLICY_IN] = { RULES({
			PEERS(BLOCK_BUT("172.17.0.0/16",
					prefix_of("172.17.1.0/24")),
			      NAMESPACES(WHERE(IS("project", "myproject"))),
			      PODS(WHERE(IS("role", "frontend")))),
			PORTS(NUMBER(TCP, 6379)) }) },
		.rules[POLICY_OUT] = { RULES({
			PEERS(BLOCK("10.0.0.0/24")),
			PORTS(NUMBER(TCP, 5978)) }) },
	};

	policies(&p);
	allowed("front", "db", TCP, 6379);
	allowed("shop/web", "db", TCP, 6379);
	allowed("172.17.0.5", "db", TCP, 6379);
	allowed("172.17.2.0", "db", TCP, 6379);
	denied("172.17.1.5", "db", TCP, 6379);
	denied("plain", "db", TCP, 6379);
	denied("other/buyer", "db", TCP, 6379);
	denied("front", "db", TCP, 6380);
	denied("front", "db", UDP, 6379);
	allowed("db", "10.0.0.7", TCP, 5978);
	denied("db", "10.0.1.7", TCP, 5978);
	denied("db", "10.0.0.7", TCP, 5979);
	denied("db", "front", TCP, 5978);
	allowed("front", "plain", TCP, 6380);
}

static void many_ports_by_one_range(void **state)
{
	struct model_policy p = {
		POLICY("default", "multi-port-egress"),
		.pods = WHERE(IS("role", "db")), .isolates[POLICY_OUT] = true,
		.rules[POLICY_OUT] = { RULES({
			PEERS(BLOCK("10.0.0.0/24")),
			PORTS(RANGE(TCP, 32000, 32768)) }) },
	};

	policies(&p);
	denied("db", "10.0.0.7", TCP, 31999);
	allowed("db", "10.0.0.7", TCP, 32000);
	allowed("db", "10.0.0.7", TCP, 32768);
	denied("db", "10.0.0.7", TCP, 32769);
	denied("db", "10.0.0.7", UDP, 32100);
}

/* Its recipes: deny all of each direction, then allow all. */
static void defaults_of_a_namespace(void **state)
{
	struct model_policy deny_in = {
		POLICY("default", "default-deny-ingress"),
		.isolates[POLICY_IN] = true,
	};
	struct model_policy deny_out = {
		POLICY("default", "default-deny-egress"),
		.isolates[POLICY_OUT] = true,
	};
	struct model_policy allow_in = {
		POLICY("default", "allow-all-ingress"),
		.isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ 0 }) },
	};
	struct model_policy allow_out = {
		POLICY("default", "allow-all-egress"),
		.isolates[POLICY_OUT] = true,
		.rules[POLICY_OUT] = { RULES({ 0 }) },
	};

	policies(&deny_in);
	denied("front", "db", TCP, 80);
	allowed("front", "shop/web", TCP, 80);
	policies(&deny_out);
	denied("front", "shop/web", UDP, 53);
	allowed("shop/web", "front", TCP, 80);
	policies(&deny_in, &deny_out);
	denied("front", "shop/web", UDP, 53);
	denied("shop/web", "front", TCP, 80);
	policies(&deny_in, &deny_out, &allow_in);
	allowed("shop/web", "front", TCP, 80);
	denied("db", "front", TCP, 80);
	policies(&deny_in, &deny_out, &allow_in, &allow_out);
	allowed("db", "front", TCP, 80);
}

/* Well-known recipes: who is let in from other namespaces. */
static void from_other_namespaces(void **state)
{
	struct model_policy own = {
		POLICY("shop", "deny-from-other-namespaces"),
		.isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PEERS(PODS(EVERYTHING)) }) },
	};
	struct model_policy all = {
		POLICY("shop", "web-allow-all-namespaces"),
		.pods = WHERE(IS("app", "web")), .isolates[POLICY_IN] = true,
		.rules[POLICY_IN] = { RULES({ PEERS(NAMESPACES(EVERYTHING)) })
		},
	};

	policies(&own);
	allowed("shop/client", "shop/web", TCP, 80);
	denied("front", "shop/web", TCP, 80);
	denied("172.17.0.5", "shop/web", TCP, 80);
	policies(&all);
	allowed("front", "shop/web", TCP, 80);
	denied("172.17.0.5", "shop/web", TCP, 80);
	allowed("172.17.0.5", "shop/client", TCP, 80);
}

/* Inside may be left for DNS alone. */
static void nothing_external_but_names(void **state)
{
	struct model_policy p = {
		POLICY("default", "foo-deny-external-egress"),
		.pods = WHERE(IS("role", "db")), .isolates[POLICY_OUT] = true,
		.rules[POLICY_OUT] = { RULES(
			{ PORTS(NUMBER(UDP, 53), NUMBER(TCP, 53)) },
			{ PEERS(NAMESPACES(EVERYTHING)) }) },
	};

	policies(&p);
	allowed("db", "172.17.0.5", UDP, 53);
	allowed("db", "172.17.0.5", TCP, 53);
	denied("db", "172.17.0.5", TCP, 443);
	allowed("db", "other/web", TCP, 443);
}

#define TEST(f) cmocka_unit_test(f)

static const struct CMUnitTest tests[] = {
	TEST(who_no_policy_selects_may_all),
	TEST(a_policy_selects_in_its_own_namespace_alone),
	TEST(an_empty_selector_selects_all_of_the_namespace),
	TEST(directions_are_isolated_each_by_itself),
	TEST(policies_are_added_up),
	TEST(both_ends_must_allow),
	TEST(peers_and_ports_of_two_rules_do_not_mix),
	TEST(a_section_of_a_direction_not_listed_is_ignored),
	TEST(no_rule_denies_all),
	TEST(a_rule_without_restriction_allows_all),
	TEST(no_peers_are_all_of_them),
	TEST(no_ports_are_all_of_them),
	TEST(a_port_without_number_is_each_of_its_protocol),
	TEST(pods_alone_are_of_the_own_namespace),
	TEST(namespaces_alone_are_all_of_their_pods),
	TEST(both_in_one_peer_must_match),
	TEST(in_two_peers_one_must_match),
	TEST(selectors_match_nothing_but_pods),
	TEST(who_is_in_the_hosts_network_is_no_pod),
	TEST(not_in_and_does_not_exist_match_without_the_key),
	TEST(an_empty_value_is_not_an_absent_key),
	TEST(all_requirements_must_be_met),
	TEST(each_namespace_has_its_name_as_a_label),
	TEST(a_block_is_a_network_but_its_exceptions),
	TEST(an_exception_is_of_its_own_block_alone),
	TEST(a_block_is_of_one_family),
	TEST(a_block_matches_pods_as_well),
	TEST(every_block_that_has_the_address_counts),
	TEST(what_cannot_be_known_accepts_nobody),
	TEST(a_range_has_both_its_ends),
	TEST(protocols_are_told_apart),
	TEST(a_name_is_the_destinations),
	TEST(a_name_goes_with_its_protocol),
	TEST(a_number_as_text_is_a_name),
	TEST(a_name_does_not_mix_peers_and_numbers),
	TEST(who_is_on_the_node_reaches_it_and_is_reached),
	TEST(nobody_is_kept_from_himself),
	TEST(protocols_without_ports_are_of_rules_without_ports),
	TEST(who_is_elsewhere_is_held_by_another),
	TEST(admins_come_before_networkpolicies),
	TEST(the_lower_priority_comes_first_and_then_the_name),
	TEST(the_first_rule_that_matches_decides),
	TEST(to_pass_is_to_leave_the_tier),
	TEST(the_baseline_is_for_who_is_not_isolated),
	TEST(a_section_without_rules_isolates_nobody),
	TEST(a_subject_is_pods_of_namespaces),
	TEST(networks_match_pods),
	TEST(nodes_are_their_addresses),
	TEST(a_name_without_protocol_is_of_any),
	TEST(to_accept_one_end_is_not_the_other),
	TEST(what_decides_is_named),
	TEST(under_audit_nobody_is_isolated),
	TEST(under_audit_nothing_is_accepted),
	TEST(under_audit_tiers_do_nothing),
	TEST(the_example_of_the_documentation),
	TEST(many_ports_by_one_range),
	TEST(defaults_of_a_namespace),
	TEST(from_other_namespaces),
	TEST(nothing_external_but_names),
};

int main(void)
{
	return cmocka_run_group_tests(tests, set_up, NULL);
}
