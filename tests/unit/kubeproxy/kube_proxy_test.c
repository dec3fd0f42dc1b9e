// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What kube-proxy may be told. The lists of flags and fields are those of its
 * documentation, in its order: the table that is tested was written apart.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "definitions/definitions.h"
#include "kubeproxy/kube_proxy.h"

#define HEAD \
	"apiVersion: kubeproxy.config.k8s.io/v1alpha1\n" \
	"kind: KubeProxyConfiguration\n"

static char said[8192], path[64], path_flag[80];

static int tell(struct kube_proxy **ret, unsigned int argc, char **argv)
{
	FILE *out;
	int err;

	memset(said, 0, sizeof(said));
	out = fmemopen(said, sizeof(said) - 1, "w");
	err = kube_proxy_new(argc, argv, out, ret);
	fclose(out);
	return err;
}

#define TELL(ret, ...) ({						\
	char *words_[] = { __VA_ARGS__ };				\
	tell(ret, sizeof(words_) / sizeof(*words_), words_);		\
})

/* --config=path of a file with this text. */
static char *file(const char *text)
{
	FILE *out;

	strcpy(path, "/tmp/fairlead-kube-proxy-XXXXXX");
	out = fdopen(mkstemp(path), "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	sprintf(path_flag, "--config=%s", path);
	return path_flag;
}

static int remove_file(void **state)
{
	if (*path)
		unlink(path);
	*path = '\0';
	return 0;
}

static const char *given(const struct kube_proxy *k, const char *key)
{
	const struct kube_proxy_wanted *w = kube_proxy_wanted(k);

	for (size_t i = 0; i < w->nr_given; i++)
		if (!strcmp(w->given[i].key, key))
			return w->given[i].value;
	return "none";
}

/* The model that these settings make. */
static struct model *model_of(const struct kube_proxy *k)
{
	const struct kube_proxy_wanted *w = kube_proxy_wanted(k);
	char none[] = "/tmp/fairlead-kube-proxy-none-XXXXXX";
	const struct definitions_from from = {
		.path = none, .given = w->given, .nr_given = w->nr_given,
	};
	FILE *out = fmemopen(said, sizeof(said) - 1, "w");
	int fd = mkstemp(none), err;
	struct model *m = NULL;

	assert_int_equal(write(fd, "services: []\n", 13), 13);
	close(fd);
	err = definitions_load(&from, &m, out);
	fclose(out);
	unlink(none);
	if (err)
		fail_msg("%s", said);
	return m;
}

/* Right and wrong values of a type of the documentation. */
static const struct type { const char *name, *right, *wrong; } types[] = {
	{ "string", "a", NULL },
	{ "bool", "true", "perhaps" },
	{ "int32", "7", "seven" },
	{ "float32", "2.5", "x" },
	{ "duration", "1m30s", "90" },
	{ "ip", "192.0.2.1", "192.0.2.256" },
	{ "ipport", "192.0.2.1:99", "192.0.2.1:99999" },
	{ "cidrs", "10.0.0.0/8,fd00::/8", NULL },
	{ "gates", "A=true,B=false", "A=perhaps" },
	{ "vmodule", "gopher*=3", "gopher" },
	{ "ProxyMode", "ipvs", "userspace" },
	{ "LocalMode", "NodeCIDR", "Somewhere" },
	{ "format", "json", "xml" },
};

static const struct type *type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	fail_msg("no type %s", name);
	return NULL;
}

/* cmd/kube-proxy/app/options.go, then component-base's logs/api/v1 and what
 * klog and cadvisor add. */
