// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Looks at interfaces that Fairlead may be attached to, and touches none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <net/if.h>

#include "kernel/dp_selftest.h"
#include "host/device.h"
#include "host/nexthop.h"
#include "model/model.h"
#include "selftest.h"
#include "base/cleanup.h"

/* Longer packets most drivers' native XDP does not take. */
#define MTU_NATIVE_MAX 3498

static void say_driver(struct selftest_row *row, const struct device *d)
{
	selftest_say(row, SELFTEST_OK, "driver %s, MTU %d%s", d->driver, d->mtu,
		     d->mtu > MTU_NATIVE_MAX ?
		     ", more than native XDP of most drivers takes" : "");
}

static void say_xdp(struct selftest_row *row, const struct device *d)
{
	if (d->tells_xdp) {
		selftest_xdp_words(row, d->xdp);
		return;
	}
	strcpy(row->mode, "unknown");
	strncat(row->text, "; whether the driver has native XDP cannot be told "
		"without attaching", sizeof(row->text) - strlen(row->text) - 1);
}

/* Where packets would be lost, it must not be said that it works. */
static void say_faults(struct selftest_row *row, const struct device *d)
{
	size_t len = strlen(row->text);
	char text[DEVICE_TEXT_MAX];

	if (device_fault(d, text)) {
		row->result = SELFTEST_NO;
		row->weight = SELFTEST_NEEDED;
	} else if (!device_doubt(d, text)) {
		return;
	}
	snprintf(row->text + len, sizeof(row->text) - len, "; %s", text);
}

/* Ours, and a dispatcher, let Fairlead in. */
static void say_holder(struct selftest_row *row, __u32 ifindex)
{
	size_t len = strlen(row->text);
	char name[16];
	__u32 id = dp_selftest_holder(ifindex, name);

	if (!id)
		return;
	snprintf(row->text + len, sizeof(row->text) - len,
		 "; XDP program \"%s\" (id %u) is attached there", name, id);
	if (!strcmp(name, "fl_xdp") || !strcmp(name, "xdp_dispatcher"))
		return;
	row->result = SELFTEST_NO;
	strncat(row->text, ": detach it, or leave the interface out of uplinks",
		sizeof(row->text) - strlen(row->text) - 1);
}

static void look_at(struct selftest *t, const char *name)
{
	char title[SELFTEST_NAME_MAX];
	struct selftest_row *row;
	__u32 ifindex = if_nametoindex(name);
	struct device device;

	snprintf(title, sizeof(title), "uplink %s", name);
	row = selftest_add(t, title);
	if (device_look(ifindex, &device)) {
		selftest_say(row, SELFTEST_NO, "is gone");
		return;
	}
	say_driver(row, &device);
	say_xdp(row, &device);
	say_holder(row, ifindex);
	say_faults(row, &device);
}

/* The interfaces of default routes; 0: none. */
static size_t defaults_find(__u32 *ret, size_t room)
{
	__cleanup(nexthops_closep) struct nexthops *nexthops = NULL;
	struct link none;

	if (nexthops_open(&none, 0, &nexthops))
		return 0;
	return nexthops_default_uplinks(nexthops, ret, room);
}

/* The next name of a list, "a,b"; NULL: it was the last. */
static const char *name_next(const char *list, char one[static IF_NAMESIZE])
{
	size_t len = strcspn(list, ",");

	snprintf(one, IF_NAMESIZE, "%.*s", (int)len, list);
	return *list ? list + len + !!list[len] : NULL;
}

bool selftest_interfaces_known(const char *list, char one[static IF_NAMESIZE])
{
	while ((list = name_next(list, one)))
		if (!if_nametoindex(one))
			return false;
	return true;
}

void selftest_uplinks(struct selftest *t, const char *name)
{
	const char *list = t->interfaces;
	__u32 defaults[MODEL_UPLINKS_MAX];
	size_t count;
	char one[IF_NAMESIZE];

	if (list) {
		while ((list = name_next(list, one)))
			look_at(t, one);
		return;
	}
	count = defaults_find(defaults, MODEL_UPLINKS_MAX);
	for (size_t i = 0; i < count; i++)
		if (if_indextoname(defaults[i], one))
			look_at(t, one);
	if (!count)
		selftest_say(selftest_add(t, name), SELFTEST_NOT_NEEDED,
			     "no default route names one: name it in uplinks:");
}
