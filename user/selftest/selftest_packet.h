/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams for `selftest`, as frames, and what must have become of one that
 * went through a service. Plain bytes: no kernel in here.
 */
#ifndef FAIRLEAD_SELFTEST_PACKET_H
#define FAIRLEAD_SELFTEST_PACKET_H

#include <stddef.h>

#include <fairlead/types.h>

struct datagram {
	__u8 from[6], to[6];	/* MAC addresses */
	struct addr src, dst;
	__u16 sport, dport;	/* host order */
	__u32 token;		/* tells it from all others */
};

#define DATAGRAM_BYTES_MAX 128

/* Returns its length. */
size_t datagram_build(const struct datagram *d,
		      __u8 frame[static DATAGRAM_BYTES_MAX]);

/* What must arrive. Tunnels of the default ports. */
struct arrival {
	enum forward forward;	/* FORWARD_NAT: of answers as well */
	__u8 to[6];		/* MAC address */
	struct addr outer_dst;	/* NAT: the new one; l2: as inner */
	struct addr inner_dst;	/* tunnels alone */
	struct addr src;	/* NAT alone */
	__u16 dport;		/* NAT alone */
	__u32 token;
};

/* NULL: as it must be. Else what is wrong with it; ARRIVAL_STRANGER (the same
 * pointer): it is not the datagram that was sent. */
extern const char *const ARRIVAL_STRANGER;
const char *arrival_judge(const struct arrival *want, const __u8 *frame,
			  size_t len);

/* The answer to a datagram that arrived as it must, from where it arrived. */
void datagram_answer(const __u8 *frame, struct datagram *ret);

#endif
