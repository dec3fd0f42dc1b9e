/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes to struct pkt. Every comparison with the packet's end is here: what
 * struct pkt points at has been checked. parse_dst() reads no more than it
 * takes to tell a stranger; parse_rest() runs for packets of ours alone.
 */
#ifndef FAIRLEAD_BPF_PARSE_H
#define FAIRLEAD_BPF_PARSE_H

#include <stddef.h>

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "addr.h"
#include "bits.h"
#include "lookup.h"
#include "bytes.h"
#include "maps.h"
#include <fairlead/reasons.h>

#define IP_DF		0x4000
#define IP_MF		0x2000
#define IP_OFFSET	0x1fff
#define VLAN_TAGS	2
#define IP6_MTU_MIN	1280	/* RFC 8200, 5 */
#define IP6_HEADERS	6	/* extension headers that we walk through */
#define L2_LEN_MAX	(ETH_HLEN + VLAN_TAGS * sizeof(struct vlan_tag))
#define L4_OFF_MAX	(40 + IP6_HEADERS * 256 * 8)	/* from l3 */

/* What TCP, UDP and SCTP headers start with. */
struct ports {
	__be16 src;
	__be16 dst;
};

struct vlan_tag {
	__be16 id;		/* with priority and DEI */
	__be16 proto;		/* of what follows */
};

struct sctp_header {
	struct ports ports;
	__be32 vtag;
	__le32 check;
};

struct sctp_chunk {
	__u8 type;
	__u8 flags;
	__be16 len;		/* without what fills it up to 4 bytes */
};

/* What INIT and INIT ACK chunks start with (RFC 9260, 3.3.2). */
struct sctp_init {
	struct sctp_chunk chunk;
	__be32 tag;
};

enum {
	SCTP_DATA = 0,
	SCTP_INIT = 1,
	SCTP_INIT_ACK = 2,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN_COMPLETE = 14,
};

#define SCTP_CHUNKS 8		/* before an ABORT, that we walk through */

/* Both ICMPs. (<linux/icmp.h> wants libc's headers, which bpf/ has not.) */
struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 info;
};

enum {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMP_PORT_UNREACH = 3,	/* codes of ICMP_DEST_UNREACH */
	ICMP_FRAG_NEEDED = 4,
};

/* Of ICMPv6, besides <linux/icmpv6.h>'s (RFC 4861). */
#define NDISC_ROUTER_SOLICITATION 133
#define NDISC_ROUTER_ADVERTISEMENT 134
#define NDISC_NEIGHBOUR_SOLICITATION 135
#define NDISC_NEIGHBOUR_ADVERTISEMENT 136
#define NDISC_REDIRECT 137

struct ip6_ext {
	__u8 next;
	__u8 len;
	__u8 type;		/* routing headers have these two */
	__u8 segments_left;
};

struct ip6_frag {
	__u8 next;
	__u8 reserved;
	__be16 offset;		/* and, in its lowest bit, more fragments */
	__be32 id;
};

enum fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

/* What is known of a packet. */
struct pkt {
	union {
		struct lookup lookup;	/* its members are pkt's own as well */
		struct lookup;
	};
	__be32 fragment_id;
	__u32 backend;		/* whose statistics count it */
	__u16 l2_len;
	__u16 l3_len;		/* IP header and all that it carries */
	__u16 l4_off;		/* from l3 */
	__be16 vlan_proto;	/* of the first tag; 0: untagged */
	__be16 vlan_id;
	__u8 fragment;		/* enum fragment */
	__u32 number;		/* of a backend that offers: for the client to
				 * confirm; of a client: what it confirms */
	__u16 frame_len;	/* as it came */
	union {			/* what an ICMP error tells */
		__u16 mtu_left;	/* REASON_TOO_BIG: what would have fitted */
		__u16 wrong_at;	/* REASON_ROUTED: where, from l3; else 0 */
	};
	__u16 quoted_len;	/* is_error: headers before the quoted L4 */
	struct nexthop from;	/* its sender's MAC, for NAT */
	__u32 ifindex;		/* where finish() sends it; PKT_REDIRECTED */
};

/* Beside pkt.ifindex, of a link with LINK_REDIRECTS: no other interface has
 * this bit, so that the packet is redirected even to the one it came in by. */
