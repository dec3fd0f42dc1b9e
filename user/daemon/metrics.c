// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See metrics.h. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/version.h"
#include "checking.h"
#include "definitions/definitions.h"
#include "kubernetes/cluster.h"
#include "enforcing.h"
#include "metrics.h"
#include "metrics_services.h"
#include "model/policy_text.h"
#include "model/reason.h"
#include "policy_answers.h"

#define USAGE_MS 5000		/* so old may it be */

static void family(FILE *out, const char *name, const char *type,
		   const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
	family(out, name, "gauge", help);
	fprintf(out, "%s %.17g\n", name, value);
}

static void counter(FILE *out, const char *name, const char *help, __u64 value)
{
	family(out, name, "counter", help);
	fprintf(out, "%s %llu\n", name, value);
}

/* One write serves both families: what kube-proxy has of each is the same. */
static const char *const families[] = { "IPv4", "IPv6" };

#define EACH_FAMILY(f) \
	for (const char *const *f = families; f < families + 2; f++)

static void gauge_of_each(FILE *out, const char *name, const char *help,
			  double value)
{
	family(out, name, "gauge", help);
	EACH_FAMILY(f)
		fprintf(out, "%s{ip_family=\"%s\"} %.17g\n", name, *f, value);
}

/* label: "" or what stands in braces. */
static void series(FILE *out, const char *name, const char *label,
		   const struct histogram *h)
{
	const char *comma = *label ? "," : "";
	char braces[64] = "";
	__u64 sum = 0;

	if (*label)
		snprintf(braces, sizeof(braces), "{%s}", label);
	for (size_t i = 0; i < h->nr_bounds; i++) {
		sum += h->counts[i];
		fprintf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, label,
			comma, h->bounds[i], sum);
	}
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n"
		"%s_sum%s %.17g\n%s_count%s %llu\n",
		name, label, comma, h->count, name, braces, h->sum, name,
		braces, h->count);
}

static void histogram(FILE *out, const char *name, const char *help,
		      const struct histogram *h)
{
	char label[32];

	family(out, name, "histogram", help);
	EACH_FAMILY(f) {
		snprintf(label, sizeof(label), "ip_family=\"%s\"", *f);
		series(out, name, label, h);
	}
}

/* Services with a policy Local of this kind that have endpoints, but none
 * here: their packets are dropped. */
static __u64 count_no_local(const struct model *m, bool is_internal)
{
	__u64 count = 0;

	for (size_t i = 0; i < m->nr_services; i++) {
		const struct model_service *s = m->services[i];
		bool is_so = false, has_local = false;

		for (size_t j = 0; j < s->nr_fronts && !is_so; j++)
			is_so = s->fronts[j].flags & SERVICE_EMPTY_DROPS &&
				(s->fronts[j].kind == KIND_CLUSTER_IP) ==
					is_internal;
		for (size_t j = 0; is_so && j < s->nr_backends; j++)
			has_local |= s->backends[j].flags & BACKEND_IN_LOCAL;
		count += is_so && !has_local;
	}
	return count;
}

static void changes(FILE *out, const char *what, const char *kind, __u64 all,
		    __u64 done, bool of_families)
{
	char name[96], help[96];

	snprintf(name, sizeof(name),
		 "kubeproxy_sync_proxy_rules_%s_changes_total", what);
	snprintf(help, sizeof(help), "Changes of %s seen.", kind);
	family(out, name, "counter", help);
	EACH_FAMILY(f) {
		if (of_families)
			fprintf(out, "%s{ip_family=\"%s\"} %llu\n", name, *f,
				all);
		else if (f == families)
			fprintf(out, "%s %llu\n", name, all);
	}
	snprintf(name, sizeof(name),
		 "kubeproxy_sync_proxy_rules_%s_changes_pending", what);
	snprintf(help, sizeof(help), "Changes of %s not in force yet.", kind);
	gauge_of_each(out, name, help, all - done);
}

/* By kube-proxy's name; but what it calls a gauge is named as counters are. */
static void no_local(FILE *out, const struct model *m)
{
	const char *name =
		"kubeproxy_sync_proxy_rules_no_local_endpoints_total";

	family(out, name, "untyped",
	       "Service ports with a policy Local and endpoints, but none here.");
	fprintf(out, "%s{traffic_policy=\"internal\"} %llu\n"
		"%s{traffic_policy=\"external\"} %llu\n",
		name, m ? count_no_local(m, true) : 0, name,
		m ? count_no_local(m, false) : 0);
}

