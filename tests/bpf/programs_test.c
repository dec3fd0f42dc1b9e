// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A packet that needs a program which is not in its place is dropped and
 * counted; every other one goes its way.
 */
#include "family.h"

static enum xdp_program of(const struct family *f, enum xdp_program v4,
			   enum xdp_program v6)
{
	return f->v6 ? v6 : v4;
}

#define PROGRAM_OF(f, name)						\
	of(f, XDP_PROGRAM_##name##4, XDP_PROGRAM_##name##6)

static void serve(const struct family *f, enum forward forward)
{
	world_service(world, .addr = f->vip, .port = 80, .forward = forward,
		      .backends = { f->backend });
}

static void expect_dropped(const struct packet *p)
{
	struct outcome got;

	world_run(world, p, &got);
	assert_true(got.reasons == REASON_BIT(NO_PROGRAM));
	assert_int_equal(got.actions, 1u << XDP_DROP);
	assert_true(got.packet.len == p->len &&
		    !memcmp(got.packet.data, p->data, p->len));
}

static void a_stranger_needs_no_other_program(void **state)
{
	const struct family *f = *state;
	const struct packet stranger = tcp(f->client, 1, f->stranger, 80);
	const struct packet ours = tcp(f->client, 1, f->vip, 80);
	const enum xdp_program part = PROGRAM_OF(f, xdp);

	serve(f, FORWARD_IPIP);
	world_hide_program(world, part);
	expect_reason(&stranger, NOT_OURS);
	expect_dropped(&ours);
	world_show_program(world, part);
	expect_reason(&ours, FORWARDED);
}

static void only_what_is_answered_needs_the_answering_one(void **state)
{
	const struct family *f = *state;
	const struct packet ping = echo_request(f->client, f->vip, 1, 1);
	const struct packet no_service = tcp(f->client, 1, f->vip, 81);
	const struct packet too_far = tcp(f->client, 1, f->vip, 80, .ttl = 1);
	const struct packet ours = tcp(f->client, 1, f->vip, 80);
	const enum xdp_program part = PROGRAM_OF(f, xdp_answer);

	serve(f, FORWARD_IPIP);
	world_hide_program(world, part);
	expect_dropped(&ping);
	expect_dropped(&no_service);
	expect_dropped(&too_far);
	expect_reason(&ours, FORWARDED);
	world_show_program(world, part);
	expect_reason(&ping, ECHO);
}

static void a_nat_connection_is_opened_by_another_one(void **state)
{
	const struct family *f = *state;
	const struct packet old = tcp(f->client, 1, f->vip, 80, .flags = SYN);
	const struct packet new = tcp(f->client, 2, f->vip, 80, .flags = SYN);
	const enum xdp_program part = XDP_PROGRAM_xdp_open;

	serve(f, FORWARD_NAT);
	expect_reason(&old, FORWARDED);
	world_hide_program(world, part);
	expect_reason(&old, FORWARDED);
	expect_dropped(&new);
	world_show_program(world, part);
	expect_reason(&new, FORWARDED);
}

static void errors_about_nat_are_translated_by_another_one(void **state)
{
	const struct family *f = *state;
	const struct packet syn = tcp(f->client, 5000, f->vip, 80,
				      .flags = SYN);
	const struct packet reply = tcp(f->vip, 80, f->client, 5000);
	const struct addr router = addr(f->router), vip = addr(f->vip);
	const struct packet error = icmp_error(&router, &vip, f->v6 ? 1 : 3, 0,
					       0, &reply, PACKET_MAX);
	const enum xdp_program part = PROGRAM_OF(f, xdp_icmp);

	serve(f, FORWARD_NAT);
	expect_reason(&syn, FORWARDED);
	world_hide_program(world, part);
	expect_dropped(&error);
	world_show_program(world, part);
	expect_reason(&error, ICMP_FORWARDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_stranger_needs_no_other_program),
		BOTH(only_what_is_answered_needs_the_answering_one),
		BOTH(a_nat_connection_is_opened_by_another_one),
		BOTH(errors_about_nat_are_translated_by_another_one),
	};

	return run_both(tests);
}
