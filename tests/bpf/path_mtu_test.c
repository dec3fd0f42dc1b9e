// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A router on the way to a backend says that a tunnel's packet is too big for
 * it: who must believe it, what the next packet meets, what the sender of the
 * one in the tunnel is told. RFC 1191, RFC 2003 section 4, RFC 2473 section
 * 7.1, RFC 8201.
 */
#include "engine/reconcile.h"
#include "family.h"

#define TOLD 1400u

static const char *const outer_router[] = { "203.0.113.9", "2001:db8:9::9" };

/* One way through a tunnel. */
struct way {
	const struct family *f;
	enum forward forward;
	bool outer_v6;
	const char *backend;
	size_t overhead;
};

static struct packet inner_packet(const struct way *w, size_t len, bool df)
{
	return tcp(w->f->client, 4321, w->f->vip, 80, .df = df, .flags = ACK,
		   .payload = len - (w->f->v6 ? 60 : 40));
}

static void serve(const struct way *w)
{
	world_service(world, .addr = w->f->vip, .port = 80,
		      .forward = w->forward, .backends = { w->backend });
}

/* f in each kind of tunnel, over both families. */
static void each_way(void **state, void (*f)(const struct way *w))
{
	for (int how = FORWARD_IPIP; how <= FORWARD_GENEVE; how++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct way w = {
				.f = *state, .forward = how, .outer_v6 = v6,
				.backend = families[v6].backend,
				.overhead = tunnel_overhead(how, v6),
			};

			world_reset(world);
			serve(&w);
			f(&w);
		}
	}
}

/* What the router says of a packet that we sent. */
static struct packet complaint(const struct way *w, const struct packet *out,
			       uint32_t told, size_t cut)
{
	struct addr router = addr(outer_router[w->outer_v6]);
	struct layers l;

	packet_layers(out, &l);
	return icmp_error(&router, &l.src, w->outer_v6 ? 2 : 3,
			  w->outer_v6 ? 0 : 4, told, out, cut);
}

/* Sends a packet of ours, and makes a router complain about it. */
static struct packet complaint_about(const struct way *w,
				     const struct packet *in, uint32_t told,
				     size_t cut)
{
	struct outcome got = expect_reason(in, FORWARDED);

	return complaint(w, &got.packet, told, cut);
}

/* The one backend at the address. */
static struct backend *backend_at(const char *text)
{
	struct tables *t = world_tables(world);
	struct addr a = addr(text);

	for (__u32 i = 1; i < t->nr_backends; i++)
		if (t->backends[i].state != BACKEND_FREE &&
		    !memcmp(&t->backends[i].addr, &a, sizeof(a)))
			return &t->backends[i];
	fail_msg("no backend %s", text);
	return NULL;
}

static unsigned int learn(const struct packet *p, struct path_mtu_answer *ret)
{
	return path_mtu_learn(world_state(world), p->data, p->len, 1000, ret);
}

/* Nothing is learned, nobody is told. */
static void expect_ignored(const struct packet *p)
{
	struct path_mtu_answer answer;

	assert_int_equal(learn(p, &answer), 0);
	assert_int_equal(answer.len, 0);
}

static void notice(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true);
	struct packet error = complaint_about(w, &in, TOLD, 576 - 28);

	expect_untouched(&error, TUNNEL_ERROR);
}

static void errors_about_tunnels_are_noticed_and_pass(void **state)
{
	each_way(state, notice);
}

static void learn_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true);
	struct packet error = complaint_about(w, &in, TOLD, 576 - 28);
	struct backend *b = backend_at(w->backend);
	size_t room = TOLD - w->overhead;
	struct path_mtu_answer answer;

	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(b->path_mtu, TOLD);
	assert_int_equal(b->mtu, TOLD);
	in = inner_packet(w, room, true);
	expect_reason(&in, FORWARDED);
	in = inner_packet(w, room + 1, true);
	expect_reason(&in, TOO_BIG);
	in = inner_packet(w, room + 1, false);
	expect_reason_at(&in, w->f->v6 ? REASON_TOO_BIG : REASON_CUT,
			 __FILE__, __LINE__);
	assert_int_equal(learn(&error, &answer), 0);	/* nothing new */
}

static void later_packets_are_answered(void **state)
{
	each_way(state, learn_one);
}

/* The packet in the tunnel as its sender knows it, but for a hop. */
static void tell_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true), error, want;
	struct addr vip = addr(w->f->vip), client = addr(w->f->client);
	size_t cut = (w->f->v6 ? 1280 - 48 : 576 - 28);
	struct path_mtu_answer answer;
	size_t quoted;

	error = complaint_about(w, &in, TOLD, 1000);
	quoted = 1000 - w->overhead;
	in.data[ETH_LEN + (w->f->v6 ? 7 : 8)]--;
	if (!w->f->v6)
		packet_sum_ip4(&in, ETH_LEN);
	want = icmp_error(&vip, &client, w->f->v6 ? 2 : 3, w->f->v6 ? 0 : 4,
			  TOLD - w->overhead, &in,
			  quoted < cut ? quoted : cut);
	learn(&error, &answer);
	assert_int_equal(answer.len, want.len - ETH_LEN);
	assert_memory_equal(answer.packet, want.data + ETH_LEN, answer.len);
	assert_memory_equal(&answer.to, &client, sizeof(client));
}

