// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See kept.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "kept.h"
#include "model/model.h"

#define KEPT_FILE "announce.json"
#define KEPT_PATH_MAX 300

static const char *kept_path(const char *dir, const char *suffix,
			     char path[static KEPT_PATH_MAX])
{
	snprintf(path, KEPT_PATH_MAX, "%s/%s%s", dir, KEPT_FILE, suffix);
	return path;
}

void announce_kept_load(const char *dir, struct announce_kept *ret)
{
	json_int_t table, protocol, drained = -1;
	char path[KEPT_PATH_MAX];
	json_t *kept = json_load_file(kept_path(dir, "", path), 0, NULL);

	*ret = (struct announce_kept){};
	if (!json_unpack(kept, "{s:I, s:I, s?I}", "table", &table, "protocol",
			 &protocol, "drained_ms", &drained) &&
	    table >= 0 && table <= UINT32_MAX && protocol >= 0 &&
	    protocol <= UINT8_MAX)
		*ret = (struct announce_kept){
			.place = { table, protocol },
			.is_drained = drained >= 0,
			.drained_ms = drained >= 0 ? drained : 0,
		};
	json_decref(kept);
}

int announce_kept_save(const char *dir, const struct announce_kept *k)
{
	json_t *kept = json_pack("{s:I, s:i}", "table",
				 (json_int_t)k->place.table, "protocol",
				 k->place.protocol);
	char path[KEPT_PATH_MAX], new[KEPT_PATH_MAX];
	int err;

	if (k->is_drained)
		json_object_set_new(kept, "drained_ms",
				    json_integer(k->drained_ms));
	kept_path(dir, "", path);
	kept_path(dir, ".new", new);
	errno = 0;
	err = json_dump_file(kept, new, 0) || rename(new, path) ?
		      -(errno ?: ENOMEM) : 0;
	json_decref(kept);
	return err;
}

int announce_withdraw(const char *dir, size_t *ret_count)
{
	__cleanup(routes_closep) struct routes *r = NULL;
	struct announce_kept kept;
	int err;

	*ret_count = 0;
	announce_kept_load(dir, &kept);
	if (!kept.place.table)
		kept.place = (struct routes_place){ ANNOUNCE_TABLE,
						    ANNOUNCE_PROTOCOL };
	err = routes_open(&r);
	return err ?: routes_remove_all(r, &kept.place, ret_count);
}
