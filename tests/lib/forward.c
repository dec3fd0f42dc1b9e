// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The reference's output packets. Bytes are changed first; then seal() brings
 * the checksums along, by the difference (RFC 1624), so that a wrong one
 * stays as wrong as it was.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>

#include "bytes.h"
#include "reference_impl.h"

/* What the L4 checksum at skip covers, as far as the addresses and the bytes
 * up to end go; the rest does not change. */
static uint32_t covered(const uint8_t *data, const struct layers *l, size_t end,
			size_t skip)
{
	uint32_t sum = 0;

	if (l->v6)
		sum = sum16(sum, data + l->l3 + 8, 32);
	else if (l->proto != IPPROTO_ICMP)
		sum = sum16(sum, data + l->l3 + 12, 8);
	sum = sum16(sum, data + l->l4, skip);
	return sum16(sum, data + l->l4 + skip + 2, end - l->l4 - skip - 2);
}

/* Does nothing change of what covered() sums up? */
static bool is_same(const uint8_t *before, const uint8_t *after,
		    const struct layers *l, size_t end)
{
	if (l->v6 && memcmp(before + l->l3 + 8, after + l->l3 + 8, 32))
		return false;
	if (!l->v6 && l->proto != IPPROTO_ICMP &&
	    memcmp(before + l->l3 + 12, after + l->l3 + 12, 8))
		return false;
	return !memcmp(before + l->l4, after + l->l4, end - l->l4);
}

/* RFC 1624, eqn. 3. */
static uint16_t moved(uint16_t check, uint32_t before, uint32_t after)
{
	return ~fold16((uint16_t)~check + (uint16_t)~fold16(before) +
		       (uint32_t)fold16(after));
}

/* What became of the packet, if that is one at all. */
static bool got_layers(const struct step *s, struct layers *ret)
{
	packet_layers(&s->got->packet, ret);
	return ret->state == LAYERS_OK;
}

/* Bytes that have no expectation: as the datapath left them. */
static void adopt(struct step *s, size_t at, size_t len)
{
	struct layers g;

	if (!got_layers(s, &g))
		return;
	memcpy(s->want->packet.data + at,
	       s->got->packet.data + at - s->l.l3 + g.l3, len);
}

static void seal_ip4(const uint8_t *before, uint8_t *after, size_t len)
{
	uint32_t was = sum16(sum16(0, before, 10), before + 12, len - 12);
	uint32_t is = sum16(sum16(0, after, 10), after + 12, len - 12);

	if (!memcmp(before, after, len))
		return;
	put16(after + 10, moved(get16(before + 10), was, is));
}

static uint32_t sctp_crc(const uint8_t *data, const struct layers *l,
			 size_t end)
{
	uint8_t copy[PACKET_MAX];

	memcpy(copy, data + l->l4, end - l->l4);
	memset(copy + 8, 0, 4);
	return htole32(crc32c(copy, end - l->l4));
}

/*
 * CRCs are linear: by the difference too. A quoted one stays, as what it
 * covers is rarely quoted whole, and who gets it looks at the verification tag
 * instead (RFC 9260, 10). That of a packet in parts cannot be known from the
 * first one alone, as it depends on how many bytes follow: no expectation.
 */
static void seal_sctp(struct step *s, const struct layers *l, size_t end)
{
	struct packet *p = &s->want->packet;
	size_t at = l->l4 + 8;
	uint32_t crc;

	if (end < at + 4 || l == &s->quote)
		return;
	if (!memcmp(s->in->data + l->l4, p->data + l->l4, 8))
		return;
	if (l->fragment) {
		adopt(s, at, 4);
		return;
	}
	memcpy(&crc, s->in->data + at, 4);
	crc ^= sctp_crc(s->in->data, l, end) ^ sctp_crc(p->data, l, end);
	memcpy(p->data + at, &crc, 4);
}

