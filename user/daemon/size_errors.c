// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See size_errors.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log.h"
#include "engine/reconcile.h"
#include "size_errors.h"

/* A socket that takes IP packets as they are, header included (raw(7)). */
static int raw_socket(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			IPPROTO_RAW);

	/* without IPv6 in the kernel nobody needs to be told over it */
	if (fd < 0 && errno != EAFNOSUPPORT)
		log_warning(-errno, "senders will not be told at once of "
			    "tunnels that are too narrow");
	return fd;
}

/* One that is lost is made up for by the next packet's own. */
static void tell(const struct size_errors *e,
		 const struct path_mtu_answer *answer)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };

	if (addr_is4(&answer->to)) {
		to4.sin_addr.s_addr = answer->to.word[3];
		sendto(e->socket4, answer->packet, answer->len, 0,
		       (struct sockaddr *)&to4, sizeof(to4));
		return;
	}
	memcpy(&to6.sin6_addr, &answer->to, sizeof(answer->to));
	sendto(e->socket6, answer->packet, answer->len, 0,
	       (struct sockaddr *)&to6, sizeof(to6));
}

static void take(void *arg, const __u8 *frame, size_t len)
{
	struct path_mtu_answer answer;
	struct size_errors *e = arg;
	unsigned int learned;

	learned = path_mtu_learn(e->parts->state, frame, len, dp_now_s(),
				 &answer);
	if (learned)
		log_debug("the way to %u backend(s) is narrower", learned);
	if (answer.len)
		tell(e, &answer);
}

void size_errors_begin(struct size_errors *e)
{
	e->socket4 = raw_socket(AF_INET);
	e->socket6 = raw_socket(AF_INET6);
	dp_on_errors(e->parts->dp, &(struct dp_errors){
		.f = take,
		.arg = e,
	});
}

void size_errors_end(struct size_errors *e)
{
	if (e->socket4 >= 0)
		close(e->socket4);
	if (e->socket6 >= 0)
		close(e->socket6);
	e->socket4 = e->socket6 = -1;
}
