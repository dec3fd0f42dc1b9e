// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From packet to verdict, in the order of the specification: whose is it, is
 * it well formed, which flow, which service, which backend; rewriting is in
 * forward.c, what is remembered in memory.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <linux/bpf.h>

#include <fairlead/hash.h>

#include "bytes.h"
#include "reference_impl.h"

static const char *const reason_names[] = {
#define X(name, verdict, text) [REASON_##name] = #name,
	FAIRLEAD_REASONS(X)
#undef X
};

const char *reason_name(enum reason why)
{
	return why < 0 || why >= NR_REASONS ? "NONE" : reason_names[why];
}

/* What goes back where it came from; the untagged link of an interface says
 * how. */
static unsigned int reply_actions(const struct step *s)
{
	const struct link *links = s->r->tables->links;

	if (s->at)
		return 1 << XDP_REDIRECT;
	for (__u32 i = 1; i < s->r->tables->nr_links; i++)
		if (links[i].ifindex == s->r->ifindex && !links[i].vlan_id &&
		    links[i].flags & LINK_REDIRECTS)
			return 1 << XDP_REDIRECT;
	return 1 << XDP_TX;
}

static unsigned int verdict_actions(const struct step *s, enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS: return 1 << XDP_PASS;
	case VERDICT_FORWARD:
		return 1 << (s->at ? XDP_PASS : XDP_TX) | 1 << XDP_REDIRECT;
	case VERDICT_REPLY: return reply_actions(s);
	default: return 1 << XDP_DROP;
	}
}

void expect(struct step *s, enum reason why)
{
	s->want->reasons = 1ull << why;
	s->want->actions = verdict_actions(s, reason_verdict(why));
	s->want->compare = reason_verdict(why) == VERDICT_DROP ?
				   COMPARE_NOTHING : COMPARE_FRAME;
}

void expect_or(struct step *s, enum reason why)
{
	s->want->reasons |= 1ull << why;
	s->want->actions |= verdict_actions(s, reason_verdict(why));
}

void expect_vague(struct step *s, __u64 reasons)
{
	s->want->reasons = 0;
	s->want->actions = 0;
	s->want->compare = COMPARE_NOTHING;
	for (int why = 0; why < NR_REASONS; why++) {
		if (reasons & 1ull << why)
			expect_or(s, why);
	}
}

static bool addr_eq(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool addr_within(const struct addr *a, const struct addr *net,
		 unsigned int len)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)net;
	unsigned int bytes = len / 8, bits = len % 8;

	return !memcmp(x, y, bytes) &&
	       (!bits || !((x[bytes] ^ y[bytes]) >> (8 - bits)));
}

static bool is_nat_addr(const struct reference *r, const struct addr *a)
{
	for (int i = 1; i <= 2 * NAT_ADDRS_MAX; i++) {
		if (addr_eq(&r->tables->nat_addrs[i], a))
			return true;
	}
	return false;
}

static bool is_host_addr(const struct reference *r, const struct addr *a)
{
	for (size_t i = 0; i < r->nr_host_addrs; i++) {
		if (addr_eq(&r->host_addrs[i], a))
			return true;
	}
	return false;
}

/* The node port: of a's family, at any of its addresses. NULL: none;
 * protocol 0: whichever. */
static const struct reference_service *
node_port_of(const struct reference *r, const struct addr *a, uint16_t port,
	     uint8_t proto)
{
	const struct addr node = addr(addr_v6(a) ? "::" : "0.0.0.0");
	bool is_node = false;

	for (size_t i = 0; i < r->nr_node_addrs; i++)
		is_node |= addr_eq(&r->node_addrs[i], a);
	for (size_t i = 0; is_node && i < r->nr_services; i++) {
		const struct service *s = &r->services[i].service;

		if (s->kind == KIND_NODE_PORT && addr_eq(&s->addr, &node) &&
		    (!proto || (s->proto == proto && s->port_first <= port &&
			       port <= s->port_last)))
			return &r->services[i];
	}
	return NULL;
}

static bool is_vip(const struct reference *r, const struct addr *a)
{
	if (node_port_of(r, a, 0, 0))
		return true;
	for (size_t i = 0; i < r->nr_services; i++) {
		if (addr_within(a, &r->services[i].service.addr,
				r->services[i].prefix_len))
			return true;
	}
	return false;
}

bool is_hosts(const struct step *s)
{
	if (!s->at)
		return false;
	return s->at->hook == TC_HOST_OUT ||
	       (s->at->hook == TC_UPLINK_OUT && s->at->is_hosts);
}

/* What we send ourselves does not come in by an uplink, nor from a pod. */
static bool is_own(const struct step *s)
{
	const struct addr *a = &s->flow.src;

	if (is_hosts(s))
		return false;
	return is_vip(s->r, a) || is_nat_addr(s->r, a) || is_host_addr(s->r, a);
}

/* Of the VIPs that a is in, the longest one's bits: it alone counts. */
static unsigned int vip_bits(const struct reference *r, const struct addr *a)
{
	unsigned int most = 0;

	for (size_t i = 0; i < r->nr_services; i++) {
		const struct reference_service *s = &r->services[i];

		if (s->prefix_len > most &&
		    addr_within(a, &s->service.addr, s->prefix_len))
			most = s->prefix_len;
	}
	return most;
}

/* The service of flow f; a port of its own goes before every port. */
static const struct reference_service *
service_of(const struct reference *r, const struct flow *f)
{
	const struct reference_service *any = NULL;
	unsigned int bits = vip_bits(r, &f->dst);
	uint16_t port = ntohs(f->dport);

	for (size_t i = 0; i < r->nr_services; i++) {
		const struct reference_service *s = &r->services[i];

		if (s->service.proto != f->proto || s->prefix_len != bits ||
		    !addr_within(&f->dst, &s->service.addr, s->prefix_len) ||
		    port < s->service.port_first || port > s->service.port_last)
			continue;
		if (s->service.port_first || s->service.port_last != 65535)
			return s;
		any = s;
	}
	return any ?: node_port_of(r, &f->dst, port, f->proto);
}

static bool is_bad_source(const struct layers *l)
{
	const uint8_t *a = (const uint8_t *)&l->src;
	static const uint8_t zero[15];

	if (!l->v6)
		return a[12] == 0 || a[12] == 127 || a[12] >= 224;
	return a[0] == 0xff || !addr_v6(&l->src) ||
	       (!memcmp(a, zero, 15) && a[15] <= 1);
}

