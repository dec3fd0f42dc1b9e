// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table itself, see row.h: the flags of kube-proxy 1.33 to 1.37, and the
 * fields of kubeproxy.config.k8s.io/v1alpha1.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "model/setting.h"
#include "row.h"

#define IGNORED(why) .use = ROW_IGNORED, .note = why
#define SETTING(name_) .use = ROW_SETTING, .note = name_
#define TIMEOUT(name_) .use = ROW_SECONDS, .note = name_

#define NO_IPVS "there is no IPVS here"
#define NO_WINDOWS "it is about Windows"
#define NO_LOG_FILE "the log goes to standard error, a line an event"
#define NO_SYNC "a change is in force at once, by itself"
#define NO_MARK "packets are not marked"
#define OF_MACHINE "it is about how kube-proxy counts machines"

static const char *const modes[] = { "", "iptables", "ipvs", "nftables", NULL };
static const char *const formats[] = { "", "text", "json", NULL };

const struct row rows[] = {
	{ "bind-address", "bindAddress", "0.0.0.0", .kind = ROW_ADDR,
	  IGNORED("the node's addresses are those of its Node object") },
	{ "bind-address-hard-fail", "bindAddressHardFail", "false",
	  .kind = ROW_BOOL,
	  IGNORED("a port that cannot be had is said, and asked for again") },
	{ NULL, "clientConnection.acceptContentTypes",
	  IGNORED("the server is asked for JSON") },
	{ "kube-api-burst", "clientConnection.burst", "10", .kind = ROW_NUMBER,
	  .most = 2147483647,
	  IGNORED("a few lists and watches are all that is asked") },
	{ "kube-api-content-type", "clientConnection.contentType",
	  "application/vnd.kubernetes.protobuf",
	  IGNORED("the server is asked for JSON") },
	{ "kubeconfig", "clientConnection.kubeconfig",
	  .note = "how the server is reached; default: as a container is told",
	  .use = ROW_KUBECONFIG },
	{ "kube-api-qps", "clientConnection.qps", "5", .kind = ROW_FLOAT,
	  IGNORED("a few lists and watches are all that is asked") },
	{ "cluster-cidr", "clusterCIDR", .kind = ROW_LIST,
	  SETTING("cluster-cidr") },
	{ "config-sync-period", "configSyncPeriod", "15m0s",
	  .kind = ROW_DURATION, IGNORED("a watch says what changes") },
	{ "conntrack-max-per-core", "conntrack.maxPerCore", "32768",
	  .note = "for each CPU: the setting limits: connections",
	  .kind = ROW_NUMBER, .most = 2147483647, .use = ROW_CONNS_PER_CORE },
	{ "conntrack-min", "conntrack.min", "131072",
	  .note = "at least: the setting limits: connections",
	  .kind = ROW_NUMBER, .most = 2147483647, .use = ROW_CONNS_MIN },
	{ "conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", "false",
	  .kind = ROW_BOOL,
	  IGNORED("sequence numbers outside of a window are no reason here") },
	{ "conntrack-tcp-timeout-close-wait", "conntrack.tcpCloseWaitTimeout",
	  "1h0m0s", .kind = ROW_DURATION, TIMEOUT("timeouts: half-closed") },
	{ "conntrack-tcp-timeout-established",
	  "conntrack.tcpEstablishedTimeout", "24h0m0s",
	  .kind = ROW_DURATION, TIMEOUT("timeouts: tcp") },
	{ "conntrack-udp-timeout-stream", "conntrack.udpStreamTimeout", "0s",
	  .kind = ROW_DURATION, TIMEOUT("timeouts: udp") },
	{ "conntrack-udp-timeout", "conntrack.udpTimeout", "0s",
	  .kind = ROW_DURATION,
	  IGNORED("flows of UDP have one timeout, answered or not: udpStreamTimeout") },
	{ "pod-bridge-interface", "detectLocal.bridgeInterface",
	  SETTING("pod-bridge-interface") },
	{ "pod-interface-name-prefix", "detectLocal.interfaceNamePrefix",
	  SETTING("pod-interface-name-prefix") },
	{ "detect-local-mode", "detectLocalMode", .kind = ROW_CHOICE,
	  .choices = detect_local_names, SETTING("detect-local-mode") },
	{ "profiling", "enableProfiling", "false", .kind = ROW_BOOL,
	  IGNORED("perf(1) sees this program and what it loads") },
	{ "feature-gates", "featureGates", .kind = ROW_GATES,
	  .note = "ignored: what they switch is either always so here, or not there",
	  .use = ROW_GATES_SET },
	{ "healthz-bind-address", "healthzBindAddress", "0.0.0.0:10256",
	  .note = "where /healthz and /livez are", .kind = ROW_ADDR_PORT,
	  .use = ROW_HEALTHZ },
	{ "hostname-override", "hostnameOverride",
	  .note = "hostname-override", .use = ROW_HOSTNAME },
	{ "iptables-localhost-nodeports", "iptables.localhostNodePorts",
	  "true", .kind = ROW_BOOL,
	  IGNORED("node ports are not served at 127.0.0.1") },
	{ "masquerade-all", "iptables.masqueradeAll", "false",
	  .note = "masquerade-all", .kind = ROW_BOOL, .use = ROW_MASQUERADE },
	{ "iptables-masquerade-bit", "iptables.masqueradeBit", "14",
	  .kind = ROW_NUMBER, .most = 31, IGNORED(NO_MARK) },
	{ "iptables-min-sync-period", "iptables.minSyncPeriod", "1s",
	  .kind = ROW_DURATION, IGNORED(NO_SYNC) },
	{ NULL, "iptables.snatNodeInternalIP", "false", .kind = ROW_BOOL,
	  .note = "say nat: {addresses: [...]} in --definitions instead",
	  .use = ROW_REFUSED },
	{ "iptables-sync-period", "iptables.syncPeriod", "30s",
	  .kind = ROW_DURATION, IGNORED(NO_SYNC) },
	{ "ipvs-exclude-cidrs", "ipvs.excludeCIDRs", .kind = ROW_LIST,
	  IGNORED(NO_IPVS) },
	{ "ipvs-min-sync-period", "ipvs.minSyncPeriod", "1s",
	  .kind = ROW_DURATION, IGNORED(NO_IPVS) },
	{ "ipvs-scheduler", "ipvs.scheduler", IGNORED(NO_IPVS) },
	{ "ipvs-strict-arp", "ipvs.strictARP", "false", .kind = ROW_BOOL,
	  IGNORED("cluster IPs are on no interface that could answer ARP") },
	{ "ipvs-sync-period", "ipvs.syncPeriod", "30s", .kind = ROW_DURATION,
	  IGNORED(NO_IPVS) },
	{ "ipvs-tcpfin-timeout", "ipvs.tcpFinTimeout", "0s",
	  .kind = ROW_DURATION,
	  IGNORED(NO_IPVS ": conntrack.tcpCloseWaitTimeout counts") },
	{ "ipvs-tcp-timeout", "ipvs.tcpTimeout", "0s", .kind = ROW_DURATION,
	  IGNORED(NO_IPVS ": conntrack.tcpEstablishedTimeout counts") },
	{ "ipvs-udp-timeout", "ipvs.udpTimeout", "0s", .kind = ROW_DURATION,
	  IGNORED(NO_IPVS ": conntrack.udpStreamTimeout counts") },
	{ "log-flush-frequency", "logging.flushFrequency", "5s",
	  IGNORED(NO_LOG_FILE) },
	{ "logging-format", "logging.format", "text", .kind = ROW_CHOICE,
	  .choices = formats, IGNORED(NO_LOG_FILE) },
	{ "log-json-info-buffer-size", "logging.options.json.infoBufferSize",
	  "0", IGNORED(NO_LOG_FILE) },
	{ "log-json-split-stream", "logging.options.json.splitStream", "false",
	  .kind = ROW_BOOL, IGNORED(NO_LOG_FILE) },
	{ "log-text-info-buffer-size", "logging.options.text.infoBufferSize",
	  "0", IGNORED(NO_LOG_FILE) },
	{ "log-text-split-stream", "logging.options.text.splitStream", "false",
	  .kind = ROW_BOOL, IGNORED(NO_LOG_FILE) },
	{ "v", "logging.verbosity", "0", .note = "4 and more: the level debug",
	  .kind = ROW_NUMBER, .most = 2147483647, .use = ROW_VERBOSITY },
	{ "vmodule", "logging.vmodule", .kind = ROW_LEVELS,
	  IGNORED("all parts of the program log alike") },
	{ "metrics-bind-address", "metricsBindAddress", "127.0.0.1:10249",
	  .note = "where /metrics and /proxyMode are", .kind = ROW_ADDR_PORT,
	  .use = ROW_METRICS },
	{ "proxy-mode", "mode", .kind = ROW_CHOICE, .choices = modes,
	  .note = "ignored: Fairlead's own datapath; but node ports are at all "
	  "addresses of the node by default, unless it is nftables",
	  .use = ROW_MODE },
	{ NULL, "nftables.masqueradeAll", "false", .kind = ROW_BOOL,
	  .use = ROW_MASQUERADE_NFTABLES },
	{ NULL, "nftables.masqueradeBit", "14", .kind = ROW_NUMBER, .most = 31,
	  IGNORED(NO_MARK) },
	{ NULL, "nftables.minSyncPeriod", "1s", .kind = ROW_DURATION,
	  IGNORED(NO_SYNC) },
	{ NULL, "nftables.syncPeriod", "30s", .kind = ROW_DURATION,
	  IGNORED(NO_SYNC) },
	{ "nodeport-addresses", "nodePortAddresses", .kind = ROW_LIST,
	  .note = "nodeport-addresses", .use = ROW_NODEPORT },
	{ "oom-score-adj", "oomScoreAdj", "-999",
	  .note = "how little the kernel should like to end this process",
	  .kind = ROW_NUMBER, .least = -1000, .most = 1000, .use = ROW_OOM },
	{ NULL, "portRange", IGNORED("it is of kube-proxy's oldest mode alone") },
	{ "show-hidden-metrics-for-version", "showHiddenMetricsForVersion",
	  IGNORED("no metric is hidden") },
	{ NULL, "windowsRunAsService", "false", .kind = ROW_BOOL,
	  IGNORED(NO_WINDOWS) },
	{ NULL, "winkernel.enableDSR", "false", .kind = ROW_BOOL,
	  IGNORED(NO_WINDOWS) },
	{ NULL, "winkernel.forwardHealthCheckVip", "false", .kind = ROW_BOOL,
	  IGNORED(NO_WINDOWS) },
	{ NULL, "winkernel.networkName", IGNORED(NO_WINDOWS) },
	{ NULL, "winkernel.rootHnsEndpointName", IGNORED(NO_WINDOWS) },
	{ NULL, "winkernel.sourceVip", IGNORED(NO_WINDOWS) },

	{ "config", .note = "FILE, which counts instead of most flags",
	  .use = ROW_CONFIG },
	{ "write-config-to", .note = "FILE: write what is said, and exit",
	  .use = ROW_WRITE_CONFIG },
	{ "cleanup", .note = "remove every program, map and pin, and exit",
	  .kind = ROW_BOOL, .use = ROW_CLEANUP },
	{ "init-only", .note = "exit: nothing has to be done beforehand",
	  .kind = ROW_BOOL, .use = ROW_INIT_ONLY },
	{ "master", .note = "the server's URL, in place of the kubeconfig's",
	  .use = ROW_MASTER },
	{ "healthz-port", .by_default = "10256",
	  .note = "of healthz-bind-address; 0: nowhere", .kind = ROW_NUMBER,
	  .most = 65535, .use = ROW_HEALTHZ_PORT },
	{ "metrics-port", .by_default = "10249",
	  .note = "of metrics-bind-address; 0: nowhere", .kind = ROW_NUMBER,
	  .most = 65535, .use = ROW_METRICS_PORT },
	{ "version", .note = "say it, and exit", .kind = ROW_BOOL,
	  .use = ROW_VERSION },
	{ "help", .note = "show this, and exit", .kind = ROW_BOOL,
	  .use = ROW_HELP },
	{ "add-dir-header", .by_default = "false", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "alsologtostderr", .by_default = "false", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "log-backtrace-at", .by_default = ":0", IGNORED(NO_LOG_FILE) },
	{ "log-dir", IGNORED(NO_LOG_FILE) },
	{ "log-file", IGNORED(NO_LOG_FILE) },
	{ "log-file-max-size", .by_default = "1800", IGNORED(NO_LOG_FILE) },
	{ "logtostderr", .by_default = "true", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "one-output", .by_default = "false", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "skip-headers", .by_default = "false", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "skip-log-headers", .by_default = "false", .kind = ROW_BOOL,
	  IGNORED(NO_LOG_FILE) },
	{ "stderrthreshold", .by_default = "2", IGNORED(NO_LOG_FILE) },
	{ "boot-id-file", .by_default = "/proc/sys/kernel/random/boot_id",
	  IGNORED(OF_MACHINE) },
	{ "machine-id-file",
	  .by_default = "/etc/machine-id,/var/lib/dbus/machine-id",
	  IGNORED(OF_MACHINE) },
	{ "definitions", .note = "FILE or DIR: Fairlead's own, beside the server's",
	  .use = ROW_DEFINITIONS, .is_ours = true },
	{ "takeover", .by_default = "600", .note = "SECONDS that kube-proxy's connections are left to conntrack",
	  .kind = ROW_NUMBER, .most = 65535, .use = ROW_TAKEOVER,
	  .is_ours = true },
	{ "pin-root", .note = "DIR: where programs and maps are pinned",
	  .use = ROW_PIN_ROOT, .is_ours = true },
};

