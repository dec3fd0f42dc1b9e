/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by the reference's own files; nobody else includes it. */
#ifndef FAIRLEAD_TEST_REFERENCE_IMPL_H
#define FAIRLEAD_TEST_REFERENCE_IMPL_H

#include <fairlead/conn.h>
#include <fairlead/decide.h>

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
	bool begun_anew;	/* closing, and its client has sent a SYN */
	bool nat;
	bool masks;		/* the client: nat_addr is one of ours */
	struct addr nat_addr;
	__be16 nat_port;
	struct addr server;	/* NAT: where the backend is */
	__be16 server_port;
	__u32 link;		/* NAT: where its client last came in, */
	uint8_t mac[MAC_LEN];	/* and from whom; */
	bool is_hosts;		/* the host itself sent it */
	bool outlives;		/* it goes on when its service is no more */
	enum forward tunnel;	/* of a node's choice: how its packets go on, */
	bool from_dialled;	/* and from where */
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
	const struct tc_place *at;	/* NULL: fl_xdp */
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

/* Who sent the packet, to a node's services. */
enum origin origin_of(const struct step *s);
/* The host itself did, and the last hook before the wire sees it. */
bool is_hosts(const struct step *s);
bool addr_within(const struct addr *a, const struct addr *net,
		 unsigned int len);

/* The parts of what becomes of a packet: to an address that may be ours; what
 * of one was for us, whole or not. */
void step_begin(struct step *s);
void arrived(struct step *s);
bool is_icmp(const struct layers *l);
bool is_transport(uint8_t proto);
/* Sets s->flow's ports, or the expectation. */
bool ports_wrong(struct step *s);
bool quoted_flow(struct step *s);
/* To follow what it quotes is neither asked for nor wrong. */
bool is_quote_vague(const struct step *s);
/* Nobody could walk through its headers, or a fault is in them. */
bool is_unreadable(const struct step *s);
bool later_fragment_ports(struct step *s);
void first_fragment(struct step *s);
void backend_seen(const struct step *s, struct memory *m);
struct memory *reply_memory(const struct step *s);

void expect(struct step *s, enum reason why);
void expect_or(struct step *s, enum reason why);
void reject(struct step *s, enum reason why);
/* Whether no answer may go to where the packet came from. */
bool is_unanswerable(const struct step *s);
/* The answer that is due is not made, as it was one too many, or about a broken
 * header: then the expectation is set. */
bool is_silent(struct step *s);

/* Some of these may happen; no expectation of the packet. */
void expect_vague(struct step *s, __u64 reasons);

/* Make want's packet; it is in's copy on entry. */
void answer_reset(struct step *s);
void answer_error(struct step *s, uint8_t type, uint8_t code, uint32_t rest);
void answer_echo(struct step *s);
void forward(struct step *s, __u32 backend);
/* How: as its service has it, or as the flow was begun. */
enum forward forward_of(const struct step *s);
void give_back(struct step *s, const struct memory *m);
/* The same by tc, on a node. */
void node_forward(struct step *s, __u32 backend);
void node_give_back(struct step *s, const struct memory *m);
/* Steps of both: the translation, in want's packet but for checksums and the
 * frame; false: there is none, and the expectation is set. */
bool forward_nat(struct step *s, __u32 backend);
void readdress(struct step *s, const struct addr *src, __be16 sport,
	       const struct addr *dst, __be16 dport);
void seal_all(struct step *s);
void fewer_hops(struct step *s);
bool may_fragment(const struct step *s);
void too_big(struct step *s, size_t mtu);
void cut(struct step *s);
size_t way_mtu(const struct step *s, const struct backend *b,
	       size_t overhead);
/* The link of the interface and VLAN that the packet came in by; 0: none. */
__u32 link_in(const struct step *s);
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