/*
 * What the chunks of an SCTP packet say of its association (RFC 9260): INIT
 * and SHUTDOWN COMPLETE are alone, ABORT may have control chunks before it,
 * and no data (3.3.7, 6.10). More than eight before it nobody sends.
 */
static void chunks(struct step *s, const uint8_t *at, size_t room)
{
	s->opens = room >= 4 && at[0] == SCTP_INIT;
	s->closes = room >= 4 && at[0] == SCTP_SHUTDOWN_COMPLETE;
	for (int i = 0; i < 9 && room >= 4 && at[0] != SCTP_DATA; i++) {
		size_t size = (get16(at + 2) + 3) & ~3ul;

		s->closes |= at[0] == SCTP_ABORT;
		if (get16(at + 2) < 4 || size > room)
			return;
		at += size;
		room -= size;
	}
}

/* TCP, UDP and SCTP as they stand at l4: is there a whole header? */
bool ports_wrong(struct step *s)
{
	const uint8_t *l4 = s->in->data + s->l.l4;
	size_t room = s->l.end - s->l.l4;
	static const uint8_t least[] = {
		[IPPROTO_TCP] = 20, [IPPROTO_UDP] = 8, [IPPROTO_SCTP] = 12,
	};
	bool is_sctp = s->l.proto == IPPROTO_SCTP;

	if (room < least[s->l.proto]) {
		expect(s, REASON_TRUNCATED);
		return true;
	}
	s->flow.sport = htons(get16(l4));
	s->flow.dport = htons(get16(l4 + 2));
	if (s->l.proto == IPPROTO_TCP) {
		s->tcp_flags = l4[13];
		s->opens = (l4[13] & (SYN | ACK)) == SYN;
		s->offers = (l4[13] & (SYN | ACK)) == (SYN | ACK);
		s->number = s->offers ? get32(l4 + 4) + 1 : get32(l4 + 8);
		s->closes = l4[13] & (FIN | RST);
		s->is_fin = (l4[13] & (FIN | RST)) == FIN;
		if (l4[12] >> 4 < 5)
			expect(s, REASON_BAD_HEADER);
		else if ((l4[12] >> 4) * 4u > room)
			expect(s, REASON_TRUNCATED);
	} else if (is_sctp) {
		chunks(s, l4 + 12, room - 12);
		s->offers = room >= 20 && l4[12] == SCTP_INIT_ACK;
		s->number = get32(l4 + (s->offers ? 16 : 4));
	} else {
		s->offers = true;
		s->number = 1;
	}
	if (s->l.proto != IPPROTO_UDP)
		return s->want->reasons;
	if (get16(l4 + 4) < 8) {
		expect(s, REASON_BAD_HEADER);
	} else if (get16(l4 + 4) > room && !s->l.fragment) {
		expect(s, REASON_TRUNCATED);
	}
	return s->want->reasons;
}

/* The host may judge by itself what is malformed at an address of its own. */
static void or_left_to_host(struct step *s)
{
	if (is_host_addr(s->r, &s->l.dst))
		expect_or(s, REASON_HOST_PORT);
	if (!is_vip(s->r, &s->l.dst))
		expect_or(s, REASON_NO_CONN);
}

