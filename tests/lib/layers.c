// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads packets back: layers, checksums, a line of text, a comparison. Written
 * from the RFCs, with nothing of bpf/ in it, so that it can disagree.
 */
#include <stdio.h>

#include <arpa/inet.h>

#include "bytes.h"
#include "pkt.h"

static struct addr addr_from_wire(const uint8_t *p, bool v6)
{
	struct addr a = { .word = { 0, 0, htonl(0xffff), 0 } };

	if (v6)
		memcpy(&a, p, 16);
	else
		memcpy(&a.word[3], p, 4);
	return a;
}

/*
 * RFC 791, 3.1: options of one byte are 0, which ends them, and 1; others have
 * a length. Of loose and strict source routes, the third byte says where the
 * next address stands; none is left if that is behind the option.
 */
static bool is_source_routed(const uint8_t *option, const uint8_t *end)
{
	while (option < end && option[0]) {
		size_t room = end - option, len = room > 1 ? option[1] : 0;

		if (option[0] == 1) {
			option++;
			continue;
		}
		if (len < 2)
			return false;
		if ((option[0] == 131 || option[0] == 137) &&
		    (len < 3 || room < 3 || option[2] <= len))
			return true;
		if (len > room)
			return false;
		option += len;
	}
	return false;
}

static void layers_ip4(const uint8_t *data, size_t limit, struct layers *l)
{
	const uint8_t *ip = data + l->l3;
	size_t room = limit - l->l3, header, total;
	uint16_t fragment;

	if (room < 20)
		return;
	l->src = addr_from_wire(ip + 12, false);
	l->dst = addr_from_wire(ip + 16, false);
	header = (ip[0] & 15) * 4;
	total = get16(ip + 2);
	fragment = get16(ip + 6);
	l->fragment = fragment & 0x3fff;
	l->more = fragment & 0x2000;
	l->fragment_offset = (fragment & 0x1fff) * 8;
	l->fragment_id = get16(ip + 4);
	l->proto = ip[9];
	l->next_at = l->l3 + 9;
	l->l4 = l->l3 + header;
	l->end = l->l3 + total;
	l->state = LAYERS_OK;
	if (ip[0] >> 4 != 4 || header < 20 || total < header)
		l->state = LAYERS_BAD;
	else if (total > room)
		l->state = LAYERS_TRUNCATED;
	else
		l->source_routed = is_source_routed(ip + 20, ip + header);
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_DSTOPTS || proto == IPPROTO_FRAGMENT;
}

/* The header at l->l4; false: it does not end before end. */
static bool layers_extension(const uint8_t *data, size_t end, struct layers *l)
{
	const uint8_t *at = data + l->l4;
	size_t size = 8;

	if (l->l4 + 8 > end)
		return false;
	if (l->proto == IPPROTO_FRAGMENT && get16(at + 2) & 0xfff9) {
		l->fragment = true;
		l->more = at[3] & 1;
		l->fragment_offset = get16(at + 2) & 0xfff8;
		l->fragment_id = get32(at + 4);
	} else if (l->proto != IPPROTO_FRAGMENT) {
		size = 8 + at[1] * 8;
	}
	if (l->l4 + size > end)
		return false;
	if (l->proto == IPPROTO_ROUTING && at[3] && !l->routed)
		l->routed = l->l4 + 2;
	l->proto = at[0];
	l->next_at = l->l4;
	l->l4 += size;
	return true;
}

/* Nobody cuts what is cut already: what such a header is before, only who puts
 * all together twice could say. */
static bool is_part_of_part(const uint8_t *data, size_t end,
			    const struct layers *l)
{
	return l->fragment && l->proto == IPPROTO_FRAGMENT &&
	       l->l4 + 8 <= end && get16(data + l->l4 + 2) & 0xfff9;
}

/* The chain of extension headers, up to what is none or a later fragment. */
static bool layers_extensions(const uint8_t *data, size_t end,
			      struct layers *l)
{
	while (is_extension(l->proto) && !l->fragment_offset) {
		if (is_part_of_part(data, end, l))
			return true;
		l->extensions++;
		if (!layers_extension(data, end, l))
			return false;
	}
	return true;
}

