// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Workloads, namespaces and policies in files: what comes of them, and each
 * mistake with its place. What a policy's spec may say, and what it means, is
 * with that of Kubernetes' objects (kubernetes/policies_test.c).
 */
#include <errno.h>

#include "../kubernetes/said.h"

#include "base/cleanup.h"
#include "policy_print.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct said said;

static int set_up(void **state)
{
	return said_open(&said, NULL);
}

static int tear_down(void **state)
{
	said_close(&said);
	return 0;
}

/* What is reported, with "F" for the file. */
static char *shorten(char *text)
{
	size_t len = strlen(said.path);
	char *found;

	while ((found = strstr(text, said.path))) {
		*found = 'F';
		memmove(found + 1, found + len, strlen(found + len) + 1);
	}
	return text;
}

/* The set that text makes, as text. */
static char *set_of(const char *text)
{
	__cleanup(model_freep) struct model *m = NULL;
	__cleanup(free_text) char *errors = NULL;
	int err = said_now(&said, text, &m, &errors);

	if (err || *errors)
		print_error("%s\n%s", text, errors);
	assert_int_equal(err, 0);
	assert_string_equal(errors, "");
	return policy_set_text(m->policy);
}

static void expect(const char *text, const char *expected)
{
	__cleanup(free_text) char *is = set_of(text);

	assert_string_equal(is, expected);
}

static void all_of_it(void **state)
{
	expect("workloads:\n"
	       "- name: web-1\n"
	       "  interface: veth1a2b\n"
	       "  addresses: [10.1.0.5, 'fd00::5']\n"
	       "  labels: {tier: '', app: web, example.com/a: 1}\n"
	       "  ports:\n"
	       "  - {name: http, port: 80}\n"
	       "  - {name: dns, port: 53, protocol: udp}\n"
	       "  - {name: dns, port: 53, protocol: TCP}\n"
	       "  limits: {packets: 10k, bits: 100M, connections-per-second: 200,\n"
	       "           connections: 1000}\n"
	       "  spoofing: allow\n"
	       "- {name: db, namespace: back, addresses: [10.1.0.6]}\n"
	       "namespaces:\n"
	       "- {name: default, labels: {team: a}}\n"
	       "policies:\n"
	       "- name: web-only-from-front\n"
	       "  spec:\n"
	       "    podSelector: {matchLabels: {app: web}}\n"
	       "    ingress:\n"
	       "    - from: [{podSelector: {matchLabels: {app: front}}}]\n"
	       "      ports: [{port: 80}]\n"
	       "- {name: try, namespace: back, audit: true, spec: {podSelector: {}}}\n",

	       "workload back/db 10.1.0.6 {} here\n"
	       "workload default/web-1 10.1.0.5 fd00::5 "
	       "{app=web example.com/a=1 tier=} http:80/tcp dns:53/udp "
	       "dns:53/tcp veth1a2b here spoofs "
	       "limits 10000 100000000 200 1000\n"
	       "namespace back {kubernetes.io/metadata.name=back}\n"
	       "namespace default {kubernetes.io/metadata.name=default team=a}\n"
	       "policy back/try pods(*), isolates in, audit\n"
	       "policy default/web-only-from-front pods(app=web), isolates in\n"
	       "in accept from pods(app=front) at tcp:80\n");
}

static void services_beside_it_are_cut_out(void **state)
{
	expect("services:\n"
	       "- {name: a, address: 192.0.2.1, port: 80}\n"
	       "workloads:\n"
	       "- {name: w, addresses: [10.1.0.5]}\n",
	       "workload default/w 10.1.0.5 {} here\n"
	       "namespace default {kubernetes.io/metadata.name=default}\n");
}

static void nothing_is_said(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	__cleanup(free_text) char *errors = NULL;

	assert_int_equal(said_now(&said, "services: []", &m, &errors), 0);
	assert_null(m->policy);
}