static const struct { const char *name, *type; } flags[] = {
	{ "config", NULL },
	{ "write-config-to", NULL },
	{ "cleanup", "bool" },
	{ "feature-gates", "gates" },
	{ "kubeconfig", "string" },
	{ "master", "string" },
	{ "kube-api-content-type", "string" },
	{ "kube-api-burst", "int32" },
	{ "kube-api-qps", "float32" },
	{ "hostname-override", "string" },
	{ "bind-address", "ip" },
	{ "healthz-bind-address", "ipport" },
	{ "metrics-bind-address", "ipport" },
	{ "bind-address-hard-fail", "bool" },
	{ "profiling", "bool" },
	{ "show-hidden-metrics-for-version", "string" },
	{ "init-only", "bool" },
	{ "proxy-mode", "ProxyMode" },
	{ "iptables-masquerade-bit", "int32" },
	{ "masquerade-all", "bool" },
	{ "iptables-localhost-nodeports", "bool" },
	{ "iptables-sync-period", "duration" },
	{ "iptables-min-sync-period", "duration" },
	{ "ipvs-sync-period", "duration" },
	{ "ipvs-min-sync-period", "duration" },
	{ "ipvs-scheduler", "string" },
	{ "ipvs-exclude-cidrs", "cidrs" },
	{ "ipvs-strict-arp", "bool" },
	{ "ipvs-tcp-timeout", "duration" },
	{ "ipvs-tcpfin-timeout", "duration" },
	{ "ipvs-udp-timeout", "duration" },
	{ "detect-local-mode", "LocalMode" },
	{ "pod-bridge-interface", "string" },
	{ "pod-interface-name-prefix", "string" },
	{ "cluster-cidr", "cidrs" },
	{ "nodeport-addresses", "cidrs" },
	{ "oom-score-adj", "int32" },
	{ "conntrack-max-per-core", "int32" },
	{ "conntrack-min", "int32" },
	{ "conntrack-tcp-timeout-established", "duration" },
	{ "conntrack-tcp-timeout-close-wait", "duration" },
	{ "conntrack-tcp-be-liberal", "bool" },
	{ "conntrack-udp-timeout", "duration" },
	{ "conntrack-udp-timeout-stream", "duration" },
	{ "config-sync-period", "duration" },
	{ "healthz-port", "int32" },
	{ "metrics-port", "int32" },
	{ "logging-format", "format" },
	{ "log-flush-frequency", "string" },
	{ "v", "int32" },
	{ "vmodule", "vmodule" },
	{ "log-text-split-stream", "bool" },
	{ "log-text-info-buffer-size", "string" },
	{ "log-json-split-stream", "bool" },
	{ "log-json-info-buffer-size", "string" },
	{ "version", "bool" },
	{ "add_dir_header", "bool" },
	{ "alsologtostderr", "bool" },
	{ "boot_id_file", "string" },
	{ "log_backtrace_at", "string" },
	{ "log_dir", "string" },
	{ "log_file", "string" },
	{ "log_file_max_size", "string" },
	{ "logtostderr", "bool" },
	{ "machine_id_file", "string" },
	{ "one_output", "bool" },
	{ "skip_headers", "bool" },
	{ "skip_log_headers", "bool" },
	{ "stderrthreshold", "string" },
};

static const size_t nr_flags = sizeof(flags) / sizeof(*flags);

static void every_flag_is_taken_in_both_ways(void **state)
{
	char name[64], together[128];

	for (size_t i = 0; i < nr_flags; i++) {
		struct kube_proxy *k = NULL;
		const struct type *t;

		if (!flags[i].type)
			continue;
		t = type_of(flags[i].type);
		sprintf(name, "--%s", flags[i].name);
		sprintf(together, "%s=%s", name, t->right);
		if (TELL(&k, together))
			fail_msg("%s: %s", together, said);
		kube_proxy_free(k);
		if (!strcmp(t->name, "bool") ? TELL(&k, name) :
					       TELL(&k, name, (char *)t->right))
			fail_msg("%s %s: %s", name, t->right, said);
		kube_proxy_free(k);
	}
}

static void a_wrong_value_names_its_flag(void **state)
{
	char word[128];

	for (size_t i = 0; i < nr_flags; i++) {
		struct kube_proxy *k = NULL;
		const struct type *t;

		if (!flags[i].type || !strcmp(flags[i].name, "version"))
			continue;
		t = type_of(flags[i].type);
		if (!t->wrong)
			continue;
		sprintf(word, "--%s=%s", flags[i].name, t->wrong);
		if (TELL(&k, word) != -EINVAL)
			fail_msg("%s was taken", word);
		sprintf(word, "\"%s\" is not ", t->wrong);
		if (!strstr(said, word) || strncmp(said, "--", 2))
			fail_msg("%s", said);
	}
}

/* staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go, and the types of
 * component-base in it. */
