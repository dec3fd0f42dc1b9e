// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Nanoseconds per packet of fl_xdp, by BPF_PROG_TEST_RUN on one CPU: a line of
 * JSON for each case, sorted into tables by report.py.
 *
 *   datapath [--quick]
 *
 * Every number is the difference of two programs run in turn, round by round:
 * the one of interest, and one that only makes the packet whole again. Median,
 * least and most are those of the rounds' differences.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "numbers.h"
#include "pkt.h"
#include "world.h"

#define HOT_REPEAT 100000

enum traffic { HOT, MANY, NEW };

static const char *const traffic_names[] = { "hot", "many", "new" };

static const char *const forward_words[] = { "nat", "l2", "ipip", "gue", "gre",
					     "geneve" };

struct bench {
	struct world *w;
	int hot_rounds, many_rounds;
	bool quick;
};

/* What is measured, and how it is called. */
struct label {
	const char *mode;
	const char *family;	/* 4, 6, or 6in4: IPv6 within IPv4 */
	unsigned int services;
	enum traffic traffic;
};

static int program(struct bench *b, const char *name)
{
	struct bpf_program *prog;

	prog = bpf_object__find_program_by_name(b->w->skel->obj, name);
	if (!prog)
		die(name, -ENOENT);
	return bpf_program__fd(prog);
}

/* The frame as the programs leave it at the end of a repetition. */
static __u32 frame(const struct bench_setup *s, const struct bench_flow *f,
		   __u8 data[static 128])
{
	const int l4 = s->v6 ? 10 : 5;
	__u32 word[16];

	memcpy(word, s->word, sizeof(word));
	if (!s->v6)
		word[2] = (word[2] & 0xffff) | (__u32)f->l3_check << 16;
	word[s->v6 ? 5 : 3] = f->src;
	word[s->v6 ? 9 : 4] = f->dst;
	word[l4] = f->ports;
	word[l4 + 4] = f->l4_check;
	memcpy(data, s->eth, 14);
	memcpy(data + 14, word, sizeof(word));
	return s->len;
}

/* ns per repetition; what a system call takes is lost in their number. */
static double run(struct bench *b, int prog, __u32 repeat, int expect)
{
	struct bench_setup *s = b->w->setup;
	__u8 data[128];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data,
		    .repeat = repeat);
	double start;

	s->next = 0;
	opts.data_size_in = frame(s, &b->w->flows[s->next++ & s->mask], data);
	start = cpu_ns();
	if (bpf_prog_test_run_opts(prog, &opts))
		die("test run", -errno);
	if ((int)opts.retval != expect) {
		fprintf(stderr, "bench: verdict %u instead of %d\n",
			opts.retval, expect);
		exit(1);
	}
	return (cpu_ns() - start) / repeat;
}

/* Of one bpf_xdp_adjust_head(). */
static double move_price(struct bench *b)
{
	double two = run(b, program(b, "bench_move2"), HOT_REPEAT, XDP_TX);

	return (run(b, program(b, "bench_move4"), HOT_REPEAT, XDP_TX) - two) /
	       2;
}

/* What to take off: again(), with the head to move back or not. */
static double overhead(struct bench *b, __u32 repeat, bool moves)
{
	double ns = run(b, program(b, "bench_again"), repeat, XDP_TX);

	return moves ? ns + move_price(b) : ns;
}

static __u64 counted(struct bench *b)
{
	struct counter counters[NR_REASONS];
	int err = dp_counters(b->w->dp, counters);

	if (err)
		die("counters", err);
	return counters[REASON_FORWARDED].packets +
	       counters[REASON_RETURNED].packets +
	       counters[REASON_NOT_OURS].packets;
}

/* All but a few (a stranger may share a VIP's place in the filter, a new
 * connection find its bucket full) have to arrive, or the time is that of
 * something else. */
static double run_all(struct bench *b, __u32 repeat, int expect)
{
	__u64 before = counted(b), after;
	double ns = run(b, program(b, "bench_fairlead"), repeat, expect);

	after = counted(b);
	if (after - before < repeat - repeat / 100) {
		fprintf(stderr, "bench: %llu of %u packets were forwarded\n",
			(unsigned long long)(after - before), repeat);
		exit(1);
	}
	return ns;
}

static void print_case(const char *section, const struct label *l)
{
	printf("{\"section\":\"%s\",\"mode\":\"%s\",\"family\":\"%s\","
	       "\"services\":%u,\"traffic\":\"%s\"", section, l->mode,
	       l->family, l->services, traffic_names[l->traffic]);
}

static void report(const struct label *l, struct numbers ns,
		   struct numbers floor, struct numbers empty)
{
	print_case("datapath", l);
	numbers_print("ns", ns);
	numbers_print("floor", floor);
	numbers_print("empty", empty);
	printf("}\n");
	fflush(stdout);
}