static void an_empty_list_is_said(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	__cleanup(free_text) char *errors = NULL;

	assert_int_equal(said_now(&said, "policies: []", &m, &errors), 0);
	assert_non_null(m->policy);
	assert_false(m->policy->knows_all);
	assert_false(m->policy->is_partial);
}

#define WORKLOAD "workloads:\n- {name: w, addresses: [10.1.0.5]"
#define POLICY "policies:\n- {name: p, spec: {"

static const struct { const char *text, *error; } mistakes[] = {
	/* the lists */
	{ "workloads:", "1:11: workloads needs a list, not nothing; an empty list is \"[]\"" },
	{ "policies: {}", "1:11: policies needs a list" },
	{ "namespaces: a", "1:13: namespaces needs a list" },
	{ "workloads: [a]", "1:13: a workload needs keys and values, not a single value" },
	{ "policies: [[]]", "1:12: a policy needs keys and values, not a list" },
	{ "namespaces: [~]", "1:14: a namespace needs keys and values, not nothing" },

	/* names */
	{ "workloads:\n- {addresses: [10.1.0.5]}", "2:3: a workload needs \"name\"" },
	{ "workloads:\n- {name: w}", "2:3: a workload needs \"addresses\"" },
	{ "policies:\n- {name: p}", "2:3: a policy needs \"spec\"" },
	{ "namespaces:\n- {labels: {}}", "2:3: a namespace needs \"name\"" },
	{ "namespaces:\n- {name: a b}", "2:10: name \"a b\" has other characters than letters, digits and \"-_.:/@\"" },
	{ "namespaces:\n- {name: a/b}", "2:10: name \"a/b\" has other characters than letters, digits and \"-_.\"" },
	{ "namespaces:\n- {name: ''}", "2:10: name is empty" },
	{ WORKLOAD ", namespace: [a]}", "2:47: namespace needs a value, not a list" },
	{ "namespaces:\n- {name: a23456789012345678901234567890123456789012345678901234567890123}\n- {name: a234567890123456789012345678901234567890123456789012345678901234}",
	  "3:10: name \"a2345678901234567890123456789012...\" has 64 bytes; at most 63 are allowed" },

	/* keys */
	{ WORKLOAD ", lables: {}}", "2:36: unknown key \"lables\" in a workload; did you mean \"labels\"?" },
	{ WORKLOAD ", spec: {}}", "2:36: unknown key \"spec\" in a workload; known: name, namespace, labels, interface, addresses, ports, limits, spoofing" },
	{ POLICY "}, kind: a}", "2:23: unknown key \"kind\" in a policy; known: name, namespace, audit, spec" },
	{ "namespaces:\n- {name: a, label: {}}", "2:13: unknown key \"label\" in a namespace; did you mean \"labels\"?" },

	/* a workload */
	{ "workloads:\n- {name: w, addresses: []}", "2:24: a workload needs an address" },
	{ "workloads:\n- {name: w, addresses: 10.1.0.5}", "2:24: addresses needs a list" },
	{ "workloads:\n- {name: w, addresses: [10.1.0]}", "2:25: address \"10.1.0\" is not an IPv4 or IPv6 address" },
	{ "workloads:\n- {name: w, addresses: [127.0.0.1]}", "2:25: address \"127.0.0.1\" is a loopback address" },
	{ "workloads:\n- {name: w, addresses: [10.1.0.5, 10.1.0.5]}", "2:35: address \"10.1.0.5\" is listed twice" },
	{ "workloads:\n- {name: w, addresses: [10.1.0.1, 10.1.0.2, 10.1.0.3, 10.1.0.4, 10.1.0.5]}", "2:65: more than 4 addresses" },
	{ WORKLOAD ", interface: a/b}", "2:47: interface \"a/b\" is not an interface name" },
	{ WORKLOAD ", interface: a234567890123456}", "2:47: interface \"a234567890123456\" is not an interface name" },
	{ WORKLOAD ", labels: [a]}", "2:44: labels need keys and values" },
	{ WORKLOAD ", labels: a}", "2:44: labels need keys and values" },
	{ WORKLOAD ", labels: {a: [b]}}", "2:48: label \"a\" needs text" },
	{ WORKLOAD ", labels: {'a b': c}}", "2:45: \"a b\" is not the key of a label" },
	{ WORKLOAD ", labels: {/a: c}}", "2:45: \"/a\" is not the key of a label" },
	{ WORKLOAD ", labels: {a/: c}}", "2:45: \"a/\" is not the key of a label" },
	{ WORKLOAD ", labels: {a/b/c: c}}", "2:45: \"a/b/c\" is not the key of a label" },
	{ WORKLOAD ", ports: {}}", "2:43: ports needs a list" },
	{ WORKLOAD ", ports: [80]}", "2:44: a port needs keys and values, not a single value" },
	{ WORKLOAD ", ports: [{port: 80}]}", "2:44: a port needs \"name\"" },
	{ WORKLOAD ", ports: [{name: a}]}", "2:44: a port needs \"port\"" },
	{ WORKLOAD ", ports: [{name: a, port: 0}]}", "2:60: port \"0\" is not a number from 1 to 65535" },
	{ WORKLOAD ", ports: [{name: a, port: 1, protocol: icmp}]}", "2:73: unknown protocol \"icmp\"; did you mean \"tcp\"?" },
	{ WORKLOAD ", ports: [{name: a, prt: 1, port: 1}]}", "2:54: unknown key \"prt\" in a port; did you mean \"port\"?" },
	{ WORKLOAD ", limits: 5}", "2:44: limits needs keys and values, not a single value" },
	{ WORKLOAD ", limits: {packets: 0}}", "2:54: packets \"0\" is not an amount from 1 to 4294967295 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {packets: 5G}}", "2:54: packets \"5G\" is not an amount from 1 to 4294967295 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {bits: 10MB}}", "2:51: bits \"10MB\" is not an amount from 1 to 1000000000000 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {bits: k}}", "2:51: bits \"k\" is not an amount from 1 to 1000000000000 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {bits: 99999999999999999999}}", "2:51: bits \"99999999999999999999\" is not an amount from 1 to 1000000000000 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {connections: -1}}", "2:58: connections \"-1\" is not an amount from 1 to 4294967295 such as \"200\", \"10k\" or \"100M\"" },
	{ WORKLOAD ", limits: {conns: 1}}", "2:45: unknown key \"conns\" in limits; known: packets, bits, connections-per-second, connections" },
	{ WORKLOAD ", spoofing: yes}", "2:46: unknown spoofing \"yes\"; known: deny, allow" },

	/* a policy */
	{ POLICY "}, audit: maybe}", "2:30: audit \"maybe\" is not true or false" },
	{ "policies:\n- {name: p, spec: []}", "2:19: spec needs keys and values, not a list" },
	{ "policies:\n- {name: p, spec: a}", "2:19: spec needs keys and values, not a single value" },
	{ POLICY "podSelecter: {}}}", "2:20: unknown field \"podSelecter\" in spec; did you mean \"podSelector\"?" },
	{ POLICY "ingress: [{form: []}]}}", "2:31: ingress[0]: unknown field \"form\" in a rule; did you mean \"from\"?" },
	{ POLICY "ingress: [{from: [{podSelektor: {}}]}]}}", "2:39: ingress[0].from[0]: unknown field \"podSelektor\" in a peer; did you mean \"podSelector\"?" },
	{ POLICY "ingress: [{ports: [{prot: TCP}]}]}}", "2:40: ingress[0].ports[0]: unknown field \"prot\" in a port; did you mean \"port\"?" },
	{ POLICY "ingress: [{from: [{}]}]}}", "2:38: ingress[0].from[0]: a peer needs podSelector, namespaceSelector or ipBlock" },

	/* twice */
	{ "namespaces:\n- {name: a}\n- {name: a}", "3:10: namespace \"a\" is defined already at F:2:10" },
	{ WORKLOAD "}\n- {name: w, namespace: default, addresses: [10.1.0.6]}", "3:10: workload \"default/w\" is defined already at F:2:10" },
	{ POLICY "}}\n---\n" POLICY "}}", "5:10: policy \"default/p\" is defined already at F:2:10" },
};

