// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Builds packets from words, byte by byte and front to back: Ethernet, IP and
 * its extensions, L4, payload; then the lengths and checksums.
 */
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>

#include "bytes.h"
#include "pkt.h"

const uint8_t mac_client[MAC_LEN] = { 0x02, 0, 0, 0, 0, 0xc1 };
const uint8_t mac_us[MAC_LEN] = { 0x02, 0, 0, 0, 0, 0x05 };

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct addr addr(const char *text)
{
	struct addr a = {};
	uint8_t *p = (uint8_t *)&a;

	if (inet_pton(AF_INET6, text, p) == 1)
		return a;
	memcpy(p, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, p + 12) != 1) {
		fprintf(stderr, "no address: \"%s\"\n", text);
		abort();
	}
	return a;
}

bool addr_v6(const struct addr *a)
{
	return memcmp(a, mapped, sizeof(mapped));
}

/* Append len bytes of zeros, or what from has. */
static uint8_t *put(struct packet *p, const void *from, size_t len)
{
	uint8_t *at = p->data + p->len;

	if (p->len + len > PACKET_MAX) {
		fprintf(stderr, "packet of %zu bytes is too long\n",
			p->len + len);
		abort();
	}
	if (from)
		memcpy(at, from, len);
	else
		memset(at, 0, len);
	p->len += len;
	return at;
}

static bool mac_is_zero(const uint8_t *mac)
{
	static const uint8_t zero[MAC_LEN];

	return !memcmp(mac, zero, MAC_LEN);
}

static void put_eth(struct packet *p, const uint8_t *dmac, const uint8_t *smac,
		    const struct vlan *vlan, bool v6)
{
	put(p, dmac, MAC_LEN);
	put(p, smac, MAC_LEN);
	for (int i = 0; vlan && i < VLANS_MAX && vlan[i].proto; i++) {
		uint8_t *tag = put(p, NULL, VLAN_LEN);

		put16(tag, vlan[i].proto);
		put16(tag + 2, vlan[i].id);
	}
	put16(put(p, NULL, 2), v6 ? 0x86dd : 0x0800);
}

static void put_ip4(struct packet *p, const struct words *w)
{
	uint8_t *ip = put(p, NULL, 20 + w->options);

	ip[0] = 0x40 | (20 + w->options) / 4;
	ip[1] = w->tos;
	put16(ip + 4, w->id);
	put16(ip + 6, w->df ? 0x4000 : 0);
	ip[8] = w->ttl ?: 64;
	ip[9] = w->proto;
	memcpy(ip + 12, &w->src.word[3], 4);
	memcpy(ip + 16, &w->dst.word[3], 4);
	memset(ip + 20, 1, w->options);
	if (w->options_content)
		memcpy(ip + 20, w->options_content, w->options);
}

static uint8_t extension_proto(enum extension e)
{
	switch (e) {
	case EXTENSION_HOP: return IPPROTO_HOPOPTS;
	case EXTENSION_ROUTING:
	case EXTENSION_ROUTED: return IPPROTO_ROUTING;
	case EXTENSION_DESTINATION: return IPPROTO_DSTOPTS;
	case EXTENSION_FRAGMENT: return IPPROTO_FRAGMENT;
	default: return IPPROTO_NONE;
	}
}

static void put_extension(struct packet *p, enum extension e)
{
	static const uint8_t size[] = {
		[EXTENSION_HOP] = 8, [EXTENSION_ROUTING] = 24,
		[EXTENSION_DESTINATION] = 16, [EXTENSION_FRAGMENT] = 8,
		[EXTENSION_ROUTED] = 24,
	};
	uint8_t *at = put(p, NULL, size[e]);

	if (e == EXTENSION_FRAGMENT) {
		put32(at + 4, 0x12345678);
		return;
	}
	at[1] = size[e] / 8 - 1;
	if (e == EXTENSION_ROUTING || e == EXTENSION_ROUTED) {
		at[3] = e == EXTENSION_ROUTED;
		at[8] = 0x20;
		return;
	}
	at[2] = 1;		/* PadN over the rest */
	at[3] = size[e] - 4;
}

