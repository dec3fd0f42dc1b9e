// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The node's part of the reference: what the tc programs make of a packet. One
 * for a service is translated where it is first seen, and an answer translated
 * back where it is last seen, with the host's stack between the two if the
 * client keeps its address, and past it both ways if an address of the node's
 * own stands for it. What is no service's passes untouched.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>

#include "bytes.h"
#include "reference_impl.h"

static bool is_leaving(const struct step *s)
{
	return s->at->hook == TC_POD_OUT || s->at->hook == TC_UPLINK_OUT ||
	       s->at->hook == TC_HOST_OUT;
}

/* What the largest of the packets that it stands for takes on the wire. */
static size_t wire_len(const struct step *s)
{
	size_t head = s->l.l4 - s->l.l3;
	const uint8_t *l4 = s->in->data + s->l.l4;

	if (!s->at->gso_size || s->l.fragment_offset)
		return s->l.end - s->l.l3;
	head += s->l.proto == IPPROTO_TCP ? (l4[12] >> 4) * 4u : 8;
	return head + s->at->gso_size;
}

static void done(struct step *s, enum reason why, unsigned int action)
{
	expect(s, s->is_error ? REASON_ICMP_FORWARDED : why);
	s->want->actions = 1 << action;
}

/* The stack routes it, and has the frame and the hop limit in its care. */
static void by_stack(struct step *s, enum reason why)
{
	seal_all(s);
	done(s, why, XDP_PASS);
}

/* A way past the stack: out by link, from whose MAC it comes. */
struct way {
	__u32 link;
	const uint8_t *mac;
	size_t mtu;
	bool to_host;		/* in, as if it had come by the link */
};

/* What is not as the sender's way allows goes back as it came. */
static bool is_refused_on(struct step *s, const struct way *w)
{
	const struct packet changed = s->want->packet;

	s->want->packet = *s->in;
	if (!is_hosts(s) && hop_limit(s) <= 1)
		reject(s, REASON_HOPS_EXCEEDED);
	else if (wire_len(s) > w->mtu && may_fragment(s) &&
		 !s->at->gso_size && !is_hosts(s))
		cut(s);
	else if (wire_len(s) > w->mtu)
		too_big(s, w->mtu);
	else
		s->want->packet = changed;
	return s->want->reasons;
}

/* Routed, as a router would (RFC 1812, 5.3.1); but the host is none for what it
 * sends itself, or gets. */
static void past_stack(struct step *s, const struct way *w, enum reason why)
{
	const struct link *link = &s->r->tables->links[w->link];
	const struct vlan none[VLANS_MAX] = {};
	struct packet *p = &s->want->packet;

	if (!w->link || !link->user_ifindex) {
		expect(s, REASON_NO_NEXT_HOP);
		return;
	}
	if (!w->to_host && is_refused_on(s, w))
		return;
	if (!w->to_host && !is_hosts(s))
		fewer_hops(s);
	seal_all(s);
	*p = packet_framed(p, w->to_host ? link->mac : w->mac, link->mac, none);
	done(s, why, XDP_REDIRECT);
}

#define LOOPBACK_IFINDEX 1

/* From the host to itself: it is on its way there, by the loopback, or comes in
 * by that, whose MAC address has no bit set. */
static void to_itself(struct step *s, const struct backend *b)
{
	static const uint8_t mac[MAC_LEN];
	const struct vlan none[VLANS_MAX] = {};
	struct packet *p = &s->want->packet;

	if (s->at->ifindex == LOOPBACK_IFINDEX) {
		by_stack(s, REASON_FORWARDED);
	} else if (b->flags & BACKEND_LOCAL) {
		seal_all(s);
		*p = packet_framed(p, mac, mac, none);
		done(s, REASON_FORWARDED, XDP_REDIRECT);
	} else {
		expect(s, REASON_NO_NEXT_HOP);
	}
}

void node_forward(struct step *s, __u32 index)
{
	const struct backend *b = &s->r->tables->backends[index];
	const struct way way = {
		.link = b->hop.link, .mac = b->hop.mac,
		.mtu = way_mtu(s, b, 0),
	};
	const struct memory *m;

	if (!forward_nat(s, index))
		return;
	m = memory_find(s->r, &s->flow);
	if (!m->masks && is_hosts(s))
		to_itself(s, b);
	else if (!m->masks)
		by_stack(s, REASON_FORWARDED);
	else
		past_stack(s, &way, REASON_FORWARDED);
}

