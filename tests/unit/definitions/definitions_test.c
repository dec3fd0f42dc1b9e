// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files in, models or mistakes out: every message, and what is cached. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <openssl/evp.h>

#include "base/addr.h"
#include "definitions/definitions.h"
#include "base/cleanup.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char dir[] = "/tmp/definitions_test.XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	return remove(path);
}

static int make_dir(void **state)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path in the test's directory; good until the next-but-three call. */
static const char *in_dir(const char *name)
{
	static char paths[4][200];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", dir, name);
	return paths[turn];
}

static void put_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

/* Let what was written become old enough to be known by its times. */
static void grow_old(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
}

/* What is reported, the test's directory written as "D". */
static char *shorten(char *text)
{
	char *found;

	while ((found = strstr(text, dir))) {
		*found = 'D';
		memmove(found + 1, found + strlen(dir),
			strlen(found + strlen(dir)) + 1);
	}
	return text;
}

static int open_path(const char *path, struct definitions **ret)
{
	return definitions_open(&(struct definitions_from){ .path = path },
				ret);
}

static int load_path(const char *path, struct model **ret, FILE *errors)
{
	return definitions_load(&(struct definitions_from){ .path = path },
				ret, errors);
}

static char *errors_of(const char *path, int expected)
{
	__cleanup(model_freep) struct model *m = NULL;
	char *text = NULL;
	size_t len;
	FILE *errors = open_memstream(&text, &len);
	int err = load_path(path, &m, errors);

	fclose(errors);
	if (err != expected)
		print_error("%s", text);
	assert_int_equal(err, expected);
	return shorten(text);
}

static struct model *load(const char *path)
{
	struct model *m = NULL;
	int err = load_path(path, &m, stderr);

	assert_int_equal(err, 0);
	assert_non_null(m);
	return m;
}

static struct model *load_text(const char *text)
{
	put("f.yaml", text);
	return load(in_dir("f.yaml"));
}

static const char *addr_text(const struct addr *a)
{
	static char text[ADDR_TEXT_MAX];

	return addr_format(a, text);
}

/* In a service that is whole but for what the case adds or replaces. */
#define ADDRESSES(list) "services:\n- {name: a, port: 80, addresses: [" list "]"
#define SERVICE "services:\n- {name: a, address: 192.0.2.1, port: 80"
#define BACKEND SERVICE ", backends: [{address: 10.0.0.1"

