/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a service and a backend are chosen by. A packet fills it (parse.h), and
 * so can what is none: a socket that connects. */
#ifndef FAIRLEAD_BPF_LOOKUP_H
#define FAIRLEAD_BPF_LOOKUP_H

#include <fairlead/types.h>

/*
 * Verifier: it follows each 8 bytes of the stack as one thing. With the flags
 * of TCP among them, the flags that follow hash cost it 13 000 instructions
 * less in fl_xdp4 than with these in struct pkt, where a socket would have no
 * use for them either.
 */
struct lookup {
	struct flow flow;	/* of the packet, or that an error quotes */
	__u64 dst_sum;		/* hash_dst() */
	__u64 hash;		/* flow_hash() */
	__u8 opens;		/* first packet of a connection: SYN, INIT */
	__u8 closes;		/* FIN, RST, ABORT */
	__u8 tcp_flags;
	__u8 is_error;		/* ICMP; flow is the quoted one's, turned */
	__u8 offers;		/* of a backend: see struct pkt's number */
	__u8 new_conn;		/* found out: it is one */
	__u8 unrecorded;	/* likewise: conns had no room for it */
	__u8 is_tunnelled;	/* to a node port of the node that sends it, at
				 * its address */
};

#endif
