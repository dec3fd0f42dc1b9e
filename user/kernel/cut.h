/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An IPv4 packet in pieces (RFC 791, 3.2), for a way that it does not fit.
 * Bytes to bytes: knows no BPF and sends nothing itself.
 */
#ifndef FAIRLEAD_CUT_H
#define FAIRLEAD_CUT_H

#include <stddef.h>

#include <fairlead/types.h>

/* frame is good until it returns. */
typedef void (*cut_send)(void *arg, const __u8 *frame, size_t len);

/*
 * A container's interface leaves the checksums of TCP and UDP to the device
 * that a packet leaves by: until then they are the pseudo-header's sum. Such a
 * one, of a whole packet, is made right, as pieces have none to complete; any
 * other stays as it is. frame has len bytes, and IPv4 at l3.
 */
void cut_complete(__u8 *frame, size_t len, size_t l3);

/*
 * frame's packet at l3 as pieces of mtu bytes at most, each behind the same
 * link-layer header; send gets them in order. -EMSGSIZE: it must not be cut
 * (DF), or mtu has no room for a header and 8 bytes. -EBADMSG: cut short, a
 * wrong header checksum, malformed options, or an offset past what a datagram
 * may have; then nothing was sent.
 */
int cut_ip4(const __u8 *frame, size_t len, size_t l3, size_t mtu,
	    cut_send send, void *arg);

#endif
