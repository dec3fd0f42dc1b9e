// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets through a balancer and what arrives behind it, all on one CPU: UDP
 * of 4096 flows to services at 198.18.0.1 and on, port 80.
 *
 *   traffic SINK-NAMESPACE there|back MAC SERVICES SECONDS
 *
 * Sends from eth0 of its own network namespace to MAC. there: counts on eth0 of
 * the namespace at the given path; back: that one answers every packet, and
 * the answers are counted. Prints packets sent and counted per second.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <net/if.h>
#include <netinet/ether.h>
#include <sys/mman.h>

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pkt.h"
#include "wire.h"
#include "wire.skel.h"

#define BATCH 64
#define BURST (1 << 17)	/* to make room for frames takes a while */

static void die(const char *what, int err)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(-err));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct wire *wire_memory(struct wire_bpf *skel)
{
	struct wire *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			      MAP_SHARED, bpf_map__fd(skel->maps.wire), 0);

	if (w == MAP_FAILED)
		die("memory", -errno);
	return w;
}

/* A client of its own for each flow. */
static void fill(struct wire *w, const struct ether_addr *mac,
		 unsigned int services)
{
	struct words words = {
		.src = addr("172.16.0.0"), .dst = addr("198.18.0.0"),
		.proto = IPPROTO_UDP, .dport = 80, .payload = 64 - 42,
	};
	struct packet p;

	memcpy(words.dmac, mac, MAC_LEN);
	for (__u32 i = 0; i < WIRE_FLOWS; i++) {
		words.src.word[3] = htonl(0xac100001 + i);
		words.dst.word[3] = htonl(0xc6120001 + i % services);
		words.sport = 1024 + i * 13 % 60000;
		p = packet_build(&words);
		memcpy(w->packets[i].word, p.data, sizeof(w->packets[i].word));
	}
}

static void attach_xdp(struct bpf_program *prog)
{
	if (!bpf_program__attach_xdp(prog, if_nametoindex("eth0")))
		die("eth0", -errno);
}

static void attach_tc(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex("eth0"),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog),
		    .flags = BPF_TC_F_REPLACE, .handle = 1, .priority = 1);
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = bpf_tc_hook_create(&hook);

	libbpf_set_print(print);
	if (err == -EEXIST)	/* an earlier run's, libbpf complains of it */
		err = 0;
	if (!err)
		err = bpf_tc_attach(&hook, &opts);
	if (err)
		die("eth0", err);
}

/* Call f in the namespace at path. */
static void attach_there(const char *path, void (*f)(struct bpf_program *),
			 struct bpf_program *prog)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int other = open(path, O_RDONLY | O_CLOEXEC);

	if (own < 0 || other < 0 || setns(other, CLONE_NEWNET))
		die(path, -errno);
	f(prog);
	if (setns(own, CLONE_NEWNET))
		die("own namespace", -errno);
	close(own);
	close(other);
}

static void burst(struct wire_bpf *skel, struct wire *w)
{
	struct xdp_md ctx = {
		.data_end = sizeof(w->packets[0]),
		.ingress_ifindex = if_nametoindex("eth0"),
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = w->packets, .data_size_in = sizeof(w->packets[0]),
		.ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH,
		.repeat = BURST);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.wire_send),
				   &opts))
		die("live frames", -errno);
}

static void run(struct wire_bpf *skel, struct wire *w, double seconds)
{
	double start, end;
	__u64 sent, received;

	for (int i = 0; i < 2; i++)	/* every flow is known to everybody */
		burst(skel, w);
	sent = w->sent;
	received = w->received;
	start = now();
	do {
		burst(skel, w);
		end = now();
	} while (end - start < seconds);
	printf("%.0f %.0f\n", (w->sent - sent) / (end - start),
	       (w->received - received) / (end - start));
}

static void attach(struct wire_bpf *skel, const char *sink, bool back)
{
	attach_xdp(skel->progs.wire_pass);
	if (back)
		attach_tc(skel->progs.wire_count);
	attach_there(sink, attach_tc,
		     back ? skel->progs.wire_echo : skel->progs.wire_count);
}

int main(int argc, char **argv)
{
	const struct ether_addr *mac = argc == 6 ? ether_aton(argv[3]) : NULL;
	struct wire_bpf *skel;
	struct wire *w;

	if (!mac || atoi(argv[4]) < 1) {
		fputs("usage: traffic SINK-NAMESPACE there|back MAC SERVICES"
		      " SECONDS\n", stderr);
		return 2;
	}
	skel = wire_bpf__open_and_load();
	if (!skel)
		die("programs", -errno);
	attach(skel, argv[1], !strcmp(argv[2], "back"));
	w = wire_memory(skel);
	fill(w, mac, atoi(argv[4]));
	run(skel, w, atof(argv[5]));
	return 0;
}