/* Checksums of one IP packet at l, of which there is what lies before end. */
static void seal(struct step *s, const struct layers *l, size_t end)
{
	const uint8_t *before = s->in->data;
	uint8_t *after = s->want->packet.data;
	size_t skip = checksum_offset(l->proto, l->v6), at = l->l4 + skip;
	uint16_t check;

	if (!l->v6)
		seal_ip4(before + l->l3, after + l->l3, l->l4 - l->l3);
	if (l->fragment_offset)
		return;
	if (l->proto == IPPROTO_SCTP)
		seal_sctp(s, l, end);
	if (!skip || at + 2 > end || is_same(before, after, l, end))
		return;
	check = get16(before + at);
	if (l->proto == IPPROTO_UDP && !check) {
		if (l->v6)
			adopt(s, at, 2); /* forbidden: anything goes */
		return;
	}
	check = moved(check, covered(before, l, end, skip),
		      covered(after, l, end, skip));
	if (l->proto == IPPROTO_UDP && !check)
		check = 0xffff;
	put16(after + at, check);
}

/* The quoted packet's checksums, then the whole one's. */
void seal_all(struct step *s)
{
	size_t end = s->quote.end < s->l.end ? s->quote.end : s->l.end;

	if (s->is_error)
		seal(s, &s->quote, end);
	seal(s, &s->l, s->l.end);
}

static void set_addr(struct packet *p, const struct layers *l, bool is_dst,
		     const struct addr *a)
{
	uint8_t *ip = p->data + l->l3;

	if (l->v6)
		memcpy(ip + (is_dst ? 24 : 8), a, 16);
	else
		memcpy(ip + (is_dst ? 16 : 12), &a->word[3], 4);
}

/* One end of the IP packet at l: address, and port where there is one. */
static void set_end(struct packet *p, const struct layers *l, bool is_dst,
		    const struct addr *a, __be16 port)
{
	set_addr(p, l, is_dst, a);
	if (!l->fragment_offset)
		memcpy(p->data + l->l4 + (is_dst ? 2 : 0), &port, 2);
}

void fewer_hops(struct step *s)
{
	s->want->packet.data[s->l.l3 + (s->l.v6 ? 7 : 8)]--;
}

static uint8_t traffic_class(const struct step *s)
{
	const uint8_t *ip = s->in->data + s->l.l3;

	return s->l.v6 ? get16(ip) >> 4 : ip[1];
}

static struct words answer_words(const struct step *s, uint8_t proto)
{
	const uint8_t *data = s->in->data;
	struct words w = { .src = s->l.dst, .dst = s->l.src, .proto = proto };
	struct layers g;

	for (size_t i = 0; i < s->l.vlans; i++) {
		w.vlan[i].proto = get16(data + 12 + i * VLAN_LEN);
		w.vlan[i].id = get16(data + 14 + i * VLAN_LEN);
	}
	if (!got_layers(s, &g))
		return w;
	data = s->got->packet.data + g.l3;
	if (g.v6) {
		w.tos = get16(data) >> 4;
		w.label = get32(data);
	} else {
		w.tos = data[1];
		w.id = get16(data + 4);
		w.df = data[6] & 0x40;
	}
	return w;
}

/* Back to where it came from, whatever stood there. */
static void turn_frame(struct step *s)
{
	memcpy(s->want->packet.data, s->in->data + MAC_LEN, MAC_LEN);
	memcpy(s->want->packet.data + MAC_LEN, s->in->data, MAC_LEN);
}

void answer_reset(struct step *s)
{
	const uint8_t *t = s->in->data + s->l.l4;
	struct words w = answer_words(s, IPPROTO_TCP);
	struct packet *p = &s->want->packet;

	w.sport = get16(t + 2);
	w.dport = get16(t);
	if (s->tcp_flags & ACK) {
		w.flags = RST;
		w.seq = get32(t + 8);
	} else {
		w.flags = RST | ACK;
		w.ack = get32(t + 4) + (s->l.end - s->l.l4) -
			(t[12] >> 4) * 4 + !!(s->tcp_flags & SYN) +
			!!(s->tcp_flags & FIN);
	}
	*p = packet_build(&w);
	put16(p->data + p->len - 6, 0);	/* no window */
	packet_sum(p);
	turn_frame(s);
}