const size_t nr_rows = sizeof(rows) / sizeof(*rows);

static bool is_flag(const char *known, const char *flag, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (known[i] != (flag[i] == '_' ? '-' : flag[i]))
			return false;
	return true;
}

const struct row *row_by_flag(const char *flag, size_t len)
{
	for (size_t i = 0; i < nr_rows; i++)
		if (rows[i].flag && strlen(rows[i].flag) == len &&
		    is_flag(rows[i].flag, flag, len))
			return &rows[i];
	return NULL;
}

const struct row *row_by_field(const char *field)
{
	for (size_t i = 0; i < nr_rows; i++)
		if (rows[i].field && !strcmp(rows[i].field, field))
			return &rows[i];
	return NULL;
}

const struct row *row_by_use(enum row_use use)
{
	for (size_t i = 0; i < nr_rows; i++)
		if (rows[i].use == use)
			return &rows[i];
	return NULL;
}

bool row_is_group(const char *field)
{
	size_t len = strlen(field);

	for (size_t i = 0; i < nr_rows; i++)
		if (rows[i].field && !strncmp(rows[i].field, field, len) &&
		    rows[i].field[len] == '.')
			return true;
	return false;
}

/* What strconv.ParseBool takes, as true or false. */
static bool check_bool(char *value)
{
	static const char *const names[][6] = {
		{ "0", "f", "F", "false", "FALSE", "False" },
		{ "1", "t", "T", "true", "TRUE", "True" },
	};

	for (int is_true = 0; is_true < 2; is_true++)
		for (int i = 0; i < 6; i++)
			if (!strcmp(value, names[is_true][i])) {
				/* "1" and "t" have room: see told_set() */
				strcpy(value, names[is_true][3]);
				return true;
			}
	return false;
}

