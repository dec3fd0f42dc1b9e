/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs that a packet reaches by a tail call. Those that are attached
 * (fl_xdp; fl_pod_in and its like) know strangers from packets of ours; each of
 * these has one task, for one family if it reads packets, and a verifier's
 * budget of its own. One row makes the program's place in the map xdp_programs
 * or tc_programs, which user/ fills: there it is called fl_<name>.
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
	X(xdp_again)	/* its flow begins where one of the same ended */ \
	X(xdp_send4)	/* sends it there */				\
	X(xdp_send6)							\
	X(xdp_fragment)	/* records its ports for later fragments */ \
	X(xdp_error4)	/* an ICMP error about a tunnel's packet */	\
	X(xdp_error6)

#define FAIRLEAD_TC_PROGRAMS(X)						\
	X(tc4)		/* translates what conns knows */		\
	X(tc6)								\
	X(tc_return4)	/* is it an answer to who knows the service only? */ \
	X(tc_return6)							\
	X(tc_open)	/* as xdp_open */				\
	X(tc_again)	/* as xdp_again */				\
	X(tc_anew)	/* all that was done, once more */		\
	X(tc_send4)	/* translates the packet, and sends it */	\
	X(tc_send6)							\
	X(tc_decap4)	/* another node has chosen a pod of ours for it */ \
	X(tc_decap6)							\
	X(tc_icmp4)	/* an ICMP error about a connection */		\
	X(tc_icmp6)							\
	X(tc_answer4)	/* turns it into its answer: RST, ICMP, echo */	\
	X(tc_answer6)							\
	X(tc_police_in)	/* what a pod sends, where workloads are policed */ \
	X(tc_police_out) /* and what is sent to one */			\
	X(tc_police4)	/* a stranger: is its flow known to be allowed? */ \
	X(tc_police6)							\
	X(tc_police_nat) /* and that of what is to be translated? */	\
	X(tc_police_flow) /* the same again, by those whom others replace */ \
	X(tc_judge)	/* if not: is it? */

enum xdp_program {
#define X(name) XDP_PROGRAM_##name,
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
	NR_XDP_PROGRAMS,
	/* the first of the programs that these replace, while connections go
	 * over from their table (user/kernel/dp_move.c); else none */
	XDP_PROGRAM_OLDER = NR_XDP_PROGRAMS,
	/* who knows connections of the proxy before us (bpf/takeover.bpf.c),
	 * while some of these are left; else none */
	XDP_PROGRAM_TAKEOVER,
	NR_XDP_PLACES,
};

enum tc_program {
#define X(name) TC_PROGRAM_##name,
	FAIRLEAD_TC_PROGRAMS(X)
#undef X
	NR_TC_PROGRAMS,
	TC_PROGRAM_OLDER = NR_TC_PROGRAMS,
	TC_PROGRAM_TAKEOVER,
	/* as OLDER: their fl_tc_police_flow */
	TC_PROGRAM_OLDER_POLICE,
	NR_TC_PLACES,
};

#endif
