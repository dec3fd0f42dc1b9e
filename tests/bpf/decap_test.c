// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The other end of tunnels, on XDP and on tc: every kind in every pair of
 * families, packets compared whole. Which mark goes in is RFC 6040's table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf.h>

#include "bytes.h"
#include "kernel/dp.h"
#include "pkt.h"

#define TCX_NEXT (-1)
#define OPTIONS_MAX (63 * 4)	/* Geneve's */

static const char *const ends[2][2] = {	/* by family: ours, another host's */
	{ "10.2.0.1", "10.2.0.2" }, { "fd00:2::1", "fd00:2::2" },
};
static const char *const clients[] = { "192.0.2.7", "2001:db8::7" };
static const char *const vips[] = { "10.96.0.1", "fd00:96::1" };
static const char *const senders[] = { "10.9.9.1", "fd00:99::1" };

struct hook {
	const char *name;
	enum dp_decap_hook hook;
	int program, pass, drop;
};

static struct hook hooks[] = {
	{ "xdp", DP_DECAP_XDP, -1, XDP_PASS, XDP_DROP },
	{ "tc", DP_DECAP_TC, -1, TCX_NEXT, TC_ACT_SHOT },
};

static int open_programs(void **state)
{
	struct addr addrs[2] = { addr(ends[0][0]), addr(ends[1][0]) };
	struct dp_decap_opts opts = {
		.gue_port = 6080, .geneve_port = 6081,
		.addrs = addrs, .nr_addrs = 2,
	};

	for (int i = 0; i < 2; i++) {
		opts.hook = hooks[i].hook;
		hooks[i].program = dp_decap_program(&opts);
		if (hooks[i].program < 0)
			return -1;
	}
	return 0;
}

static int close_programs(void **state)
{
	close(hooks[0].program);
	close(hooks[1].program);
	return 0;
}

static int run(const struct hook *h, const struct packet *in,
	       struct packet *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = in->data,
		.data_size_in = in->len,
		.data_out = ret->data,
		.data_size_out = PACKET_MAX,
	);

	assert_int_equal(bpf_prog_test_run_opts(h->program, &opts), 0);
	ret->len = opts.data_size_out;
	return opts.retval;
}

struct way {
	enum forward forward;
	bool outer_v6, inner_v6;
};

/* One packet with tos inside and a tunnel's with outer_tos around it. */
static struct packet inner_packet(const struct way *w, uint8_t tos)
{
	return tcp(clients[w->inner_v6], 4321, vips[w->inner_v6], 80,
		   .flags = ACK, .payload = 40, .tos = tos, .label = 0x54321);
}

static struct packet tunneled(const struct way *w, const char *to,
			      const struct packet *inner, uint8_t tos)
{
	struct tunnel t = {
		.forward = w->forward, .src = addr(senders[w->outer_v6]),
		.dst = addr(to), .tos = tos, .sport = 0xc123,
		.dport = w->forward == FORWARD_GUE ? 6080 : 6081,
		.df = true, .vni = 7,
	};

	return packet_tunneled(inner, &t);
}

/* tc leaves the Ethernet type to skb->protocol, which is not seen here. */
static bool same_but_type(struct packet want, struct packet got)
{
	memset(want.data + 12, 0, 2);
	memset(got.data + 12, 0, 2);
	return want.len == got.len && !memcmp(want.data, got.data, want.len);
}

/* Other families inside than outside: tc of 6.3 on. */
static bool can(const struct hook *h, const struct way *w)
{
	struct packet p = inner_packet(w, 0), in, out;

	if (h->hook == DP_DECAP_XDP || w->outer_v6 == w->inner_v6)
		return true;
	in = tunneled(w, ends[w->outer_v6][0], &p, 0);
	return run(h, &in, &out) == h->pass;
}

/* f for each kind of tunnel, in each pair of families, on each hook. */
static void each_way(void (*f)(const struct hook *h, const struct way *w))
{
	for (int i = 0; i < 2; i++) {
		for (int forward = FORWARD_IPIP; forward <= FORWARD_GENEVE;
		     forward++) {
			for (int families = 0; families < 4; families++) {
				struct way w = { forward, families & 1,
						 families >> 1 };

				if (can(&hooks[i], &w))
					f(&hooks[i], &w);
			}
		}
	}
}

static void expect_opened(const struct hook *h, const struct packet *in,
			  const struct packet *want)
{
	struct packet got;

	assert_int_equal(run(h, in, &got), h->pass);
	if (same_but_type(*want, got) && (h->hook == DP_DECAP_TC ||
					  packet_eq(want, &got)))
		return;
	packet_diff(want, &got);
	fail_msg("on %s", h->name);
}

static void expect_untouched(const struct hook *h, const struct packet *in)
{
	struct packet got;

	assert_int_equal(run(h, in, &got), h->pass);
	if (got.len == in->len && !memcmp(got.data, in->data, in->len))
		return;
	packet_diff(in, &got);
	fail_msg("on %s", h->name);
}

static void open_one(const struct hook *h, const struct way *w)
{
	struct packet inner = inner_packet(w, 0xb8);
	struct packet in = tunneled(w, ends[w->outer_v6][0], &inner, 0xb8);

	expect_opened(h, &in, &inner);
}

static void tunnels_to_this_host_are_opened(void **state)
{
	each_way(open_one);
}

static void leave_one(const struct hook *h, const struct way *w)
{
	struct packet inner = inner_packet(w, 0);
	struct packet in = tunneled(w, ends[w->outer_v6][1], &inner, 3);

	expect_untouched(h, &in);
}