void answer_error(struct step *s, uint8_t type, uint8_t code, uint32_t rest)
{
	struct words w = answer_words(s, s->l.v6 ? IPPROTO_ICMPV6 :
						   IPPROTO_ICMP);
	size_t have = s->l.end - s->l.l3;
	size_t head = (s->l.v6 ? 40 : 20) + 8;
	size_t least = s->l.l4 - s->l.l3 + 8;
	size_t most = (s->l.v6 ? 1280 : 576) - head;
	struct layers g;

	/* an error about a small packet is larger only by what it must quote */
	if (most > have - head)
		most = have > head + least ? have - head : least;
	if (most > have)
		most = have;
	/* extension headers may be too long to be quoted whole */
	if (s->l.v6 && least > 128)
		least = 128;
	if (least > most)
		least = most;
	w.payload = most;
	if (got_layers(s, &g) && g.end - g.l4 >= least + 8 &&
	    g.end - g.l4 <= most + 8)
		w.payload = g.end - g.l4 - 8;
	w.type = type;
	w.code = code;
	w.rest = rest;
	w.content = s->in->data + s->l.l3;
	s->want->packet = packet_build(&w);
	turn_frame(s);
}

/*
 * A message of nothing but zeros has the checksum 0xffff, the complement of
 * their sum (RFC 792); with 0x0000 receivers would find no sum of all ones
 * (RFC 1071, 1). Of any other, both zeros say the same to them.
 */
static void echo_zero(struct step *s)
{
	uint8_t *check = s->want->packet.data + s->l.l4 + 2;
	bool is_zero = !get16(check) || get16(check) == 0xffff;
	size_t len = s->l.end - s->l.l4 - 4;

	if (!is_zero)
		return;
	if (!sum16(get16(check - 2), check + 2, len))
		put16(check, 0xffff);
	else if (!get16(s->got->packet.data + (check - s->want->packet.data)))
		put16(check, 0);
	else
		put16(check, 0xffff);
}

void answer_echo(struct step *s)
{
	struct packet *p = &s->want->packet;
	const struct packet *got = &s->got->packet;
	uint8_t *ip = p->data + s->l.l3;

	turn_frame(s);
	set_addr(p, &s->l, false, &s->l.dst);
	set_addr(p, &s->l, true, &s->l.src);
	if (s->l.v6) {
		ip[7] = 64;
	} else {
		ip[8] = 64;
		memcpy(ip + 1, got->data + s->l.l3 + 1, 1);
		memcpy(ip + 4, got->data + s->l.l3 + 4, 4);
	}
	p->data[s->l.l4] = s->l.v6 ? 129 : 0;
	seal(s, &s->l, s->l.end);
	if (!s->l.v6)
		echo_zero(s);
}

/* Who has the port that m is to get? */
static struct memory *port_owner(const struct step *s, const struct memory *m)
{
	struct flow reply = {
		.src = m->server, .sport = m->server_port,
		.dst = m->nat_addr, .dport = m->nat_port,
		.proto = s->flow.proto,
	};

	return memory_find_reply(s->r, &reply);
}

/* Nobody who is confirmed; and who is not is no more. */
static bool port_is_free(const struct step *s, const struct memory *m)
{
	struct memory *owner = port_owner(s, m);

	if (owner && owner->state == CONN_LIVE)
		return false;
	if (owner)
		memory_drop(s->r, &owner->flow);
	return true;
}

static bool in_range(const struct step *s, __be16 port)
{
	const struct runtime *rt = s->r->tables->runtime;

	return ntohs(port) >= rt->nat_port_first &&
	       ntohs(port) <= rt->nat_port_last;
}

static bool is_from_elsewhere(const struct step *s)
{
	return origin_of(s) == ORIGIN_ELSEWHERE ||
	       origin_of(s) == ORIGIN_UNKNOWN;
}

/*
 * Which backends see the client's address: the host itself, which believes no
 * packet that comes in from one of its own. At the edge no others. Of a
 * cluster, those of cluster IPs that pods dial, or whoever may be one, and
 * those of front ends for the outside whose policy is Local, but not the node's
 * own; the rest has to answer by way of the node. Of front ends with a tunnel,
 * which leads to other nodes, those on this one see who comes from outside.
 * Nobody gets a packet from itself.
 */
static bool sees_client(const struct step *s, const struct backend *b)
{
	const struct service *svc = &s->service->service;

	if (b->flags & BACKEND_LOCAL || svc->kind == KIND_EDGE)
		return b->flags & BACKEND_LOCAL;
	if (svc->flags & SERVICE_MASQUERADE ||
	    !memcmp(&b->addr, &s->flow.src, sizeof(b->addr)))
		return false;
	if (svc->tunnel && is_from_elsewhere(s))
		return b->flags & BACKEND_IN_LOCAL;
	if (svc->kind == KIND_CLUSTER_IP)
		return origin_of(s) == ORIGIN_POD ||
		       origin_of(s) == ORIGIN_UNKNOWN;
	return svc->flags & SERVICE_POLICY_LOCAL &&
	       origin_of(s) != ORIGIN_NODE;
}

