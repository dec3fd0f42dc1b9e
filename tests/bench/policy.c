// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What network policy costs by itself: nanoseconds per packet of fl_pod_in and
 * fl_pod_out, between two pods of this node, by BPF_PROG_TEST_RUN on one CPU;
 * and what it takes to put policies, and a change of them, in force. A line of
 * JSON for each, sorted into tables by policy_report.py.
 *
 *	policy [--quick] POLICIES=DIRECTORY...
 *
 * A directory has the definitions of so many, and of pods, "client" and "web"
 * among them; policy.sh makes them. All are in force side by side, each in
 * tables of its own, and are measured in turn with one where nobody is policed.
 * The last one is changed: its files one.yaml and edited.yaml change places
 * with those in DIRECTORY.other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bytes.h"
#include "confirm.h"
#include "definitions/definitions.h"
#include "kernel/dp.h"
#include "model/conns.h"
#include "numbers.h"
#include "pkt.h"
#include "policy/policy.h"
#include "policy.skel.h"
#include "policy_bench.h"

#define TCX_NEXT (-1)
#define PORT 8080
#define FORBIDDEN 8081
#define NODES_MAX 8
#define CHANGES 10		/* even: in the end all is as it was */
#define HOT_REPEAT 100000
#define AT_ONCE 256
#define STEP 12345		/* another order than they were opened in */
#define TCP_SYN 0x02
#define TCP_ACK 0x10

enum traffic { NEW, MANY, HOT };

static const char *const traffic_names[] = { "new", "many", "hot" };

/* One with its own tables. */
struct node {
	const char *policies;	/* how many; "none": nobody is policed */
	const char *path;
	struct definitions *definitions;
	struct model *model;
	struct dp *dp;
	struct policy_state *state;
	struct policy_bpf *skel;
	struct policy_bench *bench;
};

static struct node nodes[NODES_MAX];
static int nr_nodes;
static __u32 client_link, web_link;
static int rounds;

/* --- nodes --- */

static double wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct policy_set *node_read(struct node *n)
{
	struct model *m = NULL;
	bool changed;
	int err = definitions_reload(n->definitions, &m, stderr, &changed);

	if (err)
		die(n->path, err);
	model_free(n->model);
	n->model = m;
	return m->policy;
}

static void node_apply(struct node *n, struct policy_set *set)
{
	char text[POLICY_TEXT_MAX] = "";
	struct policy_result result;
	int err = policy_apply(n->state, set, dp_now_s(), &result, text);

	if (err)
		die(*text ? text : "policies", err);
}

static void node_place(struct node *n, const char *name, __u32 link)
{
	int err = policy_place(n->state, "default", name, link, NULL, false,
			       dp_now_s());

	if (err)
		die(name, err);
}

static struct addr host_addr(void)
{
	return addr("10.244.1.254");
}

static void node_police(struct node *n)
{
	const struct given given = { "hostname-override", "node-1", NULL };
	const struct definitions_from from = {
		.path = n->path, .given = &given, .nr_given = 1,
		.may_lack_services = true,
	};
	const struct addr host = host_addr();
	char text[POLICY_TEXT_MAX] = "";
	int err = definitions_open(&from, &n->definitions);

	if (!err)
		err = policy_new(dp_tables(n->dp), dp_now_s(), &n->state);
	if (!err)
		err = policy_set_host(n->state, &host, 1, dp_now_s(), text);
	if (err)
		die(n->path, err);
	node_apply(n, node_read(n));
	node_place(n, "client", client_link);
	node_place(n, "web", web_link);
}

static void program_put(struct node *n, __u32 place, int fd)
{
	if (bpf_map_update_elem(bpf_map__fd(n->skel->maps.policy_bench_to),
				&place, &fd, BPF_ANY))
		die("program", -errno);
}

static void node_programs(struct node *n)
{
	n->skel = policy_bpf__open_and_load();
	if (!n->skel)
		die("programs", -errno);
	program_put(n, POLICY_BENCH_NOTHING,
		    bpf_program__fd(n->skel->progs.bench_nothing));
	program_put(n, POLICY_BENCH_IN, dp_program_fd(n->dp, "fl_pod_in"));
	program_put(n, POLICY_BENCH_OUT, dp_program_fd(n->dp, "fl_pod_out"));
	n->bench = mmap(NULL, sizeof(*n->bench), PROT_READ | PROT_WRITE,
			MAP_SHARED, bpf_map__fd(n->skel->maps.policy_bench), 0);
	if (n->bench == MAP_FAILED)
		die("memory", -errno);
}

