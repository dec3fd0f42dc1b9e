// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a frame that the datapath hands to user space: cut in pieces,
 * and as an ICMP error about a tunnel's packet. Each in a buffer of its exact
 * size, so that a byte read too far is seen. Of the error the checksum is made
 * right, and what is looked up is made to be found, as no fuzzer guesses that.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "bytes.h"
#include "engine/reconcile.h"
#include "fake_tables.h"
#include "kernel/cut.h"
#include "pkt.h"

#define OURS 0x0a090901u	/* 10.9.9.1 */
#define BACKEND 0x0a010001u	/* 10.1.0.1 */
#define VIP 0x0a600001u		/* 10.96.0.1 */

static struct fake *fake;
static struct state *state;

static void set_up(void)
{
	struct model *m = model_new();
	struct reconcile_result result;
	char text[RECONCILE_TEXT_MAX];

	fake = fake_new((struct fake_sizes){ 16, 16, 1 << 12, 16, 16 });
	if (!m || state_load(&fake->t, 1, &state, NULL))
		abort();
	fake_service(m, "web", VIP, 80, IPPROTO_TCP)->forward = FORWARD_IPIP;
	fake_backend(m->services[0], BACKEND, 0, 100);
	m->tunnel4 = fake_addr4(OURS);
	if (reconcile(state, m, 1, &result, text))
		abort();
	model_free(m);
}

static void count(void *arg, const __u8 *frame, size_t len)
{
	*(size_t *)arg += len + frame[len - 1] % 1;
}

/* IPv4 in an untagged frame: from a router to us, about our own to a
 * backend. */
static void make_found(uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + ETH_LEN;
	size_t end;

	if (len < ETH_LEN + 20 + 8 + 20 || get16(frame + 12) != 0x0800 ||
	    ip[0] != 0x45)
		return;
	put32(ip + 16, OURS);
	put32(ip + 28 + 12, OURS);
	put32(ip + 28 + 16, BACKEND);
	end = get16(ip + 2);
	if (end < 48 || end > len - ETH_LEN)
		return;
	put16(ip + 22, 0);
	put16(ip + 22, ~fold16(sum16(0, ip + 20, end - 20)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path_mtu_answer answer;
	uint8_t *frame;
	size_t sent = 0;

	if (!state)
		set_up();
	if (size < 3 || size > EARLY_FRAGMENT_MAX)
		return 0;
	size -= 2;
	frame = malloc(size);
	if (!frame)
		return 0;
	memcpy(frame, data + 2, size);
	cut_ip4(frame, size, ETH_LEN, get16(data), count, &sent);
	path_mtu_learn(state, frame, size, 2, &answer);
	make_found(frame, size);
	path_mtu_learn(state, frame, size, 2, &answer);
	if (answer.len > PATH_MTU_ANSWER_MAX)
		abort();
	path_mtu_expire(state, 2 + PATH_MTU_S);
	free(frame);
	return 0;
}