static bool moves_head(enum forward forward)
{
	return forward != FORWARD_NAT && forward != FORWARD_L2;
}

/* One case: the flows are set, and what has to be known of them is. */
static void measure(struct bench *b, const struct label *l,
		    const struct shape *shape, const char *floor_name)
{
	const bool many = l->traffic != HOT, moves = moves_head(shape->forward);
	const bool opens = l->traffic == NEW && shape->forward == FORWARD_NAT;
	const int rounds = many ? b->many_rounds : b->hot_rounds;
	const __u32 repeat = many ? BENCH_FLOWS_MAX : HOT_REPEAT;
	const int expect = floor_name ? XDP_TX : XDP_PASS;
	double ns[ROUNDS_MAX], floor[ROUNDS_MAX], empty[ROUNDS_MAX], less;

	b->w->setup->mask = many ? BENCH_FLOWS_MAX - 1 : 0;
	for (int i = 0; i < rounds; i++) {
		empty[i] = run(b, program(b, "bench_empty"), HOT_REPEAT,
			       XDP_PASS);
		less = overhead(b, repeat, moves);
		floor[i] = !floor_name ? 0 :
			run(b, program(b, floor_name), repeat, XDP_TX) - less;
		if (opens)
			world_forget_conns(b->w);
		ns[i] = run_all(b, repeat, expect) - less;
	}
	report(l, numbers_of(ns, rounds), numbers_of(floor, rounds),
	       numbers_of(empty, rounds));
}

static void strangers(struct bench *b, bool v6)
{
	struct label l = { .mode = "stranger", .family = v6 ? "6" : "4" };
	const struct shape shape = { .forward = FORWARD_L2 };

	world_strangers(b->w, v6);
	for (l.traffic = HOT; l.traffic <= MANY; l.traffic++)
		measure(b, &l, &shape, NULL);
}

/* Connections are known from the last round of new ones on. */
static void replies(struct bench *b, struct label *l,
		    const struct shape *shape, const char *floor_name)
{
	world_replies(b->w, shape);
	l->mode = "nat reply";
	for (l->traffic = HOT; l->traffic <= MANY; l->traffic++)
		measure(b, l, shape, floor_name);
}

/* With many services new flows are left out where nothing is kept of them:
 * they cost what all others do. */
static void shape_measure(struct bench *b, const struct shape *shape)
{
	struct label l = {
		.mode = forward_words[shape->forward],
		.family = shape->v6 == shape->backend_v6 ?
				  (shape->v6 ? "6" : "4") : "6in4",
		.services = shape->services,
	};
	char floor_name[32];

	snprintf(floor_name, sizeof(floor_name), "bench_%s%d", l.mode,
		 shape->backend_v6 ? 6 : 4);
	world_define(b->w, shape);
	world_clients(b->w, shape, true);
	l.traffic = NEW;
	if (shape->forward == FORWARD_NAT || shape->services == 1)
		measure(b, &l, shape, floor_name);
	world_confirm_conns(b->w);
	world_clients(b->w, shape, false);
	for (l.traffic = HOT; l.traffic <= MANY; l.traffic++)
		measure(b, &l, shape, floor_name);
	if (shape->forward == FORWARD_NAT)
		replies(b, &l, shape, floor_name);
}

/* With many services, the tunnels that differ from IPIP by what their headers
 * say are left out. */
static void shapes_measure(struct bench *b, unsigned int services,
			   unsigned int backends)
{
	struct shape shape = { .services = services, .backends = backends };

	for (int how = FORWARD_NAT; how <= FORWARD_GENEVE; how++) {
		shape.forward = how;
		if ((b->quick || services > 1) && how > FORWARD_IPIP)
			return;
		shape.v6 = shape.backend_v6 = false;
		shape_measure(b, &shape);
		if (b->quick)
			continue;
		shape.v6 = shape.backend_v6 = true;
		shape_measure(b, &shape);
		shape.backend_v6 = false;
		if (how == FORWARD_IPIP)
			shape_measure(b, &shape);
	}
}

/* Who is of a pair that is measured in turn. */
enum side { SETTLED, TRACKED, SIDES };

static void pair_print(const struct label *l, double ns[SIDES][ROUNDS_MAX],
		       int rounds)
{
	double ratio[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++)
		ratio[i] = ns[TRACKED][i] / ns[SETTLED][i];
	print_case("pairs", l);
	numbers_print("settled", numbers_of(ns[SETTLED], rounds));
	numbers_print("tracked", numbers_of(ns[TRACKED], rounds));
	numbers_print("ratio", numbers_of(ratio, rounds));
	printf("}\n");
	fflush(stdout);
}

