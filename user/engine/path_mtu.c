// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How wide the ways to backends are. Works with offsets into the frame, not
 * pointers: all that it holds is a stranger's.
 */
#include <arpa/inet.h>
#include <string.h>

#include <linux/if_ether.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "books.h"

#define IP4_LEN 20u
#define IP6_LEN 40u
#define ICMP_LEN 8u
#define QUOTE_LEAST 8u		/* of what follows the quoted IP header */
#define MTU4_LEAST 576u
#define MTU6_LEAST 1280u
#define IP_DF 0x4000
#define IP_MF_OFFSET 0x3fff

/* One IP packet in a frame, as far as it is there. */
struct inside {
	size_t l3, l4, end;	/* end: of what is there */
	struct addr src, dst;
	__u32 len;		/* that the header tells */
	__u16 frag_off;		/* IPv4 */
	__u8 proto;
	bool v6;
};

/* An ICMP error about one of our packets, if it is. */
struct size_error {
	const __u8 *frame;
	const struct runtime *rt;
	struct inside icmp, outer, inner;
	__u32 told;		/* MTU */
	enum forward forward;
	bool has_inner;
};

static __u16 get16(const __u8 *p)
{
	return p[0] << 8 | p[1];
}

static __u32 get32(const __u8 *p)
{
	return (__u32)get16(p) << 16 | get16(p + 2);
}

static void put16(__u8 *p, __u16 x)
{
	p[0] = x >> 8;
	p[1] = x;
}

static __u32 sum16(__u32 sum, const __u8 *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len & 1)
		sum += p[len - 1] << 8;
	return sum;
}

