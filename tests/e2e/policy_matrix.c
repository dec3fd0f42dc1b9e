// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who reaches whom, of hosts in network namespaces, against what should be:
 * each pair, both families, TCP, UDP, SCTP where the kernel has it, to two
 * ports, and echoes. What was open before a change is asked again after it: it
 * is cut, or goes on.
 *
 *   policy_matrix --hosts FILE [--expect FILE | --config FILE --apply COMMAND]
 *                 [--sets N] [--seconds N] [--seed N] [--hold]
 *
 * A host is a line: NAME pod|node|outside NETNS ADDR4 ADDR6 here|elsewhere
 * [INTERFACE]; of a pod, NAME is NAMESPACE/NAME. With --expect, lines of that
 * file say what is to be, "allow|deny FROM TO WHAT": patterns, of which the
 * last one that matches counts; else allowed. Without it, sets of policies are
 * made at random and written to --config, --apply is run until they are in
 * force, and the evaluator says what is to be. --hold: goes on asking until
 * SIGTERM comes, which is fine if all was as it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "chance.h"
#include "policy_evaluator.h"
#include "policy_manifest.h"
#include "policy_universe.h"
#include "reach.h"

#define HOSTS_MAX 24
#define RULES_MAX 200
#define PROBES_MAX 12000
#define FINDINGS_MAX 20
#define PATIENCE_MS 20000
#define QUIET_MS 40

struct host {
	struct reach_host reach;
	char name[64], kind[16], place[16], interface[16];
};

struct expectation {
	char verdict[8], from[64], to[64], what[16];
};

static struct {
	const char *config, *apply, *expect;
	unsigned long sets, seconds;
	uint64_t seed;
	bool hold;
} options = { .sets = ~0ul, .seconds = ~0ul };

static struct host hosts[HOSTS_MAX];
static struct reach_host reach_hosts[HOSTS_MAX];
static size_t nr_hosts;
static struct expectation rules[RULES_MAX];
static size_t nr_rules;
static struct universe universe = { .as_api = true };

/* What is asked in a round, and what is left of the one before. */
static struct reach_probe *probes[PROBES_MAX];
static size_t nr_probes;
static unsigned long nr_asked;
static volatile sig_atomic_t stop;

static void die(const char *what)
{
	fprintf(stderr, "policy_matrix: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void on_stop(int signal)
{
	stop = 1;
}

static void read_hosts(const char *path)
{
	char netns[200], addr4[64], addr6[64], line[600];
	FILE *f = fopen(path, "re");

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f) && nr_hosts < HOSTS_MAX) {
		struct host *h = &hosts[nr_hosts];
		int n = sscanf(line, "%63s %15s %199s %63s %63s %15s %15s",
			       h->name, h->kind, netns, addr4, addr6, h->place,
			       h->interface);

		if (n < 6 || !addr_parse(addr4, &h->reach.addr[0]) ||
		    !addr_parse(addr6, &h->reach.addr[1]))
			die(line);
		h->reach.name = h->name;
		h->reach.netns = open(netns, O_RDONLY | O_CLOEXEC);
		if (h->reach.netns < 0)
			die(netns);
		reach_hosts[nr_hosts++] = h->reach;
	}
	fclose(f);
}

static void read_rules(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[300];

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		struct expectation *e = &rules[nr_rules];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%7s %63s %63s %15s", e->verdict, e->from,
			   e->to, e->what) != 4 || ++nr_rules == RULES_MAX)
			die(line);
	}
	fclose(f);
}

/* A set of policies, and all that they are about */

static bool is_here(const struct host *h)
{
	return !strcmp(h->place, "here");
}

static void add_namespace(const char *name)
{
	for (size_t i = 0; i < universe.namespaces.count; i++) {
		struct model_namespace *n = universe.namespaces.item[i];

		if (!strcmp(n->name, name))
			return;
	}
	universe_add(&universe.namespaces, universe_namespace(name));
}

static void add_pod(const struct host *h)
{
	char *slash = strchr(h->name, '/'), namespace[64];
	struct model_workload *w;

	snprintf(namespace, sizeof(namespace), "%.*s",
		 (int)(slash - h->name), h->name);
	add_namespace(namespace);
	w = universe_pod(namespace, slash + 1, h->reach.addr);
	w->is_here = is_here(h);
	memcpy(w->interface, h->interface, sizeof(w->interface));
	universe_add(&universe.workloads, w);
}

