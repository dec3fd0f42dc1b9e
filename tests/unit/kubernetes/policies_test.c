// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Manifests in, a policy_set out, a case for each sentence of the API about
 * Pods, Namespaces, Nodes, NetworkPolicy and ClusterNetworkPolicy; and what is
 * refused, with its message. What comes out is text: policy_print.h.
 */
#include <errno.h>

#include "said.h"

#include "base/cleanup.h"
#include "policy_print.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct said said;

static int set_up(void **state)
{
	const struct given node = { .key = "hostname-override", .value = "n1" };

	return said_open(&said, &node);
}

static int tear_down(void **state)
{
	said_close(&said);
	return 0;
}

#define OBJECT(api, kind, metadata, rest) \
	"---\n{apiVersion: " api ", kind: " kind ", metadata: {" metadata "}" \
	rest "}\n"
#define POD(metadata, spec, status) \
	OBJECT("v1", "Pod", metadata, ", spec: {" spec "}, status: {" status "}")
#define NAMESPACE(metadata) OBJECT("v1", "Namespace", metadata, "")
#define NODE(metadata, addresses) \
	OBJECT("v1", "Node", metadata, ", status: {addresses: [" addresses "]}")
#define POLICY_OF(metadata, spec) \
	OBJECT("networking.k8s.io/v1", "NetworkPolicy", metadata, \
	       ", spec: {" spec "}")
#define POLICY(spec) POLICY_OF("name: p", spec)
#define CLUSTER(spec) \
	OBJECT("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", \
	       "name: c", ", spec: {" spec "}")
#define RULES "tier: Admin, priority: 5, subject: {namespaces: {}}, "
#define DEFAULT "namespace default {kubernetes.io/metadata.name=default}\n"

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

static char *set_of(const char *text, char **errors)
{
	struct model *m = NULL;
	int err = said_now(&said, text, &m, errors);
	char *ret;

	shorten(*errors);
	assert_int_equal(err, 0);
	ret = policy_set_text(m->policy);
	model_free(m);
	return ret;
}

static void expect(const char *text, const char *expected)
{
	__cleanup(free_text) char *errors = NULL;
	__cleanup(free_text) char *is = set_of(text, &errors);

	if (strcmp(is, expected) || *errors)
		print_error("%s%s", text, errors);
	assert_string_equal(is, expected);
	assert_string_equal(errors, "");
}

/* It is in force, but something of it is not. */
static void expect_doubt(const char *text, const char *expected,
			 const char *doubt)
{
	__cleanup(free_text) char *errors = NULL;
	__cleanup(free_text) char *is = set_of(text, &errors);
	char line[600];

	snprintf(line, sizeof(line), "F:%s\n", doubt);
	if (strcmp(is, expected) || strcmp(errors, line))
		print_error("%s", text);
	assert_string_equal(is, expected);
	assert_string_equal(errors, line);
}

