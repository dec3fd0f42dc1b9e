/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the reference's own files; nobody else includes it. */
#ifndef FAIRLEAD_TEST_REFERENCE_IMPL_H
#define FAIRLEAD_TEST_REFERENCE_IMPL_H

#include <fairlead/conn.h>

#include "reference.h"

#define CANDIDATES_MAX 64
#define MEMORY_BUCKETS 512

/* What is remembered of a flow. */
struct memory {
	struct memory *next;
	struct flow flow;
	__u32 backend, generation;
	__be16 sport, dport;	/* of a fragment, and its L4 */
	uint8_t proto;
	enum conn_state state;	/* half: may make room, its port too */
	uint32_t offered;	/* by the backend, for the client to confirm */
	bool client_fin, backend_fin;	/* live, but one side has closed; both
					 * have, or it was reset: closing */
	bool nat;
	struct addr nat_addr;
	__be16 nat_port;
	struct addr server;	/* NAT: where the backend is */
	__be16 server_port;
};

struct reference {
	struct tables *tables;
	__u32 ifindex;		/* where packets arrive */
	struct reference_service *services;
	size_t nr_services;
	struct addr host_addrs[HOST_ADDRS_MAX];
	size_t nr_host_addrs;
	struct addr node_addrs[HOST_ADDRS_MAX];
	size_t nr_node_addrs;
	struct reference_mac macs[REFERENCE_MACS_MAX];
	size_t nr_macs;
	struct memory *buckets[MEMORY_BUCKETS];
	size_t nr_memories;
};

/* One packet on its way. */
struct step {
	struct reference *r;
	const struct packet *in;
	const struct outcome *got;
	struct outcome *want;
	struct layers l;	/* in's */
	struct layers quote;	/* of an ICMP error in in */
	struct flow flow;
	bool is_error;
	bool opens;		/* SYN, INIT */
	bool closes;		/* FIN, RST; ABORT, SHUTDOWN COMPLETE */
	bool is_fin;		/* the first of them */
	bool keeps;		/* conns decide */
	bool known;		/* ... and did */
	uint8_t tcp_flags;
	bool offers;		/* a backend does, if it is one's: number */
	uint32_t number;	/* what a client confirms, otherwise */
	const struct reference_service *service;
	__u32 candidates[CANDIDATES_MAX];
	size_t nr_candidates;
};

void expect(struct step *s, enum reason why);
void expect_or(struct step *s, enum reason why);
void reject(struct step *s, enum reason why);
/* Whether no answer may go to where the packet came from. */
bool is_unanswerable(const struct step *s);
/* The answer that is due is not made, as it was one too many, or about a broken
 * header: then the expectation is set. */
bool is_silent(struct step *s);

/* Make want's packet; it is in's copy on entry. */
void answer_reset(struct step *s);
void answer_error(struct step *s, uint8_t type, uint8_t code, uint32_t rest);
void answer_echo(struct step *s);
void forward(struct step *s, __u32 backend);
void give_back(struct step *s, const struct memory *m);
/* Is there a link for the interface and VLAN that the packet came in by? */
bool replies_can_leave(const struct step *s);
uint8_t hop_limit(const struct step *s);

struct memory *memory_find(struct reference *r, const struct flow *f);
/* The client's flow whose replies look like f. */
struct memory *memory_find_reply(struct reference *r, const struct flow *f);
/* Replaces what is there. */
struct memory *memory_put(struct reference *r, const struct flow *f,
			  const struct memory *m);
void memory_drop(struct reference *r, const struct flow *f);
/* More than a bucket of conns holds: some may have had to make room. */
bool memory_is_much(const struct reference *r);

/* What the programs have recorded of f. False: nothing. */
bool recorded(const struct reference *r, const struct flow *f,
	      struct conn *ret);

#endif