#define PKT_REDIRECTED (1u << 31)

/*
 * The packet itself. Pointers stand apart from what is known of it, because
 * that alone may be given to a global function (verified once, by type), and
 * lies in scratch, where the next program finds it.
 */
struct frame {
	struct pkt *pkt;
	void *data;
	void *end;
	void *l3;
	void *l4;		/* NULL: a later fragment has none */
};

/* Are there len bytes at at? The verifier learns it from this comparison. */
static __always_inline bool pkt_has(const struct frame *f, const void *at,
				    const __u32 len)
{
	return at + len <= f->end;
}

/* 1 if proto says that a tag comes first. */
static __always_inline __u32 is_tag(__be16 proto)
{
	return match_bit(proto, bpf_htons(ETH_P_8021Q), 0) |
	       match_bit(proto, bpf_htons(ETH_P_8021AD), 0);
}

/*
 * The tags of a frame that has some. Counts them by arithmetic: a branch for
 * each would make the verifier walk through all that follows once for each
 * length. Returns where the type of what they hold stands.
 */
static __always_inline const __be16 *parse_tags(struct frame *f)
{
	const __be16 *type = f->data + offsetof(struct ethhdr, h_proto);
	__u32 tags;

	f->pkt->vlan_proto = type[0];
	f->pkt->vlan_id = type[1];
	tags = 1 + is_tag(type[2]);
	f->pkt->l2_len = ETH_HLEN + tags * sizeof(struct vlan_tag);
	return type + 2 * tags;
}

/*
 * Start f at an Ethernet frame; *proto is the type of what it holds. No frame
 * under 22 bytes holds IP. clang: through struct ethhdr, which is packed, it
 * would go byte by byte.
 */
static __always_inline enum reason parse_eth(struct frame *f, __u32 data,
					     __u32 data_end, __be16 *proto)
{
	const __be16 *type;

	f->data = (void *)(long)data;
	f->end = (void *)(long)data_end;
	f->pkt->frame_len = data_end - data;
	if (!pkt_has(f, f->data, L2_LEN_MAX))
		return REASON_NOT_IP;

	/* the MAC, and 0 for the link: one store, as it is loaded */
	*(__u64 *)&f->pkt->from = *(__u64 *)(f->data + ETH_ALEN) & ~0ull >> 16;
	type = f->data + offsetof(struct ethhdr, h_proto);
	f->pkt->l2_len = ETH_HLEN;
	if (is_tag(*type))
		type = parse_tags(f);
	if (!pkt_has(f, type, sizeof(*type)))
		return REASON_NOT_IP;
	*proto = *type;
	f->l3 = (void *)(type + 1);
	return REASON_NONE;
}

/* The addresses, which is all that a stranger is judged by. */
static __always_inline enum reason parse_dst(struct frame *f, const bool v6)
{
	struct ipv6hdr *ip6 = f->l3;
	struct iphdr *ip4 = f->l3;

	if (!pkt_has(f, f->l3, v6 ? sizeof(*ip6) : sizeof(*ip4)))
		return REASON_NOT_OURS;

	if (!v6) {
		f->pkt->flow.src = addr_from4(ip4->saddr);
		f->pkt->flow.dst = addr_from4(ip4->daddr);
		return REASON_NONE;
	}
	f->pkt->flow.src = addr_from6(&ip6->saddr);
	f->pkt->flow.dst = addr_from6(&ip6->daddr);
	return addr_is_mapped(&f->pkt->flow.dst) ? REASON_NOT_OURS :
						   REASON_NONE;
}

static __always_inline __u64 two_words(const __u32 *word)
{
	return word[0] | (__u64)word[1] << 32;
}

/*
 * What parse_eth() and parse_dst() have found, to where the next program finds
 * it. In 64-bit words where it is loaded as such: a CPU that loads a word whose
 * halves were stored one by one, a moment ago, waits until both have reached
 * its cache.
 */
static __always_inline void pkt_keep(struct pkt *to, const struct pkt *p)
{
	__u64 *flow = (__u64 *)&to->flow;

	__builtin_memset(to, 0, sizeof(*to));
	flow[0] = two_words(&p->flow.src.word[0]);
	flow[1] = two_words(&p->flow.src.word[2]);
	flow[2] = two_words(&p->flow.dst.word[0]);
	flow[3] = two_words(&p->flow.dst.word[2]);
	to->dst_sum = p->dst_sum;
	to->l2_len = p->l2_len;
	to->vlan_proto = p->vlan_proto;
	to->vlan_id = p->vlan_id;
	to->frame_len = p->frame_len;
	to->from = p->from;
}

