// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the tables hold, see image.h: after a restart, or when a change ended
 * half way. */
#include <errno.h>
#include <string.h>

#include "image.h"

static int load_target(void *arg, const void *key, const void *value)
{
	struct image *m = arg;
	struct target_row *to = list_add(&m->targets);

	if (!to)
		return -ENOMEM;
	memcpy(&to->id, key, sizeof(to->id));
	memcpy(&to->target, value, sizeof(to->target));
	return 0;
}

static int load_mask(void *arg, const void *key, const void *value)
{
	struct masks *m = arg;
	struct mask_row *to = list_add(&m->list);

	if (!to)
		return -ENOMEM;
	memcpy(&to->key, key, sizeof(to->key));
	memcpy(&to->mask, value, sizeof(to->mask));
	return 0;
}

static int load_peer(void *arg, const void *key, const void *value)
{
	struct image *m = arg;
	struct peer_row *to = list_add(&m->peers);

	if (!to)
		return -ENOMEM;
	memcpy(&to->addr, key, sizeof(to->addr));
	memcpy(&to->value, value, sizeof(to->value));
	to->group = NONE;
	return 0;
}

static int load_prefix(void *arg, const void *key, const void *value)
{
	struct image *m = arg;
	struct prefix_row *to = list_add(&m->prefixes);

	if (!to)
		return -ENOMEM;
	memcpy(&to->key, key, sizeof(to->key));
	memcpy(&to->value, value, sizeof(to->value));
	return 0;
}

int image_load(struct image *m, struct tables *t)
{
	int ret = t->entries_each(t, TABLE_targets, load_target, m);

	if (!ret)
		ret = t->entries_each(t, TABLE_peer_masks, load_mask,
				      &m->peer_masks);
	if (!ret)
		ret = t->entries_each(t, TABLE_port_masks, load_mask,
				      &m->port_masks);
	if (!ret)
		ret = t->entries_each(t, TABLE_peers, load_peer, m);
	if (!ret)
		ret = t->entries_each(t, TABLE_peer_prefixes, load_prefix, m);
	if (ret)
		return ret;
	memcpy(m->port_classes, t->port_classes, PORT_CLASSES * sizeof(__u16));
	image_sort(m);
	return 0;
}