static const struct { const char *text, *error; } mistakes[] = {
	/* the form */
	{ "services: [", "2:1: not YAML: while parsing a flow node, did not find expected node content" },
	{ "a: b: c", "1:5: not YAML: mapping values are not allowed in this context" },
	{ "node: \xff\xfe", "1:7: not YAML: invalid leading UTF-8 octet" },
	{ "services:\n- name: apiVersion\xff", "2:19: not YAML: invalid leading UTF-8 octet" },
	{ "node: a\nuplinks: \x01", "2:10: not YAML: control characters are not allowed" },
	{ "node: \"a\\0b\"", "1:7: text with a NUL in it" },
	{ "services:\n- {port: *, name: a}", "2:10: \"*\" needs quotes around it: \"*\" by itself begins a reference in YAML" },
	{ "services:\n- port: *\n", "2:9: \"*\" needs quotes around it: \"*\" by itself begins a reference in YAML" },
	{ "services:\n\t- port: 1", "2:1: not YAML: a tab in the indentation, where only spaces may be" },
	{ "services:\n  - name: a\n\t  port: 1", "3:1: not YAML: a tab in the indentation, where only spaces may be" },
	{ "services:\n  - name: \xc3\xa4\n    port: @b", "3:11: a value that begins with \"@\" needs quotes around it" },
	{ "node: &x a", "1:7: anchors and aliases are not supported" },
	{ "node: *x", "1:7: anchors and aliases are not supported" },
	{ "services: &x []", "1:11: anchors and aliases are not supported" },
	{ "timeouts: &x {}", "1:11: anchors and aliases are not supported" },
	{ "timeouts:\n  <<: {tcp: 1}", "2:3: merge keys are not supported" },
	{ "node: !!str a", "1:7: tags are not supported" },
	{ "? [a]\n: b", "1:3: a key must be a word" },
	{ "node: a\nnode: a", "2:1: key \"node\" is given already in this mapping" },
	{ "node: a\n...\nnode: b", "3:1: not YAML: did not find expected <document start>" },
	{ "node: a\r---\rnode: b", "2:1: a new document must start with \"---\"" },
	{ "node: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "1:38: nested deeper than 32 levels" },
	{ "- a", "1:1: a document needs keys and values, not a list" },
	{ "a", "1:1: a document needs keys and values, not a single value" },

	/* keys */
	{ "sevices: []", "1:1: unknown key \"sevices\" in a document; did you mean \"services\"?" },
	{ "colour: red", "1:1: unknown key \"colour\" in a document; known: node, uplinks, hash-key, tunnel-source, nat, gue-port, geneve-port, geneve-vni, timeouts, limits, answers, announce, hostname-override, detect-local-mode, cluster-cidr, pod-bridge-interface, pod-interface-name-prefix, nodeport-addresses, masquerade-all, healthz-bind-address, metrics-bind-address, sockets, socket-pods, network-policy, services, workloads, namespaces, policies" },
	{ "services:\n- name: a\n  address: 192.0.2.1\n  adress: 192.0.2.1\n  port: 1", "4:3: unknown key \"adress\" in a service; did you mean \"address\"?" },
	{ BACKEND ", wieght: 1}]}", "2:74: unknown key \"wieght\" in a backend; did you mean \"weight\"?" },
	{ SERVICE ", sources: {alow: []}}", "2:53: unknown key \"alow\" in sources; did you mean \"allow\"?" },
	{ SERVICE ", health: {type: tcp, raise: 2}}", "2:63: unknown key \"raise\" in health; did you mean \"rise\"?" },
	{ "timeouts: {tpc: 1}", "1:12: unknown key \"tpc\" in timeouts; did you mean \"tcp\"?" },
	{ "limits: {service: 1}", "1:10: unknown key \"service\" in limits; did you mean \"services\"?" },
	{ "nat: {adresses: []}", "1:7: unknown key \"adresses\" in nat; did you mean \"addresses\"?" },
	{ SERVICE ", sources: }", "2:52: sources needs keys and values, not nothing" },
	{ SERVICE ", sources: [10.0.0.0/8]}", "2:52: sources needs keys and values, not a list" },
	{ "nat: 192.0.2.1", "1:6: nat needs keys and values, not a single value" },
	{ "announce: yes", "1:11: announce needs keys and values, not a single value" },
	{ "announce: {tables: 1}", "1:12: unknown key \"tables\" in announce; did you mean \"table\"?" },
	{ "announce: {table: 255}", "1:19: announce: table 255 is the kernel's own; take one that no rule reads, such as 6180, or \"main\"" },
	{ "announce: {table: local}", "1:19: announce: table \"local\" is not a number from 1 to 4294967295" },
	{ "announce: {protocol: 12}", "1:22: announce: protocol 12 has a meaning already: routes of others would pass for ours; take another one, such as 178" },
	{ "announce: {protocol: 256}", "1:22: announce: protocol \"256\" is not a number from 1 to 255" },
	{ "announce: {metric: 1000}", "1:20: announce: metric \"1000\" is not a number from 1 to 999" },
	{ "announce: {hold: soon}", "1:18: announce: hold \"soon\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"" },
	{ "announce: {require: most}", "1:21: unknown announce: require \"most\"; known: any, all" },
	{ "\"a\\e[31m\": 1", "1:1: unknown key \"a?[31m\" in a document; known: node, uplinks, hash-key, tunnel-source, nat, gue-port, geneve-port, geneve-vni, timeouts, limits, answers, announce, hostname-override, detect-local-mode, cluster-cidr, pod-bridge-interface, pod-interface-name-prefix, nodeport-addresses, masquerade-all, healthz-bind-address, metrics-bind-address, sockets, socket-pods, network-policy, services, workloads, namespaces, policies" },

	/* what there is not yet */
	{ SERVICE ", algorithm: least-connections}", "2:54: algorithm \"least-connections\" is not available yet" },

	/* who may use a service */
	{ SERVICE ", sources: {allow: 10.0.0.0/8}}", "2:60: sources: allow needs a list" },
	{ SERVICE ", sources: {deny: {a: b}}}", "2:59: sources: deny needs a list" },
	{ SERVICE ", sources: {allow: [a]}}", "2:61: source \"a\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ SERVICE ", sources: {allow: [10.0.0.0/33]}}", "2:61: source \"10.0.0.0/33\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ SERVICE ", sources: {allow: ['::ffff:10.0.0.0/104']}}", "2:61: source \"::ffff:10.0.0.0/104\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ SERVICE ", sources: {deny: [10.0.0.1/8]}}", "2:60: source \"10.0.0.1/8\" has bits set after its prefix; did you mean \"10.0.0.0/8\"?" },
	{ SERVICE ", sources: {deny: [[10.0.0.0/8]]}}", "2:60: source needs a value, not a list" },
	{ SERVICE ", sources: {deny: ['2001:db8::/32']}}", "2:60: source \"2001:db8::/32\" is IPv6, the service IPv4" },
	{ "services: [{name: a, address: '2001:db8::1', port: 80, sources: {allow: [0.0.0.0/0]}}]", "1:74: source \"0.0.0.0/0\" is IPv4, the service IPv6" },
	{ SERVICE ", sources: {allow: [10.0.0.0/8, 192.0.2.1, 10.0.0.0/8]}}", "2:84: source \"10.0.0.0/8\" is listed already at D/f.yaml:2:61" },
	{ SERVICE ", sources: {deny: [192.0.2.1], allow: [192.0.2.1/32]}}", "2:80: source \"192.0.2.1/32\" is both allowed and denied, see D/f.yaml:2:60" },

	/* several addresses */
	{ ADDRESSES("") "}", "2:34: addresses is empty" },
	{ "services:\n- {name: a, port: 80, addresses: 192.0.2.1}", "2:34: addresses needs a list" },
	{ "services:\n- {name: a, port: 80, addresses: }", "2:34: addresses needs a list" },
	{ ADDRESSES("192.0.2.1") ", address: 192.0.2.2}", "2:34: \"address\" and \"addresses\" in one service" },
	{ ADDRESSES("192.0.2.1, x") "}", "2:46: address \"x\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ ADDRESSES("192.0.2.1, '2001:db8::1'") "}", "2:46: address \"2001:db8::1\" is IPv6, the first one IPv4: forward \"nat\" needs one family, a tunnel such as \"ipip\" takes both" },
	{ ADDRESSES("'2001:db8::1', 192.0.2.1") ", forward: l2}", "2:50: address \"192.0.2.1\" is IPv4, the first one IPv6: forward \"l2\" needs one family, a tunnel such as \"ipip\" takes both" },
	{ ADDRESSES("192.0.2.1, '2001:db8::1'") ", forward: ip6ip6, backends: [{address: '2001:db8::2'}]}", "2:100: forward \"ip6ip6\" is IPv6 in IPv6, but the service is IPv4; \"ipip\" takes any" },
	{ ADDRESSES("192.0.2.1, 192.0.2.2") ", backends: [{address: '2001:db8::2'}]}", "2:79: backend \"2001:db8::2\" is IPv6, the service IPv4: forward \"nat\" needs one family, a tunnel such as \"ipip\" takes both" },
	{ ADDRESSES("192.0.2.1, 192.0.2.1") "}", "2:46: 192.0.2.1:80/tcp overlaps 192.0.2.1:80/tcp of service \"a\" at D/f.yaml:2:35" },
	{ ADDRESSES("192.0.2.1, 192.0.2.0/24") "}", "2:35: 192.0.2.1:80/tcp overlaps 192.0.2.0/24:80/tcp of service \"a\" at D/f.yaml:2:46" },
	{ ADDRESSES("192.0.2.1, 192.0.2.3") "}\n- {name: b, port: 79-80, addresses: [192.0.2.2, 192.0.2.3]}", "3:49: 192.0.2.3:79-80/tcp overlaps 192.0.2.3:80/tcp of service \"a\" at D/f.yaml:2:46" },
	{ ADDRESSES("192.0.2.1, 192.0.2.3") ", backends: [{address: 192.0.2.3}]}", "2:35: backend \"192.0.2.3\" of service \"a\" is 192.0.2.3:80/tcp of service \"a\" at D/f.yaml:2:46: its packets would come back to be balanced again" },
	{ ADDRESSES("192.0.2.1, '2001:db8::1'") ", forward: gre, sources: {allow: [x]}}", "2:94: source \"x\" is not an address or a prefix such as \"192.0.2.0/24\"" },

	/* the node */
	{ "node: a b", "1:7: node \"a b\" has other characters than letters, digits and \"-_.:/@\"" },
	{ "node: ''", "1:7: node is empty" },
	{ "node:", "1:6: node needs a value, not nothing" },
	{ "node: [a]", "1:7: node needs a value, not a list" },
	{ "node: {a: b}", "1:7: node needs a value, not keys and values" },
	{ "uplinks: [eth0, eth0]", "1:17: uplink \"eth0\" is listed twice" },
	{ "uplinks: an-interface-name", "1:10: uplink \"an-interface-name\" is not an interface name" },
	{ "uplinks: [a/b]", "1:11: uplink \"a/b\" is not an interface name" },
	{ "uplinks: [[a]]", "1:11: uplink needs a value, not a list" },
	{ "hash-key: short", "1:11: hash-key has 5 bytes; it needs 16 to 4096, hard to guess" },
	{ "hash-key: []", "1:11: hash-key needs a value, not a list" },
	{ "tunnel-source: 10.0.0.1/8", "1:16: tunnel-source \"10.0.0.1/8\" has bits set after its prefix; did you mean \"10.0.0.0/8\"?" },
	{ "tunnel-source: [10.0.0.0/8, 10.1.0.0/16]", "1:29: a second tunnel-source of IPv4; one of each family is used" },
	{ "tunnel-source: ['fd00::', 'fd01::']", "1:27: a second tunnel-source of IPv6; one of each family is used" },
	{ "tunnel-source: 10.0.0.0/33", "1:16: tunnel-source \"10.0.0.0/33\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ "nat: {addresses: [10.0.0.0/8]}", "1:19: nat address \"10.0.0.0/8\" is not an IPv4 or IPv6 address" },
	{ "nat: {addresses: [10.0.0.1, 10.0.0.1]}", "1:29: nat address \"10.0.0.1\" is listed twice" },
	{ "nat: {ports: '*'}", "1:14: nat: ports \"*\" is not 1 to 65535 or a range such as \"8000-8999\"" },
	{ "nat: {ports: 2000-1000}", "1:14: nat: ports \"2000-1000\" ends before it begins" },
	{ "gue-port: 0", "1:11: gue-port \"0\" is not a number from 1 to 65535" },
	{ "geneve-port: 65536", "1:14: geneve-port \"65536\" is not a number from 1 to 65535" },
	{ "geneve-vni: 16777216", "1:13: geneve-vni \"16777216\" is not a number from 0 to 16777215" },
	{ "timeouts: {tcp: 0}", "1:17: timeouts: tcp \"0\" is not from 1s to 720h" },
	{ "timeouts: {udp: 721h}", "1:17: timeouts: udp \"721h\" is not from 1s to 720h" },
	{ "timeouts: {sctp: 1500ms}", "1:18: timeouts: sctp \"1500ms\" is not in whole seconds" },
	{ "timeouts: {syn: 1m1h}", "1:17: timeouts: syn \"1m1h\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"" },
	{ "timeouts: {closing: 5 s}", "1:21: timeouts: closing \"5 s\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"" },
	{ "timeouts: {fragment: -1}", "1:22: timeouts: fragment \"-1\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"" },
	{ "limits: {services: 0}", "1:20: limits: services \"0\" is not a number from 1 to 268435456" },
	{ "limits: {slots: 99999999999}", "1:17: limits: slots \"99999999999\" is not a number from 1 to 268435456" },
	{ "limits: {backends: 010}", "1:20: limits: backends \"010\" is not a number from 1 to 268435456" },

	/* a service */
	{ "services: a", "1:11: services needs a list" },
	{ "services: [a]", "1:12: a service needs keys and values, not a single value" },
	{ "services:\n- {address: 192.0.2.1, port: 1}", "2:3: a service has no \"name\"" },
	{ "services:\n- {name: a, port: 1}", "2:3: a service has no \"address\"" },
	{ "services:\n- {name: a, address: 192.0.2.1}", "2:3: a service has no \"port\"; every port is \"*\"" },
	{ "services:\n- {name: 'a b', address: 192.0.2.1, port: 1}", "2:10: name \"a b\" has other characters than letters, digits and \"-_.:/@\"" },
	{ "services:\n- {name: a, address: 192.0.2, port: 1}", "2:22: address \"192.0.2\" is not an address or a prefix such as \"192.0.2.0/24\"" },
	{ "services:\n- {name: a, address: 192.0.2.1/24, port: 1}", "2:22: address \"192.0.2.1/24\" has bits set after its prefix; did you mean \"192.0.2.0/24\"?" },
	{ "services:\n- {name: a, address: '2001:db8::1/32', port: 1}", "2:22: address \"2001:db8::1/32\" has bits set after its prefix; did you mean \"2001:db8::/32\"?" },
	{ "services:\n- {name: a, address: 224.0.0.1, port: 1}", "2:22: address \"224.0.0.1\" is a multicast address" },
	{ "services:\n- {name: a, address: 'ff02::1', port: 1}", "2:22: address \"ff02::1\" is a multicast address" },
	{ "services:\n- {name: a, address: 0.0.0.0, port: 1}", "2:22: address \"0.0.0.0\" is an unspecified address" },
	{ "services:\n- {name: a, address: '::', port: 1}", "2:22: address \"::\" is an unspecified address" },
	{ "services:\n- {name: a, address: '::1', port: 1}", "2:22: address \"::1\" is a loopback address" },
	{ "services:\n- {name: a, address: 255.255.255.255, port: 1}", "2:22: address \"255.255.255.255\" is a broadcast address" },
	{ "services:\n- {name: a, address: 127.0.0.0/8, port: 1}", "2:22: address \"127.0.0.0/8\" has a loopback address in it" },
	{ "services:\n- {name: a, address: '::/0', port: 1}", "2:22: address \"::/0\" has an unspecified address in it" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 0}", "2:39: port \"0\" is not 1 to 65535, a range such as \"8000-8999\", or \"*\"" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 80-}", "2:39: port \"80-\" is not 1 to 65535, a range such as \"8000-8999\", or \"*\"" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 1-65536}", "2:39: port \"1-65536\" is not 1 to 65535, a range such as \"8000-8999\", or \"*\"" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 9-8}", "2:39: port \"9-8\" ends before it begins" },
	{ SERVICE ", protocol: TCP}", "2:53: unknown protocol \"TCP\"; known: tcp, udp, sctp" },
	{ SERVICE ", forward: ipp}", "2:52: unknown forward \"ipp\"; did you mean \"ipip\"?" },
	{ SERVICE ", forward: direct}", "2:52: unknown forward \"direct\"; known: nat, l2, ipip, ip6ip6, ip4ip6, gue, gre, geneve" },
	{ SERVICE ", algorithm: magelv}", "2:54: unknown algorithm \"magelv\"; did you mean \"maglev\"?" },
	{ SERVICE ", algorithm: best}", "2:54: unknown algorithm \"best\"; known: maglev, random, round-robin" },
	{ SERVICE ", affinity: client}", "2:53: affinity needs keys and values, not a single value" },
	{ SERVICE ", affinity: {}}", "2:53: affinity has no \"client\"" },
	{ SERVICE ", affinity: {client: 0}}", "2:62: affinity: client \"0\" is not from 1s to 720h" },
	{ SERVICE ", udp: flow}", "2:48: \"udp\" in a service of protocol tcp" },
	{ SERVICE ", protocol: udp, udp: none}", "2:63: unknown udp \"none\"; known: flow, stateless" },
	{ SERVICE ", protocol: udp, udp: stateless, affinity: {client: 1}}", "2:63: affinity keeps state: not together with \"udp: stateless\"" },
	{ SERVICE ", idle: soon}", "2:49: idle \"soon\" is not a duration such as \"2s\", \"150ms\" or \"1h30m\"" },

	/* its health */
	{ SERVICE ", health: tcp}", "2:51: health needs keys and values, not a single value" },
	{ SERVICE ", health: {rise: 1}}", "2:51: health has no \"type\"" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: '*', health: {type: tcp}, backends: [{address: 10.0.0.1}]}", "2:52: health needs a \"port\": the service has many" },
	{ SERVICE ", health: {checks: []}}", "2:60: health has 0 checks; it needs 1 to 8" },
	{ SERVICE ", health: {type: tcp, checks: [{type: tcp}]}}", "2:58: \"type\" beside \"checks\": it belongs into one of them" },
	{ SERVICE ", health: {type: icmp, expect: a}}", "2:72: \"expect\" in a health check that is not of type tcp or udp" },
	{ SERVICE ", health: {type: tcp, jitter: 101}}", "2:71: health jitter \"101\" is not a number from 0 to 100" },
	{ SERVICE ", health: {type: tcp, on-down: cut}}", "2:72: unknown on-down \"cut\"; known: move, leave" },
	{ SERVICE ", health: {type: tcp, interface: a/b}}", "2:74: health interface \"a/b\" cannot be an interface's name" },
	{ SERVICE ", health: {type: htp}}", "2:58: unknown health type \"htp\"; did you mean \"http\"?" },
	{ SERVICE ", health: {type: tcp, path: /}}", "2:69: \"path\" in a health check that is not of type http or https" },
	{ SERVICE ", health: {type: tcp, rcode: NOERROR}}", "2:70: \"rcode\" in a health check that is not of type dns" },
	{ SERVICE ", health: {type: http, status: 20}}", "2:72: health status \"20\" is not within 100-599" },
	{ SERVICE ", health: {type: tls, sni: a b}}", "2:68: health sni needs 1 to 1024 printable bytes without blanks" },
	{ SERVICE ", health: {type: udp, host: a}}", "2:69: \"host\" in a health check that is not of type http or https" },
	{ SERVICE ", health: {type: http, path: a}}", "2:70: health path \"a\" does not start with \"/\"" },
	{ SERVICE ", health: {type: http, path: ''}}", "2:70: health path has 0 bytes; it needs 1 to 1024" },
	{ SERVICE ", health: {type: http, host: \"a\\nb\"}}", "2:70: health host has a space, a control character or a byte that is not ASCII" },
	{ SERVICE ", health: {type: icmp, port: 1}}", "2:70: \"port\" in a health check of type icmp" },
	{ SERVICE ", health: {type: tcp, port: 0}}", "2:69: health port \"0\" is not a number from 1 to 65535" },
	{ SERVICE ", health: {type: tcp, interval: 99ms}}", "2:73: health interval \"99ms\" is not from 100ms to 1h" },
	{ SERVICE ", health: {type: tcp, timeout: 2h}}", "2:72: health timeout \"2h\" is not from 10ms to 1h" },
	{ SERVICE ", health: {type: tcp, rise: 0}}", "2:69: health rise \"0\" is not a number from 1 to 255" },
	{ SERVICE ", health: {type: tcp, fall: 256}}", "2:69: health fall \"256\" is not a number from 1 to 255" },

	/* its backends */
	{ SERVICE ", backends: {}}", "2:53: backends needs a list" },
	{ SERVICE ", backends: [10.0.0.1]}", "2:54: a backend needs keys and values, not a single value" },
	{ SERVICE ", backends: [{port: 80}]}", "2:54: a backend has no \"address\"" },
	{ SERVICE ", backends: [{address: web}]}", "2:64: backend address \"web\" is not an IPv4 or IPv6 address" },
	{ SERVICE ", backends: [{address: 127.0.0.1}]}", "2:64: backend address \"127.0.0.1\" is a loopback address" },
	{ SERVICE ", backends: [{address: 239.1.1.1}]}", "2:64: backend address \"239.1.1.1\" is a multicast address" },
	{ BACKEND ", port: '*'}]}", "2:80: backend port \"*\" is not a number from 1 to 65535" },
	{ BACKEND ", weight: 1001}]}", "2:82: weight \"1001\" is not a number from 0 to 1000" },
	{ BACKEND ", state: down}]}", "2:81: unknown state \"down\"; known: active, drain" },
	{ BACKEND "}, {address: 10.0.0.1, port: 80}]}", "2:75: backend \"10.0.0.1\" with port 80 is listed already at D/f.yaml:2:54" },
	{ SERVICE ", backends: [{address: 'fd00::1'}]}", "2:64: backend \"fd00::1\" is IPv6, the service IPv4: forward \"nat\" needs one family, a tunnel such as \"ipip\" takes both" },
	{ "services:\n- {name: a, address: 'fd01::1', port: 1, forward: l2, backends: [{address: 10.0.0.1}]}", "2:76: backend \"10.0.0.1\" is IPv4, the service IPv6: forward \"l2\" needs one family, a tunnel such as \"ipip\" takes both" },
	{ SERVICE ", forward: ip6ip6, backends: [{address: 'fd00::1'}]}", "2:81: forward \"ip6ip6\" is IPv6 in IPv6, but the service is IPv4; \"ipip\" takes any" },
	{ "services:\n- {name: a, address: 'fd01::1', port: 1, forward: ip6ip6, backends: [{address: 10.0.0.1}]}", "2:80: forward \"ip6ip6\" is IPv6 in IPv6, but the backend is IPv4; \"ipip\" takes any" },
	{ SERVICE ", forward: ip4ip6, backends: [{address: 10.0.0.1}]}", "2:81: forward \"ip4ip6\" is IPv6 over IPv4, but the service is IPv4; \"ipip\" takes any" },
	{ "services:\n- {name: a, address: 'fd01::1', port: 1, forward: ip4ip6, backends: [{address: 'fd00::1'}]}", "2:80: forward \"ip4ip6\" is IPv6 over IPv4, but the backend is IPv6; \"ipip\" takes any" },
	{ SERVICE ", forward: l2, backends: [{address: 10.0.0.1, port: 81}]}", "2:93: backend port 81 is not the service's port 80: forward \"l2\" keeps the port, only \"nat\" rewrites it" },
	{ SERVICE ", forward: gue, backends: [{address: 10.0.0.1, port: 81}]}", "2:94: backend port 81 is not the service's port 80: forward \"gue\" keeps the port, only \"nat\" rewrites it" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 1-2, forward: gre, backends: [{address: 10.0.0.1, port: 1}]}", "2:95: a backend's port in a service of several ports: forward \"gre\" keeps the client's port, only \"nat\" rewrites it" },

	/* several services, several documents */
	{ "nat: {addresses: [192.0.2.7, 192.0.2.1]}\nservices:\n- {name: a, address: 192.0.2.1, port: 1}", "3:22: 192.0.2.1:1/tcp of service \"a\" is an address of \"nat: addresses\" at D/f.yaml:1:18: answers to NAT would be taken for clients' packets" },
	{ "services:\n- {name: a, address: 'fd00::/64', port: 1}\nnat: {addresses: ['fd00::9']}", "2:22: [fd00::]/64:1/tcp of service \"a\" is an address of \"nat: addresses\" at D/f.yaml:3:18: answers to NAT would be taken for clients' packets" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: 1}\n- {name: a, address: 192.0.2.2, port: 1}", "3:10: service \"a\" is defined already at D/f.yaml:2:10" },
	{ "services:\n- {name: b, address: 192.0.2.1, port: 2-9}\n---\nservices:\n- {name: a, address: 192.0.2.1, port: 9}", "5:22: 192.0.2.1:9/tcp overlaps 192.0.2.1:2-9/tcp of service \"b\" at D/f.yaml:2:22" },
	{ "services:\n- {name: a, address: 192.0.2.1, port: '*'}\n- {name: b, address: 192.0.2.1, port: 80}", "3:22: 192.0.2.1:80/tcp overlaps 192.0.2.1:any/tcp of service \"a\" at D/f.yaml:2:22" },
	{ "services:\n- {name: a, address: 192.0.2.5, port: 80}\n- {name: b, address: 192.0.2.0/24, port: 79-81}", "3:22: 192.0.2.0/24:79-81/tcp overlaps 192.0.2.5:80/tcp of service \"a\" at D/f.yaml:2:22" },
	{ "services:\n- {name: a, address: 192.0.2.0, port: 80}\n- {name: b, address: 192.0.2.0/24, port: 90}", "3:22: 192.0.2.0/24:90/tcp begins at the same address as 192.0.2.0:80/tcp of service \"a\" at D/f.yaml:2:22" },
	{ "node: a\n---\nnode: b\nservices: []", "3:7: \"node\" is set differently at D/f.yaml:1:7" },
	{ "timeouts: {tcp: 1}\n---\ntimeouts: {tcp: 2, udp: 1}\nservices: []", "3:17: \"timeouts: tcp\" is set differently at D/f.yaml:1:17" },
	{ "uplinks: [a]\n---\nuplinks: [a, b]", "3:10: \"uplinks\" is set differently at D/f.yaml:1:10" },
	{ "hash-key: 0123456789abcdef\n---\nhash-key: 0123456789abcdee", "3:11: \"hash-key\" is set differently at D/f.yaml:1:11" },
	{ "# a\n%b\n---\n\n---\nnode: [", "7:1: not YAML: while parsing a flow node, did not find expected node content" },
};

