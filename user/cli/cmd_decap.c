// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `decap`: the other end of the tunnels, on a backend host. */
#include <stdbool.h>
#include <string.h>

#include <net/if.h>

#include "cmd.h"
#include "kernel/dp.h"
#include "base/log.h"

static bool hook_parse(const char *text, enum dp_decap_hook *ret)
{
	if (text && strcmp(text, "xdp") && strcmp(text, "tc")) {
		log_error(0, "--hook \"%s\" is neither xdp nor tc", text);
		return false;
	}
	*ret = text && !strcmp(text, "tc") ? DP_DECAP_TC : DP_DECAP_XDP;
	return true;
}

int cmd_decap(const struct options *o)
{
	struct dp_decap_opts opts = {
		.gue_port = o->gue_port,
		.geneve_port = o->geneve_port,
		.pin_root = o->pin_root,
	};
	int err;

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
	err = o->detach ? dp_decap_detach(&opts) : dp_decap_attach(&opts);
	return err ? FAILED : DONE;
}