static bool check_number(const struct row *r, const char *value)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	return !errno && *value && !*end && !isspace((unsigned char)*value) &&
	       number >= r->least && number <= r->most;
}

static bool check_float(const char *value)
{
	char *end;

	strtod(value, &end);
	return *value && !*end && !isspace((unsigned char)*value);
}

static bool check_addr_port(const char *value)
{
	struct addr a;
	int port;

	return !*value || endpoint_parse(value, &a, &port);
}

/* Words "name=value" between commas; is_bool: values are true or false. */
static bool check_pairs(const char *value, bool is_bool)
{
	while (*value) {
		size_t len = strcspn(value, ",");
		const char *sign = memchr(value, '=', len);
		size_t rest = sign ? value + len - sign - 1 : 0;

		if (!sign || sign == value || !rest)
			return false;
		if (is_bool && !(rest == 4 && !strncasecmp(sign + 1, "true", 4)) &&
		    !(rest == 5 && !strncasecmp(sign + 1, "false", 5)))
			return false;
		value += len + (value[len] == ',');
	}
	return true;
}

static bool check_choice(const struct row *r, const char *value)
{
	for (const char *const *known = r->choices; *known; known++)
		if (!strcmp(*known, value))
			return true;
	return !*value;
}

static const char *number_range(const struct row *r)
{
	static const struct { __s64 most; const char *text; } known[] = {
		{ 31, "a number from 0 to 31" },
		{ 1000, "a number from -1000 to 1000" },
		{ 65535, "a number from 0 to 65535" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].most == r->most)
			return known[i].text;
	return "a number from 0 to 2147483647";
}