static void every_mistake_is_reported_where_it_stands(void **state)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < COUNT(mistakes); i++) {
		char expected[700], *text;

		put("f.yaml", mistakes[i].text);
		text = errors_of(in_dir("f.yaml"), -EINVAL);
		snprintf(expected, sizeof(expected), "D/f.yaml:%s\n",
			 mistakes[i].error);
		if (strcmp(text, expected)) {
			print_error("got  %swant %s", text, expected);
			wrong++;
		}
		free(text);
	}
	assert_int_equal(wrong, 0);
}

static void every_pair_that_overlaps_is_reported(void **state)
{
	char *errors;

	put("f.yaml", "services:\n"
	    "- {name: a, address: 192.0.2.1, port: 80-90}\n"
	    "- {name: b, address: 192.0.2.1, port: 85-95}\n"
	    "- {name: c, address: 192.0.2.1, port: '*'}\n"
	    "- {name: d, address: 192.0.2.1, port: 96, protocol: udp}\n"
	    "- {name: e, address: 192.0.2.0/24, port: 88}\n");
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
#define PLACE(line) " at D/f.yaml:" #line ":22\n"
	assert_string_equal(errors,
		"D/f.yaml:4:22: 192.0.2.1:any/tcp overlaps 192.0.2.1:80-90/tcp of service \"a\"" PLACE(2)
		"D/f.yaml:3:22: 192.0.2.1:85-95/tcp overlaps 192.0.2.1:80-90/tcp of service \"a\"" PLACE(2)
		"D/f.yaml:4:22: 192.0.2.1:any/tcp overlaps 192.0.2.1:85-95/tcp of service \"b\"" PLACE(3)
		"D/f.yaml:6:22: 192.0.2.0/24:88/tcp overlaps 192.0.2.1:any/tcp of service \"c\"" PLACE(4)
		"D/f.yaml:6:22: 192.0.2.0/24:88/tcp overlaps 192.0.2.1:80-90/tcp of service \"a\"" PLACE(2)
		"D/f.yaml:6:22: 192.0.2.0/24:88/tcp overlaps 192.0.2.1:85-95/tcp of service \"b\"" PLACE(3));
	free(errors);
}

static void all_mistakes_of_a_run_are_reported_up_to_a_number(void **state)
{
	char *text = calloc(1, 20000), *errors;
	unsigned int lines = 0;

	strcpy(text, "services:\n");
	for (int i = 0; i < 60; i++)
		strcat(text, "- {name: a, address: b, port: 1}\n");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	for (const char *p = errors; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 51);
	assert_non_null(strstr(errors, "D/f.yaml:51:22: address \"b\""));
	assert_null(strstr(errors, "D/f.yaml:52:22"));
	assert_non_null(strstr(errors, "\n10 more errors, not shown\n"));
	free(errors);
	free(text);
}

static void limits_are_named(void **state)
{
	const size_t size = 70000 * 24;
	char *text = calloc(1, size), *errors, *p = text;

	p += sprintf(p, SERVICE ", backends: [");
	for (int i = 0; i < 65536; i++)
		p += sprintf(p, "{address: 10.1.%d.%d},", i >> 8, i & 255);
	strcpy(p, "]}");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:2:53: a service has 65536 backends; at most 65535 are allowed\n");
	free(errors);

	p = text + sprintf(text, SERVICE ", sources: {deny: [");
	for (int i = 0; i < 65537; i++)
		p += sprintf(p, "10.%d.%d.%d,", i >> 16, i >> 8 & 255, i & 255);
	strcpy(p, "]}}");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:2:52: a service has 65537 sources; at most 65536 are allowed\n");
	free(errors);

	p = text + sprintf(text, "timeouts:\n");
	for (int i = 0; i < 257; i++)
		p += sprintf(p, "  k%d: 1\n", i);
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:258:3: more than 256 keys in a mapping\n");
	free(errors);

	p = text + sprintf(text, "uplinks: [");
	for (int i = 0; i < 33; i++)
		p += sprintf(p, "e%d, ", i);
	strcpy(p, "]");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_non_null(strstr(errors, ": more than 32 uplinks\n"));
	free(errors);

	p = text + sprintf(text, "nat: {addresses: [");
	for (int i = 1; i < 18; i++)
		p += sprintf(p, "10.0.0.%d, ", i);
	strcpy(p, "]}");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_non_null(strstr(errors, ": more than 16 nat addresses of IPv4\n"));
	free(errors);

	p = text + sprintf(text, "services:\n- {address: 192.0.2.1, port: 1, name: ");
	memset(p, 'n', 160);
	strcpy(p + 160, "}");
	put("f.yaml", text);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:2:39: name \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...\" has 160 bytes; at most 159 are allowed\n");
	free(errors);
	free(text);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	char *errors;

	put("f.yaml", "");
	assert_int_equal(truncate(in_dir("f.yaml"),
				  SOURCE_FILE_BYTES_MAX + 1), 0);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml: has more than 67108864 bytes, the most that is read\n");
	free(errors);
}

static void a_file_has_a_limit_of_documents(void **state)
{
	const char document[] = "--- {services: []}\n";
	const size_t len = sizeof(document) - 1;
	const size_t count = SOURCE_DOCUMENTS_MAX + 2;
	char *text = malloc(count * len), *errors;

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, document, len);
	put_bytes("f.yaml", text, count * len);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:131073:1: more than 131072 documents in a file\n");
	free(errors);
	put_bytes("f.yaml", text, SOURCE_DOCUMENTS_MAX * len);
	model_free(load(in_dir("f.yaml")));
	free(text);
}

static void a_document_has_a_limit_of_values(void **state)
{
	const size_t count = (1 << 23) + 1;
	char *text = malloc(2 * count + 1), *errors;

	text[0] = '[';
	for (size_t i = 0; i < count; i++)
		memcpy(text + 2 * i + 1, "a,", 2);
	put_bytes("f.yaml", text, 2 * count + 1);
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_non_null(strstr(errors, "document has more than 8388608 values"));
	free(errors);
	free(text);
}