static void put_ip6(struct packet *p, const struct words *w)
{
	uint8_t *ip = put(p, NULL, 40);
	uint8_t *next = ip + 6;

	put32(ip, 6u << 28 | (uint32_t)w->tos << 20 | (w->label & 0xfffff));
	ip[7] = w->ttl ?: 64;
	memcpy(ip + 8, &w->src, 16);
	memcpy(ip + 24, &w->dst, 16);
	for (int i = 0; i < EXTENSIONS_MAX && w->extensions[i]; i++) {
		*next = extension_proto(w->extensions[i]);
		next = p->data + p->len;
		put_extension(p, w->extensions[i]);
	}
	*next = w->proto;
}

static void put_tcp(struct packet *p, const struct words *w)
{
	uint8_t *t = put(p, NULL, 20 + w->tcp_options);

	put16(t, w->sport);
	put16(t + 2, w->dport);
	put32(t + 4, w->seq);
	put32(t + 8, w->ack);
	t[12] = (20 + w->tcp_options) / 4 << 4;
	t[13] = w->flags;
	put16(t + 14, 0xfaf0);
	memset(t + 20, 1, w->tcp_options);
}

static void put_sctp(struct packet *p, const struct words *w)
{
	uint8_t *s = put(p, NULL, 16);

	put16(s, w->sport);
	put16(s + 2, w->dport);
	put32(s + 4, w->chunk == SCTP_INIT ? 0 : 0x600dcafe);
	s[12] = w->chunk;
	put16(s + 14, w->first_chunk ?: 4 + w->payload);
}

static void put_l4(struct packet *p, const struct words *w)
{
	uint8_t *l4;

	switch (w->proto) {
	case IPPROTO_TCP:
		put_tcp(p, w);
		return;
	case IPPROTO_SCTP:
		put_sctp(p, w);
		return;
	case IPPROTO_UDP:
		l4 = put(p, NULL, 8);
		put16(l4, w->sport);
		put16(l4 + 2, w->dport);
		put16(l4 + 4, 8 + w->payload);
		return;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		l4 = put(p, NULL, 8);
		l4[0] = w->type;
		l4[1] = w->code;
		put32(l4 + 4, w->rest);
	}
}

/* Lengths of the IP packet at l3, which ends where p does. */
static void set_ip_len(struct packet *p, size_t l3, bool v6)
{
	if (v6)
		put16(p->data + l3 + 4, p->len - l3 - 40);
	else
		put16(p->data + l3 + 2, p->len - l3);
}

struct packet packet_build(const struct words *w)
{
	struct packet p = {};
	bool v6 = addr_v6(&w->dst);
	size_t l3;

	put_eth(&p, mac_is_zero(w->dmac) ? mac_us : w->dmac,
		mac_is_zero(w->smac) ? mac_client : w->smac, w->vlan, v6);
	l3 = p.len;
	if (v6)
		put_ip6(&p, w);
	else
		put_ip4(&p, w);
	put_l4(&p, w);
	for (size_t i = 0; i < w->payload; i++)
		*put(&p, NULL, 1) = w->content ? w->content[i] : 'a' + i % 26;
	set_ip_len(&p, l3, v6);
	packet_sum(&p);
	if (w->proto == IPPROTO_UDP && w->unsummed)
		put16(p.data + p.len - w->payload - 2, 0);
	return p;
}

struct packet echo_request(const char *src, const char *dst, uint16_t id,
			   uint16_t payload)
{
	struct addr to = addr(dst);
	bool v6 = addr_v6(&to);

	return packet_of(.src = addr(src), .dst = to,
			 .proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			 .type = v6 ? 128 : 8, .rest = (uint32_t)id << 16 | 1,
			 .payload = payload);
}

struct packet icmp_error(const struct addr *src, const struct addr *dst,
			 uint8_t type, uint8_t code, uint32_t rest,
			 const struct packet *quote, size_t cut)
{
	struct layers l;

	packet_layers(quote, &l);
	if (cut > l.end - l.l3)
		cut = l.end - l.l3;
	return packet_of(.src = *src, .dst = *dst,
			 .proto = addr_v6(dst) ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			 .type = type, .code = code, .rest = rest,
			 .payload = cut, .content = quote->data + l.l3);
}

/* Where what can be cut begins in the packet of l, and where the byte is that
 * names it. */
static size_t fragmentable(const struct packet *p, const struct layers *l,
			   size_t *next_at)
{
	size_t at = l->l3 + 40, ret = at, name_at = l->l3 + 6;

	*next_at = l->v6 ? name_at : l->next_at;
	if (!l->v6)
		return l->l4;
	while (at < l->l4) {
		uint8_t proto = p->data[name_at];

		name_at = at;
		at += proto == IPPROTO_FRAGMENT ? 8 : 8 + p->data[at + 1] * 8;
		if (proto != IPPROTO_HOPOPTS && proto != IPPROTO_ROUTING)
			continue;
		ret = at;
		*next_at = name_at;
	}
	return ret;
}