/* Sources that no packet may come from (RFC 6890, RFC 4291). */
static __always_inline bool addr_is_bad_source(const struct addr *a,
					       const bool v6)
{
	const __u32 first = bpf_ntohl(a->word[v6 ? 0 : 3]) >> 24;

	if (!v6)
		return first == 0 || first == 127 || first >= 224;
	return first == 0xff || addr_is_mapped(a) ||
	       (!a->word[0] && !a->word[1] && !a->word[2] &&
		bpf_ntohl(a->word[3]) <= 1);
}

static __always_inline enum reason parse_ip4(struct frame *f)
{
	struct iphdr *ip = f->l3;
	__u16 frag = bpf_ntohs(ip->frag_off);

	if (ip->version != 4 || ip->ihl < 5)
		return REASON_BAD_HEADER;

	f->pkt->l3_len = bpf_ntohs(ip->tot_len);
	f->pkt->l4_off = ip->ihl * 4;
	f->pkt->flow.proto = ip->protocol;
	if (frag & (IP_MF | IP_OFFSET)) {
		f->pkt->fragment = frag & IP_OFFSET ? FRAGMENT_LATER :
						 FRAGMENT_FIRST;
		f->pkt->fragment_id = ip->id;
	}
	return REASON_NONE;
}

/* Options of IPv4 (RFC 791, 3.1). */
enum {
	IP4_OPTIONS_END = 0,
	IP4_OPTION_NOP = 1,
	IP4_LOOSE_ROUTE = 131,
	IP4_STRICT_ROUTE = 137,
};

#define IP4_OPTIONS_MAX 40	/* bytes */

struct ip4_option {
	__u8 type;
	__u8 len;		/* with these two; the first two have none */
	__u8 next;		/* source routes: where in the option the next
				 * hop stands */
};

/*
 * A source route that is not used up asks for the packet to be sent on, which
 * we do for nobody, and behind which a sender hides (RFC 7126, 4.3 and 4.4).
 * What makes no sense ends the walk: whom the packet is for judges that.
 */
static __always_inline enum reason parse_ip4_options(const struct bytes *in,
						     const struct pkt *p)
{
	__u32 at = p->l2_len + sizeof(struct iphdr);
	__u32 end = p->l2_len + p->l4_off;
	struct ip4_option o;

	for (int i = 0; i < IP4_OPTIONS_MAX && at < end; i++) {
		if (bytes_load(in, at, &o, sizeof(o)) ||
		    o.type == IP4_OPTIONS_END)
			break;
		if (o.type == IP4_OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 2 > end || o.len < 2)
			break;
		if ((o.type == IP4_LOOSE_ROUTE || o.type == IP4_STRICT_ROUTE) &&
		    (at + sizeof(o) > end || o.len < sizeof(o) ||
		     o.next <= o.len))
			return REASON_BAD_HEADER;
		at += o.len;
	}
	return REASON_NONE;
}

/* Global, as few packets have options. */
__global int parse_ip4_options_xdp(struct xdp_md *ctx, const struct pkt *p)
{
	const struct bytes in = { ctx, HOOK_XDP };

	return p ? parse_ip4_options(&in, p) : REASON_INTERNAL;
}

__global int parse_ip4_options_tc(struct __sk_buff *skb, const struct pkt *p)
{
	const struct bytes in = { skb, HOOK_TC };

	return p ? parse_ip4_options(&in, p) : REASON_INTERNAL;
}

static __always_inline bool is_ip6_ext(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_DSTOPTS || proto == IPPROTO_FRAGMENT;
}

/* A way through the extension headers of a packet, or of a quoted one. */
struct ip6_walk {
	__u32 at;		/* from the frame's begin */
	__be32 fragment_id;
	__u16 routed;		/* 0, or where the type of a routing header is
				 * that has segments left: as at */
	__u8 proto;		/* of what is at at */
	__u8 fragment;		/* enum fragment */
};