/* One after the other in each round, and in each round another one first: who
 * comes second finds caches as the first has left them. */
static void pair_measure(struct bench side[SIDES], const struct label *l)
{
	const bool many = l->traffic != HOT;
	const __u32 repeat = many ? BENCH_FLOWS_MAX : HOT_REPEAT;
	const int rounds = side->hot_rounds;
	double ns[SIDES][ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		for (int j = 0; j < SIDES; j++) {
			const enum side which = (i + j) % SIDES;
			struct bench *b = &side[which];

			b->w->setup->mask = many ? BENCH_FLOWS_MAX - 1 : 0;
			if (l->traffic == NEW)
				world_forget_conns(b->w);
			ns[which][i] = -overhead(b, repeat, true);
			ns[which][i] += run_all(b, repeat, XDP_TX);
		}
	}
	pair_print(l, ns, rounds);
}

/* What it costs to record each choice, as a service does that chooses by
 * chance, and all do for a while after a change. */
static void pair(struct bench side[SIDES], unsigned int services,
		 unsigned int backends, bool v6)
{
	struct shape shape = { .forward = FORWARD_IPIP, .services = services,
			       .backends = backends, .v6 = v6,
			       .backend_v6 = v6 };
	struct label l = { .mode = "ipip", .family = v6 ? "6" : "4",
			   .services = services, .traffic = NEW };

	for (int i = 0; i < SIDES; i++) {
		shape.tracked = i == TRACKED;
		world_define(side[i].w, &shape);
		world_clients(side[i].w, &shape, true);
	}
	pair_measure(side, &l);
	for (int i = 0; i < SIDES; i++) {
		world_confirm_conns(side[i].w);
		world_clients(side[i].w, &shape, false);
	}
	for (l.traffic = HOT; l.traffic <= MANY; l.traffic++)
		pair_measure(side, &l);
}

/* b becomes one side, what is opened for it the other. */
static void pairs_measure(struct bench *b)
{
	struct bench side[SIDES] = { [SETTLED] = *b, [TRACKED] = *b };

	side[TRACKED].w = world_open();
	for (int v6 = 0; v6 <= !b->quick; v6++) {
		pair(side, 1, 100, v6);
		if (!b->quick)
			pair(side, 10000, 10, v6);
	}
	world_close(side[TRACKED].w);
}

#define STAGES 9

static void report_stage(const char *stage, struct numbers ns)
{
	printf("{\"section\":\"profile\",\"stage\":\"%s\"", stage);
	numbers_print("ns", ns);
	printf("}\n");
}

/* Where the time of one packet goes: fl_xdp's stages, one more each time. */
static void profile(struct bench *b)
{
	static const char *const stages[STAGES] = { "addrs", "filter", "parse",
		"hash", "service", "slot", "egress", "send", "finish" };
	const struct shape shape = { .forward = FORWARD_IPIP, .services = 1,
				     .backends = 100 };
	double ns[STAGES][ROUNDS_MAX], move[ROUNDS_MAX], less;
	char name[32];

	world_define(b->w, &shape);
	world_clients(b->w, &shape, false);
	b->w->setup->mask = 0;
	for (int round = 0; round < b->hot_rounds; round++) {
		move[round] = move_price(b);
		less = overhead(b, HOT_REPEAT, false);
		for (int i = 0; i < STAGES; i++) {
			snprintf(name, sizeof(name), "bench_cut_%s", stages[i]);
			ns[i][round] = run(b, program(b, name), HOT_REPEAT,
					   XDP_TX) - less -
				       (i < STAGES - 2 ? 0 : move[round]);
		}
	}
	for (int i = 0; i < STAGES; i++)
		report_stage(stages[i], numbers_of(ns[i], b->hot_rounds));
	report_stage("move", numbers_of(move, b->hot_rounds));
}

int main(int argc, char **argv)
{
	const bool quick = argc == 2 && !strcmp(argv[1], "--quick");
	struct bench b = {
		.quick = quick,
		.hot_rounds = quick ? 5 : 7,
		.many_rounds = quick ? 1 : 3,
	};

	if (argc > 2 || (argc == 2 && !quick)) {
		fputs("usage: datapath [--quick]\n", stderr);
		return 2;
	}
	if (unshare(CLONE_NEWNET))
		die("network namespace (needs root)", -errno);
	stay_on_this_cpu();
	b.w = world_open();
	profile(&b);
	strangers(&b, false);
	strangers(&b, true);
	shapes_measure(&b, 1, 100);
	if (!quick)
		shapes_measure(&b, 10000, 10);
	pairs_measure(&b);
	world_close(b.w);
	return 0;
}