static void layers_ip6(const uint8_t *data, size_t limit, struct layers *l)
{
	const uint8_t *ip = data + l->l3;
	size_t room = limit - l->l3;

	if (room < 40)
		return;
	l->src = addr_from_wire(ip + 8, true);
	l->dst = addr_from_wire(ip + 24, true);
	l->proto = ip[6];
	l->next_at = l->l3 + 6;
	l->l4 = l->l3 + 40;
	l->end = l->l4 + get16(ip + 4);
	l->state = l->end > limit ? LAYERS_TRUNCATED : LAYERS_OK;
	if (ip[0] >> 4 != 6)
		l->state = LAYERS_BAD;
	else if (!layers_extensions(data, l->end < limit ? l->end : limit, l))
		l->state = LAYERS_TRUNCATED;
}

void packet_layers_ip(const struct packet *p, size_t l3, size_t limit,
		      bool v6, struct layers *ret)
{
	size_t vlans = ret->vlans;
	uint16_t eth_proto = ret->eth_proto;

	*ret = (struct layers){ .vlans = vlans, .eth_proto = eth_proto,
				.l3 = l3, .v6 = v6, .state = LAYERS_NO_DST };
	if (l3 > limit)
		return;
	if (v6)
		layers_ip6(p->data, limit, ret);
	else
		layers_ip4(p->data, limit, ret);
}

void packet_layers(const struct packet *p, struct layers *ret)
{
	size_t at = ETH_LEN;

	*ret = (struct layers){ .state = LAYERS_NOT_IP };
	if (p->len < ETH_LEN)
		return;
	ret->eth_proto = get16(p->data + 12);
	while (ret->vlans < VLANS_MAX && at + VLAN_LEN <= p->len &&
	       (ret->eth_proto == 0x8100 || ret->eth_proto == 0x88a8)) {
		ret->eth_proto = get16(p->data + at + 2);
		at += VLAN_LEN;
		ret->vlans++;
	}
	if (ret->eth_proto == 0x0800 || ret->eth_proto == 0x86dd)
		packet_layers_ip(p, at, p->len, ret->eth_proto == 0x86dd, ret);
}

uint32_t sum16(uint32_t start, const uint8_t *p, size_t len)
{
	for (; len > 1; len -= 2, p += 2) {
		start += get16(p);
		start = (start & 0xffff) + (start >> 16);
	}
	if (len)
		start += p[0] << 8;
	return start;
}