void node_give_back(struct step *s, const struct memory *m)
{
	const struct way way = {
		.link = m->link, .mac = m->mac, .to_host = m->is_hosts,
		.mtu = s->r->tables->links[m->link].mtu,
	};

	readdress(s, &m->flow.dst, m->flow.dport, &m->flow.src, m->flow.sport);
	if (m->masks) {
		past_stack(s, &way, REASON_RETURNED);
	} else if (is_leaving(s)) {
		by_stack(s, REASON_RETURNED);
	} else {
		s->want->packet = *s->in;
		expect(s, REASON_NOT_OURS);
	}
}

static bool is_icmp_error(const struct step *s)
{
	const uint8_t *icmp = s->in->data + s->l.l4;

	if (s->l.fragment || s->l.end - s->l.l4 < 8)
		return false;
	return s->l.v6 ? icmp[0] >= 1 && icmp[0] <= 4 :
			 icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 12;
}

/* What flow is it of? False: of none that we could know. */
static bool flow_of_leaving(struct step *s)
{
	if (is_icmp(&s->l) && !s->l.fragment_offset)
		return is_icmp_error(s) && quoted_flow(s) &&
		       !memcmp(&s->flow.dst, &s->l.dst, sizeof(s->l.dst));
	if (s->l.fragment_offset)
		return later_fragment_ports(s) && is_transport(s->flow.proto);
	return is_transport(s->l.proto) && !ports_wrong(s);
}

/* An answer to who knows the service alone comes from there, as the last thing
 * that is done to it. */
static bool left(struct step *s)
{
	struct memory *m;
	bool is_known;

	if (s->l.state == LAYERS_NOT_IP || is_unreadable(s))
		return false;
	is_known = flow_of_leaving(s);
	if (s->quote.l3 && is_quote_vague(s)) {
		expect_vague(s, is_hosts(s) ? ~0ull :
					      REASON_BIT(NOT_OURS) |
					      REASON_BIT(ICMP_FORWARDED));
		return true;
	}
	m = is_known ? reply_memory(s) : NULL;
	if (!m)
		return false;
	backend_seen(s, m);
	if (m->masks)
		return false;
	if (s->l.fragment && !s->l.fragment_offset)
		first_fragment(s);
	node_give_back(s, m);
	return true;
}

/* What the host sends and makes no sense is not for us to judge. */
static bool makes_sense(struct step *s)
{
	bool ret;

	if (is_unreadable(s))
		return false;
	if (is_icmp(&s->l))
		return s->l.fragment_offset || s->l.end - s->l.l4 >= 8;
	if (s->l.fragment_offset)
		return true;
	ret = is_transport(s->l.proto) && !ports_wrong(s);
	s->want->reasons = 0;
	return ret;
}

/* Programs that nothing is to do for look at nothing; and nobody serves
 * 127.0.0.1 or ::1. */
static bool is_served_here(const struct step *s)
{
	const struct runtime *rt = s->r->tables->runtime;
	const struct addr loopback6 = { .word[3] = htonl(1) };
	const struct addr *to = &s->l.dst;
	bool is_loopback = s->l.v6 ?
		!memcmp(to, &loopback6, sizeof(*to)) :
		ntohl(to->word[3]) >> 24 == 127;

	if (s->at->hook == TC_POD_OUT)
		return true;
	if (!(s->at->hook == TC_HOST_OUT ? rt->has_node : rt->has_local))
		return false;
	return !is_hosts(s) || !is_loopback;
}

static void leaves(struct step *s)
{
	const struct runtime *rt = s->r->tables->runtime;

	if (!is_served_here(s)) {
		expect(s, REASON_NOT_OURS);
		return;
	}
	if (left(s))
		return;
	s->is_error = false;
	s->opens = s->closes = s->offers = s->is_fin = false;
	step_begin(s);
	if (is_hosts(s) && rt->has_node && makes_sense(s))
		arrived(s);
	else
		expect(s, REASON_NOT_OURS);
}

void reference_tc(struct reference *r, const struct tc_place *at,
		  const struct packet *in, const struct outcome *got,
		  struct outcome *want)
{
	struct step s = { .r = r, .at = at, .in = in, .got = got,
			  .want = want };

	step_begin(&s);
	if (is_leaving(&s))
		leaves(&s);
	else
		arrived(&s);
}