static void the_sender_of_the_packet_inside_is_told(void **state)
{
	each_way(state, tell_one);
}

/* RFC 792: the IP header and 8 bytes are all that a router must quote. */
static void short_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true);
	struct packet error = complaint_about(w, &in, TOLD,
					      (w->outer_v6 ? 40 : 20) + 8);
	struct path_mtu_answer answer;

	expect_untouched(&error, TUNNEL_ERROR);
	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(answer.len, 0);
	assert_int_equal(backend_at(w->backend)->mtu, TOLD);
}

static void short_quotes_teach_but_tell_nobody(void **state)
{
	each_way(state, short_one);
}

/* Of IPv4 that may be cut nobody need be told: it is cut from now on. */
static void cut_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, false);
	struct packet error = complaint_about(w, &in, TOLD, 576 - 28);
	struct path_mtu_answer answer;

	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(answer.len > 0, w->f->v6);
}

static void who_lets_his_packets_be_cut_is_not_told(void **state)
{
	each_way(state, cut_one);
}

/* 576 bytes of IPv4, 1280 of IPv6: what is less is not believed. */
static void least_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true);
	struct packet error = complaint_about(w, &in, 68, 576 - 28);
	struct path_mtu_answer answer;

	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(backend_at(w->backend)->mtu,
			 w->outer_v6 ? 1280 : 576);
	in = inner_packet(w, w->f->v6 ? 1280 :
			     (w->outer_v6 ? 1280 : 576) - w->overhead, true);
	expect_reason(&in, FORWARDED);
}

static void a_forged_error_stops_no_service(void **state)
{
	each_way(state, least_one);
}

/* RFC 1191, 5: an old router says 0. The next plateau of 7.1 below. */
static void routers_that_do_not_say_how_wide_are_guessed(void **state)
{
	struct way w = { *state, FORWARD_IPIP, false, families[0].backend, 20 };
	struct path_mtu_answer answer;
	struct packet in, error;

	serve(&w);
	in = inner_packet(&w, 1480, true);
	error = complaint_about(&w, &in, 0, 576 - 28);
	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(backend_at(w.backend)->mtu, 1492);
	in = inner_packet(&w, 1472, true);
	error = complaint_about(&w, &in, 0, 576 - 28);
	assert_int_equal(learn(&error, &answer), 1);
	assert_int_equal(backend_at(w.backend)->mtu, 1006);
}

/* Each with one thing wrong, and its checksums right. */
static void forged_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true), error, p;
	size_t ip = ETH_LEN + (w->outer_v6 ? 40 : 20) + 8;
	size_t inner = ip + w->overhead;
	size_t ports = inner + (w->f->v6 ? 40 : 20);

	error = complaint_about(w, &in, TOLD, 576 - 28);
	p = error;
	p.data[ip + (w->outer_v6 ? 39 : 19)] ^= 0x40;	/* another backend */
	packet_sum(&p);
	expect_ignored(&p);
	p = error;
	p.data[ip + (w->outer_v6 ? 23 : 15)] ^= 0x40;	/* not from us */
	packet_sum(&p);
	expect_ignored(&p);
	p = error;
	p.data[p.len - 1] ^= 1;				/* its own checksum */
	expect_ignored(&p);
	if (w->outer_v6 || w->forward == FORWARD_GUE ||
	    w->forward == FORWARD_GENEVE) {		/* the flow's entropy */
		p = error;
		p.data[ports] ^= 1;
		packet_sum(&p);
		expect_ignored(&p);
	}
	p = complaint_about(w, &in, 1500, 576 - 28); /* it would have fitted */
	expect_ignored(&p);
	assert_int_equal(backend_at(w->backend)->path_mtu, 0);
}

static void what_is_not_about_a_packet_of_ours_is_not_believed(void **state)
{
	each_way(state, forged_one);
}

static void cut_short_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true);
	struct packet error = complaint_about(w, &in, TOLD, 100);

	for (size_t len = 0; len < error.len; len++) {
		struct packet p = packet_cut(&error, len);

		expect_ignored(&p);
	}
}

static void errors_cut_short_are_ignored(void **state)
{
	each_way(state, cut_short_one);
}