static void kube_proxy(FILE *out, const struct metrics *m,
		       const struct kube_news *n)
{
	const struct sync *s = m->sync;

	histogram(out, "kubeproxy_sync_proxy_rules_duration_seconds",
		  "How long it took to put a change in force.", &s->durations);
	histogram(out, "kubeproxy_network_programming_duration_seconds",
		  "From a change of endpoints to its being in force.",
		  &s->latencies);
	gauge_of_each(out, "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
		      "When a change was last in force.", s->updated_us / 1e6);
	gauge_of_each(out,
		      "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
		      "When a change was last seen.", s->queued_us / 1e6);
	changes(out, "service", "Services", n->changes[KUBE_SERVICE],
		s->changes_done[KUBE_SERVICE], false);
	changes(out, "endpoint", "EndpointSlices", n->changes[KUBE_SLICE],
		s->changes_done[KUBE_SLICE], true);
	no_local(out, m->applying->model);
}

static void packets(FILE *out, const struct metrics *m)
{
	struct counter counters[NR_REASONS];

	if (dp_counters(m->parts->dp, counters))
		return;
	family(out, "fairlead_packets_total", "counter",
	       "Packets by what became of them, and why.");
	for (int i = 0; i < NR_REASONS; i++)
		fprintf(out, "fairlead_packets_total{reason=\"%s\",verdict=\"%s\"} %llu\n",
			reason_texts[i].name, reason_texts[i].verdict,
			counters[i].packets);
	family(out, "fairlead_bytes_total", "counter",
	       "Bytes of these packets.");
	for (int i = 0; i < NR_REASONS; i++)
		fprintf(out, "fairlead_bytes_total{reason=\"%s\",verdict=\"%s\"} %llu\n",
			reason_texts[i].name, reason_texts[i].verdict,
			counters[i].bytes);
}

/* Text as the value of a label. */
static void label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
	fputc('"', out);
}

static void decisions(FILE *out, const struct model_policy *p,
		      const char *verdict, __u64 value)
{
	fputs("fairlead_policy_decisions_total{", out);
	label(out, "namespace", p->namespace);
	label(out, ",policy", p->name);
	fprintf(out, ",tier=\"%s\",verdict=\"%s\"} %llu\n",
		policy_tier_name(p->tier), verdict, value);
}

static void policy(void *out, const struct policy_tally *t)
{
	decisions(out, t->policy, "allowed", t->allowed);
	decisions(out, t->policy, "denied", t->denied);
}

static void policies(FILE *out, const struct enforcing *e)
{
	family(out, "fairlead_policy_decisions_total", "counter",
	       "New connections that a network policy decided about.");
	policy_tallies(e->set, e->state, policy, out);
}

const struct conns_usage *metrics_usage(struct metrics *m)
{
	if (m->usage_ms && clock_ms() - m->usage_ms < USAGE_MS)
		return &m->usage;
	if (conns_usage(parts_tables(m->parts), &m->usage))
		return NULL;
	m->usage_ms = clock_ms();
	return &m->usage;
}

static void route(void *out, const char *prefix, bool is_announced)
{
	fprintf(out, "fairlead_route_announced{address=\"%s\"} %d\n", prefix,
		is_announced);
}

static void routes(FILE *out, const struct announcing *a)
{
	family(out, "fairlead_route_announced", "gauge",
	       "Whether a route announces that this node serves an address.");
	announcing_each(a, route, out);
}

static void connections(FILE *out, struct metrics *m)
{
	struct tables *t = parts_tables(m->parts);
	const struct conns_usage *u = metrics_usage(m);
	struct conn_stats stats;

	if (!u)
		return;
	family(out, "fairlead_connections", "gauge",
	       "Connections that are kept in memory.");
	fprintf(out,
		"fairlead_connections{state=\"live\"} %llu\n"
		"fairlead_connections{state=\"half_open\"} %llu\n"
		"fairlead_connections{state=\"closing\"} %llu\n",
		u->live, u->half, u->closing);
	gauge(out, "fairlead_connections_max",
	      "Connections that the table was made for.",
	      conns_for(t->conn_buckets));
	if (!dp_conn_stats(m->parts->dp, &stats))
		counter(out, "fairlead_connections_evicted_total",
			"Half-open or closing ones that made room for others.",
			stats.evicted);
}

static void backends(FILE *out, const struct tables *t)
{
	__u64 states[BACKEND_GONE + 1] = {};

	for (__u32 i = 1; i < t->nr_backends; i++)
		if (t->backends[i].state <= BACKEND_GONE)
			states[t->backends[i].state]++;
	family(out, "fairlead_backends", "gauge", "Backends of services.");
	for (int i = BACKEND_FREE + 1; i <= BACKEND_GONE; i++)
		fprintf(out, "fairlead_backends{state=\"%s\"} %llu\n",
			backend_state_name(i), states[i]);
}

