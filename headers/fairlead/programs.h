/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs that a packet reaches by a tail call. fl_xdp knows strangers
 * from packets of ours; each of these has one task, for one family if it
 * reads packets, and a verifier's budget of its own. One row makes the program's place in the map
 * xdp_programs, which user/ fills: there it is called fl_<name>.
 */
#ifndef FAIRLEAD_PROGRAMS_H
#define FAIRLEAD_PROGRAMS_H

/* name          what it does for a packet of ours */
#define FAIRLEAD_XDP_PROGRAMS(X)					\
	X(xdp4)		/* balances it */				\
	X(xdp6)								\
	X(xdp_answer4)	/* turns it into its answer: RST, ICMP, echo */	\
	X(xdp_answer6)							\
	X(xdp_icmp4)	/* an ICMP error about a NAT connection */	\
	X(xdp_icmp6)							\
	X(xdp_open)	/* decides where its flow goes, and records it */ \
	X(xdp_send4)	/* sends it there */				\
	X(xdp_send6)							\
	X(xdp_fragment)	/* records its ports for later fragments */ \
	X(xdp_error4)	/* an ICMP error about a tunnel's packet */	\
	X(xdp_error6)

enum xdp_program {
#define X(name) XDP_PROGRAM_##name,
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
	NR_XDP_PROGRAMS,
};

#endif