static const char *choices_text(const struct row *r)
{
	if (r->choices == modes)
		return "iptables, ipvs or nftables";
	if (r->choices == formats)
		return "text or json";
	return "ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix";
}

bool row_check(const struct row *r, char *value, const char **ret_why)
{
	struct addr a;
	__s64 ms;

	switch (r->kind) {
	case ROW_TEXT:
	case ROW_LIST:
		return true;
	case ROW_BOOL:
		*ret_why = "true or false";
		return check_bool(value);
	case ROW_NUMBER:
		*ret_why = number_range(r);
		return check_number(r, value);
	case ROW_FLOAT:
		*ret_why = "a number";
		return check_float(value);
	case ROW_DURATION:
		*ret_why = "a duration such as \"30s\" or \"1h30m\"";
		return row_duration(value, &ms);
	case ROW_ADDR:
		*ret_why = "an IPv4 or IPv6 address";
		return addr_parse(value, &a);
	case ROW_ADDR_PORT:
		*ret_why = "an address and port such as \"0.0.0.0:10256\" or \"[::]:10256\"";
		return check_addr_port(value);
	case ROW_GATES:
		*ret_why = "a list such as \"Name=true,Other=false\"";
		return check_pairs(value, true);
	case ROW_LEVELS:
		*ret_why = "a list such as \"pattern=2\"";
		return check_pairs(value, false);
	case ROW_CHOICE:
		*ret_why = choices_text(r);
		return check_choice(r, value);
	}
	return false;
}

