/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What random packets are made of, from one seed: who repeats the seed gets
 * them again. Shared by those who put such packets to a reference.
 */
#ifndef FAIRLEAD_TEST_CHANCE_H
#define FAIRLEAD_TEST_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "reference.h"

#define QUEUE_MAX 4
#define CHUNKS_MAX 200

/* Packets that come next, the last one first. */
struct queue {
	struct packet at[QUEUE_MAX];
	size_t count;
};

/* Seeds next to each other do not make worlds alike. */
void random_start(uint64_t seed);
uint32_t any(uint32_t below);
bool chance(uint32_t percent);

/* All of a packet but who talks to whom, and L4's flags. */
void any_shape(struct words *w);
uint8_t any_flags(void);		/* TCP's */
uint8_t any_chunk(void);		/* SCTP's first */
/* In place of the payload's pattern: chunks behind the first one, in at, which
 * has CHUNKS_MAX bytes. */
void more_chunks(struct words *w, uint8_t *at);

/* Cut p into up to four; all but the returned one come next. */
struct packet in_fragments(struct queue *q, const struct packet *p);

/* As the network or an enemy may spoil it. */
void spoil(struct packet *p);

/* Are right checksums right still? Else says which is not, to stderr. */
bool sums_kept(const struct packet *in, const struct outcome *got);

/* To stderr, to be put into a test of its own. */
void print_bytes(const struct packet *p);

#endif