static void each_mistake_has_its_place(void **state)
{
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		__cleanup(free_text) char *errors = NULL;
		struct model *m = NULL;
		char expected[512];
		int err = said_now(&said, mistakes[i].text, &m, &errors);

		snprintf(expected, sizeof(expected), "F:%s\n",
			 mistakes[i].error);
		if (err != -EINVAL || strcmp(shorten(errors), expected))
			print_error("%s\n", mistakes[i].text);
		assert_string_equal(errors, expected);
		assert_int_equal(err, -EINVAL);
	}
}

static void every_mistake_is_said(void **state)
{
	__cleanup(free_text) char *errors = NULL;
	struct model *m = NULL;
	int err = said_now(&said,
			   "policies:\n"
			   "- {name: p, spec: {ingress: [{from: [{}], ports: [{port: 0}]}],\n"
			   "   policyTypes: [Both]}}\n"
			   "workloads:\n"
			   "- {name: w, addresses: [a], interface: a/b}\n",
			   &m, &errors);

	assert_int_equal(err, -EINVAL);
	assert_string_equal(shorten(errors),
		"F:5:25: address \"a\" is not an IPv4 or IPv6 address\n"
		"F:5:40: interface \"a/b\" is not an interface name\n"
		"F:3:18: policyTypes: \"Both\" is neither Ingress nor Egress\n"
		"F:2:58: ingress[0].ports[0]: port \"0\" is not a number from 1 to 65535\n"
		"F:2:38: ingress[0].from[0]: a peer needs podSelector, namespaceSelector or ipBlock\n");
}

