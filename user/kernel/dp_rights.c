// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See dp_rights.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "dp_rights.h"

/* Either of the two will do (capabilities(7)). */
static const struct {
	int needed, instead;
	const char *name;
} rights[] = {
	{ CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF" },
	{ CAP_PERFMON, CAP_SYS_ADMIN, "CAP_PERFMON" },
	{ CAP_NET_ADMIN, CAP_NET_ADMIN, "CAP_NET_ADMIN" },
};

static bool has(const struct __user_cap_data_struct *data, int capability)
{
	return data[capability / 32].effective >> capability % 32 & 1;
}

int dp_rights_check(const char *what)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	char missing[64] = "";
	size_t len = 0;

	if (syscall(SYS_capget, &header, data))
		return 0;	/* the kernel will say */
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		if (!has(data, rights[i].needed) &&
		    !has(data, rights[i].instead))
			len += snprintf(missing + len, sizeof(missing) - len,
					"%s%s", len ? ", " : "",
					rights[i].name);
	if (!len)
		return 0;
	return log_error(-EPERM, "%s: this process lacks %s", what, missing);
}