/* One that says that there is no other part (RFC 6946) is as good as none.
 * False: parts of a part, which nobody sends. */
static __always_inline bool ip6_walk_frag(struct ip6_walk *w,
					  const struct ip6_frag *frag)
{
	if (!(frag->offset & bpf_htons(0xfff9)))
		return true;
	if (w->fragment)
		return false;
	w->fragment_id = frag->id;
	w->fragment = frag->offset & bpf_htons(0xfff8) ? FRAGMENT_LATER :
							 FRAGMENT_FIRST;
	return true;
}

/* The headers from w->at on, of which all have 8 bytes. */
static __always_inline enum reason ip6_walk(const struct bytes *in,
					    struct ip6_walk *w)
{
	union {
		struct ip6_ext ext;
		struct ip6_frag frag;
	} h = {};

	for (int i = 0; i < IP6_HEADERS && is_ip6_ext(w->proto); i++) {
		const bool is_frag = w->proto == IPPROTO_FRAGMENT;

		if (bytes_load(in, w->at, &h, sizeof(h)))
			return REASON_TRUNCATED;
		if (is_frag && !ip6_walk_frag(w, &h.frag))
			break;
		if (w->proto == IPPROTO_ROUTING && h.ext.segments_left &&
		    !w->routed)
			w->routed = w->at + offsetof(struct ip6_ext, type);
		w->proto = h.ext.next;
		w->at += is_frag ? sizeof(h.frag) : (h.ext.len + 1) * 8;
		if (w->fragment == FRAGMENT_LATER)
			break;
	}
	return REASON_NONE;
}

/*
 * A routing header that is not used up asks for the packet to be sent on, which
 * we do for nobody (RFC 8200, 4.4; RFC 5095). Its sender is told, but not of
 * errors and redirects (RFC 4443, 2.4 e).
 */
static __always_inline void parse_routed(const struct bytes *in,
					 struct pkt *p,
					 const struct ip6_walk *w)
{
	__u8 type = 0;

	p->wrong_at = w->routed - p->l2_len;
	if (w->proto == IPPROTO_ICMPV6 &&
	    (bytes_load(in, w->at, &type, sizeof(type)) || type < 128 ||
	     type == NDISC_REDIRECT))
		p->is_error = true;
}

static __always_inline enum reason parse_ip6_exts(const struct bytes *in,
						  struct pkt *p)
{
	struct ip6_walk w = {
		.at = p->l2_len + p->l4_off,
		.proto = p->flow.proto,
	};
	enum reason why = ip6_walk(in, &w);

	p->flow.proto = w.proto;
	p->l4_off = w.at - p->l2_len;
	p->fragment = w.fragment;
	p->fragment_id = w.fragment_id;
	if (why == REASON_NONE && w.routed)
		parse_routed(in, p, &w);
	return why;
}

/* Global, as the verifier would follow every way through the headers to the
 * end of the program: 60 000 instructions. By helpers, as few have some. */
__global int parse_ip6_exts_xdp(struct xdp_md *ctx, struct pkt *p)
{
	const struct bytes in = { ctx, HOOK_XDP };

	return p ? parse_ip6_exts(&in, p) : REASON_INTERNAL;
}

__global int parse_ip6_exts_tc(struct __sk_buff *skb, struct pkt *p)
{
	const struct bytes in = { skb, HOOK_TC };

	return p ? parse_ip6_exts(&in, p) : REASON_INTERNAL;
}

static __always_inline enum reason parse_ip6(const struct bytes *in,
					     struct frame *f)
{
	struct ipv6hdr *ip = f->l3;

	if (ip->version != 6)
		return REASON_BAD_HEADER;

	f->pkt->l3_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	f->pkt->l4_off = sizeof(*ip);
	f->pkt->flow.proto = ip->nexthdr;
	if (!is_ip6_ext(ip->nexthdr))
		return REASON_NONE;
	return in->hook == HOOK_XDP ? parse_ip6_exts_xdp(in->ctx, f->pkt) :
				      parse_ip6_exts_tc(in->ctx, f->pkt);
}

/* The chunks from at on, which end at end: is one of them an ABORT? What else
 * may be in a packet with it comes before (RFC 9260, 3.3.7). */