static void make_universe(void)
{
	universe_end(&universe);
	memset(&universe, 0, sizeof(universe));
	universe.as_api = true;
	for (size_t i = 0; i < nr_hosts; i++) {
		struct host *h = &hosts[i];

		if (!strcmp(h->kind, "pod"))
			add_pod(h);
		if (!strcmp(h->kind, "outside"))
			universe.outsiders[universe.nr_outsiders++] =
				h->reach.addr[any(2)];
		if (strcmp(h->kind, "node"))
			continue;
		universe_add(&universe.nodes, universe_node(h->place,
							    h->reach.addr));
		if (is_here(h))
			memcpy(universe.host, h->reach.addr,
			       sizeof(universe.host));
	}
	for (uint32_t n = 1 + any(6); n; n--) {
		struct model_policy *p = universe_policy(&universe);

		p->audit = false;
		universe_add(&universe.policies, p);
	}
}

static void print_universe(FILE *f)
{
	for (size_t i = 0; i < universe.namespaces.count; i++)
		manifest_namespace(f, universe.namespaces.item[i]);
	for (size_t i = 0; i < universe.nodes.count; i++)
		manifest_node(f, universe.nodes.item[i]);
	for (size_t i = 0; i < universe.workloads.count; i++)
		manifest_pod(f, universe.workloads.item[i]);
	for (size_t i = 0; i < universe.policies.count; i++)
		manifest_policy(f, universe.policies.item[i]);
}

static void put_in_force(void)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s.new", options.config);
	f = fopen(path, "we");
	if (!f)
		die(path);
	print_universe(f);
	if (fclose(f) || rename(path, options.config))
		die(path);
	if (system(options.apply)) {
		print_universe(stdout);
		printf("this is not in force\n");
		exit(1);
	}
}

/* What is to be */

static __u8 proto_of(const struct reach_probe *p)
{
	static const __u8 protos[] = {
		[REACH_TCP] = IPPROTO_TCP, [REACH_UDP] = IPPROTO_UDP,
		[REACH_SCTP] = IPPROTO_SCTP, [REACH_PING] = IPPROTO_ICMP,
	};

	return protos[p->kind];
}

static bool is_expected_by_rules(const struct reach_probe *p)
{
	bool expected = true;

	for (size_t i = 0; i < nr_rules; i++) {
		const struct expectation *e = &rules[i];

		if (!fnmatch(e->from, p->from->name, 0) &&
		    !fnmatch(e->to, p->to->name, 0) &&
		    !fnmatch(e->what, reach_what(p), 0))
			expected = !strcmp(e->verdict, "allow");
	}
	return expected;
}

static struct evaluator_try try_of(const struct reach_probe *p)
{
	return (struct evaluator_try){
		.from = p->from->addr[p->v6], .to = p->to->addr[p->v6],
		.proto = proto_of(p), .port = p->port,
	};
}

static void expect(const struct policy_set *s)
{
	struct evaluator_world w = { s, universe.host, 2 };

	for (size_t i = 0; i < nr_probes; i++) {
		struct evaluator_try c = try_of(probes[i]);

		probes[i]->expected = s ? evaluator_reaches(&w, &c) :
				      is_expected_by_rules(probes[i]);
		/* it may have been adopted as the other one's */
		if (probes[i]->is_vague && probes[i]->asked > 1)
			probes[i]->expected = false;
	}
}

/* Rounds */

static void add_probe(const struct host *from, const struct host *to,
		      enum reach_kind kind, __u16 port)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reach_probe *p = calloc(1, sizeof(*p));

		if (!p || nr_probes == PROBES_MAX)
			die("too many connections");
		p->from = &from->reach;
		p->to = &to->reach;
		p->kind = kind;
		p->v6 = v6;
		p->port = port;
		probes[nr_probes++] = p;
	}
}

static void add_probes(void)
{
	for (size_t i = 0; i < nr_hosts * nr_hosts; i++) {
		const struct host *from = &hosts[i / nr_hosts];
		const struct host *to = &hosts[i % nr_hosts];

		if (from == to)
			continue;
		for (int kind = 0; kind < REACH_PING; kind++) {
			for (__u16 port = 80; reach_has(kind) && port < 82;
			     port++)
				add_probe(from, to, kind, port);
		}
		add_probe(from, to, REACH_PING, 0);
	}
}

/* Those that are to have no answer first: theirs would be here before the
 * others'. */
static void ask_all(void)
{
	for (int expected = 0; expected < 2; expected++) {
		for (size_t i = 0; i < nr_probes; i++) {
			if (probes[i]->expected == expected)
				reach_ask(probes[i]);
		}
	}
	nr_asked += nr_probes;
}

static void say_finding(const struct reach_probe *p,
			const struct policy_set *s)
{
	struct evaluator_world w = { s, universe.host, 2 };
	struct evaluator_try c = try_of(p);
	char in[EVALUATOR_TEXT_MAX], out[EVALUATOR_TEXT_MAX];
	struct evaluator_answer a;

	printf("%s to %s, %s, IPv%d, %s: %s, %s%s%s\n", p->from->name,
	       p->to->name, reach_what(p), p->v6 ? 6 : 4,
	       p->asked > 1 ? "was open before" : "new",
	       p->expected ? "should be allowed" : "should be denied",
	       p->is_answered ? "has an answer" : "has no answer",
	       p->error ? ", " : "", p->error ? strerror(p->error) : "");
	if (!s)
		return;
	a = evaluator_ask(&w, POLICY_OUT, &c);
	evaluator_text(&a.is, out);
	a = evaluator_ask(&w, POLICY_IN, &c);
	printf("    out: %s; in: %s\n", out, evaluator_text(&a.is, in));
}

