/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One question of the DNS (RFC 1035), and whether an answer is to it. Pure. */
#ifndef FAIRLEAD_DNS_MESSAGE_H
#define FAIRLEAD_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* A header, a name, and type and class. */
#define DNS_QUESTION_MAX (12 + 255 + 4)

enum dns_answer {
	DNS_OURS,		/* *ret_rcode says what it is */
	DNS_OTHER,		/* not to this question: somebody else's */
	DNS_CUT,		/* to ask again by TCP; it says no more */
};

/* name: "a.example", "a.example." or "."; its length, or 0: no such name. */
size_t dns_question(const char *name, __u16 rrtype, __u16 id,
		    __u8 ret[static DNS_QUESTION_MAX]);

/* The question must be repeated, in any case of letters (RFC 4343); an answer
 * that only says that it could not be read has none. */
enum dns_answer dns_answer(const __u8 *question, size_t question_len,
			   const __u8 *answer, size_t len,
			   unsigned int *ret_rcode);

/* "NXDOMAIN"; NULL: there is no name for it. */
const char *dns_rcode_name(unsigned int rcode);

#endif
