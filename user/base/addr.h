/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* struct addr to text and back: the only file of user/ that asks which
 * family. */
#ifndef FAIRLEAD_ADDR_H
#define FAIRLEAD_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

#define ADDR_TEXT_MAX 48	/* INET6_ADDRSTRLEN and NUL, rounded up */

/* "192.0.2.1" or "2001:db8::1". A mapped IPv6 address is refused: false. */
bool addr_parse(const char *text, struct addr *ret);

/*
 * "192.0.2.0/24" or "2001:db8::/32"; without "/", one address. *ret_len
 * counts bits of struct addr: IPv4's plus 96. Host bits set: false.
 */
bool addr_parse_cidr(const char *text, struct addr *ret, unsigned int *ret_len);

/* Returns text. IPv6 in the form of RFC 5952. */
const char *addr_format(const struct addr *a, char text[static ADDR_TEXT_MAX]);

bool addr_is4(const struct addr *a);	/* ::ffff:0:0/96 */
bool addr_is_zero(const struct addr *a);
int addr_compare(const struct addr *a, const struct addr *b); /* as memcmp */
bool addr_is_in(const struct addr *addrs, size_t count, const struct addr *a);
bool addr_in(const struct addr *a, const struct addr *net, unsigned int len);
bool addr_is_link_local(const struct addr *a);
/* What no packet from or to a single host carries, if such addresses are in a's
 * prefix of len bits of the mapped form: "a loopback", for an article and a
 * noun; NULL: none are. */
const char *addr_unusable(const struct addr *a, unsigned int len);
/* The first address of a's prefix of that length, in bits of the mapped
 * form. */
struct addr addr_prefix(struct addr a, unsigned int len);

/* The mapped form of 4 bytes off the wire. */
struct addr addr_from4(__be32 ip);

#endif