/* Whoever has the set before need not look at what did not change. */
static void what_is_the_same_stays_the_same(void **state)
{
	__cleanup(model_freep) struct model *a = NULL, *b = NULL, *c = NULL;
	__cleanup(free_text) char *errors = NULL;
	const char *one = WORKLOAD "}\n- {name: x, addresses: [10.1.0.6]}";
	const char *two = "# moved\n" WORKLOAD "}\n- {name: x, addresses: [10.1.0.7]}";

	assert_int_equal(said_now(&said, one, &a, &errors), 0);
	free(take_ptr(errors));
	assert_int_equal(said_now(&said, two, &b, &errors), 0);
	assert_ptr_not_equal(a->policy, b->policy);
	assert_ptr_equal(a->policy->workloads[0], b->policy->workloads[0]);
	assert_ptr_not_equal(a->policy->workloads[1], b->policy->workloads[1]);
	assert_ptr_equal(a->policy->namespaces[0], b->policy->namespaces[0]);
	free(take_ptr(errors));
	/* and once more, as the same item is another part's now */
	assert_int_equal(said_now(&said, one, &c, &errors), 0);
	assert_ptr_equal(a->policy->workloads[0], c->policy->workloads[0]);
}

static void what_has_a_mistake_leaves_the_rest_in_force(void **state)
{
	__cleanup(free_text) char *errors = NULL;
	struct model *m = NULL;

	free(set_of(WORKLOAD "}"));
	assert_int_equal(said_now(&said, "workloads: [{name: w}]", &m, &errors),
			 -EINVAL);
	assert_null(m);
	expect(WORKLOAD "}", "workload default/w 10.1.0.5 {} here\n"
	       "namespace default {kubernetes.io/metadata.name=default}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it),
		TEST(services_beside_it_are_cut_out),
		TEST(nothing_is_said),
		TEST(an_empty_list_is_said),
		TEST(each_mistake_has_its_place),
		TEST(every_mistake_is_said),
		TEST(what_is_the_same_stays_the_same),
		TEST(what_has_a_mistake_leaves_the_rest_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