/* The address that the programs took (index), if it is one; else the first;
 * or the client's own. */
static struct addr nat_source(const struct step *s, const struct backend *b,
			      int index)
{
	const struct runtime *rt = s->r->tables->runtime;
	const __u8 *picks = s->l.v6 ? rt->nat_pick6 : rt->nat_pick4;
	int count = s->l.v6 ? rt->nat_addrs6 : rt->nat_addrs4;

	if (sees_client(s, b))
		return s->flow.src;
	for (int i = 0; i < count; i++) {
		if (picks[i] == index)
			return s->r->tables->nat_addrs[index];
	}
	return s->r->tables->nat_addrs[picks[0]];
}

/* A new translation: with the client's own port, else as recorded, if that is
 * legal. False: there is none, so no port was found. */
static bool translate(struct step *s, __u32 index, struct memory *m)
{
	const struct backend *b = &s->r->tables->backends[index];
	struct conn c = {};
	bool have = recorded(s->r, &s->flow, &c) && c.what & CONN_NAT;

	*m = (struct memory){
		.backend = index, .generation = b->generation, .nat = true,
		.masks = !sees_client(s, b),
		.nat_addr = nat_source(s, b, c.nat_addr),
		.nat_port = s->flow.sport,
		.server = b->addr, .server_port = b->port ?: s->flow.dport,
	};
	/* the range is of what we lend, not of ports that are the client's */
	if ((in_range(s, m->nat_port) || !m->masks) && !port_owner(s, m))
		return true;
	m->nat_port = c.nat_port;
	return have && conn_backend(&c) == index && in_range(s, c.nat_port) &&
	       port_is_free(s, m);
}

__u32 link_in(const struct step *s)
{
	__u16 vlan = s->l.vlans ? get16(s->in->data + 14) & 0xfff : 0;
	__u32 ifindex = s->at ? s->at->ifindex : s->r->ifindex;
	const struct link *links = s->r->tables->links;

	for (__u32 i = 1; i < s->r->tables->nr_links && s->l.vlans < 2; i++)
		if ((links[i].ifindex ?: links[i].user_ifindex) == ifindex &&
		    ntohs(links[i].vlan_id) == vlan)
			return i;
	return 0;
}

/* Does NAT's source towards b exist, as defined or the link's own? */
static bool has_source(const struct step *s, const struct backend *b)
{
	const struct link *link = &s->r->tables->links[b->hop.link];
	const struct runtime *rt = s->r->tables->runtime;
	__u8 own = s->l.v6 ? link->nat6 : link->nat4;

	if (sees_client(s, b))
		return true;
	return own ? own != NAT_SOURCE_NONE :
		     (s->l.v6 ? rt->nat_addrs6 : rt->nat_addrs4) > 0;
}

void readdress(struct step *s, const struct addr *src, __be16 sport,
	       const struct addr *dst, __be16 dport)
{
	struct packet *p = &s->want->packet;

	if (!s->is_error) {
		set_end(p, &s->l, false, src, sport);
		set_end(p, &s->l, true, dst, dport);
		return;
	}
	set_addr(p, &s->l, false, src);
	set_addr(p, &s->l, true, dst);
	set_end(p, &s->quote, false, dst, dport);
	set_end(p, &s->quote, true, src, sport);
}

/* It was begun in a tunnel to another node, whose endpoint knows its client by
 * his own address; UDP has no connections. */
static bool is_bound_to_tunnel(const struct step *s, const struct backend *b)
{
	const struct memory *m = memory_find(s->r, &s->flow);

	return s->known && m->state != CONN_HALF && m->state != CONN_CLOSING &&
	       !s->opens && s->flow.proto != IPPROTO_UDP &&
	       !(b->flags & (BACKEND_IN_LOCAL | BACKEND_LOCAL));
}