static const struct { const char *text, *expected; } policies[] = {
	/* an empty or missing podSelector: all pods of the namespace */
	{ POLICY(""), "policy default/p pods(*), isolates in\n" },
	{ POLICY("podSelector: {}"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("podSelector: ~"), "policy default/p pods(*), isolates in\n" },
	{ OBJECT("networking.k8s.io/v1", "NetworkPolicy", "name: p", ""),
	  "policy default/p pods(*), isolates in\n" },
	{ POLICY_OF("name: p, namespace: a", "podSelector: {}"),
	  "policy a/p pods(*), isolates in\n" },

	/* policyTypes: absent or [] are Ingress, and Egress if there are rules */
	{ POLICY("policyTypes: []"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("policyTypes: ~"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("egress: []"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("egress: ~"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("egress: [{}]"),
	  "policy default/p pods(*), isolates in out\nout accept\n" },
	{ POLICY("egress: [{to: [{podSelector: {}}]}]"),
	  "policy default/p pods(*), isolates in out\nout accept to pods(*)\n" },
	{ POLICY("policyTypes: [], egress: [{}], ingress: [{}]"),
	  "policy default/p pods(*), isolates in out\nin accept\nout accept\n" },
	/* given, they alone decide, in any order */
	{ POLICY("policyTypes: [Ingress], egress: [{}]"),
	  "policy default/p pods(*), isolates in\n" },
	{ POLICY("policyTypes: [Egress], ingress: [{}]"),
	  "policy default/p pods(*), isolates out\n" },
	{ POLICY("policyTypes: [Egress]"),
	  "policy default/p pods(*), isolates out\n" },
	{ POLICY("policyTypes: [Egress, Ingress]"),
	  "policy default/p pods(*), isolates in out\n" },
	{ POLICY("policyTypes: [Ingress, Ingress]"),
	  "policy default/p pods(*), isolates in\n" },

	/* rules: none is nothing, an empty one is everything */
	{ POLICY("ingress: []"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("ingress: ~"), "policy default/p pods(*), isolates in\n" },
	{ POLICY("ingress: [{}]"),
	  "policy default/p pods(*), isolates in\nin accept\n" },
	/* peers: none are all */
	{ POLICY("ingress: [{from: []}]"),
	  "policy default/p pods(*), isolates in\nin accept\n" },
	{ POLICY("ingress: [{from: ~}]"),
	  "policy default/p pods(*), isolates in\nin accept\n" },
	/* ports: none are all, an empty one is TCP's */
	{ POLICY("ingress: [{ports: []}]"),
	  "policy default/p pods(*), isolates in\nin accept\n" },
	{ POLICY("ingress: [{ports: ~}]"),
	  "policy default/p pods(*), isolates in\nin accept\n" },
	{ POLICY("ingress: [{ports: [{}]}]"),
	  "policy default/p pods(*), isolates in\nin accept at tcp:*\n" },
	{ POLICY("ingress: [{ports: [{port: ~, protocol: ~, endPort: ~}]}]"),
	  "policy default/p pods(*), isolates in\nin accept at tcp:*\n" },
	{ POLICY("ingress: [{ports: [{protocol: UDP}]}]"),
	  "policy default/p pods(*), isolates in\nin accept at udp:*\n" },
	{ POLICY("ingress: [{ports: [{port: 80}, {port: 53, protocol: UDP}, "
		 "{port: 9, protocol: SCTP, endPort: 9}, {port: 1, endPort: 65535}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept at tcp:80 udp:53 sctp:9 tcp:1-65535\n" },
	/* a name is one, also if it looks like a number in quotes */
	{ POLICY("ingress: [{ports: [{port: http}, {port: '80'}, {port: 8a}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept at tcp:http tcp:80 tcp:8a\n" },

	/* peers */
	{ POLICY("ingress: [{from: [{podSelector: {}}]}]"),
	  "policy default/p pods(*), isolates in\nin accept from pods(*)\n" },
	{ POLICY("ingress: [{from: [{namespaceSelector: {}}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept from pods(*) of ns(*)\n" },
	{ POLICY("ingress: [{from: [{namespaceSelector: {}, podSelector: ~}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept from pods(*) of ns(*)\n" },
	{ POLICY("ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}, "
		 "podSelector: {matchLabels: {c: d}}}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept from pods(c=d) of ns(a=b)\n" },
	{ POLICY("ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}}, "
		 "{podSelector: {matchLabels: {c: d}}}], ports: [{port: 1}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept from pods(*) of ns(a=b), pods(c=d) at tcp:1\n" },
	{ POLICY("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, "
		 "except: [10.1.0.0/16, 10.2.3.4/32]}}, {ipBlock: {cidr: '::/0', except: ['fd00::/8']}}]}]"),
	  "policy default/p pods(*), isolates in out\n"
	  "out accept to 10.0.0.0/8 but 10.1.0.0/16 but 10.2.3.4, ::/0 but fd00::/8\n" },
	{ POLICY("ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: []}}]}]"),
	  "policy default/p pods(*), isolates in\nin accept from 0.0.0.0/0\n" },
	/* bits behind the prefix do not count */
	{ POLICY("ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/8, except: [10.1.2.3/16]}}]}]"),
	  "policy default/p pods(*), isolates in\n"
	  "in accept from 10.0.0.0/8 but 10.1.0.0/16\n" },

	/* selectors */
	{ POLICY("podSelector: {matchLabels: {z: '', a: b}, matchExpressions: ["
		 "{key: c, operator: In, values: [d, e]}, "
		 "{key: c, operator: NotIn, values: [d]}, "
		 "{key: example.com/x, operator: Exists}, "
		 "{key: y, operator: DoesNotExist, values: []}]}"),
	  "policy default/p pods(a=b c in(d,e) c notin(d) example.com/x !y z=), isolates in\n" },
	{ POLICY("podSelector: {matchLabels: ~, matchExpressions: ~}"),
	  "policy default/p pods(*), isolates in\n" },
	{ POLICY("podSelector: {matchLabels: {}, matchExpressions: []}"),
	  "policy default/p pods(*), isolates in\n" },
	/* what other readers of YAML take for booleans is text */
	{ POLICY_OF("name: p, namespace: y", "podSelector: {matchLabels: {on: no, n: 010}}"),
	  "policy y/p pods(n=010 on=no), isolates in\n" },
	/* of metadata that is unknown nothing depends */
	{ POLICY_OF("name: p, other: {a: b}, annotations: {fairlead.io/audit: 'true'}", ""),
	  "policy default/p pods(*), isolates in, audit\n" },
	{ OBJECT("networking.k8s.io/v1", "NetworkPolicy", "name: p", ", status: {a: [b]}"),
	  "policy default/p pods(*), isolates in\n" },
};

static void what_a_policy_says(void **state)
{
	for (size_t i = 0; i < COUNT(policies); i++)
		expect(policies[i].text, policies[i].expected);
}

#define RULE_DOUBT "policy default/p pods(*), isolates in\nin accept from nobody\n"

/* What a newer API can say, and is not known here. */
static const struct { const char *text, *expected, *doubt; } unknown[] = {
	{ POLICY("selector: {}, ingress: [{}]"),
	  "policy default/p pods(*), isolates in\n",
	  "2:85: NetworkPolicy default/p: unknown field \"selector\" in spec: it is closed" },
	{ POLICY("podSelector: {matchWords: {}}, policyTypes: [Egress], egress: [{}]"),
	  "policy default/p pods(*), isolates out\n",
	  "2:99: NetworkPolicy default/p: unknown field \"matchWords\" in a selector: it is closed" },
	{ POLICY("ingress: [{schedule: daily}]"), RULE_DOUBT,
	  "2:96: NetworkPolicy default/p: ingress[0]: unknown field \"schedule\" in a rule: it is closed" },
	{ POLICY("ingress: [{schedule: daily}, {ports: [{port: 1}]}]"),
	  RULE_DOUBT "in accept at tcp:1\n",
	  "2:96: NetworkPolicy default/p: ingress[0]: unknown field \"schedule\" in a rule: it is closed" },
	{ POLICY("ingress: [{from: [{service: {}}]}]"), RULE_DOUBT,
	  "2:104: NetworkPolicy default/p: ingress[0].from[0]: unknown field \"service\" in a peer: it is closed" },
	{ POLICY("ingress: [{from: [{podSelector: {}, service: {}}, {podSelector: {}}]}]"),
	  "policy default/p pods(*), isolates in\nin accept from nobody, pods(*)\n",
	  "2:121: NetworkPolicy default/p: ingress[0].from[0]: unknown field \"service\" in a peer: it is closed" },
	{ POLICY("ingress: [{from: [{podSelector: {like: a}}]}]"), RULE_DOUBT,
	  "2:118: NetworkPolicy default/p: ingress[0].from[0]: unknown field \"like\" in a selector: it is closed" },
	{ POLICY("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, only: a}}]}]"), RULE_DOUBT,
	  "2:132: NetworkPolicy default/p: ingress[0].from[0]: unknown field \"only\" in ipBlock: it is closed" },
	/* the ports that are known are; none that are left are not all */
	{ POLICY("ingress: [{ports: [{port: 1, http: {}}, {port: 2}]}]"),
	  "policy default/p pods(*), isolates in\nin accept at tcp:2\n",
	  "2:114: NetworkPolicy default/p: ingress[0].ports[0]: unknown field \"http\" in a port: it is closed" },
	{ POLICY("ingress: [{ports: [{port: 1, http: {}}]}]"), RULE_DOUBT,
	  "2:114: NetworkPolicy default/p: ingress[0].ports[0]: unknown field \"http\" in a port: it is closed" },

	/* one that accepts matches nothing, another one denies all */
	{ CLUSTER(RULES "ingress: [{action: Accept, name: r, from: [{namespaces: {}}, {accounts: {}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nin accept \"r\" from nobody\n",
	  "2:220: ClusterNetworkPolicy c: ingress[0].from[1]: unknown field \"accounts\" in a peer: it is closed" },
	{ CLUSTER(RULES "ingress: [{action: Deny, from: [{accounts: {}}], protocols: [{tcp: {destinationPort: {number: 1}}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nin deny\n",
	  "2:191: ClusterNetworkPolicy c: ingress[0].from[0]: unknown field \"accounts\" in a peer: it is closed" },
	{ CLUSTER(RULES "egress: [{action: Pass, to: [{namespaces: {}}], protocols: [{http: {}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nout deny\n",
	  "2:219: ClusterNetworkPolicy c: egress[0].protocols[0]: unknown field \"http\" in a protocol: it is closed" },
	{ CLUSTER(RULES "other: 1, ingress: [{action: Accept, from: [{namespaces: {}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nin accept from nobody\n",
	  "2:158: ClusterNetworkPolicy c: unknown field \"other\" in spec: it is closed" },
	{ CLUSTER(RULES "egress: [{action: Accept, to: [{domainNames: [a.example]}, {nodes: {}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nout accept to nobody, nodes(*)\n",
	  "2:203: ClusterNetworkPolicy c: egress[0].to[0]: domainNames are not supported: they match nobody" },
};

static void what_is_not_known_allows_nothing(void **state)
{
	for (size_t i = 0; i < COUNT(unknown); i++)
		expect_doubt(unknown[i].text, unknown[i].expected,
			     unknown[i].doubt);
}

static const struct { const char *spec, *error; } refused[] = {
	/* peers */
	{ "ingress: [{from: [{}]}]", "ingress[0].from[0]: a peer needs podSelector, namespaceSelector or ipBlock" },
	{ "ingress: [{from: [{podSelector: ~}]}]", "ingress[0].from[0]: a peer needs podSelector, namespaceSelector or ipBlock" },
	{ "ingress: [{from: [~]}]", "ingress[0].from[0]: a peer needs keys and values, not nothing" },
	{ "egress: [{to: [{podSelector: {}}, {}]}]", "egress[0].to[1]: a peer needs podSelector, namespaceSelector or ipBlock" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]", "ingress[0].from[0]: a peer with ipBlock has no selectors" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}]}]", "ingress[0].from[0]: a peer with ipBlock has no selectors" },
	{ "ingress: [{from: [{ipBlock: {}}]}]", "ingress[0].from[0]: ipBlock needs a cidr" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]", "ingress[0].from[0]: cidr \"10.0.0.0\" is not a prefix such as \"192.0.2.0/24\"" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]", "ingress[0].from[0]: cidr \"10.0.0.0/33\" is not a prefix such as \"192.0.2.0/24\"" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]", "ingress[0].from[0]: except \"10.0.0.0/8\" is not a part of its cidr" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [0.0.0.0/0]}}]}]", "ingress[0].from[0]: except \"0.0.0.0/0\" is not a part of its cidr" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]", "ingress[0].from[0]: except \"11.0.0.0/16\" is not a part of its cidr" },
	{ "ingress: [{from: [{ipBlock: {cidr: '::/0', except: [10.0.0.0/8]}}]}]", "ingress[0].from[0]: except \"10.0.0.0/8\" is not a part of its cidr" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [a]}}]}]", "ingress[0].from[0]: except \"a\" is not a prefix such as \"192.0.2.0/24\"" },
	{ "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: {}}}]}]", "ingress[0].from[0]: except needs a list, not keys and values" },
	{ "ingress: [{from: {podSelector: {}}}]", "ingress[0]: from needs a list, not keys and values" },

	/* ports */
	{ "ingress: [{ports: [{endPort: 80}]}]", "ingress[0].ports[0]: endPort needs a port that is a number" },
	{ "ingress: [{ports: [{port: http, endPort: 80}]}]", "ingress[0].ports[0]: endPort needs a port that is a number" },
	{ "ingress: [{ports: [{port: 81, endPort: 80}]}]", "ingress[0].ports[0]: endPort 80 is below port 81" },
	{ "ingress: [{ports: [{port: 80, endPort: 65536}]}]", "ingress[0].ports[0]: endPort \"65536\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: 80, endPort: '90'}]}]", "ingress[0].ports[0]: endPort \"90\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: 0}]}]", "ingress[0].ports[0]: port \"0\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: 65536}]}]", "ingress[0].ports[0]: port \"65536\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: 99999999999999999999}]}]", "ingress[0].ports[0]: port \"99999999999999999999\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: -1}]}]", "ingress[0].ports[0]: port \"-1\" is not a number from 1 to 65535" },
	{ "ingress: [{ports: [{port: ''}]}]", "ingress[0].ports[0]: port \"\" is neither a number from 1 to 65535 nor the name of one" },
	{ "ingress: [{ports: [{port: HTTP}]}]", "ingress[0].ports[0]: port \"HTTP\" is neither a number from 1 to 65535 nor the name of one" },
	{ "ingress: [{ports: [{port: a123456789012345}]}]", "ingress[0].ports[0]: port \"a123456789012345\" is neither a number from 1 to 65535 nor the name of one" },
	{ "ingress: [{ports: [{port: 80.5}]}]", "ingress[0].ports[0]: port \"80.5\" is neither a number from 1 to 65535 nor the name of one" },
	{ "ingress: [{ports: [{port: [80]}]}]", "ingress[0].ports[0]: port needs a single value, not a list" },
	{ "ingress: [{ports: [{protocol: ICMP}]}]", "ingress[0].ports[0]: protocol \"ICMP\" is none of TCP, UDP, SCTP" },
	{ "ingress: [{ports: [{protocol: tcp}]}]", "ingress[0].ports[0]: protocol \"tcp\" is none of TCP, UDP, SCTP" },
	{ "ingress: [{ports: [{protocol: ''}]}]", "ingress[0].ports[0]: protocol \"\" is none of TCP, UDP, SCTP" },
	{ "ingress: [{ports: [~]}]", "ingress[0].ports[0]: a port needs keys and values, not nothing" },
	{ "ingress: [{ports: 80}]", "ingress[0]: ports needs a list, not a single value" },

	/* selectors */
	{ "podSelector: {matchExpressions: [{key: a, operator: In}]}", "operator In needs values" },
	{ "podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}", "operator NotIn needs values" },
	{ "podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}", "operator Exists has no values" },
	{ "podSelector: {matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]}", "operator DoesNotExist has no values" },
	{ "podSelector: {matchExpressions: [{key: a, operator: Gt, values: [b]}]}", "operator \"Gt\" is none of In, NotIn, Exists, DoesNotExist" },
	{ "podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}", "operator \"in\" is none of In, NotIn, Exists, DoesNotExist" },
	{ "podSelector: {matchExpressions: [{operator: Exists}]}", "matchExpressions: \"key\" is missing" },
	{ "podSelector: {matchExpressions: [{key: a}]}", "matchExpressions: \"operator\" is missing" },
	{ "podSelector: {matchExpressions: [{key: '', operator: Exists}]}", "\"\" is not the key of a label" },
	{ "podSelector: {matchExpressions: {}}", "matchExpressions needs a list, not keys and values" },
	{ "podSelector: {matchLabels: [a]}", "matchLabels needs keys and values" },
	{ "podSelector: {matchLabels: {a: {b: c}}}", "label \"a\" needs text" },
	{ "podSelector: [a]", "a selector needs keys and values, not a list" },

	/* the rest */
	{ "policyTypes: [Both]", "policyTypes: \"Both\" is neither Ingress nor Egress" },
	{ "policyTypes: [ingress]", "policyTypes: \"ingress\" is neither Ingress nor Egress" },
	{ "policyTypes: [~]", "policyTypes needs a single value, not nothing" },
	{ "policyTypes: Ingress", "policyTypes needs a list, not a single value" },
	{ "policyTypes: [Ingress, Egress, Ingress]", "more than 2 policyTypes" },
	{ "ingress: [~]", "ingress[0]: a rule needs keys and values, not nothing" },
	{ "ingress: {}", "ingress needs a list, not keys and values" },
	/* of a direction that does not count, too */
	{ "policyTypes: [Egress], ingress: [{from: [{}]}]", "ingress[0].from[0]: a peer needs podSelector, namespaceSelector or ipBlock" },
	{ "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}", "is nested too deeply" },
};

static void expect_refused(const char *text, const char *object,
			   const char *error)
{
	__cleanup(free_text) char *errors = NULL;
	__cleanup(free_text) char *is = set_of(text, &errors);
	const char *found = strstr(errors, object);

	if (!found || strncmp(errors, "F:2:", 4) ||
	    !strstr(found + strlen(object), error))
		print_error("%s%s", text, errors);
	assert_non_null(found);
	found += strlen(object);
	assert_int_equal(strncmp(found, ": ", 2), 0);
	assert_string_equal(found + 2, error);
}

static void what_is_refused(void **state)
{
	char text[1024], error[512];

	for (size_t i = 0; i < COUNT(refused); i++) {
		snprintf(text, sizeof(text), POLICY("%s"), refused[i].spec);
		snprintf(error, sizeof(error), "%s\n", refused[i].error);
		expect_refused(text, "NetworkPolicy default/p", error);
	}
}

static const struct { const char *text, *expected; } clusters[] = {
	{ CLUSTER("tier: Admin, priority: 0, subject: {namespaces: {}}"),
	  "policy c admin 0 pods(*) of ns(*)\n" },
	{ CLUSTER("tier: Baseline, priority: 1000, subject: {pods: {namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}}"),
	  "policy c baseline 1000 pods(*) of ns(a=b)\n" },
	{ OBJECT("policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy", "name: c", ", spec: {tier: Admin, priority: 1, subject: {pods: {podSelector: {}}}}"),
	  "policy c admin 1 pods(*) of ns(*)\n" },
	/* rules do not isolate; their order is kept */
	{ CLUSTER(RULES "ingress: [{action: Deny, name: 'no one', from: [{namespaces: {}}]}, "
		  "{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}}]}], "
		  "egress: [{action: Accept, to: [{networks: [10.0.0.0/8, 'fd00::/8']}, {nodes: {matchLabels: {c: d}}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\n"
	  "in deny \"no one\" from pods(*) of ns(*)\n"
	  "in pass from pods(a=b) of ns(*)\n"
	  "out accept to 10.0.0.0/8, fd00::/8, nodes(c=d)\n" },
	{ CLUSTER(RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: ["
		  "{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 1, end: 9}}}}, "
		  "{sctp: {destinationPort: {number: 65535}}}, {destinationNamedPort: web}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\n"
	  "out deny to pods(*) of ns(*) at tcp:80 udp:1-9 sctp:65535 any:web\n" },
};

static void what_a_cluster_policy_says(void **state)
{
	for (size_t i = 0; i < COUNT(clusters); i++)
		expect(clusters[i].text, clusters[i].expected);
}


static const struct { const char *spec, *error; } refused_clusters[] = {
	{ "tier: Admin, priority: 5", "spec needs \"subject\"" },
	{ "tier: Admin, subject: {namespaces: {}}", "spec needs \"priority\"" },
	{ "priority: 5, subject: {namespaces: {}}", "spec needs \"tier\"" },
	{ "tier: Network, priority: 5, subject: {namespaces: {}}", "tier \"Network\" is none of Admin, Baseline" },
	{ "tier: Admin, priority: 1001, subject: {namespaces: {}}", "priority \"1001\" is not a number from 0 to 1000" },
	{ "tier: Admin, priority: -1, subject: {namespaces: {}}", "priority \"-1\" is not a number from 0 to 1000" },
	{ "tier: Admin, priority: 5, subject: {}", "subject needs one of namespaces, pods" },
	{ "tier: Admin, priority: 5, subject: {namespaces: {}, pods: {podSelector: {}}}", "subject has both namespaces and pods" },
	{ "tier: Admin, priority: 5, subject: {pods: {namespaceSelector: {}}}", "pods needs podSelector" },
	{ RULES "ingress: [{from: [{namespaces: {}}]}]", "ingress[0]: a rule needs \"action\"" },
	{ RULES "ingress: [{action: Accept}]", "ingress[0]: a rule needs \"from\"" },
	{ RULES "egress: [{action: Accept}]", "egress[0]: a rule needs \"to\"" },
	{ RULES "ingress: [{action: Allow, from: [{namespaces: {}}]}]", "ingress[0]: action \"Allow\" is none of Accept, Deny, Pass" },
	{ RULES "ingress: [{action: Accept, from: []}]", "ingress[0]: from needs an element" },
	{ RULES "ingress: [{action: Accept, from: [{}]}]", "ingress[0].from[0]: a peer needs one of namespaces, pods" },
	{ RULES "egress: [{action: Accept, to: [{namespaces: {}, nodes: {}}]}]", "egress[0].to[0]: a peer has both namespaces and nodes" },
	{ RULES "egress: [{action: Accept, to: [{networks: []}]}]", "egress[0].to[0]: networks needs an element" },
	{ RULES "egress: [{action: Accept, to: [{networks: [a]}]}]", "egress[0].to[0]: networks \"a\" is not a prefix such as \"192.0.2.0/24\"" },
	{ RULES "egress: [{action: Deny, to: [{domainNames: [a.example]}]}]", "egress[0].to[0]: domainNames are for Accept alone" },
	{ RULES "egress: [{action: Deny, to: [{nodes: {}}], protocols: [{destinationNamedPort: a}]}]", "egress[0]: destinationNamedPort is for pods and namespaces alone" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: []}]", "egress[0]: protocols needs an element" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{}]}]", "egress[0].protocols[0]: a protocol needs one of tcp, udp, sctp, destinationNamedPort" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {}}]}]", "egress[0].protocols[0]: tcp needs one of destinationPort" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {}}}]}]", "egress[0].protocols[0]: destinationPort needs one of number, range" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 0}}}]}]", "egress[0].protocols[0]: number \"0\" is not a number from 1 to 65535" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 5}}}}]}]", "egress[0].protocols[0]: range needs start and end" },
	{ RULES "egress: [{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 5, end: 5}}}}]}]", "egress[0].protocols[0]: range: start 5 is not below end 5" },
};

