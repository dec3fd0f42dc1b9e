/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets from words: tcp("192.0.2.7", 4321, "10.96.0.1", 80, .flags = SYN).
 * Lengths and checksums are right unless a test asks for wrong ones. The
 * family is the addresses'; everything is a value, nothing to free.
 */
#ifndef FAIRLEAD_TEST_PKT_H
#define FAIRLEAD_TEST_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

#include <fairlead/types.h>

#define PACKET_MAX 2048
#define MAC_LEN 6
#define ETH_LEN 14
#define VLAN_LEN 4
#define VLANS_MAX 2
#define EXTENSIONS_MAX 4

#ifndef IPPROTO_IPV4
#define IPPROTO_IPV4 4
#endif

struct packet {
	size_t len;
	uint8_t align[2];	/* Ethernet is 14 bytes; keep IP on a word */
	uint8_t data[PACKET_MAX];
};

enum tcp_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

enum sctp_chunk {
	SCTP_DATA = 0, SCTP_INIT = 1, SCTP_INIT_ACK = 2, SCTP_SACK = 3,
	SCTP_ABORT = 6, SCTP_SHUTDOWN = 7, SCTP_ERROR = 9,
	SCTP_COOKIE_ACK = 11, SCTP_SHUTDOWN_COMPLETE = 14,
};

enum extension {
	EXTENSION_NONE,
	EXTENSION_HOP,		/* hop-by-hop options, 8 bytes of pad */
	EXTENSION_ROUTING,	/* type 0, one address used up, 24 bytes */
	EXTENSION_DESTINATION,	/* destination options, 16 bytes */
	EXTENSION_FRAGMENT,	/* an atomic fragment, 8 bytes */
	EXTENSION_ROUTED,	/* as EXTENSION_ROUTING, not used up */
};

struct vlan {
	uint16_t proto;		/* 0x8100, 0x88a8; 0: no tag */
	uint16_t id;		/* the whole tag: priority and id */
};

struct words {
	struct addr src, dst;
	uint8_t proto;
	uint16_t sport, dport;	/* host order */

	uint8_t smac[MAC_LEN], dmac[MAC_LEN]; /* all zero: mac_client, mac_us */
	struct vlan vlan[VLANS_MAX];

	uint8_t ttl;		/* 0: 64 */
	uint8_t tos;		/* or traffic class */
	uint32_t label;		/* IPv6: flow label */
	uint16_t id;		/* IPv4 */
	bool df;
	uint8_t options;	/* IPv4: bytes of NOPs, a multiple of 4 */
	const uint8_t *options_content; /* in place of the NOPs */
	enum extension extensions[EXTENSIONS_MAX];

	uint8_t flags;		/* TCP: enum tcp_flag */
	uint32_t seq, ack;
	uint8_t tcp_options;	/* bytes of NOPs, a multiple of 4 */
	bool unsummed;		/* UDP: checksum 0 */
	uint8_t chunk;		/* SCTP: enum sctp_chunk */
	uint16_t first_chunk;	/* its length; 0: all of the payload is it */
	uint8_t type, code;	/* ICMP */
	uint32_t rest;		/* ICMP errors: second word */

	uint16_t payload;	/* bytes of a pattern behind the L4 header */
	const uint8_t *content;	/* payload's bytes, if not the pattern */
};

extern const uint8_t mac_client[MAC_LEN], mac_us[MAC_LEN];

struct addr addr(const char *text);	/* aborts on what is none */
bool addr_v6(const struct addr *a);

struct packet packet_build(const struct words *w);

#define packet_of(...) packet_build(&(struct words){ __VA_ARGS__ })
#define l4_words(p, s, sp, d, dp)					\
	.proto = (p), .src = addr(s), .sport = (sp),			\
	.dst = addr(d), .dport = (dp)