static const char every_field[] = HEAD
	"featureGates: {KubeProxyDrainingTerminatingNodes: true}\n"
	"clientConnection:\n"
	"  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\n"
	"  acceptContentTypes: application/json\n"
	"  contentType: application/json\n"
	"  qps: 2.5\n"
	"  burst: 7\n"
	"logging:\n"
	"  format: text\n"
	"  flushFrequency: 7000000000\n"
	"  verbosity: 3\n"
	"  vmodule: [{filePattern: gopher*, verbosity: 3}]\n"
	"  options:\n"
	"    text: {splitStream: true, infoBufferSize: 4Ki}\n"
	"    json: {splitStream: true, infoBufferSize: 4Ki}\n"
	"hostnameOverride: Node-7\n"
	"bindAddress: 192.0.2.7\n"
	"healthzBindAddress: 192.0.2.7:99\n"
	"metricsBindAddress: 192.0.2.7:98\n"
	"bindAddressHardFail: true\n"
	"enableProfiling: true\n"
	"showHiddenMetricsForVersion: '1.35'\n"
	"mode: iptables\n"
	"iptables:\n"
	"  masqueradeBit: 7\n"
	"  masqueradeAll: true\n"
	"  localhostNodePorts: false\n"
	"  snatNodeInternalIP: false\n"
	"  syncPeriod: 1m\n"
	"  minSyncPeriod: 2s\n"
	"ipvs:\n"
	"  syncPeriod: 1m\n"
	"  minSyncPeriod: 2s\n"
	"  scheduler: wrr\n"
	"  excludeCIDRs: [192.0.2.0/24]\n"
	"  strictARP: true\n"
	"  tcpTimeout: 1m\n"
	"  tcpFinTimeout: 1m\n"
	"  udpTimeout: 1m\n"
	"nftables:\n"
	"  masqueradeBit: 7\n"
	"  masqueradeAll: false\n"
	"  syncPeriod: 1m\n"
	"  minSyncPeriod: 2s\n"
	"winkernel:\n"
	"  networkName: n\n"
	"  sourceVip: 192.0.2.9\n"
	"  enableDSR: true\n"
	"  rootHnsEndpointName: cbr0\n"
	"  forwardHealthCheckVip: true\n"
	"detectLocalMode: InterfaceNamePrefix\n"
	"detectLocal: {bridgeInterface: br0, interfaceNamePrefix: cali}\n"
	"clusterCIDR: 10.244.0.0/16,fd44::/48\n"
	"nodePortAddresses: [192.0.2.0/24, '2001:db8::/64']\n"
	"oomScoreAdj: -7\n"
	"conntrack:\n"
	"  maxPerCore: 0\n"
	"  min: 7\n"
	"  tcpEstablishedTimeout: 2h\n"
	"  tcpCloseWaitTimeout: 90s\n"
	"  tcpBeLiberal: true\n"
	"  udpTimeout: 45s\n"
	"  udpStreamTimeout: 2m\n"
	"configSyncPeriod: 1m\n"
	"portRange: 1-2\n"
	"windowsRunAsService: true\n";

static void every_field_is_known(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	const struct kube_proxy_wanted *w;

	if (TELL(&k, file(every_field)))
		fail_msg("%s", said);
	assert_null(strstr(kube_proxy_notes(k), "unknown field"));
	w = kube_proxy_wanted(k);
	assert_int_equal(w->task, KUBE_PROXY_SERVE);
	assert_string_equal(w->kubeconfig,
			    "/var/lib/kube-proxy/kubeconfig.conf");
	assert_string_equal(w->healthz, "192.0.2.7:99");
	assert_string_equal(w->metrics, "192.0.2.7:98");
	assert_int_equal(w->oom_score_adj, -7);
	assert_int_equal(w->verbosity, 3);
	assert_string_equal(w->config, path);
}

static void fields_are_settings(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	__cleanup(model_freep) struct model *m = NULL;

	assert_int_equal(TELL(&k, file(every_field)), 0);
	m = model_of(k);
	assert_string_equal(m->hostname_override, "node-7");
	assert_int_equal(m->detect_local, DETECT_INTERFACES);
	assert_string_equal(m->pod_interfaces, "cali");
	assert_string_equal(m->pod_bridge, "br0");
	assert_true(m->cluster_cidr4.is_set && m->cluster_cidr6.is_set);
	assert_int_equal(m->nr_nodeport, 2);
	assert_true(m->masquerade_all);
	assert_int_equal(m->idle_tcp_s, 7200);
	assert_int_equal(m->half_closed_s, 90);
	assert_int_equal(m->idle_udp_s, 120);
	assert_int_equal(m->max_conns, 0);	/* left as it is */
	assert_int_equal(m->healthz.port, 99);
	assert_int_equal(m->metrics.port, 98);
}

/* What is not used is said, each once, with a reason: all but what has the
 * value that it would have anyway. */