/* One line of each backend that is checked; names are letters, digits and a
 * few signs (value_name()), none of them to be escaped. */
static void each_checked(FILE *out, const struct checking *c, const char *name,
			 __u64 (*value)(const struct checked_backend *b))
{
	char text[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < c->nr_services; i++) {
		const struct checked_service *s = &c->services[i];

		for (size_t j = 0; j < s->nr_backends; j++)
			fprintf(out, "%s{service=\"%s\",backend=\"%s\"} %llu\n",
				name, s->name,
				endpoint_format(&s->backends[j].addr,
						s->backends[j].port ?: -1,
						text),
				value(&s->backends[j]));
	}
}

static __u64 is_up(const struct checked_backend *b)
{
	return b->verdict == CHECK_UP;
}

static __u64 changes_of(const struct checked_backend *b)
{
	return b->changes;
}

static void checks(FILE *out, const struct checking *c)
{
	static const char *const names[] = {
		[PROBE_PASS] = "pass", [PROBE_FAIL] = "fail",
		[PROBE_NO_RESULT] = "no_result",
	};

	if (!c->nr_services)
		return;
	family(out, "fairlead_backend_up", "gauge",
	       "Have checks found it up? Neither is what is not known yet.");
	each_checked(out, c, "fairlead_backend_up", is_up);
	family(out, "fairlead_backend_state_changes_total", "counter",
	       "Verdicts of checks that were others than before.");
	each_checked(out, c, "fairlead_backend_state_changes_total",
		     changes_of);
	family(out, "fairlead_checks_total", "counter",
	       "Checks that were made.");
	for (int i = 0; i <= PROBE_NO_RESULT; i++)
		fprintf(out, "fairlead_checks_total{result=\"%s\"} %llu\n",
			names[i], c->results[i]);
}

/* Names of maps, by struct policy_usage. */
#define POLICY_MAPS(X)							\
	X(workloads, workloads)						\
	X(targets, targets)						\
	X(peers, peers)							\
	X(peer_prefixes, prefixes)					\
	X(peer_masks, peer_masks)					\
	X(port_masks, port_masks)

static void policy_entries(FILE *out, const struct enforcing *e)
{
	struct policy_usage used;

	if (!e->state)
		return;
	policy_usage(e->state, &used);
#define X(name, field) \
	fprintf(out, "fairlead_map_entries{map=\"%s\"} %u\n", #name, \
		used.field);
	POLICY_MAPS(X)
#undef X
}

static void policy_room(FILE *out)
{
#define X(name, field) \
	fprintf(out, "fairlead_map_entries_max{map=\"%s\"} %u\n", #name, \
		policy_usage_max.field);
	POLICY_MAPS(X)
#undef X
}

static void maps(FILE *out, const struct metrics *m)
{
	const struct tables *t = parts_tables(m->parts);
	struct table_sizes used = {};

	state_usage(m->parts->state, &used);
	family(out, "fairlead_map_entries", "gauge",
	       "Entries of a table that are used.");
#define X(name, field, by_default) \
	if (used.name) \
		fprintf(out, "fairlead_map_entries{map=\"%s\"} %u\n", #name, \
			used.name);
	TABLE_SIZES(X)
#undef X
	policy_entries(out, m->enforcing);
	family(out, "fairlead_map_entries_max", "gauge",
	       "Entries that a table has room for; most of them grow.");
#define X(name, field, by_default) \
	fprintf(out, "fairlead_map_entries_max{map=\"%s\"} %u\n", #name, \
		t->field);
	TABLE_SIZES(X)
#undef X
	policy_room(out);
}

static void definitions(FILE *out, const struct metrics *m)
{
	const struct applied *a = parts_tables(m->parts)->applied;

	gauge(out, "fairlead_services", "Services that are in force.",
	      state_services(m->parts->state, NULL, 0));
	gauge(out, "fairlead_config_generation",
	      "Grows with each change that is put in force.", a->generation);
	gauge(out, "fairlead_config_last_reload_successful",
	      "0: something is wanted that is not in force.",
	      !m->sync->waits_since_ms);
	gauge(out, "fairlead_config_last_reload_success_timestamp_seconds",
	      "When what is wanted last came into force.",
	      m->sync->updated_us / 1e6);
	gauge(out, "fairlead_config_refused",
	      "Definitions with mistakes that are left out.",
	      m->loading->nr_refused);
	counter(out, "fairlead_config_failures_total",
		"Times that what is wanted could not be put in force.",
		m->sync->tries_failed);
	family(out, "fairlead_reconcile_duration_seconds", "histogram",
	       "How long it took to put a change in force.");
	series(out, "fairlead_reconcile_duration_seconds", "",
	       &m->sync->durations);
}

