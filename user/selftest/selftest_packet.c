// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames as plain bytes, see selftest_packet.h. */
#include <stdbool.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "selftest_packet.h"

#define ETHER_BYTES 14
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define UDP_BYTES 8
#define GRE_BYTES 4
#define GENEVE_BYTES 8
#define PAYLOAD_BYTES 24	/* the token at its end */
#define GUE_PORT 6080
#define GENEVE_PORT 6081
#define ETHERTYPE_4 0x0800
#define ETHERTYPE_6 0x86dd

const char *const ARRIVAL_STRANGER = "the packet is another one";

static void put16(__u8 *p, __u16 x)
{
	p[0] = x >> 8;
	p[1] = x;
}

static __u16 get16(const __u8 *p)
{
	return p[0] << 8 | p[1];
}

static __u32 sum_add(__u32 sum, const __u8 *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	return len % 2 ? sum + (p[len - 1] << 8) : sum;
}

static __u16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Of IPv4 or IPv6 with UDP behind it, len bytes; 0: right. */
static __u16 udp_sum(const __u8 *l3, size_t len)
{
	bool v6 = l3[0] >> 4 == 6;
	size_t skip = v6 ? IPV6_BYTES : IPV4_BYTES;
	__u32 sum = IPPROTO_UDP + len - skip;

	sum = v6 ? sum_add(sum, l3 + 8, 32) : sum_add(sum, l3 + 12, 8);
	return sum_fold(sum_add(sum, l3 + skip, len - skip));
}

static void ip4_put(__u8 *p, const struct datagram *d, size_t len)
{
	p[0] = 0x45;
	put16(p + 2, len);
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	memcpy(p + 12, &d->src.word[3], 4);
	memcpy(p + 16, &d->dst.word[3], 4);
	put16(p + 10, sum_fold(sum_add(0, p, IPV4_BYTES)));
}

static void ip6_put(__u8 *p, const struct datagram *d, size_t len)
{
	p[0] = 0x60;
	put16(p + 4, len - IPV6_BYTES);
	p[6] = IPPROTO_UDP;
	p[7] = 64;
	memcpy(p + 8, &d->src, 16);
	memcpy(p + 24, &d->dst, 16);
}

size_t datagram_build(const struct datagram *d,
		      __u8 frame[static DATAGRAM_BYTES_MAX])
{
	const bool v6 = !addr_is4(&d->dst);
	size_t skip = v6 ? IPV6_BYTES : IPV4_BYTES;
	size_t len = skip + UDP_BYTES + PAYLOAD_BYTES;
	__u8 *l3 = frame + ETHER_BYTES, *udp = l3 + skip;
	__u16 sum;

	memset(frame, 0, ETHER_BYTES + len);
	memcpy(frame, d->to, 6);
	memcpy(frame + 6, d->from, 6);
	put16(frame + 12, v6 ? ETHERTYPE_6 : ETHERTYPE_4);
	if (v6)
		ip6_put(l3, d, len);
	else
		ip4_put(l3, d, len);
	put16(udp, d->sport);
	put16(udp + 2, d->dport);
	put16(udp + 4, UDP_BYTES + PAYLOAD_BYTES);
	memcpy(l3 + len - sizeof(d->token), &d->token, sizeof(d->token));
	sum = udp_sum(l3, len);
	put16(udp + 6, sum ? sum : 0xffff);
	return ETHER_BYTES + len;
}

/* An IP header and what is behind it. */
struct layer {
	struct addr src, dst;
	__u8 proto;
	const __u8 *next;
	size_t len;		/* of next */
};

