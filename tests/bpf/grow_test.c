// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of connections grows: what packets meet before, while the programs
 * of both tables are at work, and afterwards. The reference knows one table
 * alone, so packets are compared with those of the same flow before.
 */
#include <linux/pkt_cls.h>
#include <pthread.h>

#include <bpf/bpf.h>

#include "family.h"
#include "model/conns.h"

#define FLOWS 60

static __u32 size = 30000;	/* of the table; grows with each test */

/* What became of each flow's packets, before. */
static struct outcome to_backend[3 * FLOWS], to_client[2 * FLOWS];

static struct packet of_client(const struct family *f, int i, int flags)
{
	return tcp(f->client, 2000 + i, f->vip, 80, .flags = flags);
}

static struct packet of_backend(const struct family *f, int i)
{
	return tcp(i % 2 ? f->backend : f->backend2, 8080, f->nat, 2000 + i,
		   .flags = ACK, .payload = 100);
}

/* Chosen by turns and recorded, not translated. */
static struct packet of_choice(const struct family *f, int i)
{
	return udp(f->client, 3000 + i, f->vip2, 53);
}

static struct packet of_pod(const struct family *f, int i)
{
	return tcp(f->client, 4000 + i, f->vip2, 443, .flags = SYN);
}

static void serve(const struct family *f)
{
	world_define(world, &(struct service_words){
		.addr = f->vip, .port = 80, .forward = FORWARD_NAT,
		.algorithm = ALGORITHM_ROUND_ROBIN, .backend_port = 8080,
		.backends = { f->backend, f->backend2 },
	});
	world_define(world, &(struct service_words){
		.name = "choice", .addr = f->vip2, .port = 53,
		.proto = IPPROTO_UDP, .forward = FORWARD_L2,
		.algorithm = ALGORITHM_ROUND_ROBIN,
		.backends = { f->backend, f->backend2, f->backend3 },
	});
	world_service(world, .name = "pod", .addr = f->vip2, .port = 443,
		      .kind = KIND_CLUSTER_IP, .algorithm = ALGORITHM_RANDOM,
		      .backends = { f->backend, f->backend2 },
		      .backend_port = 8080);
}

static struct outcome sent(const struct packet *in, enum reason why)
{
	struct outcome got;

	world_run(world, in, &got);
	assert_int_equal(got.reasons, 1ull << why);
	return got;
}

static struct outcome sent_by_pod(const struct packet *in)
{
	struct outcome got;

	world_run_tc(world, "fl_pod_in", in, &got);
	assert_int_equal(got.reasons, REASON_BIT(FORWARDED));
	return got;
}

/* First packets, of so many flows of each kind. */
static void open_flows(const struct family *f, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		struct packet syn = of_client(f, i, SYN);
		struct packet choice = of_choice(f, i), pod = of_pod(f, i);

		sent(&syn, REASON_FORWARDED);
		sent(&choice, REASON_FORWARDED);
		sent_by_pod(&pod);
	}
}

static void look(const struct family *f, int i, struct outcome to[3],
		 struct outcome back[2])
{
	struct packet data = of_client(f, i, ACK), choice = of_choice(f, i);
	struct packet pod = of_pod(f, i), one = of_backend(f, 0);
	struct packet two = of_backend(f, 1);

	to[0] = sent(&data, REASON_FORWARDED);
	to[1] = sent(&choice, REASON_FORWARDED);
	to[2] = sent_by_pod(&pod);
	one = tcp(f->backend, 8080, f->nat, 2000 + i, .flags = ACK);
	two = tcp(f->backend2, 8080, f->nat, 2000 + i, .flags = ACK);
	world_run(world, &one, &back[0]);
	world_run(world, &two, &back[1]);
	/* one of them is its backend, the other one is nobody to it */
	assert_int_equal(back[0].reasons | back[1].reasons,
			 REASON_BIT(RETURNED) | REASON_BIT(NO_CONN));
}

static void remember(const struct family *f, int first, int count)
{
	for (int i = first; i < first + count; i++)
		look(f, i, &to_backend[3 * i], &to_client[2 * i]);
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->reasons, b->reasons);
	if (packet_eq(&a->packet, &b->packet))
		return;
	packet_diff(&a->packet, &b->packet);
	fail();
}

static void expect_all(const struct family *f, int count)
{
	struct outcome to[3], back[2];

	for (int i = 0; i < count; i++) {
		look(f, i, to, back);
		for (int j = 0; j < 3; j++)
			expect_same(&to[j], &to_backend[3 * i + j]);
		for (int j = 0; j < 2; j++)
			expect_same(&back[j], &to_client[2 * i + j]);
	}
}

static void expect_records(unsigned int count, unsigned int cells)
{
	struct conns_usage usage;

	assert_int_equal(conns_usage(world_tables(world), &usage), 0);
	assert_int_equal(usage.half + usage.live + usage.closing, count);
	assert_int_equal(usage.cells, cells);
}

static void flows_stay_where_they_are_at_every_step(void **state)
{
	const struct family *f = *state;

	serve(f);
	open_flows(f, 0, FLOWS / 2);
	remember(f, 0, FLOWS / 2);
	for (int times = 0; times < 2; times++) {
		world_grow(world, size += 10000);
		expect_records(0, 0);
		expect_all(f, FLOWS / 2);
		/* who comes now is known now */
		open_flows(f, FLOWS / 2, FLOWS / 2);
		remember(f, FLOWS / 2, FLOWS / 2);
		expect_all(f, FLOWS);
		expect_records(0, 0);
		world_grown(world);
		expect_records(3 * FLOWS, 2 * FLOWS);
		expect_all(f, FLOWS);
		expect_records(3 * FLOWS, 2 * FLOWS);
	}
}

/* Packets of one flow, without end: each goes where the first one went. */
struct traffic {
	struct packet in, want;
	int program;
	bool stop;
	unsigned int packets, wrong;
};

static void *send_on(void *arg)
{
	struct traffic *t = arg;
	struct packet out;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		LIBBPF_OPTS(bpf_test_run_opts, opts,
			.data_in = t->in.data, .data_size_in = t->in.len,
			.data_out = out.data, .data_size_out = PACKET_MAX);

		if (bpf_prog_test_run_opts(t->program, &opts))
			break;
		out.len = opts.data_size_out;
		t->wrong += !packet_eq(&out, &t->want);
		t->packets++;
	}
	return NULL;
}

static void no_packet_is_lost_while_it_goes_over(void **state)
{
	const struct family *f = *state;
	struct traffic t = { .in = of_client(f, 7, ACK) };
	pthread_t thread;

	serve(f);
	open_flows(f, 0, FLOWS);
	remember(f, 0, FLOWS);
	t.want = to_backend[3 * 7].packet;
	world_grow(world, size += 10000);
	t.program = world_program(world);
	assert_int_equal(pthread_create(&thread, NULL, send_on, &t), 0);
	while (!__atomic_load_n(&t.packets, __ATOMIC_RELAXED))
		sched_yield();
	world_grown(world);
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_true(t.packets > 0);
	assert_int_equal(t.wrong, 0);
	expect_all(f, FLOWS);
	expect_records(3 * FLOWS, 2 * FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(flows_stay_where_they_are_at_every_step),
		BOTH(no_packet_is_lost_while_it_goes_over),
	};

	return run_both(tests);
}