static __always_inline int sctp_walk(const struct bytes *in, __u32 at,
				     __u32 end)
{
	struct sctp_chunk chunk;

	for (int i = 0; i < SCTP_CHUNKS && at + sizeof(chunk) <= end; i++) {
		if (bytes_load(in, at, &chunk, sizeof(chunk)) ||
		    chunk.type == SCTP_DATA ||
		    bpf_ntohs(chunk.len) < sizeof(chunk))
			return false;
		if (chunk.type == SCTP_ABORT)
			return true;
		at += (bpf_ntohs(chunk.len) + 3) & ~3u;
	}
	return false;
}

__global int sctp_walk_xdp(struct xdp_md *ctx, __u32 at, __u32 end)
{
	const struct bytes in = { ctx, HOOK_XDP };

	return sctp_walk(&in, at, end);
}

__global int sctp_walk_tc(struct __sk_buff *skb, __u32 at, __u32 end)
{
	const struct bytes in = { skb, HOOK_TC };

	return sctp_walk(&in, at, end);
}

/* What the chunks say: the first one, as most often there is no other, or
 * data. len: from the SCTP header on. */
static __always_inline void parse_chunks(const struct bytes *in,
					 struct frame *f, __u32 len)
{
	struct sctp_header *sctp = f->l4;
	struct sctp_chunk *first = (void *)(sctp + 1);
	__u32 at = f->pkt->l2_len + f->pkt->l4_off, more;

	if (len < sizeof(*sctp) + sizeof(*first) ||
	    !pkt_has(f, first, sizeof(*first)))
		return;
	f->pkt->opens = match_bit(first->type, SCTP_INIT, 0);
	f->pkt->closes = match_bit(first->type, SCTP_ABORT, 0) |
			match_bit(first->type, SCTP_SHUTDOWN_COMPLETE, 0);
	more = sizeof(*sctp) + ((bpf_ntohs(first->len) + 3) & ~3u);
	if (first->type == SCTP_DATA || more + sizeof(*first) > len ||
	    bpf_ntohs(first->len) < sizeof(*first))
		return;
	f->pkt->closes |= in->hook == HOOK_XDP ?
				sctp_walk_xdp(in->ctx, at + more, at + len) :
				sctp_walk_tc(in->ctx, at + more, at + len);
}

/* What of L4 we judge by; f->l4 has 8 bytes or more. */
static __always_inline enum reason parse_ports(const struct bytes *in,
					       struct frame *f)
{
	struct sctp_header *sctp = f->l4;
	struct sctp_init *init = f->l4 + sizeof(*sctp);
	struct tcphdr *tcp = f->l4;
	struct udphdr *udp = f->l4;
	__u32 len = f->pkt->l3_len - f->pkt->l4_off;

	switch (f->pkt->flow.proto) {
	case IPPROTO_TCP:
		if (!pkt_has(f, tcp, sizeof(*tcp)) || len < sizeof(*tcp))
			return REASON_TRUNCATED;
		if (tcp->doff < 5)
			return REASON_BAD_HEADER;
		if (tcp->doff * 4 > len)
			return REASON_TRUNCATED;
		f->pkt->tcp_flags = ((__u8 *)tcp)[13];
		f->pkt->opens = (f->pkt->tcp_flags & 0x12) == 0x02;
		f->pkt->closes = f->pkt->tcp_flags & 0x05;
		f->pkt->offers = (f->pkt->tcp_flags & 0x12) == 0x12;
		f->pkt->number = f->pkt->offers ? bpf_ntohl(tcp->seq) + 1 :
						bpf_ntohl(tcp->ack_seq);
		break;
	case IPPROTO_UDP:
		if (!pkt_has(f, udp, sizeof(*udp)) || len < sizeof(*udp))
			return REASON_TRUNCATED;
		if (bpf_ntohs(udp->len) < sizeof(*udp))
			return REASON_BAD_HEADER;
		if (bpf_ntohs(udp->len) > len && !f->pkt->fragment)
			return REASON_TRUNCATED;
		f->pkt->offers = true;
		f->pkt->number = 1;
		break;
	case IPPROTO_SCTP:
		if (!pkt_has(f, sctp, sizeof(*sctp)) || len < sizeof(*sctp))
			return REASON_TRUNCATED;
		parse_chunks(in, f, len);
		f->pkt->number = sctp->vtag;
		if (len >= sizeof(*sctp) + sizeof(*init) &&
		    pkt_has(f, init, sizeof(*init)) &&
		    init->chunk.type == SCTP_INIT_ACK) {
			f->pkt->offers = true;
			f->pkt->number = init->tag;
		}
		break;
	default:
		return REASON_PROTOCOL;
	}
	if (!pkt_has(f, f->l4, 8))	/* for all alike: see parse_eth() */
		return REASON_TRUNCATED;
	*(__u32 *)&f->pkt->flow.sport = *(const __u32 *)f->l4;
	return REASON_NONE;
}