#define tcp(s, sp, d, dp, ...)						\
	packet_of(l4_words(IPPROTO_TCP, s, sp, d, dp), ##__VA_ARGS__)
#define udp(s, sp, d, dp, ...)						\
	packet_of(l4_words(IPPROTO_UDP, s, sp, d, dp), ##__VA_ARGS__)
#define sctp(s, sp, d, dp, ...)						\
	packet_of(l4_words(IPPROTO_SCTP, s, sp, d, dp), ##__VA_ARGS__)

/* ICMP of the addresses' family. */
struct packet echo_request(const char *src, const char *dst, uint16_t id,
			   uint16_t payload);

/* An error about the first cut bytes of quote's IP packet. */
struct packet icmp_error(const struct addr *src, const struct addr *dst,
			 uint8_t type, uint8_t code, uint32_t rest,
			 const struct packet *quote, size_t cut);

/* Bytes offset .. offset + len - 1 of what of whole can be cut, as a fragment:
 * IPv4's payload; of IPv6, all behind the headers that routers on the way look
 * at (RFC 8200, 4.5). */
struct packet packet_fragment(const struct packet *whole, size_t offset,
			      size_t len, uint32_t id);

/* Another Ethernet header, the rest as it is. */
struct packet packet_framed(const struct packet *p, const uint8_t *dmac,
			    const uint8_t *smac, const struct vlan *vlan);

/* The first len bytes. */
struct packet packet_cut(const struct packet *p, size_t len);

struct tunnel {
	enum forward forward;
	struct addr src, dst;
	uint16_t sport, dport;	/* UDP tunnels, host order */
	uint32_t vni;
	uint32_t label;		/* IPv6 */
	uint8_t tos;
	bool df;		/* IPv4 */
};

/* inner's IP packet in t, behind inner's Ethernet header without tags. */
struct packet packet_tunneled(const struct packet *inner,
			      const struct tunnel *t);

/* How many bytes t puts before an IP packet. */
size_t tunnel_overhead(enum forward forward, bool outer_v6);

/* What a packet is, as far as its bytes say. Offsets are from data. */
struct layers {
	size_t vlans;
	size_t l3;		/* 0: not IP, or the header is cut */
	size_t l4;		/* behind options and extensions */
	size_t end;		/* where the IP length ends */
	struct addr src, dst;
	uint16_t eth_proto;	/* behind the tags */
	uint16_t next_at;	/* where the byte is that names proto */
	uint8_t proto;
	bool v6;
	bool fragment;		/* has an offset, or more follow */
	bool more;
	uint16_t fragment_offset; /* bytes */
	uint32_t fragment_id;
	unsigned int extensions; /* headers, with one that is cut */
	size_t routed;		/* the type of a routing header that has
				 * segments left; 0: there is none */
	bool source_routed;	/* IPv4: so is an option */
	enum {
		LAYERS_OK,
		LAYERS_NOT_IP,
		LAYERS_NO_DST,	/* cut before the destination's end */
		LAYERS_TRUNCATED, /* something runs past the packet */
		LAYERS_BAD,	/* something contradicts itself */
	} state;
};

/* IP and its extensions; of TCP and the like, see the caller. */
void packet_layers(const struct packet *p, struct layers *ret);

/* The same of an IP packet at p->data + l3, v6 known, ending at limit. */
void packet_layers_ip(const struct packet *p, size_t l3, size_t limit,
		      bool v6, struct layers *ret);

/* 16-bit one's complement sum, not inverted, of len bytes and start. */
uint32_t sum16(uint32_t start, const uint8_t *p, size_t len);
uint16_t fold16(uint32_t sum);
uint32_t crc32c(const uint8_t *p, size_t len);

/* Where the checksum of an L4 header is; 0: it has none of 16 bits. */
size_t checksum_offset(uint8_t proto, bool v6);

/* Every checksum anew, from the outermost IP header (of a complete packet). */
void packet_sum(struct packet *p);
void packet_sum_ip4(struct packet *p, size_t l3);

/* Every checksum that can be verified, within tunnels and quotes too. NULL if
 * all are right, else which is not. */
const char *packet_checksums_wrong(const struct packet *p);
bool packet_checksums_ok(const struct packet *p);

#define DESCRIPTION_MAX 400
/* One line: who, to whom, what. Returns text. */
const char *packet_describe(const struct packet *p,
			    char text[static DESCRIPTION_MAX]);

/* Equal but for padding behind the IP length. The two zeros of a checksum are
 * not the same: where the data is all zero, 0x0000 is wrong (RFC 1071, 1). */
bool packet_eq(const struct packet *a, const struct packet *b);

/* Both described, and the bytes that differ, to stderr. */
void packet_diff(const struct packet *want, const struct packet *got);

#endif