/* An ended connection of the same flow makes room first, port and all. */
bool forward_nat(struct step *s, __u32 index)
{
	struct memory m;

	if (s->known && memory_find(s->r, &s->flow)->nat) {
		m = *memory_find(s->r, &s->flow);
	} else {
		if (is_bound_to_tunnel(s, &s->r->tables->backends[index])) {
			expect(s, REASON_NO_NEXT_HOP);
			return false;
		}
		if (!has_source(s, &s->r->tables->backends[index])) {
			expect(s, REASON_NO_SOURCE);
			return false;
		}
		memory_drop(s->r, &s->flow);
		if (!translate(s, index, &m)) {
			expect(s, REASON_NO_PORT);
			return false;
		}
		m.link = link_in(s);
		m.is_hosts = is_hosts(s);
		m.outlives = s->service->service.kind != KIND_EDGE &&
			     s->flow.proto != IPPROTO_UDP;
		memcpy(m.mac, s->in->data + MAC_LEN, MAC_LEN);
		memory_put(s->r, &s->flow, &m);
	}
	readdress(s, &m.nat_addr, m.nat_port, &m.server, m.server_port);
	return true;
}

/* Low bits of a tunnel's source are the flow's to fill. */
static struct addr tunnel_source(const struct step *s, const struct link *link,
				 bool v6, const struct addr *got)
{
	const struct runtime *rt = s->r->tables->runtime;
	static const struct addr zero;
	struct addr a = v6 ? rt->tunnel6 : rt->tunnel4;
	__u32 bits = v6 ? rt->tunnel6_bits : rt->tunnel4_bits;
	__u32 mask = bits ? ~0u >> (32 - bits) : 0;

	if (!memcmp(&a, &zero, sizeof(a)))
		return v6 ? link->addr6 : link->addr4;
	a.word[3] = htonl((ntohl(a.word[3]) & ~mask) |
			  (ntohl(got->word[3]) & mask));
	return a;
}

static bool has_tunnel_source(const struct step *s, const struct link *link,
			      bool v6)
{
	static const struct addr none;
	struct addr a = tunnel_source(s, link, v6, &none);

	return memcmp(&a, &none, sizeof(a));
}

enum forward forward_of(const struct step *s)
{
	const struct service *svc = &s->service->service;
	const struct memory *m = memory_find(s->r, &s->flow);

	if (s->at || svc->kind == KIND_EDGE)
		return svc->forward;
	if (s->known && m)
		return m->nat ? FORWARD_NAT : m->tunnel;
	return svc->tunnel ? svc->tunnel : svc->forward;
}

/* A node port's tunnel comes from where the client has it. */
static bool comes_from_dialled(const struct step *s)
{
	const struct memory *m = memory_find(s->r, &s->flow);

	return s->known && m ? m->from_dialled :
			       s->service->service.kind == KIND_NODE_PORT;
}

static struct packet encapsulate(const struct step *s, const struct backend *b)
{
	const struct runtime *rt = s->r->tables->runtime;
	const struct packet *got = &s->got->packet;
	enum forward how = forward_of(s);
	struct layers g;
	struct tunnel t = {
		.forward = how, .dst = b->addr,
		.tos = traffic_class(s), .vni = rt->geneve_vni, .sport = 0xc000,
		.dport = how == FORWARD_GUE ? rt->gue_port : rt->geneve_port,
	};

	got_layers(s, &g);
	t.df = true;
	if (g.state == LAYERS_OK) {
		t.sport |= get16(got->data + g.l4);
		t.label = g.v6 ? get32(got->data + g.l3) & 0xfffff : 0;
	}
	t.src = tunnel_source(s, &s->r->tables->links[b->hop.link],
			      addr_v6(&b->addr), &g.src);
	if (comes_from_dialled(s))
		t.src = s->flow.dst;
	return packet_tunneled(&s->want->packet, &t);
}

bool may_fragment(const struct step *s)
{
	return !s->l.v6 && !(s->in->data[s->l.l3 + 6] & 0x40);
}

void too_big(struct step *s, size_t mtu)
{
	if (is_unanswerable(s)) {
		expect(s, REASON_UNANSWERED);
		return;
	}
	if (is_silent(s))
		return;
	expect(s, REASON_TOO_BIG);
	if (s->l.v6)
		answer_error(s, 2, 0, mtu < 1280 ? 1280 : mtu);
	else
		answer_error(s, 3, 4, mtu);
}

/* By user space, if there is room to hand it over. A router verifies the
 * header before it makes new ones (RFC 1812, 5.2.2). */