/* Ports stay 0 for a later fragment and for ICMP, whose first 8 bytes are
 * there if it returns NONE. */
static __always_inline enum reason parse_l4(const struct bytes *in,
					    struct frame *f, const bool v6)
{
	__u64 off = f->pkt->l4_off;

	if (f->pkt->fragment == FRAGMENT_LATER)
		return REASON_NONE;
	/* Verifier: it knows nothing of what lies in scratch. What is compared
	 * must be the register that is used, not what clang loads once more */
	asm volatile("" : "+r"(off));
	if (off > L4_OFF_MAX)
		return REASON_BAD_HEADER;
	f->l4 = f->l3 + off;
	if (f->pkt->flow.proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return pkt_has(f, f->l4, 8) &&
		       f->pkt->l3_len - f->pkt->l4_off >= 8 ?
			       REASON_NONE : REASON_TRUNCATED;
	return parse_ports(in, f);
}

/* Does it ask to be sent on from here? */
static __always_inline enum reason parse_routes(const struct bytes *in,
						const struct frame *f,
						const bool v6)
{
	if (v6)
		return f->pkt->wrong_at ? REASON_ROUTED : REASON_NONE;
	if (f->pkt->l4_off == sizeof(struct iphdr))
		return REASON_NONE;
	return in->hook == HOOK_XDP ? parse_ip4_options_xdp(in->ctx, f->pkt) :
				      parse_ip4_options_tc(in->ctx, f->pkt);
}

/* The rest of a packet whose destination is ours. */
static __always_inline enum reason parse_rest(const struct bytes *in,
					      struct frame *f, const bool v6)
{
	enum reason why;

	if (addr_is_bad_source(&f->pkt->flow.src, v6))
		return REASON_BAD_ADDR;

	why = v6 ? parse_ip6(in, f) : parse_ip4(f);
	if (why != REASON_NONE)
		return why;
	if (f->pkt->l4_off > f->pkt->l3_len)
		return REASON_BAD_HEADER;
	if (f->l3 + f->pkt->l3_len > f->end)
		return REASON_TRUNCATED;
	why = parse_routes(in, f, v6);
	return why == REASON_NONE ? parse_l4(in, f, v6) : why;
}

/* f as parse_dst() left it, in another program; p: what is known of it. */
static __always_inline bool frame_again(struct frame *f, __u32 data,
					__u32 data_end, struct pkt *p,
					const bool v6)
{
	__u64 l2_len = p->l2_len;

	f->pkt = p;
	f->data = (void *)(long)data;
	f->end = (void *)(long)data_end;
	/* Verifier: as in parse_l4(); no pointer may be computed twice */
	asm volatile("" : "+r"(l2_len));
	if (l2_len > L2_LEN_MAX || !pkt_has(f, f->data, ETH_HLEN))
		return false;
	f->l3 = f->data + l2_len;
	asm volatile("" : "+r"(f->l3));
	return pkt_has(f, f->l3, v6 ? sizeof(struct ipv6hdr) :
				      sizeof(struct iphdr));
}

/* As parse_rest() left it. */
static __always_inline bool frame_again_l4(struct frame *f, __u32 data,
					   __u32 data_end, struct pkt *p,
					   const bool v6)
{
	__u64 l4_off = p->l4_off;

	asm volatile("" : "+r"(l4_off));
	if (l4_off > L4_OFF_MAX || !frame_again(f, data, data_end, p, v6))
		return false;
	if (p->fragment == FRAGMENT_LATER)
		return true;
	f->l4 = f->l3 + l4_off;
	asm volatile("" : "+r"(f->l4));
	return pkt_has(f, f->l4, 8);
}

#endif