static __u16 fold16(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* False: the header is not all there, or is not one of this version. */
static bool inside_read(const __u8 *frame, size_t l3, size_t end, bool v6,
			struct inside *ret)
{
	const __u8 *ip = frame + l3;
	__be32 addr4[2];

	*ret = (struct inside){ .l3 = l3, .end = end, .v6 = v6 };
	if (l3 > end || end - l3 < (v6 ? IP6_LEN : IP4_LEN) ||
	    ip[0] >> 4 != (v6 ? 6 : 4))
		return false;
	if (v6) {
		ret->l4 = l3 + IP6_LEN;
		ret->len = IP6_LEN + get16(ip + 4);
		ret->proto = ip[6];
		memcpy(&ret->src, ip + 8, sizeof(ret->src));
		memcpy(&ret->dst, ip + 24, sizeof(ret->dst));
		return true;
	}
	ret->l4 = l3 + (ip[0] & 15) * 4;
	ret->len = get16(ip + 2);
	ret->frag_off = get16(ip + 6);
	ret->proto = ip[9];
	memcpy(addr4, ip + 12, sizeof(addr4));
	ret->src = addr_from4(addr4[0]);
	ret->dst = addr_from4(addr4[1]);
	return ret->l4 - l3 >= IP4_LEN && ret->l4 <= end;
}

/* The IP packet of an Ethernet frame, behind up to two tags. */
static bool frame_read(const __u8 *frame, size_t len, struct inside *ret)
{
	size_t at = ETH_HLEN - 2;
	__u16 proto;

	for (int tags = 0; tags <= 2 && at + 2 <= len; tags++, at += 4) {
		proto = get16(frame + at);
		if (proto != ETH_P_IP && proto != ETH_P_IPV6)
			continue;
		if (!inside_read(frame, at + 2, len, proto == ETH_P_IPV6,
				 ret) ||
		    ret->len > len - ret->l3)
			return false;
		ret->end = ret->l3 + ret->len;	/* padding is not of it */
		return ret->l4 <= ret->end;
	}
	return false;
}

static __u32 pseudo_sum(const __u8 *frame, const struct inside *p)
{
	__u32 len = p->end - p->l4;

	return p->v6 ? sum16(len + IPPROTO_ICMPV6, frame + p->l3 + 8, 32) : 0;
}

/* RFC 1191, 7.1: a router that does not say how wide. */
static __u32 plateau_under(__u32 len)
{
	static const __u16 plateaus[] = {
		32000, 17914, 8166, 4352, 2002, 1492, 1006,
	};

	for (size_t i = 0; i < sizeof(plateaus) / sizeof(*plateaus); i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return MTU4_LEAST;
}

/* The error itself: its type, its checksum, the packet that it quotes. */
static bool error_read(struct size_error *e, size_t len)
{
	struct inside *p = &e->icmp;
	const __u8 *icmp;

	if (!frame_read(e->frame, len, p) || p->end - p->l4 < ICMP_LEN)
		return false;
	icmp = e->frame + p->l4;
	if (p->v6 ? p->proto != IPPROTO_ICMPV6 || icmp[0] != 2 :
		    p->proto != IPPROTO_ICMP || icmp[0] != 3 || icmp[1] != 4 ||
		    p->frag_off & IP_MF_OFFSET)
		return false;
	if (fold16(sum16(pseudo_sum(e->frame, p), icmp, p->end - p->l4)) !=
	    0xffff)
		return false;
	if (!inside_read(e->frame, p->l4 + ICMP_LEN, p->end, p->v6,
			 &e->outer) ||
	    e->outer.end - e->outer.l4 < QUOTE_LEAST)
		return false;
	e->told = p->v6 ? get32(icmp + 4) : get16(icmp + 6);
	if (!e->told && !p->v6)
		e->told = plateau_under(e->outer.len);
	/* whoever could have passed it on has nothing to complain about */
	return e->told < e->outer.len && !(e->outer.frag_off & 0x1fff) &&
	       !memcmp(&e->outer.src, &p->dst, sizeof(p->dst));
}

/* What kind of tunnel; *ret_at: where the packet inside begins; 0 in
 * *ret_proto: it is not quoted. False: none of ours. */
static bool tunnel_read(struct size_error *e, size_t *ret_at, __u16 *ret_proto)
{
	const struct inside *o = &e->outer;
	const __u8 *at = e->frame + o->l4;
	size_t have = o->end - o->l4;

	*ret_at = o->l4;
	switch (o->proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		e->forward = FORWARD_IPIP;
		*ret_proto = o->proto == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6;
		return true;
	case IPPROTO_GRE:
		e->forward = FORWARD_GRE;
		*ret_at += 4;
		*ret_proto = get16(at + 2);
		return !get16(at);
	case IPPROTO_UDP:
		break;
	default:
		return false;
	}
	*ret_at += 8;
	*ret_proto = 0;
	if (get16(at + 2) == e->rt->gue_port) {
		e->forward = FORWARD_GUE;
		if (have > 8)
			*ret_proto = at[8] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
		return true;
	}
	e->forward = FORWARD_GENEVE;
	*ret_at += 8;
	if (have >= 16)
		*ret_proto = get16(at + 10);
	return get16(at + 2) == e->rt->geneve_port;
}

static bool is_source(const struct tables *t, const struct addr *a)
{
	const bool v6 = !addr_is4(a);
	const struct addr *from = v6 ? &t->runtime->tunnel6 :
				       &t->runtime->tunnel4;
	__u32 bits = v6 ? t->runtime->tunnel6_bits : t->runtime->tunnel4_bits;

	if (!addr_is_zero(from))
		return addr_in(a, from, 128 - bits);
	for (__u32 i = 1; i < t->nr_links; i++)
		if (!addr_compare(v6 ? &t->links[i].addr6 : &t->links[i].addr4,
				  a))
			return true;
	return false;
}

/* The flow that the packet inside is of. False: that is not quoted. */
static bool inner_flow(const struct size_error *e, struct flow *ret)
{
	const struct inside *in = &e->inner;
	__be16 ports[2];

	if (!e->has_inner || in->frag_off & IP_MF_OFFSET ||
	    in->end - in->l4 < sizeof(ports) ||
	    (in->proto != IPPROTO_TCP && in->proto != IPPROTO_UDP &&
	     in->proto != IPPROTO_SCTP))
		return false;
	memcpy(ports, e->frame + in->l4, sizeof(ports));
	*ret = (struct flow){
		.src = in->src, .dst = in->dst, .proto = in->proto,
		.sport = ports[0], .dport = ports[1],
	};
	return true;
}

/* What encap.h takes from the flow's hash, which nobody else can: the source
 * port, the flow label, low bits of the source. */
static bool entropy_is_ours(const struct tables *t, const struct size_error *e)
{
	const struct inside *o = &e->outer;
	const struct runtime *rt = e->rt;
	struct flow flow;
	__u32 entropy, mask;
	const __u8 *ip = e->frame + o->l3;

	if (!inner_flow(e, &flow))
		return true;
	entropy = flow_hash(t->hash_key, hash_dst(t->hash_key, &flow.dst),
			    &flow) >> 8;
	if (o->v6 && ((get32(ip) ^ entropy) & 0xfffff))
		return false;
	if (o->proto == IPPROTO_UDP &&
	    get16(e->frame + o->l4) != (0xc000 | (entropy & 0x3fff)))
		return false;
	if (addr_is_zero(o->v6 ? &rt->tunnel6 : &rt->tunnel4))
		return true;
	mask = (1ull << (o->v6 ? rt->tunnel6_bits : rt->tunnel4_bits)) - 1;
	return !((ntohl(o->src.word[3]) ^ entropy) & mask);
}

static bool size_error_read(const struct tables *t, const __u8 *frame,
			    size_t len, struct size_error *e)
{
	__u16 proto;
	size_t at;

	*e = (struct size_error){ .frame = frame, .rt = t->runtime };
	if (!error_read(e, len) || !tunnel_read(e, &at, &proto) ||
	    !is_source(t, &e->outer.src))
		return false;
	if (proto == ETH_P_IP || proto == ETH_P_IPV6)
		e->has_inner = inside_read(frame, at, e->outer.end,
					   proto == ETH_P_IPV6, &e->inner);
	e->inner.l3 = at;
	return entropy_is_ours(t, e);
}

static void narrow(struct backend *b)
{
	__u16 mtu = b->route_mtu;

	if (b->path_mtu && (!mtu || b->path_mtu < mtu))
		mtu = b->path_mtu;
	__atomic_store_n(&b->mtu, mtu, __ATOMIC_RELAXED);
}

void path_mtu_set_route(struct backend *b, __u32 mtu)
{
	if (mtu > 0xffff)
		mtu = 0;	/* no packet is longer */
	if (b->route_mtu == mtu)
		return;
	b->route_mtu = mtu;
	narrow(b);
}

/* Does a packet to a backend of the service go in such a tunnel? */
static bool goes_in(const struct state *s, __u32 id, enum forward forward)
{
	const struct service_book *book = &s->books[id];
	const struct service *e;

	for (__u32 i = 0; i < book->nr_entries; i++) {
		e = &s->t->services[book->entries[i]];
		if (e->forward == forward || e->tunnel == forward)
			return true;
	}
	return false;
}

/* One at the address of b, with b's kind of tunnel? */
static bool is_about(const struct state *s, const struct size_error *e,
		     const struct backend *b)
{
	return b->state != BACKEND_FREE && !(b->flags & BACKEND_LOCAL) &&
	       !addr_compare(&b->addr, &e->outer.dst) &&
	       b->service < s->nr_services &&
	       goes_in(s, b->service, e->forward);
}

/* What fits now. False: no less than before. */
static bool learn(const struct state *s, const struct size_error *e,
		  struct backend *b, __u32 now_s)
{
	const __u32 least = e->outer.v6 ? MTU6_LEAST : MTU4_LEAST;
	__u32 mtu = e->told < least ? least : e->told;
	__u32 had = b->mtu;

	if (b->hop.link < s->t->nr_links &&
	    (!had || had > s->t->links[b->hop.link].mtu))
		had = s->t->links[b->hop.link].mtu;
	if (mtu >= (had ? had : 0xffff))
		return false;
	b->path_mtu = mtu;
	b->path_mtu_s = now_s;
	narrow(b);
	return true;
}

/* Does b's service have the address that the packet inside went to? */
static bool is_vip(const struct state *s, const struct backend *b,
		   const struct addr *a)
{
	const struct service_book *book = &s->books[b->service];

	for (__u32 i = 0; i < book->nr_entries; i++) {
		const struct service *svc = &s->t->services[book->entries[i]];

		if (addr_in(a, &svc->addr, svc->prefix_len))
			return true;
	}
	return false;
}

/* May, and need, the sender of the packet inside be told of room bytes? (RFC
 * 1122, 3.2.2: not of ICMP, not of a later fragment.) */
static bool needs_answer(const struct size_error *e, __u32 room)
{
	const struct inside *in = &e->inner;

	if (!e->has_inner || in->end - in->l4 < QUOTE_LEAST ||
	    in->len <= room || in->proto == IPPROTO_ICMP ||
	    in->proto == IPPROTO_ICMPV6)
		return false;
	return in->v6 || (in->frag_off & IP_DF && !(in->frag_off & 0x1fff));
}

static void answer_ip(const struct inside *in, __u16 len, __u8 *ip)
{
	if (in->v6) {
		ip[0] = 6 << 4;
		put16(ip + 4, len - IP6_LEN);
		ip[6] = IPPROTO_ICMPV6;
		ip[7] = 64;
		memcpy(ip + 8, &in->dst, 16);
		memcpy(ip + 24, &in->src, 16);
		return;
	}
	ip[0] = 4 << 4 | IP4_LEN / 4;
	put16(ip + 2, len);
	ip[8] = 64;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, &in->dst.word[3], 4);
	memcpy(ip + 16, &in->src.word[3], 4);
	put16(ip + 10, ~fold16(sum16(0, ip, IP4_LEN)));
}

/* In the name of the address that the sender dialled, as all our answers. */
static void answer(const struct size_error *e, __u16 room,
		   struct path_mtu_answer *ret)
{
	const struct inside *in = &e->inner;
	const __u32 head = in->v6 ? IP6_LEN : IP4_LEN;
	const __u32 most = (in->v6 ? MTU6_LEAST : MTU4_LEAST) - head - ICMP_LEN;
	size_t quote = in->end - in->l3;
	struct inside made = { .l3 = 0, .l4 = head, .v6 = in->v6 };
	__u8 *icmp = ret->packet + head;

	if (quote > in->len)
		quote = in->len;
	if (quote > most)
		quote = most;
	memset(ret->packet, 0, head + ICMP_LEN);
	ret->to = in->src;
	ret->len = made.end = head + ICMP_LEN + quote;
	answer_ip(in, ret->len, ret->packet);
	icmp[0] = in->v6 ? 2 : 3;
	icmp[1] = in->v6 ? 0 : 4;
	put16(icmp + 6, room);
	memcpy(icmp + ICMP_LEN, e->frame + in->l3, quote);
	put16(icmp + 2, ~fold16(sum16(pseudo_sum(ret->packet, &made), icmp,
				      ICMP_LEN + quote)));
}

unsigned int path_mtu_learn(struct state *s, const __u8 *frame, size_t len,
			    __u32 now_s, struct path_mtu_answer *ret)
{
	unsigned int learned = 0;
	struct size_error e;
	__u32 room;

	ret->len = 0;
	if (!size_error_read(s->t, frame, len, &e))
		return 0;
	for (__u32 i = 1; i < s->t->nr_backends; i++) {
		struct backend *b = &s->t->backends[i];

		if (!is_about(s, &e, b))
			continue;
		learned += learn(s, &e, b, now_s);
		room = b->mtu - (e.inner.l3 - e.outer.l3);
		if (e.inner.v6 && room < MTU6_LEAST)
			room = MTU6_LEAST;
		if (b->mtu && !ret->len && needs_answer(&e, room) &&
		    is_vip(s, b, &e.inner.dst))
			answer(&e, room, ret);
	}
	return learned;
}

void path_mtu_expire(struct state *s, __u32 now_s)
{
	for (__u32 i = 1; i < s->t->nr_backends; i++) {
		struct backend *b = &s->t->backends[i];

		if (!b->path_mtu || now_s - b->path_mtu_s < PATH_MTU_S)
			continue;
		b->path_mtu = 0;
		narrow(b);
	}
}