static void node_open(struct node *n)
{
	const struct dp_opts opts = {
		.unpinned = true, .has_hash_key = true,
		.hash_key = { 0x9e3779b9, 0x7f4a7c15, 0xbf58476d, 0x1ce4e5b9,
			      0x94d049bb, 0x133111eb, 1, 2, 3, 4, 5, 6, 7, 8,
			      9, 10 },
	};
	int err = dp_open(&opts, &n->dp);

	if (err)
		die("datapath", err);
	node_programs(n);
	if (n->path)
		node_police(n);
}

static void node_close(struct node *n)
{
	policy_free(n->state);
	definitions_close(n->definitions);
	model_free(n->model);
	policy_bpf__destroy(n->skel);
	dp_close(n->dp);
}

/* --- packets --- */

struct packet_words {
	__u8 data[128];
	__u32 len;
};

/* From client to web. */
static struct packet_words packet(bool v6, __u16 port, __u8 flags)
{
	const int l4 = 14 + (v6 ? 40 : 20);
	const struct addr src = addr(v6 ? "fd44:1::2" : "10.244.1.2");
	const struct addr dst = addr(v6 ? "fd44:1::3" : "10.244.1.3");
	struct packet_words p = { .len = l4 + 20 };
	__u8 *ip = p.data + 14;

	memcpy(p.data, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	put16(p.data + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		memcpy(ip, "\x60\0\0\0\0\x14\x06\x40", 8);
		memcpy(ip + 8, &src, 16);
		memcpy(ip + 24, &dst, 16);
	} else {
		memcpy(ip, "\x45\0\0\x28\0\0\0\0\x40\x06\0\0", 12);
		memcpy(ip + 12, &src.word[3], 4);
		memcpy(ip + 16, &dst.word[3], 4);
	}
	put16(p.data + l4, POLICY_FLOWS);
	put16(p.data + l4 + 2, port);
	p.data[l4 + 12] = 5 << 4;
	p.data[l4 + 13] = flags;
	return p;
}

/* Verdict; *ret: ns per repetition. */
static int run(const struct bpf_program *program, bool is_out,
	       const struct packet_words *p, __u32 repeat, double *ret)
{
	struct __sk_buff skb = {
		.ifindex = is_out ? web_link : client_link,
		.ingress_ifindex = client_link,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data,
		    .data_size_in = p->len, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .repeat = repeat);
	double start = cpu_ns();

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		die("test run", -errno);
	*ret = (cpu_ns() - start) / repeat;
	return opts.retval;
}

static void expect(int verdict, int expected, const struct node *n,
		   const char *what)
{
	if (verdict == expected)
		return;
	fprintf(stderr, "bench: with %s policies, %s: verdict %d\n",
		n->policies, what, verdict);
	exit(1);
}

/* What is measured is what it is said to be. */
static void node_check(struct node *n, bool v6)
{
	const bool has_policies = n->path && strcmp(n->policies, "0");
	struct packet_words p = packet(v6, FORBIDDEN, TCP_SYN);
	int forbidden = has_policies ? TC_ACT_SHOT : TCX_NEXT;
	double ns;

	*n->bench = (struct policy_bench){ .v6 = v6, .step = 1 };
	expect(run(n->skel->progs.bench_in, false, &p, 1, &ns), forbidden, n,
	       "to a forbidden port");
	expect(run(n->skel->progs.bench_out, true, &p, 1, &ns), forbidden, n,
	       "from who may not");
}

/* --- what a packet costs --- */

/* Of each hook, the loop's own time taken off. */
struct cost {
	double in[ROUNDS_MAX], out[ROUNDS_MAX], both[ROUNDS_MAX];
};

/* The next so many packets of n. */
static double run_next(struct node *n, const struct bpf_program *program,
		       bool is_out, const struct packet_words *p, __u32 next,
		       __u32 count)
{
	double ns;

	n->bench->next = next;
	expect(run(program, is_out, p, count, &ns), TCX_NEXT, n,
	       "what is allowed");
	return ns;
}

/* A packet comes to the second hook a few microseconds after the first, so both
 * take turns at packets that are few enough for a cache. */
static void cost_take(struct node *n, struct cost *c, int round,
		      enum traffic traffic, bool v6)
{
	const struct packet_words p = packet(v6, PORT, traffic == NEW ?
					     TCP_SYN : TCP_ACK);
	const __u32 each = traffic == HOT ? HOT_REPEAT : AT_ONCE;
	const __u32 turns = traffic == HOT ? 1 : POLICY_FLOWS / AT_ONCE;
	double empty = 0, in = 0, out = 0;