uint16_t fold16(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

size_t checksum_offset(uint8_t proto, bool v6)
{
	switch (proto) {
	case IPPROTO_TCP: return 16;
	case IPPROTO_UDP: return 6;
	case IPPROTO_ICMP: return v6 ? 0 : 2;
	case IPPROTO_ICMPV6: return v6 ? 2 : 0;
	default: return 0;
	}
}

/* What an L4 checksum starts from; ICMP of IPv4 has no pseudo header. */
static uint32_t pseudo_sum(const uint8_t *data, const struct layers *l)
{
	uint32_t sum = l->proto + (l->end - l->l4);

	if (l->v6)
		return sum16(sum, data + l->l3 + 8, 32);
	if (l->proto == IPPROTO_ICMP)
		return 0;
	return sum16(sum, data + l->l3 + 12, 8);
}

static uint16_t l4_sum(const uint8_t *data, const struct layers *l)
{
	return fold16(sum16(pseudo_sum(data, l), data + l->l4,
			    l->end - l->l4));
}

static uint32_t sctp_crc(const uint8_t *data, const struct layers *l)
{
	uint8_t copy[PACKET_MAX];
	size_t len = l->end - l->l4;

	memcpy(copy, data + l->l4, len);
	memset(copy + 8, 0, 4);
	return crc32c(copy, len);
}

void packet_sum_ip4(struct packet *p, size_t l3)
{
	uint8_t *ip = p->data + l3;

	put16(ip + 10, 0);
	put16(ip + 10, ~fold16(sum16(0, ip, (ip[0] & 15) * 4)));
}

void packet_sum(struct packet *p)
{
	struct layers l;
	size_t at;
	uint16_t sum;

	packet_layers(p, &l);
	if (l.state != LAYERS_OK)
		return;
	if (!l.v6)
		packet_sum_ip4(p, l.l3);
	if (l.fragment)
		return;
	if (l.proto == IPPROTO_SCTP && l.end - l.l4 >= 12) {
		uint32_t crc = htole32(sctp_crc(p->data, &l));

		memcpy(p->data + l.l4 + 8, &crc, 4);
		return;
	}
	at = checksum_offset(l.proto, l.v6);
	if (!at || l.l4 + at + 2 > l.end)
		return;
	put16(p->data + l.l4 + at, 0);
	sum = ~l4_sum(p->data, &l);
	if (!sum && l.proto == IPPROTO_UDP)
		sum = 0xffff;
	put16(p->data + l.l4 + at, sum);
}

static const char *ip_wrong(const struct packet *p, const struct layers *l);

/* What a tunnel's or an ICMP error's payload says, from at to end. A quoted
 * SCTP checksum stays as it was when NAT changes what it covers. */
static const char *inner_wrong(const struct packet *p, size_t at, size_t end,
			       bool quote)
{
	struct layers l = {};

	if (at >= end)
		return NULL;
	packet_layers_ip(p, at, end, p->data[at] >> 4 == 6, &l);
	if (l.state == LAYERS_OK && !(quote && l.proto == IPPROTO_SCTP))
		return ip_wrong(p, &l);
	if (quote && l.state == LAYERS_TRUNCATED && !l.v6 &&
	    l.l4 <= end &&
	    fold16(sum16(0, p->data + l.l3, l.l4 - l.l3)) != 0xffff)
		return "IP header within an ICMP error";
	return NULL;
}

static bool is_error(const struct layers *l, uint8_t type)
{
	if (l->v6)
		return l->proto == IPPROTO_ICMPV6 && type >= 1 && type <= 4;
	return l->proto == IPPROTO_ICMP &&
	       (type == 3 || type == 11 || type == 12);
}

static const char *payload_wrong(const struct packet *p,
				 const struct layers *l)
{
	const uint8_t *l4 = p->data + l->l4;

	switch (l->proto) {
	case IPPROTO_IPV4:
	case IPPROTO_IPV6:
		return inner_wrong(p, l->l4, l->end, false);
	case IPPROTO_GRE:
		return inner_wrong(p, l->l4 + 4, l->end, false);
	case IPPROTO_UDP:
		if (get16(l4 + 2) == 6080)
			return inner_wrong(p, l->l4 + 8, l->end, false);
		if (get16(l4 + 2) == 6081)
			return inner_wrong(p, l->l4 + 16, l->end, false);
		return NULL;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (is_error(l, l4[0]))
			return inner_wrong(p, l->l4 + 8, l->end, true);
	}
	return NULL;
}

static const char *sctp_wrong(const struct packet *p, const struct layers *l)
{
	uint32_t crc;

	if (l->end - l->l4 < 12)
		return NULL;
	memcpy(&crc, p->data + l->l4 + 8, 4);
	return le32toh(crc) == sctp_crc(p->data, l) ? NULL : "SCTP";
}

static const char *ip_wrong(const struct packet *p, const struct layers *l)
{
	const uint8_t *l4 = p->data + l->l4;
	size_t at = checksum_offset(l->proto, l->v6);

	if (!l->v6 &&
	    fold16(sum16(0, p->data + l->l3, l->l4 - l->l3)) != 0xffff)
		return "IP header";
	if (l->fragment)
		return NULL;
	if (l->proto == IPPROTO_SCTP)
		return sctp_wrong(p, l);
	if (at && l->l4 + at + 2 > l->end)
		return NULL;
	if (at && !(l->proto == IPPROTO_UDP && !get16(l4 + at)) &&
	    l4_sum(p->data, l) != 0xffff)
		return "L4";
	return l->end - l->l4 >= 8 ? payload_wrong(p, l) : NULL;
}

const char *packet_checksums_wrong(const struct packet *p)
{
	struct layers l;

	packet_layers(p, &l);
	return l.state == LAYERS_OK ? ip_wrong(p, &l) : NULL;
}

bool packet_checksums_ok(const struct packet *p)
{
	return !packet_checksums_wrong(p);
}

static const char *addr_text(const struct addr *a, char text[static 48])
{
	if (addr_v6(a))
		return inet_ntop(AF_INET6, a, text, 48);
	return inet_ntop(AF_INET, &a->word[3], text, 48);
}

static int describe_l4(const struct packet *p, const struct layers *l,
		       char *text, size_t size)
{
	const uint8_t *l4 = p->data + l->l4;
	size_t room = l->end < p->len ? l->end : p->len;

	room = l->l4 < room ? room - l->l4 : 0;
	if (l->fragment_offset || room < 8)
		return snprintf(text, size, " proto %u", l->proto);
	if (l->proto == IPPROTO_TCP && room >= 20)
		return snprintf(text, size,
				" tcp %u > %u flags %02x seq %u ack %u",
				get16(l4), get16(l4 + 2), l4[13],
				get32(l4 + 4), get32(l4 + 8));
	if (l->proto == IPPROTO_TCP || l->proto == IPPROTO_UDP ||
	    l->proto == IPPROTO_SCTP)
		return snprintf(text, size, " proto %u %u > %u", l->proto,
				get16(l4), get16(l4 + 2));
	return snprintf(text, size, " proto %u type %u code %u rest %u",
			l->proto, l4[0], l4[1], get32(l4 + 4));
}

const char *packet_describe(const struct packet *p,
			    char text[static DESCRIPTION_MAX])
{
	struct layers l;
	char src[48], dst[48];
	const char *wrong;
	int n;

	packet_layers(p, &l);
	n = snprintf(text, DESCRIPTION_MAX, "%zu bytes, %zu tags, ", p->len,
		     l.vlans);
	if (l.state == LAYERS_NOT_IP || l.state == LAYERS_NO_DST) {
		snprintf(text + n, DESCRIPTION_MAX - n, "type %04x%s",
			 l.eth_proto,
			 l.state == LAYERS_NO_DST ? ", cut" : "");
		return text;
	}
	n += snprintf(text + n, DESCRIPTION_MAX - n, "%s > %s ttl %u",
		      addr_text(&l.src, src), addr_text(&l.dst, dst),
		      p->data[l.l3 + (l.v6 ? 7 : 8)]);
	if (l.fragment)
		n += snprintf(text + n, DESCRIPTION_MAX - n,
			      " fragment %u at %u%s", l.fragment_id,
			      l.fragment_offset, l.more ? " more" : "");
	if (l.l4 && l.state == LAYERS_OK)
		n += describe_l4(p, &l, text + n, DESCRIPTION_MAX - n);
	wrong = packet_checksums_wrong(p);
	snprintf(text + n, DESCRIPTION_MAX - n, "%s%s%s%s",
		 l.state == LAYERS_BAD ? ", contradicts itself" : "",
		 l.state == LAYERS_TRUNCATED ? ", truncated" : "",
		 wrong ? ", wrong checksum: " : "", wrong ?: "");
	return text;
}

bool packet_eq(const struct packet *a, const struct packet *b)
{
	struct packet x = *a, y = *b;
	struct layers l, m;

	if (a->len == b->len && !memcmp(a->data, b->data, a->len))
		return true;
	packet_layers(&x, &l);
	packet_layers(&y, &m);
	if (l.state == LAYERS_OK)
		x.len = l.end;
	if (m.state == LAYERS_OK)
		y.len = m.end;
	return x.len == y.len && !memcmp(x.data, y.data, x.len);
}

#define DIFF_ROWS_MAX 8

void packet_diff(const struct packet *want, const struct packet *got)
{
	size_t len = want->len > got->len ? want->len : got->len;
	char text[DESCRIPTION_MAX];
	int rows = 0;

	fprintf(stderr, "  want: %s\n", packet_describe(want, text));
	fprintf(stderr, "  got:  %s\n", packet_describe(got, text));
	for (size_t row = 0; row < len; row += 16) {
		size_t end = row + 16 < len ? row + 16 : len;
		const struct packet *sides[] = { want, got };

		if (end <= want->len && end <= got->len &&
		    !memcmp(want->data + row, got->data + row, end - row))
			continue;
		if (rows++ == DIFF_ROWS_MAX)
			return;
		for (int i = 0; i < 2; i++) {
			const struct packet *p = sides[i], *q = sides[!i];

			fprintf(stderr, "  %c %4zu ", i ? '+' : '-', row);
			for (size_t at = row; at < end && at < p->len; at++)
				fprintf(stderr, "%s%02x",
					at < q->len && p->data[at] ==
					q->data[at] ? " " : "_", p->data[at]);
			fputc('\n', stderr);
		}
	}
}