static void tunnels_to_other_hosts_pass_untouched(void **state)
{
	each_way(leave_one);
}

/* RFC 6040, figure 4, by [inner][outer] as the bits are: not capable, ECT(1),
 * ECT(0), CE. -1: drop. */
static const int marks[4][4] = {
	{ 0, 0, 0, -1 },
	{ 1, 1, 1, 3 },
	{ 2, 1, 2, 3 },
	{ 3, 3, 3, 3 },
};

static void mark_one(const struct hook *h, const struct way *w)
{
	for (int i = 0; i < 16; i++) {
		uint8_t within = i >> 2, outside = i & 3;
		struct packet inner = inner_packet(w, 0xb8 | within);
		struct packet in = tunneled(w, ends[w->outer_v6][0], &inner,
					    0x28 | outside), out;

		if (marks[within][outside] < 0) {
			assert_int_equal(run(h, &in, &out), h->drop);
			continue;
		}
		inner = inner_packet(w, 0xb8 | marks[within][outside]);
		expect_opened(h, &in, &inner);
	}
}

static void the_congestion_mark_goes_in(void **state)
{
	each_way(mark_one);
}

/* A wrong checksum inside stays as wrong as it was: to drop it is the
 * host's. */
static void checksums_inside_are_brought_along_not_repaired(void **state)
{
	struct way w = { .forward = FORWARD_IPIP };
	struct packet inner = inner_packet(&w, 2), want = inner_packet(&w, 3);
	struct packet in;

	put16(inner.data + ETH_LEN + 10, get16(inner.data + ETH_LEN + 10) - 5);
	put16(want.data + ETH_LEN + 10, get16(want.data + ETH_LEN + 10) - 5);
	in = tunneled(&w, ends[0][0], &inner, 3);
	for (int i = 0; i < 2; i++)
		expect_opened(&hooks[i], &in, &want);
}

/* Geneve's options are skipped, however many; what is cut short is left. */
static void options_of_geneve_are_taken_off_too(void **state)
{
	struct way w = { .forward = FORWARD_GENEVE };

	for (size_t len = 0; len <= OPTIONS_MAX; len += 84) {
		struct packet inner = inner_packet(&w, 1), in, want;
		size_t at = ETH_LEN + 20 + 8;

		in = tunneled(&w, ends[0][0], &inner, 3);
		memmove(in.data + at + 8 + len, in.data + at + 8,
			in.len - at - 8);
		memset(in.data + at + 8, 0x5a, len);
		in.len += len;
		in.data[at] = len / 4;
		put16(in.data + ETH_LEN + 2, in.len - ETH_LEN);
		put16(in.data + ETH_LEN + 24, in.len - ETH_LEN - 20);
		packet_sum_ip4(&in, ETH_LEN);
		want = inner_packet(&w, 3);
		for (int i = 0; i < 2; i++)
			expect_opened(&hooks[i], &in, &want);
	}
}

static void cut_one(const struct hook *h, const struct way *w)
{
	struct packet inner = inner_packet(w, 0);
	struct packet in = tunneled(w, ends[w->outer_v6][0], &inner, 0);
	size_t head = in.len - (inner.len - ETH_LEN);

	for (size_t len = ETH_LEN + 40; len < head + (w->inner_v6 ? 40 : 20);
	     len++) {
		struct packet cut = packet_cut(&in, len);

		expect_untouched(h, &cut);
	}
}

static void packets_cut_before_the_inner_header_ends_pass_untouched(void **state)
{
	each_way(cut_one);
}

/* What says that it holds the other version than it does. */
static void what_holds_no_such_packet_passes_untouched(void **state)
{
	for (int i = 0; i < 2; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct way w = { FORWARD_IPIP, v6, 0 };
			struct packet p = inner_packet(&w, 0), in;

			in = tunneled(&w, ends[v6][0], &p, 0);
			in.data[ETH_LEN + (v6 ? 40 : 20)] = 0x65;
			expect_untouched(&hooks[i], &in);
			w.forward = FORWARD_GUE;
			in = tunneled(&w, ends[v6][0], &p, 0);
			put16(in.data + ETH_LEN + (v6 ? 42 : 22), 6079);
			expect_untouched(&hooks[i], &in);
			expect_untouched(&hooks[i], &p);
		}
	}
}

/* They are whole again only in the stack. */
static void fragments_of_tunnels_pass_untouched(void **state)
{
	struct way w = { .forward = FORWARD_IPIP };
	struct packet inner = inner_packet(&w, 0), in;

	in = tunneled(&w, ends[0][0], &inner, 0);
	put16(in.data + ETH_LEN + 6, 0x2000);
	packet_sum_ip4(&in, ETH_LEN);
	for (int i = 0; i < 2; i++)
		expect_untouched(&hooks[i], &in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnels_to_this_host_are_opened),
		cmocka_unit_test(tunnels_to_other_hosts_pass_untouched),
		cmocka_unit_test(the_congestion_mark_goes_in),
		cmocka_unit_test(checksums_inside_are_brought_along_not_repaired),
		cmocka_unit_test(options_of_geneve_are_taken_off_too),
		cmocka_unit_test(
			packets_cut_before_the_inner_header_ends_pass_untouched),
		cmocka_unit_test(what_holds_no_such_packet_passes_untouched),
		cmocka_unit_test(fragments_of_tunnels_pass_untouched),
	};

	return cmocka_run_group_tests(tests, open_programs, close_programs);
}