struct packet packet_fragment(const struct packet *whole, size_t offset,
			      size_t len, uint32_t id)
{
	struct packet p = *whole;
	size_t part, next_at;
	struct layers l;
	bool more;

	packet_layers(whole, &l);
	part = fragmentable(whole, &l, &next_at);
	if (len > l.end - part - offset)
		len = l.end - part - offset;
	more = part + offset + len < l.end;
	p.len = part;
	if (l.v6) {
		uint8_t *f = put(&p, NULL, 8);

		f[0] = p.data[next_at];
		p.data[next_at] = IPPROTO_FRAGMENT;
		put16(f + 2, offset | more);
		put32(f + 4, id);
	} else {
		put16(p.data + l.l3 + 4, id);
		put16(p.data + l.l3 + 6, offset / 8 | (more ? 0x2000 : 0));
	}
	put(&p, whole->data + part + offset, len);
	set_ip_len(&p, l.l3, l.v6);
	if (!l.v6)
		packet_sum_ip4(&p, l.l3);
	return p;
}

struct packet packet_framed(const struct packet *p, const uint8_t *dmac,
			    const uint8_t *smac, const struct vlan *vlan)
{
	struct packet framed = {};
	struct layers l;

	packet_layers(p, &l);
	put_eth(&framed, dmac, smac, vlan, l.v6);
	put(&framed, p->data + l.l3, p->len - l.l3);
	return framed;
}

struct packet packet_cut(const struct packet *p, size_t len)
{
	struct packet cut = *p;

	if (len < p->len) {
		memset(cut.data + len, 0, p->len - len);
		cut.len = len;
	}
	return cut;
}

static uint8_t tunnel_proto(enum forward forward, bool inner_v6)
{
	switch (forward) {
	case FORWARD_GUE:
	case FORWARD_GENEVE:
		return IPPROTO_UDP;
	case FORWARD_GRE:
		return IPPROTO_GRE;
	default:
		return inner_v6 ? IPPROTO_IPV6 : IPPROTO_IPV4;
	}
}

size_t tunnel_overhead(enum forward forward, bool outer_v6)
{
	size_t ip = outer_v6 ? 40 : 20;

	switch (forward) {
	case FORWARD_IPIP: return ip;
	case FORWARD_GUE: return ip + 8;
	case FORWARD_GRE: return ip + 4;
	case FORWARD_GENEVE: return ip + 16;
	default: return 0;
	}
}

static void put_tunnel(struct packet *p, const struct tunnel *t, bool inner_v6,
		       size_t inner_len)
{
	uint16_t proto = inner_v6 ? 0x86dd : 0x0800;
	uint8_t *at;

	if (t->forward == FORWARD_GRE) {
		put16(put(p, NULL, 4) + 2, proto);
		return;
	}
	if (t->forward == FORWARD_IPIP)
		return;
	at = put(p, NULL, 8);
	put16(at, t->sport);
	put16(at + 2, t->dport);
	put16(at + 4, 8 + inner_len + (t->forward == FORWARD_GENEVE ? 8 : 0));
	if (t->forward == FORWARD_GUE)
		return;
	at = put(p, NULL, 8);
	put16(at + 2, proto);
	put32(at + 4, t->vni << 8);
}

struct packet packet_tunneled(const struct packet *inner,
			      const struct tunnel *t)
{
	struct packet p = {};
	struct words w = { .src = t->src, .dst = t->dst, .tos = t->tos,
			   .df = t->df, .label = t->label };
	struct layers l;
	bool v6 = addr_v6(&t->dst);

	packet_layers(inner, &l);
	w.proto = tunnel_proto(t->forward, l.v6);
	put_eth(&p, inner->data, inner->data + MAC_LEN, NULL, v6);
	if (v6)
		put_ip6(&p, &w);
	else
		put_ip4(&p, &w);
	put_tunnel(&p, t, l.v6, l.end - l.l3);
	put(&p, inner->data + l.l3, l.end - l.l3);
	set_ip_len(&p, ETH_LEN, v6);
	if (!v6)
		packet_sum_ip4(&p, ETH_LEN);
	return p;
}