/* With a range of sources, its low bits are the flow's too. */
static void range_one(const struct way *w)
{
	struct packet in = inner_packet(w, 1440, true), error;
	struct path_mtu_answer answer;
	size_t ip = ETH_LEN + (w->outer_v6 ? 40 : 20) + 8;
	struct packet p;

	world_model(world)->tunnel4 = addr("172.16.0.0");
	world_model(world)->tunnel4_bits = 8;
	world_model(world)->tunnel6 = addr("fd00:aaaa::");
	world_model(world)->tunnel6_bits = 16;
	world_apply(world);
	error = complaint_about(w, &in, TOLD, 576 - 28);
	expect_untouched(&error, TUNNEL_ERROR);
	p = error;
	p.data[ip + (w->outer_v6 ? 23 : 15)] ^= 1;
	p.data[ETH_LEN + (w->outer_v6 ? 39 : 19)] ^= 1;
	packet_sum(&p);
	expect_ignored(&p);
	assert_int_equal(learn(&error, &answer), 1);
}

static void the_range_of_tunnel_sources_is_known(void **state)
{
	each_way(state, range_one);
}

static void services_with_another_kind_of_tunnel_learn_nothing(void **state)
{
	struct way w = { *state, FORWARD_GRE, false, families[0].backend, 24 };
	struct path_mtu_answer answer;
	struct packet in, error;

	serve(&w);
	in = inner_packet(&w, 1440, true);
	error = complaint_about(&w, &in, TOLD, 576 - 28);
	w.forward = FORWARD_IPIP;
	world_undefine(world, "web");
	world_apply(world);
	serve(&w);
	assert_int_equal(learn(&error, &answer), 0);
	assert_int_equal(answer.len, 0);
}

/* RFC 8201, 4: after ten minutes a larger packet may try again. */
static void what_was_learned_is_forgotten_after_ten_minutes(void **state)
{
	struct way w = { *state, FORWARD_IPIP, false, families[0].backend, 20 };
	struct path_mtu_answer answer;
	struct packet in, error;

	serve(&w);
	in = inner_packet(&w, 1440, true);
	error = complaint_about(&w, &in, TOLD, 576 - 28);
	assert_int_equal(learn(&error, &answer), 1);
	path_mtu_expire(world_state(world), 1000 + 599);
	assert_int_equal(backend_at(w.backend)->mtu, TOLD);
	path_mtu_set_route(backend_at(w.backend), 1480);
	assert_int_equal(backend_at(w.backend)->mtu, TOLD);
	path_mtu_expire(world_state(world), 1000 + 600);
	assert_int_equal(backend_at(w.backend)->mtu, 1480);
	path_mtu_set_route(backend_at(w.backend), 0);
	expect_reason(&in, FORWARDED);
}

/* Errors about what a service forwards by NAT, and about strangers' packets,
 * are what they were. */
static void errors_about_other_packets_are_as_before(void **state)
{
	const struct family *f = *state;
	struct addr router = addr(f->router), to = addr(f->stranger);
	struct packet about = tcp(f->stranger, 1, f->client, 2), p;

	world_service(world, .addr = f->vip, .port = 80,
		      .forward = FORWARD_IPIP, .backends = { f->backend });
	p = icmp_error(&router, &to, f->v6 ? 2 : 3, f->v6 ? 0 : 4, TOLD,
		       &about, PACKET_MAX);
	expect_untouched(&p, NOT_OURS);
	about = udp(f->stranger, 1, f->client, 53);
	p = icmp_error(&router, &to, f->v6 ? 2 : 3, f->v6 ? 0 : 4, TOLD,
		       &about, PACKET_MAX);
	expect_untouched(&p, NOT_OURS);
	about = udp(f->stranger, 1, f->client, 6080);
	p = icmp_error(&router, &to, f->v6 ? 1 : 3, f->v6 ? 0 : 1, 0, &about,
		       PACKET_MAX);
	expect_untouched(&p, NOT_OURS);
}

/* A copy costs user space something. */
static void only_so_many_are_noticed_a_second(void **state)
{
	struct way w = { *state, FORWARD_IPIP, false, families[0].backend, 20 };
	struct packet in, error;
	struct outcome got;
	int noticed = 0;

	serve(&w);
	in = inner_packet(&w, 1440, true);
	error = complaint_about(&w, &in, TOLD, 576 - 28);
	for (int i = 0; i < 1000; i++) {
		assert_true(world_check(world, &error, &got));
		noticed += got.reasons == REASON_BIT(TUNNEL_ERROR);
	}
	assert_true(noticed >= 20 && noticed < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(errors_about_tunnels_are_noticed_and_pass),
		BOTH(later_packets_are_answered),
		BOTH(the_sender_of_the_packet_inside_is_told),
		BOTH(short_quotes_teach_but_tell_nobody),
		BOTH(who_lets_his_packets_be_cut_is_not_told),
		BOTH(a_forged_error_stops_no_service),
		BOTH(routers_that_do_not_say_how_wide_are_guessed),
		BOTH(what_is_not_about_a_packet_of_ours_is_not_believed),
		BOTH(errors_cut_short_are_ignored),
		BOTH(the_range_of_tunnel_sources_is_known),
		BOTH(services_with_another_kind_of_tunnel_learn_nothing),
		BOTH(what_was_learned_is_forgotten_after_ten_minutes),
		BOTH(errors_about_other_packets_are_as_before),
		BOTH(only_so_many_are_noticed_a_second),
	};

	return run_both(tests);
}
