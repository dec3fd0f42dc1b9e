/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a packet left the datapath. One list makes the enum, the names that
 * `fairlead status` prints, the metric label and the table in the manual.
 * Append only: the numbers are indexes into pinned counters.
 */
#ifndef FAIRLEAD_REASONS_H
#define FAIRLEAD_REASONS_H

#include <linux/types.h>

/*        name             verdict  what it tells an operator */
#define FAIRLEAD_REASONS(X)							\
	X(NOT_IP,          PASS,    "neither IPv4 nor IPv6")			\
	X(NOT_OURS,        PASS,    "not for a service")			\
	X(FORWARDED,       FORWARD, "sent to a backend")			\
	X(RETURNED,        FORWARD, "reply of a backend, sent to its client")	\
	X(ICMP_FORWARDED,  FORWARD, "ICMP error, sent where its flow goes")	\
	X(LOCAL,           PASS,    "given to a backend on this host")		\
	X(NO_SOURCE,       DROP,    "no address of this host to send from to the backend") \
	X(HOST_PORT,       PASS,    "no service at this port of an address the host owns") \
	X(NO_CONN,         PASS,    "no connection at this port of a NAT address") \
	X(ECHO,            REPLY,   "answered: echo request to a service address") \
	X(NO_SERVICE,      REPLY,   "rejected: no service at this port of a service address") \
	X(NO_BACKEND,      REPLY,   "rejected: the service has no usable backend") \
	X(TOO_BIG,         REPLY,   "rejected: does not fit the way to the backend") \
	X(HOPS_EXCEEDED,   REPLY,   "rejected: hop limit reached zero")		\
	X(UNANSWERED,      DROP,    "would be rejected, but must not be answered") \
	X(TRUNCATED,       DROP,    "a header runs past the packet")		\
	X(BAD_HEADER,      DROP,    "a header contradicts itself")		\
	X(BAD_ADDR,        DROP,    "source address that nobody can have")	\
	X(PROTOCOL,        DROP,    "protocol that services do not speak")	\
	X(FRAGMENT_EARLY,  DROP,    "fragment before its first one, kept for it") \
	X(FRAGMENT_LOST,   DROP,    "fragment before its first one, no room to keep it") \
	X(ICMP_UNRELATED,  DROP,    "ICMP about no flow of a service")		\
	X(NO_PORT,         DROP,    "NAT: no source port left towards this backend") \
	X(NO_ROOM,         DROP,    "NAT: no room in the table of connections") \
	X(NO_NEXT_HOP,     DROP,    "no way to the backend, or back to the client")			\
	X(INTERNAL,        DROP,    "the kernel refused a step that cannot fail") \
	X(CUT,             DROP,    "too big for the way to the backend, sent on in pieces") \
	X(SOURCE,          DROP,    "source address that the service does not admit") \
	X(NO_PROGRAM,      DROP,    "a part of the datapath is not where it is looked for") \
	X(OTHER_MAC,       PASS,    "to a MAC address that is not this interface's") \
	X(LIMITED,         DROP,    "would be rejected, but enough answers went out this second") \
	X(UNRECORDED,      FORWARD, "sent to a backend by its hash: no room in the table of connections") \
	X(TUNNEL_ERROR,    PASS,    "ICMP error about a tunnel's packet, which the path's MTU is learned from") \
	X(ROUTED,          REPLY,   "rejected: a routing header asks to send it on") \
	X(NO_LOCAL,        DROP,    "no usable backend on this host, but the policy asks for one") \
	X(OWN_SOURCE,      DROP,    "source address that is our own: a VIP, the host's, or NAT's") \
	X(HANDED_ON,       PASS,    "left to the tc program of the interface, which reaches pods") \
	X(SOCKET,          FORWARD, "a socket's request, given to a backend: its packets go there by themselves") \
	X(POLICY,          DROP,    "a network policy does not allow it")	\
	X(SPOOFED,         DROP,    "from a workload, but not from an address of its own") \
	X(CLOSED,          DROP,    "of a workload whose policy is not known yet") \
	X(WORKLOAD_LIMIT,  DROP,    "more than the workload's limits allow")	\
	X(STRAY_TUNNEL,    DROP,    "in a tunnel from another node, but of no service that goes in tunnels")

enum verdict {
	VERDICT_PASS,		/* to the host, as it is now */
	VERDICT_FORWARD,	/* out, to where the decision says */
	VERDICT_REPLY,		/* back out where it came from */
	VERDICT_DROP,
};

enum reason {
	REASON_NONE = -1,	/* not an outcome: carry on */
#define X(name, verdict, text) REASON_##name,
	FAIRLEAD_REASONS(X)
#undef X
	NR_REASONS,
};

_Static_assert(NR_REASONS <= 64, "two bits each in two words");

/* Two bits for each reason: a shift instead of a switch of them all. */
static inline __attribute__((always_inline, unused)) enum verdict
reason_verdict(enum reason why)
{
#define X(name, verdict, text)						\
	| (REASON_##name / 32 == WORD ?					\
		   (__u64)VERDICT_##verdict << 2 * (REASON_##name & 31) : 0)
#define WORD 0
	const __u64 low = 0ull FAIRLEAD_REASONS(X);
#undef WORD
#define WORD 1
	const __u64 high = 0ull FAIRLEAD_REASONS(X);
#undef WORD
#undef X
	if (why < 0 || why >= NR_REASONS)
		return VERDICT_DROP;
	return (why < 32 ? low : high) >> 2 * (why & 31) & 3;
}

#endif
