// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Manifests in, services out: what a service proxy owes to Services, slices
 * and the Node, a case for each sentence of it. What comes out is written as
 * text, a line a service:
 *
 *   name: front ends -> backends, and what else it has
 *
 * A front end is its address and port, a letter for its kind (C cluster IP, N
 * node port, L load balancer, E external IP) and its flags (l policy Local, d
 * an empty set drops, m masqueraded, p for packets, not for sockets). A backend
 * is its address and port and
 * the sets that it is in (c cluster, l local; - none, it gets nothing new).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "definitions/definitions.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A Service of namespace default; spec, and all of it. */
#define SERVICE_OF(metadata, rest) \
	"---\n{apiVersion: v1, kind: Service, metadata: {" metadata "}, " \
	rest "}\n"
#define SERVICE(spec) SERVICE_OF("name: web", "spec: {" spec "}")
#define IP "clusterIP: 10.96.0.1"
#define PORT "ports: [{port: 80}]"
#define WEB SERVICE(IP ", " PORT)

#define SLICE_OF(metadata, rest) \
	"---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, " \
	"metadata: {" metadata "}, " rest "}\n"
#define SLICE_NAMED(name, rest) \
	SLICE_OF("name: " name ", labels: {kubernetes.io/service-name: web}", \
		 rest)
#define SLICE(endpoints) \
	SLICE_NAMED("web-1", "addressType: IPv4, " SLICE_PORT \
		    ", endpoints: [" endpoints "]")
#define SLICE_PORT "ports: [{name: '', port: 8080}]"
#define ADDRESS(last) "addresses: [10.244.0." #last "]"
#define HERE(last) "{" ADDRESS(last) ", nodeName: n1}"
#define THERE(last) "{" ADDRESS(last) ", nodeName: n2}"
/* Not ready, but goes and still answers. */
#define ENDING "conditions: {ready: false, serving: true, terminating: true}"

#define NODE(rest) \
	"---\n{apiVersion: v1, kind: Node, metadata: {name: n1" rest "}\n"
#define ZONE ", labels: {topology.kubernetes.io/zone: z1}}"

static void put_front(FILE *out, const struct model_front *f)
{
	static const char kinds[] = "-CNLE";
	char addr[ADDR_TEXT_MAX];

	fprintf(out, addr_is4(&f->addr) ? " %s:%u%c" : " [%s]:%u%c",
		addr_format(&f->addr, addr), f->port_first, kinds[f->kind]);
	fprintf(out, "%s%s%s%s", f->flags & SERVICE_POLICY_LOCAL ? "l" : "",
		f->flags & SERVICE_EMPTY_DROPS ? "d" : "",
		f->flags & SERVICE_MASQUERADE ? "m" : "",
		f->flags & SERVICE_NO_SOCKET ? "p" : "");
	if (f->tunnel)
		fprintf(out, "(%s)", forward_name(f->tunnel));
}

static void put_backend(FILE *out, const struct model_backend *b)
{
	char addr[ADDR_TEXT_MAX];

	fprintf(out, addr_is4(&b->addr) ? " %s:%u" : " [%s]:%u",
		addr_format(&b->addr, addr), b->port);
	if (b->state != BACKEND_ACTIVE)
		fputs("-", out);
	else
		fprintf(out, "%s%s",
			b->flags & BACKEND_NOT_IN_CLUSTER ? "" : "c",
			b->flags & BACKEND_IN_LOCAL ? "l" : "");
}

static void put_service(FILE *out, const struct model_service *s)
{
	char text[SOURCE_TEXT_MAX];

	fprintf(out, "%s:", s->name);
	for (size_t i = 0; i < s->nr_fronts; i++)
		put_front(out, &s->fronts[i]);
	fputs(" ->", out);
	for (size_t i = 0; i < s->nr_backends; i++)
		put_backend(out, &s->backends[i]);
	for (size_t i = 0; i < s->nr_sources; i++)
		fprintf(out, "%s%s", i ? " " : ", from ",
			model_source_text(&s->sources[i], text));
	if (s->affinity_s)
		fprintf(out, ", sticks %us", s->affinity_s);
	fputs("\n", out);
}

static char *model_text(const struct model *m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	for (size_t i = 0; m && i < m->nr_services; i++)
		put_service(out, m->services[i]);
	fclose(out);
	return text;
}