/* One "1.5h" at *text, which is moved on, in nanoseconds. */
static bool duration_part(const char **text, long double *ret)
{
	static const struct { const char *name; long double ns; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 }, { "μs", 1e3 },
		{ "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
	};
	size_t digits = strspn(*text, "0123456789.");
	const char *name = *text + digits;
	size_t len = strcspn(name, "0123456789.");
	char *end;

	if (!digits || digits > 30 || !strcmp(*text, "."))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) != len ||
		    memcmp(units[i].name, name, len))
			continue;
		*ret += strtold(*text, &end) * units[i].ns;
		*text = name + len;
		return end == name;
	}
	return false;
}

bool row_duration(const char *text, __s64 *ret_ms)
{
	long double ns = 0;

	text += *text == '+';
	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text)
		if (!duration_part(&text, &ns))
			return false;
	if (ns >= 9223372036854775808.0L) /* as of time.Duration */
		return false;
	*ret_ms = (ns + 999999) / 1000000;
	return true;
}

bool row_says_nothing(const struct row *r, const char *value)
{
	const char *by_default = r->by_default ?: "";
	__s64 ms, default_ms;

	if (!*value || !strcmp(value, by_default))
		return true;
	if (r->kind == ROW_DURATION && row_duration(value, &ms) &&
	    row_duration(by_default, &default_ms))
		return !ms || ms == default_ms;
	return !strcmp(value, "0") ||
	       (!strcmp(value, "false") && strcmp(by_default, "true"));
}
