// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `version`, and `reasons`: what this program knows without any datapath. */
#include <stddef.h>

#include <sys/utsname.h>

#include "base/version.h"
#include "cmd.h"
#include "kernel/dp.h"
#include "base/log.h"
#include "model/reason.h"
#include "base/print.h"

int cmd_version(const struct options *o)
{
	struct utsname kernel;

	if (uname(&kernel))
		return FAILED;
	if (o->json)
		return json_print(json_pack("{s:s, s:i, s:s, s:s}",
					    "version", FAIRLEAD_VERSION,
					    "abi", FAIRLEAD_ABI,
					    "libbpf", dp_library_version(),
					    "kernel", kernel.release),
				  stdout) ? FAILED : DONE;
	printf("fairlead %s\nlibbpf %s\nLinux %s\n", FAIRLEAD_VERSION,
	       dp_library_version(), kernel.release);
	return DONE;
}

static const struct column reason_columns[] = {
	COLUMN("name", "REASON", TEXT, struct reason_text, name),
	COLUMN("verdict", "VERDICT", TEXT, struct reason_text, verdict),
	COLUMN("text", "MEANING", TEXT, struct reason_text, text),
	COLUMNS_END,
};

int cmd_reasons(const struct options *o)
{
	struct print *table = NULL;
	int err;

	err = print_open(stdout, o->json, reason_columns, &table);
	for (int i = 0; !err && i < NR_REASONS; i++)
		err = print_row(table, &reason_texts[i]);
	if (err) {
		print_close(table);
		log_error(err, "cannot print");
		return FAILED;
	}
	return print_close(table) ? FAILED : DONE;
}