bool is_icmp(const struct layers *l)
{
	return l->proto == (l->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

bool is_transport(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP;
}

static bool is_malformed(struct step *s)
{
	if (s->l.state == LAYERS_OK && s->l.l4 <= s->l.end)
		return false;
	expect(s, s->l.state == LAYERS_TRUNCATED ? REASON_TRUNCATED :
						   REASON_BAD_HEADER);
	/* Which of two faults is found first is nobody's concern. */
	expect_or(s, REASON_BAD_HEADER);
	expect_or(s, REASON_TRUNCATED);
	/* A part of a part, if what follows IP's end in the frame counted. */
	if (s->l.fragment && s->l.proto == IPPROTO_FRAGMENT)
		expect_or(s, REASON_PROTOCOL);
	return true;
}

bool is_unanswerable(const struct step *s)
{
	return s->l.fragment_offset ||
	       (s->l.proto == IPPROTO_TCP && s->tcp_flags & RST) ||
	       s->is_error;
}

/* A host drops what has a wrong header checksum in silence (RFC 1122,
 * 3.2.1.2); what goes on to a backend stays as wrong as it came. */
static bool is_broken(struct step *s)
{
	const uint8_t *ip = s->in->data + s->l.l3;

	if (s->l.v6 || fold16(sum16(0, ip, (ip[0] & 15) * 4)) == 0xffff)
		return false;
	expect(s, REASON_BAD_HEADER);
	return true;
}

/* How many answers went out is time's to say, not the packet's; a limit must
 * be there. */
static bool is_limited(struct step *s)
{
	const struct runtime *rt = s->r->tables->runtime;

	if (s->at && s->at->hook != TC_UPLINK_IN)	/* our own */
		return false;
	if (s->got->reasons != REASON_BIT(LIMITED) ||
	    !(rt->answers_per_s || rt->answers_network_per_s))
		return false;
	expect(s, REASON_LIMITED);
	return true;
}

bool is_silent(struct step *s)
{
	return is_broken(s) || is_limited(s);
}

void reject(struct step *s, enum reason why)
{
	if (is_unanswerable(s)) {
		expect(s, REASON_UNANSWERED);
		/* nobody needs to know the ports of what is rejected */
		if (s->l.fragment_offset) {
			expect_or(s, REASON_FRAGMENT_EARLY);
			expect_or(s, REASON_FRAGMENT_LOST);
		}
		return;
	}
	if (is_silent(s))
		return;
	expect(s, why);
	if (why == REASON_HOPS_EXCEEDED)
		answer_error(s, s->l.v6 ? 3 : 11, 0, 0);
	else if (s->l.proto == IPPROTO_TCP)
		answer_reset(s);
	else
		answer_error(s, s->l.v6 ? 1 : 3, s->l.v6 ? 4 : 3, 0);
}

static const struct backend *backend_at(const struct reference *r, __u32 index)
{
	return &r->tables->backends[index];
}

static bool may_serve(const struct reference *r, __u32 index)
{
	__u8 state = backend_at(r, index)->state;

	return index && (state == BACKEND_ACTIVE || state == BACKEND_DRAIN ||
			 state == BACKEND_LEAVING);
}

/* One that nobody confirmed may have had to, where there are many: both of
 * its directions at once. Then nothing, or something else, is recorded. */
static bool has_made_room(const struct step *s, const struct memory *m)
{
	struct conn c;

	if (m->state == CONN_LIVE || !memory_is_much(s->r))
		return false;
	return !recorded(s->r, &m->flow, &c) ||
	       conn_backend(&c) != m->backend ||
	       (m->nat && c.nat_port != m->nat_port);
}

/* Both sides have closed the last connection of a client that begins anew: this
 * is another. (What a reset ended, or seemed to, keeps its backend.) */
static bool is_over(const struct step *s, const struct memory *m)
{
	return s->opens && m->state == CONN_CLOSING && m->client_fin &&
	       m->backend_fin;
}

/* What is recorded of s's flow; NULL: nothing, or its backend cannot serve. */
static struct memory *record_of(const struct step *s)
{
	struct memory *m = memory_find(s->r, &s->flow);

	if (m && has_made_room(s, m)) {
		memory_drop(s->r, &s->flow);
		m = NULL;
	}
	if (!m || backend_at(s->r, m->backend)->generation != m->generation ||
	    !may_serve(s->r, m->backend) || is_over(s, m))
		return NULL;
	return m;
}

/* A reset, or what is one of SCTP. */
static bool is_reset(const struct step *s)
{
	return s->closes && !s->is_fin;
}

static void has_ended(struct memory *m)
{
	m->state = CONN_CLOSING;
	m->offered = 0;
	m->begun_anew = false;
}

/* A FIN says that its sender has no more to say (RFC 9293, 3.6): what both
 * have sent one for is ending. */
static void fin_seen(struct memory *m, bool *side)
{
	*side = true;
	if (m->client_fin && m->backend_fin)
		has_ended(m);
}

/* Of what is closing, a last packet sent again, or a first one, voids what was
 * offered before. */
static void nothing_new(const struct step *s, struct memory *m, bool is_client)
{
	if (m->state != CONN_CLOSING || !(s->closes || s->opens))
		return;
	m->offered = 0;
	m->begun_anew = is_client && !s->closes;
}

/*
 * A client's packet of a translated connection: that is live when its client
 * confirms what the backend offered, and is in use after a reset likewise.
 */
static void nat_client_seen(const struct step *s, struct memory *m)
{
	if (is_reset(s)) {
		has_ended(m);
		return;
	}
	if (m->state != CONN_LIVE) {
		if (s->opens || !m->offered || s->number != m->offered) {
			nothing_new(s, m, true);
			return;
		}
		m->state = CONN_LIVE;
		m->client_fin = m->backend_fin = false;
	}
	if (s->is_fin)
		fin_seen(m, &m->client_fin);
}

/*
 * A client's packet of a choice, where no answer is seen: the second makes it
 * live. One that ended is, when its client has begun anew and gone on.
 */
static void choice_client_seen(const struct step *s, struct memory *m)
{
	if (s->closes) {
		has_ended(m);
		m->client_fin = s->is_fin;
	} else if (s->opens) {
		if (m->state == CONN_CLOSING)
			m->offered = 1;
	} else if (m->state == CONN_HALF || m->offered) {
		m->state = CONN_LIVE;
		m->client_fin = false;
		m->offered = 0;
	}
}

/*
 * Its replies go where its last packet came from. What XDP sees is of another
 * interface than a pod's, whoever says what: those move no pod.
 */
static void learn_way(const struct step *s, struct memory *m)
{
	const struct link *known = &s->r->tables->links[m->link];
	__u32 link = s->at ? link_in(s) : 0;

	if ((!link && !known->ifindex) || (m->is_hosts && !is_hosts(s)))
		return;
	memcpy(m->mac, s->in->data + MAC_LEN, MAC_LEN);
	if (!link)
		return;
	m->link = link;
	m->is_hosts = is_hosts(s);
}

static void client_seen(const struct step *s, struct memory *m)
{
	if (s->is_error)
		return;
	if (!m->nat) {
		choice_client_seen(s, m);
		return;
	}
	nat_client_seen(s, m);
	learn_way(s, m);
}

/* More than the largest TCP header is data, whatever its length. */
static bool sends_data(const struct step *s)
{
	return s->flow.proto == IPPROTO_TCP && !(s->tcp_flags & (SYN | RST)) &&
	       s->l.end - s->l.l4 > 60;
}

/*
 * Does it show that the backend has the connection? Data is what a backend has
 * only for a client that it knows, by a cookie (RFC 7413) or from before. After
 * a reset it sends nothing, so that anything disproves that it got one; if it
 * has not said itself that it is done, which it may say again.
 */
static bool is_in_use(const struct step *s, const struct memory *m)
{
	if (m->state == CONN_HALF)
		return sends_data(s);
	return !(m->client_fin && m->backend_fin) && !s->offers && !s->opens;
}

void backend_seen(const struct step *s, struct memory *m)
{
	if (s->is_error)
		return;
	if (is_reset(s)) {
		has_ended(m);
		return;
	}
	if (m->state != CONN_LIVE) {
		if (!is_in_use(s, m)) {
			m->offered = s->offers ? s->number : m->offered;
			nothing_new(s, m, false);
			return;
		}
		m->state = CONN_LIVE;
	}
	if (s->is_fin)
		fin_seen(m, &m->backend_fin);
}

/* The backend of s's flow as recorded; 0: none. */
static __u32 recorded_backend(struct step *s)
{
	struct memory *m = record_of(s);

	if (!m)
		return 0;
	/* what fl_xdp has chosen, it has seen already */
	if (!s->at || m->nat)
		client_seen(s, m);
	return m->backend;
}

/*
 * Who comes by a pod's interface is one, or who has a source that pods have, as
 * the node is told to know them. If it is told nothing, nobody can say.
 */
enum origin origin_of(const struct step *s)
{
	const struct runtime *rt = s->r->tables->runtime;
	const bool v6 = addr_v6(&s->flow.src);
	unsigned int len = v6 ? rt->pods6_len : rt->pods4_len;
	bool is_pod;

	if (s->at && is_hosts(s))
		return ORIGIN_NODE;
	if (rt->pods_by_interface)
		is_pod = s->at && s->at->hook == TC_POD_IN;
	else if (len)
		is_pod = addr_within(&s->flow.src, v6 ? &rt->pods6 : &rt->pods4,
				     len);
	else
		return ORIGIN_UNKNOWN;
	return is_pod ? ORIGIN_POD : ORIGIN_ELSEWHERE;
}

/* Policy Local: only backends on this host; of the outside's front ends that is
 * for who comes from there. At the edge there is no policy. */
static bool is_for_local(const struct step *s)
{
	const struct service *svc = &s->service->service;

	if (svc->kind == KIND_EDGE || !(svc->flags & SERVICE_POLICY_LOCAL))
		return false;
	return svc->kind == KIND_CLUSTER_IP ||
	       origin_of(s) == ORIGIN_ELSEWHERE ||
	       origin_of(s) == ORIGIN_UNKNOWN;
}

static bool is_in_set(const struct step *s, __u32 backend)
{
	__u8 flags = backend_at(s->r, backend)->flags;

	return is_for_local(s) ? flags & BACKEND_IN_LOCAL :
				 !(flags & BACKEND_NOT_IN_CLUSTER);
}

/* Every backend of the set that has a slot, into s->candidates. */
static void any_slot(struct step *s)
{
	for (__u32 i = 0; i < s->service->nr_slots; i++) {
		__u32 backend = s->service->slots[i].backend;
		size_t j;

		if (!is_in_set(s, backend))
			continue;
		for (j = 0; j < s->nr_candidates; j++) {
			if (s->candidates[j] == backend)
				break;
		}
		if (j == s->nr_candidates && j < CANDIDATES_MAX && backend)
			s->candidates[s->nr_candidates++] = backend;
	}
}

static __u32 slots_in_set(const struct step *s)
{
	const struct service *svc = &s->service->service;

	return is_for_local(s) ? svc->local_count : svc->slot_count;
}

/* Of those that the set which is asked has. */
static const struct slot *slot_of(const struct step *s)
{
	const struct service *svc = &s->service->service;
	static const struct slot none;
	__u32 first = 0, count = slots_in_set(s);
	const __u32 *key = s->r->tables->hash_key;
	__u64 dst = hash_dst(key, &s->flow.dst);
	__u64 hash = svc->flags & SERVICE_AFFINITY ?
			     client_hash(key, &s->flow.src) :
			     flow_hash(key, dst, &s->flow);

	if (is_for_local(s))
		first = svc->local_base - svc->slot_base;
	if (!count)
		return &none;
	return &s->service->slots[first + slot_index(hash, count)];
}

static bool is_new_flow(const struct step *s)
{
	return !s->is_error &&
	       (s->opens || s->flow.proto == IPPROTO_UDP);
}

static struct flow affinity_key(const struct step *s)
{
	/* a client of the service, at whichever of its addresses */
	return (struct flow){
		.src = s->flow.src,
		.dst.word[3] = s->service->service.id,
		.proto = s->service->service.proto,
		.kind = FLOW_AFFINITY,
	};
}

static __u32 sticky_backend(struct step *s)
{
	struct flow f = affinity_key(s);
	const struct memory *m = memory_find(s->r, &f);

	if (!m || backend_at(s->r, m->backend)->generation != m->generation ||
	    backend_at(s->r, m->backend)->state != BACKEND_ACTIVE ||
	    !is_in_set(s, m->backend))
		return 0;
	return m->backend;
}

/* By the slot: who has it, or who had it when the flow may be an older one.
 * Of UDP that is always recorded, there are no older ones. */
static __u32 slot_backend(struct step *s)
{
	const struct slot *slot = slot_of(s);
	__u16 flags = s->service->service.flags;
	bool is_new = s->opens ||
		      (flags & SERVICE_TRACKED && is_new_flow(s));

	if (!is_new && slot->previous && may_serve(s->r, slot->previous) &&
	    !(flags & SERVICE_STATELESS))
		return slot->previous;
	return slot->backend;
}

/* What chance decided is not seen of a packet that was rejected; but it was
 * recorded, and must be one of the candidates. */
static void as_recorded(struct step *s)
{
	struct flow client = affinity_key(s);
	struct conn c;

	if (s->nr_candidates < 2 || (!recorded(s->r, &s->flow, &c) &&
				     !recorded(s->r, &client, &c)))
		return;
	for (size_t i = 0; i < s->nr_candidates; i++) {
		if (s->candidates[i] == conn_backend(&c)) {
			s->candidates[0] = conn_backend(&c);
			s->nr_candidates = 1;
			return;
		}
	}
	s->nr_candidates = 0;
}

/* Fills candidates: more than one if chance decides. */
static void choose(struct step *s)
{
	const struct service *svc = &s->service->service;
	bool maglev = svc->algorithm == ALGORITHM_MAGLEV;
	__u32 backend = 0;

	if (svc->flags & SERVICE_STATELESS && svc->forward != FORWARD_NAT) {
		s->candidates[s->nr_candidates++] = slot_of(s)->backend;
		return;
	}
	s->keeps = !maglev || svc->forward == FORWARD_NAT ||
		   svc->flags & (SERVICE_TRACKED | SERVICE_AFFINITY) ||
		   slot_of(s)->previous;
	if (s->keeps)
		backend = recorded_backend(s);
	s->known = backend;
	if (!backend && svc->flags & SERVICE_AFFINITY && is_new_flow(s))
		backend = sticky_backend(s);
	if (!backend && !maglev && is_new_flow(s)) {
		any_slot(s);
		return;
	}
	s->candidates[s->nr_candidates++] = backend ?: slot_backend(s);
}

/* With nobody to take new connections, recorded ones go on. */
static bool choose_without_slots(struct step *s)
{
	const struct service *svc = &s->service->service;

	if (svc->algorithm == ALGORITHM_MAGLEV &&
	    svc->forward != FORWARD_NAT &&
	    !(svc->flags & (SERVICE_TRACKED | SERVICE_AFFINITY)))
		return false;
	s->candidates[0] = recorded_backend(s);
	if (!s->candidates[0])
		return false;
	s->known = true;
	s->keeps = true;
	s->nr_candidates = 1;
	return true;
}

/* The choice was made: remember what the datapath must. */
static void keep(struct step *s, __u32 backend)
{
	const struct service *svc = &s->service->service;
	struct memory m = {
		.backend = backend,
		.generation = backend_at(s->r, backend)->generation,
		.tunnel = s->at ? FORWARD_NAT : svc->tunnel,
		.from_dialled = svc->kind == KIND_NODE_PORT,
		.outlives = svc->tunnel && s->flow.proto != IPPROTO_UDP,
	};

	if (s->is_error)
		return;
	if (svc->flags & SERVICE_AFFINITY && is_new_flow(s) && !s->known) {
		struct flow f = affinity_key(s);

		memory_put(s->r, &f, &m);
	}
	if (!s->keeps || s->known || forward_of(s) == FORWARD_NAT)
		return;
	memory_put(s->r, &s->flow, &m);
}

uint8_t hop_limit(const struct step *s)
{
	return s->in->data[s->l.l3 + (s->l.v6 ? 7 : 8)];
}

/* Nobody is in the set: rejected, but not if somebody is elsewhere. */
static void to_nobody(struct step *s)
{
	if (is_for_local(s) && s->service->service.flags & SERVICE_EMPTY_DROPS)
		expect(s, REASON_NO_LOCAL);
	else
		reject(s, REASON_NO_BACKEND);
}

/* Towards one of the candidates: the one that the datapath took, if it may. */
static void to_backend(struct step *s)
{
	struct outcome *want = s->want;
	size_t taken = 0;

	as_recorded(s);
	if (!s->nr_candidates || !s->candidates[0]) {
		to_nobody(s);
		return;
	}
	for (size_t i = 0; i < s->nr_candidates; i++) {
		want->packet = *s->in;
		forward(s, s->candidates[i]);
		if (s->nr_candidates == 1 || outcome_ok(want, s->got, false)) {
			taken = i;
			break;
		}
	}
	keep(s, s->candidates[taken]);
}

/* The smallest of the networks that a client is in decides; without any, it
 * may come only where nobody is allowed by name. */
static bool admits(const struct reference_service *svc,
		   const struct addr *client)
{
	const struct model_source *best = NULL, *m = svc->sources;
	const struct model_source *end = m + svc->nr_sources;
	bool allows = false;

	for (; m < end; m++) {
		allows |= m->allow;
		if (addr_within(client, &m->addr, m->len) &&
		    (!best || m->len > best->len))
			best = m;
	}
	return best ? best->allow : !allows;
}

/* A connection that NAT knows goes on, whoever may come now. One that begins
 * where another ended is new. What is in a tunnel to another node is that one's
 * to judge. */
static bool is_refused(struct step *s)
{
	const struct memory *m = s->service->service.forward == FORWARD_NAT ?
					 record_of(s) : NULL;

	if (admits(s->service, &s->flow.src) ||
	    (m && m->nat && !(s->opens && m->state == CONN_CLOSING)) ||
	    (m && !m->nat && !s->at))
		return false;
	expect(s, REASON_SOURCE);
	return true;
}

/* Of one that the host has itself: who forges such a packet is believed, as of
 * any connection, but that its answers go elsewhere. */
static bool is_of_hosts_connection(const struct step *s)
{
	const struct memory *m = record_of(s);

	return m && m->is_hosts;
}

/* Another hook may have chosen, and nothing more. */
static bool is_translated(const struct step *s)
{
	const struct memory *m = record_of(s);

	return m && m->nat;
}

static void to_service(struct step *s)
{
	s->service = service_of(s->r, &s->flow);
	if (!s->service && is_host_addr(s->r, &s->flow.dst)) {
		expect(s, REASON_HOST_PORT);
		return;
	}
	if (is_own(s) && !is_of_hosts_connection(s)) {
		expect(s, REASON_OWN_SOURCE);
		return;
	}
	if (!s->service) {
		reject(s, REASON_NO_SERVICE);
		return;
	}
	if (s->at && s->service->service.kind == KIND_EDGE) {
		expect(s, REASON_NOT_OURS);
		return;
	}
	if (is_refused(s))
		return;
	if (!slots_in_set(s) && !choose_without_slots(s)) {
		if (s->service->service.kind != KIND_EDGE && !link_in(s)) {
			expect_vague(s, REASON_BIT(NO_NEXT_HOP) |
					REASON_BIT(NO_BACKEND) |
					REASON_BIT(UNANSWERED) |
					REASON_BIT(LIMITED) |
					REASON_BIT(BAD_HEADER));
			return;
		}
		if (is_for_local(s)) {
			to_nobody(s);
			return;
		}
		if (is_host_addr(s->r, &s->flow.dst) && !s->at)
			expect_vague(s, REASON_BIT(NO_BACKEND) |
					REASON_BIT(UNANSWERED) |
					REASON_BIT(BAD_HEADER) |
					REASON_BIT(LIMITED) |
					REASON_BIT(HOST_PORT));
		else
			reject(s, REASON_NO_BACKEND);
		return;
	}
	if (forward_of(s) == FORWARD_NAT &&
	    !is_translated(s) && !link_in(s)) {
		expect(s, REASON_NO_NEXT_HOP);
		return;
	}
	if (!s->nr_candidates)
		choose(s);
	to_backend(s);
}

/* No link has less; above, the way back may be too narrow. */
#define LEAST_MTU 1280

static void to_client(struct step *s, const struct memory *m)
{
	const struct link *link = &s->r->tables->links[m->link];

	if (s->at)
		node_give_back(s, m);
	else if (hop_limit(s) <= 1)
		reject(s, REASON_HOPS_EXCEEDED);
	else if (m->is_hosts || (!link->ifindex && link->user_ifindex))
		expect(s, REASON_HANDED_ON);
	else if (s->l.end - s->l.l3 <= LEAST_MTU)
		give_back(s, m);
	else
		expect_vague(s, REASON_BIT(TOO_BIG) | REASON_BIT(RETURNED) |
				REASON_BIT(CUT) | REASON_BIT(FRAGMENT_LOST) |
				REASON_BIT(BAD_HEADER) | REASON_BIT(LIMITED) |
				REASON_BIT(ICMP_FORWARDED) |
				REASON_BIT(UNANSWERED));
}

/*
 * A late answer over UDP of an endpoint that is gone: its flow goes elsewhere
 * with the client's next packet, and until then the table may know it yet, or
 * not. (kube-proxy deletes what conntrack has of it.)
 */
static bool is_let_pass(const struct step *s, const struct memory *m)
{
	const __u64 as_it_came = REASON_BIT(NO_CONN) | REASON_BIT(HOST_PORT) |
				 REASON_BIT(ICMP_UNRELATED);

	return m->flow.proto == IPPROTO_UDP &&
	       (backend_at(s->r, m->backend)->generation != m->generation ||
		!may_serve(s->r, m->backend)) &&
	       (!s->got->reasons || s->got->reasons & as_it_came);
}

/*
 * A backend answers a SYN that its client has not sent to the service since
 * the last connection was over: it was to the backend itself, with the same
 * five-tuple. It can be where the client is seen by its own address.
 */
static bool is_direct(const struct step *s, const struct memory *m)
{
	return s->offers && !s->closes && !s->is_error && !m->masks &&
	       m->state == CONN_CLOSING && !m->begun_anew;
}

/* The connection that s's flow answers. NULL: none. */
struct memory *reply_memory(const struct step *s)
{
	struct memory *m = memory_find_reply(s->r, &s->flow);

	if (!m || is_let_pass(s, m))
		return NULL;
	if (!has_made_room(s, m) && !is_direct(s, m))
		return m;
	memory_drop(s->r, &m->flow);
	return NULL;
}

/*
 * To an address of ours that is no VIP, and a port that no service has and we
 * do not lend: that is for the host, whatever it is. One look at the first
 * header tells, if the ports come next.
 */
static bool is_hosts_port(const struct step *s)
{
	const struct tables *t = s->r->tables;
	__u64 sum = hash_dst(t->hash_key, &s->l.dst);
	uint16_t port = ntohs(s->flow.dport);

	return t->runtime->has_node && !s->is_error && !s->l.fragment_offset &&
	       s->l.l4 - s->l.l3 == (s->l.v6 ? 40 : 20) &&
	       !(t->vip_filter[vip_filter_index(sum)] & VIP_SERVICE) &&
	       !(t->port_filter[port / 64] >> port % 64 & 1);
}

static bool from_backend(struct step *s)
{
	struct memory *m;

	if (!is_nat_addr(s->r, &s->flow.dst) || is_hosts_port(s))
		return false;
	m = reply_memory(s);
	if (!m)
		return false;
	backend_seen(s, m);
	to_client(s, m);
	return true;
}

static void unknown_at_nat(struct step *s)
{
	expect(s, is_host_addr(s->r, &s->l.dst) && is_vip(s->r, &s->l.dst) ?
		       REASON_HOST_PORT : REASON_NO_CONN);
}

static void unrelated(struct step *s)
{
	expect(s, REASON_ICMP_UNRELATED);
	if (is_nat_addr(s->r, &s->l.dst))
		expect_or(s, REASON_NO_CONN);
	if (is_host_addr(s->r, &s->l.dst))
		expect_or(s, REASON_HOST_PORT);
	if (s->want->actions & 1 << XDP_PASS)
		s->want->compare = COMPARE_NOTHING;
}

/* Turn s->flow into that of the packets which the quoted one answers. */
bool quoted_flow(struct step *s)
{
	const uint8_t *l4;

	s->quote.vlans = 0;
	packet_layers_ip(s->in, s->l.l4 + 8, s->l.end, s->l.v6, &s->quote);
	if (s->quote.state == LAYERS_NO_DST || s->quote.state == LAYERS_BAD ||
	    s->quote.fragment_offset || s->quote.l4 + 8 > s->l.end ||
	    s->quote.routed || !is_transport(s->quote.proto))
		return false;
	l4 = s->in->data + s->quote.l4;
	s->flow.src = s->quote.dst;
	s->flow.dst = s->quote.src;
	s->flow.sport = htons(get16(l4 + 2));
	s->flow.dport = htons(get16(l4));
	s->flow.proto = s->quote.proto;
	s->is_error = true;
	return true;
}

bool is_quote_vague(const struct step *s)
{
	return s->quote.state == LAYERS_BAD ||
	       (s->quote.end < s->l.end &&
		(s->quote.state == LAYERS_TRUNCATED ||
		 s->quote.end < s->quote.l4 + 18));
}

/*
 * TCP and SCTP of a node are never cut, whatever becomes of the service that
 * they were made to. But what begins where one has ended is new.
 */
static bool goes_on(struct step *s)
{
	static const struct reference_service gone = {
		.service = { .kind = KIND_CLUSTER_IP, .forward = FORWARD_NAT,
			     .algorithm = ALGORITHM_RANDOM },
	};
	const struct memory *m = record_of(s);

	if (service_of(s->r, &s->flow) || !m || !m->outlives ||
	    (s->opens && m->state == CONN_CLOSING))
		return false;
	s->service = &gone;
	if (choose_without_slots(s))
		to_backend(s);
	return true;
}

/* It is about what goes in a tunnel: fl_xdp's. */
static bool is_anothers(const struct step *s)
{
	return s->at && !is_translated(s);
}

static void icmp_error_arrived(struct step *s)
{
	bool known = quoted_flow(s);
	const struct memory *m;

	if (is_quote_vague(s)) {
		unrelated(s);
		if (s->at) {
			expect_or(s, REASON_TOO_BIG);
			expect_or(s, REASON_NOT_OURS);
		}
		expect_or(s, REASON_ICMP_FORWARDED);
		expect_or(s, REASON_CUT);
		expect_or(s, REASON_FRAGMENT_LOST);
		expect_or(s, REASON_BAD_HEADER);
		expect_or(s, REASON_NO_NEXT_HOP);
		expect_or(s, REASON_NO_SOURCE);
		expect_or(s, REASON_LOCAL);
		expect_or(s, REASON_HANDED_ON);
		expect_or(s, REASON_SOURCE);
		expect_or(s, REASON_OWN_SOURCE);
		expect_or(s, REASON_UNANSWERED);
		s->want->compare = COMPARE_NOTHING;
		return;
	}
	if (!known || !addr_eq(&s->flow.dst, &s->l.dst)) {
		unrelated(s);
		return;
	}
	m = is_nat_addr(s->r, &s->flow.dst) ? reply_memory(s) : NULL;
	if (m) {
		to_client(s, m);
		return;
	}
	if (goes_on(s))
		return;
	s->service = service_of(s->r, &s->flow);
	if (s->service && is_own(s) && !is_of_hosts_connection(s)) {
		expect(s, REASON_OWN_SOURCE);
		return;
	}
	if (s->service && is_refused(s))
		return;
	if (!s->service || (!slots_in_set(s) &&
			    !choose_without_slots(s)) ||
	    (s->service->service.forward == FORWARD_NAT &&
	     (!recorded_backend(s) || is_anothers(s)))) {
		unrelated(s);
		if (s->service)	/* known, but nobody is there */
			expect_or(s, REASON_UNANSWERED);
		return;
	}
	if (!s->nr_candidates)
		choose(s);
	to_backend(s);
}

/* What names a packet in parts: with its protocol in IPv4 (RFC 791, 2.3),
 * without in IPv6 (RFC 8200, 4.5). */
static struct flow fragment_key(const struct step *s)
{
	struct flow f = s->flow;

	f.kind = FLOW_FRAGMENT;
	if (s->l.v6)
		f.proto = 0;
	f.sport = s->l.fragment_id >> 16;
	f.dport = s->l.fragment_id;
	return f;
}

void first_fragment(struct step *s)
{
	struct flow f = fragment_key(s);
	struct memory m = { .sport = s->flow.sport, .dport = s->flow.dport,
			    .proto = s->flow.proto };

	memory_put(s->r, &f, &m);
}

/* Neighbour discovery and group membership concern the link, not a service
 * (RFC 4861, RFC 2710, RFC 3810). */
static bool is_between_neighbours(uint8_t type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

static void icmp_arrived(struct step *s)
{
	const uint8_t *l4 = s->in->data + s->l.l4;
	bool v6 = s->l.v6;

	if (s->l.end - s->l.l4 < 8) {
		expect(s, REASON_TRUNCATED);
		or_left_to_host(s);
		return;
	}
	if (s->l.fragment) {	/* nobody needs ICMP in parts */
		if (v6)
			first_fragment(s);
		expect_vague(s, ~0ull);
		return;
	}
	if (v6 && is_between_neighbours(l4[0])) {
		expect(s, REASON_NOT_OURS);
		or_left_to_host(s);
		return;
	}
	if (v6 ? l4[0] >= 1 && l4[0] <= 4 :
		 l4[0] == 3 || l4[0] == 11 || l4[0] == 12) {
		icmp_error_arrived(s);
	} else if (is_host_addr(s->r, &s->l.dst)) {
		expect(s, REASON_HOST_PORT);
	} else if (!is_vip(s->r, &s->l.dst)) {
		expect(s, REASON_NO_CONN);
	} else if (l4[0] != (v6 ? 128 : 8)) {
		expect_vague(s, REASON_BIT(ICMP_UNRELATED) |
				REASON_BIT(PROTOCOL) | REASON_BIT(UNANSWERED));
	} else if (is_own(s)) {
		expect(s, REASON_OWN_SOURCE);
	} else if (!is_broken(s)) {
		expect(s, REASON_ECHO);
		answer_echo(s);
	}
}

/* Ports of a later fragment, from its first one. */
bool later_fragment_ports(struct step *s)
{
	struct flow f = fragment_key(s);
	const struct memory *m = memory_find(s->r, &f);

	if (!m)
		return false;
	s->flow.sport = m->sport;
	s->flow.dport = m->dport;
	s->flow.proto = m->proto;
	return true;
}

static bool later_fragment(struct step *s)
{
	if (later_fragment_ports(s))
		return true;
	expect(s, REASON_FRAGMENT_EARLY);
	expect_or(s, REASON_FRAGMENT_LOST);
	if (is_host_addr(s->r, &s->l.dst))
		expect_or(s, REASON_HOST_PORT);
	if (is_nat_addr(s->r, &s->l.dst))
		expect_or(s, REASON_NO_CONN);
	return false;
}

static void transport_arrived(struct step *s)
{
	if (s->l.fragment_offset) {
		if (!later_fragment(s))
			return;
		if (!is_transport(s->flow.proto)) {
			expect_vague(s, ~0ull);	/* ICMP, see there */
			return;
		}
	} else if (ports_wrong(s)) {
		or_left_to_host(s);
		return;
	}
	if (s->l.fragment && !s->l.fragment_offset)
		first_fragment(s);
	if (from_backend(s) || goes_on(s))
		return;
	if (!is_vip(s->r, &s->l.dst))
		unknown_at_nat(s);
	else
		to_service(s);
}

/* Not ours to send on (RFC 8200, 4.4; RFC 5095, 3), nor to take for a packet
 * that is at its end. */
static void routed(struct step *s)
{
	uint8_t type = s->l.l4 < s->l.end ? s->in->data[s->l.l4] : 0;

	if (s->l.fragment_offset || (is_icmp(&s->l) &&
				     (type < 128 || type == 137))) {
		expect(s, REASON_UNANSWERED);
	} else if (!is_silent(s)) {
		expect(s, REASON_ROUTED);
		answer_error(s, 4, 0, s->l.routed - s->l.l3);
	}
	or_left_to_host(s);
	if (s->want->actions & 1 << XDP_PASS)
		s->want->compare = COMPARE_NOTHING;
}

/* More than anybody sends: it may be given up, but not be balanced. */
#define EXTENSIONS_WALKED 6

bool is_unreadable(const struct step *s)
{
	return s->l.extensions > EXTENSIONS_WALKED ||
	       s->l.state != LAYERS_OK || s->l.l4 > s->l.end ||
	       is_bad_source(&s->l) || s->l.routed || s->l.source_routed;
}

static void ours(struct step *s)
{
	bool bad = is_bad_source(&s->l);

	if (s->l.extensions > EXTENSIONS_WALKED) {
		expect_vague(s, REASON_BIT(PROTOCOL) | REASON_BIT(TRUNCATED) |
				REASON_BIT(BAD_HEADER) | REASON_BIT(BAD_ADDR) |
				REASON_BIT(ROUTED) | REASON_BIT(LIMITED) |
				REASON_BIT(UNANSWERED) |
				REASON_BIT(HOST_PORT) | REASON_BIT(NO_CONN));
	} else if (is_malformed(s)) {
		if (bad)
			expect_or(s, REASON_BAD_ADDR);
		or_left_to_host(s);
	} else if (bad) {
		expect(s, REASON_BAD_ADDR);
		or_left_to_host(s);
	} else if (s->l.routed) {
		routed(s);
	} else if (s->l.source_routed) {
		/* RFC 7126, 4.3 and 4.4: dropped, as it is by the host */
		expect(s, REASON_BAD_HEADER);
		or_left_to_host(s);
	} else if (s->l.v6 && s->l.fragment_offset) {
		transport_arrived(s);
	} else if (is_icmp(&s->l) && !s->l.fragment_offset) {
		icmp_arrived(s);
	} else if (is_transport(s->l.proto)) {
		transport_arrived(s);
	} else if (s->l.fragment_offset) {
		expect_vague(s, REASON_BIT(PROTOCOL) |
				REASON_BIT(FRAGMENT_EARLY) |
				REASON_BIT(FRAGMENT_LOST) |
				REASON_BIT(HOST_PORT) | REASON_BIT(NO_CONN) |
				REASON_BIT(UNANSWERED));
	} else if (is_host_addr(s->r, &s->l.dst)) {
		expect(s, REASON_HOST_PORT);
	} else {
		expect(s, is_vip(s->r, &s->l.dst) ? REASON_PROTOCOL :
						    REASON_NO_CONN);
	}
}

/* Does the Ethernet header name this host? (IEEE 802.3 3.2.4: who is not
 * named by the destination address ignores the frame.) A pod's interface may be
 * a bridge's port, where any host's address may be the bridge's own; a group is
 * nobody's who balances. */
static bool is_addressed(const struct step *s)
{
	const struct reference *r = s->r;
	int vlan = s->l.vlans ? get16(s->in->data + ETH_LEN) & 0xfff : 0;

	if (is_hosts(s))
		return true;
	if (s->at && s->at->hook == TC_POD_IN)
		return !(s->in->data[0] & 1);
	if (s->at && s->at->ifindex != r->ifindex)
		return !memcmp(s->in->data, mac_us, MAC_LEN);
	for (size_t i = 0; i < r->nr_macs; i++) {
		if (!memcmp(r->macs[i].mac, s->in->data, MAC_LEN) &&
		    (r->macs[i].vlan == -1 || r->macs[i].vlan == vlan))
			return true;
	}
	return false;
}

/*
 * An error about the size of a tunnel's packet, from where it came to, that is
 * nobody's: user space may get a copy, but only so many a second.
 */
static bool is_tunnel_error(const struct step *s)
{
	const uint8_t *icmp = s->in->data + s->l.l4, *ip = icmp + 8, *l4;
	const struct runtime *rt = s->r->tables->runtime;
	size_t head = s->l.v6 ? 40 : 20;
	uint8_t proto;

	if (!is_icmp(&s->l) || s->l.fragment || s->l.l4 != s->l.l3 + head ||
	    s->l.l4 + 8 + head > s->in->len ||
	    icmp[0] != (s->l.v6 ? 2 : 3) || (!s->l.v6 && icmp[1] != 4))
		return false;
	if (memcmp(ip + (s->l.v6 ? 8 : 12), s->in->data + s->l.l3 +
		   (s->l.v6 ? 24 : 16), s->l.v6 ? 16 : 4))
		return false;
	proto = ip[s->l.v6 ? 6 : 9];
	l4 = ip + head;
	if (proto == IPPROTO_UDP && s->l.l4 + 8 + head + 4 <= s->in->len)
		return get16(l4 + 2) == rt->gue_port ||
		       get16(l4 + 2) == rt->geneve_port;
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 ||
	       proto == IPPROTO_GRE;
}

/* A byte of vip_filter is of many addresses: what is none of ours may be
 * looked at more closely, and must pass all the same. */
static void stranger(struct step *s)
{
	const struct tables *t = s->r->tables;
	__u64 sum = hash_dst(t->hash_key, &s->l.dst);

	expect(s, REASON_NOT_OURS);
	if (s->l.state == LAYERS_NO_DST ||
	    !t->vip_filter[vip_filter_index(sum)])
		return;
	expect_or(s, is_addressed(s) ? REASON_NO_CONN : REASON_OTHER_MAC);
}

/* Does something go on to an address that may be no VIP any more? */
static bool was_vip(const struct reference *r, const struct addr *a)
{
	for (int i = 0; i < MEMORY_BUCKETS; i++)
		for (const struct memory *m = r->buckets[i]; m; m = m->next)
			if (m->outlives && addr_eq(&m->flow.dst, a))
				return true;
	return false;
}

/* What a node's address has no port for is told first. */
static void for_others(struct step *s)
{
	expect(s, REASON_OTHER_MAC);
	if (!s->r->tables->runtime->has_node)
		return;
	expect_or(s, REASON_HOST_PORT);
	expect_or(s, REASON_NO_CONN);
}

void arrived(struct step *s)
{
	if (s->l.state == LAYERS_NOT_IP)
		expect(s, REASON_NOT_IP);
	else if (s->l.state == LAYERS_NO_DST ||
		 s->l.v6 != addr_v6(&s->l.dst) ||
		 !(is_vip(s->r, &s->l.dst) || is_nat_addr(s->r, &s->l.dst) ||
		   was_vip(s->r, &s->l.dst)))
		stranger(s);
	else if (!is_addressed(s))
		for_others(s);
	else
		ours(s);
}

void step_begin(struct step *s)
{
	s->want->packet = *s->in;
	s->want->reasons = 0;
	packet_layers(s->in, &s->l);
	s->flow = (struct flow){ .src = s->l.src, .dst = s->l.dst,
				 .proto = s->l.proto, .kind = FLOW_PACKET };
}

void reference_packet(struct reference *r, const struct packet *in,
		      const struct outcome *got, struct outcome *want)
{
	struct step s = { .r = r, .in = in, .got = got, .want = want };

	step_begin(&s);
	arrived(&s);
	if (in->len < ETH_LEN + VLANS_MAX * VLAN_LEN)
		expect_or(&s, REASON_NOT_IP); /* no IP header fits */
	if (s.want->reasons & (REASON_BIT(NOT_OURS) | REASON_BIT(NO_CONN) |
			       REASON_BIT(HOST_PORT) |
			       REASON_BIT(ICMP_UNRELATED)) &&
	    is_tunnel_error(&s)) {
		expect_or(&s, REASON_TUNNEL_ERROR);
		if (got->reasons == REASON_BIT(TUNNEL_ERROR))
			want->compare = COMPARE_FRAME;
	}
}

static void outcome_say(const char *who, const struct outcome *o)
{
	static const char *const actions[] = {
		"ABORTED", "DROP", "PASS", "TX", "REDIRECT",
	};

	fprintf(stderr, "  %s", who);
	for (int why = 0; why < NR_REASONS; why++) {
		if (o->reasons & 1ull << why)
			fprintf(stderr, " %s", reason_name(why));
	}
	fputc(',', stderr);
	for (int i = 0; i < 5; i++) {
		if (o->actions & 1 << i)
			fprintf(stderr, " %s", actions[i]);
	}
	fputc('\n', stderr);
}

static bool packet_ok(const struct outcome *want, const struct outcome *got)
{
	struct packet a, b;

	if (want->compare == COMPARE_NOTHING)
		return true;
	if (want->compare == COMPARE_FRAME)
		return packet_eq(&want->packet, &got->packet);
	a = packet_framed(&want->packet, mac_us, mac_us, NULL);
	b = packet_framed(&got->packet, mac_us, mac_us, NULL);
	return packet_eq(&a, &b);
}

bool outcome_ok(const struct outcome *want, const struct outcome *got,
		bool loud)
{
	bool same = packet_ok(want, got);
	bool ok = same && (!got->reasons || got->reasons & want->reasons) &&
		  got->actions & want->actions;

	if (!ok && loud) {
		outcome_say("want", want);
		outcome_say("got ", got);
		if (!same)
			packet_diff(&want->packet, &got->packet);
	}
	return ok;
}