static void what_cannot_be_read_is_said(void **state)
{
	char *errors = errors_of(in_dir("none.yaml"), -EINVAL);

	assert_string_equal(errors, "D/none.yaml: cannot be read: No such file or directory\n");
	free(errors);

	assert_int_equal(symlink("nowhere", in_dir("a.yaml")), 0);
	assert_int_equal(mkdir(in_dir("b.yaml"), 0700), 0);
	errors = errors_of(dir, -EINVAL);
	assert_string_equal(errors, "D/a.yaml: cannot be read: No such file or directory\nD/b.yaml: is a directory, not a regular file\n");
	free(errors);
}

#define SAYS_NOTHING \
	"D/f.yaml: says nothing; an empty list of services is written \"services: []\"\n"
#define NO_SERVICES \
	"D/f.yaml: no \"services\" in it; an empty list is written \"services: []\"\n"

/* Emptied, cut off at the end of a line, or not filled yet. */
static const struct { const char *text, *errors; } unfinished[] = {
	{ "", SAYS_NOTHING },
	{ "\n", SAYS_NOTHING },
	{ "# nothing\n", SAYS_NOTHING },
	{ "---\n---\n...\n", SAYS_NOTHING },
	{ "~", SAYS_NOTHING },
	{ "{}", SAYS_NOTHING },
	{ "timeouts:", SAYS_NOTHING },
	{ "\xef\xbb\xbf", SAYS_NOTHING },
	{ "%YAML 1.1\n---\n{}\n", SAYS_NOTHING },
	{ "node: a\n", NO_SERVICES },
	{ "node: a\n---\nuplinks: [eth0]\n", NO_SERVICES },
	{ "services:\n", "D/f.yaml:1:10: services needs a list, not nothing; an empty list is \"[]\"\n" },
	{ "services: ~\n", "D/f.yaml:1:11: services needs a list, not nothing; an empty list is \"[]\"\n" },
	{ "{\"services\": null}", "D/f.yaml:1:14: services needs a list, not nothing; an empty list is \"[]\"\n" },
	{ "services:\n- name: a\n  address: 192.0.2.1\n  port: 1\n  backends:\n", "D/f.yaml:5:12: backends needs a list, not nothing; an empty list is \"[]\"\n" },
	{ SERVICE ", sources: {allow: }}", "D/f.yaml:2:60: sources: allow needs a list, not nothing; an empty list is \"[]\"\n" },
};

static void what_was_cut_off_withdraws_nothing(void **state)
{
	for (size_t i = 0; i < COUNT(unfinished); i++) {
		char *errors;

		put("f.yaml", unfinished[i].text);
		errors = errors_of(in_dir("f.yaml"), -EINVAL);
		assert_string_equal(errors, unfinished[i].errors);
		free(errors);
	}
}

static void a_file_of_many_that_was_emptied_withdraws_nothing(void **state)
{
	char *errors;

	put("e.yaml", "services: [{name: a, address: 192.0.2.1, port: 1}]");
	put("f.yaml", "# nothing");
	errors = errors_of(dir, -EINVAL);
	assert_string_equal(errors, SAYS_NOTHING);
	free(errors);
	assert_int_equal(remove(in_dir("e.yaml")), 0);
	assert_int_equal(remove(in_dir("f.yaml")), 0);
	errors = errors_of(dir, -EINVAL);
	assert_string_equal(errors, "D: no \"services\" in it; an empty list is written \"services: []\"\n");
	free(errors);
}

static void a_node_s_file_may_have_settings_alone(void **state)
{
	struct definitions_from from = {
		.path = in_dir("f.yaml"), .may_lack_services = true,
	};
	struct model *m = NULL;
	char *text = NULL;
	size_t len;
	FILE *errors = open_memstream(&text, &len);

	put("f.yaml", "node: a\n");
	assert_int_equal(definitions_load(&from, &m, errors), 0);
	fclose(errors);
	assert_string_equal(m->node, "a");
	assert_int_equal(m->nr_refused, 0);
	assert_string_equal(shorten(text), "D/f.yaml: no \"services\" in it, which is right where somebody else has them, as with --kubernetes\n");
	model_free(m);
	free(text);
}

static void an_empty_list_is_a_model_without_services(void **state)
{
	static const char *const texts[] = {
		"services: []", "{\"services\": []}", "services: # none\n  []\n",
		"---\n# none\n---\nservices: []\n---\nnode: a\n",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct model *m = load_text(texts[i]);

		assert_int_equal(m->nr_services, 0);
		assert_int_equal(m->idle_tcp_s, 900);
		model_free(m);
	}
}

static void a_service_has_several_addresses(void **state)
{
	static const char *const sorted[] = {
		"192.0.2.0", "192.0.2.9", "2001:db8::1",
	};
	__cleanup(model_freep) struct model *m = load_text(
		"services: [{name: a, port: 80-81, forward: ipip, addresses: "
		"[192.0.2.9, '2001:db8::1', 192.0.2.0/30],"
		"sources: {deny: ['2001:db8:1::/48', 10.0.0.0/8]},"
		"backends: [{address: 10.0.0.1}]}]");
	const struct model_service *s = m->services[0];

	assert_int_equal(m->nr_services, 1);
	assert_int_equal(s->nr_fronts, COUNT(sorted));
	for (size_t i = 0; i < COUNT(sorted); i++) {
		assert_string_equal(addr_text(&s->fronts[i].addr), sorted[i]);
		assert_int_equal(s->fronts[i].prefix_len, i ? 128 : 126);
		assert_int_equal(s->fronts[i].port_first, 80);
		assert_int_equal(s->fronts[i].port_last, 81);
		assert_int_equal(s->fronts[i].kind, KIND_EDGE);
		assert_false(s->fronts[i].open);
	}
	assert_int_equal(s->nr_sources, 2);
	assert_int_equal(s->nr_backends, 1);
}

static void two_hundred_and_fifty_six_addresses_are_enough(void **state)
{
	char *text = NULL, *errors;
	size_t len;

	for (int nr = 256; nr <= 257; nr++) {
		FILE *f = open_memstream(&text, &len);
		struct model *m;

		fputs("services:\n- {name: a, port: 80, addresses: [", f);
		for (int i = 0; i < nr; i++)
			fprintf(f, "192.0.%d.%d, ", 2 + i / 256, i % 256);
		fputs("]}", f);
		fclose(f);
		if (nr == 256) {
			m = load_text(text);
			assert_int_equal(m->services[0]->nr_fronts, 256);
			model_free(m);
		}
		put("f.yaml", text);
		free(text);
	}
	errors = errors_of(in_dir("f.yaml"), -EINVAL);
	assert_string_equal(errors, "D/f.yaml:2:34: a service has 257 addresses; at most 256 are allowed\n");
	free(errors);
}

/* A daemon that waited for the other end of a FIFO would hear no signal. */
static void what_is_no_file_is_not_waited_for(void **state)
{
	static const struct { const char *path, *kind; } others[] = {
		{ "/dev/zero", "a device" }, { "/dev/tty", "a device" },
	};
	struct definitions *d = NULL;
	struct model *m = NULL;
	bool changed;

	for (size_t i = 0; i < COUNT(others) + 3; i++) {
		const char *path = i < COUNT(others) ? others[i].path :
				   in_dir("f.yaml");
		const char *kind = i < COUNT(others) ? others[i].kind :
				   "a FIFO";
		char expected[300], *text = NULL;
		size_t len;
		FILE *errors = open_memstream(&text, &len);

		if (i == COUNT(others))
			assert_int_equal(mkfifo(path, 0600), 0);
		if (i == COUNT(others) + 2)
			path = dir;
		assert_int_equal(open_path(path, &d), 0);
		assert_int_equal(definitions_reload(d, &m, errors, &changed),
				 -EINVAL);
		fclose(errors);
		snprintf(expected, sizeof(expected),
			 "%s: is %s, not a regular file\n",
			 path == dir ? in_dir("f.yaml") : path, kind);
		assert_string_equal(text, expected);
		free(text);
		definitions_close(d);
	}
}

static void a_loop_of_links_is_said(void **state)
{
	char *errors;

	assert_int_equal(symlink("b", in_dir("a")), 0);
	assert_int_equal(symlink("a", in_dir("b")), 0);
	errors = errors_of(in_dir("a"), -EINVAL);
	assert_string_equal(errors, "D/a: cannot be read: Too many levels of symbolic links\n");
	free(errors);
	assert_int_equal(symlink(".", in_dir("c.yaml")), 0);
	errors = errors_of(dir, -EINVAL);
	assert_string_equal(errors, "D/c.yaml: is a directory, not a regular file\n");
	free(errors);
}

#define ONE(name, address, port, more, backend) \
	"- {name: " name ", address: '" address "', port: " port more \
	", backends: [{address: '" backend "'}]}\n"
#define COMES_BACK ": its packets would come back to be balanced again\n"