static void say_findings(const struct policy_set *s)
{
	int found = 0;

	if (s)
		print_universe(stdout);
	for (size_t i = 0; i < nr_probes; i++) {
		if (probes[i]->expected == probes[i]->is_answered ||
		    (probes[i]->is_vague && !probes[i]->expected))
			continue;
		if (found++ < FINDINGS_MAX)
			say_finding(probes[i], s);
	}
	printf("%d of %zu are not as they should be\n", found, nr_probes);
}

/* A stream that is older than every policy of both its ends is taken for what
 * it may have been, while they adopt: who began it is not known, then or later.
 */
static bool is_unrecorded(const struct reach_probe *p,
			  const struct policy_set *s)
{
	return (p->kind == REACH_TCP || p->kind == REACH_SCTP) && s &&
	       !evaluator_is_subject(s, &p->from->addr[p->v6]) &&
	       !evaluator_is_subject(s, &p->to->addr[p->v6]);
}

/* Some of those that had an answer stay open for the round that follows. */
static void keep_some(const struct policy_set *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr_probes; i++) {
		struct reach_probe *p = probes[i];

		if (p->is_answered && p->asked < 4 && chance(50)) {
			p->is_vague |= p->asked == 1 && is_unrecorded(p, s);
			probes[kept++] = p;
			continue;
		}
		reach_end(p);
		free(p);
	}
	nr_probes = kept;
	reach_forget();
}

static int patience(void)
{
	const char *times = getenv("PATIENCE");

	return PATIENCE_MS * (times ? atoi(times) : 1);
}

static bool one_round(const struct policy_set *s)
{
	add_probes();
	expect(s);
	ask_all();
	if (!reach_wait(probes, nr_probes, patience(), QUIET_MS)) {
		say_findings(s);
		return false;
	}
	keep_some(s);
	return true;
}

static bool rounds(const struct policy_set *s)
{
	unsigned long n = 0;

	do {
		if (!one_round(s))
			return false;
		if (options.hold) {
			printf("round %lu\n", ++n);
			fflush(stdout);
		}
	} while (options.hold && !stop);
	return true;
}

static bool one_set(uint64_t seed)
{
	struct policy_set *s;
	bool right;

	random_start(seed);
	make_universe();
	put_in_force();
	s = universe_set(&universe);
	right = rounds(s);
	policy_set_free(s);
	if (!right)
		printf("seed %" PRIu64 "\n", seed);
	return right;
}

static bool sets(void)
{
	time_t end = time(NULL) + options.seconds;
	unsigned long n = 0;

	while (n < options.sets &&
	       (options.seconds == ~0ul || time(NULL) < end)) {
		if (!one_set(options.seed + n))
			return false;
		n++;
	}
	printf("%lu sets of policies, ", n);
	return true;
}

static bool parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "hosts", required_argument, NULL, 'h' },
		{ "expect", required_argument, NULL, 'e' },
		{ "config", required_argument, NULL, 'c' },
		{ "apply", required_argument, NULL, 'a' },
		{ "sets", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "hold", no_argument, NULL, 'k' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'h': read_hosts(optarg); break;
		case 'e': read_rules(options.expect = optarg); break;
		case 'c': options.config = optarg; break;
		case 'a': options.apply = optarg; break;
		case 'n': options.sets = strtoul(optarg, NULL, 0); break;
		case 't': options.seconds = strtoul(optarg, NULL, 0); break;
		case 's': options.seed = strtoull(optarg, NULL, 0); break;
		case 'k': options.hold = true; break;
		default: return false;
		}
	}
	return optind == argc && nr_hosts &&
	       (options.expect || (options.config && options.apply));
}

int main(int argc, char **argv)
{
	static const __u16 ports[] = { 80, 81 };
	bool right;

	options.seed = time(NULL) * 1000;
	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: %s --hosts FILE [--expect FILE | "
			"--config FILE --apply COMMAND]\n"
			"       [--sets N] [--seconds N] [--seed N] [--hold]\n",
			argv[0]);
		return 2;
	}
	signal(SIGTERM, on_stop);
	signal(SIGPIPE, SIG_IGN);
	random_start(options.seed);
	reach_open(reach_hosts, nr_hosts, ports, 2);
	right = options.expect ? rounds(NULL) : sets();
	if (right)
		printf("%lu connections, all as they should be\n", nr_asked);
	return !right;
}