void cut(struct step *s)
{
	const uint8_t *ip = s->in->data + s->l.l3;

	if (fold16(sum16(0, ip, (ip[0] & 15) * 4)) != 0xffff) {
		expect(s, REASON_BAD_HEADER);
		return;
	}
	expect(s, REASON_CUT);
	expect_or(s, REASON_FRAGMENT_LOST);
}

/* To this host itself: not on the wire, so no hop less. */
static void to_local(struct step *s)
{
	seal_all(s);
	expect(s, REASON_LOCAL);
}

/* Over the wire: b's next hop is known, and the packet fits. */
static void send_out(struct step *s, const struct backend *b)
{
	const struct link *link = &s->r->tables->links[b->hop.link];
	struct packet *p = &s->want->packet;
	struct vlan vlan[VLANS_MAX] = {
		{ ntohs(link->vlan_proto), ntohs(link->vlan_id) },
	};

	if (forward_of(s) >= FORWARD_IPIP && !comes_from_dialled(s) &&
	    !has_tunnel_source(s, link, addr_v6(&b->addr))) {
		expect(s, REASON_NO_SOURCE);
		return;
	}
	fewer_hops(s);
	seal_all(s);
	if (forward_of(s) >= FORWARD_IPIP)
		*p = encapsulate(s, b);
	*p = packet_framed(p, b->hop.mac, link->mac, vlan);
	expect(s, s->is_error ? REASON_ICMP_FORWARDED : REASON_FORWARDED);
	s->want->actions = 1 << (link->ifindex == s->r->ifindex &&
				 !(link->flags & LINK_REDIRECTS) ?
					 XDP_TX : XDP_REDIRECT);
}

/* What fits on the way to b: the link's MTU, or what is known of the way
 * behind it; but IPv6's least packet is never refused for that. */
size_t way_mtu(const struct step *s, const struct backend *b,
	       size_t overhead)
{
	const struct link *link = &s->r->tables->links[b->hop.link];
	size_t least = s->l.v6 ? 1280 + overhead : 0;
	size_t mtu = b->mtu > least ? b->mtu : least;

	return b->mtu && mtu < link->mtu ? mtu : link->mtu;
}

/* What has to leave by an interface that XDP does not send by, or by way of the
 * host's stack, with the address of its client, is another program's. */
static bool is_handed_on(const struct step *s, const struct backend *b)
{
	const struct link *link = &s->r->tables->links[b->hop.link];
	const struct memory *m;

	if (s->service->service.kind != KIND_EDGE &&
	    forward_of(s) != FORWARD_NAT)
		return b->flags & BACKEND_LOCAL ||
		       (hop_limit(s) > 1 && !link->ifindex &&
			link->user_ifindex);
	if (s->service->service.forward != FORWARD_NAT ||
	    b->flags & BACKEND_LOCAL || hop_limit(s) <= 1)
		return false;
	m = memory_find(s->r, &s->flow);
	return (m && !m->masks) || (!link->ifindex && link->user_ifindex);
}

static void hand_on(struct step *s)
{
	s->want->packet = *s->in;
	expect(s, REASON_HANDED_ON);
}

void forward(struct step *s, __u32 index)
{
	const struct backend *b = &s->r->tables->backends[index];
	enum forward how = forward_of(s);
	size_t overhead = tunnel_overhead(how, addr_v6(&b->addr));
	size_t mtu = way_mtu(s, b, overhead);

	if (s->at) {
		node_forward(s, index);
		return;
	}
	if (how == FORWARD_NAT && !forward_nat(s, index))
		return;
	if (is_handed_on(s, b))
		hand_on(s);
	else if (b->flags & BACKEND_LOCAL)
		to_local(s);
	else if (hop_limit(s) <= 1)
		reject(s, REASON_HOPS_EXCEEDED);
	else if (!b->hop.link)
		expect(s, REASON_NO_NEXT_HOP);
	else if (s->l.end - s->l.l3 + overhead <= mtu)
		send_out(s, b);
	else if (may_fragment(s))
		cut(s);
	else
		too_big(s, mtu - overhead);
}

void give_back(struct step *s, const struct memory *m)
{
	fewer_hops(s);
	readdress(s, &m->flow.dst, m->flow.dport, &m->flow.src, m->flow.sport);
	seal_all(s);
	expect(s, s->is_error ? REASON_ICMP_FORWARDED : REASON_RETURNED);
	s->want->compare = COMPARE_IP;
}