static const struct { const char *text, *errors; } loops[] = {
	/* its own */
	{ ONE("a", "192.0.2.1", "80", "", "192.0.2.1"),
	  "D/f.yaml:2:22: backend \"192.0.2.1\" of service \"a\" is 192.0.2.1:80/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
	{ ONE("a", "2001:db8::1", "80", ", forward: l2", "2001:db8::1"),
	  "D/f.yaml:2:22: backend \"2001:db8::1\" of service \"a\" is [2001:db8::1]:80/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
	{ ONE("a", "192.0.2.1", "80", ", forward: gue", "192.0.2.1"),
	  "D/f.yaml:2:22: backend \"192.0.2.1\" of service \"a\" is 192.0.2.1:80/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
	/* inside its own prefix */
	{ ONE("a", "192.0.2.0/24", "80-90", "", "192.0.2.77"),
	  "D/f.yaml:2:22: backend \"192.0.2.77\" of service \"a\" is 192.0.2.0/24:80-90/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
	{ ONE("a", "2001:db8::/33", "'*'", "", "2001:db8:7fff::1"),
	  "D/f.yaml:2:22: backend \"2001:db8:7fff::1\" of service \"a\" is [2001:db8::]/33:any/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
	/* a ring of two */
	{ ONE("a", "192.0.2.1", "80", ", forward: ipip", "192.0.2.2")
	  ONE("b", "192.0.2.2", "80", ", forward: ipip", "192.0.2.1"),
	  "D/f.yaml:2:22: backend \"192.0.2.2\" of service \"a\" is 192.0.2.2:80/tcp of service \"b\" at D/f.yaml:3:22" COMES_BACK
	  "D/f.yaml:3:22: backend \"192.0.2.1\" of service \"b\" is 192.0.2.1:80/tcp of service \"a\" at D/f.yaml:2:22" COMES_BACK },
};

static void a_backend_that_is_a_service_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(loops); i++) {
		char text[1000], *errors;

		snprintf(text, sizeof(text), "services:\n%s", loops[i].text);
		put("f.yaml", text);
		errors = errors_of(in_dir("f.yaml"), -EINVAL);
		assert_string_equal(errors, loops[i].errors);
		free(errors);
	}
}

/* Another port or protocol of the address is somebody else's: a server on the
 * balancer itself, say. */
static void a_backend_at_a_service_s_address_may_have_another_port(void **state)
{
	struct model *m = load_text(
		"services:\n"
		"- {name: a, address: 192.0.2.1, port: 80, backends: [{address: 192.0.2.1, port: 8080}]}\n"
		"- {name: b, address: 192.0.2.1, port: 80, protocol: udp, backends: [{address: 10.0.0.1}]}\n"
		"- {name: c, address: 192.0.2.2, port: 81, backends: [{address: 192.0.2.1}]}\n"
		"- {name: d, address: 192.0.3.0/24, port: 90-99, backends: [{address: 192.0.3.1, port: 89}]}\n");

	assert_int_equal(m->nr_services, 4);
	model_free(m);
}

static void a_service_has_defaults(void **state)
{
	__cleanup(model_freep) struct model *m =
		load_text("services: [{name: a, address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]}]");
	const struct model_service *s = m->services[0];

	assert_int_equal(m->nr_services, 1);
	assert_string_equal(s->name, "a");
	assert_string_equal(addr_text(&s->fronts->addr), "192.0.2.1");
	assert_int_equal(s->fronts->prefix_len, 128);
	assert_int_equal(s->proto, IPPROTO_TCP);
	assert_int_equal(s->forward, FORWARD_NAT);
	assert_int_equal(s->algorithm, ALGORITHM_MAGLEV);
	assert_false(s->stateless);
	assert_int_equal(s->affinity_s, 0);
	assert_int_equal(s->idle_s, 0);
	assert_int_equal(s->health.nr_checks, 0);
	assert_int_equal(s->nr_sources, 0);
	assert_int_equal(s->nr_backends, 1);
	assert_int_equal(s->backends[0].port, 80);
	assert_int_equal(s->backends[0].weight, 100);
	assert_int_equal(s->backends[0].state, BACKEND_ACTIVE);
}

static void no_sources_are_as_good_as_none_named(void **state)
{
	static const char *const texts[] = {
		SERVICE ", sources: {}}", SERVICE ", sources: {allow: []}}",
		SERVICE ", sources: {allow: [], deny: []}}",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct model *m = load_text(texts[i]);

		assert_int_equal(m->services[0]->nr_sources, 0);
		assert_null(m->services[0]->sources);
		model_free(m);
	}
}

static void every_key_of_a_service_is_read(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"services:\n"
		"- backends:\n"
		"  - {address: 10.0.0.2, weight: 0}\n"
		"  - {state: drain, address: 10.0.0.1, port: 53, weight: 1000}\n"
		"  - {address: 'fd00::1'}\n"
		"  health: {type: https, path: '/a?b', host: a.example, port: 8443,\n"
		"    interval: 1h, timeout: 150ms, rise: 7, fall: 8}\n"
		"  idle: 1h30m\n"
		"  udp: flow\n"
		"  affinity: {client: 3h}\n"
		"  sources: {deny: [203.0.113.0/25, 10.0.0.1],\n"
		"    allow: [203.0.113.0/24, 0.0.0.0/0]}\n"
		"  algorithm: round-robin\n"
		"  forward: geneve\n"
		"  protocol: udp\n"
		"  port: '53'\n"
		"  address: 192.0.2.0/24\n"
		"  name: ns/dns:53\n");
	static const char *const sources[] = {
		"0.0.0.0/0", "10.0.0.1", "203.0.113.0/24", "203.0.113.0/25",
	};
	const struct model_service *s = m->services[0];
	char text[SOURCE_TEXT_MAX];

	assert_string_equal(s->name, "ns/dns:53");
	assert_int_equal(s->fronts->prefix_len, 120);
	assert_int_equal(s->proto, IPPROTO_UDP);
	assert_int_equal(s->fronts->port_first, 53);
	assert_int_equal(s->fronts->port_last, 53);
	assert_int_equal(s->forward, FORWARD_GENEVE);
	assert_int_equal(s->algorithm, ALGORITHM_ROUND_ROBIN);
	assert_int_equal(s->affinity_s, 3 * 3600);
	assert_int_equal(s->idle_s, 5400);
	assert_int_equal(s->health.checks[0].spec.kind, PROBE_HTTPS);
	assert_string_equal(s->health.checks[0].spec.path, "/a?b");
	assert_string_equal(s->health.checks[0].spec.host, "a.example");
	assert_int_equal(s->health.checks[0].spec.port, 8443);
	assert_int_equal(s->health.checks[0].interval_ms, 3600000);
	assert_int_equal(s->health.checks[0].spec.timeout_ms, 150);
	assert_int_equal(s->health.checks[0].rise, 7);
	assert_int_equal(s->health.checks[0].fall, 8);

	assert_int_equal(s->nr_sources, 4);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(model_source_text(&s->sources[i], text),
				    sources[i]);
		assert_int_equal(s->sources[i].allow, i == 0 || i == 2);
	}

	assert_int_equal(s->nr_backends, 3);
	assert_string_equal(addr_text(&s->backends[0].addr), "10.0.0.1");
	assert_int_equal(s->backends[0].weight, 1000);
	assert_int_equal(s->backends[0].state, BACKEND_DRAIN);
	assert_string_equal(addr_text(&s->backends[1].addr), "10.0.0.2");
	assert_int_equal(s->backends[1].weight, 0);
	assert_string_equal(addr_text(&s->backends[2].addr), "fd00::1");
}

static void checks_have_what_their_types_take(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"services:\n"
		"- name: a\n"
		"  address: 192.0.2.1\n"
		"  port: 443\n"
		"  health:\n"
		"    checks:\n"
		"    - {type: https, status: [200-299, 301], body: well, method: HEAD,\n"
		"       verify: full, sni: b.example, alpn: http/1.1}\n"
		"    - {type: tls, expires: 48h}\n"
		"    - {type: dns, name: c.example, rcode: NXDOMAIN, transport: tcp}\n"
		"    - {type: udp, expect: no-unreachable}\n");
	const struct model_check *c = m->services[0]->health.checks;

	assert_int_equal(m->services[0]->health.nr_checks, 4);
	assert_int_equal(c[0].spec.nr_status, 2);
	assert_int_equal(c[0].spec.status[0].last, 299);
	assert_int_equal(c[0].spec.status[1].first, 301);
	assert_memory_equal(c[0].spec.body.data, "well", 4);
	assert_string_equal(c[0].spec.method, "HEAD");
	assert_int_equal(c[0].spec.verify, PROBE_VERIFY_FULL);
	assert_string_equal(c[0].spec.sni, "b.example");
	assert_string_equal(c[0].spec.alpn, "http/1.1");
	assert_int_equal(c[0].spec.expires_s, 7 * 24 * 3600);
	assert_int_equal(c[1].spec.expires_s, 48 * 3600);
	assert_string_equal(c[2].spec.name, "c.example");
	assert_int_equal(c[2].spec.rcode, 3);
	assert_true(c[2].spec.dns_tcp);
	assert_true(c[3].spec.no_unreachable);
	assert_null(c[3].spec.expect.data);
}

static void ports_follow_from_the_service(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"services:\n"
		"- {name: a, address: 192.0.2.1, port: '*', backends: [{address: 10.0.0.1}, {address: 10.0.0.1, port: 9}]}\n"
		"- {name: b, address: 192.0.2.2, port: 8000-8001, forward: l2, backends: [{address: 10.0.0.1}]}\n"
		"- {name: c, address: 192.0.2.3, port: 7-7, forward: l2, backends: [{address: 10.0.0.1, port: 7}]}\n");

	assert_int_equal(m->services[0]->fronts->port_first, 0);
	assert_int_equal(m->services[0]->fronts->port_last, 65535);
	assert_int_equal(m->services[0]->backends[0].port, 0);
	assert_int_equal(m->services[0]->backends[1].port, 9);
	assert_int_equal(m->services[1]->backends[0].port, 0);
	assert_int_equal(m->services[2]->backends[0].port, 7);
}

static void tunnels_take_any_pair_of_families(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"services:\n"
		"- {name: a, address: 192.0.2.1, port: 1, forward: ipip, backends: [{address: 'fd00::1'}, {address: 10.0.0.1}]}\n"
		"- {name: b, address: 'fd01::1', port: 1, forward: ip4ip6, backends: [{address: 10.0.0.1}]}\n"
		"- {name: c, address: 'fd01::2', port: 1, forward: ip6ip6, backends: [{address: 'fd00::1'}]}\n");

	assert_int_equal(m->nr_services, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(m->services[i]->forward, FORWARD_IPIP);
	assert_int_equal(m->services[0]->nr_backends, 2);
}

static void services_that_share_no_packet_may_share_an_address(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"services:\n"
		"- {name: a, address: 192.0.2.1, port: 1-9}\n"
		"- {name: b, address: 192.0.2.1, port: 10}\n"
		"- {name: c, address: 192.0.2.1, port: '*', protocol: udp}\n"
		"- {name: d, address: 192.0.2.2, port: 1}\n"
		"- {name: e, address: 192.0.2.0/24, port: 11, protocol: tcp}\n");

	assert_int_equal(m->nr_services, 5);
}

static void expect_limits(const struct model *m)
{
	assert_int_equal(m->max_services, 1);
	assert_int_equal(m->max_backends, 2);
	assert_int_equal(m->max_slots, 3);
	assert_int_equal(m->max_conns, 4);
	assert_int_equal(m->answers_per_s, 5);
	assert_int_equal(m->answers_network_per_s, 0);
}

static void expect_listens(const struct model *m)
{
	assert_string_equal(addr_text(&m->healthz.addr), "::1");
	assert_int_equal(m->healthz.port, 1);
	assert_true(m->healthz.is_set && !m->healthz.is_off);
	assert_string_equal(addr_text(&m->metrics.addr), "192.0.2.1");
	assert_int_equal(m->metrics.port, 10249);
}

static void expect_sockets(const struct model *m)
{
	assert_int_equal(m->sockets, SOCKETS_OFF);
	assert_int_equal(m->nr_socket_pods, 2);
	assert_int_equal(m->socket_pods[0].len, 96 + 16);
	assert_string_equal(addr_text(&m->socket_pods[1].addr), "fd00::");
}

static void expect_node(const struct model *m)
{
	assert_string_equal(m->hostname_override, "node-1");
	assert_int_equal(m->detect_local, DETECT_INTERFACES);
	assert_string_equal(addr_text(&m->cluster_cidr4.addr), "10.244.0.0");
	assert_int_equal(m->cluster_cidr4.len, 96 + 16);
	assert_true(m->cluster_cidr4.is_set);
	assert_string_equal(addr_text(&m->cluster_cidr6.addr), "fd00::");
	assert_int_equal(m->cluster_cidr6.len, 56);
	assert_true(m->cluster_cidr6.is_set);
	assert_string_equal(m->pod_bridge, "cni0");
	assert_string_equal(m->pod_interfaces, "veth");
	assert_int_equal(m->nr_nodeport, 2);
	assert_int_equal(m->nodeport[0].len, 96 + 24);
	assert_int_equal(m->nodeport[1].len, 128);
	assert_true(m->masquerade_all);
	expect_listens(m);
	expect_sockets(m);
}

static void every_setting_is_read(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"node: edge-1\n"
		"uplinks: [eth0, bond0.100]\n"
		"tunnel-source: [10.9.0.0/16, 'fd00::/64']\n"
		"nat: {addresses: [192.0.2.1, 'fd00::1', 192.0.2.2], ports: 2048-4095}\n"
		"gue-port: 1\ngeneve-port: 2\ngeneve-vni: 16777215\n"
		"timeouts: {tcp: 1h, udp: 2s, sctp: 3m, syn: 4, half-closed: 7s, closing: 5s, fragment: 1m6s}\n"
		"limits: {services: 1, backends: 2, slots: 3, connections: 4}\n"
		"answers: {per-second: 5, per-network: 0}\n"
		"hostname-override: ' Node-1 '\n"
		"detect-local-mode: InterfaceNamePrefix\n"
		"cluster-cidr: [10.244.0.0/16, 'fd00::/56', 10.0.0.0/8]\n"
		"pod-bridge-interface: cni0\npod-interface-name-prefix: veth\n"
		"nodeport-addresses: [192.0.2.0/24, 'fd01::1']\n"
		"masquerade-all: true\n"
		"healthz-bind-address: '[::1]:1'\n"
		"metrics-bind-address: 192.0.2.1\n"
		"sockets: off\nsocket-pods: [10.244.0.0/16, 'fd00::/56']\n"
		"services: []\n");

	expect_node(m);
	assert_string_equal(m->node, "edge-1");
	assert_int_equal(m->nr_uplinks, 2);
	assert_string_equal(m->uplinks[1], "bond0.100");
	assert_string_equal(addr_text(&m->tunnel4), "10.9.0.0");
	assert_int_equal(m->tunnel4_bits, 16);
	assert_string_equal(addr_text(&m->tunnel6), "fd00::");
	assert_int_equal(m->tunnel6_bits, 32);
	assert_int_equal(m->nr_nat4, 2);
	assert_int_equal(m->nr_nat6, 1);
	assert_string_equal(addr_text(&m->nat4[1]), "192.0.2.2");
	assert_int_equal(m->nat_port_first, 2048);
	assert_int_equal(m->nat_port_last, 4095);
	assert_int_equal(m->gue_port, 1);
	assert_int_equal(m->geneve_port, 2);
	assert_int_equal(m->geneve_vni, 0xffffff);
	assert_int_equal(m->idle_tcp_s, 3600);
	assert_int_equal(m->idle_udp_s, 2);
	assert_int_equal(m->idle_sctp_s, 180);
	assert_int_equal(m->syn_s, 4);
	assert_int_equal(m->half_closed_s, 7);
	assert_int_equal(m->closing_s, 5);
	assert_int_equal(m->fragment_s, 66);
	expect_limits(m);
}