static void what_is_ignored_is_said_once(void **state)
{
	static const char *const ignored[] = {
		"featureGates", "acceptContentTypes", "contentType", "qps",
		"burst", "flushFrequency", "vmodule", "text.splitStream",
		"text.infoBufferSize", "json.splitStream",
		"json.infoBufferSize", "bindAddress", "bindAddressHardFail",
		"enableProfiling", "showHiddenMetricsForVersion", "mode",
		"iptables.masqueradeBit", "iptables.localhostNodePorts",
		"iptables.syncPeriod", "iptables.minSyncPeriod",
		"ipvs.syncPeriod", "ipvs.minSyncPeriod", "ipvs.scheduler",
		"ipvs.excludeCIDRs", "ipvs.strictARP", "ipvs.tcpTimeout",
		"ipvs.tcpFinTimeout", "ipvs.udpTimeout",
		"nftables.masqueradeBit", "nftables.syncPeriod",
		"nftables.minSyncPeriod", "winkernel.networkName",
		"winkernel.sourceVip", "winkernel.enableDSR",
		"winkernel.rootHnsEndpointName",
		"winkernel.forwardHealthCheckVip", "conntrack.tcpBeLiberal",
		"conntrack.udpTimeout", "configSyncPeriod", "portRange",
		"windowsRunAsService",
	};
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	size_t lines = 0;
	char words[64];

	assert_int_equal(TELL(&k, file(every_field)), 0);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++) {
		const char *at;

		snprintf(words, sizeof(words), "%s=", ignored[i]);
		at = strstr(kube_proxy_notes(k), words);
		if (!at || !strstr(at, ": ignored, "))
			fail_msg("%s is not said:\n%s", ignored[i],
				 kube_proxy_notes(k));
	}
	for (const char *c = kube_proxy_notes(k); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, sizeof(ignored) / sizeof(*ignored));
	assert_non_null(strstr(kube_proxy_notes(k),
		":25:7: mode=iptables: ignored, Fairlead's own datapath\n"));
}

/* As kubeadm 1.33 writes it: nothing in it that needs a word, but the gates. */
static const char of_kubeadm[] = HEAD
	"bindAddress: 0.0.0.0\n"
	"bindAddressHardFail: false\n"
	"clientConnection:\n"
	"  acceptContentTypes: \"\"\n"
	"  burst: 0\n"
	"  contentType: \"\"\n"
	"  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\n"
	"  qps: 0\n"
	"clusterCIDR: 10.244.0.0/16\n"
	"configSyncPeriod: 0s\n"
	"conntrack:\n"
	"  maxPerCore: null\n"
	"  min: null\n"
	"  tcpBeLiberal: false\n"
	"  tcpCloseWaitTimeout: null\n"
	"  tcpEstablishedTimeout: null\n"
	"  udpStreamTimeout: 0s\n"
	"  udpTimeout: 0s\n"
	"detectLocal:\n"
	"  bridgeInterface: \"\"\n"
	"  interfaceNamePrefix: \"\"\n"
	"detectLocalMode: \"\"\n"
	"enableProfiling: false\n"
	"healthzBindAddress: \"\"\n"
	"hostnameOverride: \"\"\n"
	"iptables:\n"
	"  localhostNodePorts: null\n"
	"  masqueradeAll: false\n"
	"  masqueradeBit: null\n"
	"  minSyncPeriod: 0s\n"
	"  syncPeriod: 0s\n"
	"ipvs:\n"
	"  excludeCIDRs: null\n"
	"  minSyncPeriod: 0s\n"
	"  scheduler: \"\"\n"
	"  strictARP: false\n"
	"  syncPeriod: 0s\n"
	"  tcpFinTimeout: 0s\n"
	"  tcpTimeout: 0s\n"
	"  udpTimeout: 0s\n"
	"logging:\n"
	"  flushFrequency: 0\n"
	"  options:\n"
	"    json:\n"
	"      infoBufferSize: \"0\"\n"
	"    text:\n"
	"      infoBufferSize: \"0\"\n"
	"  verbosity: 0\n"
	"metricsBindAddress: \"\"\n"
	"mode: \"\"\n"
	"nftables:\n"
	"  masqueradeAll: false\n"
	"  masqueradeBit: null\n"
	"  minSyncPeriod: 0s\n"
	"  syncPeriod: 0s\n"
	"nodePortAddresses: null\n"
	"oomScoreAdj: null\n"
	"portRange: \"\"\n"
	"showHiddenMetricsForVersion: \"\"\n"
	"winkernel:\n"
	"  enableDSR: false\n"
	"  forwardHealthCheckVip: false\n"
	"  networkName: \"\"\n"
	"  rootHnsEndpointName: \"\"\n"
	"  sourceVip: \"\"\n";