static void what_is_refused_of_a_cluster_policy(void **state)
{
	char text[1024], error[512];

	for (size_t i = 0; i < COUNT(refused_clusters); i++) {
		snprintf(text, sizeof(text), CLUSTER("%s"),
			 refused_clusters[i].spec);
		snprintf(error, sizeof(error), "%s\n",
			 refused_clusters[i].error);
		expect_refused(text, "ClusterNetworkPolicy c", error);
	}
	expect_refused(OBJECT("policy.networking.k8s.io/v1alpha2",
			      "ClusterNetworkPolicy", "name: c", ""),
		       "ClusterNetworkPolicy c", "spec is missing\n");
}

static void twenty_five_rules_and_no_more(void **state)
{
	char text[4096] = "---\n{apiVersion: policy.networking.k8s.io/v1alpha2, "
			  "kind: ClusterNetworkPolicy, metadata: {name: c}, "
			  "spec: {" RULES "ingress: [";

	for (int i = 0; i < 26; i++)
		strcat(text, "{action: Deny, from: [{namespaces: {}}]}, ");
	strcat(text, "]}}\n");
	expect_refused(text, "ClusterNetworkPolicy c",
		       "ingress has more than 25 rules\n");
}

static const struct { const char *text, *expected; } pods[] = {
	{ POD("name: a", "nodeName: n1", "podIPs: [{ip: 10.1.0.5}, {ip: 'fd00::5'}]"),
	  "workload default/a 10.1.0.5 fd00::5 {} here\n" DEFAULT },
	{ POD("name: a", "nodeName: n2", "podIP: 10.1.0.5"),
	  "workload default/a 10.1.0.5 {}\n" DEFAULT },
	{ POD("name: a", "nodeName: n1", "podIP: 10.1.0.5, podIPs: [{ip: 10.1.0.5}]"),
	  "workload default/a 10.1.0.5 {} here\n" DEFAULT },
	/* one that is not placed yet is nowhere */
	{ POD("name: a", "", ""), "workload default/a {}\n" DEFAULT },
	{ POD("name: a, namespace: y, labels: {b: on, a: ~, c: 1}", "nodeName: n1", ""),
	  "workload y/a {a= b=on c=1} here\nnamespace y {kubernetes.io/metadata.name=y}\n" },
	/* one that is over does not count: its address may be another's */
	{ POD("name: a", "nodeName: n1", "phase: Succeeded, podIP: 10.1.0.5"), "" },
	{ POD("name: a", "nodeName: n1", "phase: Failed, podIP: 10.1.0.5"), "" },
	{ POD("name: a", "nodeName: n1", "phase: Running, podIP: 10.1.0.5"),
	  "workload default/a 10.1.0.5 {} here\n" DEFAULT },
	{ POD("name: a", "nodeName: n1, hostNetwork: true", "podIP: 192.0.2.1"),
	  "workload default/a 192.0.2.1 {} here host\n" DEFAULT },
	{ POD("name: a, annotations: {fairlead.io/interface: veth7}", "nodeName: n1", ""),
	  "workload default/a {} veth7 here\n" DEFAULT },
	/* ports with a name, of what runs as long as the pod does */
	{ POD("name: a", "nodeName: n1, containers: [{ports: [{containerPort: 80}, {name: http, containerPort: 8080}]}, "
	      "{ports: [{name: dns, containerPort: 53, protocol: UDP}]}, {}], "
	      "initContainers: [{ports: [{name: once, containerPort: 1}]}, "
	      "{restartPolicy: Always, ports: [{name: side, containerPort: 2}]}]", ""),
	  "workload default/a {} http:8080/tcp dns:53/udp side:2/tcp here\n" DEFAULT },

	{ NAMESPACE("name: a"), "namespace a {kubernetes.io/metadata.name=a}\n" },
	{ NAMESPACE("name: a, labels: {z: b, kubernetes.io/metadata.name: x, a: c}"),
	  "namespace a {a=c kubernetes.io/metadata.name=a z=b}\n" },
	{ NAMESPACE("name: default, labels: {a: b}") POD("name: a", "", ""),
	  "workload default/a {}\nnamespace default {a=b kubernetes.io/metadata.name=default}\n" },

	/* Nodes alone say nothing of policy */
	{ NODE("name: n1", "{type: InternalIP, address: 192.0.2.1}"), "" },
	{ NODE("name: n2, labels: {a: b}", "{type: Hostname, address: n2}, {type: InternalIP, address: 192.0.2.2}, {type: ExternalIP, address: '2001:db8::2'}")
	  NAMESPACE("name: a"),
	  "namespace a {kubernetes.io/metadata.name=a}\nnode n2 192.0.2.2 2001:db8::2 {a=b}\n" },

	/* lists */
	{ "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n  status: {podIP: 10.1.0.5}\n",
	  "workload default/a 10.1.0.5 {}\n" DEFAULT },
	{ "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}}\n",
	  "policy default/p pods(*), isolates in\n" },
};