static char *errors_given(const struct given *list, size_t count)
{
	__cleanup(model_freep) struct model *m = NULL;
	struct definitions_from from = {
		.path = in_dir("f.yaml"), .given = list, .nr_given = count,
	};
	char *text = NULL;
	size_t len;
	FILE *errors = open_memstream(&text, &len);

	assert_int_equal(definitions_load(&from, &m, errors), -EINVAL);
	fclose(errors);
	return shorten(text);
}

/* As options of a command. */
static void settings_are_given_by_name(void **state)
{
	static const struct given list[] = {
		{ "hostname-override", "Node\"1", NULL },
		{ "cluster-cidr", "10.244.0.0/16,fd00::/56", NULL },
		{ "nodeport-addresses", "primary", NULL },
		{ "masquerade-all", "true", NULL },
		{ "detect-local-mode", "NodeCIDR", NULL },
		{ "healthz-bind-address", "", NULL },
		{ "metrics-bind-address", "[::]:80", NULL },
		{ "sockets", "off", NULL },
		{ "socket-pods", "10.244.0.0/16,fd00::/56", NULL },
	};
	__cleanup(model_freep) struct model *m = NULL;
	struct definitions_from from = {
		.path = in_dir("f.yaml"), .given = list, .nr_given = COUNT(list),
	};

	put("f.yaml", "services: []\nmasquerade-all: true\n");
	assert_int_equal(definitions_load(&from, &m, stderr), 0);
	assert_string_equal(m->hostname_override, "node\"1");
	assert_int_equal(m->cluster_cidr4.len, 96 + 16);
	assert_int_equal(m->cluster_cidr6.len, 56);
	assert_int_equal(m->nr_nodeport, 0);
	assert_true(m->masquerade_all);
	assert_int_equal(m->detect_local, DETECT_NODE_CIDR);
	assert_true(m->healthz.is_set && m->healthz.is_off);
	assert_true(m->metrics.is_set && !m->metrics.is_off);
	assert_int_equal(m->metrics.port, 80);
	expect_sockets(m);
}

static const struct {
	struct given given;
	const char *error;
} given_mistakes[] = {
	{ { "cluster-cidr", "10.244.0.0/33", NULL },
	  "--cluster-cidr: cluster-cidr \"10.244.0.0/33\" is not an address or a prefix such as \"192.0.2.0/24\"\n" },
	{ { "cluster-cidr", "", NULL },
	  "--cluster-cidr: cluster-cidr \"\" is not an address or a prefix such as \"192.0.2.0/24\"\n" },
	{ { "detect-local-mode", "ClusterCidr", NULL },
	  "--detect-local-mode: unknown detect-local-mode \"ClusterCidr\"; did you mean \"ClusterCIDR\"?\n" },
	{ { "detect-local-mode", "BridgeInterface", NULL },
	  "--detect-local-mode: detect-local-mode \"BridgeInterface\" needs \"pod-bridge-interface\"\n" },
	{ { "detect-local-mode", "InterfaceNamePrefix", NULL },
	  "--detect-local-mode: detect-local-mode \"InterfaceNamePrefix\" needs \"pod-interface-name-prefix\"\n" },
	{ { "pod-bridge-interface", "a/b", NULL },
	  "--pod-bridge-interface: pod-bridge-interface \"a/b\" is not an interface name\n" },
	{ { "nodeport-addresses", "10.0.0.0/8,primary", NULL },
	  "--nodeport-addresses: nodeport-addresses \"primary\" is not an address or a prefix such as \"192.0.2.0/24\"\n" },
	{ { "nodeport-addresses", "primary,10.0.0.0/8", NULL },
	  "--nodeport-addresses: nodeport-addresses: \"primary\" stands alone\n" },
	{ { "masquerade-all", "yes", NULL },
	  "--masquerade-all: masquerade-all \"yes\" is not true or false\n" },
	{ { "masquerade-all", "true", NULL },
	  "--masquerade-all: \"masquerade-all\" is set differently at D/f.yaml:2:17\n" },
	{ { "socket-pods", "all", NULL },
	  "--socket-pods: socket-pods \"all\" is not an address or a prefix such as \"192.0.2.0/24\"\n" },
	{ { "sockets", "on", NULL },
	  "--sockets: unknown sockets \"on\"; known: host, off\n" },
	{ { "hostname-override", " ", NULL },
	  "--hostname-override: hostname-override \" \" is not a node's name\n" },
	{ { "healthz-bind-address", "localhost:80", NULL },
	  "--healthz-bind-address: healthz-bind-address \"localhost:80\" is not an address and port such as \"127.0.0.1:10256\"\n" },
	{ { "metrics-bind-address", "127.0.0.1:0", NULL },
	  "--metrics-bind-address: metrics-bind-address \"127.0.0.1:0\" is not an address and port such as \"127.0.0.1:10249\"\n" },
	{ { "hostname-override", "a b", NULL },
	  "--hostname-override: hostname-override \"a b\" is not a node's name\n" },
};

static void what_is_given_wrong_is_said(void **state)
{
	put("f.yaml", "services: []\nmasquerade-all: false\n");
	for (size_t i = 0; i < COUNT(given_mistakes); i++) {
		char *text = errors_given(&given_mistakes[i].given, 1);

		assert_string_equal(text, given_mistakes[i].error);
		free(text);
	}
}

/* Expected words: printf 'fairlead hash key 0\0<key>' | sha256sum. */
static void a_hash_key_is_the_same_everywhere(void **state)
{
	__cleanup(model_freep) struct model *m =
		load_text("services: []\nhash-key: 0123456789abcdef");

	assert_true(m->has_hash_key);
	assert_int_equal(m->hash_key[0], 0x71533285);
	assert_int_equal(m->hash_key[7], 0xaf1c71eb);
	assert_int_equal(m->hash_key[8], 0x78f358c0);
	assert_int_equal(m->hash_key[15], 0x6d6a1d41);
}

static void json_says_the_same(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;

	put("f.json", "{\n\t\"node\": \"a\",\n\t\"services\": [{\"name\":\"b\",\"address\":\"192.0.2.1\",\n"
	    "\t\"port\":80,\"backends\":[\n\t\t{\"address\":\"10.0.0.1\",\"weight\":7}\n\t]}]\n}\n");
	m = load(in_dir("f.json"));
	assert_string_equal(m->node, "a");
	assert_int_equal(m->services[0]->backends[0].weight, 7);
}

static void the_same_setting_twice_is_no_mistake(void **state)
{
	__cleanup(model_freep) struct model *m = load_text(
		"node: a\nuplinks: eth0\ntimeouts: {tcp: 60, udp: 5}\n---\n"
		"services: []\n"
		"timeouts: {tcp: 1m, sctp: 9}\nnode: a\nuplinks: [eth0]\n");

	assert_int_equal(m->idle_tcp_s, 60);
	assert_int_equal(m->idle_udp_s, 5);
	assert_int_equal(m->idle_sctp_s, 9);
}

static void services_come_in_order_of_name(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;

	put("2.yaml", "services:\n- {name: b, address: 192.0.2.1, port: 1}\n- {name: a, address: 192.0.2.2, port: 1}");
	put("1.yml", "services: [{name: c, address: 192.0.2.3, port: 1}]\n---\nservices: [{name: ab, address: 192.0.2.0, port: 1}]");
	m = load(dir);
	assert_int_equal(m->nr_services, 4);
	assert_string_equal(m->services[0]->name, "a");
	assert_string_equal(m->services[1]->name, "ab");
	assert_string_equal(m->services[2]->name, "b");
	assert_string_equal(m->services[3]->name, "c");
}

static void only_definitions_of_a_directory_are_read(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;

	put("a.yaml", "services: [{name: a, address: 192.0.2.1, port: 1}]");
	put("b.json", "{\"services\": [{\"name\": \"b\", \"address\": \"192.0.2.2\", \"port\": 1}]}");
	put(".c.yaml", "not read");
	put("d.yaml~", "not read");
	put("e.txt", "not read");
	put(".yaml", "not read");
	put("#f.yaml#", "not read");
	m = load(dir);
	assert_int_equal(m->nr_services, 2);
}

static void files_of_a_directory_contradict_each_other_by_name(void **state)
{
	char *errors;

	put("a.yaml", "node: a\nservices: [{name: a, address: 192.0.2.1, port: 1}]");
	put("b.yaml", "node: b\nservices: [{name: a, address: 192.0.2.1, port: 1}]");
	errors = errors_of(dir, -EINVAL);
	assert_string_equal(errors,
		"D/b.yaml:1:7: \"node\" is set differently at D/a.yaml:1:7\n"
		"D/b.yaml:2:19: service \"a\" is defined already at D/a.yaml:2:19\n"
		"D/b.yaml:2:31: 192.0.2.1:1/tcp overlaps 192.0.2.1:1/tcp of service \"a\" at D/a.yaml:2:31\n");
	free(errors);
}

/* As a mounted ConfigMap does it: name -> ..data/name, ..data -> ..1/. */
static void a_config_map_is_followed(void **state)
{
	__cleanup(definitions_closep) struct definitions *s = NULL;
	__cleanup(model_freep) struct model *first = NULL;
	__cleanup(model_freep) struct model *second = NULL;
	bool changed;

	assert_int_equal(mkdir(in_dir("..1"), 0700), 0);
	assert_int_equal(mkdir(in_dir("..2"), 0700), 0);
	put("..1/a.yaml", "node: one\nservices: []");
	put("..2/a.yaml", "node: two\nservices: []");
	assert_int_equal(symlink("..1", in_dir("..data")), 0);
	assert_int_equal(symlink("..data/a.yaml", in_dir("a.yaml")), 0);
	grow_old();
	assert_int_equal(open_path(dir, &s), 0);
	assert_int_equal(definitions_reload(s, &first, stderr, &changed), 0);
	assert_string_equal(first->node, "one");
	assert_int_equal(symlink("..2", in_dir("..tmp")), 0);
	assert_int_equal(rename(in_dir("..tmp"), in_dir("..data")), 0);
	assert_int_equal(definitions_reload(s, &second, stderr, &changed), 0);
	assert_true(changed);
	assert_string_equal(second->node, "two");
}

/* One reload: what it did, and the model for the caller to look at. */
struct step {
	struct definitions *s;
	struct model *m;
	bool changed;
};

static void step(struct step *t, unsigned int files, unsigned int documents,
		 bool changed)
{
	struct definitions_work work;

	model_free(take_ptr(t->m));
	assert_int_equal(definitions_reload(t->s, &t->m, stderr, &t->changed),
			 0);
	work = definitions_work(t->s);
	assert_int_equal(work.files_read, files);
	assert_int_equal(work.documents_parsed, documents);
	assert_int_equal(t->changed, changed);
}

static void step_end(struct step *t)
{
	model_free(t->m);
	definitions_close(t->s);
}

static void put_service(const char *file, unsigned int i, unsigned int port)
{
	char text[100];

	snprintf(text, sizeof(text),
		 "services: [{name: s%u, address: 192.0.2.%u, port: %u}]\n", i,
		 i, port);
	put(file, text);
}