static void what_kubeadm_writes_needs_no_word(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	__cleanup(model_freep) struct model *m = NULL;

	if (TELL(&k, file(of_kubeadm), "--hostname-override=Node-1"))
		fail_msg("%s", said);
	assert_string_equal(kube_proxy_notes(k), "");
	assert_int_equal(kube_proxy_wanted(k)->oom_score_adj, -999);
	assert_string_equal(kube_proxy_wanted(k)->healthz, "0.0.0.0:10256");
	assert_string_equal(kube_proxy_wanted(k)->metrics, "127.0.0.1:10249");
	m = model_of(k);
	assert_string_equal(m->hostname_override, "node-1");
	assert_int_equal(m->detect_local, DETECT_CLUSTER_CIDR);
	assert_true(m->cluster_cidr4.is_set && !m->cluster_cidr6.is_set);
	assert_int_equal(m->idle_tcp_s, 24 * 3600);
	assert_int_equal(m->half_closed_s, 3600);
	assert_int_equal(m->idle_udp_s, 60);
	assert_int_equal(m->nr_nodeport, 2);	/* all, of both families */
	assert_false(m->masquerade_all);
}

static void flags_are_settings(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	__cleanup(model_freep) struct model *m = NULL;

	if (TELL(&k, "--cluster-cidr", "10.0.0.0/8", "--masquerade-all",
		 "--nodeport-addresses=192.0.2.0/24",
		 "--nodeport-addresses=198.51.100.0/24",
		 "--detect-local-mode=BridgeInterface",
		 "--pod-bridge-interface=cni0", "--proxy-mode=nftables",
		 "--conntrack-max-per-core=1000", "--conntrack-min=200000",
		 "--conntrack-tcp-timeout-established=0",
		 "--conntrack-tcp-timeout-close-wait=1500ms"))
		fail_msg("%s", said);
	m = model_of(k);
	assert_true(m->cluster_cidr4.is_set);
	assert_true(m->masquerade_all);
	assert_int_equal(m->nr_nodeport, 2);
	assert_int_equal(m->detect_local, DETECT_BRIDGE);
	assert_string_equal(m->pod_bridge, "cni0");
	assert_int_equal(m->max_conns, 200000);
	assert_int_equal(m->idle_tcp_s, 900);	/* Fairlead's own */
	assert_int_equal(m->half_closed_s, 2);
	assert_string_equal(kube_proxy_notes(k),
		"--proxy-mode=nftables: ignored, Fairlead's own datapath\n");
}

static void node_ports_are_where_the_mode_has_them(void **state)
{
	static const struct { char *mode; const char *expected; } cases[] = {
		{ "--proxy-mode=", "0.0.0.0/0,::/0" },
		{ "--proxy-mode=iptables", "0.0.0.0/0,::/0" },
		{ "--proxy-mode=ipvs", "0.0.0.0/0,::/0" },
		{ "--proxy-mode=nftables", "none" },
	};
	struct kube_proxy *k = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(TELL(&k, cases[i].mode), 0);
		assert_string_equal(given(k, "nodeport-addresses"),
				    cases[i].expected);
		kube_proxy_free(k);
	}
	assert_int_equal(TELL(&k, "--nodeport-addresses=primary"), 0);
	assert_string_equal(given(k, "nodeport-addresses"), "primary");
	kube_proxy_free(k);
	assert_int_equal(TELL(&k, "--nodeport-addresses=all,localhost"), 0);
	assert_string_equal(given(k, "nodeport-addresses"), "0.0.0.0/0,::/0");
	assert_non_null(strstr(kube_proxy_notes(k), "\"localhost\" is ignored"));
	kube_proxy_free(k);
}

