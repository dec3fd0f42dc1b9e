// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See ipvs_table.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "ipvs_table.h"

#define LINE_SIZE 512

void ipvs_table_clear(struct ipvs_table *t)
{
	for (size_t i = 0; i < t->services.count; i++)
		free(t->services.at[i].servers.at);
	free(t->services.at);
	*t = (struct ipvs_table){};
}

/* Digits, and nothing else, to a number of up to max. */
static bool number_parse(const char *text, int base, unsigned long max,
			 __u32 *ret)
{
	const char *digits = base == 16 ? "0123456789abcdefABCDEF" :
					  "0123456789";
	size_t len = text ? strlen(text) : 0;
	unsigned long number;

	if (!len || len > 10 || strspn(text, digits) != len)
		return false;
	number = strtoul(text, NULL, base);
	*ret = number;
	return number <= max;
}

/* "C000020A": the address's bytes as a number */
static bool addr4_parse(const char *text, struct addr *ret)
{
	char dotted[16];
	__u32 number;

	if (strlen(text) != 8 || !number_parse(text, 16, 0xffffffff, &number))
		return false;
	snprintf(dotted, sizeof(dotted), "%u.%u.%u.%u", number >> 24,
		 number >> 16 & 255, number >> 8 & 255, number & 255);
	return addr_parse(dotted, ret);
}

/* "C000020A:0050", "[2001:0db8:...:000a]:0050" */
static bool end_parse(char *text, struct addr *ret_addr, __u16 *ret_port)
{
	char *colon = text ? strrchr(text, ':') : NULL;
	__u32 port;

	if (!colon || !number_parse(colon + 1, 16, 0xffff, &port))
		return false;
	*colon = '\0';
	*ret_port = port;
	if (*text != '[')
		return addr4_parse(text, ret_addr);
	if (colon[-1] != ']')
		return false;
	colon[-1] = '\0';
	return addr_parse(text + 1, ret_addr) && !addr_is4(ret_addr);
}

static __u8 proto_parse(const char *word)
{
	return !strcmp(word, "TCP") ? IPPROTO_TCP :
	       !strcmp(word, "UDP") ? IPPROTO_UDP :
	       !strcmp(word, "SCTP") ? IPPROTO_SCTP : 0;
}

/* What stands behind the scheduler: "persistent 300 FFFFFFFF", "ops", flags of
 * the scheduler's own. */
static bool flags_parse(char **rest, struct ipvs_service *s)
{
	char *word;

	while ((word = strtok_r(NULL, " \n", rest)))
		if (!strcmp(word, "persistent") &&
		    !number_parse(strtok_r(NULL, " \n", rest), 10, 0xffffffff,
				  &s->persistent))
			return false;
	return true;
}

/* "TCP  C000020A:0050 rr persistent 300 FFFFFFFF", "FWM  00000001 wrr" */
static int service_parse(const char *word, char **rest, struct ipvs_table *t)
{
	struct ipvs_service s = { .proto = proto_parse(word) }, *to;
	char *end = strtok_r(NULL, " \n", rest), *scheduler;

	if (s.proto ? !end_parse(end, &s.addr, &s.port) :
		      strcmp(word, "FWM") ||
		      !number_parse(end, 16, 0xffffffff, &s.mark))
		return -EINVAL;
	scheduler = strtok_r(NULL, " \n", rest);
	if (!scheduler || !flags_parse(rest, &s))
		return -EINVAL;
	snprintf(s.scheduler, sizeof(s.scheduler), "%s", scheduler);
	to = list_add(&t->services);
	if (!to)
		return -ENOMEM;
	*to = s;
	return 0;
}

/* "->  0A5B000B:0050      Masq    1      0          0", of the last service */
static int server_parse(char **rest, struct ipvs_table *t)
{
	char *end = strtok_r(NULL, " \n", rest), *forward;
	struct ipvs_server s = {}, *to;

	if (!t->services.count || !end_parse(end, &s.addr, &s.port))
		return -EINVAL;
	forward = strtok_r(NULL, " \n", rest);
	if (!forward ||
	    !number_parse(strtok_r(NULL, " \n", rest), 10, 0x7fffffff,
			  &s.weight) ||
	    !number_parse(strtok_r(NULL, " \n", rest), 10, 0xffffffff,
			  &s.active) ||
	    !number_parse(strtok_r(NULL, " \n", rest), 10, 0xffffffff,
			  &s.inactive))
		return -EINVAL;
	snprintf(s.forward, sizeof(s.forward), "%s", forward);
	to = list_add(&t->services.at[t->services.count - 1].servers);
	if (!to)
		return -ENOMEM;
	*to = s;
	return 0;
}

static bool is_head(const char *word, const char *rest, unsigned int line)
{
	return (line == 1 && !strcmp(word, "IP") &&
		!strncmp(rest, "Virtual Server", 14)) ||
	       (line == 2 && !strcmp(word, "Prot")) ||
	       (line == 3 && !strcmp(word, "->") &&
		!strncmp(rest, "RemoteAddress", 13));
}

static int line_parse(char *text, unsigned int line, struct ipvs_table *t)
{
	char *rest, *word = strtok_r(text, " \n", &rest);

	if (!word || is_head(word, rest, line))
		return 0;
	return strcmp(word, "->") ? service_parse(word, &rest, t) :
				    server_parse(&rest, t);
}

int ipvs_table_read(FILE *from, struct ipvs_table *ret, unsigned int *ret_line)
{
	char text[LINE_SIZE];
	int err = 0;

	*ret = (struct ipvs_table){};
	*ret_line = 0;
	while (!err && fgets(text, sizeof(text), from)) {
		++*ret_line;
		err = strchr(text, '\n') || feof(from) ?
			      line_parse(text, *ret_line, ret) : -EINVAL;
	}
	if (ferror(from))
		return -EIO;
	return err;
}