static bool layer_parse(const __u8 *l3, size_t len, struct layer *ret)
{
	bool v6 = len && l3[0] >> 4 == 6;
	size_t skip = v6 ? IPV6_BYTES : IPV4_BYTES;
	__be32 ip[2];

	if (len < skip + UDP_BYTES || (!v6 && l3[0] != 0x45))
		return false;
	*ret = (struct layer){ .next = l3 + skip, .len = len - skip,
			       .proto = l3[v6 ? 6 : 9] };
	if (v6) {
		memcpy(&ret->src, l3 + 8, 16);
		memcpy(&ret->dst, l3 + 24, 16);
		return true;
	}
	memcpy(ip, l3 + 12, sizeof(ip));
	ret->src = addr_from4(ip[0]);
	ret->dst = addr_from4(ip[1]);
	return true;
}

/* How many bytes of a tunnel are before the inner packet; -1: it is not the
 * tunnel that it must be. */
static int tunnel_bytes(const struct arrival *want, const struct layer *outer)
{
	bool v6 = !addr_is4(&want->inner_dst);
	bool is_udp = outer->proto == IPPROTO_UDP;

	switch (want->forward) {
	case FORWARD_IPIP:
		return outer->proto == (v6 ? IPPROTO_IPV6 : IPPROTO_IPIP) ?
			       0 : -1;
	case FORWARD_GRE:
		return outer->proto == IPPROTO_GRE ? GRE_BYTES : -1;
	case FORWARD_GUE:
		return is_udp && get16(outer->next + 2) == GUE_PORT ?
			       UDP_BYTES : -1;
	case FORWARD_GENEVE:
		return is_udp && get16(outer->next + 2) == GENEVE_PORT ?
			       UDP_BYTES + GENEVE_BYTES : -1;
	default:
		return -1;
	}
}

static const char *judge_tunnel(const struct arrival *want,
				const struct layer *outer)
{
	int skip = tunnel_bytes(want, outer);
	struct layer inner;

	if (skip < 0 || (size_t)skip > outer->len)
		return "the packet came without its tunnel";
	if (!layer_parse(outer->next + skip, outer->len - skip, &inner) ||
	    addr_compare(&inner.dst, &want->inner_dst))
		return "the packet came with another packet in its tunnel";
	return udp_sum(outer->next + skip, outer->len - skip) ?
	       "the packet came with a wrong checksum" : NULL;
}

static const char *judge_nat(const struct arrival *want,
			     const struct layer *outer)
{
	if (addr_compare(&outer->src, &want->src))
		return "the packet came from another address";
	return get16(outer->next + 2) == want->dport ? NULL :
	       "the packet came to another port";
}

const char *arrival_judge(const struct arrival *want, const __u8 *frame,
			  size_t len)
{
	size_t bytes = sizeof(want->token);
	struct layer outer;

	if (len < ETHER_BYTES + bytes ||
	    memcmp(frame + len - bytes, &want->token, bytes) ||
	    !layer_parse(frame + ETHER_BYTES, len - ETHER_BYTES, &outer))
		return ARRIVAL_STRANGER;
	if (memcmp(frame, want->to, 6))
		return "the packet came to another MAC address";
	if (addr_compare(&outer.dst, &want->outer_dst))
		return "the packet came to another address";
	if (want->forward != FORWARD_NAT && want->forward != FORWARD_L2)
		return judge_tunnel(want, &outer);
	if (outer.proto != IPPROTO_UDP)
		return "the packet came as another protocol";
	if (udp_sum(frame + ETHER_BYTES, len - ETHER_BYTES))
		return "the packet came with a wrong checksum";
	return want->forward == FORWARD_NAT ? judge_nat(want, &outer) : NULL;
}

void datagram_answer(const __u8 *frame, struct datagram *ret)
{
	struct layer l;

	if (!layer_parse(frame + ETHER_BYTES, DATAGRAM_BYTES_MAX, &l))
		return;
	memcpy(ret->from, frame, 6);
	memcpy(ret->to, frame + 6, 6);
	ret->src = l.dst;
	ret->dst = l.src;
	ret->sport = get16(l.next + 2);
	ret->dport = get16(l.next);
}