static void a_file_counts_and_not_the_flags(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;

	if (TELL(&k, "--cluster-cidr=10.0.0.0/8", "--kubeconfig=/flag",
		 "--metrics-port=0", "--v=5", "--master=https://192.0.2.1",
		 "--hostname-override=by-flag", file(every_field)))
		fail_msg("%s", said);
	assert_string_equal(given(k, "cluster-cidr"),
			    "10.244.0.0/16,fd44::/48");
	assert_string_equal(kube_proxy_wanted(k)->kubeconfig,
			    "/var/lib/kube-proxy/kubeconfig.conf");
	assert_string_equal(kube_proxy_wanted(k)->metrics, "192.0.2.7:98");
	assert_non_null(strstr(kube_proxy_notes(k),
		"--cluster-cidr=10.0.0.0/8: ignored, --config says what counts\n"));
	assert_non_null(strstr(kube_proxy_notes(k),
		"--kubeconfig=/flag: ignored, --config says what counts\n"));
	/* but for these */
	assert_int_equal(kube_proxy_wanted(k)->verbosity, 5);
	assert_string_equal(kube_proxy_wanted(k)->master, "https://192.0.2.1");
	assert_string_equal(given(k, "hostname-override"), "by-flag");
}

static void masquerading_is_as_the_mode_says(void **state)
{
	static const struct {
		const char *text;
		char *flag;
		const char *expected;
	} cases[] = {
		{ "iptables: {masqueradeAll: true}", "--v=0", "true" },
		{ "mode: nftables\niptables: {masqueradeAll: true}", "--v=0",
		  "none" },
		{ "mode: nftables\nnftables: {masqueradeAll: true}", "--v=0",
		  "true" },
		{ "nftables: {masqueradeAll: true}", "--v=0", "none" },
		{ NULL, "--masquerade-all", "true" },
		{ NULL, "--masquerade-all=f", "false" },
	};
	char text[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kube_proxy *k = NULL;

		snprintf(text, sizeof(text), HEAD "%s\n", cases[i].text ?: "");
		if (cases[i].text ? TELL(&k, file(text), cases[i].flag) :
				    TELL(&k, cases[i].flag))
			fail_msg("%s", said);
		assert_string_equal(given(k, "masquerade-all"),
				    cases[i].expected);
		kube_proxy_free(k);
		remove_file(NULL);
	}
}

static void an_unknown_field_is_said_and_left_out(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;

	if (TELL(&k, file(HEAD "conntrack:\n  mni: 7\nhostnameOveride: x\n"
			  "clusterCIDR: 10.0.0.0/8\n")))
		fail_msg("%s", said);
	assert_non_null(strstr(kube_proxy_notes(k), ":4:3: unknown field "
		"\"conntrack.mni\"; did you mean \"min\"?; it is left out"));
	assert_non_null(strstr(kube_proxy_notes(k), ":5:1: unknown field "
		"\"hostnameOveride\"; did you mean \"hostnameOverride\"?"));
	assert_string_equal(given(k, "cluster-cidr"), "10.0.0.0/8");
}

static void a_wrong_file_is_said_with_its_place(void **state)
{
	static const struct { const char *text, *expected; } cases[] = {
		{ "kind: KubeProxyConfiguration\n", ":1:1: no apiVersion" },
		{ "apiVersion: kubeproxy.config.k8s.io/v1alpha2\n",
		  ":1:13: apiVersion \"kubeproxy.config.k8s.io/v1alpha2\" is not" },
		{ "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
		  "kind: KubeletConfiguration\n",
		  ":2:7: kind \"KubeletConfiguration\" is not" },
		{ HEAD "conntrack: 7\n", ":3:12: conntrack needs keys and values" },
		{ HEAD "conntrack: {min: lots}\n",
		  ":3:18: conntrack.min \"lots\" is not a number" },
		{ HEAD "conntrack: {tcpEstablishedTimeout: 24}\n",
		  ":3:36: conntrack.tcpEstablishedTimeout \"24\" is not a duration" },
		{ HEAD "enableProfiling: maybe\n", ":3:18: " },
		{ HEAD "nodePortAddresses: 10.0.0.0/8\n", ":3:20: " },
		{ HEAD "featureGates: {A: 7}\n", ":3:19: " },
		{ HEAD "mode: userspace\n",
		  ":3:7: mode \"userspace\" is not iptables, ipvs or nftables" },
		{ HEAD "oomScoreAdj: 1001\n", ":3:14: " },
		{ "- a\n", ":1:1: " },
		{ "a: [\n", ":2:1: " },
		{ "", ": " },
		{ HEAD "mode: a\nmode: b\n", ":4:1: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kube_proxy *k = NULL;

		if (TELL(&k, file(cases[i].text)) != -EINVAL)
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(said, cases[i].expected) || strncmp(said, path,
								strlen(path)))
			fail_msg("%s\nsaid: %s", cases[i].text, said);
		remove_file(NULL);
	}
}

