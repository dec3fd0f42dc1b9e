// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See chance.h. */
#include <stdio.h>

#include "bytes.h"
#include "chance.h"
#include "world.h"

static uint64_t random_state;

void random_start(uint64_t seed)
{
	random_state = (seed + 1) * 0x9e3779b97f4a7c15ull;
	random_state ^= random_state >> 29;
}

uint32_t any(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * 0x2545f4914f6cdd1dull >> 32) * (uint64_t)below >>
	       32;
}

bool chance(uint32_t percent)
{
	return any(100) < percent;
}

/* Some with a length, or source routes, used up or not, behind others. */
static const uint8_t *any_options(void)
{
	static const uint8_t types[] = { 0, 1, 1, 7, 68, 131, 137, 148 };
	static uint8_t options[40];

	for (size_t i = 0; i < sizeof(options); i++)
		options[i] = chance(50) ? types[any(sizeof(types))] : any(16);
	return options;
}

void any_shape(struct words *w)
{
	bool v6 = addr_v6(&w->dst);

	w->payload = chance(90) ? any(80) : any(1400);
	w->tos = chance(70) ? 0 : any(256);
	w->ttl = 2 + any(254);
	w->df = chance(70);
	w->id = any(65536);
	w->label = any(1 << 20);
	w->seq = any(~0u);
	w->ack = any(~0u);
	w->tcp_options = chance(30) ? any(11) * 4 : 0;
	w->unsummed = !v6 && chance(20);
	w->options = chance(10) ? any(11) * 4 : 0;
	w->options_content = chance(50) ? any_options() : NULL;
	for (int i = 0; v6 && chance(15) && i < 3; i++)
		w->extensions[i] = 1 + any(chance(10) ? 5 : 4);
	for (uint32_t i = 0, n = chance(15) ? 1 + any(2) : 0; i < n; i++)
		w->vlan[i] = (struct vlan){ chance(80) ? 0x8100 : 0x88a8,
					    chance(70) ? CLIENT_VLAN :
							 any(4096) };
}

uint8_t any_flags(void)
{
	static const uint8_t flags[] = {
		SYN, SYN, ACK, ACK, ACK | PSH, ACK | PSH, FIN | ACK, RST,
		RST | ACK, SYN | ACK, 0, URG | ACK,
	};

	return chance(97) ? flags[any(sizeof(flags))] : any(256);
}

uint8_t any_chunk(void)
{
	static const uint8_t chunks[] = {
		SCTP_DATA, SCTP_DATA, SCTP_INIT, SCTP_INIT, SCTP_SACK,
		SCTP_ABORT, SCTP_SHUTDOWN, SCTP_SHUTDOWN_COMPLETE,
	};

	return chunks[any(sizeof(chunks))];
}

void more_chunks(struct words *w, uint8_t *at)
{
	static const uint8_t chunks[] = {
		SCTP_SACK, SCTP_ERROR, SCTP_COOKIE_ACK, SCTP_ABORT, SCTP_DATA,
	};

	w->first_chunk = 4 + any(30);
	for (int i = 0; i < CHUNKS_MAX; i++)
		at[i] = i % 4 ? 0 : chunks[any(5)];
	for (int i = 3; i < CHUNKS_MAX; i += 4)
		at[i] = 4 + (chance(20) ? any(5) : 0);
	w->content = at;
	w->payload = any(CHUNKS_MAX);
}

struct packet in_fragments(struct queue *q, const struct packet *p)
{
	struct layers l;
	struct packet first;
	size_t step, total;
	uint32_t id = any(~0u);

	packet_layers(p, &l);
	total = l.end - l.l4;
	step = (total / (2 + any(3)) + 15) & ~7ul;
	if (step < 24)
		step = 24;
	if (l.fragment || l.state != LAYERS_OK || step >= total)
		return *p;
	first = packet_fragment(p, 0, step, id);
	q->count = 0;
	for (size_t at = step; at < total && q->count < QUEUE_MAX; at += step)
		q->at[q->count++] = packet_fragment(p, at, step, id);
	if (chance(10)) {
		struct packet later = q->at[--q->count];

		q->at[q->count++] = first;
		return later;
	}
	return first;
}

void spoil(struct packet *p)
{
	static const uint16_t corners[] = { 0, 1, 0xffff, 0x8000, 20, 40 };
	size_t room = p->len < 140 ? p->len : 140;

	switch (any(4)) {
	case 0:
		for (uint32_t n = 1 + any(3); n; n--)
			p->data[any(room)] ^= 1 << any(8);
		break;
	case 1:
		p->len = ETH_LEN + any(p->len - ETH_LEN);
		break;
	case 2:
		put16(p->data + any(room / 2) * 2, corners[any(6)]);
		break;
	default:		/* padding, perhaps beyond what is allowed */
		memset(p->data + p->len, any(256), 64);
		p->len += any(64);
	}
}

bool sums_kept(const struct packet *in, const struct outcome *got)
{
	const char *wrong = packet_checksums_wrong(&got->packet);

	if (!wrong || got->reasons & REASON_BIT(NOT_OURS) ||
	    packet_checksums_wrong(in))
		return true;
	fprintf(stderr, "  right checksums became wrong: %s\n", wrong);
	return false;
}

void print_bytes(const struct packet *p)
{
	fprintf(stderr, "  bytes:");
	for (size_t i = 0; i < p->len && i < 200; i++)
		fprintf(stderr, "%s%02x", i % 4 ? "" : " ", p->data[i]);
	fputc('\n', stderr);
}
