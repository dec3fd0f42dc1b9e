// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An address with a port, and numbers, as people write them: endpoint.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "endpoint.h"

bool number_parse(const char *text, unsigned int least, unsigned int most,
		  unsigned int *ret)
{
	unsigned long long n;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno || n < least || n > most)
		return false;
	*ret = n;
	return true;
}

/* Where the address of text ends and what follows its colon, if anything. */
static bool endpoint_split(const char *text, const char **addr, size_t *len,
			   const char **port)
{
	const char *colon = strchr(text, ':');

	*addr = text;
	*len = strlen(text);
	*port = NULL;
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':'))
			return false;
		*addr = text + 1;
		*len = end - text - 1;
		*port = end[1] ? end + 2 : NULL;
	} else if (colon && !strchr(colon + 1, ':')) {
		*len = colon - text;
		*port = colon + 1;
	}
	return true;
}

bool endpoint_parse(const char *text, struct addr *ret_addr, int *ret_port)
{
	char host[ADDR_TEXT_MAX];
	unsigned int number = 0;
	const char *addr, *port;
	struct addr parsed;
	size_t len;

	if (!endpoint_split(text, &addr, &len, &port) || len >= sizeof(host))
		return false;
	memcpy(host, addr, len);
	host[len] = 0;
	if (!addr_parse(host, &parsed) || (*text == '[' && addr_is4(&parsed)))
		return false;
	if (port && !number_parse(port, 1, 65535, &number))
		return false;
	*ret_addr = parsed;
	*ret_port = port ? (int)number : -1;
	return true;
}

const char *endpoint_format(const struct addr *addr, int port,
			    char text[static ENDPOINT_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];

	addr_format(addr, host);
	if (port < 0)
		snprintf(text, ENDPOINT_TEXT_MAX, "%s", host);
	else if (addr_is4(addr))
		snprintf(text, ENDPOINT_TEXT_MAX, "%s:%d", host, port);
	else
		snprintf(text, ENDPOINT_TEXT_MAX, "[%s]:%d", host, port);
	return text;
}