static void only_the_file_that_changed_is_parsed(void **state)
{
	__cleanup(step_end) struct step t = {};
	char name[32];

	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%u.yaml", i);
		put_service(name, i, 80);
	}
	grow_old();
	assert_int_equal(open_path(dir, &t.s), 0);
	step(&t, 100, 100, true);
	step(&t, 0, 0, false);

	put_service("50.yaml", 50, 81);
	grow_old();
	step(&t, 1, 1, true);
	assert_int_equal(t.m->nr_services, 100);

	put_service("50.yaml", 50, 81);	/* touched, no more */
	grow_old();
	step(&t, 1, 0, false);

	assert_int_equal(remove(in_dir("7.yaml")), 0);
	step(&t, 0, 0, true);
	assert_int_equal(t.m->nr_services, 99);

	put_service("new.yaml", 200, 1);
	grow_old();
	step(&t, 1, 1, true);
	assert_int_equal(t.m->nr_services, 100);
	step(&t, 0, 0, false);
}

static void a_change_within_one_tick_is_not_missed(void **state)
{
	__cleanup(step_end) struct step t = {};

	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	for (unsigned int i = 0; i < 20; i++) {
		put_service("f.yaml", 1, 80 + i % 10);
		step(&t, 1, 1, true);
		assert_int_equal(t.m->services[0]->fronts->port_first,
				 80 + i % 10);
	}
}

#define DOCUMENT(i) "---\nservices: [{name: s" #i ", address: 192.0.2." #i \
	", port: 80}]\n"

static void only_the_document_that_changed_is_parsed(void **state)
{
	__cleanup(step_end) struct step t = {};

	put("f.yaml", DOCUMENT(1) DOCUMENT(2) DOCUMENT(3));
	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	step(&t, 1, 3, true);
	put("f.yaml", DOCUMENT(3) DOCUMENT(4) DOCUMENT(1));
	step(&t, 1, 1, true);
	assert_int_equal(t.m->nr_services, 3);
	assert_string_equal(t.m->services[0]->name, "s1");
	assert_string_equal(t.m->services[1]->name, "s3");
	assert_string_equal(t.m->services[2]->name, "s4");
	put("f.yaml", DOCUMENT(4));
	step(&t, 1, 0, true);
	assert_int_equal(t.m->nr_services, 1);
}

#define ITEM(i, port) \
	"  - name: s" #i "\n    address: 192.0.2." #i "\n    port: " #port "\n"

static void only_the_service_that_changed_is_parsed(void **state)
{
	__cleanup(step_end) struct step t = {};
	struct model *before;

	put("f.yaml", "node: a\nservices:\n" ITEM(1, 80) ITEM(2, 80)
	    ITEM(3, 80) "# the end\nuplinks: eth0\n");
	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	step(&t, 1, 4, true);
	before = take_ptr(t.m);

	put("f.yaml", "node: a\nservices:\n" ITEM(1, 80) ITEM(2, 81)
	    ITEM(3, 80) "# the end\nuplinks: eth0\n");
	step(&t, 1, 1, true);
	assert_int_equal(t.m->services[1]->fronts->port_first, 81);
	assert_ptr_equal(t.m->services[0]->name, before->services[0]->name);
	assert_ptr_equal(t.m->services[2]->name, before->services[2]->name);
	model_free(before);

	put("f.yaml", "node: a\nservices:\n" ITEM(3, 80) "  # the end\n"
	    ITEM(4, 80) ITEM(1, 80) "uplinks: eth0\n");
	step(&t, 1, 2, true);	/* 4, and the comment of 3 */
	assert_int_equal(t.m->nr_services, 3);
	put("f.yaml", "node: a\nservices: []\n");
	step(&t, 1, 1, true);
	assert_int_equal(t.m->nr_services, 0);
}

/* What looks like a list of services, and is something else; or is one, but not
 * where a line would have it begin. Each says the same as in one piece. */
static const char *const odd[] = {
	"node: \"a\nservices:\n  - name: x\nb\"\n",
	"services:\n  - {name: a, address: 192.0.2.1, port: 1, backends: [\n  - b]}\n",
	"services:\n  - {name: a,\naddress: 192.0.2.1,\n  port: 1}\n",
	"{\nservices:\n - {name: a, address: 192.0.2.1, port: 1}\n}\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n   port: 1\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n    port: 1\n - name: b\n",
	"services:\n  - name: >\n      a\n    address: 192.0.2.1\n    port: 1\n",
	"services:\n  - name: 'a\n  - b'\n    address: 192.0.2.1\n    port: 1\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n    port: 1\nservices: []\n",
	"services: []\nservices:\n  - name: a\n    address: 192.0.2.1\n    port: 1\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n    port: 1\n...\nnode: b\n",
	"services:\n-\n  name: a\n  address: 192.0.2.1\n  port: 1\n- name: b\n  address: 192.0.2.2\n  port: 1\nnode: b\n",
	"services:\n  - - name: a\n",
	"services:\n#\rnode: 1\n  - name: a\n    address: 192.0.2.1\n    port: 1\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n    port: 1 # \xe2\x80\xa8    idle: 3\n",
	"services:\r\n  - name: a\r\n    address: 192.0.2.1\r\n    port: 1\r\n",
	"services:\n\t- name: a\n",
	"services:\n  - name: a\n    address: 192.0.2.1\n    port: 1\n  -\n",
	"kind: Service\nservices:\n  - name: a\n",
	"# one\n\nservices: # two\n\n# three\n  # four\n  - name: a # five\n    address: 192.0.2.1\n    port: 1\n\n# six\nnoed: b\n",
	"services:\n  - &x name\n  - *x\n",
	"--- \nservices:\n  - name: a\n    address: 192.0.2.1\n    port: 1\n---\nservices:\n  - name: a\n    address: 192.0.2.2\n    port: x\n",
};

static void a_list_that_is_cut_says_the_same(void **state)
{
	for (size_t i = 0; i < COUNT(odd); i++) {
		struct model *cut = NULL, *whole = NULL;
		char *text[2] = {}, *breaks;
		FILE *errors;
		size_t len;
		int err;

		put("f.yaml", odd[i]);
		errors = open_memstream(&text[0], &len);
		err = load_path(in_dir("f.yaml"), &cut, errors);
		fclose(errors);
		/* A carriage return by itself keeps it in one piece. */
		assert_true(asprintf(&breaks, "%s#\r", odd[i]) > 0);
		put("f.yaml", breaks);
		errors = open_memstream(&text[1], &len);
		assert_int_equal(load_path(in_dir("f.yaml"), &whole,
						  errors), err);
		fclose(errors);
		assert_string_equal(text[0], text[1]);
		if (!err)
			assert_int_equal(cut->nr_services, whole->nr_services);
		model_free(cut);
		model_free(whole);
		free(text[0]);
		free(text[1]);
		free(breaks);
	}
}

/* Whoever copies a file with its times may write an older one in place. */
static void an_edit_under_old_times_is_not_missed(void **state)
{
	__cleanup(step_end) struct step t = {};
	struct timespec times[2];
	struct stat st;

	put_service("f.yaml", 1, 80);
	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	step(&t, 1, 1, true);
	assert_int_equal(stat(in_dir("f.yaml"), &st), 0);
	grow_old();
	step(&t, 1, 0, false);
	step(&t, 0, 0, false);

	put_service("f.yaml", 1, 81);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, in_dir("f.yaml"), times, 0), 0);
	grow_old();
	step(&t, 1, 1, true);
	assert_int_equal(t.m->services[0]->fronts->port_first, 81);
}

/* A text that is edited, each time somewhere else. */
struct edited {
	char text[8192];
	size_t len;
	__u32 seed;
};

static __u32 edit_random(struct edited *e, __u32 below)
{
	e->seed = e->seed * 1664525 + 1013904223;
	return (e->seed >> 8) % below;
}

static void edit_reset(struct edited *e)
{
	e->len = sprintf(e->text, "node: a\nservices:\n" ITEM(1, 80)
			 ITEM(2, 80) ITEM(3, 80) "# the end\nuplinks: eth0\n"
			 "---\nservices:\n" ITEM(4, 80) "\n" ITEM(5, 80)
			 "---\nservices: [{name: s6, address: 192.0.2.6,\n"
			 "  port: 80}]\n---\nservices:\n" ITEM(7, 80)
			 "    backends: [{address: 192.0.2.9, port: 80}]\n"
			 ITEM(8, 80) "    backends:\n"
			 "      - {address: 192.0.2.33, port: 80}\n"
			 "  - name: s0\n    address: 192.0.2.16/28\n"
			 "    port: 80\n");
}

/* The beginning of a line. */
static size_t edit_line(struct edited *e)
{
	size_t at = edit_random(e, e->len + 1);

	while (at && e->text[at - 1] != '\n')
		at--;
	return at;
}

/* len bytes from `from` on, in place of those at [at, until). */
static void edit_put(struct edited *e, size_t at, size_t until,
		     const char *from, size_t len)
{
	char piece[sizeof(e->text)];

	if (e->len - (until - at) + len >= sizeof(e->text))
		return;
	memcpy(piece, from, len);
	memmove(e->text + at + len, e->text + until, e->len - until);
	memcpy(e->text + at, piece, len);
	e->len += len - (until - at);
	e->text[e->len] = '\0';
}

static const char *const edit_pieces[] = {
	ITEM(9, 80), "  - ", "---\n", "\n", "# x\n", "...\n", "services:\n",
	"  - {name: s9, address: 192.0.2.9, port: 80}\n", "services: []\n",
	"\r", "\"", "'", " ", "\t", "-", "{", "[", "1", ":", "\xe2\x80\xa8",
	"    idle: 3\n", "    backends: [{address: 192.0.2.3}]\n",
	"    backends: [{address: 192.0.2.17}]\n", "kind: x\n", "    name: >\n", "- name: s10\n",
};

static void edit(struct edited *e)
{
	size_t a = edit_line(e), b = edit_line(e), at;
	const char *piece = edit_pieces[edit_random(e, COUNT(edit_pieces))];

	switch (edit_random(e, 5)) {
	case 0:				/* lines go */
		if (a < b)
			edit_put(e, a, b, "", 0);
		break;
	case 1:				/* or come twice */
		if (a < b)
			edit_put(e, a, a, e->text + a, b - a);
		break;
	case 2:
		edit_put(e, a, a, piece, strlen(piece));
		break;
	case 3:
		at = edit_random(e, e->len + 1);
		edit_put(e, at, at, piece, strlen(piece));
		break;
	default:			/* a digit is another one */
		at = edit_random(e, e->len + 1);
		at += strcspn(e->text + at, "0123456789");
		if (at < e->len)
			e->text[at] = '0' + edit_random(e, 10);
	}
}

static void write_model(FILE *out, const struct model *m)
{
	fprintf(out, "node %s\n", m->node ?: "");
	for (size_t i = 0; i < m->nr_services; i++) {
		const struct model_service *s = m->services[i];
		char text[FRONT_TEXT_MAX];

		fprintf(out, "%s idle %u", s->name, s->idle_s);
		for (size_t j = 0; j < s->nr_fronts; j++)
			fprintf(out, " %s", model_front_text(&s->fronts[j],
							     s->proto, text));
		fprintf(out, "\n");
	}
}

/* What a reload of s says, or (NULL) a first load. */
static char *says(struct definitions *s)
{
	__cleanup(model_freep) struct model *m = NULL;
	bool has_changed;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err = s ? definitions_reload(s, &m, out, &has_changed) :
		      load_path(in_dir("f.yaml"), &m, out);

	fprintf(out, "%d\n", err);
	if (!err)
		write_model(out, m);
	fclose(out);
	return text;
}

