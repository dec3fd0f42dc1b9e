/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tests of the datapath as sentences, each once for IPv4 and once for IPv6:
 * who talks to whom has a name, and every packet that is run is put to the
 * reference as well.
 */
#ifndef FAIRLEAD_TEST_FAMILY_H
#define FAIRLEAD_TEST_FAMILY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/bpf.h>

#include "bytes.h"
#include "world.h"

struct family {
	bool v6;
	const char *client, *client2, *vip, *vip2, *stranger, *router;
	const char *backend, *backend2, *backend3;
	const char *nat;	/* our source towards backends */
	const char *outer4, *outer6; /* ends of tunnels */
};

extern const struct family families[2];
extern struct world *world;

int open_world(void **state);	/* group setup */
int close_world(void **state);
int fresh_world(void **state);

#define BOTH(f)								\
	{ #f ", IPv4", f, fresh_world, NULL, (void *)&families[0] },	\
	{ #f ", IPv6", f, fresh_world, NULL, (void *)&families[1] }

#define run_both(tests)							\
	cmocka_run_group_tests(tests, open_world, close_world)

/* Run in; fails unless the reference agrees and this is the reason. */
struct outcome expect_reason_at(const struct packet *in, enum reason why,
				const char *file, int line);
#define expect_reason(in, why)						\
	expect_reason_at(in, REASON_##why, __FILE__, __LINE__)

/* ... and the packet, whole. */
void expect_packet_at(const struct packet *in, enum reason why,
		      const struct packet *want, const char *file, int line);
#define expect_packet(in, why, want)					\
	expect_packet_at(in, REASON_##why, want, __FILE__, __LINE__)

/* Passed on without a byte changed. */
#define expect_untouched(in, why) expect_packet(in, why, in)

/* Which backend a packet was sent to, in l2 mode. */
struct addr sent_to(const struct packet *in);

/* The MAC that the world gives a backend, in a frame to it by a link. */
struct packet framed_to(const struct packet *p, const char *backend, int link);

#define assert_addr(a, text) do {					\
	struct addr x_ = (a), y_ = addr(text);				\
	assert_memory_equal(&x_, &y_, sizeof(x_));			\
} while (0)

#endif