static void who_is_there(void **state)
{
	for (size_t i = 0; i < COUNT(pods); i++)
		expect(pods[i].text, pods[i].expected);
}

static void a_pod_says_when_it_was_made(void **state)
{
	__cleanup(free_text) char *errors = NULL;
	struct model *m = NULL;

	assert_int_equal(said_now(&said,
		POD("name: a, creationTimestamp: '1970-01-01T00:01:00Z'", "", "")
		POD("name: b, creationTimestamp: once", "", ""), &m, &errors),
		0);
	assert_int_equal(m->policy->workloads[0]->since_us, 60000000);
	assert_int_equal(m->policy->workloads[1]->since_us, 0);
	model_free(m);
}

static void pods_that_are_refused(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ POD("name: a", "", "podIP: a"), "status.podIPs: \"a\" is not an address that a pod can have\n" },
		{ POD("name: a", "", "podIPs: [{ip: 127.0.0.1}]"), "status.podIPs: \"127.0.0.1\" is not an address that a pod can have\n" },
		{ POD("name: a", "containers: [{ports: [{name: b}]}]", ""), "port \"b\" has no number\n" },
		{ POD("name: a", "containers: [{ports: [{name: b, containerPort: 1, protocol: X}]}]", ""), "port \"b\" has a protocol that is none of TCP, UDP, SCTP\n" },
		{ POD("name: a, annotations: {fairlead.io/interface: a/b}", "", ""), "annotation fairlead.io/interface \"a/b\" is not the name of an interface\n" },
		{ POD("name: a, labels: [b]", "", ""), "labels need keys and values\n" },
		{ POD("name: a, labels: {b: [c]}", "", ""), "label \"b\" needs text\n" },
		{ POD("name: a", "hostNetwork: maybe", ""), "spec.hostNetwork \"maybe\" is not true or false\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refused(cases[i].text, "Pod default/a", cases[i].error);
	expect_refused(NAMESPACE("name: a, labels: b"), "Namespace a",
		       "labels need keys and values\n");
}