	*n->bench = (struct policy_bench){
		.v6 = v6, .step = traffic == NEW ? 1 : STEP,
		.mask = traffic == HOT ? 0 : POLICY_FLOWS - 1,
	};
	for (__u32 i = 0; i < turns; i++) {
		empty += run_next(n, n->skel->progs.bench_empty, false, &p,
				  i * each, each);
		in += run_next(n, n->skel->progs.bench_in, false, &p, i * each,
			       each);
		out += run_next(n, n->skel->progs.bench_out, true, &p,
				i * each, each);
	}
	c->in[round] = (in - empty) / turns;
	c->out[round] = (out - empty) / turns;
	c->both[round] = c->in[round] + c->out[round];
}

static void forget(struct node *n)
{
	int err = conns_clear(dp_tables(n->dp));

	if (err)
		die("table of connections", err);
}

/* All but a few, whose bucket was full. */
static void confirm(struct node *n)
{
	struct conns_usage usage;
	int err = conns_usage(dp_tables(n->dp), &usage);

	if (!err && !conns_confirm(dp_tables(n->dp)))
		err = -ENOMEM;
	if (err)
		die("table of connections", err);
	if (n->path && strcmp(n->policies, "0") &&
	    usage.half + usage.live < POLICY_FLOWS - POLICY_FLOWS / 50) {
		fprintf(stderr, "bench: %llu of %u connections are known\n",
			(unsigned long long)(usage.half + usage.live),
			POLICY_FLOWS);
		exit(1);
	}
}

static void cost_take_known(struct node *n, struct cost *c, int round,
			    enum traffic traffic, bool v6)
{
	if (traffic == NEW)
		forget(n);
	cost_take(n, c, round, traffic, v6);
	if (traffic == NEW)
		confirm(n);
}

static void cost_print(const struct node *n, const struct cost *c,
		       enum traffic traffic, bool v6)
{
	printf("{\"section\":\"programs\",\"policies\":\"%s\",\"family\":%d,"
	       "\"traffic\":\"%s\"", n->policies, v6 ? 6 : 4,
	       traffic_names[traffic]);
	numbers_print("in", numbers_of(c->in, rounds));
	numbers_print("out", numbers_of(c->out, rounds));
	numbers_print("both", numbers_of(c->both, rounds));
	printf("}\n");
	fflush(stdout);
}

/* In each round another one first. New ones come before those are known. */
static void costs(bool v6)
{
	static struct cost all[NODES_MAX];

	for (enum traffic traffic = NEW; traffic <= HOT; traffic++) {
		for (int round = 0; round < rounds; round++)
			for (int i = 0; i < nr_nodes; i++) {
				const int which = (round + i) % nr_nodes;

				cost_take_known(&nodes[which], &all[which],
						round, traffic, v6);
			}
		for (int i = 0; i < nr_nodes; i++)
			cost_print(&nodes[i], &all[i], traffic, v6);
	}
}

/* --- what a change costs --- */

struct times {
	double wall_ms[ROUNDS_MAX], cpu_ms[ROUNDS_MAX];
	int count;
};

static void times_begin(struct times *t)
{
	t->wall_ms[t->count] = -wall_ns() / 1e6;
	t->cpu_ms[t->count] = -cpu_ns() / 1e6;
}

static void times_end(struct times *t)
{
	t->wall_ms[t->count] += wall_ns() / 1e6;
	t->cpu_ms[t->count] += cpu_ns() / 1e6;
	t->count++;
}

static void times_print(const struct node *n, const char *what,
			const struct times *t)
{
	printf("{\"section\":\"changes\",\"policies\":\"%s\",\"pods\":%zu,"
	       "\"what\":\"%s\"", n->policies, n->model->policy->nr_workloads,
	       what);
	numbers_print("ms", numbers_of(t->wall_ms, t->count));
	numbers_print("cpu_ms", numbers_of(t->cpu_ms, t->count));
	printf("}\n");
}

static void change_compile(struct node *n)
{
	const struct addr host = host_addr();
	char text[POLICY_TEXT_MAX] = "";
	struct policy_compiled *c = NULL;
	struct times t = {};
	int err;

	while (t.count < CHANGES) {
		times_begin(&t);
		err = policy_compile(n->model->policy, &host, 1, POLICY_HERE,
				     &c, text);
		times_end(&t);
		if (err)
			die(text, err);
		policy_compiled_free(c);
	}
	times_print(n, "compile", &t);
}

/* Withdrawn before each. */
static void change_all(struct node *n)
{
	struct times t = {};

	while (t.count < CHANGES) {
		node_apply(n, NULL);
		times_begin(&t);
		node_apply(n, n->model->policy);
		times_end(&t);
	}
	times_print(n, "all", &t);
}

/* file: it changes places with the other of its name. */
static void change_file(struct node *n, const char *what, const char *file)
{
	struct policy_set *set;
	char here[256], other[256];
	struct times t = {};

	snprintf(here, sizeof(here), "%s/%s", n->path, file);
	snprintf(other, sizeof(other), "%s.other/%s", n->path, file);
	while (t.count < CHANGES) {
		if (renameat2(AT_FDCWD, here, AT_FDCWD, other, RENAME_EXCHANGE))
			die(here, -errno);
		set = node_read(n);
		times_begin(&t);
		node_apply(n, set);
		times_end(&t);
	}
	times_print(n, what, &t);
}

/* The tables that policy alone has. */
static void memory_print(struct node *n)
{
	static const char *const names[] = {
		"workloads", "workload_cells", "workload_infos", "port_classes",
		"peers", "peer_prefixes", "targets", "peer_masks", "port_masks",
		"policy_hits", "workload_limits", "events",
	};
	struct dp_map maps[DP_MAPS_MAX];
	__u64 bytes = 0;
	int count = dp_maps(n->dp, maps);

	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
			if (!strcmp(maps[i].name, names[j]))
				bytes += maps[i].bytes;
	printf("{\"section\":\"memory\",\"policies\":\"%s\",\"pods\":%zu,"
	       "\"bytes\":%llu}\n", n->policies,
	       n->model->policy->nr_workloads, (unsigned long long)bytes);
}

static void changes(struct node *n)
{
	memory_print(n);
	change_compile(n);
	change_all(n);
	change_file(n, "pod", "one.yaml");
	change_file(n, "policy", "edited.yaml");
}

/* --- */

static void links_make(void)
{
	if (unshare(CLONE_NEWNET))
		die("network namespace (needs root)", -errno);
	if (system("ip link add client type veth peer name web"))
		die("ip link add", -EIO);
	client_link = if_nametoindex("client");
	web_link = if_nametoindex("web");
	if (!client_link || !web_link)
		die("veth", -errno);
}

static bool node_add(char *word)
{
	char *path = strchr(word, '=');

	if (!path || nr_nodes == NODES_MAX)
		return false;
	*path++ = '\0';
	nodes[nr_nodes++] = (struct node){ .policies = word, .path = path };
	return true;
}

static bool read_args(int argc, char **argv, bool *quick)
{
	*quick = argc > 1 && !strcmp(argv[1], "--quick");
	nodes[nr_nodes++] = (struct node){ .policies = "none" };
	for (int i = 1 + *quick; i < argc; i++)
		if (!node_add(argv[i]))
			return false;
	return nr_nodes > 1;
}

int main(int argc, char **argv)
{
	bool quick;

	if (!read_args(argc, argv, &quick)) {
		fputs("usage: policy [--quick] POLICIES=DIRECTORY...\n",
		      stderr);
		return 2;
	}
	rounds = quick ? 5 : 15;
	stay_on_this_cpu();
	links_make();
	for (int i = 0; i < nr_nodes; i++)
		node_open(&nodes[i]);
	for (int v6 = 0; v6 <= !quick; v6++) {
		for (int i = 0; i < nr_nodes; i++)
			node_check(&nodes[i], v6);
		costs(v6);
	}
	changes(&nodes[nr_nodes - 1]);
	for (int i = 0; i < nr_nodes; i++)
		node_close(&nodes[i]);
	return 0;
}