/* The only file there is; what it says can be another thing each time. */
static const char *file_of(const char *text)
{
	static char path[64];
	static int fd = -1;
	size_t len = strlen(text);

	if (fd < 0)
		fd = memfd_create("manifest.yaml", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, len, 0), len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* errors: the caller's, with "D" for the file. */
static struct model *load(const char *text, char **errors)
{
	static const struct given given = {
		.key = "hostname-override", .value = "n1",
	};
	struct definitions_from from = {
		.path = file_of(text), .given = &given, .nr_given = 1,
	};
	struct model *m = NULL;
	size_t len;
	FILE *out = open_memstream(errors, &len);
	char *at;

	assert_int_equal(definitions_load(&from, &m, out), 0);
	fclose(out);
	while ((at = strstr(*errors, from.path))) {
		*at = 'D';
		memmove(at + 1, at + strlen(from.path),
			strlen(at + strlen(from.path)) + 1);
	}
	return m;
}

struct row {
	const char *sentence;	/* what it is a case of */
	const char *text;
	const char *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	bool is_right = true;

	for (size_t i = 0; i < count; i++) {
		__cleanup(model_freep) struct model *m = NULL;
		char *errors, *found;

		m = load(rows[i].text, &errors);
		found = model_text(m);
		if (*errors || strcmp(found, rows[i].expected)) {
			print_error("%s:\n%s%swanted\n%s", rows[i].sentence,
				    errors, found, rows[i].expected);
			is_right = false;
		}
		free(errors);
		free(found);
	}
	assert_true(is_right);
}

#define LOCAL_IN ", internalTrafficPolicy: Local"
#define LOCAL_OUT ", externalTrafficPolicy: Local"

/* All addresses of the host have node ports. */
#define PICK "nodeport-addresses: [0.0.0.0/0]\n"

#define V4 "default/web:80/tcp: 10.96.0.1:80C"
#define V6 "default/web:80/tcp6: [fd00:96::1]:80C"

static const struct row which_count[] = {
	{ "a Service with a cluster IP counts, with endpoints or without",
	  WEB, V4 " ->\n" },
	{ "skip when spec.clusterIP is None",
	  SERVICE("clusterIP: None, " PORT), "" },
	{ "skip when spec.clusterIP is empty",
	  SERVICE("clusterIP: '', " PORT), "" },
	{ "skip when spec.clusterIP is absent", SERVICE(PORT), "" },
	{ "skip type ExternalName, even if a clusterIP is left over",
	  SERVICE("type: ExternalName, " IP ", " PORT), "" },
	{ "skip when the label service-proxy-name exists",
	  SERVICE_OF("name: web, labels: {service.kubernetes.io/service-proxy-name: other}",
		     "spec: {" IP ", " PORT "}"), "" },
	{ "... whatever its value",
	  SERVICE_OF("name: web, labels: {service.kubernetes.io/service-proxy-name: ''}",
		     "spec: {" IP ", " PORT "}"), "" },
	{ "... and when the label headless does, though it has a clusterIP",
	  SERVICE_OF("name: web, labels: {service.kubernetes.io/headless: ''}",
		     "spec: {" IP ", " PORT "}"), "" },
	{ "one entry per (namespace, service, port name, protocol)",
	  SERVICE_OF("name: web, namespace: shop", "spec: {" IP
		     ", ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}, {name: c, port: 9, protocol: SCTP}]}"),
	  "shop/web:a/udp: 10.96.0.1:53C ->\n"
	  "shop/web:b/tcp: 10.96.0.1:53C ->\n"
	  "shop/web:c/sctp: 10.96.0.1:9Cp ->\n" },
	{ "... and IP family: clusterIPs[i] where ipFamilies[i] is that family",
	  SERVICE(IP ", clusterIPs: [10.96.0.1, 'fd00:96::1'], ipFamilies: [IPv4, IPv6], " PORT),
	  V4 " ->\n" V6 " ->\n" },
	{ "... in the order of ipFamilies",
	  SERVICE("clusterIP: 'fd00:96::1', clusterIPs: ['fd00:96::1', 10.96.0.1], ipFamilies: [IPv6, IPv4], " PORT),
	  V4 " ->\n" V6 " ->\n" },
	{ "no address of a family: it does not exist in that family",
	  SERVICE("clusterIP: 'fd00:96::1', clusterIPs: ['fd00:96::1'], ipFamilies: [IPv6], " PORT),
	  V6 " ->\n" },
	{ "... not even if ipFamilies names it",
	  SERVICE(IP ", clusterIPs: [10.96.0.1], ipFamilies: [IPv4, IPv6], " PORT),
	  V4 " ->\n" },
	{ "with no ipFamilies at all, clusterIP by its own family",
	  SERVICE("clusterIP: 'fd00:96::1', " PORT), V6 " ->\n" },
	{ "addresses with leading zeros are decimal; written back normalised",
	  SERVICE("clusterIP: 10.96.0.041, " PORT),
	  "default/web:80/tcp: 10.96.0.41:80C ->\n" },
	{ "... also 08 and 09, which are no octal numbers",
	  SERVICE("clusterIP: 10.96.08.009, " PORT),
	  "default/web:80/tcp: 10.96.8.9:80C ->\n" },
};

static void services_that_count(void **state)
{
	check_rows(which_count, COUNT(which_count));
}

#define LB(spec, ingress) \
	SERVICE_OF("name: web", "spec: {" IP ", type: LoadBalancer, " PORT \
		   spec "}, status: {loadBalancer: {ingress: [" ingress "]}}")

#define TUNNEL(forward, spec) \
	SERVICE_OF("name: web, annotations: {fairlead.io/forward: " forward "}", \
		   "spec: {" IP ", type: LoadBalancer, externalIPs: [192.0.2.9], " \
		   PORT spec "}, " \
		   "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}")

static const struct row fields[] = {
	{ "the same number on several protocols: separate entries",
	  SERVICE(IP ", ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]"),
	  "default/web:a/tcp: 10.96.0.1:80C ->\n"
	  "default/web:b/udp: 10.96.0.1:80C ->\n" },
	{ "annotation fairlead.io/forward: the tunnel of all but the cluster IP",
	  TUNNEL("ipip", "") SLICE(HERE(2) ", " THERE(3)),
	  "default/web:80/tcp: 10.96.0.1:80C"
	  " 192.0.2.1:80L(ipip) 192.0.2.9:80E(ipip)"
	  " -> 10.244.0.2:8080cl 10.244.0.3:8080c\n" },
	{ "... of any kind that the balancer knows", TUNNEL("geneve", ""),
	  "default/web:80/tcp: 10.96.0.1:80C"
	  " 192.0.2.1:80L(geneve) 192.0.2.9:80E(geneve) ->\n" },
	{ "... nat is as good as none", TUNNEL("nat", ""),
	  "default/web:80/tcp: 10.96.0.1:80C"
	  " 192.0.2.1:80L 192.0.2.9:80E ->\n" },
	{ "... and with the policy Local, by which packets go to no other node",
	  TUNNEL("ipip", ", externalTrafficPolicy: Local"),
	  "default/web:80/tcp: 10.96.0.1:80C"
	  " 192.0.2.1:80Ll 192.0.2.9:80El ->\n" },
	{ "targetPort is never read: the number comes from the slice's port",
	  SERVICE(IP ", ports: [{port: 80, targetPort: 1}]") SLICE(HERE(2)),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "... nor when it is a name",
	  SERVICE(IP ", ports: [{port: 80, targetPort: http}]") SLICE(HERE(2)),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "nodePort: served on addresses of the node, of both families",
	  PICK SERVICE(IP ", clusterIPs: [10.96.0.1, 'fd00:96::1'], ports: [{port: 80, nodePort: 30080}]"),
	  "default/web:80/tcp: 0.0.0.0:30080N 10.96.0.1:80C ->\n"
	  "default/web:80/tcp6: [::]:30080N [fd00:96::1]:80C ->\n" },
	{ "nodePort 0 is none", SERVICE(IP ", ports: [{port: 80, nodePort: 0}]"),
	  V4 " ->\n" },
	{ "nodePort: the external policy is its own",
	  PICK SERVICE(IP LOCAL_OUT ", ports: [{port: 80, nodePort: 30080}]") SLICE(HERE(2) ", " THERE(3)),
	  "default/web:80/tcp: 0.0.0.0:30080Nldp 10.96.0.1:80C -> 10.244.0.2:8080cl 10.244.0.3:8080c\n" },
	{ "externalIPs: of the matching family",
	  SERVICE(IP ", externalIPs: [203.0.113.9, 'fd00::9'], " PORT),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.9:80E ->\n" },
	{ "externalIPs: invalid ones are skipped",
	  SERVICE(IP ", externalIPs: [nonsense, 203.0.113.300, 127.0.0.1, 203.0.113.9], " PORT),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.9:80E ->\n" },
	{ "ingress: with ip and ipMode absent",
	  LB("", "{ip: 203.0.113.8}"),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.8:80L ->\n" },
	{ "ingress: with ipMode VIP, of the matching family",
	  LB("", "{ip: 203.0.113.8, ipMode: VIP}, {ip: 'fd00::8'}"),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.8:80L ->\n" },
	{ "ipMode Proxy: nothing is programmed",
	  LB("", "{ip: 203.0.113.8, ipMode: Proxy}"), V4 " ->\n" },
	{ "hostname: nothing is programmed",
	  LB("", "{hostname: lb.example.com}"), V4 " ->\n" },
	{ "what is served follows the fields, not the type",
	  SERVICE_OF("name: web", "spec: {type: ClusterIP, " IP ", " PORT
		     ", externalIPs: [203.0.113.9]}, status: {loadBalancer: {ingress: [{ip: 203.0.113.8}]}}"),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.8:80L 203.0.113.9:80E ->\n" },
	{ "an address that it has twice is served once, the ranges count",
	  LB(", externalIPs: [203.0.113.8]", "{ip: 203.0.113.8}, {ip: 203.0.113.8}"),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.8:80L ->\n" },
	{ "sessionAffinity None", SERVICE(IP ", " PORT ", sessionAffinity: None"),
	  V4 " ->\n" },
	{ "sessionAffinity ClientIP: default 10800",
	  SERVICE(IP ", " PORT ", sessionAffinity: ClientIP"),
	  V4 "p ->, sticks 10800s\n" },
	{ "sessionAffinityConfig.clientIP.timeoutSeconds",
	  SERVICE(IP ", " PORT ", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 7}}"),
	  V4 "p ->, sticks 7s\n" },
	{ "... is nothing without ClientIP",
	  SERVICE(IP ", " PORT ", sessionAffinityConfig: {clientIP: {timeoutSeconds: 7}}"),
	  V4 " ->\n" },
	{ "publishNotReadyAddresses is not read",
	  SERVICE(IP ", " PORT ", publishNotReadyAddresses: true")
	  SLICE("{" ADDRESS(2) ", conditions: {ready: false, serving: false}}"),
	  V4 " ->\n" },
	{ "allocateLoadBalancerNodePorts false: LB VIPs work without",
	  LB(", allocateLoadBalancerNodePorts: false", "{ip: 203.0.113.8}"),
	  "default/web:80/tcp: 10.96.0.1:80C 203.0.113.8:80L ->\n" },
	{ "trafficDistribution and topology-mode are not read: hints are",
	  SERVICE_OF("name: web, annotations: {service.kubernetes.io/topology-mode: Auto}",
		     "spec: {" IP ", " PORT ", trafficDistribution: PreferSameNode}")
	  SLICE(HERE(2) ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "loadBalancerClass, loadBalancerIP, selector, ipFamilyPolicy: not read",
	  SERVICE(IP ", " PORT ", loadBalancerClass: a/b, loadBalancerIP: 1.2.3.4, selector: {a: b}, ipFamilyPolicy: RequireDualStack"),
	  V4 " ->\n" },
	{ "unknown fields are ignored, of whatever type",
	  SERVICE(IP ", " PORT ", novelty: [{a: [1, {b: c}]}], other: {x: {y: z}}"),
	  V4 " ->\n" },
	{ "a null is as good as absent",
	  SERVICE(IP ", " PORT ", externalIPs: null, sessionAffinity: null, ipFamilies: ~"),
	  V4 " ->\n" },
};

static void fields_of_a_service(void **state)
{
	check_rows(fields, COUNT(fields));
}

#define LB_LINE V4 " 203.0.113.8:80L ->"
#define LB_FILTERED V4 " 203.0.113.8:80Lp ->"

static const struct row ranges[] = {
	{ "loadBalancerSourceRanges",
	  LB(", loadBalancerSourceRanges: [198.51.100.0/24, 192.0.2.1/32]", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 192.0.2.1 198.51.100.0/24\n" },
	{ "trim blanks",
	  LB(", loadBalancerSourceRanges: [' 198.51.100.0/24 ']", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 198.51.100.0/24\n" },
	{ "keep only the family's CIDRs",
	  LB(", loadBalancerSourceRanges: ['fd00::/8', 198.51.100.0/24]", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 198.51.100.0/24\n" },
	{ "if none is left there is no filter",
	  LB(", loadBalancerSourceRanges: ['fd00::/8']", "{ip: 203.0.113.8}"),
	  LB_LINE "\n" },
	{ "a /0 means no filter",
	  LB(", loadBalancerSourceRanges: [198.51.100.0/24, 0.0.0.0/0]", "{ip: 203.0.113.8}"),
	  LB_LINE "\n" },
	{ "... the other family's /0 does not",
	  LB(", loadBalancerSourceRanges: [198.51.100.0/24, '::/0']", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 198.51.100.0/24\n" },
	{ "host bits do not count, a range that is given twice counts once",
	  LB(", loadBalancerSourceRanges: [198.51.100.7/24, 198.51.100.0/24]", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 198.51.100.0/24\n" },
	{ "if one range contains the node's IP, the LB VIPs are allowed too",
	  NODE("}, status: {addresses: [{type: InternalIP, address: 192.0.2.77}]}")
	  LB(", loadBalancerSourceRanges: [192.0.2.0/24]", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 192.0.2.0/24 203.0.113.8\n" },
	{ "... else not",
	  NODE("}, status: {addresses: [{type: InternalIP, address: 192.0.3.77}]}")
	  LB(", loadBalancerSourceRanges: [192.0.2.0/24]", "{ip: 203.0.113.8}"),
	  LB_FILTERED ", from 192.0.2.0/24\n" },
};

static void ranges_of_sources(void **state)
{
	check_rows(ranges, COUNT(ranges));
}

/* Never to node ports, cluster IP or externalIPs. */
static void ranges_are_for_load_balancers_alone(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	char *errors;

	m = load(LB(", externalIPs: [203.0.113.9], loadBalancerSourceRanges: [198.51.100.0/24]",
		    "{ip: 203.0.113.8}"), &errors);
	assert_string_equal(errors, "");
	assert_int_equal(m->nr_services, 1);
	for (size_t i = 0; i < m->services[0]->nr_fronts; i++)
		assert_int_equal(m->services[0]->fronts[i].open,
				 m->services[0]->fronts[i].kind != KIND_LB_VIP);
	free(errors);
}

#define NAMED(ports) SERVICE(IP ", ports: [" ports "]")
#define PORTS(ports) \
	SLICE_NAMED("web-1", "addressType: IPv4, ports: [" ports \
		    "], endpoints: [" HERE(2) "]")

static const struct row slices[] = {
	{ "belongs to the service named by the label, in the same namespace",
	  WEB SLICE(HERE(2)), V4 " -> 10.244.0.2:8080c\n" },
	{ "... another namespace's is not its own",
	  WEB SLICE_OF("name: web-1, namespace: other, labels: {kubernetes.io/service-name: web}",
		       "addressType: IPv4, " SLICE_PORT ", endpoints: [" HERE(2) "]"),
	  V4 " ->\n" },
	{ "without the label: ignored",
	  WEB SLICE_OF("name: web", "addressType: IPv4, " SLICE_PORT ", endpoints: [" HERE(2) "]"),
	  V4 " ->\n" },
	{ "addressType must be the family",
	  WEB SLICE_NAMED("web-1", "addressType: IPv6, " SLICE_PORT ", endpoints: [{addresses: ['fd00::2']}]"),
	  V4 " ->\n" },
	{ "FQDN ignored",
	  WEB SLICE_NAMED("web-1", "addressType: FQDN, " SLICE_PORT ", endpoints: [{addresses: [a.example.com]}]"),
	  V4 " ->\n" },
	{ "both families from slices of their own",
	  SERVICE(IP ", clusterIPs: [10.96.0.1, 'fd00:96::1'], ipFamilies: [IPv4, IPv6], " PORT)
	  SLICE(HERE(2))
	  SLICE_NAMED("web-2", "addressType: IPv6, " SLICE_PORT ", endpoints: [{addresses: ['fd00::2']}]"),
	  V4 " -> 10.244.0.2:8080c\n" V6 " -> [fd00::2]:8080c\n" },
	{ "v1beta1: the same",
	  WEB "---\n{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, "
	  SLICE_PORT ", endpoints: [{addresses: [10.244.0.2], topology: {kubernetes.io/hostname: n1}}]}\n",
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "ports: entries with no port are ignored",
	  WEB PORTS("{name: ''}"), V4 " ->\n" },
	{ "ports: ... or with port zero",
	  WEB PORTS("{name: '', port: 0}"), V4 " ->\n" },
	{ "empty name matches the unnamed service port",
	  NAMED("{name: '', port: 80}") PORTS("{name: '', port: 8080}"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "in a manifest an absent name is the empty one, as a server fills in",
	  WEB PORTS("{port: 8080}"), V4 " -> 10.244.0.2:8080c\n" },
	{ "protocol and name must both match: another name",
	  NAMED("{name: http, port: 80}") PORTS("{name: https, port: 8080}"),
	  "default/web:http/tcp: 10.96.0.1:80C ->\n" },
	{ "protocol and name must both match: another protocol",
	  NAMED("{name: http, port: 80}") PORTS("{name: http, port: 8080, protocol: UDP}"),
	  "default/web:http/tcp: 10.96.0.1:80C ->\n" },
	{ "ports by name: each its own",
	  NAMED("{name: a, port: 1}, {name: b, port: 2}")
	  PORTS("{name: b, port: 20}, {name: a, port: 10}"),
	  "default/web:a/tcp: 10.96.0.1:1C -> 10.244.0.2:10c\n"
	  "default/web:b/tcp: 10.96.0.1:2C -> 10.244.0.2:20c\n" },
	{ "addresses[0] only",
	  WEB SLICE("{addresses: [10.244.0.2, 10.244.0.3]}"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "empty list ignored",
	  WEB SLICE("{addresses: []}, {nodeName: n1}"), V4 " ->\n" },
	{ "ready absent = true", WEB SLICE("{" ADDRESS(2) ", conditions: {}}"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "ready null = absent",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: null}}"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "serving absent = true: not ready, but keeps what it has",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: false}}, " HERE(3)),
	  V4 " -> 10.244.0.2:8080- 10.244.0.3:8080c\n" },
	{ "serving false: it is gone",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: false, serving: false}}, " HERE(3)),
	  V4 " -> 10.244.0.3:8080c\n" },
	{ "terminating absent = false: it is no last resort",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: false, serving: true}}"),
	  V4 " -> 10.244.0.2:8080-\n" },
	{ "several slices per service: union",
	  WEB SLICE(HERE(2))
	  SLICE_NAMED("web-2", "addressType: IPv4, " SLICE_PORT ", endpoints: [" THERE(3) "]"),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "same IP:port twice: the entry that is not terminating wins",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: false, serving: false, terminating: true}}")
	  SLICE_NAMED("web-2", "addressType: IPv4, " SLICE_PORT ", endpoints: [" HERE(2) "]"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "... whichever comes first, and even if it is not ready",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: false}}, {" ADDRESS(2) ", conditions: {ready: true, terminating: true}}"),
	  V4 " -> 10.244.0.2:8080-\n" },
	{ "same IP with two ports = two backends",
	  WEB SLICE(HERE(2))
	  SLICE_NAMED("web-2", "addressType: IPv4, ports: [{name: '', port: 9090}], endpoints: [" HERE(2) "]"),
	  V4 " -> 10.244.0.2:8080c 10.244.0.2:9090c\n" },
	{ "zone, deprecatedTopology, targetRef, hostname are not read",
	  WEB SLICE("{" ADDRESS(2) ", zone: z1, deprecatedTopology: {a: b}, targetRef: {kind: Pod}, hostname: h}"),
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "a slice without its Service is nothing", SLICE(HERE(2)), "" },
};

static void fields_of_a_slice(void **state)
{
	/* without any the definitions would say nothing */
	check_rows(slices, COUNT(slices));
}

#define EXTERNAL ", externalIPs: [203.0.113.9]"
#define CLUSTER SERVICE(IP ", " PORT)
#define INTERNAL SERVICE(IP ", " PORT LOCAL_IN)
#define OUTSIDE SERVICE(IP ", " PORT EXTERNAL LOCAL_OUT)
#define V4_LOCAL "default/web:80/tcp: 10.96.0.1:80C"
#define OUTSIDE_LINE(flags) V4 " 203.0.113.9:80E" flags " ->"
#define BY_NODE(last, hint) \
	"{" ADDRESS(last) ", nodeName: " hint ", hints: {forNodes: [{name: " hint "}], forZones: [{name: z1}]}}"
#define BY_ZONE(last, hint) \
	"{" ADDRESS(last) ", hints: {forZones: [{name: " hint "}]}}"
#define GOING(last, node) "{" ADDRESS(last) ", nodeName: " node ", " ENDING "}"

static const struct row choices[] = {
	{ "cluster set: the ready endpoints",
	  CLUSTER SLICE(HERE(2) ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "1. every ready endpoint has a node hint, one names this node",
	  CLUSTER SLICE(BY_NODE(2, "n1") ", " BY_NODE(3, "n2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080-\n" },
	{ "... none names this node: the zone decides",
	  NODE(ZONE) CLUSTER SLICE(BY_NODE(2, "n3") ", " BY_NODE(3, "n2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... one has no node hint: then node hints do not count",
	  CLUSTER SLICE(BY_NODE(2, "n1") ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "2. every ready endpoint has a zone hint, one names the node's zone",
	  NODE(ZONE) CLUSTER SLICE(BY_ZONE(2, "z1") ", " BY_ZONE(3, "z2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080-\n" },
	{ "... the node has no zone",
	  NODE("}") CLUSTER SLICE(BY_ZONE(2, "z1") ", " BY_ZONE(3, "z2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... an empty label is none",
	  NODE(", labels: {topology.kubernetes.io/zone: ''}}")
	  CLUSTER SLICE(BY_ZONE(2, "''") ", " BY_ZONE(3, "z2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... one has no zone hint",
	  NODE(ZONE) CLUSTER SLICE(BY_ZONE(2, "z1") ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... none names this zone",
	  NODE(ZONE) CLUSTER SLICE(BY_ZONE(2, "z3") ", " BY_ZONE(3, "z2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... one endpoint may name several zones",
	  NODE(ZONE) CLUSTER SLICE("{" ADDRESS(2) ", hints: {forZones: [{name: z2}, {name: z1}]}}, " BY_ZONE(3, "z2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080-\n" },
	{ "not-ready endpoints have no say in this",
	  NODE(ZONE) CLUSTER SLICE(BY_ZONE(2, "z1") ", " BY_ZONE(3, "z2") ", {" ADDRESS(4) ", conditions: {ready: false}}"),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080- 10.244.0.4:8080-\n" },
	{ "... nor can one be the one that names this zone",
	  NODE(ZONE) CLUSTER SLICE(BY_ZONE(2, "z2") ", {" ADDRESS(3) ", conditions: {ready: false}, hints: {forZones: [{name: z1}]}}"),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080-\n" },
	{ "no ready endpoint at all: those serving and terminating",
	  CLUSTER SLICE(GOING(2, "n1") ", " GOING(3, "n2")),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... hints ignored",
	  NODE(ZONE) CLUSTER SLICE("{" ADDRESS(2) ", " ENDING ", hints: {forZones: [{name: z1}]}}, {" ADDRESS(3) ", " ENDING ", hints: {forZones: [{name: z2}]}}"),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "... not when one is ready: flows to a serving endpoint stay",
	  CLUSTER SLICE(GOING(2, "n1") ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080- 10.244.0.3:8080c\n" },
	{ "otherwise empty",
	  CLUSTER SLICE("{" ADDRESS(2) ", conditions: {ready: false, serving: false, terminating: true}}"),
	  V4 " ->\n" },

	{ "v1beta1: the topology's host name is the node's, without nodeName",
	  INTERNAL "---\n{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, "
	  SLICE_PORT ", endpoints: [{" ADDRESS(2) ", topology: {kubernetes.io/hostname: n1}}, {" ADDRESS(3) ", topology: {kubernetes.io/hostname: n2}}]}\n",
	  V4_LOCAL "ldp -> 10.244.0.2:8080cl 10.244.0.3:8080-\n" },
	{ "internal Local: ready and local",
	  INTERNAL SLICE(HERE(2) ", " THERE(3)),
	  V4_LOCAL "ldp -> 10.244.0.2:8080cl 10.244.0.3:8080-\n" },
	{ "nodeName absent = remote",
	  INTERNAL SLICE(HERE(2) ", {" ADDRESS(3) "}"),
	  V4_LOCAL "ldp -> 10.244.0.2:8080cl 10.244.0.3:8080-\n" },
	{ "none ready and local: serving, terminating and local",
	  INTERNAL SLICE(GOING(2, "n1") ", " THERE(3)),
	  V4_LOCAL "ldp -> 10.244.0.2:8080cl 10.244.0.3:8080-\n" },
	{ "hints ignored in the local set",
	  NODE(ZONE) INTERNAL SLICE("{" ADDRESS(2) ", nodeName: n1, hints: {forZones: [{name: z2}]}}, " BY_ZONE(3, "z1")),
	  V4_LOCAL "ldp -> 10.244.0.2:8080cl 10.244.0.3:8080-\n" },
	{ "none local but some elsewhere = drop",
	  INTERNAL SLICE(THERE(3)), V4_LOCAL "ldp -> 10.244.0.3:8080-\n" },
	{ "... also if those are serving and terminating",
	  INTERNAL SLICE(GOING(3, "n2")), V4_LOCAL "ldp -> 10.244.0.3:8080-\n" },
	{ "not hasAny: reject", INTERNAL, V4_LOCAL "l ->\n" },
	{ "... also if some are neither ready nor terminating",
	  INTERNAL SLICE("{" ADDRESS(3) ", conditions: {ready: false}}"),
	  V4_LOCAL "l -> 10.244.0.3:8080-\n" },

	{ "external Local: both sets, for pods and node the cluster's",
	  OUTSIDE SLICE(HERE(2) ", " THERE(3)),
	  OUTSIDE_LINE("ldp") " 10.244.0.2:8080cl 10.244.0.3:8080c\n" },
	{ "external Local, none local",
	  OUTSIDE SLICE(THERE(3)), OUTSIDE_LINE("ldp") " 10.244.0.3:8080c\n" },
	{ "external Local, none at all", OUTSIDE, OUTSIDE_LINE("l") "\n" },
	{ "local terminating ones even when ready remote ones exist",
	  OUTSIDE SLICE(GOING(2, "n1") ", " THERE(3)),
	  OUTSIDE_LINE("ldp") " 10.244.0.2:8080l 10.244.0.3:8080c\n" },
	{ "a local one that hints exclude from the cluster set alone",
	  NODE(ZONE) OUTSIDE SLICE("{" ADDRESS(2) ", nodeName: n1, hints: {forZones: [{name: z2}]}}, " BY_ZONE(3, "z1")),
	  OUTSIDE_LINE("ldp") " 10.244.0.2:8080l 10.244.0.3:8080c\n" },
	{ "external Local without anything external: not used",
	  SERVICE(IP ", " PORT LOCAL_OUT) SLICE(HERE(2) ", " THERE(3)),
	  V4 " -> 10.244.0.2:8080c 10.244.0.3:8080c\n" },
	{ "both Local",
	  SERVICE(IP ", " PORT EXTERNAL LOCAL_IN LOCAL_OUT) SLICE(HERE(2) ", " THERE(3)),
	  V4_LOCAL "ldp 203.0.113.9:80Eldp -> 10.244.0.2:8080cl 10.244.0.3:8080c\n" },
	{ "internal Local, external Cluster: the short circuits need all",
	  SERVICE(IP ", " PORT EXTERNAL LOCAL_IN) SLICE(HERE(2) ", " THERE(3)),
	  V4_LOCAL "ldp 203.0.113.9:80E -> 10.244.0.2:8080cl 10.244.0.3:8080c\n" },
};

static void choice_of_endpoints(void **state)
{
	check_rows(choices, COUNT(choices));
}

static const struct row masquerade[] = {
	{ "masquerade-all and to a cluster IP",
	  "masquerade-all: true\n" SERVICE(IP ", " PORT EXTERNAL),
	  "default/web:80/tcp: 10.96.0.1:80Cm 203.0.113.9:80E ->\n" },
};

static void masquerading(void **state)
{
	check_rows(masquerade, COUNT(masquerade));
}

static const struct row lists[] = {
	{ "kind List: each item says what it is",
	  "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {"
	  IP ", " PORT "}}, {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, "
	  SLICE_PORT ", endpoints: [" HERE(2) "]}]}",
	  V4 " -> 10.244.0.2:8080c\n" },
	{ "kind ServiceList: items need not say it",
	  "{apiVersion: v1, kind: ServiceList, metadata: {resourceVersion: '7'}, items: [{metadata: {name: web}, spec: {"
	  IP ", " PORT "}}]}", V4 " ->\n" },
	{ "a list without items, or with none",
	  "{apiVersion: v1, kind: ServiceList, items: []}\n---\n{apiVersion: v1, kind: List}\n---\n{apiVersion: v1, kind: List, items: null}\n", "" },
	{ "JSON says the same",
	  "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"web\"},\n"
	  "\"spec\": {\"clusterIP\": \"10.96.0.1\", \"ports\": [{\"port\": 80}]}}", V4 " ->\n" },
	{ "manifests and native documents in one file",
	  WEB "---\nservices:\n- {name: edge, address: 192.0.2.1, port: 80, backends: [{address: 10.0.0.1}]}\n",
	  V4 " ->\nedge: 192.0.2.1:80- -> 10.0.0.1:80c\n" },
};

static void lists_and_other_forms(void **state)
{
	check_rows(lists, COUNT(lists));
}

/* What is wrong, and "" or what goes on all the same. */
static const struct row refused[] = {
	{ "Service default/web: spec.ports[].port \"99999\" is not a number from 0 to 65535",
	  SERVICE(IP ", ports: [{port: 99999}]"), "" },
	{ "Service default/web: spec.ports[].port \"http\" is not a number from 0 to 65535",
	  SERVICE(IP ", ports: [{port: http}]"), "" },
	{ "Service default/web: spec.ports[].port \"80\" is not a number from 0 to 65535",
	  SERVICE(IP ", ports: [{port: '80'}]"), "" },
	{ "Service default/web: spec.ports needs a list",
	  SERVICE(IP ", ports: {port: 80}"), "" },
	{ "Service default/web: spec needs keys and values",
	  SERVICE_OF("name: web", "spec: 1"), "" },
	{ "Service default/web: spec.clusterIP needs a single value",
	  SERVICE("clusterIP: [10.96.0.1], " PORT), "" },
	{ "Service default/web: a port has no number",
	  SERVICE(IP ", ports: [{name: a}]"), "" },
	{ "Service default/web: port 81 has the number or the name of another of its protocol",
	  SERVICE(IP ", ports: [{port: 80}, {port: 81}]"), "" },
	{ "Service default/web: protocol \"tcp\" is none of TCP, UDP, SCTP",
	  SERVICE(IP ", ports: [{port: 80, protocol: tcp}]"), "" },
	{ "Service default/web: spec.clusterIP \"10.96.0\" is not an IPv4 or IPv6 address",
	  SERVICE("clusterIP: 10.96.0, clusterIPs: [10.96.0.1], " PORT), "" },
	{ "Service default/web: spec.clusterIP \"127.0.0.1\" is a loopback address",
	  SERVICE("clusterIP: 127.0.0.1, clusterIPs: [10.96.0.1], " PORT), "" },
	{ "Service default/web: spec.externalTrafficPolicy \"local\" is neither Cluster nor Local",
	  SERVICE(IP ", externalTrafficPolicy: local, " PORT), "" },
	{ "Service default/web: spec.internalTrafficPolicy \"Remote\" is neither Cluster nor Local",
	  SERVICE(IP ", internalTrafficPolicy: Remote, " PORT), "" },
	{ "Service default/web: spec.sessionAffinity \"Cookie\" is neither None nor ClientIP",
	  SERVICE(IP ", sessionAffinity: Cookie, " PORT), "" },
	{ "Service default/web: spec.sessionAffinityConfig.clientIP.timeoutSeconds \"86401\" is not a number from 1 to 86400",
	  SERVICE(IP ", sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}, " PORT), "" },
	{ "Service default/web: spec.sessionAffinityConfig.clientIP.timeoutSeconds \"0\" is not a number from 1 to 86400",
	  SERVICE(IP ", sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}, " PORT), "" },
	{ "Service default/web: spec.loadBalancerSourceRanges: \"10.0.0.0/33\" is not a prefix",
	  SERVICE(IP ", loadBalancerSourceRanges: [10.0.0.0/33], " PORT), "" },
	{ "Service default/without a name: metadata.name is missing",
	  SERVICE_OF("labels: {}", "spec: {" IP ", " PORT "}"), "" },
	{ "Service default/a b: metadata.name \"a b\" is not a name",
	  SERVICE_OF("name: a b", "spec: {" IP ", " PORT "}"), "" },
	{ "Service a/b/web: metadata.namespace \"a/b\" is not a name",
	  SERVICE_OF("name: web, namespace: a/b", "spec: {" IP ", " PORT "}"), "" },
	{ "EndpointSlice default/web-1: endpoints[].conditions.ready \"yes\" is not true or false",
	  WEB SLICE("{" ADDRESS(2) ", conditions: {ready: yes}}"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: endpoint \"10.244.0\" is not an IPv4 or IPv6 address",
	  WEB SLICE("{addresses: [10.244.0]}"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: endpoint \"127.0.0.1\" is a loopback address",
	  WEB SLICE("{addresses: [127.0.0.1]}"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: endpoint \"fd00::1\" in a slice of IPv4",
	  WEB SLICE("{addresses: ['fd00::1']}"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: addressType \"absent\" is neither IPv4 nor IPv6",
	  WEB SLICE_NAMED("web-1", "endpoints: []"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: endpoints[] needs keys and values in it",
	  WEB SLICE("10.244.0.2"), V4 " ->\n" },
	{ "EndpointSlice default/web-1: endpoints[].addresses[] needs text in it",
	  WEB SLICE("{addresses: [{ip: 10.244.0.2}]}"), V4 " ->\n" },
	{ "a Kubernetes manifest without \"kind\"",
	  WEB "---\n{apiVersion: v1, metadata: {name: a}}\n", V4 " ->\n" },
	{ "a Kubernetes manifest without \"apiVersion\"",
	  WEB "---\n{kind: Service, metadata: {name: a}}\n", V4 " ->\n" },
	{ "Service default/web: annotation fairlead.io/forward \"l2\" is none of nat, ipip, gue, gre, geneve: it is as \"nat\"",
	  TUNNEL("l2", ""),
	  "default/web:80/tcp: 10.96.0.1:80C 192.0.2.1:80L 192.0.2.9:80E ->\n" },
	{ "Service default/web is defined already at D:2:1", WEB WEB, V4 " ->\n" },
	{ "node ports of IPv4 are not served: no Node of this node's name says its address, nor does nodeport-addresses",
	  SERVICE(IP ", ports: [{port: 80, nodePort: 30080}]"),
	  "default/web:80/tcp: 0.0.0.0:30080N 10.96.0.1:80C ->\n" },
	{ "Service default/b: node port 30080/tcp is that of Service default/web at D:3:1",
	  PICK SERVICE(IP ", ports: [{port: 80, nodePort: 30080}]")
	  SERVICE_OF("name: b", "spec: {clusterIP: 10.96.0.2, ports: [{port: 80, nodePort: 30080}]}"),
	  "default/b:80/tcp: 10.96.0.2:80C ->\n"
	  "default/web:80/tcp: 0.0.0.0:30080N 10.96.0.1:80C ->\n" },
	{ "Service default/b: 10.96.0.1:80/tcp is that of Service default/web at D:2:1",
	  WEB SERVICE_OF("name: b", "spec: {" IP ", " PORT EXTERNAL "}"),
	  "default/b:80/tcp: 203.0.113.9:80E ->\n" V4 " ->\n" },
};

static void a_bad_object_is_refused_alone(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		__cleanup(model_freep) struct model *m = NULL;
		char *errors, *found, *what;

		m = load(refused[i].text, &errors);
		found = model_text(m);
		/* after "D:line:column: " */
		what = strstr(errors, ": ");
		if (!what || strncmp(what + 2, refused[i].sentence,
				     strlen(refused[i].sentence)) ||
		    strcmp(found, refused[i].expected))
			print_error("wanted %s\n%sgot %s\n%s",
				    refused[i].sentence, refused[i].expected,
				    errors, found);
		assert_non_null(what);
		assert_memory_equal(what + 2, refused[i].sentence,
				    strlen(refused[i].sentence));
		assert_string_equal(found, refused[i].expected);
		assert_true(m->nr_refused > 0);
		free(errors);
		free(found);
	}
}

static void other_kinds_are_said_and_passed_by(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	char *errors;

	m = load(WEB "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {a: [b]}\n",
		 &errors);
	assert_int_equal(m->nr_services, 1);
	assert_int_equal(m->nr_refused, 0);
	assert_string_equal(errors, "D:4:1: Deployment \"d\" of \"apps/v1\" is of no use here\n");
	free(errors);
}

static const struct addr *as_addr(const char *text)
{
	static struct addr a;

	assert_true(addr_parse(text, &a));
	return &a;
}

static void the_node_says_who_we_are(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	char *errors;

	m = load("detect-local-mode: NodeCIDR\n"
		 NODE("}, spec: {podCIDR: 10.244.3.0/24, podCIDRs: [10.244.3.0/24, 'fd00:3::/64']}, "
		      "status: {addresses: [{type: Hostname, address: n1}, {type: ExternalIP, address: 203.0.113.1}, "
		      "{type: InternalIP, address: 192.0.2.7}, {type: InternalIP, address: 192.0.2.8}, {type: ExternalIP, address: 'fd00::7'}]}")
		 "---\n{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.0.2.99}]}}\n",
		 &errors);
	assert_string_equal(errors, "");
	assert_memory_equal(&m->node4, as_addr("192.0.2.7"), 16);
	assert_memory_equal(&m->node6, as_addr("fd00::7"), 16);
	assert_true(m->pods4.is_set);
	assert_memory_equal(&m->pods4.addr, as_addr("10.244.3.0"), 16);
	assert_int_equal(m->pods4.len, 96 + 24);
	assert_memory_equal(&m->pods6.addr, as_addr("fd00:3::"), 16);
	assert_int_equal(m->pods6.len, 64);
	free(errors);
}

static void pods_are_told_by_the_cluster_s_prefix(void **state)
{
	__cleanup(model_freep) struct model *m = NULL;
	char *errors;

	m = load("cluster-cidr: [10.244.0.0/16, 10.0.0.0/8]\n"
		 NODE("}, spec: {podCIDR: 10.244.3.0/24}"), &errors);
	assert_string_equal(errors, "");
	assert_memory_equal(&m->pods4.addr, as_addr("10.244.0.0"), 16);
	assert_int_equal(m->pods4.len, 96 + 16);
	assert_false(m->pods6.is_set);
	free(errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_that_count),
		cmocka_unit_test(fields_of_a_service),
		cmocka_unit_test(ranges_of_sources),
		cmocka_unit_test(ranges_are_for_load_balancers_alone),
		cmocka_unit_test(fields_of_a_slice),
		cmocka_unit_test(choice_of_endpoints),
		cmocka_unit_test(masquerading),
		cmocka_unit_test(lists_and_other_forms),
		cmocka_unit_test(a_bad_object_is_refused_alone),
		cmocka_unit_test(other_kinds_are_said_and_passed_by),
		cmocka_unit_test(the_node_says_who_we_are),
		cmocka_unit_test(pods_are_told_by_the_cluster_s_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