static void a_file_that_is_not_there_is_said(void **state)
{
	struct kube_proxy *k = NULL;

	assert_int_equal(TELL(&k, "--config=/nonexistent/f"), -EINVAL);
	assert_non_null(strstr(said, "/nonexistent/f: No such file"));
	assert_int_equal(TELL(&k, "--config=/tmp"), -EINVAL);
	assert_int_equal(TELL(&k, "--config"), -EINVAL);
	assert_non_null(strstr(said, "--config needs a value"));
}

static void what_cannot_be_done_is_a_mistake(void **state)
{
	struct kube_proxy *k = NULL;

	assert_int_equal(TELL(&k, file(HEAD
		"iptables: {snatNodeInternalIP: true}\n")), -EINVAL);
	assert_non_null(strstr(said, ":3:32: iptables.snatNodeInternalIP=true cannot be done"));
	remove_file(NULL);
	assert_int_equal(TELL(&k, "--feature-gates=AllowServiceExternalIPs=false"),
			 -EINVAL);
	assert_non_null(strstr(said, "external IPs are served"));
}

static void what_is_no_flag_is_said(void **state)
{
	struct kube_proxy *k = NULL;

	assert_int_equal(TELL(&k, "--cluster-cdir=10.0.0.0/8", "run"), -EINVAL);
	assert_non_null(strstr(said, "no flag \"--cluster-cdir\"; did you mean \"--cluster-cidr\"?"));
	assert_non_null(strstr(said, "what is \"run\"?"));
	assert_int_equal(TELL(&k, "--"), -EINVAL);
	assert_int_equal(TELL(&k, "-x"), -EINVAL);
}