/* Whatever of it is known from before: values, places, mistakes. */
static void an_edited_file_says_what_it_says_when_read_anew(void **state)
{
	__cleanup(step_end) struct step t = {};
	struct edited e = { .seed = 1 };

	put("f.yaml", "services: []\n");
	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	for (unsigned int i = 0; i < 6000; i++) {
		char *again, *anew;

		if (i % 6 == 0)
			edit_reset(&e);
		else
			edit(&e);
		put_bytes("f.yaml", e.text, e.len);
		again = says(t.s);
		anew = says(NULL);
		if (strcmp(again, anew))
			print_error("edit %u:\n%s", i, e.text);
		assert_string_equal(again, anew);
		free(again);
		free(anew);
	}
}

static void a_document_that_moved_is_reported_where_it_is_now(void **state)
{
	__cleanup(step_end) struct step t = {};
	struct model *m = NULL;
	char *text = NULL;
	bool changed;
	size_t len;
	FILE *errors;

	put("f.yaml", DOCUMENT(1) DOCUMENT(2));
	assert_int_equal(open_path(in_dir("f.yaml"), &t.s), 0);
	step(&t, 1, 2, true);

	put("f.yaml", "# one\n# line and another\n" DOCUMENT(1) DOCUMENT(2)
	    "--- # again\nservices: [{name: s2, address: 192.0.2.9, port: 1}]");
	errors = open_memstream(&text, &len);
	assert_int_equal(definitions_reload(t.s, &m, errors, &changed),
			 -EINVAL);
	fclose(errors);
	assert_string_equal(shorten(text), "D/f.yaml:8:19: service \"s2\" is defined already at D/f.yaml:6:19\n");
	assert_null(m);
	free(text);
}

static void a_mistake_is_reported_until_it_is_mended(void **state)
{
	__cleanup(step_end) struct step t = {};
	struct model *m = NULL;
	bool changed;

	put("a.yaml", DOCUMENT(1));
	put("b.yaml", DOCUMENT(2));
	assert_int_equal(open_path(dir, &t.s), 0);
	step(&t, 2, 2, true);

	put("b.yaml", DOCUMENT(2) DOCUMENT(3) "---\nnoed: a");
	grow_old();
	for (int i = 0; i < 3; i++) {
		char *text = NULL;
		size_t len;
		FILE *errors = open_memstream(&text, &len);

		assert_int_equal(definitions_reload(t.s, &m, errors, &changed),
				 -EINVAL);
		fclose(errors);
		assert_string_equal(shorten(text), "D/b.yaml:6:1: unknown key \"noed\" in a document; did you mean \"node\"?\n");
		free(text);
	}
	put("b.yaml", DOCUMENT(2) DOCUMENT(3) "---\nnode: a");
	grow_old();
	step(&t, 1, 1, true);
	assert_int_equal(t.m->nr_services, 3);
	assert_string_equal(t.m->node, "a");
}

/* AddressSanitizer tells when a model points into what was closed. */
static void a_model_outlives_its_source(void **state)
{
	struct model *first = NULL, *second = NULL;
	struct definitions *s;
	bool changed;

	put("f.yaml", DOCUMENT(1) DOCUMENT(2));
	assert_int_equal(open_path(in_dir("f.yaml"), &s), 0);
	assert_int_equal(definitions_reload(s, &first, stderr, &changed), 0);
	put("f.yaml", DOCUMENT(2));
	assert_int_equal(definitions_reload(s, &second, stderr, &changed), 0);
	definitions_close(s);
	assert_ptr_equal(first->services[1]->name, second->services[0]->name);
	model_free(first);
	assert_string_equal(second->services[0]->name, "s2");
	model_free(second);
}

static void check_digest(const char *text, const __u8 *expected)
{
	__u8 sha256[32];

	assert_int_equal(EVP_Digest(text, strlen(text), sha256, NULL,
				    EVP_sha256(), NULL), 1);
	assert_memory_equal(sha256, expected, 32);
}

static void the_digest_is_what_sha256sum_says(void **state)
{
	__cleanup(model_freep) struct model *file = load_text("services: []\n");
	__cleanup(model_freep) struct model *both = NULL;

	check_digest("services: []\n", file->sha256);
	put("g.yaml", "node: a\n");
	both = load(dir);
	check_digest("a163d50c2e1cc570bf3f1da6033e37fd6154cc9ea2a9197574a17e3a11b43618  f.yaml\n"
		     "b7fb20e7b4165ff4cc9b4a2feb51085415b05686a572043963d3fd22b0dfa1c7  g.yaml\n",
		     both->sha256);
}

/*
 * A source of another kind: it says what the test last had it say, a part for
 * each service, at places without lines, as an API's objects have them.
 */
struct saying {
	struct source source;
	struct part *said[4];
};

static int saying_refresh(struct source *s, struct report *r,
			  struct definitions_work *work)
{
	return 0;
}

static void saying_clear(struct source *source)
{
	for (size_t i = 0; i < source->nr_parts; i++)
		part_free(source->parts[i]);
	source->nr_parts = 0;
	while (source->dead) {
		struct part *next = source->dead->next_dead;

		part_free(source->dead);
		source->dead = next;
	}
}

static void saying_free(struct source *source)
{
}

static void say(struct saying *s, const char *name, __u32 addr)
{
	struct model_service by_hand = {
		.name = strdup(name),
		.proto = IPPROTO_TCP,
	};
	struct part *p = calloc(1, sizeof(*p));

	p->path = "cluster: Service default/web";
	p->is_live = true;
	p->native.says_services = true;
	p->native.services = calloc(1, sizeof(*p->native.services));
	p->native.services[0].service = model_service_share(&by_hand);
	assert_int_equal(native_fronts_make(p->native.services, 1), 0);
	p->native.services[0].service->fronts[0] = (struct model_front){
		.addr.word = { 0, 0, htonl(0xffff), htonl(addr) },
		.prefix_len = 128,
		.port_first = 80,
		.port_last = 80,
	};
	p->native.nr_services = 1;
	part_adopt(p);
	s->source.parts[s->source.nr_parts++] = p;
}

static void say_no_more(struct saying *s)
{
	while (s->source.nr_parts)
		source_bury(&s->source, s->source.parts[--s->source.nr_parts]);
}

static struct definitions *open_both(struct saying *s)
{
	static const struct source_ops ops = {
		.refresh = saying_refresh,
		.clear = saying_clear,
		.free = saying_free,
	};
	struct definitions *d = NULL;

	*s = (struct saying){ .source = { .ops = &ops, .name = "cluster" } };
	s->source.parts = s->said;
	assert_int_equal(open_path(in_dir("f.yaml"), &d), 0);
	assert_int_equal(definitions_add(d, &s->source), 0);
	return d;
}

static void sources_make_one_model(void **state)
{
	struct model *m[4] = {};
	struct saying cluster;
	struct definitions *d;
	bool changed;

	/* A file with settings alone will do where somebody else has
	 * services. */
	put("f.yaml", "node: a\n");
	d = open_both(&cluster);
	assert_int_equal(definitions_reload(d, &m[0], stderr, &changed), 0);
	assert_true(changed && m[0]->is_partial);
	assert_int_equal(m[0]->nr_services, 0);

	say(&cluster, "b", 0xc0000202);
	cluster.source.is_complete = true;
	assert_int_equal(definitions_reload(d, &m[1], stderr, &changed), 0);
	assert_true(changed && !m[1]->is_partial);
	assert_int_equal(m[1]->nr_services, 1);
	assert_string_equal(m[1]->node, "a");

	put_service("f.yaml", 1, 80);
	assert_int_equal(definitions_reload(d, &m[2], stderr, &changed), 0);
	assert_true(changed);
	assert_int_equal(m[2]->nr_services, 2);
	assert_ptr_equal(m[2]->services[0]->name, m[1]->services[0]->name);
	assert_memory_not_equal(m[2]->sha256, m[1]->sha256, 32);

	say_no_more(&cluster);
	say(&cluster, "c", 0xc0000203);
	cluster.source.sha256[0] = 1;
	assert_int_equal(definitions_reload(d, &m[3], stderr, &changed), 0);
	assert_true(changed);
	assert_string_equal(m[3]->services[0]->name, "c");
	definitions_close(d);
	for (size_t i = 0; i < COUNT(m); i++)
		model_free(m[i]);
}

static void sources_contradict_each_other_by_place(void **state)
{
	struct saying cluster;
	struct model *m = NULL;
	struct definitions *d;
	char *text = NULL;
	bool changed;
	FILE *errors;
	size_t len;

	put("f.yaml", "services:\n  - {name: a, address: 192.0.2.1, port: 80, backends: [{address: 192.0.2.2}]}\n"
	    "  - {name: b, address: 192.0.2.9, port: 80}\n");
	d = open_both(&cluster);
	say(&cluster, "a", 0xc0000202);
	say(&cluster, "c", 0xc0000209);
	errors = open_memstream(&text, &len);
	assert_int_equal(definitions_reload(d, &m, errors, &changed), -EINVAL);
	fclose(errors);
	assert_string_equal(shorten(text),
		"cluster: Service default/web: service \"a\" is defined already at D/f.yaml:2:12\n"
		"cluster: Service default/web: 192.0.2.9:80/tcp overlaps 192.0.2.9:80/tcp of service \"b\" at D/f.yaml:3:24\n"
		"D/f.yaml:2:24: backend \"192.0.2.2\" of service \"a\" is 192.0.2.2:80/tcp of service \"a\" at cluster: Service default/web: its packets would come back to be balanced again\n");
	free(text);
	definitions_close(d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_mistake_is_reported_where_it_stands),
		TEST(every_pair_that_overlaps_is_reported),
		TEST(all_mistakes_of_a_run_are_reported_up_to_a_number),
		TEST(limits_are_named),
		TEST(a_file_that_is_too_large_is_refused),
		TEST(a_file_has_a_limit_of_documents),
		TEST(a_document_has_a_limit_of_values),
		TEST(what_cannot_be_read_is_said),
		TEST(what_was_cut_off_withdraws_nothing),
		TEST(a_file_of_many_that_was_emptied_withdraws_nothing),
		TEST(a_node_s_file_may_have_settings_alone),
		TEST(an_empty_list_is_a_model_without_services),
		TEST(a_service_has_several_addresses),
		TEST(two_hundred_and_fifty_six_addresses_are_enough),
		TEST(what_is_no_file_is_not_waited_for),
		TEST(a_loop_of_links_is_said),
		TEST(a_backend_that_is_a_service_is_refused),
		TEST(a_backend_at_a_service_s_address_may_have_another_port),
		TEST(a_service_has_defaults),
		TEST(no_sources_are_as_good_as_none_named),
		TEST(every_key_of_a_service_is_read),
		TEST(checks_have_what_their_types_take),
		TEST(ports_follow_from_the_service),
		TEST(tunnels_take_any_pair_of_families),
		TEST(services_that_share_no_packet_may_share_an_address),
		TEST(every_setting_is_read),
		TEST(settings_are_given_by_name),
		TEST(what_is_given_wrong_is_said),
		TEST(a_hash_key_is_the_same_everywhere),
		TEST(json_says_the_same),
		TEST(the_same_setting_twice_is_no_mistake),
		TEST(services_come_in_order_of_name),
		TEST(only_definitions_of_a_directory_are_read),
		TEST(files_of_a_directory_contradict_each_other_by_name),
		TEST(a_config_map_is_followed),
		TEST(only_the_file_that_changed_is_parsed),
		TEST(a_change_within_one_tick_is_not_missed),
		TEST(only_the_document_that_changed_is_parsed),
		TEST(only_the_service_that_changed_is_parsed),
		TEST(an_edit_under_old_times_is_not_missed),
		TEST(an_edited_file_says_what_it_says_when_read_anew),
		TEST(a_list_that_is_cut_says_the_same),
		TEST(a_document_that_moved_is_reported_where_it_is_now),
		TEST(a_mistake_is_reported_until_it_is_mended),
		TEST(a_model_outlives_its_source),
		TEST(the_digest_is_what_sha256sum_says),
		TEST(sources_make_one_model),
		TEST(sources_contradict_each_other_by_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
