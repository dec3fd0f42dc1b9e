// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `bugreport`: what somebody needs to know who is to find out what is wrong, in
 * one text. No definitions, no keys; addresses and names of services are in it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd.h"

static const struct section {
	const char *title;
	int (*run)(const struct options *o);
	bool json;
} sections[] = {
	{ "version", cmd_version, false },
	{ "status", cmd_status, false },
	{ "status --json", cmd_status, true },
	{ "service list", cmd_service_list, false },
	{ "backend list", cmd_backend_list, false },
	{ "policy list", cmd_policy_list, false },
	{ "announce list", cmd_announce_list, false },
};

/* Of the kernel, as far as it matters here. */
static const char *const files[] = {
	"/proc/version", "/proc/loadavg",
	"/proc/sys/net/core/bpf_jit_enable",
	"/proc/sys/net/ipv4/ip_forward",
	"/proc/sys/net/ipv6/conf/all/forwarding",
	"/proc/sys/net/ipv4/conf/all/rp_filter",
	"/proc/sys/net/ipv4/ping_group_range",
	"/proc/sys/kernel/unprivileged_bpf_disabled",
	"/proc/net/dev", "/proc/net/route", "/proc/net/arp",
};

static void copy_file(const char *path)
{
	__cleanup(close_file) FILE *from = fopen(path, "re");
	char part[4096];
	size_t len;

	printf("\n== %s\n", path);
	if (!from)
		puts("(cannot be read)");
	while (from && (len = fread(part, 1, sizeof(part), from)))
		fwrite(part, 1, len, stdout);
}

/* What a section says of its failure belongs there, too. */
int cmd_bugreport(const struct options *o)
{
	dup2(STDOUT_FILENO, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct options own = *o;
		int status;

		own.json = sections[i].json;
		printf("\n== fairlead %s\n", sections[i].title);
		fflush(stdout);
		status = sections[i].run(&own);
		if (status)
			printf("(ended with %d)\n", status);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		copy_file(files[i]);
	return DONE;
}
