/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The datapath once more: plain, slow and without limits. It knows services
 * as they were defined and slots as they are in the tables, keeps its own
 * connections, and says what must become of a packet. What the programs are
 * free to choose (a NAT port, a tunnel's source port, a random slot) it takes
 * from what they did, in the packet or in conns, after checking that they
 * were free to.
 */
#ifndef FAIRLEAD_TEST_REFERENCE_H
#define FAIRLEAD_TEST_REFERENCE_H

#include <fairlead/reasons.h>

#include "model/model.h"
#include "pkt.h"
#include "model/tables.h"

#define HOST_ADDRS_MAX 8
#define REFERENCE_MACS_MAX 16
#define REASON_BIT(name) (1ull << REASON_##name)

/* How much of a packet has an expectation. */
enum compare {
	COMPARE_FRAME,
	COMPARE_IP,	/* not the Ethernet header: the route decides that */
	COMPARE_NOTHING,
};

/* What became of a packet; or, with several bits, what may become of it. */
struct outcome {
	__u64 reasons;	/* REASON_BIT() */
	unsigned int actions;	/* 1 << XDP_*, of tc what comes to the same */
	enum compare compare;
	struct packet packet;
};

struct reference_service {
	struct service service;	/* as the tables have it */
	unsigned int prefix_len; /* bits of struct addr */
	struct slot *slots;	/* owned; those of the local set too */
	__u32 nr_slots;
	struct model_source *sources;	/* as they were defined; owned */
	size_t nr_sources;
};

/* A destination of frames that are for this host. */
struct reference_mac {
	uint8_t mac[MAC_LEN];
	int vlan;		/* 0: untagged; -1: whatever the tag */
};

/* The tc programs, by where they see a packet. */
enum tc_hook { TC_POD_IN, TC_POD_OUT, TC_UPLINK_IN, TC_UPLINK_OUT,
	       TC_HOST_OUT };

struct tc_place {
	enum tc_hook hook;
	__u32 ifindex;
	bool is_hosts;		/* TC_UPLINK_OUT: came in by no interface */
	__u32 gso_size;		/* many packets, of so much payload; 0: one */
};

struct reference;

/* Reads backends, links, runtime and vip_filter through t, which stays the
 * caller's, and conns where the packet alone does not show a free choice. */
struct reference *reference_new(struct tables *t, __u32 ifindex);
void reference_free(struct reference *r);

/* What is in force from now on; takes the slots. Connections stay. */
void reference_services(struct reference *r, struct reference_service *s,
			size_t count);
void reference_host_addrs(struct reference *r, const struct addr *addrs,
			  size_t count);
/* Which of them have node ports. */
void reference_node_addrs(struct reference *r, const struct addr *addrs,
			  size_t count);
void reference_macs(struct reference *r, const struct reference_mac *macs,
		    size_t count);

/* in arrived; got is what the programs made of it. */
void reference_packet(struct reference *r, const struct packet *in,
		      const struct outcome *got, struct outcome *want);

/* The same by one of tc's. What passes untouched, it counts as nothing. */
void reference_tc(struct reference *r, const struct tc_place *at,
		  const struct packet *in, const struct outcome *got,
		  struct outcome *want);

/* True if got is as wanted; else says why to stderr, if loud. */
bool outcome_ok(const struct outcome *want, const struct outcome *got,
		bool loud);

const char *reason_name(enum reason why);

#endif
