/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small parsers of what people write: on command lines and in requests. */
#ifndef FAIRLEAD_ENDPOINT_H
#define FAIRLEAD_ENDPOINT_H

#include <stdbool.h>

#include <fairlead/types.h>

/* A decimal number and nothing else. */
bool number_parse(const char *text, unsigned int least, unsigned int most,
		  unsigned int *ret);

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". *ret_port
 * is in host order, -1 without one. */
bool endpoint_parse(const char *text, struct addr *ret_addr, int *ret_port);

/* The other way; a negative port is left out. */
#define ENDPOINT_TEXT_MAX 64
const char *endpoint_format(const struct addr *addr, int port,
			    char text[static ENDPOINT_TEXT_MAX]);

#endif