static void tasks_come_from_flags(void **state)
{
	static const struct {
		char *word;
		enum kube_proxy_task task;
	} cases[] = {
		{ "-h", KUBE_PROXY_HELP },
		{ "--help", KUBE_PROXY_HELP },
		{ "--version", KUBE_PROXY_VERSION },
		{ "--version=raw", KUBE_PROXY_VERSION },
		{ "--version=false", KUBE_PROXY_SERVE },
		{ "--cleanup", KUBE_PROXY_CLEANUP },
		{ "--cleanup=false", KUBE_PROXY_SERVE },
		{ "--init-only", KUBE_PROXY_INIT },
		{ "--write-config-to=/x", KUBE_PROXY_WRITE },
		{ "-v2", KUBE_PROXY_SERVE },
		{ "-v=2", KUBE_PROXY_SERVE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kube_proxy *k = NULL;

		if (TELL(&k, cases[i].word))
			fail_msg("%s: %s", cases[i].word, said);
		assert_int_equal(kube_proxy_wanted(k)->task, cases[i].task);
		kube_proxy_free(k);
	}
}

static void servers_are_where_flags_say(void **state)
{
	static const struct { char *words[2]; const char *healthz, *metrics; }
	cases[] = {
		{ { "--v=0", "--v=0" }, "0.0.0.0:10256", "127.0.0.1:10249" },
		{ { "--bind-address=::", "--v=0" }, "[::]:10256",
		  "[::1]:10249" },
		{ { "--healthz-bind-address=", "--metrics-bind-address=" },
		  "", "" },
		{ { "--healthz-port=0", "--metrics-port=7" }, "",
		  "127.0.0.1:7" },
		{ { "--healthz-bind-address=192.0.2.1",
		    "--metrics-bind-address=[2001:db8::1]:9" },
		  "192.0.2.1:10256", "[2001:db8::1]:9" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kube_proxy *k = NULL;

		if (tell(&k, 2, (char **)cases[i].words))
			fail_msg("%s", said);
		assert_string_equal(kube_proxy_wanted(k)->healthz,
				    cases[i].healthz);
		assert_string_equal(kube_proxy_wanted(k)->metrics,
				    cases[i].metrics);
		kube_proxy_free(k);
	}
}

static void durations_are_as_go_writes_them(void **state)
{
	static const struct { char *flag; const char *expected; } cases[] = {
		{ "1h0m0s", "3600" }, { "1.5h", "5400" }, { "90m", "5400" },
		{ "+2s", "2" }, { ".5h", "1800" }, { "1m1ms", "61" },
		{ "1000000000ns", "1" }, { "1000000us", "1" },
		{ "1000000µs", "1" }, { "0", "none" }, { "0s", "none" },
		{ "0h0m", "none" },
	};
	static char *wrong[] = { "", "1", "s", "1h30", "-1s", "1 h", "1d", ".",
				 ".s", "1..5h", "9999999999999h", "1e3s" };
	char word[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kube_proxy *k = NULL;

		sprintf(word, "--conntrack-udp-timeout-stream=%s",
			cases[i].flag);
		if (TELL(&k, word))
			fail_msg("%s", said);
		assert_string_equal(given(k, "timeouts: udp"),
				    cases[i].expected);
		kube_proxy_free(k);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct kube_proxy *k = NULL;

		sprintf(word, "--conntrack-udp-timeout-stream=%s", wrong[i]);
		if (TELL(&k, word) != -EINVAL)
			fail_msg("\"%s\" was taken", wrong[i]);
	}
}

/* What is written says the same when it is read. */
static void what_is_written_can_be_read(void **state)
{
	static const char *const texts[] = { every_field, of_kubeadm };
	char written[] = "/tmp/fairlead-kube-proxy-written-XXXXXX";
	char to[80], from[80];

	close(mkstemp(written));
	sprintf(to, "--write-config-to=%s", written);
	sprintf(from, "--config=%s", written);
	for (size_t i = 0; i < 2; i++) {
		struct kube_proxy *k = NULL, *again = NULL;
		const struct kube_proxy_wanted *a, *b;

		assert_int_equal(TELL(&k, file(texts[i]), to), 0);
		assert_int_equal(kube_proxy_write(k), 0);
		if (TELL(&again, from))
			fail_msg("%s", said);
		a = kube_proxy_wanted(k);
		b = kube_proxy_wanted(again);
		assert_null(strstr(kube_proxy_notes(again), "unknown"));
		assert_int_equal(a->nr_given, b->nr_given);
		for (size_t j = 0; j < a->nr_given; j++) {
			assert_string_equal(a->given[j].key, b->given[j].key);
			assert_string_equal(a->given[j].value,
					    b->given[j].value);
		}
		assert_string_equal(a->healthz, b->healthz);
		assert_string_equal(a->kubeconfig, b->kubeconfig);
		kube_proxy_free(k);
		kube_proxy_free(again);
		remove_file(NULL);
	}
	unlink(written);
}

static void a_mistake_of_a_setting_names_the_flag(void **state)
{
	__cleanup(kube_proxy_freep) struct kube_proxy *k = NULL;
	const struct kube_proxy_wanted *w;
	struct definitions_from from = {};
	struct model *m = NULL;
	FILE *out;

	assert_int_equal(TELL(&k, file(HEAD "clusterCIDR: nonsense\n"),
			      "--hostname-override=a b"), 0);
	w = kube_proxy_wanted(k);
	from.given = w->given;
	from.nr_given = w->nr_given;
	out = fmemopen(said, sizeof(said) - 1, "w");
	assert_int_equal(definitions_load(&from, &m, out), -EINVAL);
	fclose(out);
	assert_non_null(strstr(said, ":3:14: clusterCIDR: cluster-cidr \"nonsense\" is not"));
	assert_non_null(strstr(said, "--hostname-override: hostname-override \"a b\" is not"));
}

static void help_has_every_flag(void **state)
{
	static char text[1 << 16];
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");
	char word[64];

	kube_proxy_help(out);
	fclose(out);
	for (size_t i = 0; i < nr_flags; i++) {
		sprintf(word, "-%s", flags[i].name);
		for (char *c = word; *c; c++)
			if (*c == '_')
				*c = '-';
		if (!strstr(text, word))
			fail_msg("%s is not in it", word);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_flag_is_taken_in_both_ways),
		TEST(a_wrong_value_names_its_flag),
		TEST(every_field_is_known),
		TEST(fields_are_settings),
		TEST(what_is_ignored_is_said_once),
		TEST(what_kubeadm_writes_needs_no_word),
		TEST(flags_are_settings),
		TEST(node_ports_are_where_the_mode_has_them),
		TEST(a_file_counts_and_not_the_flags),
		TEST(masquerading_is_as_the_mode_says),
		TEST(an_unknown_field_is_said_and_left_out),
		TEST(a_wrong_file_is_said_with_its_place),
		TEST(a_file_that_is_not_there_is_said),
		TEST(what_cannot_be_done_is_a_mistake),
		TEST(what_is_no_flag_is_said),
		TEST(tasks_come_from_flags),
		TEST(servers_are_where_flags_say),
		TEST(durations_are_as_go_writes_them),
		TEST(what_is_written_can_be_read),
		TEST(a_mistake_of_a_setting_names_the_flag),
		TEST(help_has_every_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