/* As for Services: an object with a mistake leaves what was. */
static void a_refused_one_keeps_what_was_in_force(void **state)
{
	__cleanup(free_text) char *errors = NULL, *is = NULL;

	expect(POLICY("ingress: [{}]") POD("name: a", "", "podIP: 10.1.0.5"),
	       "workload default/a 10.1.0.5 {}\n" DEFAULT
	       "policy default/p pods(*), isolates in\nin accept\n");
	is = set_of(POLICY("ingress: [{from: [{}]}]")
		    POD("name: a", "", "podIP: a"), &errors);
	assert_string_equal(is, "workload default/a 10.1.0.5 {}\n" DEFAULT
			    "policy default/p pods(*), isolates in\nin accept\n");
	assert_non_null(strstr(errors, "a peer needs"));
	assert_non_null(strstr(errors, "not an address"));
	/* and goes when nobody says it any more */
	expect(NAMESPACE("name: a"),
	       "namespace a {kubernetes.io/metadata.name=a}\n");
}

/* Nobody knows what it was before, if it was: it is closed, and keeps nothing
 * waiting that others say. */
static void one_that_never_was_right_is_closed(void **state)
{
	__cleanup(free_text) char *errors = NULL;
	struct model *m = NULL;

	assert_int_equal(said_now(&said, POLICY("ingress: [{from: [{}]}]"), &m,
				  &errors), 0);
	assert_false(m->is_partial);
	assert_int_equal(m->nr_refused, 1);
	assert_non_null(m->policy);
	assert_false(m->policy->lacks_refused);
	assert_false(m->policy->is_partial);
	assert_int_equal(m->policy->nr_policies, 1);
	model_free(m);
	free(take_ptr(errors));
	assert_int_equal(said_now(&said, POLICY("ingress: [{}]"), &m, &errors), 0);
	assert_int_equal(m->nr_refused, 0);
	assert_int_equal(m->policy->nr_policies, 1);
	model_free(m);
}

