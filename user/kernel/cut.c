// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See cut.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <linux/in.h>
#include <linux/ip.h>

#include "cut.h"

#define RESERVED 0x8000
#define DF	 0x4000
#define MF	 0x2000
#define OFFSET	 0x1fff

/* A header of 60 bytes at most: a copy, as those in frames lie unaligned. */
union head {
	struct iphdr ip;
	__u8 bytes[60];
};

static size_t head_len(const union head *h)
{
	return h->ip.ihl * 4;
}

/* The one's complement sum of the header, inverted: 0 if check is right. */
static __u16 head_check(const union head *h)
{
	__u32 sum = 0;

	for (size_t i = 0; i < head_len(h); i += 2)
		sum += h->bytes[i] << 8 | h->bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* False: it is not all there, or not as it was sent. */
static bool head_read(const __u8 *l3, size_t len, union head *ret)
{
	if (len < sizeof(ret->ip))
		return false;
	memcpy(&ret->ip, l3, sizeof(ret->ip));
	if (ret->ip.version != 4 || head_len(ret) < sizeof(ret->ip) ||
	    ntohs(ret->ip.tot_len) <= head_len(ret) ||
	    ntohs(ret->ip.tot_len) > len)
		return false;
	memcpy(ret->bytes, l3, head_len(ret));
	return !head_check(ret);
}

/*
 * The header of pieces behind the first: of the options, those alone that are
 * to be in each fragment (RFC 791, 3.1: the type's highest bit). False: an
 * option has no length or runs past the header.
 */
static bool head_later(const union head *whole, union head *ret)
{
	size_t at = sizeof(whole->ip), to = at, len;

	*ret = (union head){ .ip = whole->ip };
	for (; at < head_len(whole) && whole->bytes[at] != 0; at += len) {
		len = 1;	/* no operation */
		if (whole->bytes[at] == 1)
			continue;
		if (at + 1 == head_len(whole))
			return false;
		len = whole->bytes[at + 1];
		if (len < 2 || at + len > head_len(whole))
			return false;
		if (!(whole->bytes[at] & 0x80))
			continue;
		memcpy(ret->bytes + to, whole->bytes + at, len);
		to += len;
	}
	ret->ip.ihl = (to + 3) / 4;
	return true;
}

/* Turn h into the header of the len bytes from from on of whole's payload. */
static void head_piece(union head *h, const union head *whole, size_t from,
		       size_t len, bool is_last)
{
	__u16 old = ntohs(whole->ip.frag_off);
	__u16 more = is_last ? old & MF : MF;

	h->ip.frag_off = htons((old & RESERVED) | more |
			       ((old & OFFSET) + from / 8));
	h->ip.tot_len = htons(head_len(h) + len);
	h->ip.check = 0;
	h->ip.check = head_check(h);
}

static __u32 sum(const __u8 *at, size_t len)
{
	__u32 ret = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		ret += at[i] << 8 | at[i + 1];
	return len & 1 ? ret + (at[len - 1] << 8) : ret;
}

static __u16 fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Where the checksum is in l4; NULL: it has none, or not all is there. */
static __u8 *check_of(__u8 *l4, const union head *h, size_t len)
{
	if (ntohs(h->ip.frag_off) & (MF | OFFSET))
		return NULL;
	if (h->ip.protocol == IPPROTO_TCP)
		return len >= 20 ? l4 + 16 : NULL;
	if (h->ip.protocol == IPPROTO_UDP)
		return len >= 8 ? l4 + 6 : NULL;
	return NULL;
}

void cut_complete(__u8 *frame, size_t len, size_t l3)
{
	union head h = {};
	__u32 pseudo, all;
	__u8 *l4, *check;
	size_t l4_len;
	__u16 value;

	if (l3 >= len || !head_read(frame + l3, len - l3, &h))
		return;
	l4 = frame + l3 + head_len(&h);
	l4_len = ntohs(h.ip.tot_len) - head_len(&h);
	check = check_of(l4, &h, l4_len);
	if (!check)
		return;
	pseudo = sum(frame + l3 + 12, 8) + h.ip.protocol + l4_len;
	all = pseudo + sum(l4, l4_len);
	value = check[0] << 8 | check[1];
	if (fold(all) == 0xffff || value != fold(pseudo))
		return;
	value = ~fold(fold(all) + (__u16)~value);
	if (!value)
		value = 0xffff;
	check[0] = value >> 8;
	check[1] = value;
}

/* Would the last byte be at an offset that the header cannot say? */
static bool runs_over(const union head *h)
{
	size_t offset = (ntohs(h->ip.frag_off) & OFFSET) * 8;

	return offset + ntohs(h->ip.tot_len) > 0xffff;
}

int cut_ip4(const __u8 *frame, size_t len, size_t l3, size_t mtu,
	    cut_send send, void *arg)
{
	union head whole = {}, later, first, *h = &first;
	size_t payload, from, room, chunk;
	__u8 piece[EARLY_FRAGMENT_MAX];

	if (l3 >= len || len > sizeof(piece) ||
	    !head_read(frame + l3, len - l3, &whole) || runs_over(&whole) ||
	    !head_later(&whole, &later))
		return -EBADMSG;
	if (ntohs(whole.ip.frag_off) & DF || mtu < head_len(&whole) + 8)
		return -EMSGSIZE;
	payload = ntohs(whole.ip.tot_len) - head_len(&whole);
	memcpy(piece, frame, l3);
	first = whole;
	for (from = 0; from < payload; from += chunk, h = &later) {
		room = (mtu - head_len(h)) & ~7ul;
		chunk = payload - from < room ? payload - from : room;
		head_piece(h, &whole, from, chunk, from + chunk == payload);
		memcpy(piece + l3, h->bytes, head_len(h));
		memcpy(piece + l3 + head_len(h),
		       frame + l3 + head_len(&whole) + from, chunk);
		send(arg, piece, l3 + head_len(h) + chunk);
	}
	return 0;
}
