// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `decap`: the other end of the tunnels, on a backend host. Opens what is for
 * the addresses that it is told, or that the host has at this moment: nobody
 * stays behind to see new ones, so it is to be run again after a change.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <string.h>

#include <net/if.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "base/log.h"
#include "cmd.h"
#include "kernel/dp.h"

struct addrs {
	struct addr list[DECAP_ADDRS_MAX];
	size_t count;
};

static bool hook_parse(const char *text, enum dp_decap_hook *ret)
{
	if (text && strcmp(text, "xdp") && strcmp(text, "tc")) {
		log_error(0, "--hook \"%s\" is neither xdp nor tc", text);
		return false;
	}
	*ret = text && !strcmp(text, "tc") ? DP_DECAP_TC : DP_DECAP_XDP;
	return true;
}

/* Of a socket; false: of another family, or by chance an IPv4 one as IPv6. */
static bool addr_of_socket(const struct sockaddr *from, struct addr *ret)
{
	const struct sockaddr_in6 *in6 = (const void *)from;
	const struct sockaddr_in *in = (const void *)from;

	if (!from || (from->sa_family != AF_INET &&
		      from->sa_family != AF_INET6))
		return false;
	if (from->sa_family == AF_INET) {
		*ret = addr_from4(in->sin_addr.s_addr);
		return true;
	}
	memcpy(ret, &in6->sin6_addr, sizeof(*ret));
	return !addr_is4(ret);
}

static int addrs_of_host(struct addrs *ret)
{
	struct ifaddrs *all;

	if (getifaddrs(&all))
		return log_error(-errno, "cannot list this host's addresses");
	for (struct ifaddrs *i = all; i && ret->count < DECAP_ADDRS_MAX;
	     i = i->ifa_next)
		ret->count += addr_of_socket(i->ifa_addr,
					     &ret->list[ret->count]);
	freeifaddrs(all);
	return 0;
}

/* "A,B,...". */
static bool addrs_parse(const char *text, struct addrs *ret)
{
	char one[ADDR_TEXT_MAX];
	size_t len;

	for (; ; text += len + 1) {
		len = strcspn(text, ",");
		snprintf(one, sizeof(one), "%.*s", (int)len, text);
		if (ret->count == DECAP_ADDRS_MAX || len >= sizeof(one) ||
		    !addr_parse(one, &ret->list[ret->count])) {
			log_error(0, "--address: \"%.*s\" is not an address",
				  (int)len, text);
			return false;
		}
		ret->count++;
		if (!text[len])
			return true;
	}
}

static int attach(const struct options *o, struct dp_decap_opts *opts)
{
	static struct addrs addrs;

	if (o->address && !addrs_parse(o->address, &addrs))
		return MISUSED;
	if (!o->address && addrs_of_host(&addrs))
		return FAILED;
	opts->addrs = addrs.list;
	opts->nr_addrs = addrs.count;
	return dp_decap_attach(opts) ? FAILED : DONE;
}

int cmd_decap(const struct options *o)
{
	struct dp_decap_opts opts = {
		.gue_port = o->gue_port,
		.geneve_port = o->geneve_port,
		.pin_root = o->pin_root,
	};

	if (!o->interface) {
		log_error(0, "decap needs --interface INTERFACE");
		return MISUSED;
	}
	if (!hook_parse(o->hook, &opts.hook))
		return MISUSED;
	opts.ifindex = if_nametoindex(o->interface);
	if (!opts.ifindex) {
		log_error(0, "no interface \"%s\"", o->interface);
		return FAILED;
	}
	if (!o->detach)
		return attach(o, &opts);
	return dp_decap_detach(&opts) ? FAILED : DONE;
}
