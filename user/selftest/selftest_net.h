/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The network of `selftest`: two network namespaces, of the balancer and of
 * everybody else, and two veth pairs between them.
 *
 *	outside                      balancer
 *	client  ────── veth ──────── in
 *	backend ────── veth ──────── out
 *
 * The process enters the balancer's and stays there. Nothing has a name that
 * outlives it: when it ends, in whatever way, all of this is gone.
 */
#ifndef FAIRLEAD_SELFTEST_NET_H
#define FAIRLEAD_SELFTEST_NET_H

#include <stddef.h>

#include <fairlead/types.h>

/* One end of a veth pair on the balancer, and a packet socket on the other. */
struct selftest_cable {
	__u32 ifindex;		/* the balancer's end */
	__u8 mac[6];
	__u8 far_mac[6];
	int socket;
};

struct selftest_net {
	struct selftest_cable in, out;
};

/* -errno; *ret_what: what could not be made. Not logged. */
int selftest_net_make(struct selftest_net *ret, const char **ret_what);

/* Send a frame from the far end; -errno. */
int selftest_net_send(const struct selftest_cable *c, const void *frame,
		      size_t len);

/* The next frame that arrived there: its length; 0: none for so long. */
int selftest_net_receive(const struct selftest_cable *c, void *frame,
			 size_t room, int timeout_ms);

/* A bpffs that nobody else sees, where the machine's is; -errno. */
int selftest_net_mount(void);

#endif