static const struct { const char *text, *expected; } closed[] = {
	{ POLICY("ingress: [{from: [{}]}]"), RULE_DOUBT },
	{ POLICY("ingress: [{from: [{}, {podSelector: {}}]}]"),
	  "policy default/p pods(*), isolates in\nin accept from nobody, pods(*)\n" },
	{ POLICY("ingress: [{from: {a: b}}, {ports: [{port: 1}]}]"),
	  RULE_DOUBT "in accept at tcp:1\n" },
	{ POLICY("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]"), RULE_DOUBT },
	{ POLICY("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [a]}}]}]"),
	  RULE_DOUBT },
	{ POLICY("ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Is}]}}]}]"),
	  RULE_DOUBT },
	{ POLICY("ingress: [{ports: [{port: 81, endPort: 80}]}]"), RULE_DOUBT },
	{ POLICY("ingress: [{ports: 80}]"), RULE_DOUBT },
	{ POLICY("ingress: [80]"), RULE_DOUBT },
	{ POLICY("ingress: 80"), "policy default/p pods(*), isolates in\n" },
	/* whom it is for, and what: at least those and that */
	{ POLICY("podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: Is}]}, ingress: [{}]"),
	  "policy default/p pods(*), isolates in\n" },
	{ POLICY("policyTypes: [Both], ingress: [{}]"),
	  "policy default/p pods(*), isolates in out\n" },
	{ OBJECT("networking.k8s.io/v1", "NetworkPolicy", "name: p", ", spec: [a]"),
	  "policy default/p pods(*), isolates in out\n" },
	{ POLICY("egress: [{to: [{podSelector: {}}]}], a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}}}}}}}}}"),
	  "policy default/p pods(*), isolates in out\n" },
	/* what denies, or may, denies all; what accepts, nobody */
	{ CLUSTER(RULES "ingress: [{action: Allow, from: [{namespaces: {}}]}, {action: Accept, from: [{namespaces: {}}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nin deny\nin accept from pods(*) of ns(*)\n" },
	{ CLUSTER(RULES "egress: [{action: Accept, to: [{networks: [a]}]}, {action: Deny, to: [{networks: [a]}]}]"),
	  "policy c admin 5 pods(*) of ns(*)\nout accept to nobody\nout deny\n" },
	{ NAMESPACE("name: a, labels: {b: [c], d: e}"),
	  "namespace a {d=e kubernetes.io/metadata.name=a}\n" },
	{ NAMESPACE("name: a, labels: b"),
	  "namespace a {kubernetes.io/metadata.name=a}\n" },
};

static void what_cannot_be_understood_is_closed(void **state)
{
	for (size_t i = 0; i < COUNT(closed); i++) {
		__cleanup(free_text) char *errors = NULL;
		__cleanup(free_text) char *is = set_of(closed[i].text, &errors);

		if (strcmp(is, closed[i].expected))
			print_error("%s%s", closed[i].text, errors);
		assert_string_equal(is, closed[i].expected);
		assert_non_null(strstr(errors, "F:2:"));
	}
}

/* Whatever is wrong with it, it isolates, and lets nobody in by what is. */
static void nothing_that_is_refused_is_open(void **state)
{
	char text[1024];

	for (size_t i = 0; i < COUNT(refused); i++) {
		__cleanup(free_text) char *errors = NULL, *is = NULL;

		snprintf(text, sizeof(text), POLICY("%s"), refused[i].spec);
		is = set_of(text, &errors);
		if (!strstr(is, "isolates ") || strstr(is, "accept\n"))
			print_error("%s%s", text, is);
		assert_non_null(strstr(is, "isolates "));
		assert_null(strstr(is, "accept\n"));
	}
}

static void an_audit_that_is_none_is_enforced(void **state)
{
	expect_doubt(POLICY_OF("name: p, annotations: {fairlead.io/audit: maybe}", "ingress: [{}]"),
		     "policy default/p pods(*), isolates in\nin accept\n",
		     "2:1: NetworkPolicy default/p: annotation fairlead.io/audit \"maybe\" is neither true nor false: it is enforced");
}

static void who_did_not_change_is_the_same(void **state)
{
	__cleanup(model_freep) struct model *a = NULL, *b = NULL;
	__cleanup(free_text) char *errors = NULL;

	assert_int_equal(said_now(&said, POD("name: a", "", "podIP: 10.1.0.5")
				  POD("name: b", "", "podIP: 10.1.0.6"), &a,
				  &errors), 0);
	free(take_ptr(errors));
	assert_int_equal(said_now(&said, POD("name: a", "", "podIP: 10.1.0.5")
				  POD("name: b", "", "podIP: 10.1.0.7"), &b,
				  &errors), 0);
	assert_ptr_equal(a->policy->workloads[0], b->policy->workloads[0]);
	assert_ptr_not_equal(a->policy->workloads[1], b->policy->workloads[1]);
}

/* What a file says in our own words is before what objects do. */
static void a_workload_of_a_file_is_before_a_pod(void **state)
{
	__cleanup(free_text) char *errors = NULL, *is = NULL;

	is = set_of(POD("name: w", "", "podIP: 10.1.0.6")
		    "---\nworkloads:\n- {name: w, addresses: [10.1.0.5]}\n",
		    &errors);
	assert_string_equal(is, "workload default/w 10.1.0.5 {} here\n" DEFAULT);
	assert_string_equal(errors,
		"F:2:1: workload \"default/w\" is defined already at F:5:10\n");
	expect(POD("name: w", "", "podIP: 10.1.0.6"),
	       "workload default/w 10.1.0.6 {}\n" DEFAULT);
}

/* Our name decides which pods are here. */
static void another_name_of_the_node(void **state)
{
	struct said other = {};
	struct model *m = NULL;
	char *errors = NULL;
	const char *pod = POD("name: a", "nodeName: n2", "")
			  POD("name: b", "nodeName: n1", "");

	assert_int_equal(said_open(&other, NULL), 0);
	for (int i = 1; i <= 2; i++) {
		char text[1024];

		snprintf(text, sizeof(text), "%s---\nhostname-override: n%d\n",
			 pod, i);
		assert_int_equal(said_now(&other, text, &m, &errors), 0);
		assert_int_equal(m->policy->workloads[0]->is_here, i == 2);
		assert_int_equal(m->policy->workloads[1]->is_here, i == 1);
		model_free(m);
		free(errors);
	}
	said_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_policy_says),
		TEST(what_is_not_known_allows_nothing),
		TEST(what_is_refused),
		TEST(what_a_cluster_policy_says),
		TEST(what_is_refused_of_a_cluster_policy),
		TEST(twenty_five_rules_and_no_more),
		TEST(who_is_there),
		TEST(a_pod_says_when_it_was_made),
		TEST(pods_that_are_refused),
		TEST(a_refused_one_keeps_what_was_in_force),
		TEST(one_that_never_was_right_is_closed),
		TEST(what_cannot_be_understood_is_closed),
		TEST(nothing_that_is_refused_is_open),
		TEST(an_audit_that_is_none_is_enforced),
		TEST(who_did_not_change_is_the_same),
		TEST(a_workload_of_a_file_is_before_a_pod),
		TEST(another_name_of_the_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
