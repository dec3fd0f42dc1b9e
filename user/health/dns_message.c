// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See dns_message.h. */
#include <string.h>

#include "dns_message.h"

#define HEADER 12
#define LABEL_MAX 63
#define NAME_MAX_BYTES 255

/* Of a header: byte 2 QR OPCODE AA TC RD, byte 3 RA Z RCODE. */
#define QR 0x80
#define OPCODE 0x78
#define TC 0x02
#define RD 0x01
#define RCODE 0x0f
#define CLASS_IN 1
#define FORMERR 1
#define NOTIMP 4

static void put16(__u8 *to, unsigned int value)
{
	to[0] = value >> 8;
	to[1] = value;
}

/* RFC 1035 3.1 and 2.3.4. */
static size_t name_encode(const char *text, __u8 *ret)
{
	size_t at = 0;

	if (!strcmp(text, "."))
		text = "";
	while (*text) {
		size_t len = strcspn(text, ".");

		/* its length, it, and the root's */
		if (!len || len > LABEL_MAX ||
		    at + 1 + len + 1 > NAME_MAX_BYTES)
			return 0;
		ret[at] = len;
		memcpy(ret + at + 1, text, len);
		at += 1 + len;
		text += len;
		text += *text == '.';
	}
	ret[at] = 0;
	return at + 1;
}

/* Recursion is wanted, as of who asks a resolver; others take no notice. */
size_t dns_question(const char *name, __u16 rrtype, __u16 id,
		    __u8 ret[static DNS_QUESTION_MAX])
{
	size_t len = name_encode(name, ret + HEADER);

	if (!len)
		return 0;
	memset(ret, 0, HEADER);
	put16(ret, id);
	ret[2] = RD;
	put16(ret + 4, 1);
	put16(ret + HEADER + len, rrtype);
	put16(ret + HEADER + len + 2, CLASS_IN);
	return HEADER + len + 4;
}

/* Lengths of labels are no letters: below 'A'. */
static __u8 lower(__u8 c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool is_repeated(const __u8 *question, size_t question_len,
			const __u8 *answer, size_t len)
{
	if (len < question_len || answer[4] || answer[5] != 1)
		return false;
	for (size_t i = HEADER; i < question_len; i++)
		if (lower(question[i]) != lower(answer[i]))
			return false;
	return true;
}

enum dns_answer dns_answer(const __u8 *question, size_t question_len,
			   const __u8 *answer, size_t len,
			   unsigned int *ret_rcode)
{
	unsigned int rcode;

	if (len < HEADER || memcmp(question, answer, 2) || !(answer[2] & QR) ||
	    answer[2] & OPCODE)
		return DNS_OTHER;
	rcode = answer[3] & RCODE;
	if (!is_repeated(question, question_len, answer, len) &&
	    ((rcode != FORMERR && rcode != NOTIMP) || answer[4] || answer[5]))
		return DNS_OTHER;
	*ret_rcode = rcode;
	return answer[2] & TC ? DNS_CUT : DNS_OURS;
}

const char *dns_rcode_name(unsigned int rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP", "REFUSED" };

	return rcode < sizeof(names) / sizeof(*names) ? names[rcode] : NULL;
}