static void api(FILE *out, const struct api *a)
{
	family(out, "fairlead_kubernetes_following", "gauge",
	       "1: objects of this kind are followed at the API server.");
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		if (api_follows(a, i))
			fprintf(out, "fairlead_kubernetes_following{kind=\"%s\"} %d\n",
				api_kind_name(i),
				api_state(a, i)->state == API_FOLLOWING);
}

static void containers(FILE *out, const struct containers *c)
{
	gauge(out, "fairlead_docker_following",
	      "1: containers are followed at the engine's socket.",
	      containers_state(c)->state == API_FOLLOWING);
	gauge(out, "fairlead_docker_containers",
	      "Containers that run, as the engine says.", containers_count(c));
}

/* "127.0.0.1:6443" of a URL. */
#define HOST_TEXT_MAX 300
static const char *host_text(const char *url, char ret[static HOST_TEXT_MAX])
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host ? host + strlen("://") : url;
	len = strcspn(host, "/\"\\\n");
	snprintf(ret, HOST_TEXT_MAX, "%.*s", (int)len, host);
	return ret;
}

/* As client-go, which kube-proxy has them from, names and counts them. */
static void requests(FILE *out, const struct api *a)
{
	static const char *const methods[NR_HTTP_METHODS] = {
		[HTTP_GET] = "GET", [HTTP_POST] = "POST",
	};
	const struct remote_requests *r = api_requests(a);
	char host[HOST_TEXT_MAX], code[16];

	family(out, "rest_client_requests_total", "counter",
	       "Number of HTTP requests, partitioned by status code, method, and host.");
	host_text(api_server(a), host);
	for (int i = 0; r && i < NR_HTTP_METHODS; i++)
		for (int status = 0; status <= REMOTE_STATUS_MAX; status++) {
			if (!r->count[i][status])
				continue;
			snprintf(code, sizeof(code), "%d", status);
			fprintf(out, "rest_client_requests_total{code=\"%s\",host=\"%s\",method=\"%s\"} %llu\n",
				status ? code : "<error>", host, methods[i],
				r->count[i][status]);
		}
}

static unsigned int count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count > 3 ? count - 3 : 0;	/* ".", "..", itself */
}

/* Of serve, by the names that Prometheus' libraries have. */
static void process(FILE *out, const struct metrics *m)
{
	unsigned long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	struct rlimit files = {};
	struct rusage r = {};

	if (f && fscanf(f, "%lu %lu", &pages, &resident) != 2)
		pages = resident = 0;
	if (f)
		fclose(f);
	getrusage(RUSAGE_SELF, &r);
	getrlimit(RLIMIT_NOFILE, &files);
	family(out, "process_cpu_seconds_total", "counter",
	       "Total user and system CPU time spent in seconds.");
	fprintf(out, "process_cpu_seconds_total %.6f\n",
		r.ru_utime.tv_sec + r.ru_stime.tv_sec +
			(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
	gauge(out, "process_start_time_seconds",
	      "Start time of the process since unix epoch in seconds.",
	      m->sync->since_us / 1e6);
	gauge(out, "process_virtual_memory_bytes",
	      "Virtual memory size in bytes.",
	      pages * (double)sysconf(_SC_PAGESIZE));
	gauge(out, "process_resident_memory_bytes",
	      "Resident memory size in bytes.",
	      resident * (double)sysconf(_SC_PAGESIZE));
	gauge(out, "process_open_fds", "Number of open file descriptors.",
	      count_files());
	gauge(out, "process_max_fds",
	      "Maximum number of open file descriptors.", files.rlim_cur);
}

char *metrics_text(struct metrics *m, size_t *ret_len)
{
	const struct kube_news *n = definitions_news(m->loading->files);
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		return NULL;
	family(out, "fairlead_build_info", "gauge", "Always 1.");
	fprintf(out, "fairlead_build_info{version=\"%s\"} 1\n",
		FAIRLEAD_VERSION);
	definitions(out, m);
	backends(out, parts_tables(m->parts));
	metrics_services(out, m->parts);
	checks(out, m->checking);
	connections(out, m);
	packets(out, m);
	policies(out, m->enforcing);
	routes(out, m->announcing);
	maps(out, m);
	if (m->api) {
		api(out, m->api);
		requests(out, m->api);
	}
	if (m->containers)
		containers(out, m->containers);
	if (n && (m->api || model_has_node(m->applying->model)))
		kube_proxy(out, m, n);
	process(out, m);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
